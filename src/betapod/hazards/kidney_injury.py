"""Episodes of acute kidney injury on a course: when the first comes, what it takes for good, and the switches of inputs that it is.

The day is drawn before the course is simulated, from the hazard of the person as he is at the start (age rises, eGFR and albuminuria
stay), with the factors of the drugs that he takes. An episode takes a share of the nephrons for good and part of filtration while it
lasts. One number per person decides on the day and one on the share, so that arms of a trial have the same person's episode, earlier
or later by what they take.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..base.constants import DAYS_PER_YEAR
from ..base.randomness import Patients, Stream
from ..engine.schedule import Schedule, Switch
from ..therapies.standard_care import Therapy
from .drug_hazards import drug_factors, taken_on
from .event_times import cumulative_hazard, event_day, hazard_thresholds
from .outcome_rates import aki_rate
from .risk import Numbers, RiskProfile, hazard_parameters, hazard_values

if TYPE_CHECKING:
    import pandas as pd

#: Days between which rates are known.
_STEP = 91.3125
#: Days on which therapies begin that the grid of rates holds besides; more differ by days only.
_MOST_STARTS = 8
#: Share of the nephrons that no episode exceeds.
_MOST = 0.8


@dataclass(frozen=True)
class KidneyInjuries:
    """The first episode of each person.

    Attributes
    ----------
    day
        (people,) on the clock of the schedules; infinite without.
    share
        (people,) of the nephrons, lost for good.
    """

    day: Numbers
    share: Numbers

    def take(self, people: NDArray[np.int64]) -> KidneyInjuries:
        """Return the episodes of some people, by their places."""
        return replace(self, day=self.day[people], share=self.share[people])

    def added_to(self, schedules: Sequence[Schedule]) -> tuple[Schedule, ...]:
        """Return schedules with the episodes; people without one keep theirs."""
        added = list(schedules)
        for person in np.flatnonzero(np.isfinite(self.day)):
            episode = _switches(float(self.day[person]), float(self.share[person]))
            added[person] = replace(added[person], switches=(*added[person].switches, *episode))
        return tuple(added)


def injuries_of(
    table: pd.DataFrame,
    background: Mapping[str, NDArray[np.bool_]],
    added: Sequence[Sequence[Therapy]],
    seed: int,
    start: float,
    last: float,
) -> KidneyInjuries:
    """Return the first episode of people of a library between two days.

    Parameters
    ----------
    table
        Of the library, with ``person``, ``age``, ``female``, ``true_egfr`` and ``true_uacr``; a person has the same random numbers
        whatever the treatment.
    background, added
        What people take already, and what they are given, on the clock of the days.
    start, last
        Days; ages and values of the table are those of the first.
    """
    starts = {item.start for therapies in added for item in therapies if start < item.start < last}
    days = np.unique([*np.arange(start, last, _STEP), last, *sorted(starts)[:_MOST_STARTS]])
    column = {
        name: table[name].to_numpy(dtype=np.float64)[:, None] for name in ("age", "female", "true_egfr", "true_uacr")
    }
    profile = RiskProfile(
        column["age"] + (days - start) / DAYS_PER_YEAR, column["female"], column["true_egfr"], column["true_uacr"]
    )
    factors = drug_factors(taken_on(days, background, added))
    rates = np.broadcast_to(aki_rate(profile) * factors.get("aki", 1.0), (len(table), len(days)))
    people = table["person"].to_numpy(dtype=np.int64)
    day = event_day(days, cumulative_hazard(days, rates), hazard_thresholds(seed, "aki", people))
    return KidneyInjuries(day, lost_share(seed, people))


def lost_share(seed: int, people: Patients) -> Numbers:
    """Return the share of the nephrons that an episode takes for good, one per person."""
    row = hazard_parameters()["aki_loss"]
    assert row.shape is not None
    _, median, spread = row.shape
    normal = Stream(seed, "hazard:aki share").normal(people)
    return np.asarray(np.minimum(median * np.exp(spread * normal), _MOST))


def _switches(day: float, share: float) -> tuple[Switch, ...]:
    p = hazard_values()
    end = day + p["aki_days"]
    return (
        Switch("aki_m", p["aki_filtration"], day),
        Switch("aki_loss", -math.log1p(-share) / p["aki_days"], day),
        Switch("aki_m", 1.0, end),
        Switch("aki_loss", 0.0, end),
    )
