"""Where in the model a patient fails: the first quantity without a value, or the state that runs away."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..model.algebra.evaluate import compile_function
from ..model.assembly.model import Model

Numbers = NDArray[np.float64]


def failed_quantities(model: Model, columns: Mapping[str, Numbers], states: Numbers, times: Numbers) -> list[str]:
    """Return for each of some patients the quantity at which the equations fail.

    Equations are looked at in the order in which they are computed, so that everything the named quantity is computed from still has a
    value. Where all have one, it is the state that moves fastest relative to its size. Inputs that a schedule has changed count with
    their values at the start.

    Parameters
    ----------
    columns
        Parameters and inputs that differ from the model's: name -> (patients,).
    states
        (patients, states) last good values.
    times
        (patients,) in the model's unit.
    """
    if not len(states):
        return []
    quantities = {name: assignment.expr for name, assignment in model.assignments.items()}
    values = {"t": times, **{name: np.float64(value) for name, value in model.values().items()}, **columns}
    values |= {name: states[:, k] for k, name in enumerate(model.state_names)}
    count = len(states)
    expressions = [*quantities.values(), *(state.rate for state in model.states)]
    compute = compile_function(expressions, [list(values)], array=True)
    with np.errstate(all="ignore"):
        columns_of_values = [
            np.broadcast_to(np.asarray(value, dtype=float), (count,)) for value in compute(list(values.values()))
        ]
    table = np.array(columns_of_values)
    names = [*quantities, *model.state_names]
    undefined = ~np.isfinite(table)
    rates = np.abs(table[len(quantities) :].T) / (np.abs(states) + 1e-9)
    fastest = np.argmax(np.where(np.isfinite(rates), rates, -1.0), axis=1)
    first = np.argmax(undefined, axis=0)
    return [names[first[k]] if undefined[:, k].any() else str(model.state_names[fastest[k]]) for k in range(count)]
