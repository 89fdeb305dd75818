"""Joint distribution of a cohort as aggregate statistics: quantiles, rank correlations, KDIGO grid, shares; no individual rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...observables import kdigo
from ..population import Numbers
from .cohort_target import CohortTarget, Distribution, Moment
from .comparison import spearman, weighted_quantile

if TYPE_CHECKING:
    import pandas as pd

#: Quantities of which the whole distribution is matched; and shares.
QUANTITIES = ("age", "duration", "bmi", "hba1c", "fpg", "sbp", "egfr", "uacr")
SHARES = (
    "female",
    "diabetes",
    "T1D",
    "diagnosed",
    "cvd",
    "hf",
    "insulin",
    "metformin",
    "sulfonylurea",
    "tzd",
    "dpp4",
    "glp1ra",
    "sglt2i",
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


def derive(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the joint distribution of a cohort as plain values.

    Parameters
    ----------
    frame
        One row per person: what is known of `QUANTITIES` and `SHARES` (NaN where unknown); ``survey_weight`` and, for fasting
        glucose, ``survey_weight_fasting`` where people do not count alike. A column ``weight`` is their body's.
    """
    weight = frame["survey_weight"].to_numpy(dtype=float) if "survey_weight" in frame else np.ones(len(frame))

    def known(name: str) -> tuple[Numbers, Numbers]:
        x = frame[name].to_numpy(dtype=float)
        fasting = name == "fpg" and "survey_weight_fasting" in frame
        w = frame["survey_weight_fasting"].to_numpy(dtype=float) if fasting else weight
        if name in WHERE and WHERE[name] in frame:
            w = w * np.nan_to_num(frame[WHERE[name]].to_numpy(dtype=float))
        return x, np.where(np.isfinite(x), np.nan_to_num(w), 0.0)

    quantities = [name for name in QUANTITIES if name in frame and known(name)[1].any()]
    quantiles, distributions = {}, {}
    for name in quantities:
        x, w = known(name)
        used = w > 0
        values = weighted_quantile(x[used], w[used], LEVELS)
        quantiles[name] = [float(f"{v:.6g}") for v in values]
        distributions[name] = Distribution(LEVELS, np.array(quantiles[name]), WHERE.get(name, ""))
    products, correlations = [], []
    for i, a in enumerate(quantities):
        for b in quantities[:i]:
            (x, u), (y, v) = known(a), known(b)
            if a == "fpg" or b == "fpg":
                w = np.where((u > 0) & (v > 0), u if a == "fpg" else v, 0.0)
            else:
                w = np.where((u > 0) & (v > 0), weight, 0.0)
            used = w > 0
            if used.sum() < 3:
                continue
            ranks = [distributions[n].probability(z[used]) - 0.5 for n, z in ((a, x), (b, y))]
            mean = float(np.average(ranks[0] * ranks[1], weights=w[used]))
            products.append({"names": [a, b], "value": round(mean, 6)})
            correlations.append({"names": [a, b], "value": round(spearman(x[used], y[used], w[used]), 4)})
    cells: dict[str, float] = {}
    if {"egfr", "uacr"} <= set(quantities):
        both = frame[["egfr", "uacr"]].notna().all(axis=1).to_numpy()
        cell_of_row = kdigo.grid(frame["egfr"].to_numpy(dtype=float)[both], frame["uacr"].to_numpy(dtype=float)[both])
        cells = {
            str(c): round(float(weight[both][cell_of_row == c].sum() / weight[both].sum()), 5)
            for c in sorted(set(cell_of_row))
        }
        cells = {cell: share for cell, share in cells.items() if np.isfinite(share)}
    shares = {}
    for name in (name for name in SHARES if name in frame):
        x = frame[name].to_numpy(dtype=float)
        used = np.isfinite(x) & (weight > 0)
        if not used.any():
            continue
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


def _where(name: str, joint: Mapping[str, Any]) -> str:
    """Return the 0-1 column within which a quantity is known, if the cohort has that column."""
    column = WHERE.get(name, "")
    return column if column in joint["shares"] else ""


def target_of(
    joint: Mapping[str, Any], name: str, label: str, origin: str = "", unmatched: tuple[str, ...] = ()
) -> CohortTarget:
    """Return a joint distribution, as `derive` gives it, as a target."""
    levels = np.array(joint["levels"])
    distributions = {n: Distribution(levels, np.array(v), _where(n, joint)) for n, v in joint["quantiles"].items()}
    shares = joint["shares"]
    moments = [
        Moment("proportion", (n,), value, tolerance=TOLERANCES["proportion"], source=origin)
        for n, value in shares.items()
    ]
    for n, real in distributions.items():
        share = shares.get(real.where, 1.0)
        for p in BALANCED:
            value = float(real.quantile(p))
            # In whole years a quantile is a step: the level that goes with it is the middle of the step.
            level = float(real.probability(np.array(value)))
            moments.append(
                Moment("quantile", (n,), value, level, 0.0, real.where, share, TOLERANCES["quantile"], origin)
            )
    for row in joint["products"]:
        where = next((w for n in row["names"] if (w := _where(n, joint))), "")
        value = row["value"] * shares.get(where, 1.0)
        moments.append(
            Moment("rank", tuple(row["names"]), value, where=where, tolerance=TOLERANCES["rank"], source=origin)
        )
    moments += [
        Moment("cell", (cell,), value, tolerance=TOLERANCES["cell"], source=origin)
        for cell, value in joint["cells"].items()
    ]
    return CohortTarget(
        name=name,
        label=label,
        moments=tuple(moments),
        distributions=distributions,
        spearman={(row["names"][0], row["names"][1]): row["value"] for row in joint["spearman"]},
        cells=dict(joint["cells"]),
        unmatched=unmatched,
        origin=origin,
    )
