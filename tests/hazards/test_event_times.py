"""Times of events: cumulative hazards and their inverse, and numbers that treatments share."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.hazards.event_times import cumulative_hazard, event_day, hazard_thresholds

DAYS = np.array([0.0, 365.25, 730.5, 1461.0])


def test_a_constant_rate_gives_exponential_times() -> None:
    rates = np.full((20_000, len(DAYS)), 0.2)
    cumulative = cumulative_hazard(DAYS, rates)
    assert cumulative[0].tolist() == pytest.approx([0.0, 0.2, 0.4, 0.8])
    days = event_day(DAYS, cumulative, hazard_thresholds(1, "cv_death", range(20_000)))
    for day in (100.0, 500.0, 1400.0):
        assert np.mean(days <= day) == pytest.approx(1.0 - np.exp(-0.2 * day / 365.25), abs=0.01)
    assert np.isinf(days[days > DAYS[-1]]).all()


def test_the_cumulative_hazard_of_a_line_is_exact() -> None:
    cumulative = cumulative_hazard(DAYS, (0.1 + 0.05 * DAYS / 365.25)[None, :])[0]
    years = DAYS / 365.25
    assert cumulative == pytest.approx(0.1 * years + 0.025 * years**2)
    # The event comes where the cumulative hazard has the person's number.
    assert event_day(DAYS, cumulative[None, :], np.array([cumulative[2]]))[0] == pytest.approx(DAYS[2])


def test_half_of_the_rate_delays_everybodys_event() -> None:
    numbers = hazard_thresholds(7, "mi", range(500))
    assert (numbers == hazard_thresholds(7, "mi", range(500))).all()
    assert not (numbers == hazard_thresholds(7, "stroke", range(500))).any()
    full, half = (event_day(DAYS, cumulative_hazard(DAYS, np.full((500, 4), rate)), numbers) for rate in (0.4, 0.2))
    came = np.isfinite(half)
    assert came.any() and (half[came] > full[came]).all()
