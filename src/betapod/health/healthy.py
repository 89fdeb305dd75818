"""Health that is kept, and health that comes back: years free of complications, and who is healthy again.

Healthy again is somebody who was not at the start, and of whom all of this holds for three months (`REMISSION_DAYS`) and on:

- UACR below 30 mg/g, and an eGFR of 60 mL/min/1.73 m2 or more: no sign of kidney disease (KDIGO 2024);
- HbA1c below 6.5 % without insulin or any other glucose-lowering drug: remission of diabetes (consensus of 2021).

A graft, dialysis or a low eGFR with good glucose is not health; nor is good glucose under drugs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.constants import DAYS_PER_YEAR
from ..hazards.risk import Numbers
from ..hazards.risk_course import RiskCourse
from ..observables.kdigo import A2_FROM, G_BOUNDS
from ..observables.outcomes import INSULIN_FREE, REMISSION_DAYS, REMISSION_HBA1C
from ..therapies.drug_catalogue import catalogued_drugs
from .accrue import years_without
from .lives import Lives

#: Least eGFR of healthy kidneys, mL/min/1.73m2: below it is G3a.
HEALTHY_EGFR = G_BOUNDS[1]
#: First letters of the ATC code of what lowers glucose.
_GLUCOSE_LOWERING = "A10"
_KIDNEYS = ("kidney_failure", "dialysis", "transplant", "conservative_care")
_EYES = ("severe_retinopathy", "macular_oedema", "vision_loss")
_FEET = ("foot_ulcer", "amputation")
_HEART = ("mi", "stroke", "hf", "peripheral_artery_disease")
#: Name of years -> the states that must be off in them.
FREE_OF: Mapping[str, tuple[str, ...]] = {
    "dialysis_free": _KIDNEYS,
    "sight_kept": ("vision_loss",),
    "feet_kept": _FEET,
    "heart_kept": _HEART,
    "complication_free": (*_KIDNEYS, "retinopathy", *_EYES, "neuropathy", *_FEET, *_HEART),
}

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class HealthyAgain:
    """Who became healthy again.

    Attributes
    ----------
    ill_at_start
        (people,) who was not healthy on day 0, and can become healthy again.
    first_day
        (people,) day from which health that lasts three months or more was back; infinite where it never was.
    years
        (people,) years lived in health that was back.
    """

    ill_at_start: Flags
    first_day: Numbers
    years: Numbers

    @property
    def ever(self) -> Flags:
        """(people,) who was healthy again at some time."""
        return np.isfinite(self.first_day)

    @property
    def share(self) -> float:
        """Share of those ill at the start who were healthy again at some time; NaN where nobody was ill."""
        ill = int(self.ill_at_start.sum())
        return float(self.ever.sum() / ill) if ill else float("nan")


def lowers_glucose(therapy: str) -> bool:
    """Return whether a therapy of `betapod drugs` is a glucose-lowering drug or insulin; diets and weight loss are none.

    Examples
    --------
    >>> from betapod.health.healthy import lowers_glucose
    >>> lowers_glucose("metformin"), lowers_glucose("ARB"), lowers_glucose("lifestyle")
    (True, False, False)
    """
    drug = catalogued_drugs().get(therapy)
    return drug is not None and drug.atc.startswith(_GLUCOSE_LOWERING)


def is_healthy(uacr: ArrayLike, egfr: ArrayLike, hba1c: ArrayLike, insulin_dose: ArrayLike, drugs: ArrayLike) -> Flags:
    """Return where values are those of health, by the limits of the module; one moment says nothing about three months.

    Parameters
    ----------
    uacr, egfr, hba1c
        mg/g, mL/min/1.73m2 and %, shapes that broadcast. What is missing (NaN) is not healthy.
    insulin_dose
        U/day.
    drugs
        Whether a glucose-lowering drug other than insulin is taken, or a share of its effect.

    Examples
    --------
    >>> from betapod.health.healthy import is_healthy
    >>> is_healthy([10, 10, 40], [80, 50, 80], [6.0, 6.0, 6.0], 0.0, False).tolist()
    [True, False, False]
    """
    kidney = (np.asarray(uacr, dtype=np.float64) < A2_FROM) & (np.asarray(egfr, dtype=np.float64) >= HEALTHY_EGFR)
    glucose = (np.asarray(hba1c, dtype=np.float64) < REMISSION_HBA1C) & (np.asarray(insulin_dose) < INSULIN_FREE)
    return np.asarray(kidney & glucose & ~(np.asarray(drugs, dtype=np.float64) > 0.0), dtype=bool)


def healthy_again(days: ArrayLike, healthy: Flags, died: Numbers | None = None) -> HealthyAgain:
    """Return who became healthy again, and for how long.

    Parameters
    ----------
    days
        (T,) increasing from 0.
    healthy
        (people, T), as of `is_healthy`; between two days on which it holds it holds too.
    died
        (people,) day of death, infinite without; nobody dies without it.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.health.healthy import healthy_again
    >>> back = healthy_again([0, 91.5, 183, 274.5], np.array([[False, True, True, True], [True] * 4]))
    >>> back.first_day.tolist(), back.share
    ([91.5, inf], 1.0)
    """
    healthy = np.asarray(healthy, dtype=bool)
    lived = np.broadcast_to(np.asarray(days, dtype=np.float64), healthy.shape)
    if died is not None:
        lived = np.minimum(lived, np.asarray(died, dtype=np.float64)[:, None])
    ill = ~healthy[:, 0]
    lasting = _lasting(lived, healthy) & ill[:, None]
    first = np.where(lasting.any(axis=1), np.min(np.where(lasting, lived, np.inf), axis=1), np.inf)
    kept = lasting[:, 1:] & lasting[:, :-1]
    return HealthyAgain(ill, first, np.sum(kept * np.diff(lived, axis=1), axis=1) / DAYS_PER_YEAR)


def _lasting(days: Numbers, healthy: Flags) -> Flags:
    """Return (people, T) the days within stretches of health of `REMISSION_DAYS` or more."""
    began, ended = np.empty(healthy.shape), np.empty(healthy.shape)
    day = np.full(len(healthy), np.inf)
    for k in range(healthy.shape[1]):
        day = np.where(healthy[:, k], np.minimum(day, days[:, k]), np.inf)
        began[:, k] = day
    day = np.full(len(healthy), -np.inf)
    for k in reversed(range(healthy.shape[1])):
        day = np.where(healthy[:, k], np.maximum(day, days[:, k]), -np.inf)
        ended[:, k] = day
    return np.asarray(healthy & (ended - began >= REMISSION_DAYS), dtype=bool)


def healthy_on(course: RiskCourse, drugs: ArrayLike, lives: Lives | None = None) -> HealthyAgain:
    """Return who becomes healthy again on a course.

    Parameters
    ----------
    drugs
        (people, T) whether a glucose-lowering drug other than insulin is taken, or the share of its effect; `lowers_glucose` says which
        are. Courses know only drugs that change rates of events, and not, say, metformin: what people take must be given.
    lives
        Of the same course; everybody lives on without them.
    """
    shape = (course.people, len(course.days))
    profile = course.profile
    failed = course.days[None, :] >= course.failure_day()[:, None]
    held = is_healthy(profile.uacr, profile.egfr, profile.hba1c, profile.insulin_dose, drugs)
    healthy = np.broadcast_to(held, shape) & ~failed
    return healthy_again(course.days, healthy, None if lives is None else lives.died)


def free_years(lives: Lives, names: Iterable[str] = FREE_OF) -> dict[str, Numbers]:
    """Return name -> (people,) years lived free of some complications (`FREE_OF`), not discounted.

    States that lives do not have count as off: UKPDS-OM2 has no neuropathy, so that its years free of complications are more.
    """
    return {name: years_without(lives, [state for state in FREE_OF[name] if state in lives.states]) for name in names}
