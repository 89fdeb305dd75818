"""Kidney targets of populations: five hundred people who differ in susceptibility, sieving, vessels, endowment, glucose and pressure."""

from __future__ import annotations

import functools

import numpy as np

from ...engine.schedule import Schedule, Switch
from .kidney_cohorts import (
    MACROALBUMINURIA,
    MICROALBUMINURIA,
    Flags,
    Numbers,
    cockcroft_gault,
    confirmed_visits,
    from_then_on,
    micromolar,
    seen,
    type_1_course,
    type_2_course,
    type_2_people,
)
from .kidney_person import ARB, MONTH, YEAR, follow_all, kidney_ensemble
from .procedure import procedure

#: Thresholds of the UKPDS, mg/g: 50 and 300 mg/L of urine with a creatinine of 8 mmol/L (8000 umol/L, as mg/dL a hundredth of a mg/L).
_UKPDS_MICRO, _UKPDS_MACRO = (limit / micromolar(8000.0) * 100.0 for limit in (50.0, 300.0))
#: Creatinine of renal disease in the UKPDS, mg/dL.
_RENAL = micromolar(175.0)


def _rate(here: Flags, beyond: Flags) -> float:
    """Return the percent per year of those in a stage who are beyond it a year later; (people, years) of truth."""
    at_risk = here[:, :-1] & ~beyond[:, :-1]
    return float(100.0 * np.sum(at_risk & beyond[:, 1:]) / np.sum(at_risk))


def _stages(albumin: Numbers, micro: float = MICROALBUMINURIA, macro: float = MACROALBUMINURIA) -> dict[str, Flags]:
    return {"normo": albumin < micro, "micro": (albumin >= micro) & (albumin < macro), "macro": albumin >= macro}


@procedure
def ukpds() -> dict[str, float]:
    """512 people with untreated T2D: 52 SD 8.7 years old, 9.3 SD 1.5 mmol/L, dMAP 6 SD 5 mmHg; susceptibilities, GFR0, weight and
    creatinine as in the tables. What is seen is one measurement a year with its error and the person's slow deviation. Micro 50, macro
    300 mg/L, taken at 8 mmol/L of urinary creatinine (assumed); renal S_cr above 175 umol/L. A stage counts from the visit that the next
    one confirms, and for good (assumed). Rates over 10 years; percent slopes over years 8 to 12 by the stage seen at 8 (30 and 300
    mg/g); eGFR slopes over years 5 to 15 by the stage at 5. Impaired: Cockcroft-Gault clearance below 60 mL/min, not at the start, or
    creatinine doubled, within 15 years, confirmed.
    """
    course, people = type_2_course(), type_2_people()
    UACR = seen("UACR", course["UACR"], "UACR of T2D")
    S_cr = seen("creatinine", course["S_cr"], "creatinine of T2D")
    macro = from_then_on(confirmed_visits(UACR >= _UKPDS_MACRO))
    micro = from_then_on(confirmed_visits(UACR >= _UKPDS_MICRO)) | macro
    renal = from_then_on(confirmed_visits(S_cr > _RENAL))
    ten = slice(0, 11)
    results = {
        "normo_to_micro": _rate(~micro[:, ten], micro[:, ten]),
        "micro_to_macro": _rate((micro & ~macro)[:, ten], macro[:, ten]),
        "macro_to_renal": _rate(macro[:, ten], renal[:, ten]),
        "micro_10y": 100.0 * (micro & ~macro)[:, 10].mean(),
        "macro_10y": 100.0 * (macro & ~renal)[:, 10].mean(),
        "renal_10y": 100.0 * renal[:, 10].mean(),
    }
    free = ~micro[:, 0]
    results["albuminuria_15y"] = 100.0 * micro[free].any(axis=1).mean()
    age = people["age"][:, None] + np.arange(S_cr.shape[1])
    low = confirmed_visits((cockcroft_gault(age, people["BW"][:, None], S_cr) < 60.0) | (S_cr > 2.0 * S_cr[:, :1]))
    well = ~low[:, 0]
    impaired = low.any(axis=1) & well
    results["impaired_15y"] = 100.0 * impaired.sum() / well.sum()
    at_first = np.take_along_axis(micro, np.argmax(low, axis=1)[:, None], axis=1)[:, 0]
    results["impaired_without_albuminuria"] = 100.0 * (~at_first[impaired]).mean()
    for name, members in _stages(UACR[:, 8]).items():
        slopes = 100.0 * (course["GFR"][:, 12] / course["GFR"][:, 8] - 1.0) / 4.0
        results[f"percent_slope_{name}"] = float(np.median(slopes[members]))
    for name, members in _stages(UACR[:, 5]).items():
        results[f"eGFR_slope_{name}"] = float(np.mean((course["eGFR"][:, 15] - course["eGFR"][:, 5])[members]) / 10.0)
    return results


