"""Chances of outcomes on courses of virtual patients: deaths that compete with an event, outcomes that are part of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.constants import DAYS_PER_WEEK, DAYS_PER_YEAR
from ...hazards.drug_hazards import drug_factors, taken_on
from ...hazards.event_times import cumulative_hazard
from ...hazards.histories import histories
from ...hazards.outcome_rates import DEATHS, ON_DIALYSIS, cause_rates, causes_of
from ...hazards.risk import RiskProfile
from .visits import Numbers

if TYPE_CHECKING:
    from ...patients.library import Library
    from ...therapies.plan import Recipients
    from ...therapies.standard_care import Therapy

#: Before the name of a cause in `Courses.risks`: its factor by drugs.
_FACTOR = "x "


def risks_of(people: Library, weeks: Numbers, care: Sequence[Therapy], year: float = 0.0) -> dict[str, Numbers]:
    """Return what hazards read besides the course: characteristics and, by cause, factors of drugs; each (people, weeks).

    Parameters
    ----------
    care
        Therapies that everybody is given where they do not take one of the class already, on the clock of the weeks.
    year
        Calendar year of week 0; 0 where it is not known, which is that of the table of rates.
    """
    table, days = people.table, DAYS_PER_WEEK * weeks
    cvd, hf, diabetes = histories(table)
    shape = (len(table), len(weeks))
    female, type_1 = (table[name].to_numpy(dtype=np.float64) for name in ("female", "T1D"))
    characteristics = zip(
        ("female", "type_1", "cvd", "hf", "diabetes"), (female, type_1, cvd, hf, diabetes), strict=True
    )
    risks = {name: np.broadcast_to(values[:, None], shape) for name, values in characteristics}
    risks["age"] = table["age"].to_numpy(dtype=np.float64)[:, None] + days / DAYS_PER_YEAR
    risks["year"] = np.broadcast_to(year + days / DAYS_PER_YEAR if year else np.zeros(len(days)), shape)
    recipients = people.recipients()
    added = accepted_care(recipients, care)
    factors = drug_factors(taken_on(days, recipients.takes, added))
    return risks | {_FACTOR + cause: np.broadcast_to(factor, shape) for cause, factor in factors.items()}


def accepted_care(recipients: Recipients, care: Sequence[Therapy]) -> list[tuple[Therapy, ...]]:
    """Return what each person of an arm is given of its care, as the study ordered it."""
    if not care:
        return [()] * len(recipients)
    return recipients.all_accepted(care, as_ordered=True)


@dataclass(frozen=True)
class OutcomeChances:
    """Chances over the weeks of a course, (people, weeks); all from the week in which counting begins.

    Attributes
    ----------
    weeks
        (weeks,).
    alive
        Chance to have had neither an outcome of the event nor a death that competes with it.
    events
        Chance of an outcome of the event, while it counts.
    years
        Years watched.
    free
        Chance that none of the outcomes that must not come has come.
    """

    weeks: Numbers
    alive: Numbers
    events: Numbers
    years: Numbers
    free: Numbers

    def at(self, table: Numbers, week: Numbers) -> Numbers:
        """Return values of a table (people, weeks) in weeks of each person, (people, visits), between two weeks by interpolation."""
        if len(self.weeks) == 1:
            return np.asarray(np.broadcast_to(table, week.shape))
        right = np.clip(np.searchsorted(self.weeks, week), 1, len(self.weeks) - 1)
        left, people = right - 1, np.arange(len(table))[:, None]
        share = np.clip((week - self.weeks[left]) / (self.weeks[right] - self.weeks[left]), 0.0, 1.0)
        return np.asarray(table[people, left] + share * (table[people, right] - table[people, left]))


def chances_on(
    values: Mapping[str, Numbers],
    weeks: Numbers,
    failed: Numbers,
    risks: Mapping[str, Numbers],
    outcomes: Iterable[str],
    free: Iterable[str] = (),
    counts: Numbers | None = None,
    begins: float = 0.0,
    year: float = 0.0,
    study: float = 1.0,
) -> OutcomeChances:
    """Return the chances of outcomes on courses.

    Parameters
    ----------
    values, weeks, failed
        Of `study_courses.Courses.filled`.
    risks
        Of `risks_of`; without them nothing happens.
    outcomes, free
        Those of the event, and those that must not come.
    counts
        (people, weeks) the chance that time is watched and events count; always unless given.
    begins
        Week in which counting begins.
    year
        Calendar year of week 0, where the courses have none.
    study
        Absolute rates relative to those of like studies.
    """
    later = weeks >= begins - 1e-6
    grid = weeks[later]
    shape = (len(failed), len(grid))
    steps = np.diff(grid) * DAYS_PER_WEEK / DAYS_PER_YEAR
    causes, outside = causes_of(outcomes), causes_of(free)
    needed = tuple(dict.fromkeys((*causes, *DEATHS, *outside)))
    rates = _rates(values, weeks, failed, risks, year, study, needed) if risks else {}

    def total(names: Iterable[str]) -> Numbers:
        pieces = [
            np.broadcast_to(rates[cause], (len(failed), len(weeks)))[:, later] for cause in names if cause in rates
        ]
        return np.sum(pieces, axis=0) if pieces else np.zeros(shape)

    event, rival = total(causes), total([cause for cause in DEATHS if cause not in causes])
    days = DAYS_PER_WEEK * grid
    alive = np.exp(-cumulative_hazard(days, event + rival))
    watched = np.ones(shape) if counts is None else counts[:, later]
    # Within a step everything is exponential: the mean of survival over it is its logarithmic mean.
    lived = _between(alive) * steps * watched[:, :-1]
    happened = 0.5 * (event[:, 1:] + event[:, :-1]) * lived
    return OutcomeChances(
        grid,
        alive,
        _accumulated(happened),
        _accumulated(lived),
        np.exp(-cumulative_hazard(days, total(outside))),
    )


def _between(survival: Numbers) -> Numbers:
    """Return the mean of an exponential over each step."""
    left, right = survival[:, :-1], survival[:, 1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (left - right) / np.log(left / right)
    return np.asarray(np.where(np.abs(left - right) > 1e-9 * left, mean, left))


def _accumulated(steps: Numbers) -> Numbers:
    return np.concatenate([np.zeros((len(steps), 1)), np.cumsum(steps, axis=1)], axis=1)


def _rates(
    values: Mapping[str, Numbers],
    weeks: Numbers,
    failed: Numbers,
    risks: Mapping[str, Numbers],
    year: float,
    study: float,
    causes: tuple[str, ...],
) -> dict[str, Numbers]:
    since = weeks * DAYS_PER_WEEK / DAYS_PER_YEAR
    over: NDArray[np.bool_] = weeks[None, :] >= failed[:, None]
    profile = RiskProfile(
        age=risks["age"],
        female=risks["female"],
        egfr=np.where(over, ON_DIALYSIS, values["eGFR"]),
        uacr=values["UACR"],
        cvd=risks["cvd"],
        hf=risks["hf"],
        diabetes=risks["diabetes"],
        type_1=risks["type_1"],
        hba1c=values["HbA1c"],
        insulin_dose=values["insulin_dose"],
        c_peptide=values["stimulated_C_peptide"],
        year=risks["year"] if not year else np.where(risks["year"] > 0, risks["year"], year + since),
    )
    factors = {cause: study * risks.get(_FACTOR + cause, 1.0) for cause in causes}
    return cause_rates(profile, factors, causes)
