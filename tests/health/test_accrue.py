"""Years, quality-adjusted years and costs: by hand, in continuous time."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.health.accrue import CostWeights, UtilityWeights, accrue, discount_factors, years_without
from betapod.health.lives import Lives

YEAR = 365.25


def two_people() -> Lives:
    """One lives 2 years on dialysis from 0.5 on, and has two infections; one dies at 1.25, a year after an amputation."""
    in_state = np.zeros((2, 2, 2), dtype=np.float32)
    in_state[0, :, 0] = (0.5, 1.0)
    in_state[1, :, 1] = (0.75, 0.25)
    happened = np.zeros((2, 2, 2), dtype=np.uint8)
    happened[0, 1, 0] = 2
    return Lives(
        np.array([0.0, 1.0, 2.0]) * YEAR,
        ("serious_infection", "cv_death"),
        ("dialysis", "amputation"),
        np.array([[1.0, 1.0], [1.0, 0.25]], dtype=np.float32),
        in_state,
        happened,
        np.full((2, 2), np.inf),
        np.array([np.inf, 1.25 * YEAR]),
        np.array([-1, 1], dtype=np.int16),
    )


LOSSES = {"dialysis": 0.3, "amputation": 0.2}


def test_sums_by_hand() -> None:
    costs = CostWeights(
        {"dialysis": 1000.0}, {"serious_infection": 50.0}, {"drugs": np.array([10.0, 20.0])}, {"cells": 7.0}
    )
    sums = accrue(two_people(), UtilityWeights(0.8, LOSSES, {"serious_infection": 0.1}), costs)
    assert sums.years == pytest.approx([2.0, 1.25])
    assert sums.qalys == pytest.approx([1.6 - 0.3 * 1.5 - 0.2, 1.0 - 0.2], abs=1e-6)
    assert {name: values.tolist() for name, values in sums.costs.items()} == {
        "dialysis": [1500.0, 0.0],
        "serious_infection": [100.0, 0.0],
        "drugs": [20.0, 25.0],
        "cells": [7.0, 7.0],
    }
    assert sums.total_cost() == pytest.approx([1627.0, 32.0])


def test_losses_combine_in_three_ways() -> None:
    lives = two_people()
    lives.in_state[1, 1, 0] = 1.0
    of = {
        how: accrue(lives, UtilityWeights(0.8, LOSSES, combine=how, reference=0.8)).qalys[0]
        for how in ("additive", "multiplicative", "minimum")
    }
    assert of["additive"] == pytest.approx(1.6 - 0.45 - 0.2)
    assert of["minimum"] == pytest.approx(1.6 - 0.45)
    assert of["multiplicative"] == pytest.approx(0.8 * (1 - 0.5 * 0.375) + 0.8 * (1 - 0.375) * (1 - 0.25))


def test_discounting_is_continuous() -> None:
    factors = discount_factors(np.linspace(0, 50, 7) * YEAR, 0.035)
    whole = float(factors @ np.full(6, 50 / 6))
    pace = np.log(1.035)
    assert whole == pytest.approx((1 - np.exp(-50 * pace)) / pace)
    assert discount_factors(np.array([0.0, YEAR]), 0.0).tolist() == [1.0]
    sums = accrue(two_people(), UtilityWeights(1.0), discount_effects=0.03, discount_costs=0.03)
    assert sums.life_years == pytest.approx(sums.qalys)
    assert (sums.life_years < sums.years).all()
    assert sums.qalys_undiscounted == pytest.approx(sums.years)


def test_years_free_of_states() -> None:
    assert years_without(two_people(), ["dialysis"]) == pytest.approx([0.5, 1.25])
    assert years_without(two_people(), []) == pytest.approx([2.0, 1.25])


def test_unknown_names_are_said_together() -> None:
    with pytest.raises(ConfigError) as caught:
        accrue(two_people(), UtilityWeights(1.0, {"dialisis": 0.1}, {"serious_infections": 0.1}))
    assert [problem.kind for problem in caught.value.problems] == ["unknown-state", "unknown-event"]
    assert "dialysis" in caught.value.problems[0].hint
    with pytest.raises(ConfigError, match="not negative"):
        discount_factors(np.array([0.0, 1.0]), -0.1)
