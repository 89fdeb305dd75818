"""Events of people, read off their visits: who is at risk, who has the event and when.

Each row of ``study_events.csv`` says which event an endpoint of the registry is:

=========== ==========================================================================================================
column      meaning
=========== ==========================================================================================================
study       a study, or ``*`` for every study without a row of its own
endpoint    class of endpoint, as in the registry
wording     words that the statistic must contain, where one study has two definitions; may be empty
event       terms with ``and`` or ``or``: ``UACR > 300``, ``eGFR < 60``, ``UACR 30 to 300``, ``eGFR -40 %`` (a fall by that share
            of the value at the start), ``creatinine x 2``, ``UACR class better`` or ``eGFR class worse`` (by a class of KDIGO or
            more than at the start), ``HbA1c change <= -1`` from the start, ``kidney failure``, an outcome such as ``death`` or ``mace``, a condition such as ``insulin_independence``, or for the last visit alone
            the slope through all: ``eGFR slope < -5`` per year, ``eGFR slope < -4 %`` of the start. Empty where the model does not
            have what is counted, and the note says why
at risk     terms that hold at the start for people who can have the event; empty for everybody
every       weeks between visits
confirmed   1 if the next visit must confirm it, 0 if not
weeks       follow-up, week, where the registry gives the time unit of a rate in its place; may be empty
note        what was assumed
free of     outcomes (`hazards.outcome_rates.OUTCOMES`, with ``and``) that must not have come since counting began
while       terms: only time in which they hold is watched, and only outcomes in it count; empty for all time
year        calendar year of week 0 where the arm has none, for absolute rates of outcomes; empty for that of their table
samples     urine samples whose mean is taken on a visit; 3 unless said otherwise, as classes of albuminuria ask for
from        week in which counting begins and people are at risk, where treatment began before; 0 unless said otherwise
=========== ==========================================================================================================
"""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...base.constants import DAYS_PER_WEEK, DAYS_PER_YEAR
from ...base.errors import ConfigError, Location, Problem, did_you_mean
from ...evidence.records.study import Record
from ...hazards.outcome_rates import OUTCOMES
from ...observables import kdigo
from ...observables.outcomes import SHARES, Flags, Readings
from .study_tables import own_tables
from .visits import Numbers, compared

_PATH = Path(__file__).with_name("events.csv")
#: Kinds of numbers that an event gives, and their form.
FORMS = {
    "proportion": "share",
    "count": "share",
    "rate": "rate",
    "hazard_ratio": "hazard ratio",
    "risk_ratio": "risk ratio",
    "odds_ratio": "odds ratio",
    "difference": "difference",
}
_FAILURE = "kidney failure"
#: Weeks between visits from which on an event is one of the last visit alone.
_LAST_ONLY = 520.0
#: Weeks between the visits through which a slope is laid.
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

#: Whether something holds of everybody in a week, given the weeks of kidney failure (inf without).
Test = Callable[[Readings, float, Numbers], Flags]


