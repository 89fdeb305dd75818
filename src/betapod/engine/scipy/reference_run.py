"""One model, integrated by SciPy from segment to segment of a schedule."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import Problem, SolverError
from ...model.algebra.evaluate import compile_function, split_constants
from ...model.algebra.expression import is_const
from ...model.assembly.model import Model
from ..schedule import Schedule, Segment
from .hybrid import Hybrid
from .hybrid_program import needs_hybrid
from .simulation_result import Trajectory
from .smooth_course import finite_slopes

#: Evaluations without moving on in time after which a solver is stopped.
_PATIENCE = 20_000


class ReferenceRun:
    """One model, compiled for SciPy."""

    def __init__(self, model: Model, method: str, rtol: float, atol: ArrayLike) -> None:
        self.model, self.method, self.rtol = model, method, rtol
        self.atol = np.broadcast_to(np.asarray(atol, dtype=float), (len(model.states),))
        values = model.values()
        constants = [name for name in values if name not in model.inputs]
        self.input_names = list(model.inputs)
        self.base_inputs = {name: values[name] for name in self.input_names}
        parameters = [values[name] for name in constants]
        roots = [state.rate for state in model.states] + list(model.jacobian.values())
        setup, names, roots = split_constants(roots, constants)
        past = [delayed.name for delayed in model.delays]
        groups = [["t"], model.state_names, [*self.input_names, *past], names]
        n = len(model.states)
        self._rates = compile_function(roots[:n], groups)
        self._slopes = compile_function(roots[n:], groups)
        self._constants = compile_function(setup, [constants])(parameters) if setup else []
        self._entries = list(model.jacobian)
        self._initial = compile_function([s.initial for s in model.states], [["t"], self.input_names, constants])
        self._parameters, self._parameter_names = parameters, constants
        self._constants_by_name = {name: values[name] for name in constants}
        self.evaluations = 0

    def integrate(self, visits: NDArray[np.float64], schedule: Schedule, initial: Mapping[str, float]) -> Trajectory:
        """Go through the segments of the schedule.

        Raises
        ------
        SolverError
            A state starts from no number, or SciPy could not go on.
        """
        model = self.model
        segments = schedule.segments(self.base_inputs, float(visits[-1]), visits=visits)
        state = self._start(0.0, initial)
        self._check_start(state)
        trajectory = Trajectory(np.zeros(len(state)))
        if needs_hybrid(model):
            return self._with_switches(segments, state, visits, trajectory, initial)
        if visits[0] == 0.0:
            trajectory.collect([0.0], state[:, None], [list(self.base_inputs.values())])
        for segment in segments:
            for name, amount in segment.doses:
                state[model.state_names.index(name)] += amount
            state = self._segment(segment, state, visits, trajectory)
        return trajectory

    def _start(self, time: float, initial: Mapping[str, float]) -> NDArray[np.float64]:
        """Return what the states start from, were the start at a time."""
        state = np.array(self._initial([time], list(self.base_inputs.values()), self._parameters))
        for name, value in initial.items():
            state[self.model.state_names.index(name)] = value
        return state

    def _check_start(self, state: NDArray[np.float64]) -> None:
        """Refuse to integrate from what is no number."""
        bad = [
            name
            for name, value, of in zip(self.model.state_names, state, self.model.states, strict=True)
            if not math.isfinite(value) and not is_const(of.rate, 0.0)
        ]
        if bad:
            raise SolverError(
                [
                    Problem(
                        "no-start",
                        f"{name} starts from no number",
                        hint=f"Give the values that it needs, or its start: initial {name}.",
                    )
                    for name in bad
                ]
            )

    def _with_switches(
        self,
        segments: Sequence[Segment],
        state: NDArray[np.float64],
        visits: NDArray[np.float64],
        trajectory: Trajectory,
        initial: Mapping[str, float],
    ) -> Trajectory:
        """Go through the segments with everything that jumps; a visit at the time of an event sees what the event made."""

        def record(time: float, values: NDArray[np.float64]) -> None:
            trajectory.collect([time], values[:, None], [hybrid.known(time, values)])

        def start(time: float) -> NDArray[np.float64]:
            return self._start(time, initial)

        hybrid = Hybrid(self.model, self._constants_by_name, self.method, self.rtol, self.atol, record, start)
        longest = max(float(np.max(np.diff(visits, prepend=0.0))), 1e-300)
        longest = min(longest, segments[-1].end / 50) if segments[-1].end > 0 else longest
        hybrid.segment = segments[0]
        if hybrid.past is not None:
            hybrid.past.begin(0.0, state, lambda time: self._inputs_at(segments[0], time))
        state = hybrid.advanced(0.0, state)
        if visits[0] == 0.0:
            # A switch at the start comes after what is seen then.
            hybrid.segment = replace(segments[0], values=self.base_inputs, slopes=dict.fromkeys(self.base_inputs, 0.0))
            record(0.0, state)
            hybrid.segment = segments[0]
        for segment in segments:
            if hybrid.queue.ended is not None:
                break
            for name, amount in segment.doses:
                state[self.model.state_names.index(name)] += amount
            state = hybrid.run(segment, state, visits, longest)
        self.evaluations += hybrid.program.evaluations
        trajectory.happened, trajectory.ended = hybrid.queue.happened, hybrid.queue.ended
        return trajectory

    def _inputs_at(self, segment: Segment, time: float) -> list[float]:
        return [segment.values[name] + segment.slopes[name] * (time - segment.start) for name in self.input_names]

    def _segment(
        self, segment: Segment, state: NDArray[np.float64], visits: NDArray[np.float64], trajectory: Trajectory
    ) -> NDArray[np.float64]:
        """Integrate one segment."""
        due = visits[(visits > segment.start) & (visits <= segment.end)]
        solution = self._solve(segment, segment.start, state)
        trajectory.peaks = np.maximum(trajectory.peaks, np.max(np.abs(solution.y), axis=1))
        if len(due):
            states = solution.sol(due)
            trajectory.collect(list(due), states, [self._inputs_at(segment, t) for t in due])
        return np.array(solution.y[:, -1])

    def _solve(self, segment: Segment, start: float, state: NDArray[np.float64]) -> Any:
        from scipy.integrate import solve_ivp

        n = len(state)
        names, values, slopes = self.input_names, segment.values, segment.slopes
        base = [values[name] for name in names]
        slope = [slopes[name] for name in names]
        moving = any(slope)

        def inputs(t: float) -> list[float]:
            return [v + s * (t - segment.start) for v, s in zip(base, slope, strict=True)] if moving else base

        furthest, idle = start, 0

        def rates(t: float, y: NDArray[np.float64]) -> list[float]:
            # LSODA does not give up when its step vanishes at a singularity: it would try for ever.
            nonlocal furthest, idle
            self.evaluations += 1
            idle += 1
            if t - furthest > 1e-13 * max(abs(t), 1e-9):
                furthest, idle = t, 0
            elif idle > _PATIENCE:
                raise SolverError(
                    Problem(
                        "step-underflow",
                        f"{self.method} could not go beyond day {t:g}: its step became too small",
                        hint="A quantity grows without bound or jumps there; check the parameters.",
                    )
                )
            return self._rates([t], y.tolist(), inputs(t), self._constants)

        def slopes_matrix(t: float, y: NDArray[np.float64]) -> NDArray[np.float64]:
            matrix = np.zeros((n, n))
            entries = self._slopes([t], y.tolist(), inputs(t), self._constants)
            for (i, j), value in zip(self._entries, entries, strict=True):
                matrix[i, j] = value
            return finite_slopes(matrix, t)

        solution = solve_ivp(
            rates,
            (start, segment.end),
            state,
            method=self.method,
            dense_output=True,
            rtol=self.rtol,
            atol=self.atol,
            jac=slopes_matrix,
        )
        if solution.status == -1 or not np.all(np.isfinite(solution.y[:, -1])):
            self._fail(solution, start)
        return solution

    def _fail(self, solution: Any, start: float) -> None:
        time = float(solution.t[-1]) if len(solution.t) else start
        worst = [
            name
            for name, value in zip(self.model.state_names, solution.y[:, -1], strict=True)
            if not math.isfinite(value)
        ]
        raise SolverError(
            Problem(
                "integration-failed",
                f"{self.method} could not go beyond day {time:g}: {solution.message}",
                found=f"not finite: {', '.join(worst)}" if worst else "",
                hint="Check the parameters, or try method Radau and a looser tolerance.",
            )
        )
