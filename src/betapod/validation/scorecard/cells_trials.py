"""Targets of cell trials: kidney, type 2 and type 1 diabetes, grafts, risks, and the diet of a claim."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ...engine.one_patient import simulate_one
from ...engine.schedule import Schedule, Switch
from ...observables.outcomes import C_PEPTIDE_POSITIVE
from ...person import glucose_tests
from ...person.coupled_person import typical_patient
from ...person.metabolic_state import follow, snapshot
from ...person.typical import person
from ...therapies import cell_parameters
from ...therapies.cell_dosing import regimen
from ...therapies.scenarios import CURRENT_EVIDENCE
from .cells_kinetics import follow_order, host
from .kidney_person import ARB, YEAR, KidneyPerson
from .procedure import procedure

_BASELINE_GFR = 35.0
#: Days between the points through which a course of cells drives another model.
_STEP = 10.0
#: Recipients of a graft, and days on which their C-peptide is read.
_RECIPIENTS = 25
_GRAFT_VISITS = (0.0, 90.0, 180.0, 365.0)


def _driven(input_name: str, days: Sequence[float], values: Sequence[float]) -> list[Switch]:
    """Return switches that let an input run linearly from point to point."""
    steps = zip(days[:-1], days[1:], values[1:], strict=True)
    return [Switch(input_name, float(value), float(begin), float(end - begin)) for begin, end, value in steps]


@procedure
def renal_artery() -> dict[str, float]:
    """Autologous adipose stromal cells, 0.25 million/kg into one renal artery, hypoxic fraction 0.121: 90 days. The gain of flow is read as the
    gain of endothelial proliferation, from which the parameter was derived.
    """
    order = "AD-MSC 0.25e6/kg ra autologous"
    end = follow_order(order, [0.0, 90.0], ["gain_end", "hyp_fraction", "gfr_m"], hyp_0=0.121).iloc[-1]
    return {
        "dRBF": 100.0 * end["gain_end"],
        "dhypoxic": 100.0 * (end["hyp_fraction"] - 0.121),
        "dGFR": 100.0 * (end["gfr_m"] - 1.0),
    }


@procedure
def packham() -> dict[str, float]:
    """Precursor cells, 150 or 300 million into a vein: GFR at week 12 at a baseline of 35 mL/min; the factor on the slope of eGFR after 80
    million marrow stromal cells, mean over 18 months.
    """
    results = {}
    for cells in (150, 300):
        end = follow_order(f"MPC {cells}e6 iv", [0.0, 84.0], ["gfr_m"], CKD=1.0).iloc[-1]
        results[f"dGFR_{cells}"] = _BASELINE_GFR * (end["gfr_m"] - 1.0)
    days = list(np.arange(0.0, 541.0, 10.0))
    results["slope_factor_80"] = float(follow_order("BM-MSC 80e6 iv", days, ["slope_m"], CKD=1.0)["slope_m"].mean())
    return results


@procedure
def mpc_t2d() -> dict[str, float]:
    """Precursor cells once into a vein, 0.3 or 2 million/kg, in T2D at HbA1c 8.1 % without insulin; HbA1c against the same person without
    cells at weeks 8 and 12.
    """
    results = {}
    for name, amount in (("low", "0.3e6/kg"), ("high", "2e6/kg")):
        weeks = _fall_of_hba1c(f"MPC {amount} iv", (56.0, 84.0))
        results[f"dHbA1c_{name}_8"], results[f"dHbA1c_{name}_12"] = weeks
    return results


def _fall_of_hba1c(order: str, days: Sequence[float]) -> list[float]:
    """Return HbA1c with cells less that without them, in a whole person with type 2 diabetes who takes no insulin."""
    who = typical_patient("t2d")
    model = cell_parameters.parameterise(who.model, CURRENT_EVIDENCE)
    course = regimen(order, who.state["BW"], model, CURRENT_EVIDENCE, who.state).schedule
    treated, untreated = (
        simulate_one(model, [0.0, *days], schedule, who.state, outputs=["HbA1c"]).table["HbA1c"].to_numpy()[1:]
        for schedule in (course, Schedule())
    )
    return [float(value) for value in treated - untreated]


@procedure
def uc_t2d() -> dict[str, float]:
    """Umbilical-cord cells, 1 million/kg into a vein three times four weeks apart (dose assumed typical): factor on insulin sensitivity of
    muscle and secretion per beta cell at 48 weeks; HbA1c in T2D at 8.1 % without insulin at 48 weeks and 12 months, against the same
    person without cells.
    """
    order = "UC-MSC 1e6/kg iv x3 q28d"
    end = follow_order(order, [0.0, 336.0], ["SI_m", "fn_m"]).iloc[-1]
    at_48_weeks, at_12_months = _fall_of_hba1c(order, (336.0, 365.0))
    return {
        "dSI": 100.0 * (end["SI_m"] - 1.0),
        "dHbA1c": at_48_weeks,
        "dHbA1c_12mo": at_12_months,
        "beta_ratio": end["fn_m"],
    }


def _protection(order: str, days: Sequence[float]) -> pd.Series[float]:
    return follow_order(order, days, ["eta_X"], T1D=1.0)["eta_X"]


def _retained(order: str | None) -> list[float]:
    """Return stimulated C-peptide at years 1 to 5 after diagnosis, percent of that at diagnosis."""
    who = person("t1d_new")
    days = np.arange(0.0, 5 * 365.0 + 1, _STEP)
    schedule = None
    if order is not None:
        schedule = Schedule(switches=_driven("eta_X", list(days), list(_protection(order, list(days)))))
    visits = [0.0, *(365.0 * year for year in range(1, 6))]
    table = follow(who, visits, schedule).table
    start, *later = (
        glucose_tests.mmtt(snapshot(who, table.iloc[visit])).indices["stimulated_C_peptide"]
        for visit in range(len(visits))
    )
    return [100.0 * value / start for value in later]


@functools.cache
def _untreated() -> tuple[float, ...]:
    return tuple(_retained(None))


@procedure
def protrans() -> dict[str, float]:
    """T1D at diagnosis on titrated insulin; protection from autoimmunity follows one infusion of 200 million cord cells, or of 2 million/kg
    autologous marrow cells (dose assumed); C-peptide of a mixed meal, percent of that at diagnosis.
    """
    treated, autologous = _retained("UC-MSC 200e6 iv"), _retained("BM-MSC 2e6/kg iv autologous")
    control = _untreated()
    results = {f"treated_{year}": treated[year - 1] for year in range(1, 6)}
    results |= {f"control_{year}": control[year - 1] for year in range(1, 6)}
    results["difference_2"] = treated[1] - control[1]
    results["autologous_1"] = autologous[0] - control[0]
    return results


@procedure
def cai() -> dict[str, float]:
    """Cord cells, 1.1 million/kg into the pancreatic artery in T1D: factor on secretion per beta cell after a year; mononuclear cells are left
    out.
    """
    end = follow_order("UC-MSC 1.1e6/kg pa", [0.0, 365.0], ["fn_m"], T1D=1.0).iloc[-1]
    return {"dC_peptide": 100.0 * (end["fn_m"] - 1.0)}


def _recipients(order: str, days: Sequence[float], outputs: Sequence[str]) -> list[pd.DataFrame]:
    """Follow a graft in recipients who differ in its loss: as many equally likely ones as `_RECIPIENTS`."""
    from scipy.special import ndtri

    row = host().parameters["del_on_factor"]
    assert row.shape is not None
    _, median, spread = row.shape
    chances = (np.arange(_RECIPIENTS) + 0.5) / _RECIPIENTS
    factors = np.clip(median * np.exp(spread * ndtri(chances)), row.low, row.high)
    return [follow_order(order, days, outputs, T1D=1.0, del_on_factor=float(factor)) for factor in factors]


@procedure
def sc_islets() -> dict[str, float]:
    """800 million stem-cell islets into the portal vein under immunosuppression: C-peptide and independence as means over recipients who
    differ in loss of the graft; in long-standing T1D on titrated insulin (HbA1c 7.78 %) the median recipient's graft secretes beside what
    is left.
    """
    days = sorted({*np.arange(0.0, 366.0, 5.0), 365.0})
    table = follow_order("SC-islets 800e6 pv", days, ["m3_graft"], T1D=1.0)
    means = [
        visits.to_numpy()
        for visits in _recipients("SC-islets 800e6 pv", _GRAFT_VISITS, ["graft_C_peptide", "graft_independence"])
    ]
    c_peptide, independence = np.mean(means, axis=0).T
    who = person("t1d")
    driven = Schedule(switches=_driven("graft_equivalents", days, list(table["m3_graft"])))
    course = follow(replace(who, values={**who.values, "graft_loss": 0.0}), [0.0, 365.0], driven).table
    dose = course["insulin_dose"]
    results = {f"C_peptide_{day:g}": value for day, value in zip(_GRAFT_VISITS[1:], c_peptide[1:], strict=True)}
    return results | {
        "independence": 100.0 * independence[-1],
        "HbA1c": course["HbA1c"].iloc[-1],
        "ddose": 100.0 * (dose.iloc[-1] / dose.iloc[0] - 1.0),
    }


@procedure
def donor_islets() -> dict[str, float]:
    """800,000 islet equivalents into the portal vein under immunosuppression: share of recipients, who differ in loss of the graft, whose
    stimulated C-peptide from it is below the 0.1 nmol/L of a working graft after 7.4 years.
    """
    ends = [
        table["graft_C_peptide"].iloc[-1]
        for table in _recipients("donor-islets 800000 IEQ pv", [0.0, 7.4 * YEAR], ["graft_C_peptide"])
    ]
    lost = 100.0 * float(np.mean(np.array(ends) < 1000.0 * C_PEPTIDE_POSITIVE))
    return {"lost": lost, "peak": 100.0 * (1.0 - host().values()["f_proc"])}


@procedure
def risks() -> dict[str, float]:
    """Chances and factors of the model for a mismatched product."""
    values = cell_parameters.cell_parameter_table()
    return {
        "fever": values["RR_fever"].value,
        "infection": values["RR_infection"].value,
        "malignancy": values["RR_malignancy"].value,
        "antibody": 100.0 * values["p_DSA"].value,
    }


@procedure
def soy() -> dict[str, float]:
    """T2D kidney disease on ARB (xi 2, sieving doubled, 9.9 mmol/L) when UAER reaches 400 mg/d: 0.8 g/kg/d of protein for 4 years, 65 % of it
    animal or half of that replaced by plants.
    """
    values = {"xi": 2.0, "xi_theta": 2.0, "G": 9.9, "dMAP": 8.0, "N_in": 170.0, "age": 45.0}
    who = KidneyPerson({**values, **ARB, "protein_animal": 0.52, "protein_vegetable": 0.28}).until("UAER", 400.0)
    animal, soy_diet = (
        who.course([0.0, 4 * YEAR], protein_animal=amount, protein_vegetable=0.8 - amount).iloc[-1]["UAER"]
        for amount in (0.52, 0.26)
    )
    return {"ratio": soy_diet / animal}
