"""Cohort targets: moments of a real cohort with tolerances and sources."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...observables import kdigo
from ...observables.table import by_column, observables, observables_and_characteristics
from ..population import Numbers

if TYPE_CHECKING:
    import pandas as pd

#: Units of everything that a table of people may have; creatinine, which becomes eGFR, is no column of a library.
READ_UNITS = by_column({name: item.unit for name, item in observables_and_characteristics().items()})
#: Quantities that targets may speak of and their units in the table of a library.
UNITS = {name: unit for name, unit in READ_UNITS.items() if name != "creatinine"}

#: Quantities of eligibility alone: no column of a library, but one of its columns over another.
RATIOS: Mapping[str, tuple[str, str]] = {"insulin_dose_per_kg": ("insulin_dose", "weight")}
#: Units of all that eligibility may speak of.
ELIGIBILITY_UNITS = {**UNITS, **{name: observables()[name].unit for name in RATIOS}}

#: Eligibility of targets that say nothing else of these: adults with diabetes, but Pima.
IMPLICIT: Mapping[str, tuple[float, float]] = {"diabetes": (1.0, 1.0), "segment": (0.0, 0.0), "age": (18.0, math.inf)}


@dataclass(frozen=True)
class Distribution:
    """Quantiles of one quantity in a real cohort.

    Attributes
    ----------
    levels, values
        Probabilities and quantiles, increasing.
    where
        A 0-1 column whose rows the quantiles are of; all rows if empty.
    """

    levels: Numbers
    values: Numbers
    where: str = ""

    def probability(self, x: Numbers) -> Numbers:
        """Return the distribution function, 0 to 1, linear between quantiles; the middle of a step for values with ties."""
        # Quantiles with ties would make the inverse ambiguous: the mean of its two sides is the mid-distribution.
        values, first = np.unique(self.values, return_index=True)
        last = len(self.values) - 1 - np.unique(self.values[::-1], return_index=True)[1]
        middle = (self.levels[first] + self.levels[last]) / 2.0
        result: Numbers = np.interp(x, values, middle, left=0.0, right=1.0)
        return result

    def quantile(self, p: float | Numbers) -> Numbers:
        """Return quantiles."""
        return np.asarray(np.interp(p, self.levels, self.values), dtype=np.float64)


@dataclass(frozen=True)
class Moment:
    """Target moment: a weighted mean that the cohort must have.

    Attributes
    ----------
    kind
        ``mean``, ``sd``, ``quantile``, ``proportion``, ``log_mean``, ``log_sd``, ``cell`` (share of a KDIGO cell), ``rank`` (mean
        product of two distribution functions less a half).
    names
        The quantity, or two for ``rank``; the cell for ``cell``.
    value
        In the quantity's unit; for ``quantile`` the quantile.
    level
        Probability of a quantile.
    centre
        Mean about which an SD is taken.
    share
        Share of the cohort in the rows of `where`.
    tolerance
        Of the weighted mean that is balanced, in SDs of its column for means and SDs, as a probability for the others.
    """

    kind: str
    names: tuple[str, ...]
    value: float
    level: float = 0.0
    centre: float = 0.0
    where: str = ""
    share: float = 1.0
    tolerance: float = 0.001
    source: str = ""

    @property
    def label(self) -> str:
        """What is matched, in words."""
        name = " and ".join(self.names)
        return f"{name} {100 * self.level:g} % quantile" if self.kind == "quantile" else f"{name} {self.kind}"


@dataclass(frozen=True)
class CohortTarget:
    """A real cohort as published or derived.

    Attributes
    ----------
    ranges
        Eligibility: quantity -> (low, high), both allowed.
    distributions
        For rank moments, and for comparing whole distributions.
    spearman
        Pair of quantities -> rank correlation, to be compared.
    unmatched
        Statements of the table that no library can match, with the reason.
    notes
        How the table was read, in sentences: conversions, what is missing, what is unusual.
    origin
        Where the numbers were read.
    """

    name: str
    label: str
    moments: tuple[Moment, ...]
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    distributions: dict[str, Distribution] = field(default_factory=dict)
    spearman: dict[tuple[str, str], float] = field(default_factory=dict)
    cells: dict[str, float] = field(default_factory=dict)
    unmatched: tuple[str, ...] = ()
    origin: str = ""
    notes: tuple[str, ...] = ()

    def eligible(self, table: pd.DataFrame) -> NDArray[np.bool_]:
        """Return who is within every range, those of `IMPLICIT` too; missing values do not exclude."""
        good = np.ones(len(table), dtype=bool)
        stated = {name for moment in self.moments for name in moment.names}
        implicit = {
            name: span for name, span in IMPLICIT.items() if name in table and (name == "age" or name not in stated)
        }
        for name, (low, high) in {**implicit, **self.ranges}.items():
            above, below = RATIOS.get(name, (name, ""))
            values = (table[above] / table[below] if below else table[above]).to_numpy(dtype=float)
            good &= np.isnan(values) | ((values >= low) & (values <= high))
        return good

    def columns(self, table: pd.DataFrame) -> tuple[Numbers, Numbers, Numbers]:
        """Return the balanced columns (n, moments), the means that they shall have, and tolerances in the columns' units."""
        count = len(self.moments)
        matrix = np.empty((len(table), count))
        goal, tolerance = np.empty(count), np.empty(count)
        for i, moment in enumerate(self.moments):
            matrix[:, i], goal[i] = _column(moment, table, self.distributions)
            scale = float(np.std(matrix[:, i])) if moment.kind in ("mean", "sd", "log_mean", "log_sd") else 1.0
            tolerance[i] = moment.tolerance * max(scale, 1e-9)
        return matrix, goal, tolerance


def _column(moment: Moment, table: pd.DataFrame, distributions: dict[str, Distribution]) -> tuple[Numbers, float]:
    inside = np.ones(len(table)) if not moment.where else table[moment.where].to_numpy(dtype=float)
    if moment.kind == "cell":
        cells = kdigo.grid(table["egfr"].to_numpy(dtype=float), table["uacr"].to_numpy(dtype=float))
        return np.asarray(cells == moment.names[0], dtype=np.float64), moment.value
    values = [np.nan_to_num(table[name].to_numpy(dtype=float)) for name in moment.names]
    if moment.kind == "rank":
        u, v = (distributions[name].probability(x) - 0.5 for name, x in zip(moment.names, values, strict=True))
        return inside * u * v, moment.value
    x = values[0]
    if moment.kind == "quantile":
        # A value on the quantile itself counts half, so that ties in whole years do no harm.
        below = (x < moment.value) + 0.5 * (x == moment.value)
        return inside * below, moment.level * moment.share
    if moment.kind in ("log_mean", "log_sd"):
        x = np.log(np.maximum(x, 1e-12))
    if moment.kind in ("sd", "log_sd"):
        return inside * (x - moment.centre) ** 2, moment.value**2 * moment.share
    return inside * x, moment.value * moment.share
