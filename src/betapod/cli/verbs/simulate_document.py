"""What the verb simulate prints as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...engine.schedule import Schedule
    from ...engine.scipy.simulation_result import Result
    from ...model import Model


def row_without_cells(result: Result, without: Result) -> dict[str, float]:
    """Return the outputs without cells at the time of the last row that was reached with them."""
    import numpy as np

    reached = np.flatnonzero(~np.isnan(list(result.courses.values.values())).all(axis=0))
    return without.courses.at(int(reached[-1]) if reached.size else -1)


def simulation_document(
    model: Model, result: Result, schedule: Schedule, without: Result | None = None
) -> dict[str, Any]:
    """Return a simulation as one document."""
    from dataclasses import asdict

    from ... import __version__

    courses = result.courses
    return {
        "betapod_version": __version__,
        "model": model.name,
        "fingerprint": model.fingerprint,
        "inputs": {name: {"value": row.value, "unit": row.unit} for name, row in model.inputs.items()},
        "schedule": {
            "doses": [asdict(dose) for dose in schedule.doses],
            "switches": [asdict(change) for change in schedule.switches],
        },
        "solver": {
            "method": result.method,
            "rtol": result.rtol,
            "atol": {name: float(value) for name, value in zip(model.state_names, result.atol, strict=False)},
            "evaluations": result.evaluations,
        },
        "time": {"unit": model.time_unit, "values": courses.times.tolist()},
        "quantities": [
            {"name": name, "label": label, "unit": unit, "kind": kind, "values": values.tolist()}
            for name, values in courses.values.items()
            for label, unit, kind in [courses.meanings[name]]
        ],
        "events": [{"time": time, "name": name} for time, name in result.events],
        "ended": None if result.ended is None else {"name": result.ended[0], "time": result.ended[1]},
        "warnings": list(result.warnings),
        **({"without_cells": row_without_cells(result, without)} if without is not None else {}),
    }
