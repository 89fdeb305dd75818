"""A person's rows as stretches of time: each from a start, or a reset, to the next, with a schedule and the rows that are seen in it.

Rows of one time are taken in the order of the file: what is observed in a row before a dose is the trough, after it what the dose made. Further doses of a
row (ADDL) that meet a row come before it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConfigError, Location, Problem
from ...model import Model
from ...model.algebra.expression import TIME, topological
from ..calendar import SAME, exact_time, repeated_times
from ..schedule import Dose, Schedule, Switch
from ..steady import continued
from .event_record import EventRecord, NonmemSettings, Subject

#: A time is told from another by more than `calendar.SAME` of it, and at 0 by this share of the whole.
_APART, _SHARE = 4.0 * SAME, 1e-14
#: A step of a time that comes after all others of it.
_LAST = 20


@dataclass(frozen=True)
class Stretch:
    """What happens to a person from one start on.

    Attributes
    ----------
    begin
        Time of the table at which it begins; all other times count from there.
    schedule
        What is given and changed; a steady state at its start is in it, unless `train` has it.
    covariates
        Values at the start.
    times, records
        (n,) when rows are seen, and their numbers among those of the person.
    train
        Doses whose steady state the person starts from, where that is not the one of her own first dose.
    added
        Whether that steady state is added to what was before.
    """

    begin: float
    schedule: Schedule
    covariates: Mapping[str, float]
    times: NDArray[np.float64]
    records: NDArray[np.int64]
    train: Schedule | None = None
    added: bool = False

    @property
    def plain(self) -> bool:
        """Whether one run from the model's start simulates it."""
        return self.train is None and not self.added


@dataclass
class _Building:
    """Rows of a stretch that is not yet finished."""

    first: EventRecord
    records: list[tuple[int, EventRecord]] = field(default_factory=list)
    carried: list[Dose] = field(default_factory=list)


def stretches_of(subject: Subject, model: Model, settings: NonmemSettings, file: str = "") -> list[Stretch]:
    """Return the stretches of a person.

    Parameters
    ----------
    settings
        How covariates go between rows.
    file
        Of the table, for messages.

    Raises
    ------
    ConfigError
        A stretch that begins at another time than 0 in a model whose rates change with time, or a schedule that does not fit the model.

    Examples
    --------
    >>> import betapod
    >>> from betapod.engine.nonmem.event_record import EventRecord, NonmemSettings, Subject
    >>> from betapod.engine.nonmem.stretches import stretches_of
    >>> rows = (EventRecord(2, 0.0, 1, "glucose", 50.0), EventRecord(3, 0.0, 0), EventRecord(4, 1.0, 3), EventRecord(5, 2.0, 0))
    >>> [stretch.begin for stretch in stretches_of(Subject("1", rows), betapod.load_model("topp2000"), NonmemSettings())]
    [0.0, 1.0]
    """
    parts: list[_Building] = []
    for number, record in enumerate(subject.records):
        starts = not parts or record.is_reset or (record.steady and not _joins(record, parts[-1]))
        if starts:
            parts.append(_Building(record))
        parts[-1].records.append((number, record))
    _check_clock(model, parts, file)
    stretches: list[Stretch] = []
    for k, part in enumerate(parts):
        added = k > 0 and part.first.steady == 2
        if added:
            part.carried = _pending(stretches[-1], part.first.time - stretches[-1].begin)
        after = parts[k + 1].first if k + 1 < len(parts) else None
        stretches.append(_finished(part, after, model, settings, added))
    return stretches


def _joins(record: EventRecord, part: _Building) -> bool:
    """Return whether a dose of a steady state at the start of a stretch belongs to its train: given at once with others, every as often."""
    if record.steady != 2 or record.time != part.first.time or not part.first.steady:
        return False
    return record.every > 0.0 and record.every == part.first.every


def _check_clock(model: Model, parts: Sequence[_Building], file: str) -> None:
    late = [part.first for part in parts if part.first.time != 0.0]
    if late and TIME in topological([state.rate for state in model.states]):
        message = "rates of the model change with time by themselves, so a person can begin at time 0 alone"
        hint = "Rows before the first dose, and resets, begin a person anew."
        raise ConfigError(
            [Problem("unsupported", message, Location(file, r.line), f"TIME={r.time:g}", "0", hint) for r in late[:3]]
        )


def _finished(
    part: _Building, after: EventRecord | None, model: Model, settings: NonmemSettings, added: bool
) -> Stretch:
    begin = part.first.time
    span = max(part.records[-1][1].time - begin, after.time - begin if after is not None else 0.0)
    slots = _slots([record for _, record in part.records])
    doses, train = _doses(part, model, begin, span, added, [dosed for dosed, _ in slots])
    courses = _courses(part.records, after, begin)
    covariates = {name: points[0][1] for name, points in courses.items()}
    switches = [
        switch for name, points in courses.items() for switch in _switches(name, points, settings.covariates, span)
    ]
    schedule = Schedule((*part.carried, *doses), tuple(switches))
    times = [
        _in_slot(_since(record.time, begin), visible, span)
        for (_, record), (_, visible) in zip(part.records, slots, strict=True)
    ]
    numbers = [number for number, _ in part.records]
    order = np.argsort(times, kind="stable")
    return Stretch(
        begin, schedule, covariates, np.array(times)[order], np.array(numbers, dtype=np.int64)[order], train, added
    )


