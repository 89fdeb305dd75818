"""What the verb simulate prints as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from ...engine.schedule import Schedule
    from ...engine.scipy.simulation_result import Result
    from ...model import Model


def row_without_cells(result: Result, without: Result) -> pd.Series[float]:
    """Return the outputs without cells at the time of the last row that was reached with them."""
    row: pd.Series[float] = without.table.loc[result.table.dropna(how="all").index[-1]]
    return row


def simulation_document(
    model: Model, result: Result, schedule: Schedule, without: Result | None = None
) -> dict[str, Any]:
    """Return a simulation as one document."""
    from dataclasses import asdict

    from ... import __version__

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
        "time": {"unit": model.time_unit, "values": [float(time) for time in result.table.index]},
        "quantities": [
            {
                "name": name,
                "label": result.dictionary.loc[name, "label"],
                "unit": result.dictionary.loc[name, "unit"],
                "kind": result.dictionary.loc[name, "kind"],
                "values": [float(value) for value in result.table[name]],
            }
            for name in result.table.columns
        ],
        "events": [{"time": time, "name": name} for time, name in result.events],
        "ended": None if result.ended is None else {"name": result.ended[0], "time": result.ended[1]},
        "warnings": list(result.warnings),
        **({"without_cells": row_without_cells(result, without).to_dict()} if without is not None else {}),
    }
