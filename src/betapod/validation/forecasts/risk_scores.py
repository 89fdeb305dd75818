"""How well risks told in advance agree with what happened: Harrell's C, calibration slope, observed over expected, groups of like risk.

Who died before the event, or was not followed to the end, is censored on that day. What happens after the horizon counts as not happened.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.constants import Z95
from ...trials.analysis.cox_regression import cox_regression
from ...trials.analysis.survival import kaplan_meier

Numbers = NDArray[np.float64]
#: Groups of like risk at most, and people that each must have.
MOST_GROUPS, LEAST_IN_GROUP = 10, 10
#: Pairs of people that are compared at once.
_PAIRS = 4_000_000


@dataclass(frozen=True)
class ScoredNumber:
    """A number with its 95 % interval; NaN where it cannot be had."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class RiskGroup:
    """People of like risk.

    Attributes
    ----------
    people, events
        How many, and how many events they had within the horizon.
    expected
        Mean of their risks.
    observed
        Share with the event by the horizon, by Kaplan and Meier.
    """

    people: int
    events: int
    expected: float
    observed: ScoredNumber


@dataclass(frozen=True)
class RiskScore:
    """How well the risks of one predictor agree with what happened.

    Attributes
    ----------
    people, events
        How many, and how many had the event within the horizon.
    concordance
        Harrell's C: the share of comparable pairs in which who had the event first had the higher risk; 0.5 is chance.
    slope
        Calibration slope: 1 where risks are as far apart as they should be, below 1 where they are too far apart.
    observed
        Share with the event by the horizon, by Kaplan and Meier.
    expected
        Mean risk.
    groups
        People by their risk, from the lowest to the highest.
    """

    people: int
    events: int
    concordance: ScoredNumber
    slope: ScoredNumber
    observed: ScoredNumber
    expected: float
    groups: tuple[RiskGroup, ...]

    @property
    def ratio(self) -> float:
        """Observed over expected."""
        return self.observed.value / self.expected if self.expected > 0.0 else math.nan


def risk_score(time: ArrayLike, event: ArrayLike, risk: ArrayLike, horizon: float, floor: float = 1e-6) -> RiskScore:
    """Return how well risks agree with what happened.

    Parameters
    ----------
    time
        (n,) to the event or the end of follow-up, in any unit.
    event
        (n,) whether it was the event.
    risk
        (n,) of the event by the horizon, from 0 to 1.
    horizon
        In the unit of `time`.
    floor
        What risks of 0 count as in the calibration slope, which goes by the logarithm, and 1 less it for risks of 1.

    Raises
    ------
    ValueError
        The lengths differ, or a risk is no number from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.validation.forecasts.risk_scores import risk_score
    >>> random = np.random.default_rng(1)
    >>> risk = random.uniform(0.05, 0.6, 2000)
    >>> time = random.exponential(-5.0 / np.log1p(-risk))
    >>> score = risk_score(time, time < 8, risk, horizon=5.0)
    >>> 0.6 < score.concordance.value < 0.75, abs(score.slope.value - 1) < 0.2, abs(score.ratio - 1) < 0.1
    (True, True, True)
    """
    ends, happened, chances = _within(time, event, risk, horizon)
    order = np.argsort(chances, kind="stable")
    count = min(MOST_GROUPS, len(order) // LEAST_IN_GROUP)
    parts = np.array_split(order, count) if count > 1 else []
    return RiskScore(
        len(ends),
        int(happened.sum()),
        concordance(ends, happened, chances),
        calibration_slope(ends, happened, chances, floor),
        observed_share(ends, happened, horizon),
        float(chances.mean()) if len(chances) else math.nan,
        tuple(
            RiskGroup(
                len(part),
                int(happened[part].sum()),
                float(chances[part].mean()),
                observed_share(ends[part], happened[part], horizon),
            )
            for part in parts
        ),
    )


def _within(
    time: ArrayLike, event: ArrayLike, risk: ArrayLike, horizon: float
) -> tuple[Numbers, NDArray[np.bool_], Numbers]:
    """Return times and events up to the horizon, and risks."""
    ends, happened = np.asarray(time, dtype=np.float64), np.asarray(event, dtype=bool)
    chances = np.asarray(risk, dtype=np.float64)
    if not ends.shape == happened.shape == chances.shape or ends.ndim != 1:
        raise ValueError("time, event and risk are of one length")
    if not np.all((chances >= 0.0) & (chances <= 1.0)):
        raise ValueError("a risk is a number from 0 to 1")
    return np.minimum(ends, horizon), happened & (ends <= horizon), chances


def concordance(time: Numbers, event: NDArray[np.bool_], risk: Numbers) -> ScoredNumber:
    """Return Harrell's C with an interval by the delta method; people of equal risk count half.

    A pair is comparable if one had the event while the other was still followed without it.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.validation.forecasts.risk_scores import concordance
    >>> concordance(np.array([1.0, 2, 3]), np.array([True, True, False]), np.array([0.9, 0.2, 0.2])).value
    0.8333333333333334
    """
    count = len(time)
    right, pairs = np.zeros(count), np.zeros(count)
    size = max(1, _PAIRS // max(count, 1))
    first = np.flatnonzero(event)
    for start in range(0, len(first), size):
        part = first[start : start + size]
        later = (time[None, :] > time[part, None]) | ((time[None, :] == time[part, None]) & ~event[None, :])
        higher, same = risk[part, None] > risk[None, :], risk[part, None] == risk[None, :]
        agrees = later * (higher + 0.5 * same)
        right[part] += agrees.sum(axis=1)
        pairs[part] += later.sum(axis=1)
        right += agrees.sum(axis=0)
        pairs += later.sum(axis=0)
    total = pairs.sum() / 2.0
    if not total:
        return ScoredNumber(math.nan, math.nan, math.nan)
    value = float(right.sum() / 2.0 / total)
    error = float(np.sqrt(np.sum((right - value * pairs) ** 2)) / total)
    return ScoredNumber(value, max(0.0, value - Z95 * error), min(1.0, value + Z95 * error))


def calibration_slope(time: Numbers, event: NDArray[np.bool_], risk: Numbers, floor: float = 1e-6) -> ScoredNumber:
    """Return the coefficient of ``log(-log(1 - risk))`` in a Cox regression, with Wald's interval.

    If everybody's hazard is as the risks say, to within one factor for all, it is 1. NaN where risks do not differ or there are no events.
    """
    inside = np.clip(risk, floor, 1.0 - floor)
    score = np.log(-np.log1p(-inside))
    if not event.any() or np.ptp(score) < 1e-9:
        return ScoredNumber(math.nan, math.nan, math.nan)
    estimate = cox_regression(time, event, [score - score.mean()]).estimate()
    return ScoredNumber(*(float(part[0]) for part in (estimate.effect, estimate.low, estimate.high)))


def observed_share(time: Numbers, event: NDArray[np.bool_], horizon: float) -> ScoredNumber:
    """Return the share with the event by the horizon by Kaplan and Meier; NaN where nobody is followed that long and not all had it."""
    if not len(time) or (time.max() < horizon and not event[time == time.max()].all()):
        return ScoredNumber(math.nan, math.nan, math.nan)
    curve = kaplan_meier(time, event)
    last = int(np.searchsorted(curve.days, horizon, side="right")) - 1
    return ScoredNumber(1.0 - float(curve.free[last]), 1.0 - float(curve.high[last]), 1.0 - float(curve.low[last]))
