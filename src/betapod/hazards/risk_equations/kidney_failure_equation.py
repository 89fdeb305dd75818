"""Kidney Failure Risk Equation: chance of dialysis or a transplant within two or five years.

``1 - S0^exp(x)``, x the sum of coefficients times distances from their centres, by Tangri and others (JAMA 2011;305:1553), S0 as recalibrated in the
Chronic Kidney Disease Prognosis Consortium (JAMA 2016;315:164), for North America and elsewhere. Deaths are censored, so that it says how
many would reach kidney failure if nobody died before. eGFR is that of CKD-EPI; with the equation of 2021 it was tested in 59 cohorts and
found well below 45 mL/min/1.73m2 (Grams and others, J Am Soc Nephrol 2023;34:482).
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConfigError, Problem, not_among
from ..risk import Numbers
from .equation_people import EquationPeople, lies_within
from .kidney_coefficients import risk_coefficients

#: Where the people live; the baseline risk is another in North America.
KfreRegion = Literal["North America", "elsewhere"]
KFRE_REGIONS: tuple[str, ...] = ("North America", "elsewhere")
#: How many variables, and over how many years.
KFRE_VARIABLES, KFRE_YEARS = (4, 6, 8), (2, 5)
#: Adults with stages 3 to 5, before kidney failure: mL/min/1.73m2 from 0 to below 60; ages of the cohorts, years.
_HIGHEST_EGFR, _AGES = 60.0, (18.0, 110.0)
_SURVIVAL = "survival"


def kidney_failure_risk(
    people: EquationPeople, years: int = 5, variables: int = 4, region: str = "North America"
) -> Numbers:
    """Return the chance of kidney failure that is treated, from 0 to 1.

    Parameters
    ----------
    years
        2 or 5.
    variables
        4 (age, sex, eGFR, UACR), 6 (and diabetes, hypertension) or 8 (the four, and albumin, phosphate, bicarbonate, calcium).
    region
        One of `KFRE_REGIONS`.

    Returns
    -------
    numpy.ndarray
        Of the shape to which the fields of `people` broadcast; NaN where something is not known. It is computed outside the range of the
        equation too: see `kidney_failure_range`.

    Raises
    ------
    ConfigError
        No such equation, horizon or region; all at once.

    Notes
    -----
    Tangri and others, JAMA 2011;305:1553 and JAMA 2016;315:164, as carried by the package kfre (MIT licence).

    Examples
    --------
    >>> from betapod.hazards.risk_equations.equation_people import EquationPeople
    >>> from betapod.hazards.risk_equations.kidney_failure_equation import kidney_failure_risk
    >>> round(float(kidney_failure_risk(EquationPeople(age=60, female=1, egfr=30, uacr=300))), 6)
    0.197677
    """
    _check(years, variables, region)
    rows = risk_coefficients()[f"kfre{variables}"]
    predictor = np.zeros(people.shape)
    for term, row in rows.items():
        if not term.startswith(_SURVIVAL):
            predictor = predictor + row.value * (people.column(term) - row.centre) / row.per
    survival = rows[f"{_SURVIVAL} {region} {years}"].value
    return np.asarray(-np.expm1(math.log(survival) * np.exp(predictor)))


def kidney_failure_range(people: EquationPeople) -> NDArray[np.bool_]:
    """Return who is in the range of the equation: adults with an eGFR above 0 and below 60 mL/min/1.73m2."""
    egfr = people.column("egfr")
    return np.asarray(lies_within(people.age, *_AGES) & (egfr > 0.0) & (egfr < _HIGHEST_EGFR))


def _check(years: int, variables: int, region: str) -> None:
    problems = []
    if variables not in KFRE_VARIABLES:
        message = "the equation has 4, 6 or 8 variables"
        problems.append(Problem("unknown-equation", message, found=str(variables), expected="4, 6 or 8"))
    if years not in KFRE_YEARS:
        problems.append(
            Problem("unknown-horizon", "the equation speaks of 2 or 5 years", found=str(years), expected="2 or 5")
        )
    if region not in KFRE_REGIONS:
        problems.append(not_among(KFRE_REGIONS, "unknown-region", f"there is no region {region!r}", region))
    if problems:
        raise ConfigError(problems)
