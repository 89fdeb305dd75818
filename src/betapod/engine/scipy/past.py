"""The course so far, for models that need quantities as they were some time ago (delay differential equations).

The method of steps: no step is longer than the shortest fixed delay of the rates, so that what a step needs lies in finished steps; where
a delay is shorter still, or vanishes, the parabola through the last point, its slope and the point that is tried stands in. Jumps come
back a delay later, and the integration stops there. Before the start, states are what they start from, with the time of that moment.
"""

from __future__ import annotations

import bisect
import heapq
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base.errors import Problem, SolverError
from ...model.algebra.evaluate import compile_function
from ...model.algebra.expression import Expr, free_symbols
from ...model.assembly.delays import Delayed
from ...model.assembly.model import Model

State = NDArray[np.float64]
Inputs = Callable[[float], list[float]]

#: So often a jump comes back sharper than the steps see by themselves: each time it is smoother by one derivative.
_RETURNS = 4


class Past:
    """What a model's delayed quantities are at a time and state.

    Parameters
    ----------
    values
        Value of every parameter and conversion.
    start
        Gives what states start from, were the start at a time before 0.
    """

    def __init__(self, model: Model, values: Mapping[str, float], start: Callable[[float], State]) -> None:
        self.delays, self.start = model.delays, start
        self.names = [delayed.name for delayed in self.delays]
        groups = [["t"], model.state_names, [*model.inputs, *self.names], list(values)]
        self._values = list(values.values())
        self._of = [self._part(delayed.of, groups) for delayed in self.delays]
        self._by = [self._part(delayed.by, groups) for delayed in self.delays]
        fixed = {name: self._fixed(delayed, values) for name, delayed in zip(self.names, self.delays, strict=True)}
        self.fixed = {name: by for name, by in fixed.items() if by is not None}
        self._begins: list[float] = []
        self._pieces: list[tuple[float, Callable[[Any], State], Inputs]] = []
        self._returns: list[tuple[float, int]] = []
        self._last: tuple[float, State, State | None] | None = None
        self._inputs: Inputs = lambda time: []
        self._first: list[float] | None = None

    def _part(self, expr: Expr, groups: Sequence[Sequence[str]]) -> tuple[Callable[..., list[Any]], list[int]]:
        """Return the compiled expression, and which delayed quantities it needs."""
        needed = set(free_symbols([expr]))
        return compile_function([expr], groups), [k for k, name in enumerate(self.names) if name in needed]

    @staticmethod
    def _fixed(delayed: Delayed, values: Mapping[str, float]) -> float | None:
        """Return a delay that parameters alone decide, or None."""
        names = free_symbols([delayed.by])
        if not set(names) <= set(values):
            return None
        return float(compile_function([delayed.by], [names])([values[name] for name in names])[0])

    # -- the course --------------------------------------------------------------------------------------------------

    def begin(self, time: float, state: State, inputs: Inputs) -> None:
        """Go on from a time and state; what was noted beyond is forgotten."""
        self._inputs = inputs
        self._first = inputs(time) if self._first is None else self._first
        while self._begins and self._begins[-1] >= time:
            self._begins.pop()
            self._pieces.pop()
        self._last = (time, state.copy(), None)

    def note_jump(self, time: float) -> None:
        """Note that something jumps at a time."""
        for by in self.fixed.values():
            self._come_back(time, by, 1)

    def add(self, begin: float, end: float, at: Callable[[Any], State], slope: State | None) -> None:
        """Note a finished step: the states between its ends, and their rates at the end."""
        self._begins.append(begin)
        self._pieces.append((end, at, self._inputs))
        self._last = (end, at(end), slope)

    def _come_back(self, time: float, by: float, order: int) -> None:
        if by > 0.0 and order <= _RETURNS and (time + by, order) not in self._returns:
            heapq.heappush(self._returns, (time + by, order))

    def next_return(self, time: float) -> float:
        """Return when next something that jumped comes back."""
        while self._returns and self._returns[0][0] <= time:
            moment, order = heapq.heappop(self._returns)
            for by in self.fixed.values():
                self._come_back(moment, by, order + 1)
        return self._returns[0][0] if self._returns else math.inf

    # -- what was ----------------------------------------------------------------------------------------------------

    def values(
        self, time: float, state: State, inputs: Sequence[float], which: Sequence[int] | None = None
    ) -> list[float]:
        """Return the delayed quantities at a time and state; 0 for those that are not asked for.

        Raises
        ------
        SolverError
            A delay that is no number from 0 on.
        """
        numbers = range(len(self.delays))
        wanted = numbers if which is None else which
        return [self._value(k, time, state, inputs) if k in wanted else 0.0 for k in numbers]

    def rows(self, times: NDArray[np.float64], states: State, inputs: Inputs) -> list[Any]:
        """Return the delayed quantities at several times: one row each; `states` is (states, times)."""
        rows = [self.values(float(t), states[:, k], inputs(float(t))) for k, t in enumerate(times)]
        return list(np.array(rows).T)

    def _value(self, k: int, time: float, state: State, inputs: Sequence[float]) -> float:
        by = self._computed(self._by[k], time, state, inputs)
        if not by >= 0.0:
            message = f"the delay of {self.names[k]} is not a number from 0 on at time {time:g}"
            raise SolverError(Problem("bad-delay", message, found=f"{by:g}"))
        then = time - by
        if then < time:
            state, inputs = self._at(then, time, state)
        return self._computed(self._of[k], then, state, inputs)

    def _computed(
        self,
        part: tuple[Callable[..., list[Any]], list[int]],
        time: float,
        state: State,
        inputs: Sequence[float],
    ) -> float:
        compute, needed = part
        before = [0.0] * len(self.names)
        for k in needed:
            before[k] = self._value(k, time, state, inputs)
        return float(compute([time], state.tolist(), [*inputs, *before], self._values)[0])

    def _at(self, then: float, time: float, state: State) -> tuple[State, list[float]]:
        """Return states and inputs at a moment before `time`, at which `state` is tried."""
        last = self._last
        assert last is not None, "the course has not begun"
        if then < 0.0:
            return self.start(then), list(self._first or ())
        if then >= last[0]:
            return self._tried(then, last, time, state), self._inputs(then)
        k = bisect.bisect_right(self._begins, then) - 1
        _, at, inputs = self._pieces[k]
        return at(then), inputs(then)

    @staticmethod
    def _tried(then: float, last: tuple[float, State, State | None], time: float, state: State) -> State:
        begin, first, slope = last
        if time <= begin:
            return first
        part = (then - begin) / (time - begin)
        line = first + part * (state - first)
        if slope is None:
            return line
        return np.asarray(line + part * (part - 1.0) * (state - first - (time - begin) * slope))
