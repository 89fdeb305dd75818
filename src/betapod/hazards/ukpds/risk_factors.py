"""What the equations of UKPDS Outcomes Model 2 read of people, and in which form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..risk import Numbers

#: eGFR (mL/min/1.73m2) and LDL (mmol/L) at which straight lines have a knee.
EGFR_KNEE, LDL_KNEE = 60.0, 3.5


@dataclass(frozen=True)
class UkpdsRiskFactors:
    """Risk factors: numbers, or arrays that broadcast with each other.

    Attributes
    ----------
    age, duration
        Years of age, and since diabetes was diagnosed.
    female, smoker, african_caribbean, asian_indian, atrial_fibrillation, peripheral_artery_disease
        0 or 1.
    hba1c, sbp, hdl, ldl, bmi, egfr
        %, mmHg, mmol/L, mmol/L, kg/m2, mL/min/1.73m2.
    albuminuria
        1 with micro- or macroalbuminuria, 0 without.
    haemoglobin, heart_rate, white_cells
        g/dL, beats/min, 10^9/L.

    Examples
    --------
    >>> from betapod.hazards.ukpds.risk_factors import UkpdsRiskFactors
    >>> UkpdsRiskFactors(age=60, duration=8, female=0).egfr
    70.0
    """

    age: Numbers | float
    duration: Numbers | float
    female: Numbers | float
    hba1c: Numbers | float = 7.5
    sbp: Numbers | float = 145.0
    hdl: Numbers | float = 1.3
    ldl: Numbers | float = 3.0
    bmi: Numbers | float = 28.0
    egfr: Numbers | float = 70.0
    albuminuria: Numbers | float = 0.0
    smoker: Numbers | float = 0.0
    haemoglobin: Numbers | float = 14.0
    heart_rate: Numbers | float = 79.0
    white_cells: Numbers | float = 7.0
    atrial_fibrillation: Numbers | float = 0.0
    peripheral_artery_disease: Numbers | float = 0.0
    african_caribbean: Numbers | float = 0.0
    asian_indian: Numbers | float = 0.0


def _array(values: Numbers | float | NDArray[np.bool_]) -> Numbers:
    return np.asarray(values, dtype=np.float64)


def _above(values: Numbers | float, knee: float) -> Numbers:
    return np.maximum(_array(values) - knee, 0.0)


_Form = Callable[[UkpdsRiskFactors], Numbers]

#: Covariate -> its value. Straight lines with a knee are those of `mkspline`: below the knee one slope, above it another, no jump.
COVARIATES: Mapping[str, _Form] = {
    "age": lambda x: _array(x.age),
    "age_at_diagnosis": lambda x: _array(x.age) - _array(x.duration),
    "duration": lambda x: _array(x.duration),
    "female": lambda x: _array(x.female),
    "african_caribbean": lambda x: _array(x.african_caribbean),
    "asian_indian": lambda x: _array(x.asian_indian),
    "smoker": lambda x: _array(x.smoker),
    "atrial_fibrillation": lambda x: _array(x.atrial_fibrillation),
    "peripheral_artery_disease": lambda x: _array(x.peripheral_artery_disease),
    "albuminuria": lambda x: _array(x.albuminuria),
    "hba1c": lambda x: _array(x.hba1c),
    "sbp": lambda x: _array(x.sbp) / 10.0,
    "hdl": lambda x: _array(x.hdl) * 10.0,
    "ldl": lambda x: _array(x.ldl) * 10.0,
    "ldl_above_3_5": lambda x: _above(x.ldl, LDL_KNEE) * 10.0,
    "bmi": lambda x: _array(x.bmi),
    "bmi_below_18_5": lambda x: _array(_array(x.bmi) < 18.5),
    "bmi_from_25": lambda x: _array(_array(x.bmi) >= 25.0),
    "egfr": lambda x: _array(x.egfr) / 10.0,
    "egfr_below_60": lambda x: np.minimum(_array(x.egfr), EGFR_KNEE) / 10.0,
    "egfr_above_60": lambda x: _above(x.egfr, EGFR_KNEE) / 10.0,
    "haemoglobin": lambda x: _array(x.haemoglobin),
    "heart_rate": lambda x: _array(x.heart_rate) / 10.0,
    "white_cells": lambda x: _array(x.white_cells),
}
#: The reading of two public programs, in which a value counts on its own side of the knee only, from 0, with a jump at the knee.
SWITCHED: Mapping[str, _Form] = {
    **COVARIATES,
    "ldl_above_3_5": lambda x: np.where(_array(x.ldl) > LDL_KNEE, _array(x.ldl) * 10.0, 0.0),
    "egfr_below_60": lambda x: np.where(_array(x.egfr) < EGFR_KNEE, _array(x.egfr) / 10.0, 0.0),
    "egfr_above_60": lambda x: np.where(_array(x.egfr) >= EGFR_KNEE, _array(x.egfr) / 10.0, 0.0),
}
