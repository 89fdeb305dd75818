"""The absolute tolerance of each state, where the user names none: fine enough for the size that the state has.

One number does not suit states in mmol and hormones in mol/L. A state that stays near 1e-10 would be lost in an absolute error of 1e-9, and
could turn negative. Sizes come from initial values, doses, what events set states to, and a rough pass with big steps. The tolerance is
never so fine that it follows rounding: what the other states leave in a state when a linear system is solved.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.errors import ConfigError, Location, Problem
from ..model.algebra.evaluate import compile_function, split_constants
from ..model.algebra.expression import Expr, add, mul
from ..model.assembly.delays import undelayed
from ..model.assembly.model import Model
from .schedule import Schedule

Vector = NDArray[np.float64]

#: Absolute tolerance of states of ordinary size, in their unit, and of tiny ones, relative to their size.
ATOL = 1e-9
#: States that stay below this are small: beside them, `ATOL` would be a coarse error. From here the tolerance falls with the square of the
#: size, until it is as fine, relative to the state, as it is for a state of 1.
SMALL = 1e-5
#: What a state that starts at 0 seems to reach may be rounding: it counts from this share of the largest state on.
_ROUNDING = 1e-17
#: A state below this share of the largest of its unit is followed as if it had this share: its rounding comes from states of that size.
_BESIDE = 1e-12
#: A state below this share of the largest of any unit is followed as if it were 0.
_NOTHING = 1e-30
#: The finest tolerance: errors in units of it must have squares that a double holds.
_FINEST = 1e-100
#: What a user gives as absolute tolerance for `by_size`.
BY_SIZE = "by size"
#: Share of the relative tolerance, at the largest value of a state, below which its error does not count.
SHARE = 1e-3
_ROUGH_STEPS = 40
#: The least relative tolerance: about a hundred times the precision of a double.
_RESOLVED = 3e-14


def check_tolerances(rtol: float, atol: ArrayLike | str | None, states: Sequence[str]) -> None:
    """Check tolerances that a user gives.

    Raises
    ------
    ConfigError
        They are not finite and above 0, or the relative one is not below 1.
    """
    problems = []
    if not _number(rtol) or not _RESOLVED <= rtol < 1.0:
        problems.append(
            Problem(
                "bad-tolerance",
                "rtol is out of range",
                Location("rtol"),
                found=str(rtol),
                expected="from 3e-14 (what numbers resolve) to below 1, such as 1e-6",
            )
        )
    if atol is not None:
        try:
            values = np.asarray(atol)
        except (TypeError, ValueError):
            values = np.array("")
        if values.dtype.kind not in "fiu" or values.shape not in ((), (len(states),)):
            message = "the absolute tolerance is one number, or one per state"
            hint = f"An ensemble takes {BY_SIZE!r} too."
            problems.append(Problem("bad-tolerance", message, Location("atol"), found=str(atol), hint=hint))
        elif not np.all(np.isfinite(values) & (values > 0.0)):
            expected = "finite and above 0, such as 1e-9"
            problems.append(
                Problem("bad-tolerance", "atol is out of range", Location("atol"), found=str(atol), expected=expected)
            )
    if problems:
        raise ConfigError(problems)


def _number(value: Any) -> bool:
    return isinstance(value, (float, int, np.floating, np.integer)) and not isinstance(value, bool)


def absolute(model: Model, schedule: Schedule, end: float, initial: Mapping[str, float] | None = None) -> Vector:
    """Return the absolute tolerance of each state.

    Parameters
    ----------
    end
        Until when the model is integrated.
    initial
        States that do not start from their initial value.

    Returns
    -------
    array (states,)
        `ATOL`, or less for a state that stays below `SMALL`. A state that is never anything but 0, or next to nothing beside the
        others, takes the size of the smallest that starts from more.
    """
    sizes, beside = _followed_sizes(model, schedule, end, initial)
    return np.minimum(ATOL, np.maximum(ATOL * np.maximum(sizes, beside), ATOL * (sizes / SMALL) ** 2))


def by_size(model: Model, schedule: Schedule, end: float, rtol: float) -> Vector:
    """Return the absolute tolerance (states,) that is the same share of every state: `SHARE` of its relative tolerance at its largest."""
    sizes, beside = _followed_sizes(model, schedule, end, None)
    return np.maximum(SHARE * rtol * np.maximum(sizes, beside), _FINEST)


def _followed_sizes(
    model: Model, schedule: Schedule, end: float, initial: Mapping[str, float] | None
) -> tuple[Vector, Vector]:
    """Return the size that each state is followed by, and the least size that the rounding of others of its unit allows."""
    sizes, starts = rough_sizes(model, end, tuple(sorted((initial or {}).items())))
    sizes = sizes.copy()
    for dose in schedule.doses:
        k = model.state_names.index(dose.state)
        sizes[k] = max(sizes[k], abs(dose.amount))
    beside = _BESIDE * _largest_of_unit(model, sizes)
    nothing = _NOTHING * np.max(sizes, initial=0.0)
    sizes[sizes <= nothing] = np.min(starts[starts > nothing], initial=1.0)
    # A power of two is the same on every machine; the last bits of the rough pass are not.
    sizes, beside = (np.exp2(np.round(np.log2(np.maximum(x, _FINEST / ATOL)))) for x in (sizes, beside))
    return sizes, beside


def _largest_of_unit(model: Model, sizes: Vector) -> Vector:
    """Return for each state the size of the largest state in the same unit."""
    largest: dict[str, float] = {}
    units = [state.unit for state in model.states]
    for unit, size in zip(units, sizes.tolist(), strict=True):
        largest[unit] = max(largest.get(unit, 0.0), size)
    return np.array([largest[unit] for unit in units])


@functools.lru_cache(maxsize=64)
def rough_sizes(model: Model, end: float, initial: tuple[tuple[str, float], ...] = ()) -> tuple[Vector, Vector]:
    """Return the largest value that each state takes on a rough pass without doses, in size, and the size that it starts from.

    The pass makes implicit steps that grow from a millionth of the time to a fifth of it. It need not be right, only of the right order.
    """
    start, rates = _compiled(model)
    y = np.array(start, dtype=float)
    for name, value in initial:
        y[model.state_names.index(name)] = value
    y = np.nan_to_num(y, nan=0.0, posinf=0.0, neginf=0.0)
    sizes, starts = _pass(rates, end, y), np.abs(y)
    if any(event.assignments for event in model.events):
        # The first pass knows what states start from; the second what a state may be made that nothing else moves.
        y = _after_events(model, y)
        sizes = np.maximum(sizes, _pass(rates, end, y))
        starts = starts if np.any(starts) else np.abs(y)
    return sizes, starts


def _after_events(model: Model, y: Vector) -> Vector:
    """Return the states as if every event happened at the start."""
    values = model.values()
    set_to = [pair for event in model.events for pair in event.assignments]
    set_values = undelayed([value for _, value in set_to], model.delays)
    compute = compile_function(set_values, [["t"], model.state_names, list(values)])
    with np.errstate(all="ignore"):
        assigned = compute([0.0], y.tolist(), list(values.values()))
    after = y.copy()
    for (name, _), value in zip(set_to, assigned, strict=True):
        k = model.state_names.index(name)
        if math.isfinite(value) and abs(value) > abs(after[k]):
            after[k] = value
    return after


def _pass(rates: Any, end: float, y: Vector) -> Vector:
    """Return the largest value that each state takes from a start, in size."""
    sizes = np.abs(y)
    if not len(y) or not end > 0.0:
        return sizes
    still = sizes == 0.0
    times = end * np.concatenate([[0.0], np.geomspace(1e-6, 1.0, _ROUGH_STEPS)])
    with np.errstate(all="ignore"):
        for begin, end_of_step in itertools.pairwise(times):
            y = _implicit(rates, float(end_of_step), float(end_of_step - begin), y, sizes)
            if not np.all(np.isfinite(y)):
                break
            sizes = np.maximum(sizes, np.abs(y))
    sizes[still & (sizes < _ROUNDING * np.max(sizes))] = 0.0
    return sizes


def _implicit(rates: Any, time: float, step: float, y: Vector, sizes: Vector) -> Vector:
    """Return the states after an implicit step, with slopes from small differences."""
    n = len(y)
    least = np.min(sizes[sizes > 0.0]) if np.any(sizes) else 1e-12
    nudge = 1e-6 * np.where(y != 0.0, np.abs(y), least)
    points = np.column_stack([y, y[:, None] + np.diag(nudge)])
    values = rates(time, points)
    slopes = (values[:, 1:] - values[:, :1]) / nudge
    slopes = np.where(np.isfinite(slopes), slopes, 0.0)
    matrix = np.eye(n) - step * slopes
    try:
        return np.asarray(y + np.linalg.solve(matrix, step * values[:, 0]))
    except np.linalg.LinAlgError:
        return np.full(n, np.nan)


def initial_values(model: Model) -> list[float]:
    """Return from what each state starts."""
    values = model.values()
    inputs = {name: values[name] for name in model.inputs}
    constants = [name for name in values if name not in inputs]
    start = compile_function([s.initial for s in model.states], [["t"], list(inputs), constants])
    return [float(value) for value in start([0.0], list(inputs.values()), [values[name] for name in constants])]


def _rough_rates(model: Model) -> list[Expr]:
    """Return the rates of the states, with everything as it is now and fast reactions as if they took time."""
    rates = {state.name: state.rate for state in model.states}
    for reaction in model.fast:
        for name, change in reaction.changes:
            rates[name] = add(rates[name], mul(change, reaction.rate))
    return undelayed(list(rates.values()), model.delays)


def _compiled(model: Model) -> tuple[list[float], Any]:
    """Return initial values, and a function of time and states (states, points) that gives the rates."""
    values = model.values()
    inputs = {name: values[name] for name in model.inputs}
    constants = [name for name in values if name not in inputs]
    parameters = [values[name] for name in constants]
    setup, names, roots = split_constants(_rough_rates(model), constants)
    shared = compile_function(setup, [constants])(parameters) if setup else []
    compute = compile_function(roots, [["t"], model.state_names, list(inputs), names], array=True)

    def rates(time: float, points: Vector) -> Vector:
        rows = compute([np.full(points.shape[1], time)], points, list(inputs.values()), shared)
        return np.array([np.broadcast_to(row, points.shape[1:]) for row in rows], dtype=float)

    return initial_values(model), rates
