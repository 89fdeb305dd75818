"""Kidney targets within minutes to months: health, glucose, salt, natriuretic peptide, SGLT2 inhibition of hyperfiltration."""

from __future__ import annotations

import functools
import math

import numpy as np
import pandas as pd

from ...base.constants import MINUTES_PER_DAY
from ...physiology import whole_body
from .kidney_person import (
    SGLT2_INHIBITOR,
    WEEK,
    YEAR,
    KidneyPerson,
    glucose_of,
    healthy,
    kidney_ensemble,
    type_1,
    type_2,
)
from .procedure import procedure

#: Moles of sodium that SGLT2 alone moves per mole of glucose reabsorbed: one, for the 90 % that pass through it.
_SODIUM_PER_GLUCOSE_SGLT2 = 0.9


def percent_change(after: float, before: float) -> float:
    """Return a change in percent of the value before."""
    return 100.0 * (after / before - 1.0)


@functools.cache
def hyperfiltering() -> KidneyPerson:
    """Return someone with T1D who hyperfilters: GFR 170 mL/min."""
    return type_1(5.0, 12.0, xi_h=1.5)


@functools.cache
def normofiltering() -> KidneyPerson:
    """Return someone with T1D whose tubule hardly grows: GFR below 135 mL/min."""
    return type_1(12.0, 10.0, xi_h=0.45)


@procedure
def healthy_nominal() -> dict[str, float]:
    """The nominal healthy person, 45 years old, at the start."""
    row = healthy().course([0.0]).iloc[0]
    return {
        "GFR": row["GFR"],
        "SNGFR": row["SNGFR"],
        "nephrons_per_kidney": row["nephron_number"] / 2,
        "sieving": row["sieving"],
        "albumin_Bowman": row["albumin_Bowman"],
    }


@procedure
def ageing() -> dict[str, float]:
    """The healthy person at 23.5, 45, 72.5 and 75 years, each after a month at that age."""
    rows = {age: healthy(age).course([0.0, 30.0]).iloc[-1] for age in (23.5, 45.0, 72.5, 75.0)}
    return {
        "nephrons_young": rows[23.5]["nephron_number"] / 2,
        "nephrons_old": rows[72.5]["nephron_number"] / 2,
        "SNGFR_ratio": rows[75.0]["SNGFR"] / rows[45.0]["SNGFR"],
    }


def _sodium_excreted(row: pd.Series[float]) -> float:
    sodium = whole_body.model_parameters("kidney")["Na_plasma"].value / 1000.0
    return 100.0 * row["Na_excretion"] / (row["GFR"] * sodium * MINUTES_PER_DAY)


@procedure
def healthy_young() -> dict[str, float]:
    """The healthy person at 25 years (age of the controls assumed) after a month, on 150 mmol/d of sodium."""
    row = healthy(25.0).course([0.0, 30.0]).iloc[-1]
    return {"GFR": row["GFR"], "P_GC": row["P_GC"], "FE_Na": _sodium_excreted(row)}


@procedure
def t1d_hyperfiltering() -> dict[str, float]:
    """T1D for 5 years from age 15 at 12 mmol/L; GFR of a typical tubule, P_GC of one that grows 1.5 times as much."""
    return {
        "GFR": type_1(5.0, 12.0).course([0.0]).iloc[0]["GFR"],
        "P_GC": hyperfiltering().course([0.0]).iloc[0]["P_GC"],
    }


@procedure
def euglycaemia_t1d() -> dict[str, float]:
    """T1D, hyperfiltering (12 mmol/L, 5 years, xi_h 1.5) or not (10 mmol/L, 12 years, xi_h 0.45), 6 h at 5.2 mmol/L."""
    return {
        f"FE_Na_{name}": _sodium_excreted(person.course([0.0, 0.25], G=5.2).iloc[-1])
        for name, person in (("hyperfiltering", hyperfiltering()), ("normofiltering", normofiltering()))
    }


@procedure
def hyperglycaemia_4h() -> dict[str, float]:
    """The nominal healthy person at 12.2 mmol/L for 4 hours."""
    before = healthy().course([0.0]).iloc[0]
    after = healthy().course([0.0, 4.0 / 24.0], G=12.2).iloc[-1]
    return {"dGFR_percent": percent_change(after["GFR"], before["GFR"])}


@procedure
def sodium_SGLT2() -> dict[str, float]:
    """Sodium through SGLT2 (1 per glucose, 90 % of glucose) in health and after 5 years of T2D at HbA1c 7 and 9.5 %."""
    sodium = whole_body.model_parameters("kidney")["Na_plasma"].value / 1000.0
    people = {
        "healthy": healthy(),
        "controlled": type_2(5.0, glucose_of(7.0)),
        "uncontrolled": type_2(5.0, glucose_of(9.5)),
    }
    results = {}
    for name, person in people.items():
        row = person.course([0.0]).iloc[0]
        reabsorbed = row["GFR"] * sodium - row["Na_excretion"] / MINUTES_PER_DAY
        results[name] = 100.0 * _SODIUM_PER_GLUCOSE_SGLT2 * row["glucose_reabsorbed"] / reabsorbed
    return results


@procedure
def glucose_transport() -> dict[str, float]:
    """The transport maximum in health and after 5 years of T2D at 9.3 mmol/L; then full SGLT2 inhibition for 2 and 14 days."""
    mg_per_mmol = whole_body.model_parameters("kidney")["molar_mass_glucose"].value
    person = type_2(5.0)
    before = person.course([0.0]).iloc[0]["Tm"]
    after = person.course([0.0, 2.0, 14.0], **SGLT2_INHIBITOR)["Tm"]
    return {
        "Tm_healthy": healthy().course([0.0]).iloc[0]["Tm"] * mg_per_mmol,
        "Tm_T2D": before * mg_per_mmol,
        "dTm_48h": percent_change(after.loc[2.0], before),
        "dTm_14d": percent_change(after.loc[14.0], before),
    }


