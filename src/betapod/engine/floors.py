"""Lower bounds of states (amounts, volumes and concentrations are not negative), and the patients whose results fall below them."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from ..model.assembly.model import Model
from ..model.assembly.possible_states import positive_states
from .tolerance import initial_values

Vector = NDArray[np.float64]

#: A share of what a state starts from may be missing at 0: an error of the integration, no debt.
_SLACK = 1e-6


@functools.lru_cache(maxsize=64)
def floors(model: Model) -> Vector:
    """Return below which number each state cannot be; minus infinity where it may be anything."""
    start = initial_values(model)
    lowest = np.full(len(model.states), -np.inf)
    for k in positive_states(model, start):
        lowest[k] = -_SLACK * start[k]
    return lowest


def first_below(model: Model, names: tuple[str, ...], values: NDArray[np.float64]) -> dict[int, tuple[int, str]]:
    """Return the patients of whom a reported state cannot be: the first such visit, and the state's name.

    Parameters
    ----------
    names
        What is reported.
    values
        (patients, visits, names).
    """
    lowest = dict(zip(model.state_names, floors(model), strict=True))
    first: dict[int, tuple[int, str]] = {}
    for column, name in enumerate(names):
        floor = lowest.get(name, -np.inf)
        if floor == -np.inf or not values.size:
            continue
        below = values[:, :, column] < floor
        for patient in np.flatnonzero(below.any(axis=1)):
            visit = int(np.argmax(below[patient]))
            if visit < first.get(int(patient), (values.shape[1], ""))[0]:
                first[int(patient)] = visit, name
    return first
