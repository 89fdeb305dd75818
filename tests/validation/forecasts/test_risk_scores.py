"""Harrell's C, calibration slope, observed over expected: against lifelines, closed forms and coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from betapod.validation.forecasts.risk_scores import calibration_slope, concordance, observed_share, risk_score


def people(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    risk = random.uniform(0.02, 0.6, count)
    # Hazards are those of the risks by five years; a third is lost before.
    time = random.exponential(-5.0 / np.log1p(-risk))
    lost = random.uniform(0.0, 15.0, count)
    return np.minimum(time, lost), time <= lost, risk


def test_concordance_is_that_of_lifelines() -> None:
    lifelines = pytest.importorskip("lifelines.utils")
    time, event, risk = people(300)
    # Ties of time, of risk and of both.
    time, risk = np.round(time, 1), np.round(risk, 1)
    assert concordance(time, event, risk).value == pytest.approx(
        lifelines.concordance_index(time, -risk, event), abs=1e-12
    )


def test_what_is_told_right_has_slope_one_and_what_is_told_too_far_apart_less() -> None:
    time, event, risk = people(4000)
    score = risk_score(time, event, risk, 5.0)
    assert score.slope.low < 1.0 < score.slope.high and 0.95 < score.ratio < 1.05
    assert score.events == int((event & (time <= 5.0)).sum()) < int(event.sum())
    hazard = -np.log1p(-risk)
    apart = -np.expm1(-(hazard**2.0))
    # The same order: the same C, half the slope, by the definition of the latter.
    doubled = risk_score(time, event, apart, 5.0)
    assert doubled.concordance == score.concordance and doubled.slope.value == pytest.approx(
        score.slope.value / 2, rel=1e-6
    )
    assert len(score.groups) == 10 and sum(group.people for group in score.groups) == 4000
    expected = [group.expected for group in score.groups]
    assert expected == sorted(expected)
    assert sum(group.observed.low <= group.expected <= group.observed.high for group in score.groups) >= 7


def test_the_interval_of_concordance_holds_its_level() -> None:
    truth = np.mean([concordance(*people(2000, seed)).value for seed in range(1000, 1010)])
    found = [concordance(*people(120, seed)) for seed in range(300)]
    held = np.mean([item.low <= truth <= item.high for item in found])
    assert 0.90 <= held <= 0.98


def test_chance_is_one_half_and_order_is_one() -> None:
    time, event = np.arange(1.0, 41.0), np.ones(40, dtype=bool)
    assert concordance(time, event, np.full(40, 0.3)).value == 0.5
    assert concordance(time, event, 1.0 / time).value == 1.0
    assert concordance(time, event, time / 41.0).value == 0.0
    assert math.isnan(calibration_slope(time, event, np.full(40, 0.3)).value)
    assert math.isnan(concordance(time, ~event, 1.0 / time).value)


def test_the_observed_share_is_known_only_where_somebody_is_followed_so_long() -> None:
    time, event = np.array([1.0, 2.0, 3.0]), np.array([True, False, False])
    assert observed_share(time, event, 3.0).value == pytest.approx(1 / 3)
    assert math.isnan(observed_share(time, event, 5.0).value)


def test_risks_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        risk_score([1.0, 2.0], [1, 0], [0.5, 1.5], 5.0)
    with pytest.raises(ValueError, match="one length"):
        risk_score([1.0, 2.0], [1, 0], [0.5], 5.0)
