"""Reactions that take no time: they come to rest at once wherever something jumps, and follow what disturbs them in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ...base.errors import Problem, SolverError

Array = NDArray[np.float64]
#: Gives, at moving states, the rates of the fast reactions, what they change, and the slopes of the rates.
Parts = Callable[[Array], tuple[Array, Array, Array]]

#: So much faster than everything else the fast reactions follow; what they lag behind is smaller by this.
_FASTER = 1e9
#: A reaction rests where the time in which it would change a state is so much longer than its steepest, relative to the largest state.
_AT_REST = 1e-13
#: A rest is looked for in stretches of so many times its own time, ten times longer each time.
_STRETCH, _STRETCHES = 30.0, 12
#: Slopes below this part of the steepest are none: those reactions do not determine each other.
_FLAT = 1e-13


def speed_of(rates: Array, states: Array, smallest: Array, longest: float) -> float:
    """Return how fast fast reactions follow: much faster than the states change by everything else."""
    sizes = np.abs(states) + smallest
    return _FASTER * max(1.0 / longest, float(np.max(np.abs(rates) / sizes, initial=0.0)))


def following(parts: tuple[Array, Array, Array], speed: float) -> Array:
    """Return the rates at which the fast reactions change the states."""
    rates, changes, slopes = parts
    return np.asarray(-speed * changes @ _inverse(slopes @ changes) @ rates)


def following_slopes(parts: tuple[Array, Array, Array], speed: float) -> Array:
    """Return the derivatives of what `following` returns, near the rest, by the states that the fast reactions change.

    By the others they need not be known: these go on by themselves. Where a rate constant passes 0 they would be wrong without bound,
    since the inverse changes with it as well.
    """
    _, changes, slopes = parts
    changed = np.any(changes != 0.0, axis=1)
    return np.asarray(-speed * changes @ _inverse(slopes @ changes) @ (slopes * changed))


def _inverse(matrix: Array) -> Array:
    matrix = np.where(np.isfinite(matrix), matrix, 0.0)
    if len(matrix) == 1:
        return np.array([[0.0 if matrix[0, 0] == 0.0 else 1.0 / matrix[0, 0]]])
    return np.asarray(np.linalg.pinv(matrix, rcond=_FLAT))


def rested_states(parts: Parts, states: Array, names: Sequence[str], time: float) -> Array:
    """Return the states once the fast reactions have come to rest, by themselves alone.

    Raises
    ------
    SolverError
        They do not come to rest.
    """
    from scipy.integrate import solve_ivp

    def pull(y: Array) -> tuple[Array, float]:
        rates, changes, slopes = parts(y)
        steepest = float(np.max(np.abs(slopes @ changes), initial=0.0))
        return changes @ rates, steepest

    y, length = states, _STRETCH
    for _ in range(_STRETCHES):
        drift, steepest = pull(y)
        if not np.any(drift):
            return y
        if not steepest > 0.0 or not np.all(np.isfinite(drift)):
            break
        if np.max(np.abs(drift)) <= _AT_REST * steepest * np.max(np.abs(y)):
            return y
        course = solve_ivp(
            lambda _, z, steepest=steepest: pull(z)[0] / steepest,
            (0.0, length),
            y,
            method="LSODA",
            rtol=1e-10,
            atol=1e-14 * np.max(np.abs(y)),
        )
        if not course.success:
            break
        y, length = course.y[:, -1], 10.0 * length
    moved = [name for name, change in zip(names, pull(y)[0], strict=True) if change]
    raise SolverError(
        Problem(
            "no-rest",
            f"the fast reactions do not come to rest at time {time:g}",
            found=f"still changing: {', '.join(moved)}",
            hint="Make them ordinary reactions, with large rate constants.",
        )
    )
