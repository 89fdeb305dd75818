"""Errors of numbers from a survey with strata and primary sampling units: Taylor linearisation, Woodruff's intervals, jackknife."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Numbers = np.ndarray


@dataclass(frozen=True)
class Design:
    """Strata and sampling units of everybody in the survey; those outside of a domain have weight 0 and stay in the design."""

    stratum: Numbers
    unit: Numbers

    def variance(self, influence: Numbers) -> float:
        """Return the variance of a sum of influences over the survey, units drawn with replacement within strata."""
        keys = self.stratum.astype(np.int64) * 10 + self.unit.astype(np.int64)
        names, which = np.unique(keys, return_inverse=True)
        totals = np.bincount(which, influence, minlength=len(names))
        strata = names // 10
        result = 0.0
        for stratum in np.unique(strata):
            mine = totals[strata == stratum]
            if len(mine) > 1:
                result += len(mine) / (len(mine) - 1) * float(np.sum((mine - mine.mean()) ** 2))
        return result

    def share_error(self, inside: Numbers, weight: Numbers) -> float:
        """Return the standard error of a weighted mean or share."""
        total = weight.sum()
        mean = float(weight @ inside) / total
        return float(np.sqrt(self.variance(weight * (inside - mean) / total)))

    def ratio_error(self, above: Numbers, below: Numbers, weight: Numbers) -> float:
        """Return the standard error of a ratio of weighted sums."""
        bottom = float(weight @ below)
        ratio = float(weight @ above) / bottom
        return float(np.sqrt(self.variance(weight * (above - ratio * below) / bottom)))

    def jackknife_error(self, statistic: Callable[[Numbers], float], weight: Numbers) -> float:
        """Return the standard error of any function of the weights, each unit left out once."""
        whole = statistic(weight)
        keys = self.stratum.astype(np.int64) * 10 + self.unit.astype(np.int64)
        total = 0.0
        for stratum in np.unique(self.stratum):
            mine = self.stratum == stratum
            units = np.unique(keys[mine])
            if len(units) < 2 or not (weight[mine] > 0).any():
                continue
            for unit in units:
                left = weight.copy()
                left[mine] *= len(units) / (len(units) - 1)
                left[keys == unit] = 0.0
                total += (len(units) - 1) / len(units) * (statistic(left) - whole) ** 2
        return float(np.sqrt(total))


def middle_quantile(x: Numbers, weight: Numbers, level: float) -> float:
    """Return a weighted quantile by the mid-distribution function, so that rounded values do no harm."""
    values, which = np.unique(x, return_inverse=True)
    mass = np.bincount(which, weight, minlength=len(values)) / weight.sum()
    return float(np.interp(level, np.cumsum(mass) - mass / 2.0, values))


def quantile_error(design: Design, x: Numbers, weight: Numbers, level: float, log: bool) -> float:
    """Return the standard error of a quantile (of its logarithm) by Woodruff's interval: the error of the share below, carried over."""
    inside = weight > 0
    value = middle_quantile(x[inside], weight[inside], level)
    below = (x < value) + 0.5 * (x == value)
    error = design.share_error(np.where(inside, below, 0.0), weight)
    ends = [middle_quantile(x[inside], weight[inside], float(np.clip(level + s * error, 0, 1))) for s in (-1, 1)]
    return float((np.log(ends[1] / ends[0]) if log else ends[1] - ends[0]) / 2.0)
