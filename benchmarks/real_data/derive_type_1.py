"""Derive rows of C-peptide after the diagnosis of type 1 diabetes, and of the Danish register, from tables of aggregates.

    python benchmarks/real_data/derive_type_1.py t1d_cpeptide_auc_by_age_time.csv danish_register_insulin_start_and_death.csv

Quartiles of the 2-h mean of C-peptide after a mixed meal by age at entry and months since diagnosis; errors of their logarithms are those of quantiles
of a normal distribution with the quartiles' own spread. Shares that died, or began insulin, by Kaplan-Meier; their errors count people followed so long.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
from row_tables import write_rows

DUFORT = "Dufort et al., JCI Insight 2019;4(4):e125556: control arms of six trials, 152 people"
DENMARK = "Carstensen et al., Diabetologia 2008;51:2187: 10,000 people of the Danish register (data set DMlate of the R package Epi), dates jittered"
#: Factor of sigma/sqrt(n) of a quartile and of the median of a normal distribution.
QUARTILE, MEDIAN = 1.363, 1.253
#: Middle of each span of months since diagnosis, from 0 on.
MONTHS = {"0-4": 2.0, "4-8": 6.0, "8-14": 11.0, "14-20": 17.0, "20-27": 23.5, "27-50": 36.0}
AGES = {"<12": (0, 12), "12-18": (12, 18), "18-30": (18, 30), ">=30": (30, 99)}
#: Ages that are kept for validation.
KEPT = "18-30"


def c_peptide(path: str) -> list[dict[str, Any]]:
    """Return quartiles by age and months."""
    rows = []
    for cell in pd.read_csv(path).itertuples():
        low, high = AGES[cell.age_group]
        spread = np.log(cell.q75 / cell.q25) / 1.349
        for level, value in ((0.25, cell.q25), (0.5, cell.median), (0.75, cell.q75)):
            label = f"aged {low} to {high}" if low else "aged below 12"
            label = "aged 30 and more" if low == 30 else label
            rows.append({
                "record": f"dufort-{low}-{cell.months_since_dx}-{level:g}", "source": DUFORT,
                "family": f"controls with new type 1 diabetes, {label}", "fitted": str(cell.age_group != KEPT).lower(),
                "endpoint": "stimulated_C_peptide", "group": label, "statistic": "quantile", "level": level, "unit": "nmol/L",
                "class": "level", "scale": "log", "observed": float(value),
                "se": float((MEDIAN if level == 0.5 else QUARTILE) * spread / np.sqrt(cell.n)), "freedom": cell.n - 1,
                "people": cell.n, "among": f"from={low};to={high};months={MONTHS[cell.months_since_dx]:g}",
                "note": f"{cell.months_since_dx} months since diagnosis, two-hour mean after a mixed meal",
            })  # fmt: skip
    return rows


def register(path: str) -> list[dict[str, Any]]:
    """Return shares that died and that began insulin, by age at diagnosis."""
    rows = []
    for band in pd.read_csv(path).itertuples():
        name = band.age_at_diagnosis
        if name == "<30":
            continue
        low, high = (65, 99) if name == "65+" else map(int, name.split("-"))
        for kind, years in (("death", (1, 5, 10)), ("insulin", (1, 2, 5, 10))):
            for year in years:
                p = float(getattr(band, f"{'death_km' if kind == 'death' else 'insulin_km'}_{year}y"))
                # Those who were followed so long: person-years over the years of all.
                followed = min(1.0, band.person_years / (band.n * year))
                rows.append({
                    "record": f"denmark-{kind}-{low}-{year}", "source": DENMARK, "family": f"Danish register: {kind}", "fitted": "false",
                    "endpoint": kind, "group": f"{low} to {high} years at diagnosis", "statistic": "share", "unit": "1", "class": "share",
                    "scale": "angle", "observed": p, "se": float(1.0 / np.sqrt(band.n * followed)), "freedom": "inf", "people": band.n,
                    "among": f"from={low};to={high};years={year}", "note": f"within {year} years of diagnosis",
                })  # fmt: skip
    return rows


def main() -> None:
    """Write the tables."""
    write_rows("type_1_rows", c_peptide(sys.argv[1]))
    write_rows("register_rows", register(sys.argv[2]))


if __name__ == "__main__":
    main()
