"""Somebody whose mean glucose is held: metabolism follows and rests, doses stay, and years cost few steps."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from betapod.engine.ensemble import Ensemble
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.person import coupled_person
from betapod.physiology import whole_body
from betapod.validation import predictions

YEAR = 365.25


def held_levels() -> list[float]:
    """Every glucose at which an arm of a published study is held."""
    folder = Path(next(iter(predictions.__path__))) / "arms"
    levels = set()
    for name in ("cells", "glycaemia_diet"):
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                levels |= {float(found) for field in row for found in re.findall(r"glucose_held=([\d.]+)", field)}
    return sorted(levels)


@pytest.fixture(scope="module")
def held():
    """People of three kinds held for ten years at every level that a study asks for, as their trials are run."""
    model = whole_body.named_model("reference")
    outputs = ("ln_G_fasting", "ln_G_fed", "ln_insulin_dose", "G", "HbA1c", "MAP")
    found = []
    for name in ("t2d", "t2d_late", "t1d"):
        who = coupled_person.typical_patient(name)
        levels = np.array(held_levels())
        values = {key: np.full(len(levels), value) for key, value in who.model.values().items()}
        values |= {
            "hold_glucose": np.ones(len(levels)),
            "glucose_held": levels,
            "insulin_titration": np.ones(len(levels)),
        }
        values = {key: column for key, column in values.items() if key in model.parameters or key in model.inputs}
        start = {key: np.full(len(levels), value) for key, value in who.state.items()}
        times = [7.0, YEAR, 10 * YEAR]
        run = Ensemble(model, outputs, rtol=1e-4, atol=1e-7)
        free = run.run(values | {"hold_glucose": np.zeros(len(levels))}, times, initial=start)
        found.append((name, who, levels, run.run(values, times, initial=start), free))
    return outputs, found


def test_there_are_such_arms() -> None:
    assert len(held_levels()) >= 10


def test_nobody_who_is_held_fails(held) -> None:
    _, people = held
    for name, _, levels, result, _ in people:
        assert set(result.status) == {0}, (name, levels[result.status != 0])
        assert np.all(np.isfinite(result.values)), name


def test_glucose_of_both_phases_is_the_held_one_and_doses_stay(held) -> None:
    outputs, people = held
    place = {output: i for i, output in enumerate(outputs)}
    for name, who, levels, result, _ in people:
        for phase in ("ln_G_fasting", "ln_G_fed"):
            np.testing.assert_allclose(
                np.exp(result.values[:, :, place[phase]]), levels[:, None] * np.ones(3), rtol=1e-4
            )
        np.testing.assert_allclose(
            result.values[:, :, place["ln_insulin_dose"]], who.state["ln_insulin_dose"], atol=1e-9
        )
        settled = 1.627 + 0.6277 * levels * who.model.values()["rRBC_person"]
        assert np.all(np.abs(result.values[:, 1, place["HbA1c"]] - settled) < 0.35), name


def test_holding_costs_the_steps_of_its_beginning_and_no_more(held) -> None:
    """Ten years of a free life take 12 steps (in balance) to some dozens; a jump of glucose needs about twenty to settle."""
    _, people = held
    for name, _, _, result, free in people:
        assert result.steps.max() <= free.steps.max() + 40, (name, result.steps.max(), free.steps.max())


def test_without_holding_the_equations_are_untouched_by_the_held_value() -> None:
    model = whole_body.named_model("metabolism")
    one, other = (simulate(model.with_values({"glucose_held": x}), [100.0]).table for x in (5.2, 17.0))
    np.testing.assert_allclose(one.drop(columns="glucose_held"), other.drop(columns="glucose_held"), rtol=1e-12)
