"""Survey-weighted joint distribution of adults with diabetes in NHANES, as shipped, and its derivation.

NHANES 1999-2016 is split by survey cycle: the odd ones (1999-2000, 2003-2004, ...) are the calibration half, to which population
distributions are tuned and cohorts are weighted; the even ones are the test half, used for nothing but comparison. The package
carries quantiles, mean products of ranks, rank correlations and shares, never rows.

Adults: 20 years and older, not pregnant. Diabetes: told by a doctor or on insulin, or HbA1c from 6.5 %, or valid fasting glucose from
126 mg/dL, or valid 2-h glucose from 200 mg/dL. Duration is known of those who were told. The share of type 1 diabetes, which NHANES does not
ask for, is 5.6 % of those who know of their diabetes (Xu et al., BMJ 2018;362:k1497).
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import replace
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
#: Youngest adults of the survey's cohorts here, year.
ADULT = 20.0
#: Calendar years of the population of the present.
PRESENT = (2017.0, 2025.0)
#: Where the shares of SGLT2 inhibitors and GLP-1 receptor agonists of the present were read.
PUBLISHED = (
    "SGLT2 inhibitors and GLP-1 receptor agonists: Limonte et al., J Diabetes Complications 2022;36:108204, "
    "doi:10.1016/j.jdiacomp.2022.108204."
)
CITATION = "CDC/NCHS. National Health and Nutrition Examination Survey Data, 1999-2016. Hyattsville, MD."


@functools.cache
def profile() -> Mapping[str, Any]:
    """Return the shipped joint distributions: ``calibration`` and ``test`` (halves of adults with diabetes), ``present`` (2015-2016 with drugs
    of 2017 to 2020), and ``general`` (all adults) and ``prediabetes`` of the calibration half.
    """
    loaded: dict[str, Any] = json.loads((PROFILES / "nhanes.json").read_text(encoding="utf-8"))
    return loaded


def nhanes_target(part: str = "calibration") -> CohortTarget:
    """Return a part of NHANES as a target.

    Parameters
    ----------
    part
        A key of `profile`.
    """
    years = "2015-2016, drugs of 2017-2020" if part == "present" else "1999-2016"
    who = {"general": "adults, with diabetes and without", "prediabetes": "adults with prediabetes"}
    half = f", {part} half" if part in HALVES else ""
    label = f"{who.get(part, 'adults with diabetes')}, NHANES {years}{half}"
    name = f"NHANES {part} half" if part in HALVES else f"NHANES {'2020' if part == 'present' else part}"
    ranges = {"age": (ADULT, math.inf)}
    if part == "present":
        ranges["year"] = PRESENT
    if part == "prediabetes":
        ranges |= {"diabetes": (0.0, 0.0), "hba1c": (0.0, 6.499), "fpg": (0.0, 6.999)}
    source = f"{CITATION} {PUBLISHED}" if part == "present" else CITATION
    return replace(target_of(profile()[part], name, label, source, UNMATCHED), ranges=ranges)