def _since(time: float, begin: float) -> float:
    """Return the time since a start; differences of numbers as they were written."""
    return float(exact_time(time) - exact_time(begin))


def moment_after(time: float, span: float) -> float:
    """Return a difference by which times are told apart, and that nothing else notices."""
    return max(_APART * time, _SHARE * span, 1e-90)


# -- doses -----------------------------------------------------------------------------------------------------------


def _slots(records: Sequence[EventRecord]) -> list[tuple[int, int]]:
    """Return when each row gives and is seen, as steps of one time: what is seen in a step comes before what is given in it."""
    slots: list[tuple[int, int]] = []
    step, dosed, time = 0, False, float("nan")
    for number, record in enumerate(records):
        if record.time != time:
            step, time = 0, record.time
            dosed = any(_comes_again(other, record.time) for other in records[:number])
        if record.is_dose:
            slots.append((step, step + 1))
            dosed = True
            continue
        step, dosed = step + dosed, False
        slots.append((step, step))
    return slots


def _in_slot(time: float, step: int, span: float) -> float:
    """Return the moment of a step of a time."""
    return time + step * moment_after(time, span) if step else time


def _doses(
    part: _Building, model: Model, begin: float, span: float, added: bool, steps: Sequence[int]
) -> tuple[list[Dose], Schedule | None]:
    """Return what is given, and the train of a steady state that the doses themselves do not hold."""
    doses: list[Dose] = []
    trains: list[Dose] = []
    for (_, record), step in zip(part.records, steps, strict=True):
        if not record.is_dose:
            continue
        if record.steady and not record.amount:
            trains.append(_endless(record, model, span))
            continue
        time = _since(record.time, begin)
        every = record.every * bool(record.more or record.steady)
        dose = Dose(record.state, record.amount, time, every, record.more, record.duration, record.rate)
        if record.steady and added:
            trains.append(replace(dose, ss=True, addl=0))
        doses += _given(replace(dose, ss=bool(record.steady) and not added), _in_slot(time, step, span))
    return doses, Schedule(tuple(trains)) if trains else None


def _given(dose: Dose, moment: float) -> list[Dose]:
    """Return a dose with its first one at a moment of its time; the further ones keep to theirs."""
    if moment == dose.time:
        return [dose]
    first = replace(dose, time=moment, ii=0.0, addl=0)
    if not dose.addl:
        return [first]
    return [first, replace(dose, time=dose.time + dose.ii, addl=dose.addl - 1)]


def _endless(record: EventRecord, model: Model, span: float) -> Dose:
    """Return an infusion without end, or nothing at all, as a train whose steady state it is."""
    period = span or 1.0
    state = record.state or model.state_names[0]
    return Dose(state, record.rate * period, ii=period, duration=period if record.rate else 0.0, ss=True)


def _pending(stretch: Stretch, elapsed: float) -> list[Dose]:
    """Return what is still to come of the doses of a stretch once those of a time have been given, counted from then."""
    left: list[Dose] = []
    for dose in continued(stretch.schedule).doses:
        rate = dose.rate or (float(exact_time(dose.amount) / dose.length) if dose.length else 0.0)
        for time in repeated_times(dose.time, dose.ii, dose.addl):
            since = float(time - exact_time(elapsed))
            rest = float(time + dose.length - exact_time(elapsed))
            if since > 0.0:
                left.append(Dose(dose.state, dose.amount, since, duration=float(dose.length)))
            elif rest > 0.0:
                left.append(Dose(dose.state, rate * rest, duration=rest))
    return left


def _comes_again(dose: EventRecord, time: float) -> bool:
    """Return whether a further dose of a row meets a time."""
    if not dose.is_dose or not dose.more or dose.time >= time:
        return False
    number = (exact_time(time) - exact_time(dose.time)) / exact_time(dose.every)
    return 0 < round(number) <= dose.more and abs(float(number) - round(number)) <= 1e-12 * max(float(number), 1.0)


# -- covariates ------------------------------------------------------------------------------------------------------


def _courses(
    records: Sequence[tuple[int, EventRecord]], after: EventRecord | None, begin: float
) -> dict[str, list[tuple[float, float]]]:
    """Return values of covariates at times; the first row that has one says what was before."""
    courses: dict[str, list[tuple[float, float]]] = {}
    # What comes after a steady state that is added still says how covariates go until then.
    for record in [record for _, record in records] + ([after] if after is not None and after.steady == 2 else []):
        for name, value in record.covariates.items():
            courses.setdefault(name, []).append((_since(record.time, begin), value))
    return courses


def _switches(name: str, points: Sequence[tuple[float, float]], rule: str, span: float) -> list[Switch]:
    """Return the switches that lead a covariate from its first value on."""
    switches = []
    for (time, value), (then, new) in itertools.pairwise(points):
        if new == value:
            continue
        if rule == "linear" and then > time:
            switches.append(Switch(name, new, time, then - time))
        elif rule == "backward":
            # At a row its own value holds, and where it is seen after a dose, too; the next one's begins right after that.
            switches.append(Switch(name, new, time + _LAST * moment_after(time, span)))
        else:
            switches.append(Switch(name, new, max(then - moment_after(then, span), 0.0)))
    return switches


def varying_covariates(stretches: Sequence[Stretch]) -> tuple[str, ...]:
    """Return the covariates that change within somebody's stretch."""
    return tuple(sorted({switch.input for stretch in stretches for switch in stretch.schedule.switches}))
