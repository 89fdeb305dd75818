"""What the hazard of a complication is made of: terms of a person's course, each 0 in the reference person.

The reference person is a man of 60 with type 2 diabetes for 10 years, HbA1c 7 %, 130 mmHg, BMI 30, eGFR 90, UACR 10 mg/g, HDL 1.2 and LDL
2.6 mmol/L, haemoglobin 13.5 g/dL, potassium 4.4 mmol/L, who neither smokes nor takes insulin. The logarithm of a hazard is linear in the terms, so that
a thousand draws of its coefficients are products of matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from ..risk import Numbers, RiskProfile

#: Diabetes known for less counts as this, in years.
_LEAST_DURATION = 0.5
#: Least UACR (mg/g) and eGFR of which a logarithm is taken.
_LEAST_UACR, _LEAST_EGFR = 1.0, 2.0
#: Stimulated C-peptide (nmol/L) from which the cells of one's own suffice against ketoacidosis.
_FULL_RESERVE = 0.6


def _array(values: Numbers | float | NDArray[np.bool_]) -> Numbers:
    return np.asarray(values, dtype=np.float64)


def _below(values: Numbers | float, limit: float) -> Numbers:
    return np.maximum(limit - _array(values), 0.0) / 10.0


#: Term -> its value in a profile.
TERMS: Mapping[str, Callable[[RiskProfile], Numbers]] = {
    "age": lambda p: (_array(p.age) - 60.0) / 10.0,
    "female": lambda p: _array(p.female),
    "type_1": lambda p: _array(p.type_1),
    "duration": lambda p: (_array(p.duration) - 10.0) / 10.0,
    "log_duration": lambda p: np.log(np.maximum(p.duration, _LEAST_DURATION) / 10.0),
    "hba1c": lambda p: _array(p.hba1c) - 7.0,
    "log_hba1c": lambda p: np.log(_array(p.hba1c) / 7.0),
    "sbp": lambda p: (_array(p.sbp) - 130.0) / 10.0,
    "bmi": lambda p: (_array(p.bmi) - 30.0) / 5.0,
    "hdl": lambda p: _array(p.hdl) - 1.2,
    "ldl": lambda p: _array(p.ldl) - 2.6,
    "smoker": lambda p: _array(p.smoker),
    "log_uacr": lambda p: np.log(np.maximum(p.uacr, _LEAST_UACR) / 10.0),
    "microalbuminuria": lambda p: _array((_array(p.uacr) >= 30.0) & (_array(p.uacr) < 300.0)),
    "macroalbuminuria": lambda p: _array(_array(p.uacr) >= 300.0),
    "egfr_below_90": lambda p: _below(p.egfr, 90.0),
    "egfr_below_60": lambda p: _below(p.egfr, 60.0),
    "log_egfr": lambda p: np.log(np.maximum(p.egfr, _LEAST_EGFR) / 90.0),
    "insulin": lambda p: _array(_array(p.insulin_dose) > 0.0),
    "c_peptide": lambda p: _array(p.c_peptide),
    "c_peptide_reserve": lambda p: np.clip(_array(p.c_peptide) / _FULL_RESERVE, 0.0, 1.0),
    "age_type_1": lambda p: _array(p.type_1) * (_array(p.age) - 60.0) / 10.0,
    "haemoglobin": lambda p: _array(p.haemoglobin) - 13.5,
    "potassium": lambda p: _array(p.potassium) - 4.4,
    "no_diabetes": lambda p: 1.0 - _array(p.diabetes),
}
#: Unit to which a coefficient of a term belongs, in words.
TERM_UNITS: Mapping[str, str] = {
    "age": "10 years from 60",
    "female": "women",
    "type_1": "type 1 diabetes",
    "duration": "10 years of diabetes from 10",
    "log_duration": "e-fold of the years of diabetes from 10",
    "hba1c": "1 % of HbA1c from 7 %",
    "log_hba1c": "e-fold of HbA1c from 7 %",
    "sbp": "10 mmHg from 130",
    "bmi": "5 kg/m2 from 30",
    "hdl": "1 mmol/L from 1.2",
    "ldl": "1 mmol/L from 2.6",
    "smoker": "people who smoke",
    "log_uacr": "e-fold of UACR from 10 mg/g",
    "microalbuminuria": "UACR from 30 to 300 mg/g",
    "macroalbuminuria": "UACR from 300 mg/g",
    "egfr_below_90": "10 mL/min/1.73m2 below 90",
    "egfr_below_60": "10 mL/min/1.73m2 below 60",
    "log_egfr": "e-fold of eGFR from 90",
    "insulin": "people on insulin",
    "c_peptide": "1 nmol/L of stimulated C-peptide",
    "c_peptide_reserve": "a stimulated C-peptide of 0.6 nmol/L and more; less in proportion",
    "age_type_1": "10 years from 60 in type 1 diabetes",
    "haemoglobin": "1 g/dL from 13.5",
    "potassium": "1 mmol/L from 4.4",
    "no_diabetes": "people without diabetes",
}


def term_values(profile: RiskProfile, terms: tuple[str, ...]) -> list[Numbers]:
    """Return the value of each term; shapes as in the profile.

    Raises
    ------
    KeyError
        A term that `TERMS` has not.
    """
    return [TERMS[name](profile) for name in terms]
