"""Derive the joint distribution of adults with diabetes that the package carries.

    python benchmarks/patients/derive_nhanes.py nhanes_adults_1999_2016.parquet

The table has one row per adult, joined from the public-use files as `docs/background/patients.md` describes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from betapod.patients.cohorts import joint_distribution, nhanes

PROFILE = Path(nhanes.__file__).parents[1] / "profiles" / "nhanes.json"
NAMES = {
    "age_y": "age",
    "dm_duration_y": "duration",
    "hba1c_pct": "hba1c",
    "sbp_mmhg": "sbp",
    "egfr_ckdepi2021": "egfr",
    "uacr_mgg": "uacr",
    "dm_diag": "diagnosed",
    "wt_pooled_1999_2016": "survey_weight",
}


def adults_with_diabetes(path: str) -> pd.DataFrame:
    """Return the cohort with the package's names and units, and ``cycle``."""
    raw = duckdb.sql(f"SELECT * FROM read_parquet('{path}')").df()
    raw = raw[(raw["age_y"] >= 20) & (raw["pregnant"] != 1) & (raw["dm_any"] == 1)]
    found = raw.rename(columns=NAMES).rename(columns=lambda name: name.removeprefix("rx_"))
    found["fpg"] = np.where(raw["fpg_valid"] == 1, raw["fpg_harm_mgdl"] / 18.0156, np.nan)
    found["survey_weight_fasting"] = raw["wt_fast"].fillna(0.0) / raw["cycle"].nunique()
    return found.drop(columns=["insulin_now"]).astype({"survey_weight": float})


def main() -> None:
    """Write the profile."""
    cohort = adults_with_diabetes(sys.argv[1])
    odd = cohort["cycle"] % 2 == 1
    halves = {"calibration": joint_distribution.derive(cohort[odd]), "test": joint_distribution.derive(cohort[~odd])}
    PROFILE.write_text(json.dumps(halves, indent=None, separators=(",", ":")) + "\n", encoding="utf-8")
    for half, found in halves.items():
        print(half, found["people"], found["shares"])


if __name__ == "__main__":
    main()
