"""The course of people over years as events read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from .risk import Numbers, RiskProfile


@dataclass(frozen=True)
class RiskCourse:
    """What events read of people, on a grid of days.

    Attributes
    ----------
    days
        (T,) increasing from 0: the edges of the steps. Values are linear in between.
    profile
        Arrays that broadcast to (people, T). What is not known after kidney failure is held.
    numbers
        (people,) whole numbers by which random numbers are drawn: a person has the same under every strategy.
    histories
        State -> (people,) chance from 0 to 1 that it is on at day 0; states that are not named are off.
    failed
        (people,) day of kidney failure; infinite without.
    intake
        Drug or class -> (people, T) share of its effect, as of `drug_hazards.taken_on`.
    harms
        Event -> factor on its rate by cells, a number or (people, T).
    dated
        Event -> (people,) day on which it comes as part of the course, such as an acute kidney injury that has cost nephrons; infinite
        without. Such an event comes on that day and on no other.
    besides
        Event -> (people,) day on which it comes besides those that come by its rate, such as a clot after an infusion; infinite without.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.hazards.risk import RiskProfile
    >>> from betapod.hazards.risk_course import RiskCourse
    >>> days = np.arange(0, 11) * 365.25
    >>> course = RiskCourse(days, RiskProfile(age=60 + days / 365.25, female=0, egfr=60, uacr=300), np.arange(100))
    >>> course.people, course.steps
    (100, 10)
    """

    days: Numbers
    profile: RiskProfile
    numbers: NDArray[np.int64]
    histories: Mapping[str, Numbers] = field(default_factory=dict)
    failed: Numbers | None = None
    intake: Mapping[str, Numbers] = field(default_factory=dict)
    harms: Mapping[str, Numbers | float] = field(default_factory=dict)
    dated: Mapping[str, Numbers] = field(default_factory=dict)
    besides: Mapping[str, Numbers] = field(default_factory=dict)

    @property
    def people(self) -> int:
        """How many people there are."""
        return len(self.numbers)

    @property
    def steps(self) -> int:
        """How many steps of time there are."""
        return len(self.days) - 1

    def failure_day(self) -> Numbers:
        """Return (people,) the day of kidney failure; infinite without."""
        return np.full(self.people, np.inf) if self.failed is None else np.asarray(self.failed, dtype=np.float64)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_] | slice) -> RiskCourse:
        """Return the course of some of the people."""

        def of(values: Numbers | float) -> Numbers | float:
            # One axis alone is that of time.
            return np.asarray(values)[rows] if np.ndim(values) == 2 and np.shape(values)[0] > 1 else values

        names = [item.name for item in fields(RiskProfile)]
        profile = RiskProfile(**{name: of(getattr(self.profile, name)) for name in names})
        return RiskCourse(
            self.days,
            profile,
            self.numbers[rows],
            {name: values[rows] for name, values in self.histories.items()},
            self.failure_day()[rows],
            {name: values[rows] for name, values in self.intake.items()},
            {name: of(values) for name, values in self.harms.items()},
            {name: values[rows] for name, values in self.dated.items()},
            {name: values[rows] for name, values in self.besides.items()},
        )
