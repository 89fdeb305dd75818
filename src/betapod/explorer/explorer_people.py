"""Typical people as the explorer holds them: values, state of today, and what orders of cells do to each of them."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..engine.schedule import Dose, Switch
from ..person.coupled_person import Patient, person_names, typical_patient
from ..physiology import whole_body
from ..therapies.cell_dosing import Regimen, regimen
from ..therapies.cell_parameters import parameterise, scenario_values
from ..therapies.scenarios import SCENARIOS

#: The model of the page.
MODEL = "reference"
FILE = Path(__file__).with_name("explorer_people.json")
#: Orders of cells that can be chosen: what was given in trials, and each route once.
ORDERS = (
    "UC-MSC 1e6/kg iv x3 q28d",
    "UC-MSC 1e6/kg iv",
    "UC-MSC 1e6/kg ra",
    "UC-MSC 1e6/kg pa",
    "BM-MSC 2e6/kg iv autologous",
    "MPC 150e6 iv",
    "donor-islets 10000 IEQ/kg pv",
)


def explorer_key() -> str:
    """Return a hash of the model and its values, and of the profiles of people: where it differs, people must be grown anew."""
    model = whole_body.named_model(MODEL)
    parts: list[Any] = [model.fingerprint, model.values(), ORDERS]
    parts += [scenario_values(model, name) for name in SCENARIOS]
    profiles = sorted((Path(whole_body.__file__).parent / "profiles").glob("*.csv"))
    parts += [path.read_text(encoding="utf-8") for path in profiles]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def grown_people(progress: Callable[[str], None] = lambda name: None) -> dict[str, Any]:
    """Return everybody as plain values: minutes where no history is kept.

    Parameters
    ----------
    progress
        Is told whose turn it is.
    """
    people = []
    for name in person_names():
        progress(name)
        people.append(person_facts(typical_patient(name, MODEL)))
    return {"key": explorer_key(), "people": people}


def person_facts(who: Patient) -> dict[str, Any]:
    """Return one person: values that differ from the model's, every state today, GFR, and each order of cells in each scenario."""
    defaults, values = whole_body.named_model(MODEL).values(), who.model.values()
    return {
        "name": who.name,
        "label": who.label,
        "history": who.history,
        "values": {key: value for key, value in values.items() if value != defaults[key]},
        "state": dict(who.state),
        "GFR": float(who.model.evaluate(["GFR"], who.state)["GFR"]),
        "cells": {
            order: {
                name: _course(regimen(order, who.state["BW"], parameterise(who.model, name), name, who.state))
                for name in SCENARIOS
            }
            for order in ORDERS
        },
    }


def _course(course: Regimen) -> dict[str, Any]:
    return {
        "words": course.words,
        "doses": [_dose(dose) for dose in course.doses],
        "switches": [_switch(switch) for switch in course.switches],
        "warnings": list(course.warnings),
    }


def _dose(dose: Dose) -> dict[str, Any]:
    return {"state": dose.state, "amount": dose.amount, "time": dose.time, "ii": dose.ii, "addl": dose.addl}


def _switch(switch: Switch) -> dict[str, Any]:
    return {"input": switch.input, "value": switch.value, "time": switch.time, "width": switch.width}


@functools.cache
def shipped_people() -> dict[str, Any]:
    """Return everybody as they are in the package."""
    people: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return people


def write_people(progress: Callable[[str], None] = lambda name: None) -> bool:
    """Grow everybody anew and write them, where the model or its values are not those of the file; return whether that was so."""
    if FILE.is_file() and shipped_people()["key"] == explorer_key():
        return False
    FILE.write_text(json.dumps(grown_people(progress), separators=(",", ":")) + "\n", encoding="utf-8")
    shipped_people.cache_clear()
    return True
