"""A course made ready for UKPDS Outcomes Model 2: risk factors year by year."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..base.constants import DAYS_PER_YEAR
from ..base.randomness import Stream
from ..hazards.drug_hazards import drug_factors
from ..hazards.outcome_rates import ON_DIALYSIS
from ..hazards.risk import Numbers, RiskProfile
from ..hazards.risk_course import RiskCourse
from ..hazards.ukpds.risk_factors import COVARIATES, SWITCHED, UkpdsRiskFactors
from ..hazards.ukpds.ukpds_equations import UKPDS_EQUATIONS, UKPDS_FORMS, ukpds_coefficients, ukpds_values
from .prepared_course import Singles, course_states

#: Kinds of events, of which each may come once a year: the first or the second of its kind.
UKPDS_KINDS = ("hf", "ihd", "mi", "stroke", "blindness", "ulcer", "amputation", "renal")
#: Kind -> the outcome of the package whose drug effects count for it.
_DRUG_OUTCOME = {"hf": "hf_hospitalisation", "mi": "mi", "stroke": "stroke"}


@dataclass(frozen=True)
class UkpdsCourse:
    """What the equations read, year by year.

    Attributes
    ----------
    course
        The course that it was made of.
    starts, lengths
        (years,) first day, and length in years: 1, and less for the last.
    covariates
        (years, 1 + covariates, people): 1 and `risk_factors.COVARIATES` in the middle of the year, age and duration at its beginning.
    ages, durations
        (years, people) at its beginning.
    women
        (people,) flags.
    drugs
        Kind -> (years, people) factor of drugs on its hazard.
    states
        State -> (steps, people) whether it is on, of states that the course has by itself.
    shapes, spans
        (equations,) and `year_spans` for them.
    """

    course: RiskCourse
    starts: Numbers
    lengths: Numbers
    covariates: Singles
    ages: Numbers
    durations: Numbers
    women: NDArray[np.bool_]
    drugs: Mapping[str, Numbers]
    states: Mapping[str, NDArray[np.bool_]]
    shapes: Numbers
    spans: Singles

    def spans_for(self, shapes: Numbers) -> Singles:
        """Return the spans of other shapes, or those that are there."""
        if np.array_equal(shapes, self.shapes):
            return self.spans
        return year_spans(self.ages, self.durations, self.lengths, shapes)


def prepare_ukpds(course: RiskCourse, drugs: bool = True, switched: bool = False) -> UkpdsCourse:
    """Return a course ready for `ukpds_lives.live_on_ukpds`.

    Parameters
    ----------
    drugs
        Whether effects of drugs on heart failure, infarction and stroke count (`drug_hazards`). The equations know none: without them
        drugs act through risk factors alone.
    switched
        Read eGFR and LDL about their knees as `risk_factors.SWITCHED` does.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.hazards.risk import RiskProfile
    >>> from betapod.hazards.risk_course import RiskCourse
    >>> from betapod.health.ukpds_course import prepare_ukpds
    >>> days = np.arange(0, 21) * 182.625
    >>> course = RiskCourse(days, RiskProfile(age=60 + days / 365.25, female=0, egfr=60, uacr=100), np.arange(3))
    >>> prepare_ukpds(course).ages[:, 0].round(1).tolist()
    [60.0, 61.0, 62.0, 63.0, 64.0, 65.0, 66.0, 67.0, 68.0, 69.0]
    """
    days = np.asarray(course.days, dtype=np.float64)
    starts = np.arange(0.0, days[-1] - 1e-6, DAYS_PER_YEAR)
    lengths = np.diff(np.append(starts, days[-1])) / DAYS_PER_YEAR
    middle = _profile_on(course, starts + 0.5 * lengths * DAYS_PER_YEAR)
    first = _profile_on(course, starts)
    shape, forms = (course.people, len(starts)), SWITCHED if switched else COVARIATES
    factors = replace(_risk_factors(middle), age=first.age, duration=np.maximum(first.duration, 0.0))
    columns = [np.ones(shape), *(np.broadcast_to(form(factors), shape) for form in forms.values())]
    intake = {name: _on(values, days, starts) for name, values in course.intake.items()}
    of_drugs = drug_factors(intake) if drugs else {}
    ages = np.broadcast_to(np.asarray(first.age, dtype=np.float64), shape).T
    durations = np.broadcast_to(np.asarray(factors.duration, dtype=np.float64), shape).T
    shapes = ukpds_coefficients().shapes
    return UkpdsCourse(
        course,
        starts,
        lengths,
        np.ascontiguousarray(np.stack(columns).transpose(2, 0, 1), dtype=np.float32),
        ages,
        durations,
        np.broadcast_to(np.asarray(first.female, dtype=np.float64), shape)[:, 0] > 0.5,
        {kind: np.broadcast_to(of_drugs[name], shape).T for kind, name in _DRUG_OUTCOME.items() if name in of_drugs},
        course_states(course),
        shapes,
        year_spans(ages, durations, lengths, shapes),
    )


def year_spans(ages: Numbers, durations: Numbers, lengths: Numbers, shapes: Numbers) -> Singles:
    """Return (years, equations, people) by what the rate of each equation is multiplied within a year."""
    spans = np.empty((len(lengths), len(UKPDS_EQUATIONS), ages.shape[1]), dtype=np.float32)
    lengths = lengths[:, None]
    for number, equation in enumerate(UKPDS_EQUATIONS):
        shape, form = float(shapes[number]), UKPDS_FORMS[equation]
        if form == "gompertz":
            spans[:, number] = np.exp(shape * ages) * np.expm1(shape * lengths) / shape
        elif form == "weibull" and shape != 1.0:
            spans[:, number] = (durations + lengths) ** shape - durations**shape
        else:
            spans[:, number] = lengths
    return spans


@functools.lru_cache(maxsize=4)
def year_numbers(seed: int, replicate: int, numbers: tuple[int, ...], years: int) -> tuple[Singles, Singles]:
    """Return the numbers that decide on lives: (years, kinds and death, people) twice.

    The first are cumulative hazards of a year at which an event comes, the second the parts of the year that are over by then.
    """
    people = np.array(numbers, dtype=np.int64)
    shape = (years, len(UKPDS_KINDS) + 1, people.size)
    thresholds, parts = np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.float32)
    for number, name in enumerate((*UKPDS_KINDS, "death")):
        events, days = (Stream(seed, f"om2:{part}{name}", replicate) for part in ("", "day:"))
        for year in range(years):
            thresholds[year, number] = -np.log(events.uniform(people, year))
            parts[year, number] = days.uniform(people, year)
    return thresholds, np.minimum(parts, np.nextafter(np.float32(1.0), np.float32(0.0)))


def _risk_factors(profile: RiskProfile) -> UkpdsRiskFactors:
    values = ukpds_values()
    return UkpdsRiskFactors(
        age=profile.age,
        duration=profile.duration,
        female=np.asarray(np.asarray(profile.female) > 0.5, dtype=np.float64),
        hba1c=profile.hba1c,
        sbp=profile.sbp,
        hdl=profile.hdl,
        ldl=profile.ldl,
        bmi=profile.bmi,
        egfr=profile.egfr,
        albuminuria=np.asarray(np.asarray(profile.uacr) >= values["om2_uacr_limit"], dtype=np.float64),
        smoker=profile.smoker,
        haemoglobin=profile.haemoglobin,
        heart_rate=values["om2_heart_rate"],
        white_cells=values["om2_white_cells"],
    )


def _profile_on(course: RiskCourse, when: Numbers) -> RiskProfile:
    """Return the profile on some days, with the eGFR of failed kidneys after failure."""
    profile, days = course.profile, np.asarray(course.days, dtype=np.float64)
    values = {name: _on(getattr(profile, name), days, when) for name in profile.__dataclass_fields__}
    over = when[None, :] >= course.failure_day()[:, None]
    if over.any():
        values["egfr"] = np.where(over, ON_DIALYSIS, np.broadcast_to(values["egfr"], over.shape))
    return RiskProfile(**values)


def _on(values: Numbers | float, days: Numbers, when: Numbers) -> Numbers | float:
    """Return values on some days; what has no axis of time stays as it is."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0 or array.shape[-1] != len(days):
        return array
    left = np.clip(np.searchsorted(days, when, side="right") - 1, 0, len(days) - 2)
    share = (when - days[left]) / (days[left + 1] - days[left])
    return np.asarray(array[..., left] * (1.0 - share) + array[..., left + 1] * share)
