"""Published risk equations for the same person, beside what the model says; where the two differ by more than a factor of two, it is said."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..hazards.risk_equations.egfr_decline_equation import DECLINE_YEARS, egfr_decline_range, egfr_decline_risk
from ..hazards.risk_equations.equation_people import EquationPeople
from ..hazards.risk_equations.kidney_failure_equation import (
    KFRE_REGIONS,
    KFRE_YEARS,
    kidney_failure_range,
    kidney_failure_risk,
)
from .named_drugs import named_drugs
from .person_labs import PersonLabs

#: By which factor the model and an equation may differ before it is said; chances below the second are not compared: few people of the
#: model stand behind them.
DIFFERS, _LEAST = 2.0, 0.005
#: Classes of drugs that count as drugs against high pressure, and as drugs that lower glucose.
PRESSURE_CLASSES = ("ACE inhibitor", "ARB", "calcium-channel blocker", "thiazide", "steroidal MRA", "nonsteroidal MRA")
GLUCOSE_CLASSES = (
    "biguanide", "sulfonylurea", "thiazolidinedione", "DPP-4 inhibitor", "GLP-1 receptor agonist", "SGLT2 inhibitor"
)  # fmt: skip


@dataclass(frozen=True)
class EquationRisk:
    """What an equation says of the person.

    Attributes
    ----------
    name
        Such as ``KFRE 4 variables, North America``.
    outcome
        ``kidney failure`` or ``40 % decline of eGFR or kidney failure``.
    years
        Over which.
    risk
        From 0 to 1; NaN where something that it needs is not known.
    in_range
        Whether the person is one of those that it is for.
    why
        What is not known or out of range; empty where all is well.
    model
        What the model says of the same; NaN where it says nothing.
    differs
        Whether the two differ by more than a factor of two, the person being in range.
    """

    name: str
    outcome: str
    years: int
    risk: float
    in_range: bool
    why: str
    model: float
    differs: bool


def equation_people(labs: PersonLabs) -> tuple[EquationPeople, tuple[str, ...]]:
    """Return a person as the equations see them, and what was assumed: histories and smoking that nobody told of are taken as absent."""
    classes = named_drugs(labs.drugs, strict=False).classes
    history, assumed = dict(labs.history), []
    for name, words in (
        ("hf", "heart failure"),
        ("coronary_disease", "coronary disease"),
        ("atrial_fibrillation", "atrial fibrillation"),
        ("smoker", "smoking"),
        ("ex_smoker", "smoking in the past"),
    ):
        if name not in history:
            history[name] = False
            assumed.append(words)
    pressure = any(name in classes for name in PRESSURE_CLASSES)
    sbp = labs.value("sbp")
    hypertension = history.get("hypertension", pressure or sbp >= 140.0)
    person = EquationPeople(
        age=labs.value("age"),
        female=np.nan if labs.female is None else float(labs.female),
        egfr=labs.value("egfr"),
        uacr=labs.value("uacr"),
        diabetes=np.nan if not labs.diabetes else float(labs.diabetes != "none"),
        hypertension=float(hypertension),
        sbp=sbp,
        pressure_drugs=float(pressure),
        heart_failure=float(history["hf"]),
        coronary_disease=float(history["coronary_disease"]),
        atrial_fibrillation=float(history["atrial_fibrillation"]),
        smoker=float(history["smoker"]),
        ex_smoker=float(history["ex_smoker"]),
        bmi=labs.value("bmi"),
        hba1c=labs.value("hba1c"),
        oral_drugs=float(any(name in classes for name in GLUCOSE_CLASSES)),
        insulin=float("insulin" in classes),
        albumin=labs.value("albumin") / 10.0,
        phosphate=labs.value("phosphate"),
        bicarbonate=labs.value("bicarbonate"),
        calcium=labs.value("calcium"),
    )
    return person, tuple(assumed)


def equation_risks(
    labs: PersonLabs, kidney_failure: Mapping[float, float] | None = None, decline: float = math.nan
) -> tuple[EquationRisk, ...]:
    """Return what KFRE (4 and 8 variables, both regions) and CKD-PC say of a person.

    Parameters
    ----------
    kidney_failure
        Years -> chance by the model, if nobody died.
    decline
        Chance by the model of a 40 % decline within three years.

    Examples
    --------
    >>> from betapod.twins.equations_beside import equation_risks
    >>> from betapod.twins.person_labs import LabValue, person_of_labs
    >>> labs = person_of_labs([LabValue("egfr", 52.0, "52"), LabValue("uacr", 380.0, "380 mg/g")], age=61, female=0)
    >>> rows = equation_risks(labs)
    >>> rows[1].name, round(rows[1].risk, 4)
    ('KFRE 4 variables, North America', 0.0261)
    """
    person, assumed = equation_people(labs)
    by_model = dict(kidney_failure or {})
    rows = []
    in_range = bool(kidney_failure_range(person))
    for variables in (4, 8):
        missing = _missing(labs, ("age", "egfr", "uacr", *(FURTHER_LABS if variables == 8 else ())))
        for region in KFRE_REGIONS:
            for years in KFRE_YEARS:
                risk = float(kidney_failure_risk(person, years, variables, region))
                why = missing or ("" if in_range else "it is for adults with an eGFR below 60")
                name = f"KFRE {variables} variables, {region}"
                rows.append(
                    _row(name, "kidney failure", years, risk, in_range, why, by_model.get(float(years), math.nan))
                )
    fits, risk = bool(egfr_decline_range(person)), float(egfr_decline_risk(person))
    missing = _missing(labs, ("age", "egfr", "uacr", "sbp", "bmi", "hba1c"))
    told = f"taken as absent: {', '.join(assumed)}" if assumed else ""
    why = missing or (told if fits else "it is for people with diabetes, 20 to 80 years, eGFR from 60, BMI from 20")
    outcome = "40 % decline of eGFR or kidney failure"
    rows.append(_row("CKD-PC, 40 % decline", outcome, DECLINE_YEARS, risk, fits, why, decline))
    return tuple(rows)


#: Labs that the equation of 8 variables reads besides.
FURTHER_LABS = ("albumin", "phosphate", "bicarbonate", "calcium")


def _missing(labs: PersonLabs, names: tuple[str, ...]) -> str:
    missing = [name for name in names if not math.isfinite(labs.value(name))]
    missing += ["sex"] if labs.female is None else []
    return f"not known: {', '.join(missing)}" if missing else ""


def _row(name: str, outcome: str, years: int, risk: float, in_range: bool, why: str, model: float) -> EquationRisk:
    comparable = in_range and math.isfinite(risk) and math.isfinite(model) and max(risk, model) >= 2.0 * _LEAST
    ratio = max(model, _LEAST) / max(risk, _LEAST) if comparable else 1.0
    return EquationRisk(name, outcome, years, risk, in_range, why, model, not 1.0 / DIFFERS <= ratio <= DIFFERS)
