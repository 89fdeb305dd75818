"""A course made ready for many draws: terms in the middle of each step, rates of causes, and the states that it has by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..base.constants import DAYS_PER_YEAR
from ..hazards.complications.complication import GRAFT_EGFR, complication_parameters
from ..hazards.complications.terms import term_values
from ..hazards.drug_hazards import drug_factors, hazard_class
from ..hazards.harm_rates import DEADLY, fatal_share
from ..hazards.outcome_rates import CAUSES, ON_DIALYSIS, cause_rates
from ..hazards.risk import Numbers, RiskProfile
from ..hazards.risk_course import RiskCourse
from .event_table import EventTable

Singles = NDArray[np.float32]

#: Haemoglobin (g/dL) below which there is anaemia: men, women (WHO).
ANAEMIA = (13.0, 12.0)
#: BMI (kg/m2) from which there is obesity.
OBESITY = 30.0
#: What is on of cardiovascular disease and heart failure, by number.
_HEARTS = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))


@dataclass(frozen=True)
class PreparedCourse:
    """What simulation of events reads, step by step.

    Attributes
    ----------
    edges
        (T,) days.
    years
        (steps,) length of the steps.
    terms
        (steps, 1 + terms, people): 1 and the terms of `EventTable.terms`.
    drugs
        (steps, drugs, people) share of the effect of each drug of `EventTable.drugs`.
    causes
        (4, steps, causes, people) rates, 1/year: without and with heart failure, without and with cardiovascular disease.
    flags
        State -> (steps, people) whether it is on, of states that the course has by itself.
    harms
        (steps, complications, people) log factor by cells; None where there is none.
    grafted
        Terms and rates of the people of `failing`, had they a working graft; None where no kidney fails.
    failing
        (people,) place among those whose kidneys fail; -1 for others.
    """

    table: EventTable
    course: RiskCourse
    edges: Numbers
    years: Numbers
    terms: Singles
    drugs: Singles
    causes: Singles
    flags: Mapping[str, NDArray[np.bool_]]
    harms: Singles | None
    grafted: PreparedCourse | None
    failing: NDArray[np.int64]

    @property
    def people(self) -> int:
        """How many people there are."""
        return self.course.people


def prepare(course: RiskCourse, table: EventTable) -> PreparedCourse:
    """Return a course ready for the events of a table.

    After kidney failure the eGFR is that on dialysis; with a graft it is that of the row `GRAFT_EGFR`.
    """
    failing = np.isfinite(course.failure_day())
    places = np.where(failing, np.cumsum(failing) - 1, -1)
    grafts = complication_parameters()[GRAFT_EGFR].value
    with_graft = _prepared(course.take(failing), table, grafts, None, places) if failing.any() else None
    return _prepared(course, table, ON_DIALYSIS, with_graft, places)


def _prepared(
    course: RiskCourse, table: EventTable, egfr: float, grafted: PreparedCourse | None, failing: NDArray[np.int64]
) -> PreparedCourse:
    profile, shape = _after_failure(course, egfr), (course.people, course.steps)
    middle = _in_the_middle(profile, len(course.days))
    terms = [np.ones(shape), *(np.broadcast_to(values, shape) for values in term_values(middle, table.terms))]
    intake = {name: _mid(values) for name, values in course.intake.items()}
    drugs = [_of_class(intake, name, shape) for name in table.drugs]
    return PreparedCourse(
        table,
        course,
        np.asarray(course.days, dtype=np.float64),
        np.diff(course.days) / DAYS_PER_YEAR,
        _stacked(terms, shape),
        _stacked(drugs, shape),
        np.stack([_causes(course, middle, intake, cvd, hf, shape) for cvd, hf in _HEARTS]),
        {name: np.broadcast_to(values, shape).T for name, values in _flags(middle).items()},
        _harms(course, table, shape),
        grafted,
        failing,
    )


def course_states(course: RiskCourse) -> dict[str, NDArray[np.bool_]]:
    """Return state -> (steps, people) whether it is on, of states that a course has without an event."""
    middle, shape = _in_the_middle(_after_failure(course, ON_DIALYSIS), len(course.days)), (course.people, course.steps)
    return {name: np.broadcast_to(values, shape).T for name, values in _flags(middle).items()}


def _after_failure(course: RiskCourse, after: float) -> RiskProfile:
    """Return the profile with an eGFR from kidney failure on."""
    over = course.days[None, :] >= course.failure_day()[:, None]
    egfr = np.where(over, after, np.broadcast_to(course.profile.egfr, over.shape))
    return replace(course.profile, egfr=egfr)


def _in_the_middle(profile: RiskProfile, edges: int) -> RiskProfile:
    """Return values in the middle of the steps."""
    values = {name: getattr(profile, name) for name in profile.__dataclass_fields__}
    timed = {name: _mid(v) for name, v in values.items() if np.ndim(v) and np.shape(v)[-1] == edges}
    return replace(profile, **timed)


def _mid(values: Numbers | float) -> Numbers:
    array = np.asarray(values, dtype=np.float64)
    return np.asarray(0.5 * (array[..., 1:] + array[..., :-1]))


def _of_class(intake: Mapping[str, Numbers], drug: str, shape: tuple[int, int]) -> Numbers:
    """Return the largest share of the drugs that are, or belong to, one of a table."""
    share = np.zeros(shape)
    for name, values in intake.items():
        if drug in (name, hazard_class(name)):
            share = np.maximum(share, values)
    return share


def _stacked(parts: list[Numbers], shape: tuple[int, int]) -> Singles:
    if not parts:
        return np.zeros((shape[1], 0, shape[0]), dtype=np.float32)
    return np.ascontiguousarray(np.stack(parts).transpose(2, 0, 1), dtype=np.float32)


def _causes(
    course: RiskCourse,
    middle: RiskProfile,
    intake: Mapping[str, Numbers],
    cvd: float,
    hf: float,
    shape: tuple[int, int],
) -> Singles:
    """Return (steps, causes, people) rates; events that cells bring more often kill more often too."""
    rates = cause_rates(replace(middle, cvd=cvd, hf=hf), drug_factors(intake))
    harms = {
        name: _mid(f) if np.ndim(f) and np.shape(f)[-1] == len(course.days) else f for name, f in course.harms.items()
    }
    more = {
        event: rates[event] * (np.asarray(harms[event]) - 1.0) * fatal_share(event, middle.age)
        for event in DEADLY
        if event in harms
    }
    for name, factor in harms.items():
        if name in rates:
            rates[name] = rates[name] * factor
    for event, deaths in more.items():
        death = DEADLY[event].death
        rates[death] = np.maximum(rates[death] + deaths, 0.0)
    return _stacked([np.broadcast_to(rates[name], shape) for name in CAUSES], shape)


def _harms(course: RiskCourse, table: EventTable, shape: tuple[int, int]) -> Singles | None:
    names = [item.name for item in table.items]
    if not set(names) & set(course.harms):
        return None
    edges = len(course.days)
    parts = [np.zeros(shape) for _ in names]
    for name, factor in course.harms.items():
        if name in names:
            values = _mid(factor) if np.ndim(factor) and np.shape(factor)[-1] == edges else np.asarray(factor)
            parts[names.index(name)] = np.broadcast_to(np.log(values), shape)
    return _stacked(parts, shape)


def _flags(middle: RiskProfile) -> dict[str, NDArray[np.bool_]]:
    egfr, uacr = np.asarray(middle.egfr), np.asarray(middle.uacr)
    limit = np.where(np.asarray(middle.female) > 0.5, ANAEMIA[1], ANAEMIA[0])
    return {
        "ckd_3a": (egfr >= 45.0) & (egfr < 60.0),
        "ckd_3b": (egfr >= 30.0) & (egfr < 45.0),
        "ckd_4": (egfr >= 15.0) & (egfr < 30.0),
        "ckd_5": egfr < 15.0,
        "albuminuria_a2": (uacr >= 30.0) & (uacr < 300.0),
        "albuminuria_a3": uacr >= 300.0,
        "anaemia": np.asarray(middle.haemoglobin) < limit,
        "obesity": np.asarray(middle.bmi) >= OBESITY,
        "insulin": np.asarray(middle.insulin_dose) > 0.0,
    }
