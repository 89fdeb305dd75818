"""The joint distribution of adults with diabetes in NHANES, survey-weighted: what the package carries, and how it is derived.

NHANES 1999-2016 is split by survey cycle: the odd ones (1999-2000, 2003-2004, ...) are the calibration half, to which population
distributions are tuned and cohorts are weighted; the even ones are the test half, used for nothing but comparison. The package
carries quantiles, mean products of ranks, rank correlations and shares, never rows.

Adults: 20 years and older, not pregnant. Diabetes: told by a doctor or on insulin, or HbA1c from 6.5 %, or valid fasting glucose from
126 mg/dL, or valid 2-h glucose from 200 mg/dL. Duration is known of those who were told.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .compare import spearman, weighted_quantile
from .population import PROFILES, Numbers
from .target import Distribution, Moment, Target, kdigo

if TYPE_CHECKING:
    import pandas as pd

#: Quantities of which the whole distribution is matched; and shares.
QUANTITIES = ("age", "duration", "bmi", "hba1c", "fpg", "sbp", "egfr", "uacr")
SHARES = (
    "female",
    "diagnosed",
    "insulin",
    "metformin",
    "sulfonylurea",
    "tzd",
    "dpp4",
    "glp1ra",
    "acei",
    "arb",
    "ccb",
    "diuretic",
)
#: Quantities that are known of some only.
WHERE = {"duration": "diagnosed"}
LEVELS = np.concatenate([[0.005], np.arange(0.01, 0.995, 0.01), [0.995]])
#: Levels at which cumulated shares are balanced.
BALANCED = np.arange(0.05, 0.975, 0.05)
TOLERANCES = {"quantile": 0.006, "rank": 0.0015, "cell": 0.004, "proportion": 0.008}
HALVES = ("calibration", "test")
CITATION = "CDC/NCHS. National Health and Nutrition Examination Survey Data, 1999-2016. Hyattsville, MD."


def derive(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the joint distribution of a cohort as plain values.

    Parameters
    ----------
    frame
        One row per adult with diabetes: the columns of `QUANTITIES` and `SHARES` (NaN where unknown), ``weight`` and, for
        fasting glucose, ``weight_fasting``.
    """
    weight = frame["weight"].to_numpy(dtype=float)

    def known(name: str) -> tuple[Numbers, Numbers]:
        x = frame[name].to_numpy(dtype=float)
        w = frame["weight_fasting"].to_numpy(dtype=float) if name == "fpg" else weight
        if name in WHERE:
            w = w * np.nan_to_num(frame[WHERE[name]].to_numpy(dtype=float))
        return x, np.where(np.isfinite(x), np.nan_to_num(w), 0.0)

    quantiles, distributions = {}, {}
    for name in QUANTITIES:
        x, w = known(name)
        used = w > 0
        values = weighted_quantile(x[used], w[used], LEVELS)
        quantiles[name] = [float(f"{v:.6g}") for v in values]
        distributions[name] = Distribution(LEVELS, np.array(quantiles[name]), WHERE.get(name, ""))
    products, correlations = [], []
    for i, a in enumerate(QUANTITIES):
        for b in QUANTITIES[:i]:
            (x, u), (y, v) = known(a), known(b)
            if a == "fpg" or b == "fpg":
                w = np.where((u > 0) & (v > 0), u if a == "fpg" else v, 0.0)
            else:
                w = np.where((u > 0) & (v > 0), weight, 0.0)
            used = w > 0
            ranks = [distributions[n].probability(z[used]) - 0.5 for n, z in ((a, x), (b, y))]
            mean = float(np.average(ranks[0] * ranks[1], weights=w[used]))
            products.append({"names": [a, b], "value": round(mean, 6)})
            correlations.append({"names": [a, b], "value": round(spearman(x[used], y[used], w[used]), 4)})
    both = frame[["egfr", "uacr"]].notna().all(axis=1).to_numpy()
    own = kdigo(frame["egfr"].to_numpy(dtype=float)[both], frame["uacr"].to_numpy(dtype=float)[both])
    cells = {str(c): round(float(weight[both][own == c].sum() / weight[both].sum()), 5) for c in np.unique(own)}
    shares = {}
    for name in SHARES:
        x = frame[name].to_numpy(dtype=float)
        used = np.isfinite(x)
        shares[name] = round(float(np.average(x[used], weights=weight[used])), 5)
    return {
        "people": len(frame),
        "levels": [round(float(p), 4) for p in LEVELS],
        "quantiles": quantiles,
        "products": products,
        "spearman": correlations,
        "cells": cells,
        "shares": shares,
    }


@functools.cache
def profile() -> Mapping[str, Any]:
    """Return what the package carries, by half."""
    loaded: dict[str, Any] = json.loads((PROFILES / "nhanes.json").read_text(encoding="utf-8"))
    return loaded


def target(half: str = "calibration") -> Target:
    """Return adults with diabetes in one half of NHANES as a target."""
    return target_of(profile()[half], f"NHANES {half} half", "adults with diabetes, NHANES 1999-2016")


def target_of(found: Mapping[str, Any], name: str, label: str) -> Target:
    """Return a joint distribution, as `derive` gives it, as a target."""
    levels = np.array(found["levels"])
    distributions = {n: Distribution(levels, np.array(v), WHERE.get(n, "")) for n, v in found["quantiles"].items()}
    shares = found["shares"]
    moments = [
        Moment("proportion", (n,), value, tolerance=TOLERANCES["proportion"], source=CITATION)
        for n, value in shares.items()
    ]
    for n, real in distributions.items():
        share = shares[real.where] if real.where else 1.0
        for p in BALANCED:
            value = float(real.quantile(p))
            # In whole years a quantile is a step: the level that goes with it is the middle of the step.
            level = float(real.probability(np.array(value)))
            moments.append(
                Moment("quantile", (n,), value, level, 0.0, real.where, share, TOLERANCES["quantile"], CITATION)
            )
    for row in found["products"]:
        where = next((WHERE[n] for n in row["names"] if n in WHERE), "")
        value = row["value"] * (shares[where] if where else 1.0)
        moments.append(
            Moment("rank", tuple(row["names"]), value, where=where, tolerance=TOLERANCES["rank"], source=CITATION)
        )
    moments += [
        Moment("cell", (cell,), value, tolerance=TOLERANCES["cell"], source=CITATION)
        for cell, value in found["cells"].items()
    ]
    return Target(
        name=name,
        label=label,
        moments=tuple(moments),
        distributions=distributions,
        spearman={(row["names"][0], row["names"][1]): row["value"] for row in found["spearman"]},
        cells=dict(found["cells"]),
        unmatched=(
            "race and ethnicity, smoking, income: virtual patients have none",
            "thiazides, loop and potassium-sparing diuretics are one drug here",
        ),
        origin=CITATION,
    )
