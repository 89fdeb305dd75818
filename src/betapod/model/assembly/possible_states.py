"""Physically possible values of a model's states: which cannot be negative, and which starts are impossible."""

from __future__ import annotations

from collections.abc import Iterable

from ...base.errors import NOWHERE, Location, Problem
from ..parameters.possible_values import stays_positive
from .model import Model


def impossible_start(model: Model, name: str, value: float, location: Location = NOWHERE) -> Problem | None:
    """Return the problem of an initial value that a state cannot have, or None."""
    unit = model.units[name]
    if value >= 0.0 or not stays_positive(unit):
        return None
    message = f"{name}{f' ({model.labels[name]})' if model.labels[name] else ''} cannot be negative"
    return Problem("impossible-value", message, location, found=f"{value:g} {unit}")


def positive_states(model: Model, start: Iterable[float]) -> list[int]:
    """Return the numbers of the states that cannot be negative: amounts, volumes and concentrations that start above 0.

    A state of a foreign model is whatever its author meant by it, so none of those counts.
    """
    both = enumerate(zip(model.states, start, strict=True))
    return [k for k, (state, first) in both if first > 0 and state.owner and stays_positive(state.unit)]