def _change(after: Numbers, before: Numbers) -> float:
    """Return the geometric mean change, percent."""
    return float(100.0 * np.expm1(np.mean(np.log(after / before))))


@procedure
def arb_microalbuminuria() -> dict[str, float]:
    """Those of the T2D population with a true 30 to 300 mg/d at year 8: an ARB for 2 years, then none for a month; geometric means of
    UAER.
    """
    course = type_2_course()
    microalbuminuric = _stages(course["UAER"])["micro"][:, 8] & (course["failed"][:, 8] == 0)
    people = {name: values[microalbuminuric] for name, values in type_2_people().items()}
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


def _reduction(intensive: float, conventional: float) -> float:
    return 100.0 * (intensive / conventional - 1.0)


def _incidence(albumin: Numbers, begin: int, end: int, threshold: float) -> float:
    """Return the share of those seen below a threshold at one visit who are above it at two later ones in a row."""
    free = albumin[:, begin] < threshold
    return float(confirmed_visits(albumin >= threshold)[free, begin + 1 : end + 1].any(axis=1).mean())


@functools.cache
def _seen_course(*care: tuple[float, int]) -> tuple[Numbers, Numbers]:
    """Return AER and eGFR as seen; errors are the same under any care, so that groups differ by it alone."""
    course = type_1_course(*care)
    return seen("UAER", course["UAER"], "AER of T1D"), seen("eGFR", course["eGFR"], "eGFR of T1D")


@procedure
def dcct() -> dict[str, float]:
    """512 people with T1D from age 21, susceptibilities and GFR0 as in the tables with the factor of T1D, glucose SD 1.5 mmol/L: HbA1c
    9.1 % for 6 years; then 7 years at 7.2 or 9.1 %; then 8.0 % until year 28 (assumed). Onset cohort and slopes: HbA1c 9.1 %
    throughout. What is seen is one collection a year, with its error and the person's slow deviation. Micro 30, macro 300 mg/d, GFR
    below 60: seen at two visits in a row (assumed).
    """
    usual_care, intensive_care = ((9.1, 6), (9.1, 7), (8.0, 15)), ((9.1, 6), (7.2, 7), (8.0, 15))
    intensive, usual = _seen_course(*intensive_care), _seen_course(*usual_care)
    results = {}
    for name, threshold in (("micro", MICROALBUMINURIA), ("macro", MACROALBUMINURIA)):
        for label, begin, end in ((f"{name}_reduction", 6, 13), (f"edic_{name}_reduction", 13, 21)):
            rates = [_incidence(UAER, begin, end, threshold) for UAER, _ in (intensive, usual)]
            results[label] = _reduction(*rates)
    impaired = [confirmed_visits(eGFR < 60.0)[:, 6:].any(axis=1).mean() for _, eGFR in (intensive, usual)]
    results["GFR60_reduction"] = _reduction(*impaired)
    course = type_1_course((9.1, 35))
    UAER, eGFR = _seen_course((9.1, 35))
    for name, members in _stages(UAER[:, 15]).items():
        slopes = 100.0 * (course["eGFR"][:, 20] / course["eGFR"][:, 15] - 1.0) / 5.0
        results[f"eGFR_percent_{name}"] = float(np.mean(slopes[members]))
    micro = confirmed_visits(_stages(UAER)["micro"])
    onset = np.argmax(micro, axis=1)
    progressed = np.flatnonzero(micro.any(axis=1) & (onset > 0) & (onset <= 24))
    within = onset[progressed, None] + np.arange(1, 11)

    def cumulative(flags: Flags) -> float:
        return float(100.0 * np.take_along_axis(flags[progressed], within, axis=1).any(axis=1).mean())

    results["macro_after_micro"] = cumulative(confirmed_visits(UAER >= MACROALBUMINURIA))
    results["GFR60_after_micro"] = cumulative(confirmed_visits(eGFR < 60.0))
    results["failure_after_micro"] = cumulative(course["failed"] > 0)
    return results
