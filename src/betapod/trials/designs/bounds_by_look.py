"""Boundaries look by look: the z beyond which a given error lies, and what boundaries spend."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConfigError, Problem
from .crossing import CrossingChances, LookDensity, beyond, carried

Array = NDArray[np.float64]

#: Beyond this Z nothing is looked for; its level is 1e-25.
FARTHEST = 10.5
_EXACT: dict[str, Any] = {"xtol": 1e-13, "rtol": 1e-13, "maxiter": 200}


def boundary_root(function: Callable[[float], float], low: float, high: float) -> float:
    """Return the root between two values; where there is none, no boundaries keep the errors."""
    from scipy.optimize import brentq

    try:
        return float(brentq(function, low, high, **_EXACT))
    except ValueError:
        raise no_boundary() from None


def no_boundary() -> ConfigError:
    """Return the error of a design that cannot keep its errors."""
    message = "no boundaries keep these errors"
    hint = "More information at the first look, less alpha before the last, or another family may do."
    return ConfigError(Problem("no-boundary", message, hint=hint))


def crossing_under_null(rates: Sequence[float], upper: list[float], lower: list[float], sides: int) -> float:
    """Return the chance to reject without an effect, on all sides."""
    low = [-x for x in upper] if sides == 2 else [*lower, upper[-1]]
    return sides * float(CrossingChances.of(rates, low, upper).crossed(0.0)[0].sum())


def upper_by_look(rates: Sequence[float], steps: Array, lower: list[float], sides: int) -> list[float]:
    """Return upper boundaries that spend a given error at each look under the null."""
    upper: list[float] = []
    before: LookDensity | None = None
    for k, t in enumerate(rates):
        upper.append(boundary_of_chance(before, t, float(steps[k]), 0.0, 1))
        if k + 1 < len(rates):
            low = -upper[-1] if sides == 2 else lower[k]
            before = carried(before, t, low, upper[-1], rates[k + 1])
    return upper


def lower_by_look(rates: Sequence[float], steps: Array, upper: list[float], drift: float) -> list[float]:
    """Return lower boundaries that spend a given type II error at each look but the last, under a drift."""
    lower: list[float] = []
    before: LookDensity | None = None
    for k, t in enumerate(rates[:-1]):
        lower.append(min(boundary_of_chance(before, t, float(steps[k]), drift, -1), upper[k]))
        before = carried(before, t, lower[-1], upper[k], rates[k + 1], drift)
    return lower


def boundary_of_chance(before: LookDensity | None, t: float, chance: float, drift: float, side: int) -> float:
    """Return the z that a given chance is beyond; infinite where there is nothing to spend."""
    from scipy.special import ndtri

    if chance <= 1e-300:
        return side * float("inf")
    centre = drift * math.sqrt(t)
    if before is None:
        return centre - side * float(ndtri(chance))
    if float(beyond(before, t, centre - side * FARTHEST, drift, side)[0]) <= chance:
        # More is to be spent than there are people left.
        return centre - side * FARTHEST
    # A boundary far beyond 10 standard deviations spends less than can be told from nothing.
    if float(beyond(before, t, centre + side * 3 * FARTHEST, drift, side)[0]) >= chance:
        return side * float("inf")
    low, high = sorted((centre - side * FARTHEST, centre + side * 3 * FARTHEST))
    return boundary_root(
        lambda z: float(np.log(max(float(beyond(before, t, z, drift, side)[0]), 1e-320)) - np.log(chance)), low, high
    )
