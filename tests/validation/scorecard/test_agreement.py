"""The rule: inside, near, miss, and sizes in half-widths."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betapod.validation.scorecard.agreement import agreement_of, interval
from betapod.validation.scorecard.targets import Target

NAN = math.nan


def target(bounds: str, value=NAN, low=NAN, high=NAN, spread=NAN, statistic="mean") -> Target:
    return Target(
        "kidney", "V1", "", "", statistic, value, low, high, spread, bounds, "1", "", "seen", "fit", "a.b", "", ""
    )


@pytest.mark.parametrize(
    ("made", "low", "high"),
    [
        (target("CI", 5, 2, 6), 2, 6),
        (target("range", low=2, high=6), 2, 6),
        (target("IQR", 3, 2, 6), 2, 6),
        (target("SD", 5, spread=2), 3, 7),
        (target("SEM", 5, spread=1), 3.0400360, 6.9599640),
        (target("number", -20), -22, -18),
        (target("contrast", 0, -3.3, 3.3), -3.3, 3.3),
        (target("bound", low=2), 2, math.inf),
        (target("bound", high=2), -math.inf, 2),
    ],
)
def test_what_counts_as_inside(made: Target, low: float, high: float) -> None:
    found = interval(made)
    assert (found.low, found.high) == pytest.approx((low, high))


@pytest.mark.parametrize(
    ("made", "model", "verdict", "size"),
    [
        (target("CI", 5, 2, 6), 6.0, "inside", 1.0),
        (target("CI", 5, 2, 6), 7.0, "near", 2.0),
        (target("CI", 5, 2, 6), 7.01, "miss", 2.01),
        (target("CI", 5, 2, 6), 2.0, "inside", -1.0),
        (target("CI", 5, 2, 6), -1.0, "near", -2.0),
        (target("range", low=2, high=6), 4.0, "inside", 0.0),
        (target("number", 100), 110.0, "inside", 1.0),
        (target("number", 100), 120.0, "near", 2.0),
        (target("number", 100), 79.9, "miss", -2.01),
        (target("number", -20, statistic="change"), -22.0, "inside", -1.0),
        (target("number", -20, statistic="change"), -12.0, "miss", 4.0),
        (target("bound", high=7), 6.0, "inside", 0.0),
        (target("bound", high=7), 7.7, "near", 2.0),
        (target("bound", high=7), 7.8, "miss", 1 + 0.8 / 0.7),
        (target("bound", low=0.5), 0.1, "miss", -9.0),
    ],
)
def test_verdicts(made: Target, model: float, verdict: str, size: float) -> None:
    found = agreement_of(made, model)
    assert found.name == verdict
    assert found.size == pytest.approx(size)


def test_near_needs_the_same_direction() -> None:
    wide = target("CI", -2, -5, 1, statistic="difference")
    assert agreement_of(wide, 2.0).name == "miss"
    assert agreement_of(replace(wide, statistic="mean"), 2.0).name == "near"
    ratio = target("CI", 1.2, 0.9, 1.5, statistic="ratio")
    assert agreement_of(ratio, 0.8).name == "miss"
    assert agreement_of(ratio, 1.6).name == "near"


def test_beyond_a_bound_at_zero_there_is_no_size() -> None:
    found = agreement_of(target("bound", high=0), 3.0)
    assert (found.name, found.difference) == ("miss", 3.0)
    assert math.isnan(found.size)


@pytest.mark.parametrize("model", [math.nan, math.inf])
def test_no_number_is_a_miss(model: float) -> None:
    assert agreement_of(target("number", 100), model).name == "miss"


def test_a_lone_zero_is_met_by_zero_only() -> None:
    assert agreement_of(target("number", 0, statistic="difference"), 0.0).name == "inside"
    assert agreement_of(target("number", 0, statistic="difference"), 0.1).name == "miss"


numbers = st.floats(-1e3, 1e3).filter(lambda x: abs(x) > 1e-3)


@given(numbers, st.floats(0.01, 100), numbers)
def test_size_and_verdict_agree(value: float, spread: float, model: float) -> None:
    found = agreement_of(target("SD", value, spread=spread), model)
    assert (found.name == "inside") == (abs(found.size) <= 1 + 1e-9)
    assert found.size * spread == pytest.approx(found.difference, rel=1e-9, abs=1e-9)
    assert found.difference == pytest.approx(model - value)


@given(numbers, st.floats(0.01, 100), numbers, st.floats(0.1, 10))
def test_the_unit_does_not_matter(value: float, spread: float, model: float, factor: float) -> None:
    one = agreement_of(target("SD", value, spread=spread), model)
    other = agreement_of(target("SD", value * factor, spread=spread * factor), model * factor)
    assert other.size == pytest.approx(one.size, rel=1e-6, abs=1e-9)
