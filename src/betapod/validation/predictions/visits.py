"""Measured values at a visit: the simulated course with within-person variation and measurement error."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from ...base.constants import DAYS_PER_WEEK, DAYS_PER_YEAR
from ...observables.outcomes import Flags, Readings
from ...observables.table import Numbers, Observable, names_for, observables

__all__ = ["URINE", "Flags", "Numbers", "Readings", "compared", "observable_of", "seen_in"]

#: Observables of which several samples may be taken for one visit.
URINE = ("UACR", "UAER")


@functools.cache
def compared() -> dict[str, Observable]:
    """Return the observables in which predictions are compared with published groups, by id."""
    return {name: observable for name, observable in observables().items() if observable.compared}


def observable_of(endpoint: str) -> str:
    """Return the id of the observable that an endpoint of the registry names, or the endpoint where it names none."""
    name = names_for("registry").get(endpoint)
    return endpoint if name is None else name.means


def seen_in(
    values: Mapping[str, Numbers],
    weeks: Numbers,
    draw: Callable[[Numbers], Numbers] | None,
    frozen: bool = False,
    samples: Mapping[str, int] | None = None,
    index: NDArray[np.int64] | None = None,
    with_life: bool = True,
) -> Readings:
    """Return what is seen of people: their courses, moved by life and measurement once per observable and week.

    Parameters
    ----------
    values
        Observable -> (..., people, weeks).
    draw
        Makes standard normal numbers of the shape of its argument; None for courses as they are.
    frozen
        Whether people stay as they were at the start, with the random numbers of later weeks.
    samples
        How often an observable is measured on a visit, where more than once.
    index
        Samples of the people, (..., people); everybody once unless given.
    with_life
        Whether life moves people besides measurement.
    """
    computed: dict[tuple[str, float], Numbers] = {}
    lives: dict[str, dict[float, Numbers]] = {}

    def life(name: str, week: float, like: Numbers, lasts: float, draw: Callable[[Numbers], Numbers]) -> Numbers:
        """Return standard normal numbers of life, which lasts: correlated with that of the nearest week known."""
        drawn = lives.setdefault(name, {})
        if not drawn:
            drawn[week] = draw(like)
        elif week not in drawn:
            nearest = min(drawn, key=lambda other: abs(other - week))
            share = math.exp(-abs(nearest - week) * DAYS_PER_WEEK / DAYS_PER_YEAR / lasts)
            drawn[week] = share * drawn[nearest] + math.sqrt(1.0 - share**2) * draw(like)
        return drawn[week]

    def seen(name: str, week: float) -> Numbers:
        if (name, week) not in computed:
            observable = compared()[name]
            true = values[name][..., 0 if frozen else int(np.argmin(np.abs(weeks - week)))]
            true = true if index is None else true[index]
            error = observable.relative_error / math.sqrt(1 if samples is None else samples.get(name, 1))
            life_of = observable.life if with_life else None
            lived = (
                life_of.share * math.sqrt(min(week * DAYS_PER_WEEK / DAYS_PER_YEAR, 1.0))
                if life_of is not None
                else 0.0
            )
            if draw is not None and (error > 0 or lived > 0):
                # Symmetric where means are compared, so that random numbers move no mean.
                moved = error * draw(true)
                if life_of is not None and lived > 0:
                    moved = moved + lived * life(name, week, true, life_of.lasts, draw)
                ratios = observable.compared != "linear"
                true = true * (np.exp(moved) if ratios else np.maximum(1.0 + moved, 0.0))
            computed[name, week] = true
        return computed[name, week]

    return seen
