"""The whole person: seams, conservation, and organs that keep their own behaviour inside the whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from betapod.engine.schedule import Dose, Schedule
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.model import Model
from betapod.model.parameters.table import ParameterTable
from betapod.physiology import whole_body
from betapod.physiology.hand_tuned import hand_tuned

YEAR = 365.25


@pytest.fixture(scope="module")
def whole() -> Model:
    return whole_body.named_model("reference")


def with_table(model: Model, file: str) -> Model:
    """Return the model under a named scenario of cell therapy."""
    overlay = ParameterTable.read(whole_body.PARAMETERS / f"{file}.csv")
    return model.with_values({key: row.value for key, row in overlay.items() if key in model.parameters})


def test_organs_bring_all_their_states(whole: Model) -> None:
    expected = set(whole_body.named_model("kidney").state_names) | set(whole_body.named_model("metabolism").state_names)
    expected |= set(whole_body.named_model("cells").state_names) - {"rho_c"}
    assert set(whole.state_names) == expected | {"early_stage"}


def test_one_name_per_quantity(whole: Model) -> None:
    owners = [state.name for state in whole.states] + list(whole.assignments)
    assert len(owners) == len(set(owners))
    assert not set(owners) & (set(whole.inputs) | set(whole.parameters))
    for seam in ("G", "GFR", "BW", "rRBC", "hypoxic_drive", "damage_K", "native_pod", "graft_equivalents", "j", "r_R"):
        assert seam in owners


# The kidney's own reference run G2 (type 1 diabetes, 11.3 mmol/L from age 15), as `test_kidney_golden` has it, with more digits.
G2 = {
    1: {"GFR": 146.8, "FF": 0.1892, "P_GC": 58.59, "UAER": 5.782, "W_GBM": 334.2},
    10: {"GFR": 123.1, "FF": 0.1734, "P_GC": 59.84, "UAER": 20.74, "W_GBM": 434.7},
    20: {"GFR": 89.45, "FF": 0.1584, "P_GC": 61.56, "UAER": 131.5, "W_GBM": 522.1},
}


@pytest.fixture(scope="module")
def held(whole: Model) -> pd.DataFrame:
    model = hand_tuned(whole).with_values({"hold_glucose": 1, "glucose_held": 11.3, "age": 15})
    names = sorted({name for row in G2.values() for name in row} | {"G"})
    return simulate(model, [year * YEAR for year in G2], outputs=names).table


@pytest.mark.parametrize(("year", "name"), [(year, name) for year, row in G2.items() for name in row])
def test_kidney_keeps_its_golden_values_inside_the_whole(held: pd.DataFrame, year: int, name: str) -> None:
    assert held.loc[year * YEAR, name] == pytest.approx(G2[year][name], rel=0.005)


def test_kidney_inside_the_whole_equals_the_kidney_alone(whole: Model) -> None:
    times = [1.0, 30.0, YEAR, 10 * YEAR]
    alone = whole_body.named_model("kidney").with_values({"G": 10.0, "age": 45})
    inside = whole.with_values({"hold_glucose": 1, "glucose_held": 10.0, "age": 45})
    names = list(alone.state_names)
    a = simulate(alone, times, outputs=names, rtol=1e-9, atol=1e-11).table
    b = simulate(inside, times, outputs=names, rtol=1e-9, atol=1e-11).table
    np.testing.assert_allclose(b, a, rtol=2e-6, atol=1e-8)


def test_cells_that_do_nothing_change_nothing(whole: Model) -> None:
    """Under `none` a dose leaves every multiplier exactly 1 and the host where it was."""
    model = with_table(whole, "cells_none").with_values({"hold_glucose": 1, "glucose_held": 9.0})
    hosts = [*whole_body.named_model("kidney").state_names, *whole_body.named_model("metabolism").state_names]
    multipliers = [
        "pod_m",
        "fib_m",
        "tub_m",
        "apo_m",
        "rep_m",
        "sec_m",
        "kre_m",
        "tox_m",
        "nR_m",
        "tau4_m",
        "sHd",
        "gfr_m",
    ]
    times = [7.0, 84.0, YEAR]
    dosed = simulate(
        model, times, Schedule([Dose("N_K", 3.0, 1.0), Dose("N_L", 60.0, 1.0)]), outputs=hosts + multipliers
    )
    np.testing.assert_array_equal(dosed.table[multipliers], 1.0)
    plain = simulate(model, times, outputs=hosts)
    np.testing.assert_allclose(dosed.table[hosts], plain.table[hosts], rtol=1e-4, atol=1e-7)


def test_dose_zero_is_bitwise_no_therapy(whole: Model) -> None:
    times = [7.0, 84.0]
    zero = simulate(whole, times, Schedule([Dose("N_L", 0.0, 0.0)])).table
    none = simulate(whole, times).table
    pd.testing.assert_frame_equal(zero, none, check_exact=True)


def test_cells_are_conserved_inside_the_whole(whole: Model) -> None:
    """What was given, and what was born in niches, is alive somewhere or has died."""
    schedule = Schedule([Dose("N_L", 65.0, 0.0), Dose("N_K", 3.0, 0.0), Dose("N_E", 10.0, 0.0)])
    outputs = ["N_alive", "N_dead", "N_born"]
    table = simulate(whole, [0.5, 3.0, 30.0, YEAR], schedule, rtol=1e-10, atol=1e-12, outputs=outputs).table
    assert table["N_dead"].iloc[-1] > 77.0
    np.testing.assert_allclose(table["N_alive"] + table["N_dead"] - table["N_born"], 78.0, rtol=1e-9)


def test_sodium_is_balanced_inside_the_whole(whole: Model) -> None:
    """Extracellular sodium changes by what is eaten less what is excreted."""
    times = np.linspace(0, 60, 241)
    table = simulate(whole.with_values({"N_in": 250}), times, rtol=1e-10, atol=1e-12).table
    excreted = np.trapezoid(table["Na_excretion"], times)
    stored = (table["V_E"].iloc[-1] - table["V_E"].iloc[0]) * whole.parameters["Na_plasma"].value
    assert stored == pytest.approx(250 * 60 - excreted, abs=2.0)


def test_failing_kidneys_reach_metabolism(whole: Model) -> None:
    """Less filtration: more C-peptide, less urinary glucose, younger red cells."""
    outputs = ["GFR", "C_peptide_fasting", "insulin", "rRBC"]
    person = {"hold_glucose": 1, "glucose_held": 9.0}
    healthy = simulate(whole.with_values(person), [300.0], outputs=outputs).table.iloc[-1]
    failing = simulate(whole.with_values({**person, "u_nx": 0.2}), [300.0], outputs=outputs).table.iloc[-1]
    assert failing["GFR"] < 0.6 * healthy["GFR"]
    assert failing["C_peptide_fasting"] > 1.1 * healthy["C_peptide_fasting"]
    assert failing["insulin"] > healthy["insulin"]
    assert failing["rRBC"] < healthy["rRBC"]
