"""Models in which nothing is a state, only equations of time and parameters: the ensemble engine gives them one that stands still."""

from __future__ import annotations

import functools
from dataclasses import replace

from ..model.algebra.expression import ONE, ZERO
from ..model.assembly.model import Model, State

#: The name of that state, which no model can have.
STILL = "what stands still"


@functools.lru_cache(maxsize=32)
def with_a_state(model: Model) -> Model:
    """Return the model, with a state that stands still if it has none."""
    if model.states:
        return model
    return replace(model, states=(State(STILL, "1", STILL, ZERO, ONE, ZERO, ONE),))
