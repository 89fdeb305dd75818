"""Grow the library that the package carries, and thin it to what trials need.

    python benchmarks/patients/ship_library.py --lives 9000 --keep 10000

Of all snapshots, those are kept more often that adults with diabetes in NHANES (calibration half) have the like of, that kidney trials
enrol, or that have type 1 diabetes. Thinning changes who is there, not what anybody is; cohorts are weighted afterwards in any case.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from betapod.patients import library
from betapod.patients.cohorts import cohort_catalogue
from betapod.patients.cohorts.reweight import weigh

#: Shares of the library kept for likeness to NHANES, for kidney trials, for type 1 diabetes, and for everybody alike.
SHARES = {"NHANES": 0.60, "kidney": 0.25, "type 1": 0.05, "all": 0.10}


def chances(grown: library.Library, keep: int) -> np.ndarray:
    """Return the chance of every snapshot to be kept; they add up to `keep`."""
    table = grown.table
    eligible, found = weigh(grown, cohort_catalogue.load_target("NHANES"), slack=20.0)
    like = np.zeros(len(grown))
    like[eligible] = found.weights
    type_1 = table["T1D"].to_numpy() > 0
    known = table["diagnosed"].to_numpy() > 0
    kidney = known & ~type_1 & (table["egfr"] < 75).to_numpy() & (table["uacr"] > 30).to_numpy()
    # Kidney trials find few people with much albuminuria: these count more.
    albuminuric = kidney * (1.0 + 2.0 * (table["uacr"] > 300).to_numpy())
    parts = {"NHANES": like, "kidney": albuminuric, "type 1": type_1 * 1.0, "all": np.ones(len(grown))}
    wish = sum(SHARES[name] * part / part.sum() for name, part in parts.items())
    low, high = 0.0, 1e3 * len(grown)
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.minimum(middle * wish, 1.0).sum() < keep else (low, middle)
    return np.minimum(low * wish, 1.0)


def main() -> None:
    """Grow, thin, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lives", type=int, default=9000)
    parser.add_argument("--keep", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--grown", type=Path, help="a library grown before, instead of growing one")
    parser.add_argument("--out", type=Path, default=library.READY)
    chosen = parser.parse_args()
    grown = library.read_library(chosen.grown) if chosen.grown else library.grow(chosen.lives, chosen.seed)
    chance = chances(grown, chosen.keep)
    kept = np.flatnonzero(np.random.default_rng(chosen.seed).uniform(size=len(grown)) < chance)
    thinned = grown.take(kept)
    thinned.origin["thinned"] = {"from": len(grown), "shares": SHARES}
    thinned.save(chosen.out)
    size = chosen.out.stat().st_size / 1e6
    print(f"{len(thinned)} patients, {thinned.table['person'].nunique()} people, {size:.1f} MB")


if __name__ == "__main__":
    main()
