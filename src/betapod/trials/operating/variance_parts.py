"""What replicates of a trial differ by: chance within one set of parameters, and the sets of parameters themselves; beside it, what studies differ by."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...base.interval_parts import IntervalParts

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class VarianceParts:
    """SDs of an estimate over replicates, on the scale of the analysis.

    Attributes
    ----------
    chance
        Within one set of parameters: who is enrolled, what is measured, who leaves. NaN where no set has two replicates.
    parameters
        Between sets of parameters, chance taken out: what nobody knows of the body and of the cells. NaN where all replicates have the
        same ones.
    lowest, highest
        Least and greatest mean of the replicates of a set; chance is in them too.
    sets
        Sets of parameters that have a replicate with an estimate.
    mean
        Of the replicates.
    studies
        What studies of the kind differ by; no replicate has it. NaN where nobody knows it.
    """

    chance: float
    parameters: float
    lowest: float
    highest: float
    sets: int
    mean: float = math.nan
    studies: float = math.nan

    @property
    def interval_parts(self) -> IntervalParts:
        """The parts as those of an interval."""
        return IntervalParts(self.chance, self.parameters, self.studies, self.sets if self.sets > 1 else 0)

    def as_columns(self) -> dict[str, float | int]:
        """Return the parts as columns of result tables, and the ends of the 95 % interval of all that are there together."""
        low, high = self.interval_parts.interval(self.mean)
        columns: dict[str, float | int] = {**self.interval_parts.as_columns(), "low_of_all": low, "high_of_all": high}
        if self.sets < 2:
            return columns
        return columns | {
            "lowest_of_sets": self.lowest,
            "highest_of_sets": self.highest,
            "parameter_sets": self.sets,
        }


def variance_parts(effect: Numbers, sets: int, studies: float = math.nan) -> VarianceParts:
    """Return what part of the spread of an estimate is chance, and what comes from parameters (one-way analysis of variance).

    Parameters
    ----------
    effect
        (R,) estimates; replicate r has set r modulo `sets`. What is not finite is left out.
    sets
        Sets of parameters.
    studies
        SD of what studies of the kind differ by, on the scale of the estimates.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.trials.operating.variance_parts import variance_parts
    >>> parts = variance_parts(np.array([0.0, 10.0, 2.0, 12.0]), 2)
    >>> round(parts.chance, 3), parts.lowest, parts.highest
    (1.414, 1.0, 11.0)
    """
    which = np.arange(len(effect)) % sets
    groups = [effect[(which == k) & np.isfinite(effect)] for k in range(sets)]
    groups = [group for group in groups if len(group)]
    means = np.array([group.mean() for group in groups])
    sizes = np.array([len(group) for group in groups], dtype=np.float64)
    total = float(sizes.sum())
    if not len(groups):
        return VarianceParts(math.nan, math.nan, math.nan, math.nan, 0, studies=studies)
    low, high = float(means.min()), float(means.max())
    overall = float(np.sum(sizes * means) / total)
    if total <= len(groups):
        return VarianceParts(math.nan, math.nan, low, high, len(groups), overall, studies)
    within = sum(float(np.sum((group - group.mean()) ** 2)) for group in groups) / (total - len(groups))
    if len(groups) < 2:
        return VarianceParts(math.sqrt(within), math.nan, low, high, 1, overall, studies)
    between = float(np.sum(sizes * (means - overall) ** 2)) / (len(groups) - 1)
    per_set = (total - float(np.sum(sizes**2)) / total) / (len(groups) - 1)
    between_sets = math.sqrt(max(0.0, (between - within) / per_set))
    return VarianceParts(math.sqrt(within), between_sets, low, high, len(groups), overall, studies)
