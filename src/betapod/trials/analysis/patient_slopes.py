"""Courses of single patients by least squares on their visits: acute change, chronic and total slope."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...base.constants import DAYS_PER_YEAR
from .estimators import Array


@dataclass(frozen=True)
class Slopes:
    """Courses of each patient, shape (..., patients): acute change (unit), chronic and total slope (unit per year)."""

    acute: Array
    chronic: Array
    total: Array


def patient_slopes(
    times: ArrayLike, values: ArrayLike, acute_until: float, days_per_year: float = DAYS_PER_YEAR
) -> Slopes:
    """Return acute change, chronic slope and total slope of every patient, by least squares on the visits attended.

    A slope needs visits that span at least half of its time: over a few weeks it would be nothing but measurement error.

    Parameters
    ----------
    times
        Day of each visit, the first being baseline, shape (visits,).
    values
        Shape (..., patients, visits), such as eGFR.
    acute_until
        Day at which the acute, haemodynamic effect of a treatment is complete: the chronic slope uses visits from there on, that
        of this day included. Without a visit from there on there is neither an acute change nor a chronic slope.
    """
    days = np.asarray(times, dtype=float)
    observed = np.asarray(values, dtype=float)
    years = days / days_per_year
    if not (days >= acute_until).any():
        nothing = np.full(observed.shape[:-1], np.nan)
        return Slopes(nothing, nothing, _slope(years, observed))
    first = int(np.argmin(np.where(days >= acute_until, days, np.inf)))
    acute = observed[..., first] - observed[..., 0]
    return Slopes(acute, _slope(years[first:], observed[..., first:]), _slope(years, observed))


def _slope(x: Array, y: Array) -> Array:
    present = np.isfinite(y)
    n = present.sum(-1)
    span = np.where(present, x, -np.inf).max(-1) - np.where(present, x, np.inf).min(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_x = (present * x).sum(-1) / n
        mean_y = np.where(present, y, 0.0).sum(-1) / n
        dx = np.where(present, x - mean_x[..., None], 0.0)
        slope = (dx * np.where(present, y - mean_y[..., None], 0.0)).sum(-1) / (dx**2).sum(-1)
    return np.where((n >= 2) & (span >= (x[-1] - x[0]) / 2), slope, np.nan)
