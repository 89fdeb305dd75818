"""Measured values at a visit: the simulated course with within-person variation and measurement error."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from ...base.constants import DAYS_PER_WEEK, DAYS_PER_YEAR
from ...observables.outcomes import Flags, Readings
from ...observables.table import Numbers, Observable, names_for, observables
from ...observables.variation import Variation

__all__ = [
    "URINE",
    "Flags",
    "Numbers",
    "Readings",
    "RisksOnDemand",
    "TablesOnDemand",
    "compared",
    "deviation_columns",
    "filled_courses",
    "life_size",
    "observable_of",
    "seen_in",
]

#: Observables of which several samples may be taken for one visit.
URINE = ("UACR", "UAER")

#: Filtration (mL/min, and per 1.73 m2) and creatinine (umol/L) of somebody whose kidneys have failed.
_FAILED = {
    "eGFR": 5.0,
    "mGFR": 5.0,
    "creatinine_clearance": 5.0,
    "GFR_absolute": 5.0,
    "creatinine": 900.0,
    "reciprocal_creatinine": 1.0 / 900.0,
}
#: Makes standard normal numbers of the shape of its argument.
Draw = Callable[[Numbers], Numbers]


@functools.cache
def compared() -> dict[str, Observable]:
    """Return the observables in which predictions are compared with published groups, by id."""
    return {name: observable for name, observable in observables().items() if observable.compared}


@functools.cache
def deviation_columns() -> tuple[str, ...]:
    """Return the columns of a library with deviations that people have from the start; `seen_in` reads them among the values."""
    lives = (observable.life for observable in compared().values())
    return tuple(dict.fromkeys(life.person for life in lives if life is not None and life.person))


def observable_of(endpoint: str) -> str:
    """Return the id of the observable that an endpoint of the registry names, or the endpoint where it names none."""
    name = names_for("registry").get(endpoint)
    return endpoint if name is None else name.means


class TablesOnDemand(Mapping[str, Numbers]):
    """Tables by name, each made when it is first asked for: of all that can be read off a course, rows ask for few.

    Parameters
    ----------
    names
        Of all that can be made.
    make
        Makes the table of a name.
    """

    def __init__(self, names: Iterable[str], make: Callable[[str], Numbers]) -> None:
        self._make = make
        self._tables: dict[str, Numbers | None] = dict.fromkeys(names)

    def __getitem__(self, name: str) -> Numbers:
        table = self._tables[name]
        if table is None:
            table = self._tables[name] = self._make(name)
        return table

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)


class RisksOnDemand(Mapping[str, Numbers]):
    """What hazards of outcomes read of people, made as a whole when it is first asked for: levels and slopes need none of it."""

    def __init__(self, make: Callable[[], Mapping[str, Numbers]]) -> None:
        self._make = make

    @functools.cached_property
    def _tables(self) -> Mapping[str, Numbers]:
        return self._make()

    def __getitem__(self, name: str) -> Numbers:
        return self._tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)


def filled_courses(values: Mapping[str, Numbers]) -> TablesOnDemand:
    """Return courses that go on after kidney failure: with their last values, but with next to no filtration."""

    def filled(name: str) -> Numbers:
        table = values[name]
        last = np.maximum(np.sum(np.isfinite(table), axis=1) - 1, 0)
        held = table[np.arange(len(table)), last][:, None]
        return np.where(np.isfinite(table), table, _FAILED.get(name, held))

    return TablesOnDemand(values, filled)


class _Lives:
    """Standard normal numbers of what life moves, by what it moves and week; each is correlated with that of the nearest week known."""

    def __init__(self, starts: Callable[[str], Numbers | None]) -> None:
        self._starts = starts
        self._drawn: dict[str, dict[float, Numbers]] = {}

    def number(self, name: str, week: float, like: Numbers, life: Variation, draw: Draw) -> Numbers:
        """Return the numbers of a week, drawn once."""
        drawn = self._drawn.setdefault(life.person or name, {})
        if not drawn and life.person:
            start = self._starts(life.person)
            drawn[0.0] = draw(like) if start is None else np.broadcast_to(start, like.shape)
        if not drawn:
            drawn[week] = draw(like)
        elif week not in drawn:
            nearest = min(drawn, key=lambda other: abs(other - week))
            share = _remembered(abs(week - nearest), life)
            drawn[week] = share * drawn[nearest] + math.sqrt(1.0 - share**2) * draw(like)
        return drawn[week]

    def expected(self, week: float, like: Numbers, life: Variation) -> Numbers:
        """Return the mean factor of a week, given where people began; 1 where they began without a deviation."""
        start = self._starts(life.person) if life.person else None
        if start is None:
            return np.ones_like(like)
        share = _remembered(week, life)
        size = life.share_at(like)
        # The mean of a log-normal number: an unselected group has the same mean in every week.
        return np.asarray(np.exp(size * share * start + 0.5 * size**2 * (1.0 - share**2)))


def _remembered(weeks: float, life: Variation) -> float:
    """Return the correlation of what life moves with itself some weeks later."""
    return math.exp(-weeks * DAYS_PER_WEEK / DAYS_PER_YEAR / life.lasts)


def seen_in(
    values: Mapping[str, Numbers],
    weeks: Numbers,
    draw: Draw | None,
    frozen: bool = False,
    samples: Mapping[str, int] | None = None,
    index: NDArray[np.int64] | None = None,
    with_life: bool = True,
) -> Readings:
    """Return what is seen of people: their courses, moved by life and measurement once per observable and week.

    Parameters
    ----------
    values
        Observable -> (..., people, weeks); with `deviation_columns`, where people begin with a known deviation.
    draw
        None for courses as they are expected, without errors of measurement.
    frozen
        Whether people stay as they were at the start, with the random numbers of later weeks.
    samples
        How often an observable is measured on a visit, where more than once.
    index
        Samples of the people, (..., people); everybody once unless given.
    with_life
        Whether life moves people besides measurement. Without it they move as is expected of them: towards their true value.
    """
    computed: dict[tuple[str, float], Numbers] = {}

    def of_people(table: Numbers) -> Numbers:
        return table if index is None else np.asarray(table[index])

    def start_of(column: str) -> Numbers | None:
        return of_people(values[column][..., 0]) if column in values else None

    lives = _Lives(start_of)

    def seen(name: str, week: float) -> Numbers:
        if (name, week) not in computed:
            observable = compared()[name]
            true = of_people(values[name][..., 0 if frozen else int(np.argmin(np.abs(weeks - week)))])
            error = observable.relative_error / math.sqrt(1 if samples is None else samples.get(name, 1))
            life = observable.life
            lived = 0.0 if life is None else life_size(life, week, true)
            if life is not None and life.person and (draw is None or not with_life):
                true = true * lives.expected(week, true, life)
            moves = life is not None and with_life and bool(np.any(lived > 0))
            if draw is not None and (error > 0 or moves):
                # Symmetric where means are compared, so that random numbers move no mean.
                moved = error * draw(true)
                if life is not None and moves:
                    moved = moved + lived * lives.number(name, week, true, life, draw)
                ratios = observable.compared != "linear"
                true = true * (np.exp(moved) if ratios else np.maximum(1.0 + moved, 0.0))
            computed[name, week] = true
        return computed[name, week]

    return seen


def life_size(life: Variation, week: float, true: Numbers) -> Numbers | float:
    """Return the SD of what life moves until a week: all of it from the start where people begin with a deviation."""
    return (
        life.share_at(true) if life.person else life.share * math.sqrt(min(week * DAYS_PER_WEEK / DAYS_PER_YEAR, 1.0))
    )
