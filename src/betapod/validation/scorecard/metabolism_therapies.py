"""Metabolic targets of therapies: drugs, islet-cell grafts, mesenchymal cells."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np

from ...base.constants import DAYS_PER_YEAR
from ...engine.schedule import Dose, Schedule
from ...person import glucose_tests
from ...person.metabolic_state import model_of
from ...person.typical import Person, person
from ...therapies.drug_switches import care
from .metabolism_tests import drug_inputs, follow_days, later, metabolism_constant, today, under_inputs
from .procedure import procedure

HALF_YEAR = 182.0
#: What cells do to metabolism as the specification chose it: muscle through inflammation, and the liver.
_MSC = {"dJ": -0.6, "sHd": 1.10}
_SGLT2_INHIBITOR = "SGLT2 inhibitor"


@functools.cache
def _t2d_half_year() -> Person:
    return later(person("t2d"), HALF_YEAR)


@procedure
def drugs() -> dict[str, float]:
    """T2D at HbA1c 8.1 %, 26 weeks with against 26 weeks without; the SGLT2 inhibitor is added after 26 weeks of metformin."""
    who = person("t2d")
    control = _t2d_half_year().state
    results = {}
    for name, drug in (("metformin", "metformin 2 g"), ("semaglutide", "semaglutide 1 mg/week")):
        end = follow_days(who, [0.0, HALF_YEAR], care([drug], model_of(who))).iloc[-1]
        results[name] = end["HbA1c"] - control["HbA1c"]
        results[f"{name}_weight"] = end["BW"] - control["BW"]
    on_metformin = later(who, HALF_YEAR, **drug_inputs("metformin 2 g"))
    both, metformin_alone = (
        later(on_metformin, HALF_YEAR, **treatment).state["HbA1c"] for treatment in (drug_inputs(_SGLT2_INHIBITOR), {})
    )
    results["sglt2_added"] = both - metformin_alone
    return results


@procedure
def sglt2_by_filtration() -> dict[str, float]:
    """T2D at HbA1c 8.1 % with GFR 95, 75, 45 or 22 mL/min from the start: 26 weeks on the drug against 26 weeks without."""
    who = person("t2d")
    inhibitor = drug_inputs(_SGLT2_INHIBITOR)
    results = {"share": inhibitor["phiS"]}
    for GFR in (95, 75, 45, 22):
        drug, none = (
            follow_days(who, [0.0, HALF_YEAR], GFR=float(GFR), **treatment).iloc[-1] for treatment in (inhibitor, {})
        )
        results[f"dHbA1c_{GFR}"] = drug["HbA1c"] - none["HbA1c"]
        results[f"dUGE_{GFR}"] = drug["glucose_excretion"] - none["glucose_excretion"]
    return results


def _graft(amount: float) -> Schedule:
    return Schedule(doses=(Dose("graft_infused", amount),))


@procedure
def graft() -> dict[str, float]:
    """Long-standing T1D on titrated insulin (HbA1c 7.78 %, 33 U/day) given 0.45 normal beta-cell masses; mean C-peptide of a mixed meal."""
    who = person("t1d")
    results = {"C_peptide_0": 1000.0 * glucose_tests.mmtt(who).indices["stimulated_C_peptide"]}
    for day in (90, 180, 365):
        at = later(who, float(day), _graft(0.45))
        results[f"C_peptide_{day}"] = 1000.0 * glucose_tests.mmtt(at).indices["stimulated_C_peptide"]
    dose = [today(state, "insulin_dose")["insulin_dose"] for state in (who, at)]
    results["ddose_365"] = 100.0 * (dose[1] / dose[0] - 1.0)
    results["HbA1c_365"] = at.state["HbA1c"]
    results["dHbA1c_365"] = at.state["HbA1c"] - who.state["HbA1c"]
    return results


@procedure
def islet_after_kidney() -> dict[str, float]:
    """T1D titrated for 3 years to HbA1c 8.1 %, then given 0.35 normal beta-cell masses; the kidney transplant filters 100 mL/min."""
    target = (8.1 - metabolism_constant("HbA1c_at_zero_glucose")) / metabolism_constant("HbA1c_per_glucose")
    who = later(person("t1d"), 3 * DAYS_PER_YEAR, insulin_target=target)
    table = follow_days(who, list(np.arange(4.0) * DAYS_PER_YEAR), _graft(0.35))
    return {f"dHbA1c_{year}": table["HbA1c"].iloc[year] - table["HbA1c"].iloc[0] for year in (1, 2, 3)}


@procedure
def msc_t2d() -> dict[str, float]:
    """T2D at HbA1c 9.0 % without insulin, dJ -0.6 and sHd 1.10 held for 48 or 52 weeks against none; the dose where insulin is titrated to
    the glucose of HbA1c 8 %.
    """
    who = person("t2d_late")
    treated, control = (later(who, 336.0, **treatment) for treatment in (_MSC, {}))
    clamp = [today(state, "clamp_M")["clamp_M"] for state in (treated, control)]
    year = [later(who, 364.0, **treatment).state["HbA1c"] for treatment in (_MSC, {})]
    target = (8.0 - metabolism_constant("HbA1c_at_zero_glucose")) / metabolism_constant("HbA1c_per_glucose")
    on_insulin = under_inputs(who, insulin_titration=1.0, insulin_target=target)
    on_insulin = later(replace(on_insulin, state={**who.state, "ln_insulin_dose": float(np.log(20.0))}), 365.0)
    doses = [today(later(on_insulin, 336.0, **treatment), "insulin_dose")["insulin_dose"] for treatment in (_MSC, {})]
    return {
        "dHbA1c_48wk": treated.state["HbA1c"] - control.state["HbA1c"],
        "dHbA1c_52wk": year[0] - year[1],
        "dM": 100.0 * (clamp[0] / clamp[1] - 1.0),
        "ddose": 100.0 * (doses[0] / doses[1] - 1.0),
        "beta_ratio": treated.state["beta_mass"] / control.state["beta_mass"],
    }


@procedure
def msc_precursors() -> dict[str, float]:
    """T2D at HbA1c 8.1 %: dJ -0.3 (lowest dose) or -0.5 (highest dose, both assumed) against none, weeks 8 and 12."""
    who = person("t2d")
    tables = {dJ: follow_days(who, [0.0, 56.0, 84.0], dJ=dJ)["HbA1c"] for dJ in (0.0, -0.3, -0.5)}
    return {
        f"{name}_{week}": tables[dJ].loc[7.0 * week] - tables[0.0].loc[7.0 * week]
        for name, dJ in (("low", -0.3), ("high", -0.5))
        for week in (8, 12)
    }


@procedure
def msc_t1d() -> dict[str, float]:
    """T1D at diagnosis, insulin titrated: half of autoimmune killing prevented for a year against none; C-peptide of a mixed meal."""
    who = person("t1d_new")
    start = glucose_tests.mmtt(who).indices["stimulated_C_peptide"]
    results = {}
    HbA1c = {}
    for name, eta in (("treated", 0.5), ("control", 0.0)):
        end = later(who, 365.0, eta_X=eta)
        results[name] = 100.0 * (glucose_tests.mmtt(end).indices["stimulated_C_peptide"] / start - 1.0)
        HbA1c[name] = end.state["HbA1c"]
    results["dC_peptide"] = results["treated"] - results["control"]
    results["dHbA1c"] = HbA1c["treated"] - HbA1c["control"]
    return results
