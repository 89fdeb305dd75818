"""A second drug beside insulin shows in the dose where insulin is titrated, in HbA1c where the dose is fixed; the rule is said."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from betapod.person import typical
from betapod.person.metabolic_state import follow, model_of
from betapod.physiology import whole_body
from betapod.therapies.drug_switches import care
from betapod.therapies.insulin_rules import rule_of_insulin
from betapod.therapies.plan import Recipients, plan
from betapod.therapies.standard_care import therapy

MODEL = whole_body.named_model("reference")


@functools.cache
def on_insulin():
    """Somebody with late type 2 diabetes who has titrated insulin to 8 mmol/L for two years."""
    person = typical.person("t2d_late")
    person = replace(
        person,
        values={**person.values, "insulin_titration": 1.0, "insulin_target": 8.0},
        state={**person.state, "ln_insulin_dose": float(np.log(20.0))},
    )
    end = follow(person, [0.0, 730.0]).table.iloc[-1]
    return replace(person, state={name: float(end[name]) for name in person.state if name in end})


@functools.cache
def after_half_a_year(*texts: str) -> pd.Series:
    person = on_insulin()
    return follow(person, [0.0, 182.0], care(texts, model_of(person))).table.iloc[-1]


def test_beside_titrated_insulin_the_dose_falls_and_HbA1c_stays() -> None:
    alone, both = after_half_a_year(), after_half_a_year("semaglutide 1 mg")
    assert both["insulin_dose"] < 0.75 * alone["insulin_dose"]
    assert both["HbA1c"] - alone["HbA1c"] == pytest.approx(0.0, abs=0.15)


def test_beside_a_fixed_dose_HbA1c_falls_and_the_dose_stays() -> None:
    alone = after_half_a_year("fixed-dose insulin")
    both = after_half_a_year("semaglutide 1 mg", "fixed-dose insulin")
    assert both["insulin_dose"] == pytest.approx(alone["insulin_dose"], rel=1e-9)
    assert both["insulin_dose"] == pytest.approx(np.exp(on_insulin().state["ln_insulin_dose"]), rel=1e-6)
    assert both["HbA1c"] < alone["HbA1c"] - 0.7


def test_weaned_below_is_between_the_two() -> None:
    weaned = after_half_a_year("semaglutide 1 mg", "insulin weaned below 7 mmol/L")
    titrated, fixed = after_half_a_year("semaglutide 1 mg"), after_half_a_year("semaglutide 1 mg", "fixed-dose insulin")
    assert fixed["HbA1c"] < weaned["HbA1c"] < titrated["HbA1c"] - 0.3
    assert titrated["insulin_dose"] < weaned["insulin_dose"] < fixed["insulin_dose"]


@pytest.mark.parametrize(
    ("orders", "titrates", "says"),
    [
        ([], False, ""),
        (["semaglutide 1 mg"], False, ""),
        (["fixed-dose insulin"], False, ""),
        (["semaglutide 1 mg"], True, "titrated to a target"),
        (["titrated insulin 8 mmol/L"], False, "titrated to a target"),
        (["fixed-dose insulin"], True, "stays fixed"),
        (["insulin weaned below 7 mmol/L"], True, "below a mean glucose of 7 mmol/L"),
        (["titrated insulin 8 mmol/L", "insulin weaned below 7 mmol/L"], False, "below a mean glucose of 7 mmol/L"),
    ],
)
def test_the_rule_is_said(orders: list[str], titrates: bool, says: str) -> None:
    rule = rule_of_insulin([therapy(text) for text in orders], titrates)
    assert says in rule and bool(rule) == bool(says)


def test_a_plan_says_which_rule_acts_in_how_many() -> None:
    states = {name: np.full(3, value) for name, value in MODEL.initial_values().items()}
    people = Recipients({"insulin_titration": np.array([1.0, 0.0, 1.0])}, states, {}, np.full(3, 80.0))
    treatment = plan(MODEL, people, ["semaglutide 1 mg"])
    (line,) = treatment.insulin_lines
    assert "titrated to a target" in line and "2 of 3 people" in line and "fixed-dose insulin" in line
    assert line in treatment.understood
    fixed = plan(MODEL, people, ["semaglutide 1 mg", "fixed-dose insulin"])
    assert ["stays fixed" in line for line in fixed.insulin_lines] == [True]
    assert {s.input for s in fixed.schedules[0].switches} >= {"insulin_titration", "pincd"}
    assert "insulin_titration" not in {s.input for s in fixed.schedules[1].switches}
    assert plan(MODEL, people).insulin_lines == []


def test_one_person_is_told_too() -> None:
    user = MODEL.with_values({"insulin_titration": 1})
    assert any("titrated to a target" in line for line in plan(user, drugs=["semaglutide 1 mg"]).understood)
    assert not plan(MODEL, drugs=["semaglutide 1 mg"]).insulin_lines


def test_with_islets_the_rule_is_another() -> None:
    user = MODEL.with_values({"insulin_titration": 1, "T1D": 1})
    (line,) = plan(user, cells=["SC-islets 800e6 pv"]).insulin_lines
    assert "while a graft works it aims at an HbA1c of 6.5 %" in line and "HbA1c stays" not in line
    assert "HbA1c stays" in plan(user, cells=["UC-MSC 1e6/kg iv"]).insulin_lines[0]
    states = {name: np.full(2, value) for name, value in MODEL.initial_values().items()}
    people = Recipients({"insulin_titration": np.array([1.0, 1.0])}, states, {}, np.full(2, 80.0))
    assert "while a graft works" in plan(MODEL, people, cells=["SC-islets 800e6 pv"]).insulin_lines[0]
