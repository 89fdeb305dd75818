"""A graft lets people aim at near-normal glucose: it lowers HbA1c and not only the dose, and insulin comes back when it fails."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from betapod.engine.schedule import Dose, Schedule
from betapod.model.algebra.evaluate import compile_function
from betapod.person import typical as people
from betapod.person.metabolic_state import follow, model_of
from betapod.physiology import whole_body


def aims(mass: float, target: float) -> dict[str, float]:
    """What titration aims at with a graft of `mass` normal beta-cell masses and a target of one's own."""
    model = whole_body.named_model("metabolism").with_values({"graft_equivalents": mass, "insulin_target": target})
    return model.evaluate(["titration_target", "titration_step_width", "insulin_kept", "graft_protection"])


@pytest.mark.parametrize("target", [6.5, 8.0, 9.8, 14.0])
def test_without_a_graft_the_target_is_bitwise_the_own(target: float) -> None:
    found = aims(0.0, target)
    assert found == {
        "titration_target": target,
        "titration_step_width": 1.0,
        "insulin_kept": 0.0,
        "graft_protection": 0.0,
    }


@pytest.mark.parametrize(
    ("mass", "target", "printed"),
    [
        (0.054, 9.8, 8.78163),
        (0.137, 9.8, 8.03715),
        (0.417, 9.8, 7.79686),
        (0.417, 14.0, 7.86612),
        # Nobody aims higher because of a graft.
        (0.417, 6.5, 6.5000),
    ],
)
def test_target_with_a_graft(mass: float, target: float, printed: float) -> None:
    assert aims(mass, target)["titration_target"] == pytest.approx(printed, abs=6e-5)


def grafted(mass: float, years: int, loss: float = 1e-4) -> pd.DataFrame:
    person = people.person("t1d")
    changed = replace(person, values={**person.values, "graft_loss": loss})
    return follow(changed, np.arange(years + 1) * 365.0, Schedule(doses=[Dose("graft_infused", mass)])).table


def test_a_graft_lowers_HbA1c_although_the_own_target_is_high() -> None:
    """With the own target of 9.8 mmol/L HbA1c stood above 7 % wherever the graft alone could not bring it below."""
    HbA1c = [grafted(mass, 1)["HbA1c"].iloc[-1] for mass in (0.0, 0.1, 0.2, 0.45)]
    assert HbA1c[0] == pytest.approx(7.78, abs=0.01)
    assert HbA1c[1] < 7.0
    assert HbA1c == sorted(HbA1c, reverse=True)


def test_insulin_comes_back_when_the_graft_fails() -> None:
    """Weaned for years, then a graft that is lost: HbA1c returns to the own target and does not overshoot it by more than 0.5 %."""
    table = grafted(1.2, 15, loss=1e-3)
    assert table["insulin_dose"].min() < 2.0
    assert table["insulin_dose"].iloc[-1] == pytest.approx(table["insulin_dose"].iloc[0], rel=0.06)
    assert table["HbA1c"].iloc[-1] == pytest.approx(7.78, abs=0.06)
    assert table["HbA1c"].max() < 8.28


def test_a_dose_that_nobody_needs_fades_to_next_to_nothing_and_no_further() -> None:
    person = people.person("t1d")
    model = model_of(person)
    values = {"t": 0.0, **model.values(), **person.state, "graft_functional": 0.6}
    values |= {"ln_G_fasting": math.log(5.0), "ln_G_fed": math.log(6.0)}
    keys = list(values)
    rate = next(state.rate for state in model.states if state.name == "ln_insulin_dose")
    change = compile_function([rate], [keys])

    def at(dose: float) -> float:
        return float(change([{**values, "ln_insulin_dose": math.log(dose)}[key] for key in keys])[0])

    assert at(40.0) == pytest.approx(-0.03, rel=1e-3)
    assert at(2.0) == pytest.approx(-0.03, rel=1e-2)
    assert at(0.3) > 0.0


def test_immunosuppression_takes_filtration_only_where_it_is_set_and_while_it_is_taken() -> None:
    model = whole_body.named_model("reference")

    def filtration(**values: float) -> float:
        return model.with_values(values).evaluate(["GFR_measured"])["GFR_measured"]

    free = filtration()
    assert filtration(adherence_IS=1.0) == free
    assert filtration(IS_filtration_loss=0.2) == free
    assert filtration(adherence_IS=1.0, IS_filtration_loss=0.2) == pytest.approx(0.8 * free, rel=1e-12)
    # Who has a kidney transplant takes the same drugs already.
    assert filtration(adherence_IS=1.0, IS_filtration_loss=0.2, kidney_recipient=1.0) == free
