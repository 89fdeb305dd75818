"""What replicates of a trial differ by: chance within one set of parameters, and the sets of parameters themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class VarianceParts:
    """SDs of an estimate over replicates, on the scale of the analysis.

    Attributes
    ----------
    chance
        Within one set of parameters: who is enrolled, what is measured, who leaves. NaN where no set has two replicates.
    parameters
        Between sets of parameters, chance taken out: what nobody knows of the body and of the cells.
    lowest, highest
        Least and greatest mean of the replicates of a set; chance is in them too.
    sets
        Sets of parameters that have a replicate with an estimate.
    """

    chance: float
    parameters: float
    lowest: float
    highest: float
    sets: int

    def as_columns(self) -> dict[str, float | int]:
        """Return the parts as columns of result tables."""
        return {
            "sd_chance": self.chance,
            "sd_parameters": self.parameters,
            "lowest_of_sets": self.lowest,
            "highest_of_sets": self.highest,
            "parameter_sets": self.sets,
        }


def variance_parts(effect: Numbers, sets: int) -> VarianceParts:
    """Return what part of the spread of an estimate is chance, and what comes from parameters (one-way analysis of variance).

    Parameters
    ----------
    effect
        (R,) estimates; replicate r has set r modulo `sets`. What is not finite is left out.
    sets
        Sets of parameters, at least two.

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
        return VarianceParts(math.nan, math.nan, math.nan, math.nan, 0)
    low, high = float(means.min()), float(means.max())
    if total <= len(groups):
        return VarianceParts(math.nan, math.nan, low, high, len(groups))
    within = sum(float(np.sum((group - group.mean()) ** 2)) for group in groups) / (total - len(groups))
    if len(groups) < 2:
        return VarianceParts(math.sqrt(within), math.nan, low, high, 1)
    overall = float(np.sum(sizes * means) / total)
    between = float(np.sum(sizes * (means - overall) ** 2)) / (len(groups) - 1)
    per_set = (total - float(np.sum(sizes**2)) / total) / (len(groups) - 1)
    return VarianceParts(math.sqrt(within), math.sqrt(max(0.0, (between - within) / per_set)), low, high, len(groups))
