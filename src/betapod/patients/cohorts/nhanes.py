"""Survey-weighted joint distribution of adults with diabetes in NHANES, as shipped, and its derivation.

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
from typing import Any

from ..population import PROFILES
from .cohort_target import CohortTarget
from .joint_distribution import target_of

#: What NHANES tells of people and virtual patients do not have.
UNMATCHED = (
    "race and ethnicity, smoking, income: virtual patients have none",
    "thiazides, loop and potassium-sparing diuretics are one drug here",
)
HALVES = ("calibration", "test")
CITATION = "CDC/NCHS. National Health and Nutrition Examination Survey Data, 1999-2016. Hyattsville, MD."


@functools.cache
def profile() -> Mapping[str, Any]:
    """Return the shipped joint distributions, by half (calibration, test)."""
    loaded: dict[str, Any] = json.loads((PROFILES / "nhanes.json").read_text(encoding="utf-8"))
    return loaded


def nhanes_target(half: str = "calibration") -> CohortTarget:
    """Return adults with diabetes in one half of NHANES as a target."""
    label = "adults with diabetes, NHANES 1999-2016"
    return target_of(profile()[half], f"NHANES {half} half", label, CITATION, UNMATCHED)
