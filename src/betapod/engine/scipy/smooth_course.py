"""The course of the moving states between two switches, for a solver of smooth equations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import fast_reactions
from .hybrid_program import HybridProgram
from .past import Inputs, Past

State = NDArray[np.float64]

#: A slope times the time, beyond which no step follows it: a million times what a step of the resolution of time does.
_FOLLOWED = 1e6 / 2.0**-52
#: Time that counts as 0.
_BESIDE_0 = 1e-39


class SmoothCourse:
    """The moving states between two switches: their rates while everything else is held."""

    def __init__(
        self, program: HybridProgram, past: Past | None, inputs: Inputs, state: State, held: list[float]
    ) -> None:
        self.program, self.past, self.inputs, self.held = program, past, inputs, held
        self._state, self._speed = state.copy(), 0.0

    def begin(self, time: float, y: State, smallest: State, longest: float) -> State:
        """Return the rates at the start, and settle how fast fast reactions follow.

        Parameters
        ----------
        smallest
            Sizes of the moving states below which they count as 0.
        longest
            No step is longer.
        """
        rates = self._slow(time, y)
        self._speed = fast_reactions.speed_of(rates, y, smallest, longest)
        return self.rates(time, y) if self.program.reactions else rates

    def full(self, y: State) -> State:
        """Return all states, from those that move."""
        full = self._state.copy()
        full[self.program.moving] = y
        return full

    def between(self, dense: Callable[[Any], State]) -> Callable[[Any], State]:
        """Return what gives all states at times within a step, from what gives those that move."""

        def at(times: Any) -> State:
            states = dense(times)
            full = np.repeat(self._state[:, None], states.shape[1], axis=1) if states.ndim == 2 else self._state.copy()
            full[self.program.moving] = states
            return full

        return at

    def _known(self, time: float) -> list[float]:
        """Return inputs and those delayed quantities that rates need, at the states that are tried."""
        inputs = self.inputs(time)
        if self.past is None:
            return inputs
        return [*inputs, *self.past.values(time, self._state, inputs, self.program.past_in_rates)]

    def _slow(self, time: float, y: State) -> State:
        self.program.evaluations += 1
        self._state[self.program.moving] = y
        states, inputs = self._state.tolist(), self._known(time)
        return np.array(self.program.rates([time], states, inputs, self.program.prepared, self.held))

    def _fast(self, time: float) -> tuple[State, State, State]:
        states, inputs = self._state.tolist(), self._known(time)
        return self.program.fast_parts([time], states, inputs, self.program.prepared, self.held)

    def rates(self, time: float, y: State) -> State:
        """Return the rates of the moving states."""
        slow = self._slow(time, y)
        return slow + fast_reactions.following(self._fast(time), self._speed) if self.program.reactions else slow

    def slopes(self, time: float, y: State) -> State:
        """Return the derivatives of the rates by the moving states."""
        self._state[self.program.moving] = y
        states, inputs = self._state.tolist(), self._known(time)
        matrix = np.zeros((len(y), len(y)))
        matrix[self.program.entries] = self.program.slopes([time], states, inputs, self.program.prepared, self.held)
        if self.program.reactions:
            matrix += fast_reactions.following_slopes(self._fast(time), self._speed)
        return finite_slopes(matrix, time)


def finite_slopes(matrix: State, time: float) -> State:
    """Return slopes with 0 for those that are infinite, as of a root at 0, and for those so large that they might as well be.

    Solvers need slopes only to converge. Infinite ones would stop them; with one that no step follows by far, Radau takes standing still for
    convergence.
    """
    return np.where(np.abs(matrix) < _FOLLOWED / max(abs(time), _BESIDE_0), matrix, 0.0)
