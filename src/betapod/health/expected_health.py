"""What health one person can expect on a course: complications, quality of life that they take, years."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..hazards.risk import Numbers
from ..hazards.risk_course import RiskCourse
from .accrue import UtilityWeights, accrue
from .event_table import own_events
from .lives import Lives, live_on
from .prepared_course import prepare
from .utilities import DEFAULT_SET, utility_set, utility_weights

#: Events that count as complications of diabetes; each counts the first time.
COMPLICATION_EVENTS = (
    "retinopathy",
    "severe_retinopathy",
    "macular_oedema",
    "vision_loss",
    "neuropathy",
    "peripheral_artery_disease",
    "foot_ulcer",
    "amputation",
    "ketoacidosis",
    "mi",
    "stroke",
    "hf_hospitalisation",
)
#: So often one life is lived; the same random numbers whatever the course.
COPIES = 1000


@dataclass(frozen=True)
class ExpectedHealth:
    """Means over lives of one person on one course.

    Attributes
    ----------
    complications
        Event of `COMPLICATION_EVENTS`, or ``kidney_failure``, -> share of lives in which it came.
    years, qalys
        Years lived, and quality-adjusted, not discounted.
    quality_lost
        Utility that complications and events took away, per year lived.
    """

    complications: Mapping[str, float]
    years: float
    qalys: float
    quality_lost: float

    @property
    def number(self) -> float:
        """Complications per person: of each kind at most one."""
        return sum(self.complications.values())


def expected_health(course: RiskCourse, utilities: str = DEFAULT_SET, copies: int = COPIES) -> ExpectedHealth:
    """Return what one person can expect on a course.

    Parameters
    ----------
    course
        Of one person.
    utilities
        Name of a set of utilities.
    copies
        How often the life is lived; courses that are compared have the same random numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.hazards.risk import RiskProfile
    >>> from betapod.hazards.risk_course import RiskCourse
    >>> from betapod.health.expected_health import expected_health
    >>> days = np.arange(0, 11) * 365.25
    >>> def of(hba1c):
    ...     profile = RiskProfile(age=60 + days / 365.25, female=0, egfr=80, uacr=30, hba1c=hba1c)
    ...     return expected_health(RiskCourse(days, profile, np.arange(1)), copies=200)
    >>> of(10.0).number > of(6.5).number
    True
    """
    many = _copied(course, copies)
    lives = live_on(prepare(many, own_events()))
    weights = utility_weights(utility_set(utilities), many, lives.states, lives.events)
    sums = accrue(lives, weights)
    unharmed = accrue(lives, UtilityWeights(weights.base)).qalys_undiscounted.mean()
    years, qalys = sums.years.mean(), sums.qalys_undiscounted.mean()
    shares = {name: float(np.isfinite(_first(lives, name)).mean()) for name in COMPLICATION_EVENTS}
    failed = float(np.isfinite(course.failure_day()).mean())
    return ExpectedHealth(
        {**shares, "kidney_failure": failed}, float(years), float(qalys), float((unharmed - qalys) / years)
    )


def _first(lives: Lives, event: str) -> Numbers:
    return np.asarray(lives.first_day[lives.events.index(event)])


def _copied(course: RiskCourse, copies: int) -> RiskCourse:
    """Return the course of many people who are one person, with random numbers of their own."""
    copied = course.take(np.zeros(copies, dtype=np.int64))
    return replace(copied, numbers=np.arange(copies, dtype=np.int64))
