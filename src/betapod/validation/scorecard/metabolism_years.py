"""Metabolic targets over years: natural history, failure of care, new type 1 diabetes, failing kidneys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...base.constants import DAYS_PER_YEAR
from ...person import glucose_tests
from ...person.metabolic_state import at_rest, grown, model_of
from ...person.typical import person
from ...therapies.drug_switches import care
from .metabolism_tests import follow_days, later, metabolism_constant, today, under_inputs
from .procedure import procedure

YEAR = DAYS_PER_YEAR
MONTH = YEAR / 12


@procedure
def ukpds() -> dict[str, float]:
    """T2D from HbA1c 7.1 %: untreated, or on half-dose sulfonylurea; 3 years, means over 10 years, HOMA-B over 9 years."""
    who = person("t2d_early")
    days = list(np.arange(0.0, 10.01, 0.25) * YEAR)
    results: dict[str, float] = {"HOMA_B_diagnosis": glucose_tests.ogtt(who).indices["HOMA_B"]}
    drug = care(["sulfonylurea 0.5 dose"], model_of(who))
    for name, schedule, label in (("diet", None, "conventional"), ("sulfonylurea", drug, "intensive")):
        table = follow_days(who, days, schedule)
        results[f"HbA1c_{name}"] = table["HbA1c"].loc[3 * YEAR]
        results[f"FPG_{name}"] = table["FPG"].loc[3 * YEAR]
        results[f"HbA1c_10y_{label}"] = float(table["HbA1c"].mean())
        if schedule is None:
            results["HOMA_B_slope"] = (table["HOMA_B"].loc[9 * YEAR] - table["HOMA_B"].iloc[0]) / 9.0
    return results


@procedure
def adopt() -> dict[str, float]:
    """T2D from HbA1c 7.1 %: half-dose sulfonylurea or metformin 2 g for 5 years."""
    who = person("t2d_early")
    ends = [
        follow_days(who, [0.0, 5 * YEAR], care([drug], model_of(who))).iloc[-1]["HbA1c"]
        for drug in ("sulfonylurea 0.5 dose", "metformin 2 g")
    ]
    return {"dHbA1c": ends[0] - ends[1]}


@procedure
def direct() -> dict[str, float]:
    """T2D when HbA1c reaches 7.5 %: total diet replacement of 16.4 kg, kept off; capacity is beta-cell function, over the start."""
    who = grown(replace(person("t2d"), state={}, history="HbA1c", until=7.5))
    days = [0.0, 5 * MONTH, 12 * MONTH, 24 * MONTH]
    table = follow_days(who, days, care(["total diet replacement 16.4 kg"], model_of(who)))
    results = {}
    for months, day in zip((5, 12, 24), days[1:], strict=True):
        for name, quantity in (("capacity", "beta_function"), ("first_phase", "first_phase")):
            results[f"{name}_{months}"] = table[quantity].loc[day] / table[quantity].iloc[0]
    results["fat"] = table["ectopic_fat"].iloc[1] / table["ectopic_fat"].iloc[0]
    return results


@procedure
def early_insulin() -> dict[str, float]:
    """T2D constants of HbA1c 7.1 %, decompensated: first phase 0.03, capacity lowered until fasting glucose is 11.5 mmol/L, HbA1c 9.6 %;
    6 months with or without 48 U/day of insulin (half basal) in the first 2 weeks (dose assumed).
    """
    from scipy.optimize import brentq

    who = person("t2d_early")
    model = model_of(who)

    def state(capacity: float) -> dict[str, float]:
        return at_rest(model, {**who.state, "HbA1c": 9.6, "first_phase": 0.03, "secretory_capacity": capacity})

    def excess(capacity: float) -> float:
        return float(model.evaluate(["FPG"], state(capacity))["FPG"]) - 11.5

    ill = replace(who, state=state(float(brentq(excess, 0.05, 1.5, xtol=1e-4))))
    untreated = later(ill, 182.0)
    treated = later(later(ill, 14.0, insulin_prescribed=48.0), 168.0, insulin_prescribed=0.0)
    return {"dHbA1c": untreated.state["HbA1c"] - treated.state["HbA1c"], "HbA1c": treated.state["HbA1c"]}


@procedure
def dcct() -> dict[str, float]:
    """Long-standing T1D titrated to a mean glucose of 8.8 (intensive) or 11.9 mmol/L (conventional) for 6.5 years."""
    return {
        name: later(person("t1d"), 6.5 * YEAR, insulin_target=target).state["HbA1c"]
        for name, target in (("intensive", 8.8), ("conventional", 11.9))
    }


@procedure
def new_t1d() -> dict[str, float]:
    """T1D at diagnosis on titrated insulin; C-peptide, mean over 2 h of a mixed meal, at 0, 12 and 24 months."""
    who = person("t1d_new")
    stimulated = [glucose_tests.mmtt(who).indices["stimulated_C_peptide"]]
    for _ in range(2):
        who = later(who, YEAR)
        stimulated.append(glucose_tests.mmtt(who).indices["stimulated_C_peptide"])
    return {f"slope_{year}": (stimulated[year] - stimulated[year - 1]) / 12.0 for year in (1, 2)}


@procedure
def kidney_failure() -> dict[str, float]:
    """Filtration set and 2 years passed: lean NGT at 30, titrated T1D at 37 and 12, T2D (HbA1c 9 %) titrated to 8 mmol/L at 12 mL/min;
    HbA1c at 164.5 mg/dL with red cells of 0.74 of their normal age.
    """
    who = person("ngt")
    normal = today(later(who, 2 * YEAR), "C_peptide_fasting", "insulin_morning")
    failing = today(later(who, 2 * YEAR, GFR=30.0), "C_peptide_fasting", "insulin_morning")
    glucose = 164.5 / glucose_tests.MG_PER_DL
    results = {
        "HbA1c_dialysis": metabolism_constant("HbA1c_at_zero_glucose")
        + metabolism_constant("HbA1c_per_glucose") * glucose * 0.74,
        "dC_peptide": 100.0 * (failing["C_peptide_fasting"] / normal["C_peptide_fasting"] - 1.0),
        "dinsulin": 100.0 * (failing["insulin_morning"] / normal["insulin_morning"] - 1.0),
    }
    t1d = person("t1d")
    t2d = under_inputs(person("t2d_late"), insulin_titration=1.0, insulin_target=8.0)
    t2d = replace(t2d, state={**t2d.state, "ln_insulin_dose": float(np.log(20.0))})

    for label, patient, filtration in (("T1D_3b", t1d, 37.0), ("T1D_5", t1d, 12.0), ("T2D_5", t2d, 12.0)):
        doses = [
            today(later(patient, 2 * YEAR, GFR=GFR), "insulin_dose")["insulin_dose"]
            for GFR in (patient.values.get("GFR", 95.0), filtration)
        ]
        results[f"ddose_{label}"] = 100.0 * (doses[1] / doses[0] - 1.0)
    return results
