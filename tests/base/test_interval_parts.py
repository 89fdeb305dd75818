"""An interval of several parts: sums of squares where all are normal, wider where sizes and tails are guesses."""

from __future__ import annotations

import math

import numpy as np
import pytest

from betapod.base.constants import Z90
from betapod.base.interval_parts import INTERVAL_PARTS, IntervalParts


def test_normal_parts_add_as_squares() -> None:
    low, high = IntervalParts(chance=3.0, parameters=4.0).interval(1.0, 0.9)
    assert (low, high) == pytest.approx((1.0 - 5.0 * Z90, 1.0 + 5.0 * Z90))


def test_an_interval_of_everything_is_wider_than_each_of_its_parts() -> None:
    parts = IntervalParts(1.0, 0.7, 0.5, sets=16)
    low, high = parts.interval(0.0)
    assert all(high > parts.interval(0.0, 0.95, [name])[1] > 0.0 for name in INTERVAL_PARTS)
    assert low == -high


def test_an_sd_of_few_sets_is_a_guess() -> None:
    halves = [IntervalParts(parameters=1.0, sets=sets).interval(0.0)[1] for sets in (4, 16, 64, 0)]
    assert halves == sorted(halves, reverse=True)
    # Student's t with 15 degrees of freedom.
    assert halves[1] == pytest.approx(2.131, rel=0.01)


def test_nine_of_ten_sums_of_invented_parts_lie_inside() -> None:
    rng = np.random.default_rng(3)
    studies = 0.8 * rng.standard_t(4, 40_000) / math.sqrt(2.0)
    total = rng.normal(0.0, 1.0, 40_000) + rng.normal(0.0, 0.6, 40_000) + studies
    low, high = IntervalParts(1.0, 0.6, 0.8).interval(0.0, 0.9)
    assert np.mean((total > low) & (total < high)) == pytest.approx(0.9, abs=0.01)


def test_a_part_that_is_not_there_is_said_and_adds_nothing() -> None:
    parts = IntervalParts(chance=2.0)
    assert parts.held == ("chance",) and parts.missing == ("parameters", "studies")
    assert parts.interval(0.0) == parts.interval(0.0, names=["chance"])
    assert all(math.isnan(end) for end in IntervalParts().interval(1.0))
    assert math.isnan(parts.as_columns()["sd_studies"])
