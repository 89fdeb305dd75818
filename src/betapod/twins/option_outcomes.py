"""What becomes of people who are like one person, under several options: courses, chances of events, how many fare better.

Every option is simulated in the same people with the same random numbers, so that each is compared with their own course as it is now.
Chances are means over people of chances: death goes by its rate on everybody's course, kidney failure ends the course of the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..base.constants import DAYS_PER_YEAR
from ..hazards.drug_hazards import drug_factors
from ..hazards.event_times import cumulative_hazard
from ..hazards.outcome_rates import DEATHS, cause_rates
from ..hazards.risk_equations.egfr_decline_equation import DECLINE_SHARE
from ..health.course_people import CoursePeople
from ..health.courses import CourseSettings, Progress, simulate_courses
from .option_order import AS_NOW, TriedOption

if TYPE_CHECKING:
    from ..hazards.risk import Numbers
    from ..hazards.risk_course import RiskCourse
    from ..patients.library import Library

#: Years after which values are given, and those of the chances: as the published equations have them.
SHOWN_YEARS, FAILURE_YEARS, CHANCE_YEARS = (0.0, 1.0, 3.0, 5.0), (2.0, 5.0), 5.0
_DECLINE_YEARS = 3.0
#: Differences that count as better or worse after five years: half a mL/min/1.73m2 a year of eGFR, and 30 % of UACR (recalled as what kidney
#: specialists and regulators have agreed on for trials; no source was read).
NOTICED_EGFR, NOTICED_UACR = 2.5, 0.3
#: Quantiles of people that are given, and years between days of a course.
_QUANTILES, _STEP = (0.05, 0.5, 0.95), 0.5


@dataclass(frozen=True)
class CourseBands:
    """Quantiles of people over time.

    Attributes
    ----------
    years
        (T,) from 0.
    egfr, uacr
        5, 50 and 95 % quantiles, (3, T): mL/min/1.73m2 and mg/g.
    """

    years: tuple[float, ...]
    egfr: tuple[tuple[float, ...], ...]
    uacr: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class OptionOutcome:
    """What becomes of the people under an option.

    Attributes
    ----------
    name, text, scenario
        As of `TriedOption`.
    egfr, uacr
        Years -> 5, 50 and 95 % quantiles of the people, mL/min/1.73m2 and mg/g; kidney failure counts as the lowest eGFR.
    kidney_failure
        Years -> chance of kidney failure if nobody died of other causes.
    kidney_failure_alive
        The same by five years, with death before it.
    decline
        Chance of an eGFR 40 % lower, or kidney failure, within three years, if nobody died.
    death
        Chance of death within five years.
    better_egfr, worse_egfr, better_uacr
        Share of the people whose eGFR after five years is higher, or lower, by `NOTICED_EGFR` or more than as now, and whose UACR is lower by
        `NOTICED_UACR` or more.
    gain_egfr
        5, 50 and 95 % quantiles of the difference of eGFR after five years, mL/min/1.73m2.
    reached
        Share of the people who are given it: others take it already, or may not.
    course
        The same people over the years, for pictures.
    """

    name: str
    text: str
    scenario: str
    egfr: Mapping[float, tuple[float, float, float]]
    uacr: Mapping[float, tuple[float, float, float]]
    kidney_failure: Mapping[float, float]
    kidney_failure_alive: float
    decline: float
    death: float
    better_egfr: float
    worse_egfr: float
    better_uacr: float
    gain_egfr: tuple[float, float, float]
    reached: float
    course: CourseBands


@dataclass(frozen=True)
class OptionOutcomes:
    """All options in the same people.

    Attributes
    ----------
    options
        The one that changes nothing first.
    people, patients
        How many people, and how many different ones of the library.
    lost
        Patients who could not be simulated.
    """

    options: tuple[OptionOutcome, ...]
    people: int
    patients: int
    lost: int


def option_outcomes(
    library: Library,
    weights: Numbers,
    options: Sequence[TriedOption],
    people: int = 300,
    seed: int = 1,
    care: str = "frozen",
    threads: int | None = None,
    progress: Progress | None = None,
) -> OptionOutcomes:
    """Return what becomes of people drawn from a library under options.

    Parameters
    ----------
    weights
        (library,) by which people are drawn.
    people
        How many.
    care
        As of `CourseSettings`: ``frozen`` keeps what people take.

    Raises
    ------
    ConfigError
        What an option gives cannot be given.
    SolverError
        Too many people could not be simulated.
    """
    drawn = CoursePeople.drawn(library, people, weights, seed)
    settings = CourseSettings(years=CHANCE_YEARS, step=_STEP, care=care, seed=seed)
    strategies = {option.name: option.strategy for option in options}
    simulated = simulate_courses(drawn, strategies, settings, threads, progress=progress)
    before = simulated.risk(AS_NOW)
    outcomes = tuple(_outcome(option, simulated.risk(option.name), before) for option in options)
    patients = len(simulated.people.library)
    return OptionOutcomes(outcomes, len(simulated.people), patients, int(simulated.lost.sum()))


def _outcome(option: TriedOption, course: RiskCourse, before: RiskCourse) -> OptionOutcome:
    years = course.days / DAYS_PER_YEAR
    egfr, uacr = _values(course, "egfr"), _values(course, "uacr")
    last = int(np.argmin(np.abs(years - CHANCE_YEARS)))
    failed, alive = course.failure_day(), chance_alive(course)
    by = {span: float(np.mean(failed <= span * DAYS_PER_YEAR)) for span in FAILURE_YEARS}
    in_time = failed <= CHANCE_YEARS * DAYS_PER_YEAR
    at_failure = np.array(
        [np.interp(min(day, course.days[-1]), course.days, row) for day, row in zip(failed, alive, strict=True)]
    )
    gain = egfr[:, last] - _values(before, "egfr")[:, last]
    drop = np.log(np.maximum(uacr[:, last], 1e-6) / np.maximum(_values(before, "uacr")[:, last], 1e-6))
    return OptionOutcome(
        option.name,
        option.text,
        option.scenario,
        _at_years(egfr, years),
        _at_years(uacr, years),
        by,
        float(np.mean(np.where(in_time, at_failure, 0.0))),
        float(np.mean(has_declined(course, _DECLINE_YEARS))),
        float(np.mean(1.0 - alive[:, last])),
        float(np.mean(gain >= NOTICED_EGFR)),
        float(np.mean(gain <= -NOTICED_EGFR)),
        float(np.mean(drop <= np.log1p(-NOTICED_UACR))),
        _quantiles(gain),
        1.0 if option.name == AS_NOW else _given(option, course, before),
        CourseBands(tuple(map(float, years)), _bands(egfr), _bands(uacr)),
    )


def _values(course: RiskCourse, name: str) -> Numbers:
    return np.broadcast_to(
        np.asarray(getattr(course.profile, name), dtype=np.float64), (course.people, len(course.days))
    )


def chance_alive(course: RiskCourse) -> Numbers:
    """Return (people, T) the chance to be alive."""
    rates = cause_rates(course.profile, drug_factors(course.intake), DEATHS)
    shape = (course.people, len(course.days))
    total = sum((np.broadcast_to(rates[name] * course.harms.get(name, 1.0), shape) for name in DEATHS), np.zeros(shape))
    return np.asarray(np.exp(-cumulative_hazard(course.days, total)))


def has_declined(course: RiskCourse, span: float) -> NDArray[np.bool_]:
    """Return (people,) whether eGFR has fallen by 40 % within so many years, or kidneys have failed: values without error of measurement."""
    egfr = _values(course, "egfr")
    last = int(np.argmin(np.abs(course.days / DAYS_PER_YEAR - span)))
    fallen = np.any(egfr[:, 1 : last + 1] <= (1.0 - DECLINE_SHARE) * egfr[:, :1], axis=1)
    return np.asarray(fallen | (course.failure_day() <= span * DAYS_PER_YEAR))


def _at_years(values: Numbers, years: Numbers) -> dict[float, tuple[float, float, float]]:
    return {span: _quantiles(values[:, int(np.argmin(np.abs(years - span)))]) for span in SHOWN_YEARS}


def _bands(values: Numbers) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(map(float, row)) for row in np.quantile(values, _QUANTILES, axis=0))


def _quantiles(values: Numbers) -> tuple[float, float, float]:
    low, middle, high = np.quantile(values, _QUANTILES)
    return float(low), float(middle), float(high)


def _given(option: TriedOption, course: RiskCourse, before: RiskCourse) -> float:
    """Return the share of people in whom something is given."""
    if option.cells:
        return 1.0
    more = np.zeros(course.people, dtype=bool)
    for drug, share in course.intake.items():
        earlier = before.intake.get(drug)
        more |= np.any(share > (0.0 if earlier is None else earlier) + 1e-9, axis=1)
    return float(np.mean(more)) if course.intake else 1.0
