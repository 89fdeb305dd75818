"""Laws of cell therapy: conservation, bounds, monotony, and that nothing comes of nothing."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from betapod.engine.draw import draw_parameters
from betapod.engine.ensemble import Ensemble
from betapod.engine.schedule import Dose, Schedule
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.model import Model
from betapod.model.algebra.evaluate import compile_function
from betapod.physiology import whole_body
from betapod.physiology.cells.routes import ORGANS
from betapod.therapies import cell_parameters
from betapod.therapies.cell_dosing import dose

# Every example is a simulation: a failing one is shown as found, not shrunk.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)

ROUTES = ("iv", "artery", "portal", "renal", "pancreatic", "splenic", "intrarenal")
FRACTIONS = tuple(f"{route}_{organ}" for route in ROUTES for organ in ORGANS)
POOLS = (
    "N_L",
    "N_H",
    "N_S",
    "N_K",
    "N_P",
    "N_E",
    "G_K",
    "G_P",
    "Z_end",
    "Z_pod",
    "Z_mes",
    "Z_tub",
    "Z_beta",
    "Z_ins",
    "Z_mal",
)
PROGRAMMES = ("E_A", "E_TK", "E_TP", "E_M", "E_M30", "R_allo")


@functools.cache
def model(name: str) -> Model:
    return cell_parameters.parameterise(whole_body.named_model("cells"), name)


@functools.cache
def first_pass() -> tuple[object, list[str]]:
    base = model("current-evidence")
    names = list(base.values())
    return compile_function([base.expression(name) for name in FRACTIONS], [names]), names


unit = st.floats(0.0, 1.0)
scenario = st.sampled_from(list(cell_parameters.SCENARIOS))
organ_doses = st.lists(
    st.tuples(st.sampled_from("LHSKPE"), st.floats(0.0, 500.0), st.integers(0, 60).map(float)), min_size=1, max_size=4
)
hosts = st.fixed_dictionaries(
    {"HLA_mm": unit, "damage_K": unit, "damage_P": unit, "host_inflammation": st.floats(0, 3), "T1D": st.sampled_from([0.0, 1.0])}
    | {"native_pod": st.floats(0, 1.5), "native_beta": st.floats(0, 1.5), "early_stage": unit, "hyp_0": unit}
    | {"sw_deficit_gate": st.sampled_from([0.0, 1.0]), "BW": st.floats(40, 160), "pi_M": st.floats(0, 5), "renal_injury": st.floats(0, 3)}
)  # fmt: skip


@settings(max_examples=200, deadline=None, phases=PHASES)
@given(
    eps=st.fixed_dictionaries({f"eps_{o}": st.floats(0.01, 0.99) for o in "LHSKPEG"}),
    homing=st.tuples(st.floats(1, 10), st.floats(1, 10), unit, unit),
    flow=st.floats(0.1, 2.0),
)
def test_every_route_allocates_every_cell_once(
    eps: dict[str, float], homing: tuple[float, float, float, float], flow: float
) -> None:
    compute, names = first_pass()
    changes = eps | dict(zip(("h_max_K", "h_max_P", "damage_K", "damage_P"), homing, strict=True)) | {"RBF_rel": flow}
    values = {**model("current-evidence").values(), **changes}
    shares = np.reshape(compute([values[name] for name in names]), (len(ROUTES), len(ORGANS)))  # type: ignore[operator]
    assert shares.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    assert (shares >= 0).all()


@settings(max_examples=25, deadline=None, phases=PHASES)
@given(scenario, organ_doses, hosts)
def test_cells_are_conserved_and_nothing_turns_negative(
    name: str, doses: list[tuple[str, float, float]], host: dict[str, float]
) -> None:
    schedule = Schedule([Dose(f"N_{organ}", amount, time) for organ, amount, time in doses])
    outputs = [*POOLS, *PROGRAMMES, "N_given", "N_dead"]
    times = [1.0, 30.0, 61.0, 200.0, 730.0]
    table = simulate(model(name).with_values(host), times, schedule, rtol=1e-7, atol=1e-10, outputs=outputs).table
    total = sum(amount for _, amount, _ in doses)
    assert table["N_given"].iloc[2:].to_numpy() == pytest.approx(total, rel=1e-9, abs=1e-9)
    # Rounding and the absolute tolerance of the integrator, nothing else.
    assert table[list(POOLS)].to_numpy().min() > -1e-7
    assert table[list(PROGRAMMES)].to_numpy().min() > -1e-7
    assert table[list(PROGRAMMES)].to_numpy().max() < 1 + 1e-7


@settings(max_examples=10, deadline=None, phases=PHASES)
@given(scenario, hosts)
def test_a_dose_of_nothing_is_no_therapy_to_the_bit(name: str, host: dict[str, float]) -> None:
    times = [0.5, 28.0, 365.0]
    without = simulate(model(name).with_values(host), times).table
    with_nothing = simulate(model(name).with_values(host), times, Schedule([Dose(f"N_{o}", 0.0) for o in ORGANS])).table
    assert without.equals(with_nothing)


@settings(max_examples=10, deadline=None, phases=PHASES)
@given(
    st.sampled_from(("current-evidence", "face-value", "seed-claims")),
    st.sampled_from(list("LHSKPE")),
    st.floats(0.1, 100),
    st.floats(1.1, 5),
)
def test_more_cells_do_more(name: str, organ: str, amount: float, factor: float) -> None:
    outputs = ["N_total", "G_K", "Z_total", "E_A", "E_TK", "E_TP", "E_M", "SI_m", "eta_X", "r_R"]
    low, high = (
        simulate(
            model(name),
            [1.0, 10.0, 90.0],
            Schedule([Dose(f"N_{organ}", amount * k)]),
            rtol=1e-9,
            atol=1e-14,
            outputs=outputs,
        ).table
        for k in (1.0, factor)
    )
    assert (high.to_numpy() >= low.to_numpy() * (1 - 1e-6) - 1e-12).all()
    assert (high["E_M"] > low["E_M"]).all()


@settings(max_examples=6, deadline=None, phases=PHASES)
@given(st.sampled_from(list("LHSKPE")), st.floats(1, 200), hosts)
def test_none_does_no_good_whatever_is_given(organ: str, amount: float, host: dict[str, float]) -> None:
    ones = ["auto_m", "apo_m", "rep_m", "fn_m", "kre_m", "tox_m", "SI_m", "nR_m", "aR_m", "tau4_m", "end_m", "pod_m", "tub_m", "fib_m", "inf_m", "gfr_m", "slope_m", "sHd"]  # fmt: skip
    zeros = ["eta_X", "j", "r_E", "r_F", "r_R", "r_P", "dJ", "kneo", "Esrc", "fib_add", "dHbA1c_reduced", "Z_total"]
    schedule = Schedule([Dose(f"N_{organ}", amount, 0.0, 28.0, 2)])
    table = simulate(
        # Into the kidney itself cells do harm: some turn into scar.
        model("none").with_values(host | {"sw_indirect": 1.0, "renal_delivery": 0.0}),
        [1.0, 100.0, 365.0],
        schedule,
        outputs=ones + zeros,
    ).table
    assert (table[ones] == 1.0).all().all()
    assert (table[zeros] == 0.0).all().all()


def test_small_repeated_doses_superpose() -> None:
    outputs = ["E_A", "E_TK", "E_TP", "E_M", "G_K"]
    amount = 1e-4
    times = [63.0, 200.0]
    options = {"rtol": 1e-10, "atol": 1e-18, "outputs": outputs}
    base = model("current-evidence")
    thrice = simulate(base, times, Schedule([Dose("N_K", amount, 0, 28, 2)]), **options).table  # type: ignore[arg-type]
    singles = [
        simulate(base, times, Schedule([Dose("N_K", amount, day)]), **options).table for day in (0.0, 28.0, 56.0)
    ]  # type: ignore[arg-type]
    assert thrice.to_numpy() == pytest.approx(sum(t.to_numpy() for t in singles), rel=1e-4)


@pytest.mark.parametrize("name", ["current-evidence", "seed-claims"])
def test_drawn_patients_run_and_agree_with_the_reference_integrator(name: str) -> None:
    patients, years = 300, [0.0, 1.0, 28.0, 84.0, 365.0, 3650.0]
    schedule = dose("UC-MSC 1e6/kg iv x3 q28d", weight=80, model=model(name), scenario=name)
    outputs = [*POOLS, *PROGRAMMES, "rho_rel", "SI_m", "pod_m"]
    drawn = draw_parameters(model(name).parameters, 1, range(patients))
    result = Ensemble(model(name), outputs=outputs, rtol=1e-6, atol=1e-9).run(drawn, years, schedule)
    assert len(result.failures) == 0
    values = np.asarray(result.values)
    assert values.min() > -1e-7
    for k in range(2):
        person = model(name).with_values({key: float(column[k]) for key, column in drawn.items()})
        table = simulate(person, years, schedule, rtol=1e-9, atol=1e-12, outputs=outputs).table
        np.testing.assert_allclose(values[k], table.to_numpy(), rtol=1e-4, atol=1e-5)
