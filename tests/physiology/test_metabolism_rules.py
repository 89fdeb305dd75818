"""Rules of metabolism: the band of titration, metformin, autoimmune killing by age, own weight change, drugs that spare beta cells."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from betapod.model.algebra.evaluate import compile_function
from betapod.person import typical as people
from betapod.person.glucose_tests import mmtt
from betapod.person.metabolic_state import follow, model_of, snapshot
from betapod.physiology import whole_body


def rate_of_dose(G: float, target: float, wean_below: float) -> float:
    """Change of the logarithm of the dose per day where both phases of the day stand at `G`."""
    person = people.person("t1d")
    model = model_of(person)
    values = {"t": 0.0, **model.values(), **person.state}
    values |= {"ln_G_fasting": math.log(G), "ln_G_fed": math.log(G), "titration_rate": 0.03}
    values |= {"insulin_target": target, "insulin_wean_below": wean_below}
    keys = list(values)
    rate = next(state.rate for state in model.states if state.name == "ln_insulin_dose")
    return float(compile_function([rate], [keys])([values[key] for key in keys])[0])


@pytest.mark.parametrize(
    ("G", "target", "wean_below", "printed"),
    [
        (9.8, 9.8, 40.0, 0.0),
        (10.8, 9.8, 40.0, 0.022848),
        (8.8, 9.8, 40.0, -0.022848),
        (8.8, 9.8, 7.8, 0.0),
        (7.8, 9.8, 7.8, -0.002076),
        (6.8, 9.8, 7.8, -0.022848),
        (11.0, 9.8, 7.8, 0.025010),
    ],
)
def test_band_of_titration(G: float, target: float, wean_below: float, printed: float) -> None:
    assert rate_of_dose(G, target, wean_below) == pytest.approx(printed, abs=6e-7)


@pytest.mark.parametrize("G", [5.0, 8.3, 9.79, 9.81, 14.0])
def test_without_a_band_doses_follow_the_target_alone(G: float) -> None:
    assert rate_of_dose(G, 9.8, 40.0) == pytest.approx(0.03 * math.tanh(G - 9.8), rel=1e-9)


@pytest.mark.parametrize(
    ("HbA1c", "effect", "drive"),
    [
        (5.5, 0.16121, 1.06828),
        (6.0, 0.18499, 1.03800),
        (6.5, 0.21750, 0.99659),
        (7.1, 0.25562, 0.94804),
        (8.1, 0.28928, 0.90517),
        (9.0, 0.29748, 0.89473),
        (10.0, 0.29952, 0.89213),
    ],
)
def test_metformin_acts_at_any_glucose_and_more_where_it_is_high(HbA1c: float, effect: float, drive: float) -> None:
    person = people.person("t2d")
    model = model_of(person, changes={"met": 0.30, "xE": 1.28, "GFR": 95.0})
    found = model.evaluate(["metformin_effect", "EGP_drive"], {**person.state, "HbA1c": HbA1c})
    assert list(found.values()) == pytest.approx([effect, drive], abs=6e-6)


@pytest.mark.parametrize(
    ("age", "begun"), [(50.0, 0.0), (59.75, 1 / (1 + math.e)), (60.0, 0.5), (62.5, 0.9999546), (70.0, 1.0)]
)
def test_decline_begins_at_its_age(age: float, begun: float) -> None:
    person = people.person("t2d")
    values = {"age": age, "decline_age": 60.0, "apo_m": 0.0}
    found = model_of(person, changes=values).evaluate(["decline_begun", "beta_apoptosis_rate"], person.state)
    assert found["decline_begun"] == pytest.approx(begun, abs=1e-7)
    assert found["beta_apoptosis_rate"] == pytest.approx(found["decline_begun"] * 1e-4, rel=1e-12)


def test_decline_begins_while_time_goes_by() -> None:
    """Twenty years from 50 on, with a loss that begins at 60: half of what is lost if it goes on from the start."""
    person = people.person("t2d")
    still = {"age": 50.0, "glucotoxic_apoptosis": 0.0, "dedifferentiation": 0.0, "glucotoxic_dedifferentiation": 0.0}
    still |= {"redifferentiation": 0.0, "beta_decline": 2e-5}

    def lost(decline_age: float) -> float:
        who = replace(person, values={**person.values, **still, "decline_age": decline_age})
        mass = follow(who, [0.0, 7305.0]).table["beta_mass"].to_numpy()
        return math.log(mass[0] / mass[-1])

    assert lost(0.0) == pytest.approx(2e-5 * 7305, rel=1e-4)
    assert lost(60.0) == pytest.approx(1e-5 * 7305, rel=1e-3)
    assert lost(90.0) == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize(("onset", "held"), [(2, 8), (8, 8), (15, 15), (25, 25), (45, 45), (70, 45)])
def test_killing_by_age_at_onset(onset: float, held: float) -> None:
    model = whole_body.named_model("metabolism").with_values({"onset_age": onset, "killing_factor": 2.0})
    found = model.evaluate(["autoimmune_killing_person", "onset_age_held"])
    # Edges are smoothed over half a year; away from them the law is exact.
    assert found["onset_age_held"] == pytest.approx(held, abs=0.35 if onset in (8, 45) else 1e-5)
    expected = 2.0 * 0.0031 * math.exp(-0.055 * (found["onset_age_held"] - 15.0))
    assert found["autoimmune_killing_person"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("onset", "eta", "printed"),
    [(15, 0.25, (1.24, 1.48)), (15, 0.40, (1.41, 1.86)), (15, 0.50, (1.53, 2.16)), (25, 0.50, (1.27, 1.53))],
)
def test_C_peptide_kept_by_drugs_in_new_T1D(onset: float, eta: float, printed: tuple[float, float]) -> None:
    """Ratios to control at 12 and 24 months; low-dose ATG had 1.55 and 2.03, teplizumab 1.48 and 1.63 (abstract of a meta-analysis)."""
    person = people.person("t1d_new")
    days = [0.0, 365.25, 730.5]
    values = {**person.values, "onset_age": onset, "beta_mass_start": 0.26}
    state = {**person.state, "beta_mass": 0.26}
    found = []
    for prevented in (eta, 0.0):
        who = replace(person, values={**values, "eta_drug": prevented}, state=state)
        rows = follow(who, days).table.iloc[1:]
        found.append([mmtt(snapshot(who, row)).indices["stimulated_C_peptide"] for _, row in rows.iterrows()])
    assert [a / b for a, b in zip(*found, strict=True)] == pytest.approx(printed, abs=0.03)


def test_drugs_and_cells_prevent_killing_independently() -> None:
    person = people.person("t1d_new")
    rates = [
        model_of(person, changes=changes).evaluate(["autoimmune_rate"], person.state)["autoimmune_rate"]
        for changes in ({}, {"eta_X": 0.3}, {"eta_drug": 0.5}, {"eta_X": 0.3, "eta_drug": 0.5})
    ]
    assert [rate / rates[0] for rate in rates] == pytest.approx([1.0, 0.7, 0.5, 0.35], rel=1e-12)


def test_own_weight_change_and_response_to_a_drug() -> None:
    """Years later weight stands where the person's own change and the person's share of the drug's shift lead."""
    person = people.person("t2d")
    values = {**person.values, "dWt": -5.0, "dWt_response": 1.4, "dWt_own": 3.0}
    table = follow(replace(person, values=values), [0.0, 365.0, 4000.0]).table["BW"]
    assert table.iloc[2] - person.state["BW"] == pytest.approx(-7.0 + 3.0 * (1 - math.exp(-4000 / 365)), abs=0.01)
    assert -6.5 < table.iloc[1] - person.state["BW"] < -4.5


def test_intake_scales_what_is_eaten() -> None:
    model = whole_body.named_model("metabolism")
    half, usual = (model.with_values({"intake_m": x}).evaluate(["Ra_fed"])["Ra_fed"] for x in (0.5, 1.0))
    assert half == pytest.approx(usual / 2, rel=1e-12)
