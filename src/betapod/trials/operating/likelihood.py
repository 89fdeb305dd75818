"""Likelihood ratios: how strongly a published result supports one scenario against another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...base.constants import Z95
from .power_analysis import Rate, rate


@dataclass(frozen=True)
class LikelihoodRatio:
    """A likelihood ratio with its Monte Carlo interval.

    Attributes
    ----------
    ratio, low, high
        How many times more probable the result is under the first scenario; 1 says nothing, 3 is weak, 10 moderate,
        30 strong (Jeffreys' steps, rounded).
    first, second
        Probability of the result under each.
    """

    ratio: float
    low: float
    high: float
    first: Rate
    second: Rate

    @property
    def words(self) -> str:
        """The strength of the evidence in words, for or against the first scenario."""
        if not np.isfinite(self.ratio):
            return "not estimable"
        strength = max(self.ratio, 1 / self.ratio if self.ratio > 0 else np.inf)
        word = (
            "negligible evidence"
            if strength < 1.5
            else "very weak evidence"
            if strength < 3
            else "weak evidence"
            if strength < 10
            else "moderate evidence"
            if strength < 30
            else "strong evidence"
        )
        return word if strength < 1.5 else f"{word} {'for' if self.ratio > 1 else 'against'}"


def of_report(first: ArrayLike, second: ArrayLike) -> LikelihoodRatio:
    """Return the likelihood ratio of a report that says only that something happened ("patients improved").

    Parameters
    ----------
    first, second
        1 or 0 for each replicate under either scenario. Half a replicate is added to each count, so that an event never seen in
        some hundred replicates is not taken to be impossible.

    Returns
    -------
    Evidence
        The interval is that of the logarithm of a ratio of proportions (delta method).
    """
    a, b = (np.asarray(x, dtype=float) for x in (first, second))
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    if not len(a) or not len(b):
        return LikelihoodRatio(float("nan"), float("nan"), float("nan"), rate(a), rate(b))
    p, q = (a.sum() + 0.5) / (len(a) + 1), (b.sum() + 0.5) / (len(b) + 1)
    error = np.sqrt((1 - p) / (p * (len(a) + 1)) + (1 - q) / (q * (len(b) + 1)))
    ratio = p / q
    return LikelihoodRatio(
        float(ratio), float(ratio * np.exp(-Z95 * error)), float(ratio * np.exp(Z95 * error)), rate(a), rate(b)
    )


def of_result(value: ArrayLike, first: ArrayLike, second: ArrayLike) -> np.ndarray:
    """Return the likelihood ratio of a result as a number, such as a mean change, shape of `value`.

    The densities of the result under either scenario are kernel estimates over the replicates (Gaussian, Silverman's width);
    NaN where the replicates of one of them do not scatter.
    """
    from scipy.stats import gaussian_kde

    a, b = (np.asarray(x, dtype=float) for x in (first, second))
    points = np.atleast_1d(np.asarray(value, dtype=float))
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    if any(len(x) < 2 or np.ptp(x) <= 1e-12 * np.abs(x).max() for x in (a, b)) or not np.isfinite(points).all():
        return np.full(points.shape, np.nan)
    densities = [gaussian_kde(x, "silverman")(points) for x in (a, b)]
    # Far from every replicate a kernel density is not a measurement; the floor keeps the ratio from running away.
    floor = 1e-3 * max(float(densities[0].max()), float(densities[1].max()), 1e-12)
    return np.asarray((densities[0] + floor) / (densities[1] + floor))


def belief(prior: float, ratio: float) -> float:
    """Return the probability of the first scenario after the result, from the one before it (0 to 1)."""
    if prior in (0.0, 1.0):
        return float(prior)
    odds = prior / (1 - prior) * ratio
    return 1.0 if odds == float("inf") else odds / (1 + odds)
