"""The typical people: their printed table, the histories behind their states, their days with meals."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from betapod.base.errors import ConfigError
from betapod.person import typical as people
from betapod.person.glucose_tests import clamp, meal_day, mmtt, ogtt
from betapod.person.metabolic_state import grown, model_of
from betapod.physiology import whole_body

#: What is printed of each, with its decimals; the last four not of people without insulin of their own.
COLUMNS = {
    "HbA1c": 2, "FPG": 2, "fasting insulin": 0, "fasting C-peptide": 2, "2-h glucose": 1,
    "glucose 0 min": 1, "glucose 30 min": 1, "glucose 60 min": 1, "glucose 90 min": 1, "glucose 120 min": 1, "glucose 180 min": 1,
    "insulin 0 min": 0, "insulin 30 min": 0, "insulin 60 min": 0, "insulin 120 min": 0,
    "C-peptide 0 min": 2, "C-peptide 60 min": 2, "C-peptide 120 min": 2,
    "M": 1, "EGP": 2, "HOMA-IR": 1, "HOMA-B": 0, "Matsuda": 1, "insulinogenic index": 0,
}  # fmt: skip
PEOPLE = ("ngt", "obese", "prediabetes", "t2d_early", "t2d", "t2d_late", "t1d")
# The table does not print the exact HbA1c at which the three states of T2D were taken (8.095 prints as 8.10): one half per cent more.
PICKED = {"t2d_early", "t2d", "t2d_late"}


def columns(name: str) -> list[float]:
    """Return what the table prints, in its order."""
    person = people.person(name)
    state = model_of(person).evaluate(
        ["HbA1c", "FPG", "insulin_morning", "C_peptide_fasting", "EGP_fasting", "clamp_M"],
        person.state,
    )
    test = ogtt(person)
    table, index = test.table, test.indices
    shown = [state["HbA1c"], state["FPG"], state["insulin_morning"], state["C_peptide_fasting"], index["glucose_2h"]]
    shown += [table["G"].loc[t] for t in (0, 30, 60, 90, 120, 180)]
    shown += [table["insulin"].loc[t] for t in (0, 30, 60, 120)]
    shown += [table["C_peptide"].loc[t] for t in (0, 60, 120)]
    shown += [state["clamp_M"], state["EGP_fasting"] * 0.18, index["HOMA_IR"], index["HOMA_B"], index["Matsuda"]]
    return [*shown, index["insulinogenic_index"]]


@pytest.mark.parametrize("name", PEOPLE)
def test_table_of_typical_people(name: str, printed: Callable[..., None]) -> None:
    # HOMA, Matsuda and insulinogenic index are those of the OGTT's own fasting sample.
    shown = columns(name)
    for (column, digits), number in list(zip(COLUMNS.items(), shown, strict=True))[: -4 if name == "t1d" else None]:
        allowed = 0.505 * 10.0**-digits + (0.005 * number if name in PICKED else 0.0)
        printed(f"{name} {column}", number, abs=allowed)


@pytest.mark.parametrize(
    ("name", "printed", "excess"),
    [
        ("ngt", 5.27, 0.06),
        ("obese", 5.80, 0.03),
        ("prediabetes", 6.65, -0.02),
        ("t2d_early", 8.91, -0.16),
        ("t2d", 10.44, -0.08),
        ("t2d_late", 11.85, -0.06),
        ("t1d", 9.76, 0.04),
    ],
)
def test_two_phases_stand_for_a_day_with_meals(name: str, printed: float, excess: float) -> None:
    # The printed days do not say when meals were taken; ours are at 0, 5 and 10 hours, hence 0.03 mmol/L.
    person = people.person(name)
    day = meal_day(person).indices["mean_glucose"]
    assert day == pytest.approx(printed, abs=0.03)
    two_phases = model_of(person).evaluate(["G"], person.state)["G"]
    # Two phases are least exact where a meal is absorbed fast and secretion is slow to answer: 0.16 mmol/L in early T2D.
    assert two_phases - day == pytest.approx(excess, abs=0.02)


def test_T2D_reaches_7_1_per_cent_after_10_7_years() -> None:
    person = people.person("t2d_early")
    from betapod.engine.scipy.reference import simulate_by_reference as simulate

    days = [0.0, 10.65 * 365.25, 10.8 * 365.25]
    early, late = simulate(model_of(person), days, outputs=["HbA1c"]).table["HbA1c"].iloc[1:]
    assert early < 7.1 < late


@pytest.mark.parametrize("name", ["ngt", "t2d_early", "t1d_new", "t1d"])
def test_stored_state_is_the_end_of_the_history(name: str) -> None:
    person = people.person(name)
    for state, value in grown(person).state.items():
        assert value == pytest.approx(person.state[state], rel=2e-5, abs=1e-9), state


@pytest.mark.parametrize("name", people.typical_names())
def test_every_person_is_complete(name: str) -> None:
    model = whole_body.named_model("metabolism")
    values, state = people.person(name)
    assert set(state) == set(model.state_names)
    changed = model.with_values(values)
    assert not changed.parameters.implausible() + changed.inputs.implausible()


def test_clamp_in_minutes_agrees_with_the_endless_clamp() -> None:
    for name in ("ngt", "t2d", "t1d"):
        person = people.person(name)
        endless = model_of(person).evaluate(["clamp_M"], person.state)["clamp_M"]
        assert clamp(person).indices["M"] == pytest.approx(endless, rel=1e-3)


def test_mixed_meal_stimulates_less_than_glucose() -> None:
    person = people.person("ngt")
    meal, glucose = mmtt(person).indices, ogtt(person).indices
    assert meal["stimulated_C_peptide"] < glucose["stimulated_C_peptide"]


def test_unknown_person_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean 't2d_late'"):
        people.person("t2d_lat")


def test_impossible_tests_are_refused_together() -> None:
    with pytest.raises(ConfigError) as caught:
        ogtt(people.person("ngt"), dose=-75, minutes=0, bolus=-1)
    assert len(caught.value.problems) == 3
