"""Therapies that begin or end during a study, classes of KDIGO in events, and why an event is not counted."""

from __future__ import annotations

import math

import numpy as np
import pytest

from betapod.evidence.records import registry
from betapod.evidence.records.study import Record
from betapod.validation.predictions import event_chances, study_events
from betapod.validation.predictions.arm_orders import timed
from betapod.validation.predictions.studies import StudyArm
from betapod.validation.predictions.study_courses import Condition, Courses, simulate_arms
from betapod.validation.predictions.study_readouts import readout_of


def test_a_therapy_begins_and_ends_with_its_weeks() -> None:
    stopped, late, plain = (
        timed(text) for text in ("ARB until week 104", "sodium intake 85 mmol/day from week 2", "SGLT2 inhibitor")
    )
    assert (stopped.name, stopped.start, stopped.stop) == ("ARB", 0.0, 728.0)
    assert (late.name, late.dose, late.start, late.stop) == ("sodium intake", 85.0, 14.0, math.inf)
    assert (plain.name, plain.start, plain.stop) == ("SGLT2 inhibitor", 0.0, math.inf)


def test_filtration_rises_when_a_drug_that_lowers_it_is_stopped() -> None:
    arms = [
        StudyArm("x", name, "EMPA-REG", care=(care,))
        for name, care in (("on", "SGLT2 inhibitor"), ("off", "SGLT2 inhibitor until week 8"))
    ]
    on, off = simulate_arms(arms, [0.0, 8.0, 12.0], Condition("none"), 4, 1, 1)
    # Up to the tolerance of the integrator, whose steps end at the switch.
    np.testing.assert_allclose(on.values["eGFR"][:, :2], off.values["eGFR"][:, :2], rtol=1e-5)
    assert np.all(off.values["eGFR"][:, 2] > on.values["eGFR"][:, 2] + 0.2)


@pytest.mark.parametrize(
    ("event", "name", "values", "holds"),
    [
        ("UACR class better", "UACR", (400.0, 299.0), True),
        ("UACR class better", "UACR", (400.0, 301.0), False),
        ("UACR class worse", "UACR", (20.0, 31.0), True),
        ("eGFR class worse", "eGFR", (61.0, 59.0), True),
        ("eGFR class worse", "eGFR", (59.0, 61.0), False),
        ("eGFR class better", "eGFR", (59.0, 61.0), True),
    ],
)
@pytest.mark.usefixtures("precise")
def test_classes_of_kdigo(event: str, name: str, values: tuple[float, float], holds: bool) -> None:
    weeks = np.array([0.0, 52.0])
    group = Courses(weeks, {name: np.array([values])}, np.array([0]), np.array([np.inf]))
    assert event_chances.chance_on_visit(group, event, 52.0, [1]) == pytest.approx([float(holds)])


def test_what_cannot_be_counted_says_why() -> None:
    published = registry.load_registry()

    def why(record: str) -> str:
        found: Record = published[record]
        return study_events.no_event(found)

    assert "what the composite is made of" in why("IDNT2001#1")
    assert why("FLOW#2") == ""
    assert "heart failure" in why("EMPEROR_DM_kidney#1")


def test_the_slope_after_stopping_is_laid_through_the_last_weeks() -> None:
    readout = readout_of(registry.load_registry()["EMPAREG_slope2018#5"])
    assert readout is not None
    assert (readout.quantity, readout.weeks(160.0)) == ("eGFR", [156.0, 160.0])


def test_what_was_measured_is_not_estimated() -> None:
    readout = readout_of(registry.load_registry()["ATIRMA2014#3"])
    assert readout is not None
    assert (readout.quantity, readout.form) == ("mGFR", "change")
