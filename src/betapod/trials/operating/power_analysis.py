"""Operating characteristics: power, type I error, assurance, power by sample size, sample size for a given power."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ...base.errors import ConfigError, Problem
from ..analysis.estimators import Array, Estimate, ancova, wilson

if TYPE_CHECKING:
    from .test_rules import TestRule

#: Patients of one arm beyond which no size is given.
MOST_PATIENTS = 1_000_000


@dataclass(frozen=True)
class Rate:
    """A share of replicates, with Wilson's 95 % interval for the finite number of them."""

    value: float
    low: float
    high: float
    replicates: int

    def __str__(self) -> str:
        if not self.replicates:
            return "\u2013"
        return f"{100 * self.value:.1f} % ({100 * self.low:.1f} to {100 * self.high:.1f})"


def rate(happened: ArrayLike) -> Rate:
    """Return the share of replicates in which something happened; NaN replicates are left out."""
    values = np.asarray(happened, dtype=float)
    values = values[np.isfinite(values)]
    low, high = wilson(values.sum(), len(values))
    return Rate(float(values.mean()) if len(values) else float("nan"), float(low), float(high), len(values))


def significant(estimate: Estimate, alpha: float = 0.05, better: int = 0) -> Array:
    """Return 1 where p < alpha (and the effect has the sign `better`, where that is not 0), else 0.

    A replicate that could not be tested, such as one without events, shows nothing: 0. Where no replicate has a p, as for the share
    of one group, there is no test: NaN.
    """
    tested = np.isfinite(estimate.p)
    with np.errstate(invalid="ignore"):
        hit = tested & (estimate.p < alpha) & ((better == 0) | (np.sign(estimate.effect) == better))
    return np.where(tested.any(), hit, np.nan)


def assurance(powers: Sequence[float], weights: Sequence[float]) -> float:
    """Return the chance of success when one does not know which scenario holds: powers weighted by belief.

    Raises
    ------
    ConfigError
        Weights are negative, sum to 0 or do not match the powers.
    """
    w = np.asarray(weights, dtype=float)
    if len(w) != len(powers) or np.any(w < 0) or w.sum() <= 0:
        raise ConfigError(
            Problem("bad-weights", "one weight of 0 or more per scenario, not all 0", found=str([float(x) for x in w]))
        )
    return float(np.dot(w, powers) / w.sum())


# -- size ----------------------------------------------------------------------------------------------------------------


def analytic_power(
    effect: ArrayLike,
    sd: float,
    treated: ArrayLike,
    control: ArrayLike,
    alpha: float = 0.05,
    adjusted: int = 0,
    directed: bool = False,
) -> Array:
    """Return the power of a two-sided comparison of means, from the noncentral t distribution.

    Parameters
    ----------
    effect, sd
        Difference between arms and residual standard deviation, in one unit.
    treated, control
        Patients analysed per arm.
    adjusted
        Number of covariates, each costing a degree of freedom.
    directed
        Count only significance in the direction of the effect.
    """
    from scipy.special import ndtr
    from scipy.stats import nct
    from scipy.stats import t as student

    n1, n0 = np.asarray(treated, dtype=float), np.asarray(control, dtype=float)
    degrees = n1 + n0 - 2 - adjusted
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.abs(np.asarray(effect, dtype=float)) / sd / np.sqrt(1 / n1 + 1 / n0)
    # Without residual degrees of freedom, or without scatter, there is no test.
    degrees = np.where((degrees > 0) & np.isfinite(shift), degrees, np.nan)
    bound = student.ppf(1 - alpha / 2, degrees)
    upper, lower = nct.sf(bound, degrees, shift), nct.cdf(-bound, degrees, shift)
    # Far out SciPy's noncentral t gives NaN; there the normal distribution is as good.
    upper = np.where(np.isfinite(upper), upper, ndtr(shift - bound))
    if directed:
        return np.asarray(upper, dtype=float)
    return np.asarray(upper + np.where(np.isfinite(lower), lower, ndtr(-shift - bound)), dtype=float)


