"""Mechanism switches of the models: what each turns, in which equations, with which parameters, and in which scenario that matters.

A switch is an input named ``sw_...`` that is 0 or 1. Everything said of it is read from equations and parameter tables.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..base.errors import ConfigError, not_among
from ..model import Model, ParameterTable, Part
from ..model.algebra.evaluate import compile_function
from ..model.printing.document_layout import section_of_part
from ..model.printing.model_document import statement_text
from ..physiology import whole_body
from . import cell_parameters
from .scenarios import SCENARIOS

PREFIX = "sw_"
#: The assembly of cells, kidney and metabolism.
_WHOLE = "reference"
_ROOT = Path(whole_body.__file__).parent


@dataclass(frozen=True)
class SwitchedEquation:
    """An equation in which a switch stands.

    Attributes
    ----------
    submodel, place
        The submodel that owns it; file below ``physiology`` and line.
    text, unit, label
        The equation in the model language, its unit and its meaning.
    """

    submodel: str
    place: str
    text: str
    unit: str
    label: str


@dataclass(frozen=True)
class MechanismSwitch:
    """A switch of a mechanism of cell therapy.

    Attributes
    ----------
    defaults
        Value by model.
    equations
        Where it stands.
    parameters
        Parameters in these equations: label, unit and the value in each scenario.
    scenarios
        Scenarios in which turning it changes the course of a state of kidney or metabolism. None where the equations act when cells
        are given, or are a reduced form that the whole person does not read.
    """

    name: str
    label: str
    note: str
    defaults: Mapping[str, float]
    equations: tuple[SwitchedEquation, ...]
    parameters: Mapping[str, Mapping[str, Any]]
    scenarios: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the switch as plain values."""
        return asdict(self)


@functools.cache
def mechanism_switches() -> dict[str, MechanismSwitch]:
    """Return every switch of every model by name, in the order of the tables."""
    models = {name: whole_body.named_model(name) for name in whole_body.NAMES}
    names = dict.fromkeys(key for model in models.values() for key in model.inputs if key.startswith(PREFIX))
    reach = _reach(models[_WHOLE])
    return {name: _described(name, models, reach.get(name, ())) for name in names}


def mechanism_switch(name: str) -> MechanismSwitch:
    """Return one switch.

    Raises
    ------
    ConfigError
        There is no such switch; the nearest is named.
    """
    switches = mechanism_switches()
    if name not in switches:
        raise ConfigError(not_among(switches, "unknown-switch", f"there is no mechanism switch {name!r}", name))
    return switches[name]


def _described(name: str, models: Mapping[str, Model], scenarios: tuple[str, ...]) -> MechanismSwitch:
    having = {key: model for key, model in models.items() if name in model.inputs}
    # Of a submodel that the whole person has under other names, as its file writes it.
    parts: dict[str, Part] = {}
    for part in (part for model in having.values() for part in model.parts if isinstance(part, Part)):
        parts.setdefault(part.name, part)
    described = [item for part in parts.values() if name in part.uses for item in _equations(part, name)]
    tables = {scenario: cell_parameters.cell_parameter_table(scenario) for scenario in SCENARIOS}
    used = dict.fromkeys(
        key for _, uses in described for key in uses if any(key in m.parameters for m in having.values())
    )
    rows = {key: next(m.parameters[key] for m in having.values() if key in m.parameters) for key in used}
    parameters = {
        key: {
            "label": row.label,
            "unit": row.unit,
            "values": {item: table[key].value if key in table else row.value for item, table in tables.items()},
        }
        for key, row in rows.items()
    }
    row = next(iter(having.values())).inputs[name]
    defaults = {key: model.inputs[name].value for key, model in having.items()}
    return MechanismSwitch(
        name, row.label, row.note, defaults, tuple(item for item, _ in described), parameters, scenarios
    )


def _equations(part: Part, name: str) -> Iterable[tuple[SwitchedEquation, list[str]]]:
    """Give the equations of a submodel in which a name stands, each with the names that it uses."""
    for statement, line in zip(part.statements, section_of_part(part).lines, strict=True):
        uses = line.uses()
        if name in uses:
            location = part.source.location(statement.position)
            file = Path(location.file)
            where = file.relative_to(_ROOT).as_posix() if file.is_relative_to(_ROOT) else str(file)
            yield (
                SwitchedEquation(part.name, f"{where}:{location.line}", statement_text(line), line.unit, line.label),
                uses,
            )


# -- what a switch reaches -------------------------------------------------------------------------------------------


def _reach(model: Model) -> dict[str, tuple[str, ...]]:
    """Return the scenarios in which each switch, directly or through states of the cells, moves a rate of the host.

    Rates are compared with the switch at 0 and at 1 in a state in which nothing is exactly nothing or exactly normal.
    """
    of_cells = {
        name
        for part in model.parts
        if isinstance(part, Part) and Path(part.source.file).parent.name == "cells"
        for name in part.names
    }
    cells = [state for state in model.states if state.name in of_cells]
    host = [state for state in model.states if state.name not in of_cells]
    values = _busy(model, {state.name for state in host})
    names = list(values)
    rates = compile_function([state.rate for state in (*cells, *host)], [names])

    def moved(before: Mapping[str, float], changes: Mapping[str, float]) -> np.ndarray[Any, np.dtype[np.bool_]]:
        after = {**before, **changes}
        first, second = (np.array(rates([item[name] for name in names])) for item in (before, after))
        differ: np.ndarray[Any, np.dtype[np.bool_]] = np.logical_not(np.isclose(first, second, rtol=1e-12, atol=0.0))
        return differ

    submodels: dict[str, list[str]] = {name: [] for name in model.inputs if name.startswith(PREFIX)}
    for scenario in SCENARIOS:
        table = cell_parameters.cell_parameter_table(scenario)
        now = values | {name: table[name].value for name in model.parameters if name in table} | _ordered(table)
        passed_on = [moved(now, {state.name: now[state.name] * 1.01}) for state in cells]
        for name, scenarios in submodels.items():
            reached = moved(now, {name: 1.0 - now[name]})
            for _ in cells:
                reached = np.logical_or.reduce(
                    [reached, *(passed_on[k] for k in np.flatnonzero(reached[: len(cells)]))]
                )
            if reached[len(cells) :].any():
                scenarios.append(scenario)
    return {name: tuple(scenarios) for name, scenarios in submodels.items()}


def _ordered(table: ParameterTable) -> dict[str, float]:
    """Return what an order of preconditioned cells sets in a scenario."""
    return dict.fromkeys(("commitment_K", "commitment_P"), table["commitment_preconditioned"].value)


def _busy(model: Model, host: set[str]) -> dict[str, float]:
    """Return values of everything such that every term of the equations counts: cells everywhere, organs off their normal state."""
    values = {"t": 0.0, **model.values(), **model.initial_values()}
    rows = {**model.parameters, **model.inputs}
    therapy = cell_parameters.cell_parameter_table()
    for name, row in rows.items():
        middle = 0.5 * (row.low + row.high)
        if name.startswith(PREFIX) or (name in model.parameters and name in therapy):
            continue
        if row.value == 0.0 or (name in model.inputs and (row.low, row.high, row.value) == (0.0, 1.0, 1.0)):
            values[name] = middle if math.isfinite(middle) and middle else 1e-3
    for name in model.state_names:
        values[name] = 0.9 * values[name] if name in host and values[name] else values[name] or 0.3
    return values
