"""Expected counts of people with an event: shares, rates, hazard ratios, risk ratios and odds ratios."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...evidence.records.study import Record
from .event_chances import chance_over_time, passages
from .outcome_chances import chances_on
from .study_courses import Courses
from .study_events import CountedEvent
from .visits import Numbers

#: Samples of the cohort behind its own error.
_SAMPLES = 300
#: Fewest events that a study is taken to count, and fewest people without one.
_FEWEST = 0.5
#: Events that stand for people who were not drawn, where nobody of a cohort can have one. It fades with the number of people who carry
#: the events: a chance of each is known, however small they are together.
_UNDRAWN = 0.5
#: More of them than this is said beside a prediction: fewer than three people carry the events.
_HARDLY = 0.025
#: Fewest events that a logarithm is made of.
_LEAST = 1e-9


class Sums(NamedTuple):
    """People of a group at risk, expected events, person-years, and the effective number of people who carry the events."""

    risk: Numbers
    events: Numbers
    years: Numbers
    carriers: Numbers

    @property
    def undrawn(self) -> Numbers:
        """Events that stand for people who were not drawn."""
        return np.asarray(_UNDRAWN * np.exp(-self.carriers))


@dataclass(frozen=True)
class Counts:
    """What is expected of each person of a group, over draws of measurement errors: arrays (people,).

    Attributes
    ----------
    risk
        Chance to be at risk at the start.
    events
        Chance of the event.
    years
        Time watched, year.
    """

    risk: Numbers
    events: Numbers
    years: Numbers

    def sums(self, index: NDArray[np.int64] | slice = slice(None)) -> Sums:
        """Return the sums over samples (..., people) of the group."""
        chances = self.events[index]
        risk, events, years = (np.asarray(x.sum(axis=-1)) for x in (self.risk[index], chances, self.years[index]))
        carriers = events**2 / np.maximum((chances**2).sum(axis=-1), np.finfo(float).tiny)
        return Sums(risk, events, years, np.asarray(carriers))


def counts_of(group: Courses, event: CountedEvent, last: float, seed: Sequence[int], study: float = 1.0) -> Counts:
    """Return who of a group has an event by a week; the same seed gives both groups of a contrast the same random numbers.

    An event of a visit comes to those whom no death took before; an outcome that is part of the event has its own chance until
    then. An event of the last visit is counted among those who live to see it.

    Parameters
    ----------
    study
        Absolute rates of outcomes relative to those of like studies.
    """
    full = group.filled()
    passage = passages(full, event, last, seed)
    watched = chance_over_time(full, event.within, event.samples, seed) if event.within else None
    chances = chances_on(
        full.values, full.weeks, full.failed, full.risks, event.outcomes, event.free, watched, event.begins, event.year, study
    )  # fmt: skip
    # The visits on which the event is found, and the end of those who do not have it.
    weeks = np.broadcast_to(np.append(passage.weeks, event.end(last)), (len(group), len(passage.weeks) + 1))
    share = np.column_stack([passage.first, passage.risk - passage.first.sum(axis=1)])
    alive = chances.at(chances.alive, weeks)
    by_visit = share * alive * chances.at(chances.free, weeks) * _is_watched(event, last, weeks, full.failed)
    by_visit[:, -1] = 0.0
    if event.at_last:
        counted, events = share * alive, by_visit
    else:
        counted, events = share, by_visit + share * chances.at(chances.events, weeks)
    # Without outcomes nobody is watched beyond kidney failure.
    until = weeks if event.outcomes else np.minimum(weeks, np.maximum(full.failed, event.begins)[:, None])
    years = share * chances.at(chances.years, until)
    return Counts(counted.sum(axis=1), events.sum(axis=1), years.sum(axis=1))


def _is_watched(event: CountedEvent, last: float, weeks: Numbers, failed: Numbers) -> Numbers | float:
    """Return on which visits people are watched: up to the one that finds kidney failure."""
    if event.slope:
        return 1.0
    visits = np.append(event.weeks(last), np.inf)
    until = visits[np.searchsorted(visits, failed)]
    return (weeks <= until[:, None]).astype(np.float64)


def statistic(form: str, sums: Sequence[Sums]) -> Numbers:
    """Return the number of a form on its scale of comparison: logarithm for rates and ratios, share or difference otherwise."""
    of_groups = [_of_group(form, sums_of_group) for sums_of_group in sums]
    return np.asarray(of_groups[0] - of_groups[1] if len(of_groups) == 2 else of_groups[0], dtype=np.float64)


def _of_group(form: str, group: Sums) -> Numbers:
    risk = np.maximum(group.risk, _LEAST)
    if form in ("share", "difference"):
        return np.asarray(group.events / risk)
    some, others = np.maximum(group.events + group.undrawn, _LEAST), np.maximum(risk - group.events, _FEWEST)
    below = {"rate": group.years, "hazard ratio": group.years, "risk ratio": risk, "odds ratio": others}[form]
    return np.asarray(np.log(some / np.maximum(below, _LEAST)))


def scatter_of_study(form: str, groups: Sequence[Counts], people: int) -> float:
    """Return the standard error of a study with so many people in each group, by the delta method.

    The people of a rate are everybody in the group, at risk or not.
    """
    variance = 0.0
    for group in groups:
        risk, events, *_ = (float(x) for x in group.sums())
        share = min(max(events, _FEWEST) / max(risk, 2.0 * _FEWEST), 1.0 - 1e-6)
        expected = max(people * share * (risk / len(group.risk) if form == "rate" else 1.0), _FEWEST)
        others = max(people * (1.0 - share), _FEWEST)
        variance += {
            "difference": share * (1.0 - share) / people,
            "rate": 1.0 / expected,
            "hazard ratio": 1.0 / expected,
            "risk ratio": (1.0 - share) / expected,
            "odds ratio": 1.0 / expected + 1.0 / others,
        }[form]
    return math.sqrt(variance)


def scatter_of_cohort(form: str, groups: Sequence[Counts], paired: bool, generator: np.random.Generator) -> float:
    """Return the error of having so few virtual people; the same people are in both groups where they are paired.

    A group in which nobody can have the event is known no better than by the half event that stands for it.
    """
    sizes = [len(group.risk) for group in groups]
    first = generator.integers(sizes[0], size=(_SAMPLES, sizes[0]))
    indices = [first if paired or k == 0 else generator.integers(n, size=(_SAMPLES, n)) for k, n in enumerate(sizes)]
    spread = float(np.std(statistic(form, [g.sums(index) for g, index in zip(groups, indices, strict=True)])))
    if form == "difference":
        return spread
    none = sum(float(group.sums().undrawn) / _UNDRAWN**2 for group in groups)
    return math.sqrt(spread**2 + none)


def people_behind(group: Counts, generator: np.random.Generator) -> float:
    """Return as many people as would leave the share of a group as uncertain as it is, if each were counted once.

    Nobody is counted but everybody's chance is known, so that they are at least those at risk; and no more than these where all
    chances together make less than half an event.
    """
    risk, events, *_ = (float(x) for x in group.sums())
    share, at_risk = events / max(risk, 1e-9), max(risk, 1.0)
    spread = scatter_of_cohort("share", [group], False, generator) if events >= _FEWEST else 0.0
    return max(at_risk, share * (1.0 - share) / spread**2) if spread > 0.0 else at_risk


def without_events(groups: Sequence[Counts], record: Record) -> str:
    """Say so where hardly anybody among the virtual people of a group can have the event."""
    undrawn = max(float(group.sums().undrawn) for group in groups)
    if undrawn < _HARDLY or record.kind in ("proportion", "count", "difference"):
        return ""
    return f"hardly any virtual person can have the event: {undrawn:.1g} events stand for people who were not drawn"
