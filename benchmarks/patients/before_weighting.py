"""Compare a library as grown, before any weighting, with the rows of NHANES: KDIGO grid, C-peptide, rank correlations, duration.

    python benchmarks/patients/before_weighting.py nhanes_adults_1999_2016.parquet grown.npz

People with type 1 diabetes, of whom the library has more by design, count as little as their share in NHANES demands.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from derive_nhanes import TYPE_1_OF_DIAGNOSED, adults_with_diabetes

from betapod.patients import library
from betapod.patients.cohorts.comparison import spearman, weighted_quantile

GFR, ALBUMIN = (15, 30, 45, 60, 90), (30, 300)
QUANTITIES = ("age", "duration", "bmi", "hba1c", "fpg", "sbp", "egfr", "uacr", "c_peptide")


def grid(table: pd.DataFrame, weight: np.ndarray) -> np.ndarray:
    """Return (6, 3) percentages, G5 to G1 by A1 to A3."""
    known = table[["egfr", "uacr"]].notna().all(axis=1).to_numpy()
    g, a = np.digitize(table["egfr"][known], GFR), np.digitize(table["uacr"][known], ALBUMIN)
    cells = np.zeros((6, 3))
    np.add.at(cells, (g, a), weight[known])
    return 100.0 * cells / cells.sum()


def ranks(table: pd.DataFrame, weight: np.ndarray) -> dict[tuple[str, str], float]:
    """Return weighted rank correlations of all pairs."""
    pairs = {}
    for i, a in enumerate(QUANTITIES):
        for b in QUANTITIES[:i]:
            x, y = table[a].to_numpy(dtype=float), table[b].to_numpy(dtype=float)
            used = np.isfinite(x) & np.isfinite(y) & (weight > 0)
            pairs[a, b] = spearman(x[used], y[used], weight[used])
    return pairs


def levels(table: pd.DataFrame, weight: np.ndarray, name: str) -> np.ndarray:
    """Return weighted quantiles of one column."""
    x = table[name].to_numpy(dtype=float)
    used = np.isfinite(x) & (weight > 0)
    return np.asarray(weighted_quantile(x[used], weight[used], np.array([0.1, 0.25, 0.5, 0.75, 0.9])))


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser()
    parser.add_argument("table")
    parser.add_argument("library")
    chosen = parser.parse_args()
    real = adults_with_diabetes(chosen.table).rename(columns={"cpep_nmolL": "c_peptide"})
    real.loc[real["diagnosed"] != 1, "duration"] = np.nan
    mine = library.read_library(chosen.library).table
    mine = mine[(mine["diabetes"] == 1) & (mine["segment"] == 0) & (mine["age"] >= 20) & (mine["year"] < 2017)]
    type_1 = (mine["T1D"] == 1).to_numpy()
    share = TYPE_1_OF_DIAGNOSED * 0.72
    even = np.where(type_1, share / max(type_1.mean(), 1e-9), (1 - share) / (1 - type_1.mean()))
    print(f"{len(mine)} snapshots of {mine['person'].nunique()} people; type 1 {type_1.mean():.3f}")
    halves = {
        "calibration": real[real["cycle"] % 2 == 1],
        "test": real[real["cycle"] % 2 == 0],
    }
    found = grid(mine, even)
    print("KDIGO, %: cell, library,", ", ".join(halves))
    theirs = {name: grid(half, half["survey_weight"].to_numpy()) for name, half in halves.items()}
    for row in range(5, -1, -1):
        label = ("G5", "G4", "G3b", "G3a", "G2", "G1")[row]
        for column in range(3):
            both = [theirs[name][row, column] for name in halves]
            print(f"  {label}A{column + 1} {found[row, column]:5.1f}  " + "  ".join(f"{v:5.1f}" for v in both), end="")
            miss = found[row, column] - both[0]
            print("   ***" if abs(miss) > (5.0 if row == 5 and column == 0 else 2.5) else "")
    for name, cells in {"library": found, **theirs}.items():
        print(
            f"  {name}: eGFR < 60 {cells[:4].sum():.1f} %, of them A1 {100 * cells[:4, 0].sum() / cells[:4].sum():.0f} %"
        )
    for name in QUANTITIES:
        print(f"{name:10s} library {np.array2string(levels(mine, even, name), precision=2)}", end="")
        for half in halves.values():
            weight = half["survey_weight_fasting" if name in ("fpg", "c_peptide") else "survey_weight"].to_numpy(float)
            print("  ", np.array2string(levels(half, weight, name), precision=2), end="")
        print()
    # Fasting C-peptide was measured in 1999 to 2004, in the fasting subsample.
    oral = real[(real["diagnosed"] == 1) & (real["insulin"] != 1) & real["c_peptide"].notna()]
    mine_oral = mine[(mine["diagnosed"] == 1) & (mine["insulin"] == 0) & (mine["T1D"] == 0)]
    print("fasting C-peptide of the diagnosed without insulin, quartiles by HbA1c: library, NHANES")
    for low, high in ((4, 6), (6, 6.5), (6.5, 7), (7, 8), (8, 9), (9, 14), (4, 14)):
        a = mine_oral[(mine_oral["hba1c"] >= low) & (mine_oral["hba1c"] < high)]
        b = oral[(oral["hba1c"] >= low) & (oral["hba1c"] < high)]
        quartiles = np.quantile(a["c_peptide"], [0.25, 0.5, 0.75]) if len(a) else np.full(3, np.nan)
        weight = b["survey_weight_fasting"].to_numpy(float)
        seen = weighted_quantile(
            b["c_peptide"].to_numpy(float)[weight > 0], weight[weight > 0], np.array([0.25, 0.5, 0.75])
        )
        print(f"  {low}-{high}: {np.round(quartiles, 2)} n {len(a)}   {np.round(seen, 2)} n {len(b)}")
    weight = oral["survey_weight_fasting"].to_numpy(float)
    for name in ("hba1c", "bmi"):
        a = mine_oral[["c_peptide", name]].corr("spearman").iloc[0, 1]
        used = oral[name].notna().to_numpy() & (weight > 0)
        b = spearman(oral["c_peptide"].to_numpy(float)[used], oral[name].to_numpy(float)[used], weight[used])
        print(f"  rank correlation with {name}: library {a:.2f}, NHANES {b:.2f}")
    mine_ranks = ranks(mine, even)
    for half_name, half in halves.items():
        misses = {p: (mine_ranks[p], r) for p, r in ranks(half, half["survey_weight"].to_numpy()).items()}
        worst = sorted(misses, key=lambda p: -abs(misses[p][0] - misses[p][1]))[:6]
        said = ", ".join(f"{a}-{b} {misses[a, b][0]:.2f} for {misses[a, b][1]:.2f}" for a, b in worst)
        print(f"rank correlations, farthest from the {half_name} half: {said}")
    for name in ("insulin", "metformin", "sulfonylurea", "acei", "arb", "ccb", "diuretic", "cvd", "hf", "diagnosed"):
        theirs_share = [
            np.average(h[name].dropna(), weights=h["survey_weight"][h[name].notna()]) for h in halves.values()
        ]
        print(
            f"{name:12s} library {np.average(mine[name], weights=even):.3f}  "
            + "  ".join(f"{v:.3f}" for v in theirs_share)
        )
    first = mine.sort_values("age").groupby("person").first()
    onset = (first["age"] - first["years_ill"])[first["T1D"] == 0]
    print("age at onset of type 2, quartiles", np.round(np.quantile(onset, [0.25, 0.5, 0.75]), 1))
    print(f"MAP > 120: {np.mean(mine['true_MAP'] > 120):.4f}")


if __name__ == "__main__":
    main()
