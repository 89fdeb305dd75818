"""Derive what NHANES says of adults with diabetes, with errors that know of strata and sampling units.

    python benchmarks/real_data/derive_survey.py nhanes_adults_1999_2016.parquet

Odd cycles (calibration) and even ones (validation) apart: quantiles, rank correlations, shares of the KDIGO grid and of those who know of their
diabetes, deaths per 1000 person-years by eGFR and albuminuria. Adults: 20 years and older, not pregnant; diabetes as in
`betapod.patients.cohorts.nhanes`. No row of anybody is written.
"""

from __future__ import annotations

import sys
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from row_tables import write_rows
from survey_errors import Design, middle_quantile, quantile_error

from betapod.observables import kdigo
from betapod.patients.cohorts.comparison import spearman

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
NAMES = {
    "age_y": "age",
    "dm_duration_y": "duration",
    "hba1c_pct": "hba1c",
    "sbp_mmhg": "sbp",
    "egfr_ckdepi2021": "egfr",
    "uacr_mgg": "uacr",
    "cpep_nmolL": "c_peptide",
    "dm_diag": "diagnosed",
    "rx_insulin": "insulin",
    "wt_pooled_1999_2016": "weight",
}
UNITS = {
    "bmi": "kg/m2", "hba1c": "%", "fpg": "mmol/L", "sbp": "mmHg", "egfr": "mL/min/1.73m2", "uacr": "mg/g", "duration": "year",
    "c_peptide": "nmol/L",
}  # fmt: skip
RANKED = ("age", "bmi", "hba1c", "fpg", "sbp", "egfr", "uacr")
#: Quantities that are compared as ratios; the others, whose misfit has a size of its own, in their units.
RATIOS = ("uacr", "c_peptide")
#: Shares of the grid with fewer people are put together with nothing: they are left out.
FEWEST = 20
SOURCE = "CDC/NCHS, NHANES 1999-2016, public-use files"


def people(path: str) -> pd.DataFrame:
    """Return everybody examined, with weights of 0 for those who are no adults with diabetes."""
    raw = duckdb.sql(f"SELECT * FROM read_parquet('{path}')").df()
    found = raw.rename(columns=NAMES)
    found["fpg"] = np.where(raw["fpg_valid"] == 1, raw["fpg_harm_mgdl"] / 18.0156, np.nan)
    found["weight_fasting"] = raw["wt_fast"].fillna(0.0) / raw["cycle"].nunique()
    adult = (raw["age_y"] >= 20) & (raw["pregnant"] != 1) & (raw["dm_any"] == 1)
    for name in ("weight", "weight_fasting"):
        found[name] = np.where(adult, found[name].fillna(0.0), 0.0).astype(float)
    return found


