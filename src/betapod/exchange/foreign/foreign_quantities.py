"""Quantities that a reader of foreign models has collected, as rows and definitions of a model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

from ...base.errors import Location, Problem, did_you_mean
from ...model.algebra.expression import Expr, free_symbols, topological
from ...model.assembly.linking import Definition
from ...model.assembly.model import Model
from ...model.parameters.table import Parameter, ParameterTable
from .rates import Motion


class ForeignQuantities(Protocol):
    """What a reader has collected of one file.

    Attributes
    ----------
    labels, units
        By the model's name.
    parameters
        Numbers of the file by name; NaN where it names a quantity without a value.
    pending
        Constants that are computed once.
    inputs
        Parameters that schedules may change.
    """

    file: str
    labels: dict[str, str]
    units: dict[str, str]
    parameters: dict[str, float]
    pending: dict[str, Expr]
    motion: Motion
    inputs: frozenset[str]


def parameters_and_inputs(quantities: ForeignQuantities, form: str) -> tuple[ParameterTable, ParameterTable]:
    """Return the numbers of a file as rows, those that are not inputs, and those that are.

    Parameters
    ----------
    form
        What the file is, as its format is called.
    """
    rows = [
        Parameter(
            name,
            quantities.labels.get(name, ""),
            value,
            quantities.units.get(name, "1"),
            role="input" if name in quantities.inputs else "imported",
            grade="",
            note=f"value given in the {form} file" if not math.isnan(value) else f"no value in the {form} file",
            location=Location(quantities.file),
        )
        for name, value in quantities.parameters.items()
    ]
    return (
        ParameterTable(row for row in rows if row.id not in quantities.inputs),
        ParameterTable(row for row in rows if row.id in quantities.inputs),
    )


def definitions_of(
    quantities: ForeignQuantities, owners: Mapping[str, str] | None = None
) -> tuple[list[Definition], list[Definition]]:
    """Return the definitions of what equations give, and of rates.

    Parameters
    ----------
    owners
        Part of the file that a quantity belongs to, by name.
    """
    parts = owners or {}

    def definitions(expressions: Mapping[str, Expr]) -> list[Definition]:
        units, labels, location = quantities.units, quantities.labels, Location(quantities.file)
        return [
            Definition(name, expr, units.get(name, "1"), labels.get(name, ""), parts.get(name, ""), location)
            for name, expr in expressions.items()
        ]

    return definitions(quantities.motion.assign), definitions(quantities.motion.rates)


def unfit_inputs(quantities: ForeignQuantities) -> list[Problem]:
    """Return a problem for each input that is not a number of the file which nothing in it changes."""
    problems = []
    for name in sorted(quantities.inputs - set(quantities.parameters)):
        settled = {*quantities.motion.assign, *quantities.motion.rates, *quantities.pending}
        reason = "the file itself gives or changes it" if name in settled else "there is no such parameter"
        hint = did_you_mean(name, quantities.parameters)
        message = f"{name!r} cannot be an input: {reason}"
        problems.append(Problem("unknown-input", message, Location(quantities.file), hint=hint))
    return problems


def unknown_rates(quantities: ForeignQuantities, model: Model) -> list[Problem]:
    """Return a problem for each state whose rate needs a number that the file does not give."""
    unset = {name for name, value in quantities.parameters.items() if math.isnan(value)}
    problems, location = [], Location(quantities.file)
    for state in model.states:
        missing = [name for name in free_symbols([state.rate]) if name in unset]
        problems += [
            Problem("no-value", f"{name!r} has no value, but {state.name!r} needs it", location) for name in missing
        ]
        nodes = topological([state.rate])
        if any(node.op == "const" and math.isnan(node.value) for node in nodes) and not any(
            node.op == "select" for node in nodes
        ):
            problems.append(Problem("no-value", f"the rate of {state.name!r} is not a number", location))
    return problems
