"""The typical people: their printed table, the histories behind their states, their days with meals."""

from __future__ import annotations

import pytest

from betapod.base.errors import ConfigError
from betapod.person import typical as people
from betapod.person.glucose_tests import clamp, meal_day, mmtt, ogtt
from betapod.person.metabolic_state import grown, model_of
from betapod.physiology import whole_body

# HbA1c, FPG, fasting insulin, fasting C-peptide, 2-h glucose; OGTT glucose 0-180 and insulin and C-peptide; M, EGP, HOMA, Matsuda, IGI.
PRINTED = {
    "ngt": "4.97 4.95 49 .50 5.8 | 4.9 7.3 7.6 6.5 5.8 4.8 | 49 289 323 147 | .51 2.58 1.91 | 8.3 2.13 1.5 101 6.8 99",
    "obese": "5.29 5.51 89 .84 6.3 | 5.5 7.5 8.1 7.2 6.3 5.3 | 90 342 434 240 | .85 3.14 2.63 | 6.1 2.23 3.1 131 3.9 125",
    "prediabetes": "5.79 6.18 94 .88 7.8 | 6.2 8.4 9.5 8.9 7.8 6.0 | 94 287 402 278 | .89 2.87 2.79 | 5.5 2.34 3.7 102 3.3 84",
    "t2d_early": "7.10 7.88 88 .83 12.0 | 7.9 10.5 12.5 12.7 12.0 9.1 | 88 173 245 242 | .83 1.81 2.16 | 5.1 2.57 4.4 58 3.1 32",
    "t2d": "8.10 9.09 75 .71 14.7 | 9.1 11.8 14.2 15.0 14.7 12.0 | 75 126 166 174 | .71 1.28 1.54 | 5.1 2.70 4.4 39 3.4 18",
    "t2d_late": "9.00 10.15 63 .60 16.8 | 10.2 12.9 15.6 16.7 16.8 14.4 | 63 97 121 128 | .60 .96 1.13 | 5.2 2.82 4.1 27 3.9 12",
    "t1d": "7.78 9.96 38 .01 21 | 10.0 13.8 17.9 20.3 21.2 18.9 | 38 38 38 38 | .01 .01 .01 | 7.6 2.93",
}
# The table does not print the exact HbA1c at which the three states of T2D were taken (8.095 prints as 8.10): one half per cent more.
PICKED = {"t2d_early", "t2d", "t2d_late"}


def columns(name: str) -> list[float]:
    """Return what the table prints, in its order."""
    person = people.person(name)
    state = model_of(person).evaluate(
        ["HbA1c", "FPG", "insulin_fasting", "C_peptide_fasting", "EGP_fasting", "clamp_M"],
        person.state,
    )
    test = ogtt(person)
    table, index = test.table, test.indices
    shown = [state["HbA1c"], state["FPG"], state["insulin_fasting"], state["C_peptide_fasting"], index["glucose_2h"]]
    shown += [table["G"].loc[t] for t in (0, 30, 60, 90, 120, 180)]
    shown += [table["insulin"].loc[t] for t in (0, 30, 60, 120)]
    shown += [table["C_peptide"].loc[t] for t in (0, 60, 120)]
    shown += [state["clamp_M"], state["EGP_fasting"] * 0.18, index["HOMA_IR"], index["HOMA_B"], index["Matsuda"]]
    return [*shown, index["insulinogenic_index"]]


@pytest.mark.parametrize("name", PRINTED)
def test_table_of_typical_people(name: str) -> None:
    # HOMA, Matsuda and insulinogenic index are those of the OGTT's own fasting sample.
    texts = PRINTED[name].replace("|", " ").split()
    for text, found in zip(texts, columns(name), strict=False):
        digits = len(text.partition(".")[2])
        number = float(text)
        allowed = 0.505 * 10.0**-digits + (0.005 * number if name in PICKED else 0.0)
        assert found == pytest.approx(number, abs=allowed), text


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("ngt", 5.22),
        ("obese", 5.76),
        ("prediabetes", 6.61),
        ("t2d_early", 8.81),
        ("t2d", 10.42),
        ("t2d_late", 11.86),
        ("t1d", 9.69),
    ],
)
def test_two_phases_stand_for_a_day_with_meals(name: str, printed: float) -> None:
    # The printed days do not say when meals were taken; ours are at 0, 5 and 10 hours, hence 0.03 mmol/L.
    person = people.person(name)
    day = meal_day(person).indices["mean_glucose"]
    assert day == pytest.approx(printed, abs=0.03)
    two_phases = model_of(person).evaluate(["G"], person.state)["G"]
    assert two_phases == pytest.approx(day, abs=0.12)


def test_T2D_reaches_7_1_per_cent_after_10_7_years() -> None:
    person = people.person("t2d_early")
    from betapod.engine.scipy.reference import simulate

    days = [0.0, 10.65 * 365.25, 10.75 * 365.25]
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