def known(half: pd.DataFrame, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return values and weights of those in whom a quantity is known."""
    x = half[name].to_numpy(dtype=float)
    weight = half["weight_fasting" if name in ("fpg", "c_peptide") else "weight"].to_numpy(dtype=float)
    if name in ("duration", "c_peptide"):
        weight = weight * (half["diagnosed"] == 1)
    if name == "c_peptide":
        weight = weight * (half["insulin"] != 1)
    return np.nan_to_num(x), np.where(np.isfinite(x), weight, 0.0)


def quantiles(half: pd.DataFrame, design: Design, name: str) -> list[dict[str, Any]]:
    """Return quantiles of one quantity, with errors on the scale of comparison."""
    x, weight = known(half, name)
    used = weight > 0
    rows = []
    for level in LEVELS if name != "duration" else LEVELS[1:]:
        value = middle_quantile(x[used], weight[used], level)
        se = quantile_error(design, x, weight, level, log=name in RATIOS)
        rows.append({
            "endpoint": name, "statistic": "quantile", "level": level, "unit": UNITS[name], "class": "level",
            "scale": "log" if name in RATIOS else "linear", "observed": value, "se": se, "people": int(used.sum()),
        })  # fmt: skip
    return rows


def ranks(half: pd.DataFrame, design: Design) -> list[dict[str, Any]]:
    """Return rank correlations of all pairs."""
    rows = []
    for i, a in enumerate(RANKED):
        for b in RANKED[:i]:
            (x, u), (y, v) = known(half, a), known(half, b)
            both = (u > 0) & (v > 0)
            weight = np.where(both, u if a == "fpg" else v if b == "fpg" else known(half, "age")[1], 0.0)

            def rho(w: np.ndarray, x: np.ndarray = x, y: np.ndarray = y) -> float:
                used = w > 0
                return spearman(x[used], y[used], w[used])

            rows.append({
                "endpoint": a, "other": b, "statistic": "rank correlation", "unit": "1", "class": "level", "scale": "linear",
                "observed": rho(weight), "se": design.jackknife_error(rho, weight), "people": int((weight > 0).sum()),
            })  # fmt: skip
    return rows


def share(inside: np.ndarray, weight: np.ndarray, design: Design) -> dict[str, Any]:
    """Return a share with the error of 2*asin(sqrt p)."""
    p = float(weight @ inside / weight.sum())
    se = design.share_error(inside, weight) / np.sqrt(p * (1.0 - p))
    people = int(((weight > 0) & (inside > 0)).sum())
    return {
        "statistic": "share",
        "unit": "1",
        "class": "share",
        "scale": "angle",
        "observed": p,
        "se": se,
        "people": people,
    }


def shares(half: pd.DataFrame, design: Design) -> list[dict[str, Any]]:
    """Return shares of the KDIGO grid, and of those who know of their diabetes."""
    egfr, uacr = half["egfr"].to_numpy(dtype=float), half["uacr"].to_numpy(dtype=float)
    both = np.isfinite(egfr) & np.isfinite(uacr)
    weight = np.where(both, half["weight"], 0.0)
    cells = kdigo.grid(np.nan_to_num(egfr), np.nan_to_num(uacr))
    rows = []
    for cell in sorted(set(cells[weight > 0])):
        row = {"endpoint": "KDIGO", "group": cell, **share((cells == cell).astype(float), weight, design)}
        if row["people"] >= FEWEST:
            rows.append(row)
    told, weight = known(half, "diagnosed")
    return [*rows, {"endpoint": "diagnosed", **share(told, weight, design)}]


def deaths(half: pd.DataFrame, design: Design) -> list[dict[str, Any]]:
    """Return deaths per 1000 person-years to the end of 2019, by eGFR and albuminuria at the examination."""
    weight = half["weight"].to_numpy(dtype=float)
    linked = half[["egfr", "uacr", "died", "followup_months"]].notna().all(axis=1).to_numpy()
    egfr, uacr = half["egfr"].fillna(0).to_numpy(float), half["uacr"].fillna(0).to_numpy(float)
    died, years = half["died"].fillna(0).to_numpy(float), half["followup_months"].fillna(0).to_numpy(float) / 12.0
    rows = []
    for low, high, name in ((60, 999, "eGFR from 60"), (30, 60, "eGFR 30 to 59"), (0, 30, "eGFR below 30")):
        for number, albuminuria in enumerate(kdigo.A_NAMES):
            mine = linked & (egfr >= low) & (egfr < high) & (kdigo.a_number(uacr) == number)
            w = np.where(mine, weight, 0.0)
            count = int(died[w > 0].sum())
            if count < FEWEST:
                continue
            rate = 1000.0 * float(w @ died) / float(w @ years)
            se = max(1000.0 * design.ratio_error(died, years, w) / rate, count**-0.5)
            age, female = half["age"].to_numpy(float), half["female"].to_numpy(float)
            mean = np.average(age, weights=w)
            spread = np.sqrt(np.average((age - mean) ** 2, weights=w))
            among = f"age={mean:.2f};age SD={spread:.2f};women={np.average(female, weights=w):.4f}"
            note = f"{count} deaths"
            rows.append({
                "endpoint": "death", "group": f"{name}, {albuminuria}", "statistic": "rate", "unit": "1/1000/year",
                "class": "event ratio", "scale": "log", "observed": rate, "se": se, "people": int((w > 0).sum()), "note": note,
                "among": among,
            })  # fmt: skip
    return rows


def main() -> None:
    """Write the tables."""
    everybody = people(sys.argv[1])
    tables: dict[str, list[dict[str, Any]]] = {"survey_rows": [], "survey_deaths": []}
    for parity, half_name, fitted in ((1, "odd cycles", True), (0, "even cycles", False)):
        half = everybody[everybody["cycle"] % 2 == parity]
        design = Design(half["sdmvstra"].to_numpy(), half["sdmvpsu"].to_numpy())
        pairs = np.unique(np.column_stack([half["sdmvstra"], half["sdmvpsu"]]), axis=0)
        freedom = len(pairs) - len(np.unique(pairs[:, 0]))
        found = (
            [row for name in UNITS for row in quantiles(half, design, name)]
            + shares(half, design)
            + ranks(half, design)
        )
        for table, rows in (("survey_rows", found), ("survey_deaths", deaths(half, design))):
            for row in rows:
                kind = "rank correlations" if row["statistic"] == "rank correlation" else row["endpoint"]
                parts = (row["endpoint"], row.get("other", ""), row.get("group", ""), row.get("level", ""))
                code = "-".join(str(part) for part in ("nhanes", half_name.split()[0], *parts) if part != "")
                row |= {"record": code.replace(" ", "-").replace(",", ""), "source": SOURCE, "freedom": freedom}
                tables[table].append(row | {"family": f"NHANES {half_name}: {kind}", "fitted": str(fitted).lower()})
    for name, rows in tables.items():
        write_rows(name, rows)


if __name__ == "__main__":
    main()
