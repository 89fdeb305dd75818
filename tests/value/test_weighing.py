"""Utilities of a comparison at drawn values: every number that a set reads moves what it should."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.base.constants import DAYS_PER_YEAR
from betapod.hazards.risk import RiskProfile
from betapod.hazards.risk_course import RiskCourse
from betapod.health.utilities import utility_parameters, utility_set, utility_sets
from betapod.value.value_settings import OwnLoss, ValueUtilities
from betapod.value.weighing import utilities_of

DAYS = np.arange(0, 21) * DAYS_PER_YEAR
STATES, EVENTS = ("stroke", "dialysis", "amputation"), ("severe_hypoglycaemia",)


def course() -> RiskCourse:
    age = 50.0 + DAYS / DAYS_PER_YEAR
    return RiskCourse(DAYS, RiskProfile(age=age, female=0.0, egfr=90.0, uacr=10.0, bmi=34.0), np.arange(1))


@pytest.mark.parametrize("name", list(utility_sets()))
def test_every_number_that_a_set_draws_moves_the_utilities(name: str) -> None:
    of, rows = utility_set(name), utility_parameters()
    settings, states = ValueUtilities(set=name), tuple(of.states)
    central = utilities_of(settings, course(), DAYS, states, tuple(of.events))
    for row in of.rows():
        if rows[row].distribution == "fixed" or row == of.states.get("kidney_failure"):
            continue
        moved = utilities_of(settings, course(), DAYS, states, tuple(of.events), {row: rows[row].high})
        same = np.array_equal(moved.base, central.base) and (moved.states, moved.events) == (
            central.states,
            central.events,
        )
        assert not same, row


def test_age_and_weight_take_what_the_drawn_numbers_say() -> None:
    settings = ValueUtilities()
    central, moved = (
        np.asarray(utilities_of(settings, course(), DAYS, STATES, EVENTS, values).base)
        for values in ({}, {"uk_bmi": 0.0081, "uk_base": 0.795})
    )
    # 9 kg/m2 above 25, each 0.002 more; the base is 0.01 higher.
    assert moved - central == pytest.approx(np.full_like(central, 0.01 - 9 * 0.002))


def test_numbers_of_a_user_stand_in_place_of_those_of_the_set() -> None:
    settings = ValueUtilities(base=0.9, losses={"stroke": OwnLoss(loss=0.2, low=0.1, high=0.3)})
    central = utilities_of(settings, course(), DAYS, STATES, EVENTS)
    drawn = utilities_of(
        settings, course(), DAYS, STATES, EVENTS, {"uk_base": 0.7, "uk_stroke": 0.1, "utility:stroke": 0.25}
    )
    assert (central.states["stroke"], drawn.states["stroke"]) == (0.2, 0.25)
    assert np.array_equal(central.base, drawn.base) and drawn.reference == 0.9
