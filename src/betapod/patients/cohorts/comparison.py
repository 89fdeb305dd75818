"""Compare a selected cohort with its target: moments, distributions, rank correlations, KDIGO grid."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...observables import kdigo
from ..population import Numbers
from .cohort_target import CohortTarget, Distribution
from .entropy_balancing import Balance

if TYPE_CHECKING:
    import pandas as pd

    from ..library import Library


@dataclass(frozen=True)
class CohortComparison:
    """Comparison of a cohort with its target.

    Attributes
    ----------
    eligible
        Patients of the library within the target's ranges.
    kept
        Of these, with more than a hundredth of an even weight.
    effective
        Kish's effective sample size of the weights.
    repeats
        Chosen patients beyond the number of different people.
    moments
        One row per moment: ``moment``, ``target``, ``weighted``, ``chosen`` (of the weighted library and of the chosen
        patients), ``tolerance`` and ``miss`` (chosen less target), in the unit of the balanced column.
    unmatched
        Sentences on what cannot be matched.
    """

    target: str
    library: int
    eligible: int
    kept: int
    effective: float
    chosen: int
    repeats: int
    moments: pd.DataFrame = field(repr=False)
    distributions: pd.DataFrame = field(repr=False)
    correlations: pd.DataFrame = field(repr=False)
    cells: pd.DataFrame = field(repr=False)
    unmatched: tuple[str, ...] = ()

    @property
    def effective_share(self) -> float:
        """Effective sample size over those kept."""
        return self.effective / max(self.kept, 1)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        frames = ("moments", "distributions", "correlations", "cells")
        plain = {name: getattr(self, name).to_dict("records") for name in frames}
        names = (
            "target",
            "library",
            "eligible",
            "kept",
            "effective",
            "effective_share",
            "chosen",
            "repeats",
            "unmatched",
        )
        return {name: getattr(self, name) for name in names} | plain


def weighted_quantile(x: Numbers, weights: Numbers, levels: Numbers | float) -> Numbers:
    """Return quantiles of a weighted sample, linear between the middles of its steps."""
    order = np.argsort(x, kind="stable")
    total = np.cumsum(weights[order])
    middle = (total - weights[order] / 2.0) / total[-1]
    return np.asarray(np.interp(levels, middle, x[order]), dtype=np.float64)


def weighted_ranks(x: Numbers, weights: Numbers) -> Numbers:
    """Return the mid-distribution function of a weighted sample at its own values, ties together."""
    values, which = np.unique(x, return_inverse=True)
    mass = np.bincount(which, weights, minlength=len(values))
    result: Numbers = ((np.cumsum(mass) - mass / 2.0) / mass.sum())[which]
    return result


def spearman(x: Numbers, y: Numbers, weights: Numbers) -> float:
    """Return the weighted rank correlation."""
    u, v = weighted_ranks(x, weights), weighted_ranks(y, weights)
    w = weights / weights.sum()
    u, v = u - w @ u, v - w @ v
    scale = float(np.sqrt((w @ u**2) * (w @ v**2)))
    return float(w @ (u * v)) / scale if scale > 0 else float("nan")


def largest_distance(x: Numbers, weights: Numbers, real: Distribution) -> float:
    """Return the Kolmogorov-Smirnov distance between a weighted sample and quantiles, judged at the quantiles' own values.

    At values with ties both distribution functions are taken on top of the step.
    """
    order = np.argsort(x)
    total = np.concatenate([[0.0], np.cumsum(weights[order])]) / weights.sum()
    values, back = np.unique(real.values[::-1], return_index=True)
    level = real.levels[::-1][back]
    empirical = total[np.searchsorted(x[order], values, side="right")]
    # The outermost quantiles stand for minimum and maximum and say nothing about the tails.
    inner = (level > 0.005) & (level < 0.995)
    if inner.any():
        return float(np.max(np.abs(empirical - level)[inner]))
    # (Nearly) everybody has one value: what lies below and above it is the distance.
    below = total[np.searchsorted(x[order], values[-1], side="left")]
    return float(max(below, 1.0 - empirical[-1]))


def compared_distributions(table: pd.DataFrame, weights: Numbers, target: CohortTarget) -> pd.DataFrame:
    """Return one row per quantity: median, its relative miss in percent (NaN for a median of 0), Kolmogorov-Smirnov distance."""
    import pandas as pd

    rows = []
    for name, real in target.distributions.items():
        inside = np.ones(len(table), dtype=bool) if not real.where else table[real.where].to_numpy(dtype=float) > 0
        x, w = table[name].to_numpy(dtype=float)[inside], weights[inside]
        median, wanted = float(weighted_quantile(x, w, 0.5)), float(real.quantile(0.5))
        rows.append(
            {
                "quantity": name,
                "target_median": wanted,
                "median": median,
                # Half of the people may have a duration of 0 years.
                "miss_percent": 100.0 * (median / wanted - 1.0) if wanted else float("nan"),
                "ks": largest_distance(x, w, real),
            }
        )
    return pd.DataFrame(rows, columns=["quantity", "target_median", "median", "miss_percent", "ks"])


def compared_correlations(table: pd.DataFrame, weights: Numbers, target: CohortTarget) -> pd.DataFrame:
    """Return one row per pair: rank correlation in the target and here."""
    import pandas as pd

    rows = []
    for (a, b), wanted in target.spearman.items():
        x, y = table[a].to_numpy(dtype=float), table[b].to_numpy(dtype=float)
        good = np.isfinite(x) & np.isfinite(y)
        correlation = spearman(x[good], y[good], weights[good])
        rows.append({"pair": f"{a} {b}", "target": wanted, "found": correlation, "miss": correlation - wanted})
    return pd.DataFrame(rows, columns=["pair", "target", "found", "miss"])


def compared_cells(table: pd.DataFrame, weights: Numbers, target: CohortTarget) -> pd.DataFrame:
    """Return one row per KDIGO cell: share in the target and here, in percent."""
    import pandas as pd

    cell_of_row = kdigo.grid(table["egfr"].to_numpy(dtype=float), table["uacr"].to_numpy(dtype=float))
    rows = []
    for cell, share in target.cells.items():
        percent = 100.0 * float(weights[cell_of_row == cell].sum() / weights.sum())
        rows.append({"cell": cell, "target": 100.0 * share, "found": percent, "miss": percent - 100.0 * share})
    return pd.DataFrame(rows, columns=["cell", "target", "found", "miss"])


def report_on(
    library: Library,
    target: CohortTarget,
    index: NDArray[np.int64],
    weights: Numbers,
    balanced: Balance,
    kept: int,
    tolerance: Numbers,
) -> CohortComparison:
    """Return the comparison of the selected patients with the target."""
    import pandas as pd

    selected = library.table.iloc[index]
    columns, goal, _ = target.columns(selected)
    moments = pd.DataFrame(
        {
            "moment": [moment.label for moment in target.moments],
            "target": goal,
            "weighted": balanced.means,
            "chosen": columns.mean(axis=0),
            "tolerance": tolerance,
        }
    )
    moments["miss"] = moments["chosen"] - moments["target"]
    even = np.full(len(selected), 1.0 / len(selected))
    missed = moments[np.abs(moments["weighted"] - moments["target"]) > 5.0 * moments["tolerance"]]
    unmatched = (
        *target.unmatched,
        *(
            f"{row.moment}: {row.weighted:.4g} where {row.target:.4g} is wanted: the library has too few such patients"
            for row in missed.itertuples()
        ),
    )
    return CohortComparison(
        target=target.name,
        library=len(library),
        eligible=int(target.eligible(library.table).sum()),
        kept=kept,
        effective=balanced.effective,
        chosen=len(index),
        repeats=len(index) - int(selected["person"].nunique()),
        moments=moments,
        distributions=compared_distributions(selected, even, target),
        correlations=compared_correlations(selected, even, target),
        cells=compared_cells(selected, even, target),
        unmatched=unmatched,
    )
