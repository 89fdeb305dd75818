"""Profile likelihood of chosen numbers: how well measurements would be met with a number held elsewhere and all others fitted anew.

Measurements are what the model says at its values, with the errors that are given. Others move within their plausible ranges. Where the misfit
stays small up to the end of a number's range, measurements of this kind cannot tell it (Raue and others 2009).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConfigError, not_among
from .factors import Factor
from .index_table import Numbers
from .measured_numbers import measured_courses
from .model_function import ModelFunction
from .number_scales import NumberScale

#: Misfit at the end of a 95 % interval of one number: the quantile of chi-squared with one degree of freedom.
LIMIT = 3.841458820694124
#: Places of a number on either side of its value, up to the end of its range.
PLACES = 8
#: Fits of the others at each place, at most: a choice; most are done after three or four.
_ITERATIONS = 12
#: Step of slopes, and change of the misfit that is none.
_STEP, _SETTLED = 1e-3, 1e-4
#: Damping of the first step, and how it grows and shrinks.
_DAMPING, _HARDER, _EASIER = 1e-3, 10.0, 0.3

#: Places (K, d) in SDs of what is known beforehand -> measured values (K, n) in SDs of their errors.
Measured = Callable[[Numbers], Numbers]


@dataclass(frozen=True)
class NumberProfile:
    """How the misfit rises on both sides of a number.

    Attributes
    ----------
    places, misfit
        Values of the number in its unit, rising, and -2 times the log of the profile likelihood over its largest, 0 at the model's value.
    low, high
        Ends of the 95 % interval; None on the side where it has none within the range.
    """

    factor: Factor
    places: Numbers
    misfit: Numbers
    low: float | None
    high: float | None

    @property
    def in_words(self) -> str:
        """What measurements tell of the number."""
        if self.low is None and self.high is None:
            return "cannot be told from the evidence"
        if self.low is None:
            return "told from above alone"
        return "told from below alone" if self.high is None else "told from both sides"

    def rows(self) -> list[dict[str, Any]]:
        """Return one row for each place: value and misfit, with the ends of the interval and what is told."""
        ends = {"low": self.low, "high": self.high}
        about = {name: math.nan if end is None else end for name, end in ends.items()}
        return [
            {
                "number": self.factor.name,
                "unit": self.factor.row.unit,
                "value": float(value),
                "misfit": float(misfit),
                **about,
                "told": self.in_words,
            }
            for value, misfit in zip(self.places, self.misfit, strict=True)
        ]


def number_profiles(function: ModelFunction, errors: Sequence[float], names: Sequence[str]) -> list[NumberProfile]:
    """Return the profiles of chosen numbers of a function, whose outputs are measured at all its times.

    Parameters
    ----------
    errors
        SD of one measurement of each output, as of `measured_numbers`.
    names
        Of the numbers that are varied.

    Raises
    ------
    ConfigError
        A name that is not among the numbers that are varied.
    """
    factors = function.factors
    varied_names = [factor.name for factor in factors]
    if problems := [
        not_among(varied_names, "unknown-parameter", f"{name} is not varied here", name)
        for name in names
        if name not in varied_names
    ]:
        raise ConfigError(problems)
    scales = [NumberScale.of(factor) for factor in factors]
    bounds = np.array([scale.bounds for scale in scales])

    def measured(z: Numbers) -> Numbers:
        columns = {f.name: scale.values(z[:, k]) for k, (f, scale) in enumerate(zip(factors, scales, strict=True))}
        return measured_courses(function, errors, columns)

    columns = [varied_names.index(name) for name in dict.fromkeys(names)]
    return [
        _described(factors[k], scales[k], *of_number)
        for k, of_number in zip(columns, misfit_profiles(measured, bounds, columns), strict=True)
    ]


def misfit_profiles(measured: Measured, bounds: Numbers, profiled: Sequence[int]) -> list[tuple[Numbers, Numbers]]:
    """Return for each chosen column its places, falling and rising from 0 to its bounds, and the misfit there.

    Parameters
    ----------
    measured
        Values in SDs of their errors; those at 0 are what was measured.
    bounds
        (d, 2) between which columns stay, around 0.
    """
    sides = [(k, end) for k in profiled for end in (0, 1)]
    columns = np.array([k for k, _ in sides])
    farthest = np.array([bounds[k, end] for k, end in sides])
    target = measured(np.zeros((1, len(bounds))))[0]
    z = np.zeros((len(sides), len(bounds)))
    misfits = []
    for step in range(1, PLACES + 1):
        # From one place to the next the others go on as they went.
        z = np.clip(z * (step / max(step - 1, 1)), bounds[:, 0], bounds[:, 1])
        z[np.arange(len(sides)), columns] = farthest * step / PLACES
        z, misfit = _fitted(measured, target, z, columns, bounds)
        misfits.append(misfit)
    table = np.array(misfits)
    shares = np.arange(1, PLACES + 1) / PLACES
    result = []
    for number in range(len(profiled)):
        low, high = 2 * number, 2 * number + 1
        places = np.concatenate([farthest[low] * shares[::-1], [0.0], farthest[high] * shares])
        result.append((places, np.concatenate([table[::-1, low], [0.0], table[:, high]])))
    return result


def _fitted(
    measured: Measured, target: Numbers, z: Numbers, held: NDArray[np.int64], bounds: Numbers
) -> tuple[Numbers, Numbers]:
    """Return places (K, d) at which all columns but the held one of each are fitted, and the misfit (K,): Levenberg and Marquardt, all at once."""
    count, d = z.shape
    damping = np.full(count, _DAMPING)
    residuals = measured(z) - target
    misfit = _squares(residuals)
    active = np.ones(count, dtype=bool)
    for _ in range(_ITERATIONS):
        rows = np.flatnonzero(active)
        if not len(rows):
            break
        steps = np.where(z[rows] + _STEP <= bounds[:, 1], _STEP, -_STEP)
        moved = z[rows][:, None, :] + steps[:, :, None] * np.eye(d)
        slopes = (measured(moved.reshape(-1, d)).reshape(len(rows), d, -1) - residuals[rows][:, None] - target) / steps[
            ..., None
        ]
        slopes = np.nan_to_num(slopes)
        trial = np.array([
            _stepped(z[row], slopes[k], residuals[row], held[row], damping[row], bounds) for k, row in enumerate(rows)
        ])  # fmt: skip
        tried = measured(trial) - target
        now = _squares(tried)
        for k, row in enumerate(rows):
            if now[k] < misfit[row]:
                active[row] = misfit[row] - now[k] > _SETTLED * (1.0 + now[k])
                z[row], residuals[row], misfit[row] = trial[k], tried[k], now[k]
                damping[row] *= _EASIER
            else:
                damping[row] *= _HARDER
                active[row] = damping[row] < 1e6
    return z, misfit


def _stepped(z: Numbers, slopes: Numbers, residuals: Numbers, held: int, damping: float, bounds: Numbers) -> Numbers:
    """Return the next place, within bounds; who stands at a bound and would go beyond stays."""
    gradient = slopes @ np.nan_to_num(residuals)
    free = ~((z <= bounds[:, 0]) & (gradient > 0) | (z >= bounds[:, 1]) & (gradient < 0))
    free[held] = False
    moved = z.copy()
    if free.any():
        information = slopes[free] @ slopes[free].T
        # What shows nothing stays where it is.
        information[np.diag_indices_from(information)] += damping * (1.0 + np.diag(information))
        moved[free] -= np.linalg.solve(information, gradient[free])
    return np.asarray(np.clip(moved, bounds[:, 0], bounds[:, 1]))


def _squares(residuals: Numbers) -> Numbers:
    """Return sums of squares; infinite where a value is none."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(np.isfinite(residuals).all(axis=1), np.sum(residuals**2, axis=1), np.inf))


def _described(factor: Factor, scale: NumberScale, z: Numbers, misfit: Numbers) -> NumberProfile:
    middle = len(z) // 2
    low = _crossing(z[middle::-1], misfit[middle::-1])
    high = _crossing(z[middle:], misfit[middle:])
    ends = [None if math.isnan(end) else float(scale.values(np.array([end]))[0]) for end in (low, high)]
    return NumberProfile(factor, scale.values(z), misfit, ends[0], ends[1])


def _crossing(z: Numbers, misfit: Numbers) -> float:
    """Return where the misfit first exceeds the limit, by the straight line between roots of two misfits; NaN where it never does."""
    beyond = np.flatnonzero(misfit > LIMIT)
    if not len(beyond):
        return math.nan
    k = int(beyond[0])
    before, after = np.sqrt(misfit[k - 1]), np.sqrt(min(misfit[k], 1e6))
    return float(z[k - 1] + (np.sqrt(LIMIT) - before) / (after - before) * (z[k] - z[k - 1]))
