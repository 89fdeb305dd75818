"""What an ensemble is asked to integrate, checked: patients, visits, schedules, initial states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.arguments import by_name, floats, instance, wrong
from ..base.errors import ConfigError, Location, ParameterError, Problem, did_you_mean, unit_in
from ..model.assembly.model import Model
from ..model.assembly.possible_states import impossible_start
from ..model.parameters.possible_values import impossible_columns
from .limits import MOST_ENSEMBLE_VALUES, SHORTEST
from .schedule import Dose, Schedule, Switch


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
    sound: set[Dose | Switch] = set()
    distinct: list[Schedule] = []
    which = np.empty(count, dtype=np.int64)
    for i, item in enumerate(schedule):
        if id(item) not in numbers:
            # Schedules of equal content share one table, however often they were made.
            content = tuple(item.doses), tuple(item.switches)
            if content not in contents:
                contents[content] = len(distinct)
                # Thousands of schedules are made of a few orders.
                new = Schedule(
                    [dose for dose in content[0] if dose not in sound],
                    [switch for switch in content[1] if switch not in sound],
                )
                if new.doses or new.switches:
                    new.check(model)
                    sound.update(new.doses, new.switches)
                distinct.append(item)
            numbers[id(item)] = contents[content]
        which[i] = numbers[id(item)]
    return distinct or [Schedule()], which


def initial_states(model: Model, initial: Mapping[str, ArrayLike] | None, count: int) -> dict[str, NDArray[np.float64]]:
    """Return the states that start elsewhere: name -> (patients,).

    Raises
    ------
    ConfigError
        Unknown states, wrong lengths, numbers that are not finite or impossible; all at once.
    """
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
