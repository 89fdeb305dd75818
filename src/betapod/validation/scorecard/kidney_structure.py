"""Kidney targets over years: membrane, mesangium, podocytes, fenestrae, nephrectomy, transplantation of a pancreas."""

from __future__ import annotations

import numpy as np

from ...physiology import whole_body
from .kidney_acute import percent_change
from .kidney_person import ACE_INHIBITOR, ARB, YEAR, KidneyPerson, albuminuric, healthy, type_1, type_2
from .procedure import procedure


@procedure
def structure() -> dict[str, float]:
    """T1D from age 15 at 11.3 mmol/L with susceptibility 0.4 (normoalbuminuria), 0.9 (median), 1 and 2 (microalbuminuria)."""
    table = whole_body.model_parameters("kidney")
    results = {
        "W_healthy": table["W_GBM0"].value,
        "Vv_healthy": table["Vv_mes0"].value,
        "podocytes_nominal": table["podocytes0"].value,
    }
    people = {
        "normo_20y": type_1(20.0, xi=0.4),
        "median_20y": type_1(20.0, xi=0.9),
        "micro_20y": type_1(20.0, xi=1.0),
        "micro_12y": type_1(12.0, xi=2.0),
    }
    for name, person in people.items():
        row = person.course([0.0]).iloc[0]
        results[f"W_{name}"], results[f"Vv_{name}"] = row["W_GBM"], row["Vv_mes"]
    control = healthy().course([0.0, 10 * YEAR])
    results["dW_healthy"] = (control["W_GBM"].iloc[-1] - control["W_GBM"].iloc[0]) / 10.0
    results["dpodocytes"] = (control["podocytes"].iloc[-1] - control["podocytes"].iloc[0]) / 10.0
    early = KidneyPerson({"G": 11.3, "age": 45.0, "xi": 2.0}).course([0.0, YEAR, 5 * YEAR])["W_GBM"]
    results["dW_early"] = (early.iloc[2] - early.iloc[1]) / 4.0
    return results


@procedure
def rass() -> dict[str, float]:
    """T1D for 11 years at 10.9 mmol/L, susceptibility 0.9; then 5 years on nothing, an ARB or an ACE inhibitor."""
    person = type_1(11.0, 10.9, xi=0.9)
    start = person.course([0.0]).iloc[0]["Vv_mes"]
    none, arb, ace = (person.course([0.0, 5 * YEAR], **drug).iloc[-1]["Vv_mes"] for drug in ({}, ARB, ACE_INHIBITOR))
    return {"dVv_placebo": none - start, "dVv_ARB": arb - none, "dVv_ACE": ace - none}


@procedure
def losartan_pima() -> dict[str, float]:
    """T2D for 10 years at 9.3 mmol/L, susceptibility 3 (microalbuminuria) or 1; then 6 years on an ARB or not."""
    results = {}
    for name, xi in (("micro", 3.0), ("normo", 1.0)):
        person = type_2(10.0, xi=xi)
        placebo, drug = (person.course([0.0, 6 * YEAR], **treatment).iloc[-1]["Vv_mes"] for treatment in ({}, ARB))
        results[f"dVv_{name}"] = drug - placebo
    return results


@procedure
def pima() -> dict[str, float]:
    """T2D from age 35 at 12 mmol/L, susceptibility 3.5, xi_h 2 and sieving 3 times normal, so that the start is near 547 podocytes at a
    UACR of 84 mg/g; followed for 4 years from there.
    """
    values = {"G": 12.0, "age": 35.0, "xi": 3.5, "xi_h": 2.0, "xi_theta": 3.0}
    person = KidneyPerson(values).until("UACR", 84.0)
    table = person.course([0.0, 4 * YEAR])
    start, end = table.iloc[0], table.iloc[-1]
    return {
        "dpodocytes": percent_change(end["podocytes"], start["podocytes"]),
        "UACR_ratio": end["UACR"] / start["UACR"],
        "GFR": start["GFR"],
        "dGFR": percent_change(end["GFR"], start["GFR"]),
        "dKf": percent_change(end["K_f"], start["K_f"]),
        "dsurface": percent_change(end["surface"], start["surface"]),
    }


@procedure
def podocytes_t2d() -> dict[str, float]:
    """T2D for 10 years at 9.3 mmol/L with susceptibility 1 (normo-) and 3 (microalbuminuria); macro: the CKD patient; health at 62 years."""
    control = healthy(52.0).after(10.0).course([0.0]).iloc[0]
    normo, micro, macro = (
        person.course([0.0]).iloc[0] for person in (type_2(10.0), type_2(10.0, xi=3.0), albuminuric())
    )
    return {
        "density_normo": normo["podocyte_density"] - control["podocyte_density"],
        "density_micro_normo": micro["podocyte_density"] - normo["podocyte_density"],
        "number_ratio": normo["podocytes"] / control["podocytes"],
        "fenestration_healthy": 100.0 * whole_body.model_parameters("kidney")["fenestration0"].value,
        "fenestration_normo": 100.0 * normo["fenestration"],
        "fenestration_micro": 100.0 * micro["fenestration"],
        "fenestration_macro": 100.0 * macro["fenestration"],
    }


@procedure
def pancreas_transplant() -> dict[str, float]:
    """T1D from age 11 at 10.8 mmol/L for 22 years, then 5.4 mmol/L for 10; no immunosuppressive drug is modelled."""
    person = type_1(22.0, 10.8, 11.0)
    table = person.course(list(np.array([0.0, 1.0, 5.0, 10.0]) * YEAR), G=5.4)
    table.iloc[0] = person.course([0.0]).iloc[0]
    names = {"W_GBM": "W_GBM", "Vv": "Vv_mes", "UAER": "UAER", "GFR": "GFR"}
    return {
        f"{short}_{years}": table[name].loc[years * YEAR] for short, name in names.items() for years in (0, 1, 5, 10)
    }


@procedure
def nephrectomy() -> dict[str, float]:
    """The nominal healthy person gives one kidney at 45 years; a year later."""
    before = healthy().course([0.0]).iloc[0]
    after = healthy().course([0.0, YEAR], u_nx=0.5).iloc[-1]
    return {
        "dGFR": percent_change(after["GFR"], before["GFR"]),
        "dP_GC": after["P_GC"] - before["P_GC"],
        "dSNGFR": percent_change(after["SNGFR"], before["SNGFR"]),
    }


@procedure
def single_kidney_t1d() -> dict[str, float]:
    """T1D for 10 years from age 15 at 11.3 mmol/L with one kidney from the start, against two."""
    two, single = (type_1(10.0, u_nx=u_nx).course([0.0]).iloc[0] for u_nx in (1.0, 0.5))
    return {"W_ratio": single["W_GBM"] / two["W_GBM"], "Vv_ratio": single["Vv_mes"] / two["Vv_mes"]}


@procedure
def ckd3() -> dict[str, float]:
    """The CKD patient without drugs when GFR falls below 45 mL/min, against a healthy person of the same age."""
    person = albuminuric().until("GFR", 45.0)
    patient = person.course([0.0]).iloc[0]
    control = healthy(person.age).course([0.0, 30.0]).iloc[-1]
    return {
        "perfusion_ratio": patient["RBF"] / control["RBF"],
        "dhypoxia": patient["hypoxia_index"] - control["hypoxia_index"],
    }