@procedure
def glucosuria() -> dict[str, float]:
    """Full SGLT2 inhibition for 2 weeks in the nominal healthy person and after 5 years of T2D at 9.3 mmol/L."""
    return {
        name: person.course([0.0, 14.0], **SGLT2_INHIBITOR).iloc[-1]["UGE"]
        for name, person in (("healthy", healthy()), ("T2D", type_2(5.0)))
    }


@procedure
def t1d_natriuretic_peptide() -> dict[str, float]:
    """T1D for 5 years from age 15 at 11.3 mmol/L against the healthy person at 20 years, on equal salt."""
    patient = type_1(5.0).course([0.0]).iloc[0]
    control = healthy(20.0).course([0.0, 30.0]).iloc[-1]

    def reabsorbed(row: pd.Series[float]) -> float:
        return float(1.0 - row["Na_PT"] / row["SNGFR_relative"])

    return {
        "ANP_ratio": patient["ANP"] / control["ANP"],
        "dPT_reabsorption": reabsorbed(patient) - reabsorbed(control),
    }


@procedure
def t2d_natriuretic_peptide() -> dict[str, float]:
    """T2D for 5 years from age 52 at 9.3 mmol/L against the healthy person at 57 years, both on 150 mmol/d of sodium."""
    patient = type_2(5.0, N_in=150.0).course([0.0]).iloc[0]
    control = healthy(57.0).course([0.0, 30.0]).iloc[-1]
    return {"ANP_ratio": patient["ANP"] / control["ANP"]}


@procedure
def anp_infusion() -> dict[str, float]:
    """Natriuretic peptide raised fourfold after 5 years at 10 mmol/L from age 45: all states held but proximal sodium."""
    from scipy.optimize import brentq

    person = KidneyPerson({"G": 10.0, "age": 45.0}).after(5.0)
    model = kidney_ensemble().model.with_values({**person.values, "age": 45.0})
    names = ("GFR", "RPF", "FF", "UAER", "Na_PT_target")

    def settled(factor: float) -> list[float]:
        def outputs(ln_x: float) -> list[float]:
            changed = {"t": 5.0 * YEAR, "ANP_factor": factor, "ln_Na_PT": ln_x}
            return list(model.evaluate(names, person.state, changed).values())

        return outputs(brentq(lambda ln_x: math.log(outputs(ln_x)[-1]) - ln_x, math.log(0.05), math.log(0.6)))

    before, after = settled(1.0), settled(4.0)
    return {f"d{name}": percent_change(a, b) for name, a, b in zip(names[:-1], after, before, strict=False)}


@procedure
def high_salt() -> dict[str, float]:
    """Sodium 50 then 250 mmol/d, 8 days each (assumed), in the healthy person at 25 and after 5 years of T1D at 11.3 mmol/L."""
    results = {}
    for name, person in (("healthy", healthy(25.0)), ("T1D", type_1(5.0))):
        low = person.after(8.0 / YEAR, N_in=50.0)
        high = low.course([0.0, 8.0], N_in=250.0)
        for quantity in ("MAP", "V_E"):
            results[f"d{quantity}_{name}"] = high[quantity].iloc[-1] - low.state[quantity]
    return results


def _inhibited(person: KidneyPerson, days: float) -> tuple[pd.Series[float], pd.Series[float]]:
    """Return a person before and after so many days of full SGLT2 inhibition."""
    return person.course([0.0]).iloc[0], person.course([0.0, days], **SGLT2_INHIBITOR).iloc[-1]


def _resistance(row: pd.Series[float]) -> float:
    return float(row["MAP"] / row["RBF"])


@procedure
def sglt2_t1d_hyperfiltering() -> dict[str, float]:
    """Full SGLT2 inhibition for 8 weeks in T1D: 12 mmol/L for 5 years, xi_h 1.5 so that GFR starts at 170 mL/min."""
    before, after = _inhibited(hyperfiltering(), 8 * WEEK)
    return {
        "dGFR": after["GFR"] - before["GFR"],
        "dGFR_percent": percent_change(after["GFR"], before["GFR"]),
        "dRPF_percent": percent_change(after["RPF"], before["RPF"]),
        "dRVR_percent": percent_change(_resistance(after), _resistance(before)),
        "dP_GC": after["P_GC"] - before["P_GC"],
    }


@procedure
def sglt2_t1d_normofiltering() -> dict[str, float]:
    """Full SGLT2 inhibition for 8 weeks in T1D with GFR below 135 mL/min: 10 mmol/L for 12 years, xi_h 0.45."""
    before, after = _inhibited(normofiltering(), 8 * WEEK)
    return {"dGFR": after["GFR"] - before["GFR"]}


@procedure
def sglt2_t2d() -> dict[str, float]:
    """Full SGLT2 inhibition for 4 months in T2D: after 1 year at 10 mmol/L (GFR above 125) or 10 years at 8.5 mmol/L."""
    results = {}
    changes = []
    for name, person in (("hyperfiltering", type_2(1.0, 10.0)), ("normofiltering", type_2(10.0, 8.5))):
        before, after = _inhibited(person, 120.0)
        results[f"dGFR_{name}"] = percent_change(after["GFR"], before["GFR"])
        changes.append(
            (percent_change(after["FF"], before["FF"]), percent_change(_resistance(after), _resistance(before)))
        )
    results["dFF"], results["dRVR"] = (float(value) for value in np.mean(changes, axis=0))
    return results
