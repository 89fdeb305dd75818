"""Kidney targets of drug trials: the same person with and without the drug."""

from __future__ import annotations

import pandas as pd

from .kidney_acute import percent_change
from .kidney_person import (
    ACE_INHIBITOR,
    ARB,
    GLP1_RECEPTOR_AGONIST,
    MONTH,
    MRA,
    SGLT2_INHIBITOR,
    WEEK,
    YEAR,
    KidneyPerson,
    albuminuric,
    albuminuric_on_ARB,
)
from .procedure import procedure

_DAYS = (0.0, 2 * WEEK, 3 * WEEK, MONTH, 2 * MONTH, 3 * MONTH, 4 * MONTH, 6 * MONTH, 26 * WEEK, 2.4 * YEAR, 2.6 * YEAR)
_VISITS = sorted(set(_DAYS))
#: Years until which slopes are measured.
_END = 2.6


def _arms(person: KidneyPerson, drug: dict[str, float]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return control and treated arm, both from the person's values before the drug."""
    control, treated = person.course(_VISITS), person.course(_VISITS, **drug)
    treated.iloc[0] = control.iloc[0]
    return control, treated


def _chronic(arm: pd.DataFrame, quantity: str = "eGFR", end: float = _END) -> float:
    """Return the slope from 3 months on, per year."""
    return float((arm[quantity].loc[end * YEAR] - arm[quantity].loc[3 * MONTH]) / (end - 0.25))


def _total(arm: pd.DataFrame, end: float = 2.4) -> float:
    return float((arm["eGFR"].loc[end * YEAR] - arm["eGFR"].iloc[0]) / end)


def _comparison(person: KidneyPerson, drug: dict[str, float]) -> dict[str, float]:
    """Return what trials report of two arms."""
    control, treated = _arms(person, drug)
    start = control["eGFR"].iloc[0]
    results = {
        "eGFR": start,
        "UACR": control["UACR"].iloc[0],
        "chronic_control": _chronic(control),
        "chronic_treated": _chronic(treated),
        "slope_control": _total(control),
        "slope_treated": _total(treated),
    }
    results["chronic_relative"] = 100.0 * (1.0 - results["chronic_treated"] / results["chronic_control"])
    results["total_slope"] = results["slope_difference"] = results["slope_treated"] - results["slope_control"]
    for name, day in (("2wk", 2 * WEEK), ("3wk", 3 * WEEK), ("2mo", 2 * MONTH)):
        results[f"acute_{name}"] = treated["eGFR"].loc[day] - control["eGFR"].loc[day]
        results[f"acute_{name}_percent"] = 100.0 * results[f"acute_{name}"] / start
    results["dGFR_3wk_control"] = control["eGFR"].loc[3 * WEEK] - start
    results["dGFR_3wk_treated"] = treated["eGFR"].loc[3 * WEEK] - start
    for name, day in (("4mo", 4 * MONTH), ("6mo", 6 * MONTH), ("26wk", 26 * WEEK)):
        results[f"UACR_{name}"] = percent_change(treated["UACR"].loc[day], control["UACR"].loc[day])
    # What the specification's own table prints: GFR at a month against the value before, and slopes of GFR.
    results["dGFR_1mo"] = treated["GFR"].loc[MONTH] - control["GFR"].iloc[0]
    results["GFR_slope_control"] = _chronic(control, "GFR")
    results["GFR_slope_treated"] = _chronic(treated, "GFR")
    return results


@procedure
def sglt2_ckd() -> dict[str, float]:
    """The CKD patient after a year on ARB (GFR 55, eGFR 47, UACR 0.8 g/g) with or without full SGLT2 inhibition for 2.6 years."""
    results = _comparison(albuminuric_on_ARB(), SGLT2_INHIBITOR)
    return {**results, "UACR": results["UACR_6mo"]}


@procedure
def sglt2_ckd3b() -> dict[str, float]:
    """The same patient on ARB when eGFR falls below 37.5, the middle of the stratum, with or without full SGLT2 inhibition."""
    return _comparison(albuminuric_on_ARB().until("eGFR", 37.5), SGLT2_INHIBITOR)


@procedure
def mra_ckd() -> dict[str, float]:
    """The CKD patient after a year on ARB with or without mineralocorticoid blockade of 0.5 for 2.6 years."""
    results = _comparison(albuminuric_on_ARB(), MRA)
    return {**results, "UACR": results["UACR_4mo"]}


@procedure
def mra_ckd4() -> dict[str, float]:
    """The same patient on ARB when eGFR falls below 25, with or without mineralocorticoid blockade of 0.5."""
    results = _comparison(albuminuric_on_ARB().until("eGFR", 25.0), MRA)
    return {**results, "UACR_ratio": 1.0 + results["UACR_4mo"] / 100.0}


@procedure
def glp1_ckd() -> dict[str, float]:
    """The CKD patient after a year on ARB; the drug is its renal effect, glucose -0.8 mmol/L and pressure -1.5 mmHg."""
    return _comparison(albuminuric_on_ARB(), GLP1_RECEPTOR_AGONIST)


@procedure
def arb_ckd() -> dict[str, float]:
    """The CKD patient untreated (GFR 62, UACR 1.2 g/g) with or without an ARB."""
    control, treated = _arms(albuminuric(), ARB)
    return {
        "UAER": percent_change(treated["UAER"].loc[6 * MONTH], control["UAER"].loc[6 * MONTH]),
        "slope_control": _chronic(control, "GFR"),
        "slope_treated": _chronic(treated, "GFR"),
    }


@procedure
def esprit() -> dict[str, float]:
    """T1D from age 15 at 11.3 mmol/L, susceptibility 2, when UAER reaches 100 mg/d: an ACE inhibitor for 3 years; slope from 3 months."""
    person = KidneyPerson({"G": 11.3, "age": 15.0, "xi": 2.0}).until("UAER", 100.0)
    start = person.course([0.0]).iloc[0]
    table = person.course([0.0, 3 * MONTH, 6 * MONTH, 3 * YEAR], **ACE_INHIBITOR)
    return {
        "slope": (table["GFR"].iloc[3] - table["GFR"].iloc[1]) / 2.75,
        "dUAER_6mo": percent_change(table["UAER"].iloc[2], start["UAER"]),
        "dUAER_3y": percent_change(table["UAER"].iloc[3], start["UAER"]),
    }
