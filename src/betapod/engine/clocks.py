"""Tell ahead when a condition of time alone changes, for the reference integrator: no jump of this kind can be stepped over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..model.evaluate import compile_function
from ..model.expression import TIME, Expr, symbol
from .enclosures import enclosures

#: Turns of a search after which it gives the time that it has come to.
_TURNS = 20_000
#: What is not told apart: this part of the time, and this part of the time to come.
_FINEST, _TINY = 1e-15, 1e-18


class Clock:
    """Conditions that depend on time, and on inputs that change linearly with it.

    Parameters
    ----------
    conditions
        What is computed of time, inputs, constants and states that nothing but events changes.
    inputs, still
        Names of the inputs, and of those states.
    constants
        Name and value of everything else.
    """

    def __init__(
        self, conditions: Sequence[Expr], inputs: Sequence[str], still: Sequence[str], constants: dict[str, float]
    ) -> None:
        self.conditions = list(conditions)
        names = [*constants, *still]
        self._constants = list(constants.values())
        self._values = self._constants
        ends = {TIME: (symbol("?low"), symbol("?high"))}
        ends |= {symbol(name): (symbol(f"?low {name}"), symbol(f"?high {name}")) for name in inputs}
        bounds = enclosures(self.conditions, ends)
        lows, highs = ([pair[side].value for pair in ends.values()] for side in (0, 1))
        self._bounds = compile_function([end for pair in bounds for end in pair], [lows, highs, names], array=True)
        self._look = compile_function(self.conditions, [["t"], list(inputs), names], array=True)

    def look(self, time: float, inputs: Sequence[float]) -> list[Any]:
        """Return the value of every condition at a time."""
        with np.errstate(all="ignore"):
            return [float(x) for x in self._look([np.float64(time)], [np.float64(v) for v in inputs], self._values)]

    def _quiet(self, low: float, high: float, first: Sequence[float], last: Sequence[float], held: list[float]) -> bool:
        """Return whether every condition surely has its value of before from one time to another."""
        lows = [np.float64(low), *(np.float64(min(pair)) for pair in zip(first, last, strict=True))]
        highs = [np.float64(high), *(np.float64(max(pair)) for pair in zip(first, last, strict=True))]
        with np.errstate(all="ignore"):
            found = self._bounds(lows, highs, self._values)
        return all(found[2 * k] == value and found[2 * k + 1] == value for k, value in enumerate(held))

    def next_change(
        self, time: float, end: float, inputs: Callable[[float], Sequence[float]], still: Sequence[float] = ()
    ) -> float:
        """Return the first time after `time`, to the last bit, at which a condition has another value, or `end`."""
        self._values = [*self._constants, *still]
        held = self.look(time, inputs(time))

        def same(moment: float) -> bool:
            return bool(np.array_equal(self.look(moment, inputs(moment)), held, equal_nan=True))

        low, width, finest = time, end - time, _TINY * (end - time)
        for _ in range(_TURNS):
            if low >= end:
                return end
            high = min(low + width, end)
            if self._quiet(low, high, inputs(low), inputs(high), held):
                low, width = high, 2.0 * width
            elif high - low > _FINEST * high + finest:
                width *= 0.5
            elif same(high):
                low, width = high, max(4.0 * width, _FINEST * high + finest)
            else:
                return _narrow(low, high, same)
        # Bounds that decide nothing, as where a condition is not a number: the integration stops often instead.
        return min(end, max(low, time + 1e-3 * (end - time)))


def _narrow(low: float, high: float, same: Callable[[float], bool]) -> float:
    for _ in range(100):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        if same(middle):
            low = middle
        else:
            high = middle
    return high
