"""Kidney targets of populations: five hundred people with different susceptibility, sieving, glucose and pressure."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...base.constants import CREATININE_UMOL_L
from ...engine.schedule import Schedule, Switch
from ...physiology import whole_body
from .kidney_person import ARB, MONTH, YEAR, follow_all, glucose_of, kidney_ensemble
from .procedure import procedure

Numbers = NDArray[np.float64]

_PEOPLE = 512
#: Spread between people: median and sigma of susceptibility, sigma of healthy sieving.
_XI, _SIGMA_XI, _SIGMA_SIEVING = 0.9, 1.0, 0.7
_MICRO, _MACRO = 30.0, 300.0
#: 175 umol/L of creatinine, mg/dL.
_RENAL = 175.0 / CREATININE_UMOL_L


@functools.cache
def _normal_scores(columns: int) -> Numbers:
    """Return (people, columns) standard normal scores of a Sobol sequence: the same people every time."""
    from scipy.stats import norm, qmc

    sobol = qmc.Sobol(columns, scramble=True, seed=1)
    return np.asarray(norm.ppf(sobol.random(_PEOPLE)), dtype=np.float64)


def _complete(course: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """Fill visits after kidney failure: GFR at its end, albuminuria as last seen, creatinine beyond any threshold."""
    completed = {name: values.copy() for name, values in course.items()}
    failed = np.isnan(completed["GFR"])
    completed["failed"] = failed.astype(np.float64)
    completed["GFR"][failed] = completed["eGFR"][failed] = whole_body.model_parameters("kidney")["GFR_failure"].value
    completed["S_cr"][failed] = np.inf
    for visit in range(1, failed.shape[1]):
        gone = failed[:, visit]
        completed["UAER"][gone, visit] = completed["UAER"][gone, visit - 1]
    return completed


def _rate(here: NDArray[np.bool_], beyond: NDArray[np.bool_]) -> float:
    """Return the percent per year of those in a stage who are beyond it a year later; (people, years) of truth."""
    at_risk = here[:, :-1] & ~beyond[:, :-1]
    return float(100.0 * np.sum(at_risk & beyond[:, 1:]) / np.sum(at_risk))


def _stages(UAER: Numbers) -> dict[str, NDArray[np.bool_]]:
    return {"normo": UAER < _MICRO, "micro": (UAER >= _MICRO) & (UAER < _MACRO), "macro": UAER >= _MACRO}


@functools.cache
def _type_2_people() -> dict[str, Numbers]:
    scores = _normal_scores(4)
    return {
        "xi": _XI * np.exp(_SIGMA_XI * scores[:, 0]),
        "xi_theta": np.exp(_SIGMA_SIEVING * scores[:, 1]),
        "G": np.maximum(9.3 + 1.5 * scores[:, 2], 5.2),
        "dMAP": 6.0 + 5.0 * scores[:, 3],
        "age": np.full(_PEOPLE, 52.0),
    }


@functools.cache
def _type_2() -> dict[str, Numbers]:
    return _complete(follow_all(_type_2_people(), np.arange(16.0) * YEAR))


@procedure
def ukpds() -> dict[str, float]:
    """512 people with untreated T2D from age 52: xi median 0.9, sigma 1.0; healthy sieving sigma 0.7; 9.3 SD 1.5 mmol/L; dMAP 6 SD 5
    mmHg. Micro 30 to 300, macro from 300 mg/d; renal S_cr above 175 umol/L. Rates over 10 years from yearly visits; percent slopes over
    years 8 to 12 by stage at 8; eGFR slopes over years 5 to 15 by stage at 5; impaired: GFR below 60 within 15 years.
    """
    course = _type_2()
    UAER, GFR, renal = course["UAER"], course["GFR"], course["S_cr"] > _RENAL
    stages = _stages(UAER)
    ten = slice(0, 11)
    results = {
        "normo_to_micro": _rate(stages["normo"][:, ten], (UAER >= _MICRO)[:, ten]),
        "micro_to_macro": _rate(stages["micro"][:, ten], (UAER >= _MACRO)[:, ten]),
        "macro_to_renal": _rate(stages["macro"][:, ten], renal[:, ten]),
        "micro_10y": 100.0 * stages["micro"][:, 10].mean(),
        "macro_10y": 100.0 * stages["macro"][:, 10].mean(),
        "renal_10y": 100.0 * renal[:, 10].mean(),
    }
    free = stages["normo"][:, 0]
    impaired = (GFR < 60.0).any(axis=1)
    results["albuminuria_15y"] = 100.0 * (UAER[free] >= _MICRO).any(axis=1).mean()
    results["impaired_15y"] = 100.0 * impaired.mean()
    first = np.argmax(GFR < 60.0, axis=1)
    before = np.array([(UAER[i, : first[i] + 1] >= _MICRO).any() for i in range(_PEOPLE)])
    results["impaired_without_albuminuria"] = 100.0 * (~before[impaired]).mean()
    for name, members in _stages(UAER[:, 8]).items():
        slopes = 100.0 * (GFR[:, 12] / GFR[:, 8] - 1.0) / 4.0
        results[f"percent_slope_{name}"] = float(np.median(slopes[members]))
    for name, members in _stages(UAER[:, 5]).items():
        results[f"eGFR_slope_{name}"] = float(np.mean((course["eGFR"][:, 15] - course["eGFR"][:, 5])[members]) / 10.0)
    return results


def _change(after: Numbers, before: Numbers) -> float:
    """Return the geometric mean change, percent."""
    return float(100.0 * np.expm1(np.mean(np.log(after / before))))


@procedure
def arb_microalbuminuria() -> dict[str, float]:
    """Those of the T2D population with 30 to 300 mg/d at year 8: an ARB for 2 years, then none for a month; geometric means of UAER."""
    course = _type_2()
    microalbuminuric = _stages(course["UAER"])["micro"][:, 8]
    people = {name: values[microalbuminuric] for name, values in _type_2_people().items()}
    people["age"] = people["age"] + 8.0
    start = {name: course[name][microalbuminuric, 8] for name in kidney_ensemble().model.state_names}
    end = 2 * YEAR
    drug = Schedule(switches=(Switch("e_ARB", ARB["e_ARB"], 0.0), Switch("e_ARB", 0.0, end)))
    followed = follow_all(people, [0.0, 3 * MONTH, end, end + MONTH], start, drug)
    before = {name: course[name][microalbuminuric, 8] for name in ("GFR", "UAER")}
    three, last = followed["GFR"][:, 1], followed["GFR"][:, 2]
    return {
        "dUAER": _change(followed["UAER"][:, 2], before["UAER"]),
        "early_slope": float(np.mean(three - before["GFR"])) / 3.0,
        "late_slope": float(np.mean(last - three)) / 21.0,
        "dUAER_withdrawn": _change(followed["UAER"][:, 3], before["UAER"]),
    }


@functools.cache
def _type_1(*care: tuple[float, int]) -> dict[str, Numbers]:
    """Follow T1D from age 21 through stretches of (HbA1c, years), yearly."""
    scores = _normal_scores(3)
    shared = {
        "xi": _XI * np.exp(_SIGMA_XI * scores[:, 0]),
        "xi_theta": np.exp(_SIGMA_SIEVING * scores[:, 1]),
    }
    scatter = 1.5 * scores[:, 2]
    start: dict[str, Numbers] = {}
    pieces: list[dict[str, Numbers]] = []
    age = 21.0
    alive = np.ones(_PEOPLE, dtype=bool)
    for HbA1c, years in care:
        columns = {
            **shared,
            "G": np.maximum(glucose_of(HbA1c) + scatter, 5.2),
            "age": np.full(_PEOPLE, age),
        }
        course = {
            name: np.full((_PEOPLE, years + 1), np.nan)
            for name in (*kidney_ensemble().model.state_names, "GFR", "eGFR", "UAER")
        }
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
    return _complete(joined)


def _reduction(intensive: float, conventional: float) -> float:
    return 100.0 * (intensive / conventional - 1.0)


def _incidence(UAER: Numbers, begin: int, end: int, threshold: float) -> float:
    """Return the share of those below a threshold at one visit who are above it at a later one."""
    free = UAER[:, begin] < threshold
    return float((UAER[free, begin : end + 1] >= threshold).any(axis=1).mean())


@procedure
def dcct() -> dict[str, float]:
    """512 people with T1D from age 21, xi and sieving spread as in T2D, glucose SD 1.5 mmol/L: HbA1c 9.1 % for 6 years; then 7 years at
    7.2 or 9.1 %; then 8.0 % until year 28 (assumed). Onset cohort and slopes: HbA1c 9.1 % throughout. Micro 30, macro 300 mg/d.
    """
    intensive = _type_1((9.1, 6), (7.2, 7), (8.0, 15))
    usual = _type_1((9.1, 6), (9.1, 7), (8.0, 15))
    results = {}
    for name, threshold in (("micro", _MICRO), ("macro", _MACRO)):
        for label, begin, end in ((f"{name}_reduction", 6, 13), (f"edic_{name}_reduction", 13, 21)):
            rates = [_incidence(arm["UAER"], begin, end, threshold) for arm in (intensive, usual)]
            results[label] = _reduction(*rates)
    impaired = [(arm["GFR"][:, 6:] < 60.0).any(axis=1).mean() for arm in (intensive, usual)]
    results["GFR60_reduction"] = _reduction(*impaired)
    throughout = _type_1((9.1, 35))
    for name, members in _stages(throughout["UAER"][:, 15]).items():
        slopes = 100.0 * (throughout["eGFR"][:, 20] / throughout["eGFR"][:, 15] - 1.0) / 5.0
        results[f"eGFR_percent_{name}"] = float(np.mean(slopes[members]))
    micro = _stages(throughout["UAER"])["micro"]
    onset = np.argmax(micro, axis=1)
    progressed = np.flatnonzero(micro.any(axis=1) & (onset > 0) & (onset <= 25))
    later = onset[progressed] + 10
    results["macro_after_micro"] = 100.0 * (throughout["UAER"][progressed, later] >= _MACRO).mean()
    results["GFR60_after_micro"] = 100.0 * (throughout["GFR"][progressed, later] < 60.0).mean()
    results["failure_after_micro"] = 100.0 * throughout["failed"][progressed, later].mean()
    return results
