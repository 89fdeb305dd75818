"""Equation of the Chronic Kidney Disease Prognosis Consortium: chance of an eGFR that falls by 40 %, or kidney failure, within three years.

Of people with diabetes and an eGFR of 60 or more; logistic, by Grams and others (Diabetes Care 2022;45:2055). The coefficients were read as
carried by the package EHRBiomarkr, not in the supplement of the paper. That of people with an eGFR below 60 was not read anywhere and is left
out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..risk import Numbers
from .equation_people import EquationPeople, lies_within
from .kidney_coefficients import risk_coefficients

#: Years over which the chance is counted, and the fall of eGFR that counts.
DECLINE_YEARS, DECLINE_SHARE = 3, 0.4
#: Ages (years), least eGFR (mL/min/1.73m2) and least BMI (kg/m2) of the people that it is for.
_AGES, _LEAST_EGFR, _LEAST_BMI = (20.0, 80.0), 60.0, 20.0


def egfr_decline_risk(people: EquationPeople) -> Numbers:
    """Return the chance of a fall of eGFR by 40 % or kidney failure within three years, from 0 to 1.

    Returns
    -------
    numpy.ndarray
        Of the shape to which the fields of `people` broadcast; NaN where something that it reads is not known. It is computed outside the
        range of the equation too: see `egfr_decline_range`.

    Notes
    -----
    Grams and others, Diabetes Care 2022;45:2055; who takes insulin counts as on drugs that lower glucose.

    Examples
    --------
    >>> from betapod.hazards.risk_equations.egfr_decline_equation import egfr_decline_risk
    >>> from betapod.hazards.risk_equations.equation_people import EquationPeople
    >>> healthy = dict.fromkeys(["heart_failure", "coronary_disease", "atrial_fibrillation", "smoker", "ex_smoker"], 0)
    >>> drugs = dict.fromkeys(["pressure_drugs", "oral_drugs", "insulin"], 0)
    >>> somebody = EquationPeople(age=60, female=0, egfr=85, uacr=10, sbp=130, bmi=30, hba1c=7, **healthy, **drugs)
    >>> round(100 * float(egfr_decline_risk(somebody)), 4)
    1.1947
    """
    rows = risk_coefficients()["ckdpc40"]
    on_insulin, on_drugs = people.column("insulin"), people.column("pressure_drugs")
    logit = np.full(people.shape, rows["constant"].value)
    for term, row in rows.items():
        if term == "constant":
            continue
        if term == "sbp_on_drugs":
            distance = (people.column("sbp") - row.centre) / row.per * on_drugs
        elif term == "oral_drugs":
            distance = np.maximum(people.column("oral_drugs"), on_insulin)
        else:
            distance = (people.column(term) - row.centre) / row.per
        logit = logit + row.value * distance
    return np.asarray(1.0 / (1.0 + np.exp(-logit)))


def egfr_decline_range(people: EquationPeople) -> NDArray[np.bool_]:
    """Return who is in the range of the equation: diabetes, 20 to 80 years, eGFR from 60 mL/min/1.73m2, BMI from 20 kg/m2."""
    of_age = lies_within(people.age, *_AGES) & lies_within(people.egfr, _LEAST_EGFR, np.inf)
    return np.asarray(of_age & lies_within(people.bmi, _LEAST_BMI, np.inf) & (people.column("diabetes") > 0))
