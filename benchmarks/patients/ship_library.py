"""Grow the library that the package carries, and thin it to what trials need.

    python benchmarks/patients/ship_library.py --lives 11000 --pima 900
    python benchmarks/patients/ship_library.py --lives 11000 --pima 900 --as-before

Of the snapshots of people with diabetes, those are kept more often that adults in NHANES (calibration half, and the present) have the like
of, that kidney trials enrol, or that have type 1 diabetes: newly, or with albuminuria. Beside them come people without diabetes and Pima.
Thinning changes who is there, not what anybody is; cohorts are weighted afterwards in any case. `--as-before` keeps the very snapshots of the
library that is there, in its order, after a change of the model that touches few people.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from betapod.patients import library, population
from betapod.patients.cohorts import cohort_catalogue
from betapod.patients.cohorts.cohort_target import CohortTarget
from betapod.patients.cohorts.reweight import weigh

#: Rows of people with diabetes, of people without, and of Pima.
ROWS = {"diabetes": 15500, "without": 4800, "Pima": 1500}
#: Of those with diabetes: likeness to NHANES and to its present, kidney trials, type 1 (new; with albuminuria), everybody alike.
SHARES = {"NHANES": 0.45, "present": 0.08, "kidney": 0.22, "new type 1": 0.07, "type 1, albuminuria": 0.08, "all": 0.10}
#: Of those without: likeness to adults in general, to adults with prediabetes, everybody alike.
SHARES_WITHOUT = {"general": 0.4, "prediabetes": 0.3, "all": 0.3}


def like(grown: library.Library, target: CohortTarget) -> np.ndarray:
    """Return balanced weights, 0 for those not eligible."""
    eligible, found = weigh(grown, target, slack=20.0)
    weights = np.zeros(len(grown))
    weights[eligible] = found.weights
    return weights


def chances(parts: dict[str, np.ndarray], shares: dict[str, float], keep: int) -> np.ndarray:
    """Return the chance of every snapshot to be kept; they add up to `keep`, or to all that there are."""
    wish = sum(shares[name] * part / max(part.sum(), 1e-300) for name, part in parts.items())
    low, high = 0.0, 1e3 * len(wish)
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.minimum(middle * wish, 1.0).sum() < keep else (low, middle)
    return np.minimum(low * wish, 1.0)


def with_diabetes(grown: library.Library) -> np.ndarray:
    """Return chances of people with diabetes, without Pima."""
    table = grown.table
    mine = ((table["diabetes"] > 0) & (table["segment"] == 0)).to_numpy()
    type_1 = mine & (table["T1D"] > 0).to_numpy()
    known = (table["diagnosed"] > 0).to_numpy()
    leaks, heavy = (table["uacr"] > 30).to_numpy(), (table["uacr"] > 300).to_numpy()
    # Kidney trials find few people with much albuminuria: these count more.
    kidney = (mine & known & ~type_1 & (table["egfr"] < 75).to_numpy() & leaks) * (1.0 + 2.0 * heavy)
    parts = {
        "NHANES": like(grown, cohort_catalogue.load_target("NHANES")),
        "present": like(grown, cohort_catalogue.load_target("NHANES 2020")),
        "kidney": kidney,
        "new type 1": 1.0 * (type_1 & (table["years_ill"] < 5).to_numpy()),
        "type 1, albuminuria": (type_1 & leaks) * (1.0 + 2.0 * heavy) * np.where(table["age"] < 45, 2.0, 1.0),
        "all": 1.0 * mine,
    }
    return chances(parts, SHARES, ROWS["diabetes"])


def without_diabetes(grown: library.Library) -> np.ndarray:
    """Return chances of people without diabetes."""
    mine = ((grown.table["diabetes"] == 0) & (grown.table["segment"] == 0)).to_numpy()
    parts = {
        "general": like(grown, cohort_catalogue.load_target("NHANES general")) * mine,
        "prediabetes": like(grown, cohort_catalogue.load_target("NHANES prediabetes")),
        "all": 1.0 * mine,
    }
    return chances(parts, SHARES_WITHOUT, ROWS["without"])


def pima(grown: library.Library) -> np.ndarray:
    """Return chances of Pima: with diabetes first."""
    table = grown.table
    mine = (table["segment"] > 0).to_numpy()
    return chances({"all": mine * np.where(table["diabetes"] > 0, 5.0, 1.0)}, {"all": 1.0}, ROWS["Pima"])


def joined(parts: list[library.Library]) -> library.Library:
    """Return libraries of one model as one."""
    first = parts[0]
    return library.Library(
        pd.concat([part.table for part in parts], ignore_index=True),
        {name: np.concatenate([part.parameters[name] for part in parts]) for name in first.parameters},
        np.concatenate([part.states for part in parts]),
        first.state_names,
        dict(first.origin),
    )


def as_before(grown: library.Library, before: library.Library) -> np.ndarray:
    """Return the rows of the snapshots that are in another library, in its order; those that are no more are left out."""
    keys = [list(zip(table["person"], np.round(table["age"], 4), strict=True)) for table in (grown.table, before.table)]
    rows = {key: row for row, key in enumerate(keys[0])}
    return np.array([rows[key] for key in keys[1] if key in rows], dtype=np.int64)


def main() -> None:
    """Grow, thin, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lives", type=int, default=11000)
    parser.add_argument("--pima", type=int, default=900)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--grown", type=Path, help="where everything that is grown is kept, or was before")
    parser.add_argument("--as-before", action="store_true", help="keep the snapshots of the library that is there")
    parser.add_argument("--out", type=Path, default=library.READY)
    chosen = parser.parse_args()
    if chosen.grown is not None and chosen.grown.is_file():
        grown = library.read_library(chosen.grown)
    else:
        lives = ((chosen.lives, 0), (chosen.pima, population.PIMA_FIRST))
        grown = joined([library.grow(count, chosen.seed, first=first) for count, first in lives])
        grown.origin["pima"] = chosen.pima
        if chosen.grown is not None:
            grown.save(chosen.grown)
    if chosen.as_before:
        rows = as_before(grown, library.read_library(library.READY))
    else:
        generator = np.random.default_rng(chosen.seed)
        # The first rows shall have diabetes.
        chances_of_groups = (with_diabetes(grown), without_diabetes(grown), pima(grown))
        groups = [np.flatnonzero(generator.uniform(size=len(grown)) < chance) for chance in chances_of_groups]
        rows = np.concatenate([generator.permutation(group) for group in groups])
    thinned = grown.take(rows)
    thinned.origin["thinned"] = {"from": len(grown), "rows": ROWS, "shares": SHARES, "without": SHARES_WITHOUT}
    thinned.save(chosen.out)
    size = chosen.out.stat().st_size / 1e6
    print(f"{len(thinned)} patients, {thinned.table['person'].nunique()} people, {size:.1f} MB")


if __name__ == "__main__":
    main()
