"""Compare chosen patients with the rows of NHANES, half by half: medians, exact Kolmogorov-Smirnov distances, ranks, KDIGO grid.

    python benchmarks/patients/likeness.py nhanes_adults_1999_2016.parquet

The package's own report compares with quantiles; here the rows themselves are read.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from derive_nhanes import adults_with_diabetes

from betapod.patients import library
from betapod.patients.cohorts import cohort_catalogue, comparison, joint_distribution, nhanes, reweight


def distributions(real: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    """Return one row per quantity; age is compared in whole years, as NHANES has it."""
    rows = []
    for name in joint_distribution.QUANTITIES:
        weight = real["survey_weight_fasting" if name == "fpg" else "survey_weight"].to_numpy(dtype=float)
        x = real[name].to_numpy(dtype=float)
        if name == "duration":
            weight = weight * (real["diagnosed"] == 1).to_numpy()
        used = np.isfinite(x) & (weight > 0)
        x, weight = x[used], weight[used]
        y = chosen[name].dropna().to_numpy(dtype=float)
        y = np.sort(np.floor(y) if name == "age" else y)
        order, grid = np.argsort(x), np.unique(np.concatenate([x, y]))
        total = np.concatenate([[0.0], np.cumsum(weight[order])]) / weight.sum()
        theirs = total[np.searchsorted(x[order], grid, side="right")]
        mine = np.searchsorted(y, grid, side="right") / len(y)
        median = float(comparison.weighted_quantile(x, weight, 0.5))
        miss = 100 * (float(np.median(y)) / median - 1)
        rows.append(
            {"quantity": name, "median": median, "miss_percent": miss, "ks": float(np.abs(mine - theirs).max())}
        )
    return pd.DataFrame(rows)


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser()
    parser.add_argument("table")
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--library")
    chosen = parser.parse_args()
    real = adults_with_diabetes(chosen.table)
    people = library.read_library(chosen.library) if chosen.library else library.default()
    cohort = reweight.select_patients(people, cohort_catalogue.load_target("NHANES"), chosen.patients, chosen.seed)
    report, table = cohort.report, people.table.iloc[cohort.index]
    even = np.full(len(table), 1.0 / len(table))
    print(f"kept {report.kept}, effective {report.effective:.0f} ({100 * report.effective_share:.0f} %)")
    for half, parity in (("calibration", 1), ("test", 0)):
        print(f"\n{half} half")
        print(distributions(real[real["cycle"] % 2 == parity], table).round(3).to_string(index=False))
        target = nhanes.nhanes_target(half)
        ranks, cells = (f(table, even, target) for f in (comparison.compared_correlations, comparison.compared_cells))
        worst = ranks.reindex(ranks["miss"].abs().sort_values(ascending=False).index).head(3)
        print("rank correlations, the farthest:\n", worst.round(3).to_string(index=False))
        cell = cells.iloc[int(cells["miss"].abs().to_numpy().argmax())]
        print(f"KDIGO cells, the farthest: {cell['cell']} {cell['miss']:+.2f} points")


if __name__ == "__main__":
    main()
