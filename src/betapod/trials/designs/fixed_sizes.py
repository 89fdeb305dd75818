"""Size and power of designs with one look: means by the t test, shares by the score test, times to events by the log-rank test."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import ConfigError, Problem

Array = NDArray[np.float64]


def noncentral_t_power(drift: ArrayLike, total: ArrayLike, level: ArrayLike) -> Array:
    """Return the power of a one-sided two-sample t test.

    Parameters
    ----------
    drift
        Effect over its true standard error.
    total
        Patients of both arms; the test has two degrees of freedom less.
    level
        One-sided.

    Returns
    -------
    numpy.ndarray
        Chance that a noncentral t is above the quantile, of the broadcast shape.
    """
    from scipy.special import nctdtr, ndtr, stdtrit

    shift, n, alpha = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (drift, total, level)))
    with np.errstate(invalid="ignore"):
        bound = stdtrit(n - 2, 1 - alpha)
        power = 1 - nctdtr(n - 2, shift, bound)
    # Far out SciPy's noncentral t gives NaN; there the normal distribution is as good.
    return np.asarray(np.where(np.isfinite(power), power, ndtr(shift - bound)))


def fixed_means_total(effect: float, sd: float, level: float, power: float, ratio: float, normal: bool) -> float:
    """Return patients of both arms (not rounded) that compare two means at one look.

    Parameters
    ----------
    effect, sd
        Difference above the null, and standard deviation within arms, in one unit.
    level
        One-sided.
    ratio
        Patients of the treated arm for one of the control.
    normal
        Whether the standard deviation counts as known, so that the test is that of z.
    """
    from scipy.special import ndtri

    squared = (sd / effect) ** 2 * (1 + ratio) ** 2 / ratio
    total = float((ndtri(1 - level) + ndtri(power)) ** 2 * squared)
    if normal:
        return total
    return total_for(lambda n: float(noncentral_t_power(math.sqrt(n / squared), n, level)), power, 2 + 1e-6, total)


def total_for(power_of: Callable[[float], float], power: float, least: float, guess: float) -> float:
    """Return the total at which a power that rises with it is reached, not rounded."""
    from scipy.optimize import brentq

    high = max(2 * guess, 8.0)
    while power_of(high) < power:
        high *= 2
        if high > 1e12:
            message = "no trial is large enough for this power"
            raise ConfigError(Problem("no-size", message, found=f"power {power:g}"))
    return float(brentq(lambda n: power_of(n) - power, least, high, xtol=1e-10, rtol=1e-12))


def null_shares(treated: ArrayLike, control: ArrayLike, ratio: float, null: float = 0.0) -> tuple[Array, Array]:
    """Return the shares that are most likely when their difference is that of the null.

    With a difference of 0 both are the pooled share; else they solve the cubic of Farrington and Manning.

    Parameters
    ----------
    treated, control
        Shares of either arm; any shape.
    ratio
        Patients of the treated arm for one of the control.
    null
        Difference (treated - control) under the null.

    Notes
    -----
    Farrington and Manning, Statistics in Medicine 1990;9:1447.
    """
    p1, p2 = np.broadcast_arrays(np.asarray(treated, dtype=float), np.asarray(control, dtype=float))
    if null == 0:
        pooled = (ratio * p1 + p2) / (1 + ratio)
        return pooled, pooled
    # a p^3 + b p^2 + c p + d = 0 for the treated share; theta patients of the control for one treated.
    theta = 1 / ratio
    a = 1 + theta
    b = -(1 + theta + p1 + theta * p2 + null * (theta + 2))
    c = null**2 + null * (2 * p1 + theta + 1) + p1 + theta * p2
    d = -p1 * null * (1 + null)
    v = b**3 / (3 * a) ** 3 - b * c / (6 * a**2) + d / (2 * a)
    u = np.where(v < 0, -1.0, 1.0) * np.sqrt(np.maximum(b**2 / (3 * a) ** 2 - c / (3 * a), 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = np.clip(np.where(u == 0, 0.0, v / u**3), -1.0, 1.0)
    first = 2 * u * np.cos((np.pi + np.arccos(cosine)) / 3) - b / (3 * a)
    first = np.clip(first, max(0.0, null), min(1.0, 1.0 + null))
    return np.asarray(first), np.asarray(first - null)


def fixed_rates_total(treated: float, control: float, level: float, power: float, ratio: float, null: float) -> float:
    """Return patients of both arms (not rounded) that compare two shares by the score test at one look.

    The variance of the null is that of `null_shares`, that of the alternative of the shares themselves.

    Parameters
    ----------
    treated, control
        Expected shares.
    level
        One-sided.
    null
        Difference under the null, such as a margin of non-inferiority.
    """
    from scipy.special import ndtri

    first, second = (float(x) for x in null_shares(treated, control, ratio, null))
    under_null = math.sqrt((first * (1 - first) + second * (1 - second) * ratio) * (1 + ratio) / ratio)
    alternative = math.sqrt((treated * (1 - treated) + control * (1 - control) * ratio) * (1 + ratio) / ratio)
    gain = abs(treated - control - null)
    return float(((ndtri(1 - level) * under_null + ndtri(power) * alternative) / gain) ** 2)


def fixed_events(hazard_ratio: float, level: float, power: float, ratio: float, null: float) -> float:
    """Return events of both arms (not rounded) for the log-rank test at one look (Schoenfeld 1981).

    Parameters
    ----------
    hazard_ratio, null
        Expected, and under the null.
    """
    from scipy.special import ndtri

    distance = math.log(hazard_ratio / null)
    return float((ndtri(1 - level) + ndtri(power)) ** 2 * (1 + ratio) ** 2 / (ratio * distance**2))
