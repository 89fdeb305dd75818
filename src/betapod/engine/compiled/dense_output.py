"""Dense output in the compiled loop: states at any fraction of the step that was just made."""

from __future__ import annotations

from .code import Value
from .lanes import Lanes
from .rosenbrock import write_dense, write_dense_coefficients


def write_dense_polynomials(lanes: Lanes, of: str) -> None:
    """Write the coefficients of dense output of the states that something needs (see `WorkerModule.states`)."""
    write_dense_coefficients(lanes.code, lanes.states[of], lanes.place("k"), lanes.place("dense"))


def write_dense_states(lanes: Lanes, theta: Value, of: str, into: str) -> None:
    """Write the states that something needs at the fraction `theta` of the step."""
    write_dense(lanes.code, lanes.states[of], lanes.arrays(), lanes.place("dense"), theta, lanes.place(into))
