"""From rates on a course to times of events: cumulative hazards, and their inverse.

Rates are known at visits and linear in between, so that cumulative hazards are exact sums of trapezoids. Everybody has one
exponential number per cause: the event comes when the cumulative hazard reaches it. Arms share this number,
and an event that a treatment only delays comes later in the same person.
"""

from __future__ import annotations

import numpy as np

from ..base.constants import DAYS_PER_YEAR
from ..base.randomness import Patients, Stream
from .risk import Numbers


def cumulative_hazard(days: Numbers, rates: Numbers) -> Numbers:
    """Return the cumulative hazard on each day; 0 on the first.

    Parameters
    ----------
    days
        (T,) increasing.
    rates
        (..., T), 1/year.
    """
    steps = np.diff(np.asarray(days, dtype=np.float64)) / DAYS_PER_YEAR
    pieces = 0.5 * (rates[..., 1:] + rates[..., :-1]) * steps
    return np.concatenate([np.zeros((*rates.shape[:-1], 1)), np.cumsum(pieces, axis=-1)], axis=-1)


def hazard_thresholds(seed: int, cause: str, people: Patients, item: int = 0) -> Numbers:
    """Return one exponential number per person: the cumulative hazard at which the event of a cause comes.

    Parameters
    ----------
    people
        Numbers of the people; a person has the same one under every treatment.
    item
        Which of several events.
    """
    return np.asarray(-np.log(Stream(seed, f"hazard:{cause}").uniform(people, item)))


def event_day(days: Numbers, cumulative: Numbers, exponential: Numbers) -> Numbers:
    """Return the day on which a cumulative hazard reaches each person's number; infinite where it does not.

    Parameters
    ----------
    days
        (T,) increasing.
    cumulative
        (..., T), as of `cumulative_hazard`.
    exponential
        (...,), as of `hazard_thresholds`.
    """
    days = np.asarray(days, dtype=np.float64)
    if len(days) < 2:
        return np.full(np.shape(exponential), np.inf)
    # The cumulative hazard never falls, so that the number of grid days below the person's number is its place.
    below = np.clip(np.sum(cumulative < exponential[..., None], axis=-1) - 1, 0, len(days) - 2)
    left, right = (np.take_along_axis(cumulative, (below + k)[..., None], axis=-1)[..., 0] for k in (0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(right > left, (exponential - left) / (right - left), 0.0)
    day = days[below] + share * (days[below + 1] - days[below])
    return np.asarray(np.where(exponential <= cumulative[..., -1], day, np.inf))
