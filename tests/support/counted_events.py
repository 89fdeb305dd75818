"""Events counted by luck: the definition that chances of events must agree with, by drawing every measurement.

People are measured again and again; each time it is seen whether terms hold on each visit, by plain comparisons. Slow, and a staircase as a
function of the course.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence

import numpy as np

from betapod.base.constants import DAYS_PER_WEEK, DAYS_PER_YEAR
from betapod.observables import kdigo
from betapod.observables.outcomes import SHARES, Flags, Readings
from betapod.validation.predictions.event_counts import Counts
from betapod.validation.predictions.outcome_chances import chances_on
from betapod.validation.predictions.study_courses import Courses
from betapod.validation.predictions.study_events import CountedEvent
from betapod.validation.predictions.visits import URINE, Numbers, seen_in

#: Whether something holds of everybody in a week, given the weeks of kidney failure (inf without).
Test = Callable[[Readings, float, Numbers], Flags]

_FAILURE = "kidney failure"
_STEP = 26.0
_NUMBER = r"[\d.]+"
_BOUND = re.compile(rf"(?P<name>\w+)\s*(?P<sign><=|>=|<|>)\s*(?P<bound>{_NUMBER})")
_RANGE = re.compile(rf"(?P<name>\w+)\s+(?P<low>{_NUMBER})\s+to\s+(?P<high>{_NUMBER})")
_SHARE = re.compile(rf"(?P<name>\w+)\s*(?P<sign>[-+])\s*(?P<share>{_NUMBER})\s*%")
_SLOPE = re.compile(rf"(?P<name>\w+)\s+slope\s*(?P<sign><=|>=|<|>)\s*(?P<bound>-?{_NUMBER})\s*(?P<percent>%?)")
_TIMES = re.compile(rf"(?P<name>\w+)\s+x\s*(?P<factor>{_NUMBER})")
_CHANGE = re.compile(rf"(?P<name>\w+)\s+change\s*(?P<sign><=|>=|<|>)\s*(?P<bound>-?{_NUMBER})")
_CLASS = re.compile(r"(?P<name>UACR|eGFR)\s+class\s+(?P<way>better|worse)")
#: Numbers of classes, the worse the higher; -1 without a value.
_CLASSES = {"UACR": kdigo.a_number, "eGFR": kdigo.g_number}
_COMPARE: dict[str, Callable[[Numbers, float], Flags]] = {
    "<": lambda x, y: np.asarray(x < y),
    "<=": lambda x, y: np.asarray(x <= y),
    ">": lambda x, y: np.asarray(x > y),
    ">=": lambda x, y: np.asarray(x >= y),
}


def counted_by_luck(
    group: Courses, event: CountedEvent, last: float, seed: Sequence[int], draws: int, study: float = 1.0
) -> Counts:
    """Return what is counted on average of so many draws of all measurements, half of which mirror the others."""
    generator = np.random.default_rng(seed)

    def draw(x: Numbers) -> Numbers:
        half = generator.standard_normal((draws // 2, *x.shape[-1:]))
        return np.concatenate([half, -half])

    full = group.filled()
    observed = seen_in(full.values, group.weeks, draw, samples=dict.fromkeys(URINE, event.samples))
    risk, happened, first = first_visits(event, observed, group.failed, last)
    watched = None
    if event.within:
        state = parsed(event.within)
        watched = np.stack([state(observed, float(week), full.failed) for week in full.weeks], axis=-1).mean(axis=0)
    chances = chances_on(
        full.values, full.weeks, full.failed, full.risks, event.outcomes, event.free, watched, event.begins, event.year, study
    )  # fmt: skip

    def at(table: Numbers, week: Numbers) -> Numbers:
        return chances.at(table, np.moveaxis(np.broadcast_to(week, happened.shape), 0, -1)).T

    by_visit = happened * at(chances.alive, first) * at(chances.free, first)
    if event.at_last:
        counted, events = risk * at(chances.alive, first), by_visit
    else:
        counted, events = risk.astype(np.float64), risk * (by_visit + at(chances.events, first))
    until = first if event.outcomes else np.minimum(first, np.maximum(group.failed, event.begins))
    years = risk * at(chances.years, until)
    return Counts(*(np.broadcast_to(x, happened.shape).mean(axis=0) for x in (counted, events, years)))


def first_visits(event: CountedEvent, observed: Readings, failed: Numbers, last: float) -> tuple[Flags, Flags, Numbers]:
    """Return who is at risk, who of them has the event on a visit, and its week, or that of the last visit without."""
    weeks = event.weeks(last)
    holds = parsed(event.measured) if event.measured else _never
    table = np.stack([holds(observed, week, failed) for week in weeks], axis=-1)
    if event.slope:
        table[..., :-1] = False
    elif event.confirmed:
        table = table[..., :-1] & table[..., 1:]
        weeks = weeks[:-1]
    table[..., 0] = False
    risk = (
        parsed(event.at_risk)(observed, event.begins, failed)
        if event.at_risk
        else np.ones(table.shape[:-1], dtype=bool)
    )
    first = np.where(table.any(axis=-1), np.array(weeks)[table.argmax(axis=-1)], weeks[-1])
    happened = table.any(axis=-1) & risk
    if not event.slope:
        # Nobody is watched beyond the visit that finds kidney failure.
        visits = np.append(weeks, np.inf)
        happened &= first <= visits[np.searchsorted(weeks, failed)]
    return risk, happened, first


def _never(observed: Readings, week: float, failed: Numbers) -> Flags:
    return np.zeros(observed("eGFR", week).shape, dtype=bool)


@functools.cache
def parsed(text: str) -> Test:
    """Return what an event or state means, see the module.

    Raises
    ------
    ConfigError
        A term cannot be read, or names no quantity (the nearest is named).
    """
    choices = [[_term(part.strip(), text) for part in choice.split(" and ")] for choice in text.split(" or ")]

    def test(observed: Readings, week: float, failed: Numbers) -> Flags:
        alternatives = [
            functools.reduce(np.logical_and, [term(observed, week, failed) for term in terms]) for terms in choices
        ]
        return np.asarray(functools.reduce(np.logical_or, alternatives), dtype=bool)

    return test


def _term(text: str, event: str) -> Test:
    if text == _FAILURE:
        return lambda observed, week, failed: np.broadcast_to(failed <= week, observed("eGFR", week).shape)
    if text in SHARES:
        return lambda observed, week, failed: SHARES[text](observed, week)
    for pattern, make in _READERS:
        match = pattern.fullmatch(text)
        if match is not None:
            return make(match)
    raise ValueError(f"cannot read {text!r} in the event {event!r}")


def _bound(match: re.Match[str]) -> Test:
    name, bound, compare = match["name"], float(match["bound"]), _COMPARE[match["sign"]]
    return lambda observed, week, failed: compare(observed(name, week), bound)


def _range(match: re.Match[str]) -> Test:
    name, low, high = match["name"], float(match["low"]), float(match["high"])

    def test(observed: Readings, week: float, failed: Numbers) -> Flags:
        number = observed(name, week)
        return np.asarray((number >= low) & (number <= high))

    return test


def _share(match: re.Match[str]) -> Test:
    factor = 1.0 + (1.0 if match["sign"] == "+" else -1.0) * float(match["share"]) / 100.0
    return _relative(match["name"], factor)


def _times(match: re.Match[str]) -> Test:
    return _relative(match["name"], float(match["factor"]))


def _class(match: re.Match[str]) -> Test:
    name, number = match["name"], _CLASSES[match["name"]]
    side = 1 if match["way"] == "worse" else -1

    def test(observed: Readings, week: float, failed: Numbers) -> Flags:
        now, start = (number(observed(name, at)) for at in (week, 0.0))
        return np.asarray((side * (now - start) > 0) & (now >= 0) & (start >= 0))

    return test


def _change(match: re.Match[str]) -> Test:
    name, bound, compare = match["name"], float(match["bound"]), _COMPARE[match["sign"]]
    return lambda observed, week, failed: compare(observed(name, week) - observed(name, 0.0), bound)


def _slope(match: re.Match[str]) -> Test:
    name, bound, compare = match["name"], float(match["bound"]), _COMPARE[match["sign"]]

    def test(observed: Readings, week: float, failed: Numbers) -> Flags:
        weeks = np.array(_visits(week))
        table = np.stack([observed(name, at) for at in weeks], axis=-1)
        years = (weeks - weeks.mean()) * DAYS_PER_WEEK / DAYS_PER_YEAR
        slope = table @ years / np.maximum(np.sum(years**2), 1e-9)
        return compare(100.0 * slope / np.maximum(observed(name, 0.0), 1e-9) if match["percent"] else slope, bound)

    return test


def _visits(last: float) -> list[float]:
    """Return the weeks through which a slope is laid."""
    count = max(1, round(last / _STEP))
    return [last * k / count for k in range(count + 1)]


def _relative(name: str, factor: float) -> Test:
    compare = _COMPARE[">=" if factor > 1.0 else "<="]
    return lambda observed, week, failed: compare(observed(name, week) / np.maximum(observed(name, 0.0), 1e-9), factor)


_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Test]], ...] = (
    (_BOUND, _bound),
    (_RANGE, _range),
    (_SHARE, _share),
    (_TIMES, _times),
    (_SLOPE, _slope),
    (_CHANGE, _change),
    (_CLASS, _class),
)
