"""Read-outs of a course: coefficients from one half of NHANES, and what they say of the other.

Run from the root of the repository:

    python benchmarks/read_outs.py FILE.parquet

Adults with diabetes from 20 on, not pregnant; odd cycles of 1999 to 2016 give the rows of ``health/read_outs.csv``, even ones are validation.
Regressions are weighted, standard errors those of the survey's strata and sampling units. The file is not part of the repository.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

#: mg/dL of cholesterol in one mmol/L.
CHOLESTEROL = 38.67
#: Outcome -> its terms, and the weight of the sample in which it was measured.
LINEAR = {
    "hdl": (("female", "age", "bmi", "hba1c", "smoker"), "weight"),
    "ldl": (("female", "age", "hba1c", "statin"), "wt_fast"),
    "haemoglobin": (("female", "age", "egfr_below_90", "egfr_below_60"), "weight"),
    "potassium": (
        ("female", "age", "egfr_below_90", "egfr_below_60", "renin_blocker", "diuretic", "steroidal_mra", "hba1c"),
        "weight",
    ),
}
CHANCES = {"smoker": ("female", "age", "older"), "statin": ("female", "age", "cvd", "later")}
#: Classes of eGFR and of age of which means are printed.
STAGES = ((90, 300), (60, 90), (45, 60), (30, 45), (15, 30), (0, 15))
AGES = ((20, 45), (45, 55), (55, 65), (65, 75), (75, 90))


def people(path: Path) -> pd.DataFrame:
    """Return adults with diabetes and the terms of the regressions."""
    d = duckdb.sql(f"select * from read_parquet('{path}')").df()
    d = d[(d.age_y >= 20) & (d.pregnant != 1) & (d.dm_any == 1)]
    egfr, hearts = d.egfr_ckdepi2021, (d.mi == 1) | (d.stroke == 1) | (d.chd == 1) | (d.angina == 1)
    age = (d.age_y - 60) / 10
    return pd.DataFrame(
        {
            "cycle": d.cycle, "unit": d.sdmvstra.astype(int).astype(str) + "/" + d.sdmvpsu.astype(int).astype(str),
            "weight": d.wt_pooled_1999_2016, "wt_fast": d.wt_fast, "years": d.age_y, "egfr": egfr,
            "base": 1.0, "female": d.female, "age": age, "older": np.maximum(age, 0), "bmi": (np.minimum(d.bmi, 60) - 30) / 5,
            "hba1c_of": d.hba1c_pct, "smoker": (d.smoke_status == 2).where(d.smoke_status.notna()).astype(float),
            "statin": d.rx_statin, "cvd": hearts.astype(float), "later": (d.cycle - 5) / 4,
            "egfr_below_90": np.maximum(90 - egfr, 0) / 10, "egfr_below_60": np.maximum(60 - egfr, 0) / 10,
            "renin_blocker": np.maximum(d.rx_acei, d.rx_arb), "diuretic": d.rx_diuretic, "steroidal_mra": d.rx_mra,
            "hdl": d.hdl_mgdl / CHOLESTEROL, "ldl": d.ldl_mgdl / CHOLESTEROL,
            "haemoglobin": d.hgb_gdl, "potassium": d.k_mmolL,
        }
    ).assign(hba1c=lambda t: t.hba1c_of - 7)  # fmt: skip


def between_units(scores: Any, units: Any) -> Any:
    """Return the covariance of summed scores, by sampling units within strata."""
    sums = pd.DataFrame(scores).groupby(units.to_numpy()).sum()
    total: Any = 0.0
    for _, rows in sums.groupby([name.split("/")[0] for name in sums.index]):
        gap = rows.to_numpy() - rows.to_numpy().mean(axis=0)
        total = total + (len(rows) / (len(rows) - 1) * gap.T @ gap if len(rows) > 1 else 0.0)
    return total


def fit(table: pd.DataFrame, outcome: str, terms: tuple[str, ...], weight: str, logistic: bool) -> tuple[Any, Any]:
    """Return coefficients, the constant first, and their standard errors."""
    names = ["base", *terms]
    t = table.dropna(subset=[outcome, *names, weight])
    t = t[t[weight] > 0]
    x, y = t[names].to_numpy(float), t[outcome].to_numpy(float)
    w = t[weight].to_numpy(float) / t[weight].mean()
    beta = np.zeros(len(names))
    for _ in range(30 if logistic else 1):
        mean = 1 / (1 + np.exp(-x @ beta)) if logistic else x @ beta
        bread = np.linalg.inv(x.T @ (x * (w * (mean * (1 - mean) if logistic else 1.0))[:, None]))
        beta = beta + bread @ (x.T @ (w * (y - mean)))
    mean = 1 / (1 + np.exp(-x @ beta)) if logistic else x @ beta
    return beta, np.sqrt(np.diag(bread @ between_units(x * (w * (y - mean))[:, None], t.unit) @ bread))


def spread(t: pd.DataFrame, outcome: str, mean: Any, weight: str) -> tuple[float, float, float]:
    """Return bias, scatter and share of the variance explained."""
    gap, w = t[outcome].to_numpy(float) - mean, t[weight].to_numpy(float)
    bias = float(np.average(gap, weights=w))
    whole = float(np.average((t[outcome] - np.average(t[outcome], weights=w)) ** 2, weights=w))
    return (
        bias,
        float(np.sqrt(np.average((gap - bias) ** 2, weights=w))),
        1 - float(np.average(gap**2, weights=w)) / whole,
    )


def show_linear(table: pd.DataFrame, outcome: str, terms: tuple[str, ...], weight: str) -> None:
    """Print coefficients of the odd cycles and what they say of both halves."""
    odd = table[table.cycle % 2 == 1]
    beta, error = fit(odd, outcome, terms, weight, logistic=False)
    print(f"\n{outcome}")
    for name, value, se in zip(("base", *terms), beta, error, strict=True):
        print(f"  {outcome}_{name:24s} {value:9.4f} ({se:.4f})")
    for half, t in (("odd", odd), ("even", table[table.cycle % 2 == 0])):
        t = t.dropna(subset=[outcome, *terms, weight])
        t = t[t[weight] > 0]
        mean = t[["base", *terms]].to_numpy(float) @ beta
        print(
            "  {}: n {}, bias {:.3f}, scatter {:.3f}, explained {:.3f}".format(
                half, len(t), *spread(t, outcome, mean, weight)
            )
        )
        for low, high in STAGES if half == "even" and outcome in ("haemoglobin", "potassium") else ():
            of = ((t.egfr >= low) & (t.egfr < high)).to_numpy()
            seen, said = (np.average(v[of], weights=t[weight][of]) for v in (t[outcome].to_numpy(float), mean))
            print(f"    eGFR {low:3d} to {high:3d}: n {of.sum():5d}, seen {seen:.2f}, read out {said:.2f}")


def show_chance(table: pd.DataFrame, outcome: str, terms: tuple[str, ...]) -> None:
    """Print coefficients of the odd cycles and shares by age in the even ones."""
    beta, error = fit(table[table.cycle % 2 == 1], outcome, terms, "weight", logistic=True)
    print(f"\n{outcome}, log odds")
    for name, value, se in zip(("base", *terms), beta, error, strict=True):
        print(f"  {outcome}_{name:24s} {value:9.4f} ({se:.4f})")
    t = table[table.cycle % 2 == 0].dropna(subset=[outcome, *terms])
    chance = 1 / (1 + np.exp(-t[["base", *terms]].to_numpy(float) @ beta))
    for low, high in AGES:
        of = ((t.years >= low) & (t.years < high)).to_numpy()
        seen, said = (np.average(v[of], weights=t.weight[of]) for v in (t[outcome].to_numpy(float), chance))
        print(f"    {low} to {high}: seen {seen:.3f}, read out {said:.3f}")


def main() -> None:
    """Print all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    table = people(parser.parse_args().file)
    for outcome, (terms, weight) in LINEAR.items():
        show_linear(table, outcome, terms, weight)
    for outcome, terms in CHANCES.items():
        show_chance(table, outcome, terms)


if __name__ == "__main__":
    main()
