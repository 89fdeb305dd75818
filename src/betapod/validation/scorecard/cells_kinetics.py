"""Targets of cell kinetics: label, arrest in organs, routes, persistence, obstruction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from ...base.constants import MINUTES_PER_DAY
from ...engine.one_patient import simulate_one
from ...engine.schedule import Dose, Schedule
from ...model import Model
from ...physiology import whole_body
from ...physiology.cells.routes import ORGANS
from ...therapies import cell_parameters
from ...therapies.cell_dosing import regimen
from ...therapies.scenarios import CURRENT_EVIDENCE
from .procedure import procedure

#: Weight of the typical patient of cell therapy, kg.
WEIGHT = 80.0
_MINUTES = 10.0 / MINUTES_PER_DAY


def host(name: str = "cells", /, **values: float) -> Model:
    """Return cell therapy in the scenario of current evidence, in a host with given inputs."""
    return cell_parameters.parameterise(whole_body.named_model(name), CURRENT_EVIDENCE).with_values(
        {"BW": WEIGHT, **values}
    )


def follow_order(order: str, days: Sequence[float], outputs: Sequence[str], **values: float) -> pd.DataFrame:
    """Follow an order for cells, such as ``UC-MSC 1e6/kg iv x3 q28d``; rows by day."""
    model = host(**values)
    schedule = regimen(order, WEIGHT, model).schedule
    return simulate_one(model, days, schedule, rtol=1e-7, atol=1e-12, outputs=list(outputs)).table


def _labelled(model: Model, cells: float, days: Sequence[float], viable: float) -> pd.DataFrame:
    """Follow labelled cells given into a vein, dead ones included."""
    shares = model.evaluate([f"iv_{organ}" for organ in ORGANS], dict.fromkeys(model.state_names, 0.0))
    doses = [
        Dose(f"{kind}_{organ}", share * cells * part)
        for organ in ORGANS
        for kind, part in (("N", viable), ("Y", 1.0 - viable))
        for share in (shares[f"iv_{organ}"],)
        if part > 0
    ]
    scans = ["scan_L", "scan_H", "scan_S"]
    return 100.0 * simulate_one(model, days, Schedule(doses), rtol=1e-7, atol=1e-12, outputs=scans).table


def _viability() -> float:
    return float(cell_parameters.cell_parameter_table()["viability"].value)


@procedure
def label() -> dict[str, float]:
    """300 million labelled cells into a vein in cirrhosis: eightfold splenic flow, no homing, viability at release; scans at 10 minutes, 2 h
    and day 10.
    """
    model = host("cells_tracer", phi_S=0.24, phi_portal=0.391, damage_K=0.0, damage_P=0.0, label_dose=300.0)
    table = _labelled(model, 300.0, [_MINUTES, 2.0 / 24.0, 10.0], _viability())
    first, two_hours, last = (table.iloc[i] for i in range(3))
    results = {}
    for name, scan in (("lung", "scan_L"), ("liver", "scan_H"), ("spleen", "scan_S")):
        results[f"{name}_0"], results[f"{name}_10"] = first[scan], last[scan]
    results["spleen_less_liver"] = last["scan_S"] - last["scan_H"]
    results["liver_rise"] = last["scan_H"] - two_hours["scan_H"]
    return results


@procedure
def label_healthy() -> dict[str, float]:
    """80 million labelled cells into a vein of a healthy person: label in lung and liver at 1 and 24 h, the lung unattenuated."""
    model = host("cells_tracer", damage_K=0.0, damage_P=0.0, label_dose=80.0, eta_L=1.0)
    table = _labelled(model, 80.0, [1.0 / 24.0, 1.0], _viability())
    return {
        "lung_less_liver_1h": table["scan_L"].iloc[0] - table["scan_H"].iloc[0],
        "liver_less_lung_24h": table["scan_H"].iloc[1] - table["scan_L"].iloc[1],
    }


@procedure
def arrest() -> dict[str, float]:
    """The share that an arterial bed arrests, and what is left of cells arrested there after 3 days (the bed of everything else)."""
    table = simulate_one(host(), [0.0, 3.0], Schedule([Dose("N_E", 1.0)]), rtol=1e-8, atol=1e-12, outputs=["N_E"]).table
    return {"first_pass": 100.0 * host().values()["eps_E"], "survivors_3d": 100.0 * table["N_E"].iloc[-1]}


@procedure
def persistence() -> dict[str, float]:
    """80 million marrow stromal cells into a vein; all product cells of both kidneys on day 30 over their native cells."""
    course = follow_order(
        "BM-MSC 80e6 iv", [0.0, 30.0], ["N_K", "G_K", "Z_end", "Z_pod", "Z_mes", "Z_tub", "Z_mal"]
    ).iloc[-1]
    values = host().values()
    native = sum(values[f"count_{kind}"] for kind in ("end", "pod", "mes", "tub"))
    return {"kidney_30d": 100.0 * float(course.sum()) / native}


@procedure
def routes() -> dict[str, float]:
    """First-pass shares by route, percent of viable cells, with moderate damage signals of kidney and pancreas."""
    names = ("iv_K", "artery_K", "renal_K", "iv_P", "splenic_P", "pancreatic_P")
    model = host()
    share: Mapping[str, float] = model.evaluate(names, dict.fromkeys(model.state_names, 0.0))
    return {
        "kidney_ra_less_artery": 100.0 * (share["renal_K"] - share["artery_K"]),
        "kidney_artery_less_iv": 100.0 * (share["artery_K"] - share["iv_K"]),
        "pancreas_pa_less_sa": 100.0 * (share["pancreatic_P"] - share["splenic_P"]),
        "pancreas_sa_less_iv": 100.0 * (share["splenic_P"] - share["iv_P"]),
    }


@procedure
def plugging() -> dict[str, float]:
    """Marrow stromal cells into both renal arteries, 0.07 or 0.7 million per gram (21 or 210 million): GFR after a week or a day."""
    best = follow_order("BM-MSC 21e6 ra bilateral", [0.0, 7.0], ["gfr_m"]).iloc[-1]["gfr_m"]
    tenfold = follow_order("BM-MSC 210e6 ra bilateral", [0.0, 1.0], ["gfr_m"]).iloc[-1]["gfr_m"]
    return {"dGFR_best": 100.0 * (best - 1.0), "dGFR_tenfold": 100.0 * (tenfold - 1.0)}
