"""Derive how far measurements of one person stray, with errors: two examinations some weeks apart, glucose sensors, and years of urine.

    python benchmarks/real_data/derive_visits.py nhanes_repeat_exam_2001_2002.csv shanghai_cgm.parquet

An SD is that of one value about the person's own, on the scale of `betapod.observables` variation: half the variance of differences. Errors of SDs come
from the fourth moments of the differences, which have heavy tails, and count people. Published numbers stand in `PUBLISHED`.
"""

from __future__ import annotations

import sys
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from row_tables import write_rows

NHANES = "CDC/NCHS, NHANES 2001-2002, repeat examinations, public-use files"
SHANGHAI = "Zhao et al., Sci Data 2023;10:35, doi:10.1038/s41597-023-01940-7"
LEONG = "Leong et al., BMC Nephrol 2017;18:355, doi:10.1186/s12882-017-0767-3 (abstract)"
RASARATNAM = "Rasaratnam et al., four spot urines within four weeks, as reported on docwirenews.com"
PAIRS = {
    "UACR": "uacr_mgg",
    "creatinine": "scr_mgdl",
    "eGFR": "egfr_ckdepi2021",
    "HbA1c": "hba1c_pct",
    "FPG": "fpg_mgdl",
    "fasting_C_peptide": "cpep_nmolL",
    "BUN": "bun_mgdl",
}
#: Coefficients of variation that were read: group, median CV, people, years, collections. How many of the 497 were in each class the abstract
#: does not say: the error of 0.1 (a log-SD) is assumed.
PUBLISHED = (
    ("normal", 0.533, 10.0),
    ("micro", 0.76, 95.0),
    ("macro", 0.67, 900.0),
)


def pair_sd(difference: np.ndarray) -> tuple[float, float]:
    """Return the SD of one value and the standard error of its logarithm."""
    square = difference**2
    error = 0.5 * np.std(square, ddof=1) / np.sqrt(len(square)) / square.mean()
    return float(np.sqrt(square.mean() / 2.0)), float(error)


def row(record: str, source: str, endpoint: str, sd: float, se: float, people: int, **more: Any) -> dict[str, Any]:
    """Return a row of an SD of logarithms."""
    family = f"{source.split(',')[0] if source != NHANES else 'NHANES repeat examinations'}: {endpoint}"
    base = {"record": record, "source": source, "family": family, "fitted": "true", "endpoint": endpoint}
    base |= {"statistic": "SD", "unit": "1", "class": "ratio", "scale": "log", "observed": sd, "se": se}
    return base | {"people": people, "freedom": people - 1} | more


def examinations(path: str) -> list[dict[str, Any]]:
    """Return SDs of pairs of examinations, a median of 17 days apart."""
    table = pd.read_csv(path)
    rows = []
    for endpoint, column in PAIRS.items():
        first, second = table[f"{column}_1"].to_numpy(float), table[f"{column}_2"].to_numpy(float)
        known = np.isfinite(first) & np.isfinite(second) & (first > 0) & (second > 0)
        days = float(table["days_between"][known].median())
        middle = np.sqrt(first * second)
        groups: dict[str, np.ndarray] = {"": known}
        if endpoint == "UACR":
            groups = {
                "below 10 mg/g": known & (middle < 10),
                "from 10 mg/g": known & (middle >= 10) & (middle < 30),
                "from 30 mg/g": known & (middle >= 30),
            }
        for group, mine in groups.items():
            sd, se = pair_sd(np.log(second[mine] / first[mine]))
            code = f"nhanes-repeat-{endpoint}" + (f"-{group.split()[0]}-{group.split()[1]}" if group else "")
            among = f"years={days / 365.25:.4f};collections=2"
            if endpoint == "UACR":
                among += f";level={np.exp(np.log(middle[mine]).mean()):.1f}"
            rows.append(row(code, NHANES, endpoint, sd, se, int(mine.sum()), group=group, among=among))
    return rows


def sensors(path: str) -> list[dict[str, Any]]:
    """Return what two weeks of sensor glucose leave open, from the halves of longer records: SDs of mean glucose and of time in range."""
    readings = duckdb.sql(f"SELECT * FROM read_parquet('{path}')").df()
    differences: dict[str, list[float]] = {"mean_plasma_glucose": [], "time_in_range": []}
    shares, lengths = [], []
    for _, record in readings[readings["diabetes_type"] == 2].groupby(["pid", "visit"]):
        days = (record["t_min"].max() - record["t_min"].min()) / 1440.0
        if days < 10.0:
            continue
        half = record["t_min"] < record["t_min"].min() + days * 720.0
        glucose = record["cgm_mgdl"] / 18.0156
        inside = (glucose >= 3.9) & (glucose <= 10.0)
        differences["mean_plasma_glucose"].append(float(np.log(glucose[half].mean() / glucose[~half].mean())))
        differences["time_in_range"].append(100.0 * float(inside[half].mean() - inside[~half].mean()))
        shares.append(100.0 * inside.mean())
        lengths.append(days)
    rows = []
    for endpoint, found in differences.items():
        sd, se = pair_sd(np.array(found))
        # Days of the two halves are taken as independent: two weeks have so many more of them than a half.
        sd *= float(np.sqrt(np.mean(lengths) / 2.0 / 14.0))
        note = f"halves of {len(found)} records of {np.mean(lengths):.1f} days on average, carried over to two weeks"
        more = (
            {"unit": "%", "note": f"{note}; time in range {np.mean(shares):.0f} %"}
            if endpoint == "time_in_range"
            else {}
        )
        rows.append(row(f"shanghai-{endpoint}", SHANGHAI, endpoint, sd, se, len(found), **({"note": note} | more)))
        rows[-1]["among"] = "years=0;collections=1"
    return rows


def years_of_urine() -> list[dict[str, Any]]:
    """Return SDs of logarithms from published coefficients of variation."""
    rows = []
    for group, cv, level in PUBLISHED:
        among = f"years=7.9;collections=19;level={level:g}"
        note = f"median coefficient of variation {100 * cv:g} % of timed collections; 497 people in three classes; level and error assumed"
        sd = float(np.sqrt(np.log1p(cv**2)))
        rows.append(
            row(
                f"leong2017-AER-{group}",
                LEONG,
                "UAER",
                sd,
                0.1,
                497,
                group=group,
                among=among,
                note=note,
                freedom="inf",
            )
        )
    # Limits of a repeat of 3.78 and 0.26 times the first: ln(3.78)/(1.96*sqrt(2)) = 0.48; the coefficient of 48.8 % gives 0.46.
    sd = float(np.sqrt(np.log1p(0.488**2)))
    among = "years=0.03836;collections=4;level=30"
    note = "coefficient of variation 48.8 %; level of albuminuria assumed; error: that of the other way to compute it"
    rows.append(row("rasaratnam-UACR", RASARATNAM, "UACR", sd, 0.06, 826, among=among, note=note, freedom="inf"))
    return rows


def main() -> None:
    """Write the table."""
    write_rows("visit_rows", [*examinations(sys.argv[1]), *sensors(sys.argv[2]), *years_of_urine()])


if __name__ == "__main__":
    main()
