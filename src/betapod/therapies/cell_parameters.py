"""Parameter values of cell therapy under each scenario."""

from __future__ import annotations

import functools
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConfigError, not_among
from ..model import Model, ParameterTable
from ..physiology import whole_body
from .scenarios import CURRENT_EVIDENCE, DEFAULT, SCENARIOS

#: Files that together hold every row of cell therapy, with the values of current evidence.
TABLES = (
    "cells",
    "cell_routes",
    "cell_products",
    "cells_inputs",
    "cells_alone",
    SCENARIOS[CURRENT_EVIDENCE].overlay,
)


@functools.cache
def overlay(name: str) -> ParameterTable:
    """Return the rows in which a scenario of `scenarios.SCENARIOS` differs.

    Raises
    ------
    ConfigError
        There is no such scenario; the nearest is named.
    """
    if name not in SCENARIOS:
        raise ConfigError(
            not_among(
                SCENARIOS,
                "unknown-scenario",
                f"there is no scenario {name!r} of cell therapy",
                name,
            )
        )
    return ParameterTable.read(_path(SCENARIOS[name].overlay), sources=whole_body.bibliography_keys())


@functools.cache
def cell_parameter_table(name: str = DEFAULT) -> ParameterTable:
    """Return every row of cell therapy, products included, in a named scenario."""
    base = ParameterTable.read(*(_path(file) for file in TABLES), sources=whole_body.bibliography_keys())
    return _supposed(base.overlay(overlay(name)))


def _supposed(rows: ParameterTable) -> ParameterTable:
    """Return rows whose ranges hold their values: what is supposed by name, such as no effect at all, is no slip to warn of."""
    return ParameterTable(
        row if row.plausible else replace(row, low=min(row.low, row.value), high=max(row.high, row.value))
        for row in rows.values()
    )


def parameterise(model: Model, name: str) -> Model:
    """Return a model that contains cell therapy with the values of a named scenario.

    Every row that any scenario changes is set, so that the order of calls does not matter; the person's own rows stay.
    """
    return _parameterised(_Same(model), name)


@dataclass(frozen=True, eq=False)
class _Same:
    """A model that is equal to itself alone: care that goes on asks for the same one every year."""

    model: Model

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.model is self.model

    def __hash__(self) -> int:
        return id(self.model)


@functools.lru_cache(maxsize=16)
def _parameterised(same: _Same, name: str) -> Model:
    rows = cell_parameter_table(name).select(scenario_values(same.model, name))
    return replace(same.model, parameters=same.model.parameters.overlay(rows))


def scenario_values(model: Model, name: str) -> dict[str, float]:
    """Return the values of a scenario of every parameter of a model that any scenario changes, in the rows' units."""
    rows = cell_parameter_table(name)
    varied = dict.fromkeys(key for scenario in SCENARIOS for key in overlay(scenario))
    return {key: rows[key].value for key in varied if key in model.parameters}


def scenario_columns(model: Model, names: Sequence[str], apart: Container[str] = ()) -> dict[str, NDArray[np.float64]]:
    """Return the rows of cell therapy in which scenarios differ from the model, one column each.

    Parameters
    ----------
    names
        (n,) scenario of each person.
    apart
        Rows in which people have values of their own; they are left out.
    """
    models = {name: parameterise(model, name) for name in dict.fromkeys(names)}
    which = np.array([list(models).index(name) for name in names])
    columns = {}
    for row in model.parameters:
        values = np.array([variant.parameters[row].value for variant in models.values()])
        if row not in apart and np.any(values != model.parameters[row].value):
            columns[row] = values[which]
    return columns


def _path(file: str) -> Path:
    return whole_body.PARAMETERS / f"{file}.csv"