def sample_size(
    effect: float,
    sd: float,
    power: float,
    alpha: float = 0.05,
    ratio: float = 1.0,
    adjusted: int = 0,
    lost: float = 0.0,
    most: int = MOST_PATIENTS,
) -> int | None:
    """Return the patients to randomise to the control arm (`ratio` times as many to the other) for a given power.

    Parameters
    ----------
    lost
        Share that will not be analysed.
    most
        Where more than that would be needed, None.
    """
    usable = np.isfinite(effect) and effect and np.isfinite(sd) and sd > 0 and ratio > 0
    if not usable or not 0 < power < 1 or not 0 <= lost < 1:
        return None

    def reached(n: int) -> bool:
        analysed = n * (1 - lost)
        return float(analytic_power(effect, sd, analysed * ratio, analysed, alpha, adjusted)) >= power

    low, high = 1 + int(np.ceil((2 + adjusted) / (1 + ratio) / (1 - lost))), 4
    high = max(high, low)
    while not reached(high):
        low, high = high, high * 2
        if high > most:
            return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle + 1, high)
    return low


def sample_size_of_shares(
    treated: float, control: float, power: float, alpha: float = 0.05, ratio: float = 1.0, lost: float = 0.0
) -> int | None:
    """Return the patients to randomise to the control arm to compare two shares by the score test (Fleiss 1981, without correction).

    Parameters
    ----------
    treated, control
        Share of responders in either arm.
    ratio, lost
        As of `sample_size`.
    """
    from scipy.special import ndtri

    gain = treated - control
    if not np.isfinite(gain) or not gain or not 0 < power < 1 or not 0 <= lost < 1 or not ratio > 0:
        return None
    together = (ratio * treated + control) / (1 + ratio)
    null = math.sqrt(together * (1 - together) * (1 + 1 / ratio))
    alternative = math.sqrt(treated * (1 - treated) / ratio + control * (1 - control))
    needed = ((ndtri(1 - alpha / 2) * null + ndtri(power) * alternative) / gain) ** 2
    return _bounded(needed / (1 - lost))


def sample_size_of_events(
    log_hazard: float, treated: float, control: float, power: float, alpha: float = 0.05, ratio: float = 1.0
) -> int | None:
    """Return the patients to randomise to the control arm to compare times to events by the log-rank test (Schoenfeld 1983).

    Parameters
    ----------
    log_hazard
        Logarithm of the hazard ratio.
    treated, control
        Share of either arm whose event is seen in the trial.
    ratio
        As of `sample_size`.
    """
    from scipy.special import ndtri

    event_share = (ratio * treated + control) / (1 + ratio)
    if not np.isfinite(log_hazard) or not log_hazard or not event_share > 0 or not 0 < power < 1 or not ratio > 0:
        return None
    events = ((ndtri(1 - alpha / 2) + ndtri(power)) / log_hazard) ** 2 * (1 + ratio) ** 2 / ratio
    return _bounded(events / event_share / (1 + ratio))


def _bounded(patients: float) -> int | None:
    """Return whole patients; None where no trial could enrol them."""
    return math.ceil(patients - 1e-9) if patients <= MOST_PATIENTS else None


def randomised(control: int, ratios: Iterable[float]) -> int:
    """Return the patients of a whole trial, from those of its control arm and the ratio of every other arm to it."""
    return control + sum(math.ceil(control * ratio - 1e-9) for ratio in ratios)


@dataclass(frozen=True)
class PowerCurve:
    """Power over the number of patients randomised.

    Attributes
    ----------
    n
        Patients in all arms together.
    simulated
        By analysing replicates of each size; with Monte Carlo error.
    smooth
        From effect and residual standard deviation of the largest size, without Monte Carlo error; rises with n.
    effect, sd, error
        Mean effect, residual standard deviation, Monte Carlo error of the effect.
    """

    n: tuple[int, ...]
    simulated: tuple[Rate, ...]
    smooth: tuple[float, ...]
    effect: float
    sd: float
    error: float


def adjusting(baseline: ArrayLike | None, strata: ArrayLike | None) -> int:
    """Return the degrees of freedom that the covariates of an analysis of covariance cost."""
    return (baseline is not None) + (0 if strata is None else len(np.unique(strata)) - 1)


