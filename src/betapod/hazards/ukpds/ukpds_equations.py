"""The 17 equations of UKPDS Outcomes Model 2: 13 of complications, 4 of death (Hayes and others, Diabetologia 2013;56:1925).

Chances are of a year, from the linear predictor x of constant, risk factors and what happened before:

========== ===================================================================== ============================================
form       chance from t to t + 1                                                equations
========== ===================================================================== ============================================
weibull    1 - exp(e^x (t^k - (t + 1)^k)), t years since diagnosis, k the shape  all but those below; k = 1 without a row
logistic   1 / (1 + e^-x)                                                        foot ulcer, death in the year of an event
gompertz   1 - exp(e^x (e^(k t) - e^(k (t + 1))) / k), t years of age            death in a year without an event
========== ===================================================================== ============================================

The coefficients are `ukpds_om2.csv`: ``om2_EQUATION_COVARIATE``. Forms and coefficients were read in programs of others, not in the
supplement of the paper; docs/background/value.md says what agrees.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ...base.errors import ConfigError, Problem, did_you_mean
from ...model.parameters.table import ParameterTable
from ..risk import Numbers
from .risk_factors import COVARIATES, SWITCHED, UkpdsRiskFactors

UkpdsForm = Literal["weibull", "logistic", "gompertz"]

#: Equation -> its form.
UKPDS_FORMS: Mapping[str, UkpdsForm] = {
    "hf": "weibull",
    "ihd": "weibull",
    "mi_man": "weibull",
    "mi_woman": "weibull",
    "mi_second": "weibull",
    "stroke": "weibull",
    "stroke_second": "weibull",
    "blindness": "weibull",
    "ulcer": "logistic",
    "amputation": "weibull",
    "amputation_ulcer": "weibull",
    "amputation_second": "weibull",
    "renal": "weibull",
    "death": "gompertz",
    "death_event": "logistic",
    "death_history": "gompertz",
    "death_again": "logistic",
}
UKPDS_EQUATIONS: tuple[str, ...] = tuple(UKPDS_FORMS)
#: What happened in years before, and what happens in this one.
UKPDS_BEFORE = ("amputation", "blindness", "hf", "ihd", "mi", "renal", "stroke", "ulcer")
UKPDS_NOW = ("amputation", "amputation_second", "ihd", "mi", "renal", "stroke")
_PREFIX = "om2_"
#: A linear predictor above this gives a chance of 1 all the same.
_LARGEST = 30.0


@functools.cache
def ukpds_parameters() -> ParameterTable:
    """Return the coefficients, with interval, source and grade.

    Raises
    ------
    ConfigError
        Rows that do not pass the checks of a parameter table.
    """
    from ...physiology import whole_body

    return ParameterTable.read(Path(__file__).with_name("ukpds_om2.csv"), sources=whole_body.bibliography_keys())


@functools.cache
def ukpds_values() -> Mapping[str, float]:
    """Return the values of `ukpds_parameters` by id."""
    return {name: row.value for name, row in ukpds_parameters().items()}


@functools.cache
def _slots() -> tuple[tuple[str, str, str], ...]:
    """Return equation, kind and name of what each coefficient belongs to, in the order of the table."""
    equations = sorted(UKPDS_EQUATIONS, key=len, reverse=True)
    slots = []
    for row in ukpds_parameters():
        rest = row.removeprefix(_PREFIX)
        for equation in equations:
            name = rest.removeprefix(f"{equation}_")
            if name != rest and _kind(name):
                slots.append((equation, _kind(name), name))
                break
        else:
            slots.append(("", "", rest))
    return tuple(slots)


def _kind(name: str) -> str:
    if name in ("constant", "shape"):
        return name
    if name in COVARIATES:
        return "covariate"
    if name.removesuffix("_before") in UKPDS_BEFORE and name.endswith("_before"):
        return "before"
    return "now" if name.removesuffix("_now") in UKPDS_NOW and name.endswith("_now") else ""


@dataclass(frozen=True)
class UkpdsCoefficients:
    """Coefficients of all equations as arrays, in the order of `UKPDS_EQUATIONS`.

    Attributes
    ----------
    shapes
        (equations,)
    covariates
        (equations, 1 + covariates): the constant first, then those of `risk_factors.COVARIATES`.
    before, now
        (equations, `UKPDS_BEFORE`) and (equations, `UKPDS_NOW`).
    """

    shapes: Numbers
    covariates: Numbers
    before: Numbers
    now: Numbers


def ukpds_coefficients(values: Mapping[str, float] | None = None) -> UkpdsCoefficients:
    """Return the coefficients as arrays.

    Parameters
    ----------
    values
        Row of `ukpds_parameters` -> value; others keep that of the table. A slope that differs from the table turns the line about the
        reference person of `UkpdsRiskFactors`, 55 years old, since the constant goes with the slopes: only differences between people change.
    """
    return _table_coefficients() if not values else _coefficients(values)


@functools.cache
def _table_coefficients() -> UkpdsCoefficients:
    return _coefficients({})


def _coefficients(overrides: Mapping[str, float]) -> UkpdsCoefficients:
    table = ukpds_values()
    names = tuple(COVARIATES)
    parts = {"covariate": names, "before": UKPDS_BEFORE, "now": UKPDS_NOW}
    count = len(UKPDS_EQUATIONS)
    shapes, constants = np.ones(count), np.zeros(count)
    arrays = {kind: np.zeros((count, len(of))) for kind, of in parts.items()}
    middle = _reference()
    for (row, value), (equation, kind, name) in zip(table.items(), _slots(), strict=True):
        if not equation:
            continue
        number, now = UKPDS_EQUATIONS.index(equation), overrides.get(row, value)
        if kind == "shape":
            shapes[number] = now
        elif kind == "constant":
            constants[number] += now
        else:
            column = parts[kind].index(name if kind == "covariate" else name.rsplit("_", 1)[0])
            arrays[kind][number, column] = now
            if kind == "covariate":
                constants[number] -= (now - value) * middle[column]
    return UkpdsCoefficients(
        shapes, np.column_stack([constants, arrays["covariate"]]), arrays["before"], arrays["now"]
    )  # fmt: skip


@functools.cache
def _reference() -> Numbers:
    person = UkpdsRiskFactors(age=55.0, duration=8.0, female=0.0)
    return np.array([float(of(person)) for of in COVARIATES.values()])


def ukpds_predictors(
    factors: UkpdsRiskFactors, coefficients: UkpdsCoefficients, switched: bool = False
) -> Numbers:  # fmt: skip
    """Return (equations, ...) the linear predictor of every equation, without what happened before.

    Parameters
    ----------
    switched
        Read eGFR and LDL about their knees as `risk_factors.SWITCHED` does.
    """
    forms = SWITCHED if switched else COVARIATES
    columns = np.broadcast_arrays(1.0, *(form(factors) for form in forms.values()))
    stacked = np.stack(columns)
    return np.asarray(np.tensordot(coefficients.covariates, stacked, axes=1))


def ukpds_year_chance(
    equation: str, predictor: Numbers, shape: float, duration: Numbers, age: Numbers, years: float = 1.0
) -> Numbers:
    """Return the chance of an event within a year, or another length of time.

    Parameters
    ----------
    predictor
        The linear predictor.
    shape
        Of the Weibull or Gompertz form.
    duration, age
        Years since diagnosis and of age when the time begins.
    """
    with np.errstate(over="ignore"):
        scale = np.exp(np.minimum(predictor, _LARGEST))
        match UKPDS_FORMS[equation]:
            case "weibull":
                more = scale * ((duration + years) ** shape - duration**shape)
            case "gompertz":
                more = scale * (np.exp(shape * (age + years)) - np.exp(shape * age)) / shape
            case "logistic":
                more = years * np.log1p(scale)
    return np.asarray(-np.expm1(-more))


def ukpds_chance(
    equation: str,
    factors: UkpdsRiskFactors,
    before: Iterable[str] = (),
    now: Iterable[str] = (),
    values: Mapping[str, float] | None = None,
    switched: bool = False,
) -> Numbers:
    """Return the chance of one equation within the next year.

    Parameters
    ----------
    equation
        One of `UKPDS_EQUATIONS`.
    before, now
        What happened in years before, of `UKPDS_BEFORE`, and in this year, of `UKPDS_NOW`.
    values
        Row of `ukpds_parameters` -> value.
    switched
        See `ukpds_predictors`.

    Raises
    ------
    ConfigError
        There is no such equation or event.

    Examples
    --------
    >>> from betapod.hazards.ukpds.risk_factors import UkpdsRiskFactors
    >>> from betapod.hazards.ukpds.ukpds_equations import ukpds_chance
    >>> person = UkpdsRiskFactors(age=55, duration=8, female=0, hba1c=7.5, sbp=145, hdl=1.3, ldl=3.0, bmi=28, egfr=70)
    >>> print(f"{ukpds_chance('mi_man', person):.4f}")
    0.0070
    """
    before, now = tuple(before), tuple(now)
    checks = ((equation,), UKPDS_EQUATIONS), (before, UKPDS_BEFORE), (now, UKPDS_NOW)
    problems = [
        Problem("unknown-event", f"UKPDS Outcomes Model 2 has no {name!r}", hint=did_you_mean(name, allowed))
        for names, allowed in checks
        for name in names
        if name not in allowed
    ]
    if problems:
        raise ConfigError(problems)
    coefficients = ukpds_coefficients(values)
    number = UKPDS_EQUATIONS.index(equation)
    x = ukpds_predictors(factors, coefficients, switched)[number]
    x = x + sum(coefficients.before[number, UKPDS_BEFORE.index(name)] for name in before)
    x = x + sum(coefficients.now[number, UKPDS_NOW.index(name)] for name in now)
    age, duration = (np.asarray(values, dtype=np.float64) for values in (factors.age, factors.duration))
    return ukpds_year_chance(equation, x, float(coefficients.shapes[number]), duration, age)
