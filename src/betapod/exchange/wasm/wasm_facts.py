"""What a WebAssembly module says of its model: names, units, values, limits and the layout of what it works on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...base.constants import DAYS_PER_YEAR
from ...engine.compiled.workspace import JOB, STATUS
from ...engine.floors import floors
from ...engine.infusions import input_name
from ...engine.tolerance import ATOL, SMALL, rough_sizes
from ...model import Model
from ...model.parameters.possible_values import excludes_zero, possible_bounds

#: Version of the layout of these facts.
FORMAT = 1
#: Days over which the sizes of states are looked at; see `betapod.engine.tolerance`.
HORIZON = 20 * DAYS_PER_YEAR


def kernel_facts(
    model: Model, outputs: Sequence[str], parameters: Sequence[str], workspace: int, digest: str
) -> dict[str, Any]:
    """Return what JavaScript needs to run a module, as plain values.

    Parameters
    ----------
    model
        Without inputs for infusions.
    outputs, parameters
        In the order of the module.
    workspace
        Vectors of memory.
    digest
        Of the program.

    Returns
    -------
    dict
        ``states``: name, unit, label, lowest possible value (None: any), size and start as `rough_sizes` gives them.
        ``parameters``: name, value, unit, label, plausible range, possible range, whether 0 is excluded, whether it is an input.
    """
    sizes, starts = rough_sizes(model, HORIZON)
    rows = {**model.parameters, **model.inputs}
    states = [
        {
            "name": state.name,
            "unit": state.unit,
            "label": model.labels[state.name],
            "floor": _number(low),
            "size": float(size),
            "start": float(start),
            "infusion": input_name(model, state.name),
        }
        for state, low, size, start in zip(model.states, floors(model), sizes, starts, strict=True)
    ]
    return {
        "format": FORMAT,
        "name": model.name,
        "description": model.description,
        "fingerprint": model.fingerprint,
        "program": digest,
        "timeUnit": model.time_unit,
        "workspace": workspace,
        "job": list(JOB),
        "status": list(STATUS),
        "firstStep": 0.01,
        "atol": ATOL,
        "small": SMALL,
        "states": states,
        "outputs": [
            {"name": name, "unit": model.units.get(name, ""), "label": model.labels.get(name, "")} for name in outputs
        ],
        "parameters": [_described(rows[name], name in model.inputs) for name in rows],
        "slots": list(parameters),
        "ramps": sorted(model.inputs),
        "events": [{"name": event.name, "label": event.label, "terminal": event.terminal} for event in model.events],
    }


def _described(row: Any, is_input: bool) -> dict[str, Any]:
    least, most = possible_bounds(row)
    return {
        "name": row.id,
        "label": row.label,
        "value": float(row.value),
        "unit": row.unit,
        "low": _number(row.low),
        "high": _number(row.high),
        "least": _number(least),
        "most": _number(most),
        "notZero": excludes_zero(row),
        "input": is_input,
    }


def _number(value: float | np.floating[Any]) -> float | None:
    """Return a number, or None where it is infinite: JSON has no infinity."""
    return float(value) if math.isfinite(value) else None
