"""Kidney targets of diet: less protein, vegetable for animal protein."""

from __future__ import annotations

import pandas as pd

from ...base.constants import CREATININE_UMOL_L
from .kidney_acute import hyperfiltering, normofiltering, percent_change
from .kidney_person import MONTH, YEAR, KidneyPerson, albuminuric_on_ARB, type_1
from .procedure import procedure

#: Share of animal protein in a usual diet, as in the nominal person.
_ANIMAL = 0.65


def _protein(total: float) -> dict[str, float]:
    return {"protein_animal": _ANIMAL * total, "protein_vegetable": (1.0 - _ANIMAL) * total}


def _restricted(
    person: KidneyPerson, usual: float, less: float, days: float
) -> tuple[pd.Series[float], pd.Series[float]]:
    """Return a person after 3 months on their usual protein, and after so many days on less."""
    run_in = person.after(0.25, **_protein(usual))
    return run_in.course([0.0]).iloc[0], run_in.course([0.0, days], **_protein(less)).iloc[-1]


@procedure
def protein_t1d() -> dict[str, float]:
    """T1D for 10 years at 10 mmol/L; protein 1.4 g/kg/d for 3 months, then 0.9 for 28 days; 65 % animal throughout."""
    before, after = _restricted(type_1(10.0, 10.0), 1.4, 0.9, 28.0)
    return {
        "GFR_before": before["GFR"],
        "dGFR": percent_change(after["GFR"], before["GFR"]),
        "dRPF": percent_change(after["RPF"], before["RPF"]),
    }


@procedure
def protein_halved() -> dict[str, float]:
    """T1D, hyperfiltering (12 mmol/L, 5 years, xi_h 1.5) or not (10 mmol/L, 12 years, xi_h 0.45): 1.9 then 0.9 g/kg/d for 10 days."""
    before, after = _restricted(hyperfiltering(), 1.9, 0.9, 10.0)
    usual, less = _restricted(normofiltering(), 1.9, 0.9, 10.0)
    return {
        "dGFR_hyperfiltering": after["GFR"] - before["GFR"],
        "dGFR_normofiltering": less["GFR"] - usual["GFR"],
        "RPF_ratio": after["RPF"] / before["RPF"],
    }


@procedure
def protein_minimal() -> dict[str, float]:
    """T1D for 10 years at 10 mmol/L; protein 1.4 g/kg/d (assumed) for 3 months, then 0.5 for 7 days."""
    before, after = _restricted(type_1(10.0, 10.0), 1.4, 0.5, 7.0)
    return {"dGFR": percent_change(after["GFR"], before["GFR"]), "UAER_ratio": after["UAER"] / before["UAER"]}


@procedure
def protein_ckd() -> dict[str, float]:
    """The CKD patient on ARB (GFR 55, UACR 0.8 g/g): protein 1.0 or 0.7 g/kg/d for a year."""
    person = albuminuric_on_ARB()
    usual, less = (person.course([0.0, YEAR], **_protein(total)).iloc[-1]["GFR"] for total in (1.0, 0.7))
    return {"dGFR_1y": less - usual, "dslope_month": (less - usual) / 12.0}


@procedure
def vegetable_protein() -> dict[str, float]:
    """Equal total protein: 0.35 g/kg/d swapped for 6 months in the CKD patient on ARB; 0.6 g/kg/d for 28 days in T1D at 10 mmol/L."""
    person = albuminuric_on_ARB()
    usual, swapped = (
        person.course([0.0, 6 * MONTH], protein_animal=animal, protein_vegetable=1.0 - animal).iloc[-1]["S_cr"]
        for animal in (0.65, 0.30)
    )
    before = type_1(10.0, 10.0).after(0.25, protein_animal=1.0, protein_vegetable=0.4)
    after = before.course([0.0, 28.0], protein_animal=0.4, protein_vegetable=1.0).iloc[-1]
    return {
        "dS_cr": CREATININE_UMOL_L * (swapped - usual),
        "dGFR": percent_change(after["GFR"], before.course([0.0]).iloc[0]["GFR"]),
    }
