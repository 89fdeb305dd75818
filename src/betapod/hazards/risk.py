"""What hazards read of people, and the factors by which kidneys raise them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..model.parameters.table import ParameterTable

Numbers: TypeAlias = NDArray[np.float64]


@functools.cache
def hazard_parameters() -> ParameterTable:
    """Return the table of hazards with unit, source and grade of every number."""
    from ..physiology import whole_body

    return ParameterTable.read(Path(__file__).with_name("outcome_hazards.csv"), sources=whole_body.bibliography_keys())


@functools.cache
def hazard_values() -> Mapping[str, float]:
    """Return the values of `hazard_parameters` by id."""
    return {name: row.value for name, row in hazard_parameters().items()}


@dataclass(frozen=True)
class RiskProfile:
    """What hazards read of people: numbers, or arrays that broadcast with each other, such as (people, times).

    Attributes
    ----------
    age
        Years.
    female, cvd, hf, diabetes, type_1
        0 or 1, or a share: women, atherosclerotic cardiovascular disease, heart failure in the past, diabetes, type 1 diabetes.
    egfr, uacr
        mL/min/1.73m2 and mg/g, without error of measurement.
    hba1c, insulin_dose, c_peptide
        %, U/day and nmol/L (stimulated); for severe hypoglycaemia.
    year
        Calendar year; 0 for the year that the rates belong to.
    sbp, bmi, hdl, ldl
        mmHg, kg/m2, and mmol/L of cholesterol; for complications, as all that follows.
    smoker
        0 or 1, or a share.
    duration
        Years since diabetes was diagnosed.
    haemoglobin, potassium
        g/dL and mmol/L.
    """

    age: Numbers | float
    female: Numbers | float
    egfr: Numbers | float
    uacr: Numbers | float
    cvd: Numbers | float = 0.0
    hf: Numbers | float = 0.0
    diabetes: Numbers | float = 1.0
    type_1: Numbers | float = 0.0
    hba1c: Numbers | float = 7.2
    insulin_dose: Numbers | float = 0.0
    c_peptide: Numbers | float = 0.0
    year: Numbers | float = 0.0
    sbp: Numbers | float = 130.0
    bmi: Numbers | float = 30.0
    hdl: Numbers | float = 1.2
    ldl: Numbers | float = 2.6
    smoker: Numbers | float = 0.0
    duration: Numbers | float = 10.0
    haemoglobin: Numbers | float = 13.5
    potassium: Numbers | float = 4.4


def softplus(x: Numbers | float, width: float) -> Numbers:
    """Return a smooth maximum of x and 0."""
    return np.asarray(width * np.logaddexp(0.0, np.asarray(x, dtype=np.float64) / width))


def egfr_factor(egfr: Numbers | float) -> Numbers:
    """Return the hazard of death at an eGFR (mL/min/1.73m2) relative to 95.

    Notes
    -----
    Chronic Kidney Disease Prognosis Consortium, Lancet 2010;375:2073: multiplies with `uacr_factor`, no interaction.
    """
    p = hazard_values()
    width = p["egfr_width"]
    above = softplus(p["egfr_knee"] - p["egfr_healthy"], width)
    below = softplus(p["egfr_knee"] - np.asarray(egfr, dtype=np.float64), width)
    return np.asarray(np.exp(p["egfr_gain"] * (below - above)))


def uacr_factor(uacr: Numbers | float) -> Numbers:
    """Return the hazard of death at a UACR (mg/g) relative to 5; see `egfr_factor`."""
    p = hazard_values()
    logarithm = np.log(np.maximum(uacr, p["uacr_least"]) / p["uacr_healthy"])
    return np.asarray(np.exp(p["uacr_gain"] * (1.0 - np.exp(-p["uacr_shape"] * logarithm))))


def era_factor(year: Numbers | float) -> Numbers:
    """Return rates of a calendar year relative to those of `era_year`; 1 where the year is 0."""
    p = hazard_values()
    calendar = np.asarray(year, dtype=np.float64)
    return np.asarray(np.where(calendar > 0, np.exp(-p["era_decline"] * (calendar - p["era_year"])), 1.0))


def cvd_log_odds(age: Numbers | float, female: Numbers | float) -> Numbers:
    """Return the log odds of atherosclerotic cardiovascular disease in people with diabetes of an age (years) and sex."""
    p = hazard_values()
    at_age = p["cvd_logit_65"] + p["cvd_age"] * (np.asarray(age, dtype=np.float64) - 65.0)
    return np.asarray(at_age + p["cvd_male"] * (1.0 - np.asarray(female)))


def cvd_chance(age: Numbers | float, female: Numbers | float) -> Numbers:
    """Return the share of people with diabetes of an age (years) and sex with atherosclerotic cardiovascular disease."""
    return np.asarray(1.0 / (1.0 + np.exp(-cvd_log_odds(age, female))))
