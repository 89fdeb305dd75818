"""Chances of events of people: to be at risk, to have the event on each visit for the first time, to meet a condition on a visit.

Nothing is counted: errors of measurement are integrated, so that every chance is as smooth as the course (see `visit_chances`).
An event is a set of clauses (see `event_terms`). What the clauses ask of the start is settled first: people are split by it into strata, in each of
which it holds for all or for none; measurements of the start that later ones are compared with are drawn where they leave people at risk.
On a later visit a clause is a box of ranges of what is measured, and the chance of any of several boxes is that of each, less that of two, and so on.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...base.constants import DAYS_PER_WEEK, DAYS_PER_YEAR
from ...observables.outcomes import PER_DOSE
from .event_terms import Clause, Term, clauses_of
from .visit_chances import Bound, Drawn, SeenVisits
from .visits import URINE, Numbers

if TYPE_CHECKING:
    from .study_courses import Courses
    from .study_events import CountedEvent

_ALL = (-math.inf, math.inf)
_LEAST = 1e-9
#: What dose-adjusted HbA1c is made of besides HbA1c.
_DOSE, _WEIGHT = "insulin_dose", "body_weight"
#: Kinds of terms whose bounds refer to the measurement of the start.
_RELATIVE = ("ratio", "change", "slope", "relative slope")
_SLOPES = ("slope", "relative slope")
#: Ranges of what is measured on a visit, by observable.
Ranges = dict[str, tuple[Bound, Bound]]


@dataclass(frozen=True)
class Passages:
    """Chances of people of a group, over errors of measurement.

    Attributes
    ----------
    weeks
        (visits,) on which the event may be found.
    risk
        (people,) to be at risk.
    first
        (people, visits) to be at risk and to have the event on that visit for the first time.
    """

    weeks: Numbers
    risk: Numbers
    first: Numbers


@dataclass(frozen=True)
class _Box:
    """A clause on visits: what must lie where, and whether it can hold at all (people, visits)."""

    ranges: Ranges
    possible: Bound = 1.0

    def joined(self, other: _Box) -> _Box:
        """Return both at once."""
        ranges = dict(self.ranges)
        for name, (low, high) in other.ranges.items():
            if name in ranges:
                low, high = np.maximum(ranges[name][0], low), np.minimum(ranges[name][1], high)
            ranges[name] = (low, high)
        return _Box(ranges, self.possible * other.possible)


def passages(courses: Courses, event: CountedEvent, last: float, seed: Sequence[int]) -> Passages:
    """Return who is at risk and when the event is found, people of courses without gaps (`Courses.filled`)."""
    risk_clauses = clauses_of(event.at_risk) if event.at_risk else ()
    weeks = np.array(event.weeks(last))
    again = [event.begins] if risk_clauses and event.begins > 0.0 and not event.slope else []
    visits = np.concatenate([[0.0], again, weeks[1:]])
    first_counted = len(visits) - 1 if event.slope else 1 + len(again)
    confirmed = event.confirmed and not event.slope
    looked = _Looked(
        courses,
        risk_clauses,
        clauses_of(event.measured) if event.measured else (),
        visits,
        int(np.argmin(np.abs(visits - event.begins))) if event.slope else len(again),
        slice(first_counted, len(visits)),
        tuple(seed),
        dict.fromkeys(URINE, event.samples),
    )
    event_weeks = visits[first_counted : len(visits) - confirmed]
    risk, first = np.zeros(len(courses)), np.zeros((len(courses), len(event_weeks)))
    for stratum in _strata(looked.risk, looked.event):
        measured = looked.begin(stratum)
        risk += measured.chance.mean(axis=0)
        if stratum.event:
            holds = looked.chance_on_visits(stratum, measured)
            passing = _confirmed(holds) if confirmed else _single(holds)
            first += (measured.chance[..., None] * passing).mean(axis=0)
    return Passages(event_weeks, risk, first)


def chance_on_visit(courses: Courses, text: str, week: float, seed: Sequence[int]) -> Numbers:
    """Return the chance of everybody to meet an event or condition on a visit, (people,)."""
    return _on_visits(courses, text, np.array([week]), tuple(seed), {}, apart=False)[:, 0]


def chance_over_time(courses: Courses, text: str, samples: int, seed: Sequence[int]) -> Numbers:
    """Return the chance of everybody to be found in a state in each week of the courses, (people, weeks)."""
    return _on_visits(courses, text, courses.weeks, tuple(seed), dict.fromkeys(URINE, samples), apart=True)


def _on_visits(
    courses: Courses, text: str, weeks: Numbers, seed: tuple[int, ...], samples: dict[str, int], apart: bool
) -> Numbers:
    visits = weeks if weeks[0] == 0.0 else np.concatenate([[0.0], weeks])
    counted = slice(len(visits) - len(weeks), len(visits))
    looked = _Looked(courses, (), clauses_of(text), visits, 0, counted, seed, samples, apart)
    total = np.zeros((len(courses), len(weeks)))
    for stratum in _strata(looked.risk, looked.event):
        if stratum.event:
            measured = looked.begin(stratum)
            total += (measured.chance[..., None] * looked.chance_on_visits(stratum, measured)).mean(axis=0)
    return np.asarray(total, dtype=np.float64)


def _single(holds: Numbers) -> Numbers:
    """Return the chance that an event is found on each visit for the first time, visits being independent."""
    before = np.cumprod(1.0 - holds, axis=-1)
    return np.concatenate([holds[..., :1], holds[..., 1:] * before[..., :-1]], axis=-1)


def _confirmed(holds: Numbers) -> Numbers:
    """Return the chance that an event is found on each visit for the first time and on the next one again; the last visit only confirms."""
    first = np.empty((*holds.shape[:-1], holds.shape[-1] - 1))
    # Without a confirmed event so far: found on the visit before, or not.
    once, clear = holds[..., 0], 1.0 - holds[..., 0]
    for k in range(holds.shape[-1] - 1):
        again = holds[..., k + 1]
        first[..., k] = once * again
        once, clear = clear * again, (once + clear) * (1.0 - again)
    return first


@dataclass(frozen=True)
class _Stratum:
    """People by what they began with: ranges at the start, and the clauses of risk and event that are left."""

    start: Mapping[str, tuple[float, float]]
    risk: tuple[Clause, ...]
    event: tuple[Clause, ...]


def _strata(risk: tuple[Clause, ...], event: tuple[Clause, ...]) -> Iterator[_Stratum]:
    """Split people by what they began with, so that in each stratum all that is asked of it holds or does not."""
    asked: dict[str, set[float]] = {}
    for term in itertools.chain.from_iterable((*risk, *event)):
        if term.kind == "start":
            asked.setdefault(term.name, set()).update((term.low, term.high))
    edges = {
        name: [-math.inf, *sorted(x for x in values if math.isfinite(x)), math.inf] for name, values in asked.items()
    }
    for pieces in itertools.product(*(itertools.pairwise(values) for values in edges.values())):
        start = dict(zip(edges, pieces, strict=True))
        left = _left(event, start)
        possible = _left(risk, start)
        if possible or not risk:
            yield _Stratum(start, possible, left)


def _left(clauses: tuple[Clause, ...], start: Mapping[str, tuple[float, float]]) -> tuple[Clause, ...]:
    """Return clauses that can hold in a stratum, without what they ask of the start."""

    def holds(term: Term) -> bool:
        low, high = start[term.name]
        return term.low <= low and high <= term.high

    return tuple(
        tuple(term for term in clause if term.kind != "start")
        for clause in clauses
        if all(holds(term) for term in clause if term.kind == "start")
    )


@dataclass(frozen=True)
class _Measured:
    """Measurements that are drawn, each (draws, people), and the chance (draws, people) to begin in a stratum and be at risk."""

    values: Mapping[Drawn, Numbers]
    chance: Numbers


@dataclass
class _Looked:
    """An event looked at on visits.

    Attributes
    ----------
    risk, event
        Clauses, as of `event_terms.clauses_of`.
    visits
        (visits,) weeks, the start first.
    at_risk
        Place of the visit on which people are at risk or not.
    counted
        Visits on which the event is looked for.
    seed, samples, apart
        As of `visit_chances.SeenVisits`.
    """

    courses: Courses
    risk: tuple[Clause, ...]
    event: tuple[Clause, ...]
    visits: Numbers
    at_risk: int
    counted: slice
    seed: tuple[int, ...]
    samples: dict[str, int]
    apart: bool = False
    _seen: SeenVisits = field(init=False, repr=False)

    def __post_init__(self) -> None:
        terms = list(itertools.chain.from_iterable((*self.risk, *self.event)))
        names = dict.fromkeys(term.name for term in terms if term.name)
        drawn: dict[Drawn, None] = {(term.name, 0): None for term in terms if term.kind in _RELATIVE}
        for term in terms:
            if term.kind in _SLOPES:
                drawn |= {(term.name, k): None for k in range(len(self.visits) - 1)}
            if term.kind == "adjusted":
                drawn |= {(name, k): None for k in self._places(self.counted) for name in (_DOSE, _WEIGHT)}
                names |= {_DOSE: None, _WEIGHT: None}
        self._seen = SeenVisits(
            self.courses, self.visits, list(names), list(drawn), self.seed, self.samples, self.apart
        )

    def _places(self, visits: slice) -> range:
        return range(*visits.indices(len(self.visits)))

    def begin(self, stratum: _Stratum) -> _Measured:
        """Draw what must be drawn, that of the start within the stratum and where people are at risk, and weigh who is."""
        values: dict[Drawn, Numbers] = {}
        chance = np.ones((1, len(self.courses)))
        for name, visit in self._seen.drawn:
            low, high = self._allowed(name, stratum) if visit == 0 else _ALL
            values[name, visit], there = self._seen.measured(name, visit, low, high)
            chance = chance * there
        begun = {name: ranges for name, ranges in stratum.start.items() if (name, 0) not in values}
        start = _Box(dict(begun))
        measured = _Measured(values, chance)
        at_risk = slice(self.at_risk, self.at_risk + 1)
        risk = [self.box(self._undrawn(clause, stratum), at_risk, measured) for clause in stratum.risk]
        if self.at_risk:
            chance = chance * self.any_of([start], slice(0, 1), measured)[..., 0]
            boxes = risk or [_Box({})]
        else:
            boxes = [start.joined(box) for box in risk] or [start]
        return _Measured(values, chance * self.any_of(boxes, at_risk, measured)[..., 0])

    def _allowed(self, name: str, stratum: _Stratum) -> tuple[float, float]:
        """Return the range of the start in which people of a stratum may be at risk."""
        low, high = stratum.start.get(name, _ALL)
        if self.at_risk or not stratum.risk:
            return low, high
        terms = [[term for term in clause if (term.kind, term.name) == ("value", name)] for clause in stratum.risk]
        lowest = min(max((term.low for term in clause), default=-math.inf) for clause in terms)
        highest = max(min((term.high for term in clause), default=math.inf) for clause in terms)
        return max(low, lowest), min(high, highest)

    def _undrawn(self, clause: Clause, stratum: _Stratum) -> Clause:
        """Return a clause of risk without what holds of measurements as they are drawn."""
        if self.at_risk or len(stratum.risk) > 1:
            return clause
        return tuple(term for term in clause if term.kind != "value" or (term.name, 0) not in self._seen.drawn)

    def chance_on_visits(self, stratum: _Stratum, measured: _Measured) -> Numbers:
        """Return the chance that the event holds on each of its visits, (draws, people, visits)."""
        boxes = [self.box(clause, self.counted, measured) for clause in stratum.event]
        return self.any_of(boxes, self.counted, measured)

    def box(self, clause: Clause, visits: slice, measured: _Measured) -> _Box:
        """Return what a clause asks of visits."""
        box = _Box({})
        for term in clause:
            box = box.joined(self._box_of(term, visits, measured))
        return box

    def _box_of(self, term: Term, visits: slice, measured: _Measured) -> _Box:
        if term.kind == "failure":
            failed = self.courses.failed[:, None] <= self.visits[visits]
            return _Box({}, failed.astype(np.float64))
        low, high = (self._bound(term, bound, visits, measured) for bound in (term.low, term.high))
        return _Box({term.name: (low, high)})

    def _bound(self, term: Term, bound: float, visits: slice, measured: _Measured) -> Bound:
        """Return a bound on the measured value itself."""
        if term.kind in ("value", "start") or not math.isfinite(bound):
            return bound
        if term.kind == "adjusted":
            dose, weight = (
                np.stack([measured.values[name, k] for k in self._places(visits)], -1) for name in (_DOSE, _WEIGHT)
            )
            return np.asarray(bound - PER_DOSE * dose / weight)
        start = np.maximum(measured.values[term.name, 0], _LEAST)[..., None]
        if term.kind == "ratio":
            return np.asarray(bound * start)
        if term.kind == "change":
            return np.asarray(bound + start)
        # The last visit decides, given those before.
        years = (self.visits - self.visits.mean()) * DAYS_PER_WEEK / DAYS_PER_YEAR
        weights = years / np.maximum(np.sum(years**2), _LEAST)
        before = sum(weight * measured.values[term.name, k] for k, weight in enumerate(weights[:-1]))
        slope = bound if term.kind == "slope" else bound * start[..., 0]
        return np.asarray((slope - before) / weights[-1])[..., None]

    def any_of(self, boxes: Sequence[_Box], visits: slice, measured: _Measured) -> Numbers:
        """Return the chance that any of some clauses holds on each visit, (draws, people, visits)."""
        chances_inside: dict[tuple[str, int, int], Numbers | float] = {}
        places = self._places(visits)

        def inside(name: str, low: Bound, high: Bound) -> Numbers | float:
            key = (name, id(low), id(high))
            if key not in chances_inside:
                if (name, places[0]) in measured.values:
                    value = np.stack([measured.values[name, k] for k in places], -1)
                    chances_inside[key] = ((value >= low) & (value <= high)).astype(np.float64)
                else:
                    chances_inside[key] = self._seen.within(name, visits, low, high)
            return chances_inside[key]

        shape = (1, len(self.courses), len(places))
        return np.clip(np.zeros(shape) + _chance_of_any(_simpler(boxes), inside), 0.0, 1.0)


def _chance_of_any(boxes: Sequence[_Box], inside: Callable[[str, Bound, Bound], Numbers | float]) -> Numbers | float:
    """Return the chance of any box by inclusion and exclusion."""
    joint: list[tuple[_Box, float]] = []
    for box in boxes:
        joint += [(box, 1.0), *((box.joined(other), -sign) for other, sign in joint)]
    total: Numbers | float = 0.0
    for box, sign in joint:
        chance: Bound = sign * box.possible
        for name, (low, high) in box.ranges.items():
            chance = chance * inside(name, low, high)
        total = total + chance
    return total


def _simpler(boxes: Sequence[_Box]) -> list[_Box]:
    """Join clauses that bound one and the same observable from the same side: the looser bound is enough."""
    simple: dict[tuple[str, bool], tuple[Bound, Bound]] = {}
    others = []
    for box in boxes:
        name, (low, high) = next(iter(box.ranges.items()), ("", _ALL))
        upper, lower = np.ndim(low) == 0 and low == -math.inf, np.ndim(high) == 0 and high == math.inf
        if len(box.ranges) != 1 or upper == lower or np.ndim(box.possible) or box.possible != 1.0:
            others.append(box)
            continue
        before = simple.get((name, upper), (low, high))
        looser = (low, np.maximum(before[1], high)) if upper else (np.minimum(before[0], low), high)
        simple[name, upper] = looser
    return [_Box({name: ranges}) for (name, _), ranges in simple.items()] + others
