"""Events of people, read off their visits: who is at risk, who has the event and when.

Each row of ``study_events.csv`` says which event an endpoint of the registry is:

=========== ==========================================================================================================
column      meaning
=========== ==========================================================================================================
study       a study, or ``*`` for every study without a row of its own
endpoint    class of endpoint, as in the registry
wording     words that the statistic must contain, where one study has two definitions; may be empty
event       terms with ``and`` or ``or`` (`event_terms`), and outcomes such as ``death`` or ``mace`` with ``or``: ``UACR > 300``,
            ``eGFR -40 %``, ``creatinine x 2``, ``UACR class better``, ``kidney failure``. Slopes are judged on the last visit. Empty
            where the model does not have what is counted, and the note says why
at risk     terms that hold at the start for people who can have the event; empty for everybody
every       weeks between visits
confirmed   1 if the next visit must confirm it, 0 if not
weeks       follow-up, week, where the registry gives the time unit of a rate in its place; may be empty
note        what was assumed
free of     outcomes (`hazards.outcome_rates.OUTCOMES`, with ``and``) that must not have come since counting began
while       terms: only time in which measured values meet them is watched, and only outcomes in it count; empty for all time
year        calendar year of week 0 where the arm has none, for absolute rates of outcomes; empty for that of their table
samples     urine samples whose mean is taken on a visit; 3 unless said otherwise, as classes of albuminuria ask for
from        week in which counting begins and people are at risk, where treatment began before; 0 unless said otherwise
=========== ==========================================================================================================
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ...base.errors import ConfigError, Location, Problem, did_you_mean
from ...evidence.records.study import Record
from ...hazards.outcome_rates import OUTCOMES
from .event_terms import clauses_of
from .study_tables import own_tables

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
#: Weeks between visits from which on an event is one of the last visit alone.
_LAST_ONLY = 520.0
#: Weeks between the visits through which a slope is laid.
_STEP = 26.0


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


def _choices(event: str) -> list[str]:
    return [choice.strip() for choice in event.split(" or ")]


def _visits(last: float) -> list[float]:
    """Return the weeks through which a slope is laid."""
    count = max(1, round(last / _STEP))
    return [last * k / count for k in range(count + 1)]


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
                clauses_of(text)
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