def power_curve(
    outcome: ArrayLike,
    baseline: ArrayLike | None,
    treated: ArrayLike,
    sizes: Sequence[int],
    strata: ArrayLike | None = None,
    alpha: float = 0.05,
    better: int = 0,
    truth: float | None = None,
) -> PowerCurve:
    """Return power for smaller trials nested in simulated ones: each size takes the patients who came first.

    Parameters
    ----------
    outcome, baseline, treated, strata
        As in `analysis.ancova`, shape (replicates, patients), patients in the order of randomisation. Patients of other arms have no
        outcome; they count among those randomised.
    sizes
        Numbers of patients, at most as many as there are.
    truth
        The true effect, where it is known; else the mean estimate stands for it.
    """
    y = np.asarray(outcome, dtype=float)
    arm = np.broadcast_to(np.asarray(treated, dtype=float), y.shape)
    base = None if baseline is None else np.broadcast_to(np.asarray(baseline, dtype=float), y.shape)
    levels = None if strata is None else np.broadcast_to(np.asarray(strata), y.shape)
    trial_sizes = sorted({int(n) for n in sizes if 4 <= n <= y.shape[-1]})
    rates = []
    for n in trial_sizes:
        part = None if levels is None else levels[:, :n]
        first = None if base is None else base[:, :n]
        rates.append(rate(significant(ancova(y[:, :n], first, arm[:, :n], part), alpha, better)))
    largest = ancova(y, base, arm, levels)
    present = np.isfinite(y)
    n1, n0 = (present & (arm > 0.5)).sum(-1), (present & (arm <= 0.5)).sum(-1)
    estimates = largest.effect[np.isfinite(largest.effect)]
    mean = float(estimates.mean()) if len(estimates) else float("nan")
    effect = mean if truth is None or not np.isfinite(truth) else truth
    error = float(estimates.std(ddof=1) / np.sqrt(len(estimates))) if len(estimates) > 1 else float("nan")
    # The residual standard deviation that makes the standard error what it was.
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = largest.standard_error**2 / (1 / n1 + 1 / n0)
    squares = squares[np.isfinite(squares)]
    sd = float(np.sqrt(squares.mean())) if len(squares) else float("nan")
    covariates = adjusting(baseline, levels)
    # Of all patients randomised, the shares that are analysed in either arm.
    first_share, second_share = float(n1.mean() / y.shape[-1]), float(n0.mean() / y.shape[-1])
    smooth = [
        float(analytic_power(effect, sd, n * first_share, n * second_share, alpha, covariates, better != 0))
        for n in trial_sizes
    ]
    return PowerCurve(tuple(trial_sizes), tuple(rates), tuple(smooth), effect, sd, error)


def _benefit(estimate: Estimate, alpha: float, better: int, rule: TestRule | None) -> Rate | None:
    if rule is not None:
        return rate(rule.shown(estimate))
    return rate(significant(estimate, alpha, better)) if better else None


def operating_characteristics(
    estimate: Estimate, truth: float | None = None, alpha: float = 0.05, better: int = 0, rule: TestRule | None = None
) -> dict[str, Any]:
    """Return operating characteristics over replicates: significance rates, mean, SD, bias, coverage.

    Parameters
    ----------
    rule
        How the estimate is tested, instead of `alpha` and `better`.
    truth
        The true value of what is estimated; without it no bias and coverage.
    """
    effect = estimate.effect[np.isfinite(estimate.effect)]
    result: dict[str, Any] = {
        "significant": rate(rule.significant(estimate) if rule else significant(estimate, alpha)),
        "significant and better": _benefit(estimate, alpha, better, rule),
        "mean": float(np.mean(effect)) if len(effect) else float("nan"),
        "spread": float(np.std(effect, ddof=1)) if len(effect) > 1 else float("nan"),
        "low": float(np.quantile(effect, 0.025)) if len(effect) else float("nan"),
        "high": float(np.quantile(effect, 0.975)) if len(effect) else float("nan"),
    }
    if truth is not None:
        result["bias"] = result["mean"] - truth
        inside = np.where(np.isfinite(estimate.p), (estimate.low <= truth) & (truth <= estimate.high), np.nan)
        result["coverage"] = rate(inside)
    return result
