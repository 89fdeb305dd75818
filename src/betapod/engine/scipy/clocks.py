"""Find the first moment at which a condition changes, for the reference integrator: no jump can be stepped over.

A stretch of time is passed only where bounds of every condition show that none changes in it; elsewhere it is halved, down to where
looking at its end is enough.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...model.algebra.derivative import gradient
from ...model.algebra.evaluate import compile_function
from ...model.algebra.expression import TIME, ZERO, Expr, add, free_symbols, mul, sub, symbol, topological
from ...model.algebra.operations import NOT_SMOOTH
from ..enclosures import enclosures

#: Turns of a search after which it gives up to be exact.
_TURNS, _PATIENT_TURNS = 20_000, 150
#: What is not told apart: this part of the time, and this part of the time to come; and these parts of a step.
_FINEST, _TINY = 1e-15, 1e-18
_NARROWEST, _NARROW = 2.0**-32, 2.0**-5
#: Within this part of the time, rounding decides where a comparison turns; so often the place is widened by four.
_NEAR, _WIDENINGS = 1e-15, 12
#: Points that fix the dense output of a step, a polynomial of the degree 12 at most.
_POINTS = 14
_ANGLES = np.pi * (np.arange(_POINTS) + 0.5) / _POINTS
_NODES = np.cos(_ANGLES)
#: From the values at the nodes to the coefficients of the Chebyshev series, which bounds a polynomial by their absolute values.
_SERIES = (
    np.cos(np.outer(np.arange(_POINTS), _ANGLES)) * (np.where(np.arange(_POINTS) == 0, 1.0, 2.0) / _POINTS)[:, None]
)

Vector = NDArray[np.float64]


class Bounded:
    """Conditions with bounds, while names move between bounds of their own.

    Parameters
    ----------
    moving
        Names that move besides time.
    still
        Names that stand still, whose values are given each time.
    constants
        Name and value of everything else.
    """

    def __init__(
        self, conditions: Sequence[Expr], moving: Sequence[str], still: Sequence[str], constants: Mapping[str, float]
    ) -> None:
        self.conditions = list(conditions)
        names = [*still, *constants]
        self._constants = list(constants.values())
        ends = {TIME: (symbol("?low"), symbol("?high"))}
        ends |= {symbol(name): (symbol(f"?low {name}"), symbol(f"?high {name}")) for name in moving}
        bounds = enclosures(self.conditions, ends)
        lows, highs = ([pair[side].value for pair in ends.values()] for side in (0, 1))
        self._bounds = compile_function([end for pair in bounds for end in pair], [lows, highs, names], array=True)
        self._look = compile_function(self.conditions, [["t", *moving], names], array=True)

    def look(self, at: Sequence[float], still: Sequence[float]) -> list[float]:
        """Return the value of every condition at a time and values of what moves."""
        with np.errstate(all="ignore"):
            return [float(x) for x in self._look([np.float64(v) for v in at], [*still, *self._constants])]

    def quiet(
        self, lows: Sequence[float], highs: Sequence[float], still: Sequence[float], held: Sequence[float]
    ) -> bool:
        """Return whether every condition surely keeps a value between bounds of time and of what moves."""
        with np.errstate(all="ignore"):
            ends: list[Any] = self._bounds(
                [np.float64(v) for v in lows], [np.float64(v) for v in highs], [*still, *self._constants]
            )
        return all(ends[2 * k] == value and ends[2 * k + 1] == value for k, value in enumerate(held))


def bracket(
    start: float,
    end: float,
    quiet: Callable[[float, float], bool],
    same: Callable[[float], bool],
    finest: Callable[[float, int], float],
) -> tuple[float, float] | None:
    """Return two times between which something changes first, or None.

    Parameters
    ----------
    quiet
        Whether surely nothing changes between two times.
    same
        Whether all is the same at a time.
    finest
        From a time and the number of turns: what is not told apart there. Where bounds decide nothing, as of what is not a number,
        this grows so that the search comes to an end.
    """
    low, width = start, end - start
    for turn in range(_TURNS):
        if low >= end:
            return None
        high = min(low + width, end)
        if quiet(low, high):
            low, width = high, 2.0 * width
        elif high - low > finest(high, turn):
            width *= 0.5
        elif same(high):
            low, width = high, max(4.0 * width, finest(high, turn))
        else:
            return low, high
    return None if same(end) else (low, end)


def narrowed(low: float, high: float, same: Callable[[float], bool]) -> float:
    """Return the first time, to the last bit, at which all is not the same, between one where it is and one where it is not."""
    for _ in range(200):
        middle = 0.5 * (low + high)
        if not low < middle < high or high - low < 1e-300:
            break
        if same(middle):
            low = middle
        else:
            high = middle
    return high


class StraightClock:
    """Comparisons whose two sides part at a constant speed, such as ``time - reset >= 0.01``: each changes once, where a root says.

    Parameters
    ----------
    conditions
        Comparisons that `is_straight` holds for.
    still
        Names that stand still, whose values are given each time.
    constants
        Name and value of everything else.
    """

    def __init__(self, conditions: Sequence[Expr], still: Sequence[str], constants: Mapping[str, float]) -> None:
        self._constants = list(constants.values())
        gaps = [sub(*condition.args) for condition in conditions]
        speeds = [gradient(gap, [TIME]).get(TIME, ZERO) for gap in gaps]
        names = [["t"], [*still, *constants]]
        self._gaps = compile_function([*gaps, *speeds], names)
        self._looks = [compile_function([condition], names) for condition in conditions]

    def next_change(self, time: float, end: float, still: Sequence[float]) -> float:
        """Return the first time after `time`, to the last bit, at which a condition has another value, or `end`."""
        values = [*still, *self._constants]
        numbers = self._gaps([time], values)
        count = len(self._looks)
        for gap, speed, look in zip(numbers[:count], numbers[count:], self._looks, strict=True):
            root = _root(time, end, gap, speed)
            if root is None:
                continue
            end = min(end, _turn(time, root, end, lambda moment, look=look: look([moment], values)[0]))  # type: ignore[misc]
        return end


def _turn(time: float, root: float, end: float, look: Callable[[float], Any]) -> float:
    """Return when a comparison changes that turns near a root, to the last bit."""
    held = look(time)

    def same(moment: float) -> bool:
        return bool(look(moment) == held)

    width = _NEAR * max(abs(root), abs(time), 1e-300)
    for _ in range(_WIDENINGS):
        low, high = max(time, root - width), min(root + width, end)
        if not same(high):
            return narrowed(low if same(low) else time, high, same)
        if high >= end:
            break
        width *= 4.0
    return end if same(end) else narrowed(time, end, same)


def is_straight(condition: Expr, moving: Sequence[str]) -> bool:
    """Return whether a condition is a comparison of two sides that part at a constant speed while names stand still."""
    if condition.op not in ("lt", "le", "gt", "ge"):
        return False
    gap = sub(*condition.args)
    if any(node.op in NOT_SMOOTH for node in topological([gap])) or set(moving).intersection(free_symbols([gap])):
        return False
    return TIME not in topological([gradient(gap, [TIME]).get(TIME, ZERO)])


class StraightWatch:
    """Comparisons of states that move along straight lines: their sides part at a constant speed as well.

    Parameters
    ----------
    conditions
        Comparisons.
    gaps
        Left side minus right side of each, in which comparisons inside are names (`betapod.engine.switches.freeze`).
    held
        These names, each with its condition.
    moving, still
        Names of the states that move, and names that stand still, whose values are given each time.
    constants
        Name and value of everything else.
    """

    def __init__(
        self,
        conditions: Sequence[Expr],
        gaps: Sequence[Expr],
        held: Mapping[str, Expr],
        moving: Sequence[str],
        still: Sequence[str],
        constants: Mapping[str, float],
    ) -> None:
        self._constants = list(constants.values())
        states, rates = [symbol(name) for name in moving], [symbol(f"?rate {name}") for name in moving]
        speeds = []
        for gap in gaps:
            slopes = gradient(gap, [TIME, *states])
            parts = (mul(slopes.get(state, ZERO), rate) for state, rate in zip(states, rates, strict=True))
            speeds.append(functools.reduce(add, parts, slopes.get(TIME, ZERO)))
        names: list[Sequence[str]] = [["t"], moving, [*still, *constants]]
        self._held = compile_function(list(held.values()), names) if held else None
        self._gaps = compile_function([*gaps, *speeds], [*names, [rate.value for rate in rates], list(held)])
        self._looks = [compile_function([condition], names) for condition in conditions]

    def next_change(
        self, ends: tuple[float, float], states: list[float], rates: list[float], still: Sequence[float]
    ) -> float:
        """Return the first time between two, to the last bit, at which a comparison changes, or the second.

        Parameters
        ----------
        states, rates
            The moving states at the first time, and their rates.
        """
        time, end = ends
        if not self._looks:
            return end
        values = [*still, *self._constants]
        held = self._held([time], states, values) if self._held is not None else []
        numbers = self._gaps([time], states, values, rates, held)
        count = len(self._looks)
        for gap, speed, look in zip(numbers[:count], numbers[count:], self._looks, strict=True):
            root = _root(time, end, gap, speed)
            if root is None:
                continue

            def looked(moment: float, look: Any = look) -> Any:
                since = moment - time
                there = [state + rate * since for state, rate in zip(states, rates, strict=True)]
                return look([moment], there, values)[0]

            end = min(end, _turn(time, root, end, looked))
        return end


def _root(time: float, end: float, gap: float, speed: float) -> float | None:
    """Return when a gap closes that changes at a constant speed, if that is between two times; or None."""
    root = time - gap / speed if speed else math.nan
    if time <= root <= end:
        return root
    return time if abs(root - time) <= _NEAR * abs(time) else None


class Clock:
    """Conditions that depend on time, and on inputs that change linearly with it; `still` are states that only events change."""

    def __init__(
        self, conditions: Sequence[Expr], inputs: Sequence[str], still: Sequence[str], constants: Mapping[str, float]
    ) -> None:
        self._bounded = Bounded(conditions, inputs, still, constants)
        self.conditions = self._bounded.conditions
        straight = all(is_straight(condition, inputs) for condition in conditions)
        self._straight = StraightClock(conditions, still, constants) if straight else None

    def next_change(
        self, time: float, end: float, inputs: Callable[[float], Sequence[float]], still: Sequence[float] = ()
    ) -> float:
        """Return the first time after `time`, to the last bit, at which a condition has another value, or `end`."""
        if self._straight is not None:
            return self._straight.next_change(time, end, still)
        held = self._bounded.look([time, *inputs(time)], still)

        def same(moment: float) -> bool:
            return bool(np.array_equal(self._bounded.look([moment, *inputs(moment)], still), held, equal_nan=True))

        def quiet(low: float, high: float) -> bool:
            pairs = list(zip(inputs(low), inputs(high), strict=True))
            return self._bounded.quiet([low, *map(min, pairs)], [high, *map(max, pairs)], still, held)

        def finest(high: float, turn: int) -> float:
            fine = _FINEST * high + _TINY * (end - time)
            return fine if turn < _TURNS // 2 else max(fine, 1e-3 * (end - time))

        change = bracket(time, end, quiet, same, finest)
        return end if change is None else narrowed(*change, same)


class Watch:
    """Conditions that depend on states, which move along the dense output of a step."""

    def __init__(
        self,
        conditions: Sequence[Expr],
        states: Sequence[str],
        inputs: Sequence[str],
        still: Sequence[str],
        constants: Mapping[str, float],
    ) -> None:
        self._bounded = Bounded(conditions, [*states, *inputs], still, constants)
        self.conditions = self._bounded.conditions

    def bracket(
        self,
        start: float,
        end: float,
        states: Callable[[Vector], Vector],
        inputs: Callable[[float], Sequence[float]],
        still: Sequence[float],
        held: Sequence[float],
    ) -> tuple[float, float] | None:
        """Return two times between which a condition is first not as held in part of a step, or None."""

        def at(time: float) -> list[float]:
            return [time, *states(np.array([time]))[:, 0].tolist(), *inputs(time)]

        def same(moment: float) -> bool:
            return bool(np.array_equal(self._bounded.look(at(moment), still), held, equal_nan=True))

        def quiet(low: float, high: float) -> bool:
            values = states(0.5 * (low + high) + 0.5 * (high - low) * _NODES)
            series = values @ _SERIES.T
            spread = np.sum(np.abs(series[:, 1:]), axis=1)
            rests = np.all(values == values[:, :1], axis=1)  # what does not move is not blurred by rounding
            spread[rests], series[rests, 0] = 0.0, values[rests, 0]
            pairs = list(zip(inputs(low), inputs(high), strict=True))
            lows = [low, *(series[:, 0] - spread).tolist(), *map(min, pairs)]
            return self._bounded.quiet(lows, [high, *(series[:, 0] + spread).tolist(), *map(max, pairs)], still, held)

        def finest(high: float, turn: int) -> float:
            return (_NARROWEST if turn < _PATIENT_TURNS else _NARROW) * (end - start)

        return bracket(start, end, quiet, same, finest) if start < end else None
