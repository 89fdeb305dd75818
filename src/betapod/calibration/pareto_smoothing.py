"""Importance weights whose largest are smoothed by a generalised Pareto distribution, and whether they can be trusted.

Vehtari and others (arXiv:1507.02646); the fit of the tail is that of Zhang and Stephens 2009 (Technometrics 51:316-325), with the
weak prior of the former.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
#: Fewest weights of a tail that a distribution is fitted to.
_LEAST_TAIL = 5
#: Prior of the shape: so many weights with a shape of one half.
_PRIOR_COUNT, _PRIOR_SHAPE = 10, 0.5


def pareto_smoothed(log_weights: Numbers) -> tuple[Numbers, float]:
    """Return smoothed log weights (n,), whose weights add up to 1, and the shape of their tail.

    With a shape below 0.5 weights have a variance and averages are good; above 0.7 they cannot be trusted. The shape is NaN where the tail
    is too short to tell. Weights of minus infinity stay so.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.calibration.pareto_smoothing import pareto_smoothed
    >>> smoothed, shape = pareto_smoothed(np.linspace(-0.1, 0.1, 64))
    >>> round(float(np.exp(smoothed).sum()), 9), shape < 0.5
    (1.0, True)
    """
    result = np.array(log_weights, dtype=np.float64)
    result -= result.max()
    count = int(np.isfinite(result).sum())
    tail = min(math.ceil(0.2 * count), math.ceil(3.0 * math.sqrt(count)))
    shape = math.nan
    if tail >= _LEAST_TAIL:
        order = np.argsort(result, kind="stable")
        last = order[-tail:]
        cutoff = result[order[-tail - 1]]
        beyond = np.exp(result[last]) - math.exp(cutoff)
        # Equal weights have no tail.
        if beyond[0] > 0.0 and beyond[-1] > 1e-10:
            shape, scale = _pareto_tail(beyond)
            levels = (np.arange(tail) + 0.5) / tail
            quantile = -np.log1p(-levels) if shape == 0.0 else np.expm1(-shape * np.log1p(-levels)) / shape
            result[last] = np.minimum(np.log(scale * quantile + math.exp(cutoff)), 0.0)
        else:
            shape = -math.inf
    return result - _log_sum(result), shape


def effective_draws(log_weights: Numbers) -> float:
    """Return how many equally weighted draws weights are worth (Kish)."""
    weights = np.exp(log_weights - _log_sum(log_weights))
    return float(1.0 / np.sum(np.square(weights)))


def _log_sum(log_weights: Numbers) -> float:
    top = float(log_weights.max())
    return top + math.log(float(np.exp(log_weights - top).sum()))


def _pareto_tail(beyond: Numbers) -> tuple[float, float]:
    """Return shape and scale of a generalised Pareto distribution of sorted numbers above 0."""
    count = len(beyond)
    points = 30 + math.isqrt(count)
    quarter = beyond[max(0, int(count / 4 + 0.5) - 1)]
    slopes = 1.0 / beyond[-1] + (1.0 - np.sqrt(points / (np.arange(1, points + 1) - 0.5))) / (3.0 * quarter)
    shapes = np.log1p(-slopes[:, None] * beyond).mean(axis=1)
    heights = count * (np.log(-slopes / shapes) - shapes - 1.0)
    weights = np.exp(heights - heights.max())
    slope = float(np.sum(slopes * weights) / weights.sum())
    shape = float(np.log1p(-slope * beyond).mean())
    scale = -shape / slope
    return (count * shape + _PRIOR_COUNT * _PRIOR_SHAPE) / (count + _PRIOR_COUNT), scale
