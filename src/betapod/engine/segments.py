"""When things are done in a schedule: exact times as numbers, ramps of inputs, and stretches of time in which nothing begins."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .calendar import Calendar, exact_time, repeated_times

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .schedule import Schedule, Switch


@dataclass(frozen=True)
class Segment:
    """A stretch of time in which every input is linear in time and no dose is given but at its start.

    Attributes
    ----------
    values, slopes
        Every input at `start`, and its change per day.
    doses
        State and amount, to be added at `start`.
    """

    start: float
    end: float
    values: Mapping[str, float]
    slopes: Mapping[str, float]
    doses: tuple[tuple[str, float], ...] = ()


class Moments:
    """Numbers of the times of schedules that end together; schedules with the same times share them.

    Parameters
    ----------
    end
        Day at which they end.
    visits
        Times at which someone looks; what is done at such a time is done at exactly this number.

    Examples
    --------
    >>> from betapod import Dose, Schedule
    >>> from betapod.engine.segments import Moments
    >>> Moments(3.0, [0.3]).of(Schedule([Dose("A", 1.0, 0.1, 0.1, 2)]))
    ([[0.1, 0.2, 0.3]], [])
    """

    def __init__(self, end: float, visits: Sequence[float] | NDArray[np.float64] = ()) -> None:
        self.end = end
        self._visits = [float(visit) for visit in visits] or [end]
        self._known: dict[tuple[object, ...], tuple[list[list[float]], list[tuple[int, float, float]]]] = {}

    def of(self, schedule: Schedule) -> tuple[list[list[float]], list[tuple[int, float, float]]]:
        """Return the times of each dose, and of switches in the order of their times which one it is, its begin and its end.

        Parameters
        ----------
        schedule
            Doses and switches.

        Returns
        -------
        tuple
            A list of days for each dose; (index, begin, end) for each switch.

        Raises
        ------
        ConfigError
            There are more doses than one call may have.

        Examples
        --------
        >>> from betapod import Schedule, Switch
        >>> from betapod.engine.segments import Moments
        >>> Moments(3.0).of(Schedule(switches=[Switch("u", 1.0, 2.0), Switch("u", 0.0, 0.5, 1.0)]))
        ([], [(1, 0.5, 1.5), (0, 2.0, 2.0)])
        """
        repeated = tuple((dose.time, dose.ii, dose.more_until(self.end)) for dose in schedule.doses)
        switched = tuple((switch.time, switch.width) for switch in schedule.switches)
        if (key := (repeated, switched)) not in self._known:
            self._known[key] = self._numbered(repeated, switched)
        return self._known[key]

    def _numbered(
        self, repeated: Sequence[tuple[float, float, int]], switched: Sequence[tuple[float, float]]
    ) -> tuple[list[list[float]], list[tuple[int, float, float]]]:
        doses = [repeated_times(time, every, more) for time, every, more in repeated]
        exactly = [(exact_time(time), exact_time(width)) for time, width in switched]
        changes = [
            (index, *exactly[index]) for index in sorted(range(len(exactly)), key=lambda index: exactly[index][0])
        ]
        times = [time for of_dose in doses for time in of_dose]
        calendar = Calendar(
            times + [moment for _, time, width in changes for moment in (time, time + width)], self._visits
        )
        return (
            [[calendar[time] for time in of_dose] for of_dose in doses],
            [(index, calendar[time], calendar[time + width]) for index, time, width in changes],
        )


def ramps_of(
    switches: Sequence[tuple[float, float, Switch]], inputs: Mapping[str, float]
) -> dict[str, list[tuple[float, float, float]]]:
    """Return, for each switched input, pieces (time, value at that time, slope); switches come in order, with begin and end."""
    ramps: dict[str, list[tuple[float, float, float]]] = {}
    for begin, end, switch in switches:
        pieces = ramps.setdefault(switch.input, [(-math.inf, inputs[switch.input], 0.0)])
        while pieces and pieces[-1][0] >= begin:
            pieces.pop()
        time, value, slope = pieces[-1]
        present = value if math.isinf(time) else value + slope * (begin - time)
        if end > begin:
            pieces.append((begin, present, (switch.value - present) / switch.width))
        pieces.append((end, switch.value, 0.0))
    # The first piece, from ever before, is the value itself.
    return {name: pieces[1:] for name, pieces in ramps.items()}


def stretches(
    ramps: Mapping[str, Sequence[tuple[float, float, float]]],
    inputs: Mapping[str, float],
    doses: Mapping[float, Sequence[tuple[str, float]]],
    start: float,
    end: float,
) -> list[Segment]:
    """Return the stretches between `start` and `end` in which nothing begins."""
    breaks = {start, end, *doses}
    breaks.update(time for pieces in ramps.values() for time, _, _ in pieces if start < time < end)
    segments = []
    # Pieces that have begun, by input: time goes on from stretch to stretch.
    begun = dict.fromkeys(ramps, 0)
    for begin, finish in itertools.pairwise(sorted(breaks)):
        values, slopes = dict(inputs), dict.fromkeys(inputs, 0.0)
        for name, pieces in ramps.items():
            k = begun[name]
            while k < len(pieces) and pieces[k][0] <= begin:
                k += 1
            begun[name] = k
            if k:
                time, value, slope = pieces[k - 1]
                values[name], slopes[name] = value + slope * (begin - time), slope
        segments.append(Segment(begin, finish, values, slopes, tuple(doses.get(begin, ()))))
    return segments or [Segment(start, end, dict(inputs), dict.fromkeys(inputs, 0.0), tuple(doses.get(start, ())))]


def present_inputs(
    ramps: Mapping[str, Sequence[tuple[float, float, float]]], inputs: Mapping[str, float], begin: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Return every input at a time, and its change per day from then on."""
    values, slopes = dict(inputs), dict.fromkeys(inputs, 0.0)
    for name, pieces in ramps.items():
        k = bisect.bisect_right(pieces, begin, key=_time_of) - 1
        if k >= 0:
            time, value, slope = pieces[k]
            values[name], slopes[name] = value + slope * (begin - time), slope
    return values, slopes


def _time_of(piece: tuple[float, float, float]) -> float:
    return piece[0]


def inputs_at_visits(
    segments: Sequence[Segment], visits: Sequence[float] | NDArray[np.float64], inputs: Mapping[str, float]
) -> list[list[float]]:
    """Return every input as visits see it, in the order of `inputs`, their values before all: a switch at the time of a visit comes after it."""
    ends = [segment.end for segment in segments]
    by_visit = []
    for visit in visits:
        segment = segments[min(bisect.bisect_left(ends, visit), len(segments) - 1)]
        since = float(visit) - segment.start
        at_visit = [segment.values[name] + segment.slopes[name] * since for name in inputs]
        by_visit.append(at_visit if visit > 0.0 else list(inputs.values()))
    return by_visit
