"""Derive the joint distributions of adults that the package carries: with diabetes, all, and with prediabetes.

    python benchmarks/patients/derive_nhanes.py nhanes_adults_1999_2016.parquet

The table has one row per adult, joined from the public-use files as `docs/background/patients.md` describes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

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
#: Drugs that are not matched in people of whom most have no diabetes.
DRUGS = ("insulin", "metformin", "sulfonylurea", "tzd", "dpp4", "glp1ra", "sglt2i", "diagnosed")


#: Published shares that NHANES's rows do not have. Type 1 among adults who know of their diabetes: Xu et al., BMJ 2018;362:k1497
#: (doi:10.1136/bmj.k1497), 5.6 % (4.9 to 6.4). Drugs of 2017 to March 2020, adults with type 2 diabetes and an eGFR from 30: Limonte et
#: al., J Diabetes Complications 2022;36:108204 (doi:10.1016/j.jdiacomp.2022.108204).
TYPE_1_OF_DIAGNOSED = 0.056
PRESENT = {"sglt2i": 0.058, "glp1ra": 0.044}
#: Prediabetes without diabetes, ADA: HbA1c (%), fasting glucose (mmol/L).
HBA1C_FROM, FPG_FROM = 5.7, 5.6
LAST_CYCLE = 9


def adults(path: str) -> pd.DataFrame:
    """Return all adults with the package's names and units, and ``cycle``."""
    raw = duckdb.sql(f"SELECT * FROM read_parquet('{path}')").df()
    raw = raw[(raw["age_y"] >= 20) & (raw["pregnant"] != 1)]
    found = raw.rename(columns=NAMES).rename(columns=lambda name: name.removeprefix("rx_"))
    found["fpg"] = np.where(raw["fpg_valid"] == 1, raw["fpg_harm_mgdl"] / 18.0156, np.nan)
    found["survey_weight_fasting"] = raw["wt_fast"].fillna(0.0) / raw["cycle"].nunique()
    found["diabetes"] = (raw["dm_any"] == 1).astype(float)
    told = raw[["chd", "angina", "mi", "stroke"]]
    found["cvd"] = np.where(told.notna().any(axis=1), (told == 1).any(axis=1), np.nan)
    found["hf"] = np.where(raw["chf"].notna(), raw["chf"] == 1, np.nan)
    return found.drop(columns=["insulin_now"]).astype({"survey_weight": float})


def adults_with_diabetes(path: str) -> pd.DataFrame:
    """Return those with diabetes, told or not."""
    everybody = adults(path)
    # The same in everybody says nothing.
    return everybody[everybody["diabetes"] == 1].drop(columns=["diabetes"])


def with_diabetes(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the joint distribution of adults with diabetes, with the share of type 1."""
    joint = joint_distribution.derive(frame)
    joint["shares"]["T1D"] = round(TYPE_1_OF_DIAGNOSED * joint["shares"]["diagnosed"], 5)
    return joint


def main() -> None:
    """Write the profile."""
    everybody = adults(sys.argv[1])
    diabetes = everybody[everybody["diabetes"] == 1].drop(columns=["diabetes"])
    odd = everybody["cycle"] % 2 == 1
    high = (everybody["diabetes"] == 0) & ((everybody["hba1c"] >= HBA1C_FROM) | (everybody["fpg"] >= FPG_FROM))
    prediabetes = everybody[odd & high].drop(columns=["diabetes", *DRUGS])
    joint = {
        "calibration": with_diabetes(diabetes[diabetes["cycle"] % 2 == 1]),
        "test": with_diabetes(diabetes[diabetes["cycle"] % 2 == 0]),
        "present": with_diabetes(diabetes[diabetes["cycle"] == LAST_CYCLE]),
        "general": joint_distribution.derive(everybody[odd].drop(columns=[*DRUGS, "duration"])),
        "prediabetes": joint_distribution.derive(prediabetes),
    }
    joint["present"]["shares"] |= PRESENT
    PROFILE.write_text(json.dumps(joint, indent=None, separators=(",", ":")) + "\n", encoding="utf-8")
    for part, found in joint.items():
        print(part, found["people"], found["shares"])


if __name__ == "__main__":
    main()