@dataclass(frozen=True)
class CountedEvent:
    """Something that happens to people once.

    Attributes
    ----------
    event, at_risk
        As written, see the module; `at_risk` may be empty.
    every
        Weeks between visits.
    confirmed
        Whether the next visit must confirm it.
    follow_up
        Weeks, where the row's own time is not the follow-up.
    samples
        Of urine on a visit.
    begins
        Week in which people are at risk and counting begins; falls and slopes are from week 0 nevertheless.
    free_of, within
        Outcomes that must not have come, and terms of the time that is watched (column ``while``); may be empty.
    year
        Calendar year of week 0 where the arm has none; 0 where it does not matter.
    """

    event: str
    at_risk: str = ""
    every: float = 26.0
    confirmed: bool = True
    follow_up: float | None = None
    note: str = ""
    samples: int = 3
    begins: float = 0.0
    free_of: str = ""
    within: str = ""
    year: float = 0.0

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Outcomes that are the event, or parts of it."""
        return tuple(term for term in _choices(self.event) if term in OUTCOMES)

    @property
    def measured(self) -> str:
        """The event without its outcomes, which are no terms of visits; may be empty."""
        return " or ".join(term for term in _choices(self.event) if term not in OUTCOMES)

    @property
    def free(self) -> tuple[str, ...]:
        """Outcomes that must not have come."""
        return tuple(term.strip() for term in self.free_of.split(" and ") if term.strip())

    @property
    def at_last(self) -> bool:
        """Whether it is judged on the last visit alone, so that only those who live to see it are counted."""
        return bool(self.measured) and (self.slope or (not self.confirmed and self.every >= _LAST_ONLY))

    def end(self, last: float) -> float:
        """Return the week of the last visit that counts."""
        return self.weeks(last)[-2 if self.confirmed and not self.slope else -1]

    @property
    def slope(self) -> bool:
        """Whether it is a slope through all visits, known at the last."""
        return " slope" in self.event

    def weeks(self, last: float) -> list[float]:
        """Return the weeks of visits from the start on, with one after the end where events are confirmed."""
        end = self.follow_up or last
        if self.slope:
            return _visits(end)
        count = max(1, round((end - self.begins) / self.every))
        step = (end - self.begins) / count
        return [self.begins + step * k for k in range(count + 1 + self.confirmed)]

    def passages(self, observed: Readings, failed: Numbers, last: float) -> tuple[Flags, Flags, Numbers]:
        """Return who is at risk, who of them has the event on a visit, and for how many years each was watched.

        Parameters as of `first_visits`.
        """
        risk, happened, first = self.first_visits(observed, failed, last)
        watched = np.minimum(first, np.maximum(failed, 1e-9)) - self.begins
        years = np.where(risk, np.maximum(watched, 0.0), 0.0) * DAYS_PER_WEEK / DAYS_PER_YEAR
        return risk, happened, np.asarray(years, dtype=np.float64)

    def first_visits(self, observed: Readings, failed: Numbers, last: float) -> tuple[Flags, Flags, Numbers]:
        """Return who is at risk, who of them has the event on a visit, and its week, or that of the last visit without.

        Parameters
        ----------
        observed
            Of shape (..., people).
        failed
            Week of kidney failure, inf without, shape (people,).
        last
            Week of the row.
        """
        weeks = self.weeks(last)
        holds = parsed(self.measured) if self.measured else _never
        table = np.stack([holds(observed, week, failed) for week in weeks], axis=-1)
        if self.slope:
            table[..., :-1] = False
        elif self.confirmed:
            table = table[..., :-1] & table[..., 1:]
            weeks = weeks[:-1]
        table[..., 0] = False
        risk = (
            parsed(self.at_risk)(observed, self.begins, failed)
            if self.at_risk
            else np.ones(table.shape[:-1], dtype=bool)
        )
        first = np.where(table.any(axis=-1), np.array(weeks)[table.argmax(axis=-1)], weeks[-1])
        happened = table.any(axis=-1) & risk
        if not self.slope:
            # Nobody is watched beyond the visit that finds kidney failure.
            visits = np.append(weeks, np.inf)
            happened &= first <= visits[np.searchsorted(weeks, failed)]
        return risk, happened, first


def _choices(event: str) -> list[str]:
    return [choice.strip() for choice in event.split(" or ")]


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
            _check(match["name"], event)
            return make(match)
    raise ConfigError(
        Problem(
            "bad-event",
            f"cannot read {text!r} in the event {event!r}",
            expected="such as 'UACR > 300', 'UACR 30 to 300', 'eGFR -40 %', 'creatinine x 2' or 'kidney failure'",
            hint=did_you_mean(text, SHARES),
        )
    )


def _check(name: str, event: str) -> None:
    if name not in compared():
        problem = Problem(
            "unknown-quantity",
            f"the event {event!r} names no quantity",
            found=name,
            hint=did_you_mean(name, compared()),
        )
        raise ConfigError(problem)


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


@functools.cache
def _table() -> dict[tuple[str, str], list[tuple[str, CountedEvent]]]:
    with _PATH.open(encoding="utf-8", newline="") as file:
        numbered = [(Location(_PATH.name, number), row) for number, row in enumerate(csv.DictReader(file), start=2)]
    return events_of_rows(numbered)


def events_of_rows(
    numbered: Iterable[tuple[Location, Mapping[str, str]]],
) -> dict[tuple[str, str], list[tuple[str, CountedEvent]]]:
    """Return events by study and endpoint, of rows in which every column stands, each with its place.

    Raises
    ------
    ConfigError
        Everything that is wrong with them.
    """
    events: dict[tuple[str, str], list[tuple[str, CountedEvent]]] = {}
    problems = []
    for location, row in numbered:
        try:
            event = CountedEvent(
                row["event"],
                row["at risk"],
                float(row["every"] or 26.0),
                row["confirmed"] == "1",
                float(row["weeks"]) if row["weeks"] else None,
                row["note"],
                int(row["samples"] or 3),
                float(row["from"] or 0.0),
                row["free of"] or "",
                row["while"] or "",
                float(row["year"] or 0.0),
            )
            for text in filter(None, (event.measured, event.at_risk, event.within)):
                parsed(text)
            if unknown := [name for name in event.free if name not in OUTCOMES]:
                message = f"there is no outcome {unknown[0]!r}"
                raise ConfigError(Problem("unknown-outcome", message, hint=did_you_mean(unknown[0], OUTCOMES)))
        except ConfigError as error:
            problems += [replace(problem, location=location) for problem in error.problems]
            continue
        events.setdefault((row["study"], row["endpoint"]), []).append((row["wording"], event))
    if problems:
        raise ConfigError(problems)
    return events


def _wordings(study: str, endpoint: str) -> list[tuple[str, CountedEvent]]:
    """Return the events of a study's endpoint by wording of the statistic, those of a user's own tables first."""
    before = own_tables().events
    return [*before.get((study, endpoint), ()), *_table().get((study, endpoint), ())]


def event_of(record: Record) -> CountedEvent | None:
    """Return the event that a row counts, or None where the model has none."""
    for study in (record.study, "*"):
        for wording, event in _wordings(study, record.endpoint):
            if wording in record.statistic_text:
                return event if event.event else None
    return None


def no_event(record: Record) -> str:
    """Return why the model cannot count what a row counts, as the row of ``study_events.csv`` without an event says it."""
    for wording, event in _wordings(record.study, record.endpoint):
        if wording in record.statistic_text:
            return "" if event.event else event.note
    return ""
