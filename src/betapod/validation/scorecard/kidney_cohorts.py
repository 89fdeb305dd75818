"""Five hundred virtual people with diabetes whom studies follow: how they differ, what became of them, what a laboratory would see."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...base.constants import CREATININE_UMOL_L
from ...base.randomness import Stream
from ...observables.table import observables
from ...patients.population import population_constant
from ...physiology import whole_body
from .kidney_person import YEAR, follow_all, glucose_of, kidney_ensemble

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

PEOPLE = 512
_SEED = 1
#: In whom the kidney differs, in the order of their scores.
_ROWS = ("xi", "xi_theta", "xi_h", "xi_vessel", "xi_nephron", "GFR0", "BW")
#: Log-SD of nominal creatinine: muscle of people of one sex.
_MUSCLE = 0.10
MICROALBUMINURIA, MACROALBUMINURIA = 30.0, 300.0


@functools.cache
def _scores() -> Numbers:
    """Return (people, columns) standard normal scores of a Sobol sequence: the same people every time."""
    from scipy.stats import norm, qmc

    sobol = qmc.Sobol(len(_ROWS) + 4, scramble=True, seed=_SEED)
    return np.asarray(norm.ppf(sobol.random(PEOPLE)), dtype=np.float64)


def _individual() -> dict[str, Numbers]:
    """Return what differs between kidneys, from the distributions of the parameter table within their ranges."""
    table = whole_body.model_parameters("kidney")
    drawn = {}
    for column, name in enumerate(_ROWS):
        row, scores = table[name], _scores()[:, column]
        assert row.shape is not None, name
        kind, first, second = row.shape
        values = first * np.exp(second * scores) if kind == "lognormal" else first + second * scores
        drawn[name] = values if name.startswith("xi") else np.clip(values, row.low, row.high)
    drawn["S_cr0"] = table["S_cr0"].value * np.exp(_MUSCLE * _scores()[:, len(_ROWS)])
    return drawn


def _more(column: int) -> Numbers:
    return _scores()[:, len(_ROWS) + 1 + column]


@functools.cache
def type_2_people() -> dict[str, Numbers]:
    """Return people at the diagnosis of T2D: 52 SD 8.7 years old, 9.3 SD 1.5 mmol/L, pressure shifted by 6 SD 5 mmHg."""
    people = _individual()
    people["xi_theta"] = population_constant("xi_theta_factor_type_2") * people["xi_theta"]
    people["age"] = np.clip(52.0 + 8.7 * _more(2), 25.0, 65.0)
    people["S_cr0"] = people["S_cr0"] * np.exp(-population_constant("creatinine_ageing") * (people["age"] - 45.0))
    people["G"] = np.maximum(9.3 + 1.5 * _more(0), 5.2)
    people["dMAP"] = 6.0 + 5.0 * _more(1)
    return people


@functools.cache
def type_2_course() -> dict[str, Numbers]:
    """Return sixteen yearly visits of people with untreated T2D, `completed`."""
    return completed(follow_all(type_2_people(), np.arange(17.0) * YEAR))


@functools.cache
def type_1_course(*care: tuple[float, int]) -> dict[str, Numbers]:
    """Follow T1D from age 21 through stretches of (HbA1c, years), yearly; glucose differs by an SD of 1.5 mmol/L between people."""
    shared = _individual()
    shared["xi"] = population_constant("xi_factor_type_1") * shared["xi"]
    ageing = population_constant("creatinine_ageing")
    start: dict[str, Numbers] = {}
    pieces: list[dict[str, Numbers]] = []
    age = 21.0
    alive = np.ones(PEOPLE, dtype=bool)
    for HbA1c, years in care:
        columns = {
            **shared,
            "S_cr0": shared["S_cr0"] * np.exp(-ageing * (age - 45.0)),
            "G": np.maximum(glucose_of(HbA1c) + 1.5 * _more(0), 5.2),
            "age": np.full(PEOPLE, age),
        }
        names = (*kidney_ensemble().model.state_names, "GFR", "eGFR", "UAER", "UACR")
        course = {name: np.full((PEOPLE, years + 1), np.nan) for name in names}
        followed = follow_all(
            {name: values[alive] for name, values in columns.items()},
            np.arange(years + 1.0) * YEAR,
            {name: values[alive] for name, values in start.items()},
        )
        for name in course:
            course[name][alive] = followed[name]
        pieces.append({name: values if not pieces else values[:, 1:] for name, values in course.items()})
        start = {name: course[name][:, -1] for name in kidney_ensemble().model.state_names}
        alive = np.isfinite(course["GFR"][:, -1])
        age += years
    joined = {name: np.concatenate([piece[name] for piece in pieces], axis=1) for name in pieces[0]}
    return completed(joined)


def completed(course: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """Fill visits after kidney failure: GFR at its end, albuminuria as last seen, creatinine beyond any threshold."""
    filled = {name: values.copy() for name, values in course.items()}
    failed = np.isnan(filled["GFR"])
    filled["failed"] = failed.astype(np.float64)
    filled["GFR"][failed] = filled["eGFR"][failed] = whole_body.model_parameters("kidney")["GFR_failure"].value
    filled["S_cr"][failed] = np.inf
    for visit in range(1, failed.shape[1]):
        gone = failed[:, visit]
        for name in ("UAER", "UACR"):
            filled[name][gone, visit] = filled[name][gone, visit - 1]
    return filled


def seen(observable: str, true: Numbers, name: str) -> Numbers:
    """Return yearly values as one measurement a visit shows them.

    Parameters
    ----------
    observable
        Whose error of measurement and slow deviation apply.
    true
        (people, visits), a year apart.
    name
        Of the series: the same name gives the same errors.
    """
    item = observables()[observable]
    assert item.life is not None, observable
    numbers = np.arange(len(true))

    def normal(purpose: str) -> Numbers:
        return Stream(_SEED, f"scorecard:{name}:{purpose}").normal(numbers)

    kept = np.exp(-1.0 / item.life.lasts)
    slow = normal("life 0")
    measured = np.empty_like(true)
    for visit in range(true.shape[1]):
        if visit:
            slow = kept * slow + np.sqrt(1.0 - kept**2) * normal(f"life {visit}")
        strays = item.life.share * slow + item.relative_error * normal(f"error {visit}")
        measured[:, visit] = true[:, visit] * np.exp(strays)
    return measured


def confirmed_visits(flags: Flags) -> Flags:
    """Return at which visits something is seen that the next visit sees again; the last visit has none."""
    return np.asarray(flags[:, :-1] & flags[:, 1:])


def from_then_on(flags: Flags) -> Flags:
    """Return what is true at a visit or was at one before."""
    return np.asarray(np.maximum.accumulate(flags, axis=1))


def cockcroft_gault(age: Numbers, weight: Numbers, creatinine: Numbers) -> Numbers:
    """Return creatinine clearance (mL/min) by Cockcroft and Gault, for men: age in years, weight in kg, creatinine in mg/dL."""
    return (140.0 - age) * weight / (72.0 * creatinine)


def micromolar(creatinine: float) -> float:
    """Return a creatinine in umol/L as mg/dL."""
    return creatinine / CREATININE_UMOL_L
