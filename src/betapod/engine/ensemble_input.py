"""What an ensemble is asked to integrate, checked: patients, visits, schedules, initial states."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.arguments import by_name, floats, instance, wrong
from ..base.errors import ConfigError, Location, ParameterError, Problem, did_you_mean, unit_in
from ..model.assembly.model import Model
from ..model.assembly.possible_states import impossible_start
from ..model.parameters.possible_values import excludes_zero, impossible_columns, possible_bounds, stays_positive
from .limits import MOST_ENSEMBLE_VALUES, SHORTEST
from .schedule import Dose, Schedule, Switch

#: Reads all that an order says.
_SAID = {kind: operator.attrgetter(*(field.name for field in fields(kind))) for kind in (Dose, Switch)}


@dataclass(frozen=True)
class PreparedPatients:
    """Patients whose schedules have neither infusions nor steady states.

    Attributes
    ----------
    count
        How many.
    columns, starts
        Values and initial states in which they differ: name -> (patients,).
    visits
        (visits,) when they are seen.
    schedules, which
        All schedules, and the number of each patient's.
    atol
        (schedules, states) absolute error tolerated in one step.
    """

    count: int
    columns: dict[str, NDArray[np.float64]]
    starts: dict[str, NDArray[np.float64]]
    visits: NDArray[np.float64]
    schedules: list[Schedule]
    which: NDArray[np.int64]
    atol: NDArray[np.float64]

    def part(self, first: int, last: int) -> PreparedPatients:
        """Return some of the patients: the first, and the one behind the last."""
        columns, starts = (
            {name: column[first:last] for name, column in named.items()} for named in (self.columns, self.starts)
        )
        count = min(last, self.count) - first
        return replace(self, count=count, columns=columns, starts=starts, which=self.which[first:last])


def patient_columns(model: Model, patients: Any) -> tuple[int, dict[str, NDArray[np.float64]]]:
    """Return how many patients there are, and the values in which they differ.

    Raises
    ------
    ConfigError, ParameterError
        Impossible numbers of patients; unknown names, wrong lengths, numbers that are not finite; all at once.
    """
    if isinstance(patients, (int, np.integer)) and not isinstance(patients, bool):
        if patients < 0:
            raise ConfigError(Problem("bad-patients", "the number of patients is negative"))
        if patients > MOST_ENSEMBLE_VALUES:
            expected = f"at most {MOST_ENSEMBLE_VALUES:,}"
            raise ConfigError(Problem("too-large", "these are too many patients for one call", expected=expected))
        return int(patients), {}
    if sound := _sound_columns(model, patients):
        return len(next(iter(sound.values()))), sound
    problems = []
    columns: dict[str, NDArray[np.float64]] = {}
    if not isinstance(patients, Mapping) and not hasattr(patients, "iloc"):
        expected = "how many, or values by name, such as {'age': [50, 60]}"
        raise ParameterError(wrong("patients", patients, expected, "bad-patients"))
    allowed = (*model.parameters, *model.inputs)
    for name in patients:
        where = Location(f"patients[{name!r}]")
        column = np.atleast_1d(floats(f"patients[{name!r}]", patients[name], ParameterError))
        if name not in model.parameters and name not in model.inputs:
            hint = unit_in(str(name), allowed) or did_you_mean(str(name), allowed)
            problems.append(Problem("unknown-name", f"{model.name} has no parameter {name!r}", where, hint=hint))
        elif column.ndim != 1 or not np.isfinite(column).all():
            problems.append(Problem("bad-value", f"{name!r} needs one finite number per patient", where))
        columns[str(name)] = column
    problems += impossible_columns({**model.parameters, **model.inputs}, columns)
    lengths = {name: len(column) for name, column in columns.items() if column.ndim == 1}
    if len(set(lengths.values())) > 1:
        problems.append(Problem("bad-length", "the columns have different lengths", found=str(lengths)))
    if problems:
        raise ParameterError(problems)
    if not columns:
        if hasattr(patients, "iloc") and len(patients):
            return len(patients), {}
        raise ParameterError(
            Problem(
                "no-patients",
                "no parameter differs between the patients, so their number is not known",
                hint="Give the number instead: run(100, times).",
            )
        )
    return next(iter(lengths.values())), columns


def _sound_columns(model: Model, patients: Any) -> dict[str, NDArray[np.float64]]:
    """Return values of patients with which nothing is wrong, looked at together; nothing where something may be: what it is takes longer to say."""
    table = _table_of(patients)
    limits = _limits_together(model, tuple(patients)) if table is not None else None
    if table is None or limits is None:
        return {}
    low, high, not_zero = limits
    lowest, highest = table.min(axis=1), table.max(axis=1)
    # What is no number compares with nothing.
    within = (low <= lowest) & (highest <= high) & np.isfinite(lowest) & np.isfinite(highest)
    sound = within.all() and not np.any(table[not_zero] == 0.0)
    return dict(zip(patients, table, strict=True)) if sound else {}


def _table_of(columns: Any) -> NDArray[np.float64] | None:
    """Return columns that are all arrays of so many doubles as one table, (names, patients); None where any is something else."""
    if not isinstance(columns, Mapping) or not columns:
        return None
    shapes = {
        values.shape if type(values) is np.ndarray and values.dtype == np.float64 else None
        for values in columns.values()
    }
    shape = shapes.pop()
    if shapes or shape is None or len(shape) != 1 or not shape[0]:
        return None
    return np.array(list(columns.values()))


@functools.lru_cache(maxsize=64)
def _limits_together(
    model: Model, names: tuple[str, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]] | None:
    """Return what some parameters and inputs can be: the lowest and the highest of each, and the places of those that cannot be 0."""
    rows = {**model.parameters, **model.inputs}
    if any(name not in rows for name in names):
        return None
    low, high = np.array([possible_bounds(rows[name]) for name in names]).T
    return low, high, np.flatnonzero([excludes_zero(rows[name]) for name in names])


def visit_times(times: ArrayLike) -> NDArray[np.float64]:
    """Return the visits as an array of days.

    Raises
    ------
    ConfigError
        They do not increase from 0 on.
    """
    visits = np.ascontiguousarray(floats("times", times))
    good = visits.ndim == 1 and visits.size and np.all(np.isfinite(visits)) and visits[0] >= 0.0
    if not good or np.any(np.diff(visits) <= 0.0) or 0.0 < visits[-1] < SHORTEST:
        raise ConfigError(Problem("bad-times", "the times must be increasing days from 0 on"))
    return visits


def distinct_schedules(
    model: Model, schedule: Schedule | Sequence[Schedule] | None, count: int
) -> tuple[list[Schedule], NDArray[np.int64]]:
    """Return the different schedules, and the number of each patient's.

    Raises
    ------
    ConfigError
        They are not as many as patients, or do not fit the model.
    """
    if schedule is None or isinstance(schedule, Schedule):
        item = Schedule() if schedule is None else schedule
        item.check(model)
        return [item], np.zeros(count, dtype=np.int64)
    expected = "a Schedule, or one for each patient"
    instance("schedule", schedule, Sequence, expected)
    for item in schedule:
        instance("schedule", item, Schedule, expected)
    if len(schedule) != count:
        raise ConfigError(
            Problem(
                "bad-length",
                "there must be one schedule per patient",
                found=str(len(schedule)),
                expected=str(count),
            )
        )
    numbers: dict[int, int] = {}
    contents: dict[tuple[object, ...], int] = {}
    sound: set[object] = set()
    distinct: list[Schedule] = []
    which = np.empty(count, dtype=np.int64)
    for i, item in enumerate(schedule):
        if id(item) not in numbers:
            # Schedules of equal content share one table, however often they were made.
            content = _content(item.doses), _content(item.switches)
            if content not in contents:
                contents[content] = len(distinct)
                # Thousands of schedules are made of a few orders.
                doses = [dose for dose, key in zip(item.doses, content[0], strict=True) if key not in sound]
                switches = [switch for switch, key in zip(item.switches, content[1], strict=True) if key not in sound]
                new = Schedule([] if _are_usual(model, doses) else doses, switches)
                if new.doses or new.switches:
                    new.check(model)
                sound.update(*content)
                distinct.append(item)
            numbers[id(item)] = contents[content]
        which[i] = numbers[id(item)]
    return distinct or [Schedule()], which


def _content(orders: Sequence[Dose] | Sequence[Switch]) -> tuple[object, ...]:
    """Return what each of some orders says: what equal orders have in common, compared sooner than the orders themselves."""
    try:
        return tuple(map(_SAID[type(orders[0])], orders)) if orders else ()
    except (AttributeError, KeyError, TypeError):
        # Something that is no order is told by `Schedule.check`.
        return tuple(orders)


def _are_usual(model: Model, doses: Sequence[Dose]) -> bool:
    """Return whether nothing is wrong with doses, all given at once; `Schedule.check` looks at others one by one."""
    try:
        states, amounts, times, every, more, durations, rates, steady = zip(*map(_SAID[Dose], doses), strict=True)
    except (AttributeError, ValueError):
        return False
    numbers = (*amounts, *times, *every, *durations, *rates)
    plain = set(map(type, numbers)) == {float} and set(map(type, more)) == {int} and set(map(type, steady)) == {bool}
    return (
        plain
        and all(map(math.isfinite, numbers))
        and min(*numbers, *more) >= 0
        and all(interval > 0.0 for interval, further in zip(every, more, strict=True) if further)
        and not any((*durations, *rates, *steady))
        and set(states) <= set(model.state_names)
    )


def initial_states(model: Model, initial: Mapping[str, ArrayLike] | None, count: int) -> dict[str, NDArray[np.float64]]:
    """Return the states that start elsewhere: name -> (patients,).

    Raises
    ------
    ConfigError
        Unknown states, wrong lengths, numbers that are not finite or impossible; all at once.
    """
    table = _table_of(initial)
    if table is not None and table.shape[1] == count and _can_start(model, tuple(initial or ()), table):
        return dict(zip(initial or (), table, strict=True))
    starts: dict[str, NDArray[np.float64]] = {}
    problems = []
    for name, start in by_name("initial", {} if initial is None else initial).items():
        values = floats(f"initial {name}", start)
        if name not in model.state_names:
            hint = did_you_mean(name, model.state_names)
            problems.append(Problem("unknown-state", f"{name!r} is not a state", hint=hint))
        elif values.shape not in ((), (count,)) or not np.all(np.isfinite(values)):
            problems.append(Problem("bad-value", f"the start of {name!r} needs one finite number per patient"))
        elif values.size and (bad := impossible_start(model, name, float(values.min()), Location("initial"))):
            problems.append(bad)
        else:
            starts[name] = np.broadcast_to(values, (count,))
    if problems:
        raise ConfigError(problems)
    return starts


def _can_start(model: Model, names: tuple[str, ...], table: NDArray[np.float64]) -> bool:
    """Return whether all states are there and can start from their rows of a table, looked at together."""
    lowest = _lowest_starts(model, names)
    # What is no number compares with nothing.
    return lowest is not None and bool(np.all(table.min(axis=1) >= lowest) and np.all(np.isfinite(table)))


@functools.lru_cache(maxsize=64)
def _lowest_starts(model: Model, names: tuple[str, ...]) -> NDArray[np.float64] | None:
    """Return the lowest number from which each of some states can start; None where one is not there."""
    if not set(names) <= set(model.state_names):
        return None
    return np.array([0.0 if stays_positive(model.units[name]) else -np.inf for name in names])
