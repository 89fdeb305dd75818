"""How far measurements of one person stray: two examinations, sensors worn for weeks, years of urine.

What is compared is the SD of one value about the person's own, as so many collections within so many years show it: the error of one measurement,
and what life moves meanwhile. Where people have a deviation from the start (albuminuria), life moves collections apart by one less their mean
correlation; elsewhere it grows like a random walk within the first year. How the person's own value moves over years is added for albuminuria, from
the lives of the model's people.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...observables import kdigo
from ...observables.table import observables
from ..fit_rows import FitRows
from ..unknown import Unknown
from .model_people import LIVES, ModelPeople, model_people
from .target_rows import TargetRow, compared_scale, fit_rows_of, read_target_rows

if TYPE_CHECKING:
    from ...validation.predictions.condition import Condition

Numbers = NDArray[np.float64]
#: Span (years) from which on a person's own albuminuria is followed, and yearly visits that are needed for it.
_LONG, _FEWEST = 2.0, 4
#: Albuminuria (mg/g) of the groups of studies of years.
_GROUPS = {
    "normal": (0.0, kdigo.A2_FROM),
    "micro": (kdigo.A2_FROM, kdigo.A3_ABOVE),
    "macro": (kdigo.A3_ABOVE, math.inf),
}
#: SD of a prior on the logarithm of an SD that is assumed, and of one that was measured.
_ASSUMED, _MEASURED = 0.4, 0.2


class VisitVariation:
    """Rows of variation within people.

    Attributes
    ----------
    name
        ``visits``.
    rows
        All fitted.

    Examples
    --------
    >>> from betapod.calibration.real_data.visit_variation import VisitVariation
    >>> visits = VisitVariation(lives=0)
    >>> visits.natural([None])[0][visits.rows.record.index("nhanes-repeat-HbA1c")].round(3) >= 0.02
    np.True_
    """

    name = "visits"

    def __init__(self, lives: int = LIVES) -> None:
        self.targets: tuple[TargetRow, ...] = read_target_rows("visit_rows")
        self._lives = lives
        self.rows: FitRows = fit_rows_of(self.targets)

    def predict(self, conditions: Sequence[Condition]) -> Numbers:
        """Return (K, n) SDs that the package has, on the scale of the rows."""
        return compared_scale(self.rows.scale, self.natural(conditions))

    def natural(self, conditions: Sequence[Condition | None]) -> Numbers:
        """Return (K, n) SDs; None stands for the package's tables. Without lives a person's own value stays as it is."""
        people = model_people(conditions, self._lives) if self._lives else [None] * len(conditions)
        return np.array([self._of(condition, who) for condition, who in zip(conditions, people, strict=True)])

    def _of(self, condition: Condition | None, people: ModelPeople | None) -> Numbers:
        if condition is None:
            return np.array([_predicted(row, people) for row in self.targets])
        with condition.holding():
            return np.array([_predicted(row, people) for row in self.targets])


def _predicted(row: TargetRow, people: ModelPeople | None) -> float:
    """Return the SD of one value that collections of a row show."""
    item = observables()[row.endpoint]
    error = item.error
    if error is None:
        return float("nan")
    variance = (error.sd if row.unit != "1" else item.relative_error) ** 2
    years, collections = row.among["years"], int(row.among["collections"])
    life = item.life
    if life is not None and collections > 1:
        if life.person:
            size = float(np.asarray(life.share_at(np.array([row.among["level"]])))[0])
            variance += size**2 * (1.0 - mean_correlation(years, collections, life.lasts))
        else:
            variance += life.share**2 * min(years, 1.0) / 2.0
    if years >= _LONG and people is not None and row.group in _GROUPS:
        variance += own_movement(people, *_GROUPS[row.group], years) ** 2
    return math.sqrt(variance)


def mean_correlation(years: float, collections: int, lasts: float) -> float:
    """Return the mean correlation of two of several collections, evenly spread over a time, whose correlation falls exponentially.

    Parameters
    ----------
    years
        From the first to the last.
    collections
        At least two.
    lasts
        Correlation time, year.

    Returns
    -------
    float
        From 0 to 1.

    Examples
    --------
    >>> from betapod.calibration.real_data.visit_variation import mean_correlation
    >>> round(mean_correlation(1.0, 2, 1.0), 4)
    0.3679
    """
    at = np.linspace(0.0, years, collections)
    apart = np.abs(at[:, None] - at[None, :])
    pairs = ~np.eye(collections, dtype=bool)
    return float(np.exp(-apart / lasts)[pairs].mean())


def own_movement(people: ModelPeople, low: float, high: float, years: float) -> float:
    """Return the median SD within a person of the logarithm of their own albuminuria over some years.

    Parameters
    ----------
    people
        With yearly visits.
    low, high
        Albuminuria (mg/g) of those who count, at the first visit.
    years
        Followed from each person's first visit with diabetes in that range on.

    Returns
    -------
    float
        NaN where nobody is like that.
    """
    table = people.library.table
    table = table[table["T1D"] == 0]
    true_uacr = table["true_uacr"].to_numpy(dtype=np.float64)
    inside = (true_uacr >= low) & (true_uacr < high)
    first = table[inside].groupby("person")["age"].min()
    since = table["age"].to_numpy(dtype=np.float64) - table["person"].map(first).to_numpy(dtype=np.float64)
    followed = (since >= 0.0) & (since <= years)
    by_person = table[followed].assign(log_uacr=np.log(true_uacr[followed])).groupby("person")["log_uacr"]
    spread = by_person.std()[by_person.count() >= _FEWEST]
    return float(spread.median()) if len(spread) else float("nan")


def visit_unknowns() -> tuple[Unknown, ...]:
    """Return unknowns of visits of what these rows, or repeated urine, speak to, with the package's SDs as medians of their priors.

    Returns
    -------
    tuple of Unknown
        ``UACR measurement``, ``UACR life`` ...: wide priors where the table assumes, narrower ones where it derives.

    Examples
    --------
    >>> from betapod.calibration.real_data.visit_variation import visit_unknowns
    >>> [unknown.name for unknown in visit_unknowns()][:2]
    ['UACR measurement', 'UACR life']
    """
    unknowns = []
    for endpoint in dict.fromkeys(("UACR", *(row.endpoint for row in read_target_rows("visit_rows")))):
        item = observables()[endpoint]
        for kind, variation in (("measurement", item.error), ("life", item.life)):
            if variation is None or not variation.sd > 0.0 or endpoint == "UAER":
                continue
            sd = _MEASURED if variation.role == "derived" else _ASSUMED
            unit = "1" if variation.scale == "log" else item.unit
            label = (
                f"SD of one measurement of {endpoint}"
                if kind == "measurement"
                else f"SD of what life moves of {endpoint}"
            )
            unknowns.append(
                Unknown(
                    f"{endpoint} {kind}",
                    "visit",
                    unit,
                    variation.sd,
                    "log",
                    sd,
                    0.0,
                    label=label,
                    source=variation.source,
                )
            )
    return tuple(unknowns)
