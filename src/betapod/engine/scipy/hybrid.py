"""Integrate a model with events and switches: smooth stretches by SciPy, stopped wherever something jumps."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base.errors import Problem, SolverError
from ...model.algebra.derivative import jacobian
from ...model.algebra.evaluate import compile_function, split_constants
from ...model.algebra.expression import ZERO, Expr, binary, free_symbols, is_const, symbol, topological
from ...model.algebra.operations import NOT_SMOOTH
from ...model.assembly.model import Model
from ..enclosures import is_truth
from ..schedule import Segment
from ..switches import find_switches, gates, small
from .clocks import Clock, Watch, narrowed
from .event_queue import Compute, Computed, EventQueue

State = NDArray[np.float64]

#: Points within a step at which switches are looked at.
_LOOKS = 8
#: A switch that comes back this often without time going on cannot be integrated.
_CHATTER = 2_000


def needs_hybrid(model: Model) -> bool:
    """Return whether anything in the model jumps or has a kink, or stands still and need not be a number."""
    still = not model.states or any(is_const(state.rate, 0.0) for state in model.states)
    rates = [state.rate for state in model.states]
    return (
        still
        or bool(model.events)
        or any(node.op in NOT_SMOOTH for node in topological(rates))
        or bool(gates(rates, [*model.state_names, *model.inputs]))
    )


class Hybrid:
    """One model, compiled for integration between switches.

    Parameters
    ----------
    values
        Value of every parameter and conversion.
    record
        Called with a time and a state at every visit.
    """

    def __init__(
        self,
        model: Model,
        values: dict[str, float],
        method: str,
        rtol: float,
        atol: State,
        record: Callable[[float, State], None],
    ) -> None:
        self.model, self.method, self.rtol, self.atol, self.record = model, method, rtol, atol, record
        self.evaluations = 0
        self.input_names = list(model.inputs)
        self.moving = np.array([k for k, s in enumerate(model.states) if not is_const(s.rate, 0.0)], dtype=int)
        names = ["t", *(model.state_names[k] for k in self.moving), *self.input_names]
        self._constants = list(values)
        self._values = [values[name] for name in self._constants]
        self._groups = [["t"], model.state_names, self.input_names, self._constants]
        # A trigger may be any number; what is watched is whether it is true.
        triggers = [
            event.trigger if is_truth(event.trigger) else binary("ne", event.trigger, ZERO) for event in model.events
        ]
        self._compile_rates(names, triggers, values)
        self._watch = compile_function([*self._conditions, *triggers], self._groups, array=True)
        self.segment: Segment | None = None
        #: Visits just before an event, which see what it made.
        self._late = np.empty(0)
        self._stop: tuple[Segment | None, list[float], float] = (None, [], -math.inf)
        self.queue = EventQueue(
            [self._computed(event) for event in model.events], self._triggers, np.random.default_rng(0)
        )

    def _compile_rates(self, names: Sequence[str], triggers: Sequence[Expr], values: dict[str, float]) -> None:
        states = [self.model.state_names[k] for k in self.moving]
        switching = find_switches([self.model.states[k].rate for k in self.moving], triggers, states, self.input_names)
        # States that only events change stand still between events.
        self._still = [k for k in range(len(self.model.states)) if k not in set(self.moving.tolist())]
        still = [self.model.state_names[k] for k in self._still]
        self._clock = Clock(switching.clocks, self.input_names, still, values)
        moved = [k for k, trigger in enumerate(triggers) if set(states).intersection(free_symbols([trigger]))]
        watched_events = moved if switching.states or small(triggers) else []
        self._states = Watch(
            [*switching.states, *(triggers[k] for k in watched_events)], states, self.input_names, still, values
        )
        conditions = len(switching.clocks) + len(switching.states)
        self._watched = [*range(len(switching.clocks), conditions), *(conditions + k for k in watched_events)]
        self._conditions = [*switching.clocks, *switching.states]
        switch_names = [*switching.clock_names, *switching.state_names]
        entries = jacobian(switching.rates, [symbol(self.model.state_names[k]) for k in self.moving])
        setup, held, roots = split_constants([*switching.rates, *entries.values()], self._constants)
        self._prepared = compile_function(setup, [self._constants])(self._values) if setup else []
        groups = [["t"], self.model.state_names, self.input_names, held, switch_names]
        n = len(switching.rates)
        self._rates = compile_function(roots[:n], groups)
        self._slopes = compile_function(roots[n:], groups)
        self._entries = (np.array([i for i, _ in entries], dtype=int), np.array([j for _, j in entries], dtype=int))

    def _function(self, roots: Sequence[Expr]) -> Compute:
        compiled = compile_function(list(roots), self._groups)
        return lambda time, state: compiled([time], state.tolist(), self._inputs(time), self._values)

    def _computed(self, event: Any) -> Computed:
        index = {name: k for k, name in enumerate(self.model.state_names)}
        return Computed(
            event,
            tuple(index[name] for name, _ in event.assignments),
            self._function([value for _, value in event.assignments]),
            tuple(index[name] for name, _ in event.factors),
            self._function([value for _, value in event.factors]),
            None if event.delay is None else self._function([event.delay]),
            None if event.priority is None else self._function([event.priority]),
        )

    def _inputs(self, time: Any) -> list[Any]:
        segment = self.segment
        assert segment is not None
        since = time - segment.start
        return [segment.values[name] + segment.slopes[name] * since for name in self.input_names]

    def _look(self, time: float, state: State) -> NDArray[np.float64]:
        """Return the value of every switch and trigger."""
        with np.errstate(all="ignore"):
            values = self._watch([np.float64(time)], state, self._inputs(np.float64(time)), self._values)
        return np.array(values, dtype=float)

    def _triggers(self, time: float, state: State) -> Sequence[float]:
        return list(self._look(time, state)[len(self._conditions) :])

    # -- the course --------------------------------------------------------------------------------------------------

    def run(self, segment: Segment, state: State, visits: NDArray[np.float64], longest: float) -> State:
        """Integrate one segment and report the visits after its start up to its end.

        Parameters
        ----------
        longest
            No step is longer, so that no switch is stepped over that visits could see.

        Raises
        ------
        SolverError
            The solver could not go on, or switches follow each other without end.
        """
        self.segment = segment
        time, state = segment.start, self.queue.advance(segment.start, state)
        due = visits[(visits > time) & (visits <= segment.end)]
        self._late = due[:0]
        hasty = 0
        while self.queue.ended is None and time < segment.end:
            bound = min(segment.end, self.queue.next_time, self._next_stop(time, state))
            reached, state = self._smooth(time, bound, state, due, longest)
            hasty = hasty + 1 if reached - time < 1e-12 * max(abs(time), longest) else 0
            if hasty > _CHATTER:
                raise SolverError(
                    Problem(
                        "chattering",
                        f"a switch goes back and forth without time going on at time {time:g}",
                        hint="Make the rates continuous there.",
                    )
                )
            time, state = reached, self.queue.advance(reached, state)
            for visit in self._late:
                self.record(float(visit), state)
            self._late = due[:0]
            if time in due:
                self.record(time, state)
        return state

    def _next_stop(self, time: float, state: State) -> float:
        """Return the next time at which a condition of time alone changes, or the end of the segment."""
        segment = self.segment
        assert segment is not None
        if not self._clock.conditions:
            return segment.end
        still = state[self._still].tolist()
        before, values, stop = self._stop
        if before is not segment or values != still or stop <= time:
            stop = self._clock.next_change(time, segment.end, self._inputs, still)
            self._stop = segment, still, stop
        return stop

    def _smooth(
        self, start: float, bound: float, state: State, due: NDArray[np.float64], longest: float
    ) -> tuple[float, State]:
        """Integrate with all switches held until `bound` or until one would change."""
        before = self._look(start, state)
        held = before[: len(self._conditions)].tolist()
        if not len(self.moving):
            return self._wait(start, bound, state, before, due, longest)
        inputs = self._inputs

        def rates(t: float, y: State) -> list[float]:
            self.evaluations += 1
            full[self.moving] = y
            return self._rates([t], full.tolist(), inputs(t), self._prepared, held)

        def slopes(t: float, y: State) -> NDArray[np.float64]:
            full[self.moving] = y
            matrix = np.zeros((len(y), len(y)))
            matrix[self._entries] = self._slopes([t], full.tolist(), inputs(t), self._prepared, held)
            # An infinite slope, as of a root at 0, would stop the solver; it needs slopes only to converge.
            return np.where(np.isfinite(matrix), matrix, 0.0)

        full = state.copy()
        y0 = previous = state[self.moving]
        first = np.array(rates(start, y0))
        if not np.all(np.isfinite(first)):
            self._fail(start, first, "the rates are not numbers")
        if bound - start <= 1e-13 * max(abs(start), longest):
            full[self.moving] = y0 + (bound - start) * first
            return bound, full
        solver = self._solver(rates, start, y0, bound, longest, slopes)
        while solver.status == "running":
            message = solver.step()
            if solver.status == "failed" or not np.all(np.isfinite(solver.y)):
                self._fail(solver.t, solver.y, message or "the states are not numbers")
            dense = _joined(solver, previous)
            previous = solver.y.copy()

            def at(times: Any, dense: Any = dense) -> State:
                moving_states = dense(times)
                full_state = (
                    np.repeat(state[:, None], moving_states.shape[1], axis=1)
                    if moving_states.ndim == 2
                    else state.copy()
                )
                full_state[self.moving] = moving_states
                return full_state

            switched = self._first_change(solver.t_old, solver.t, at, before)
            until = solver.t if switched is None else switched
            passed = due[(due > solver.t_old) & (due < until)]
            if switched is not None and switched < bound:
                # Times of events that follow from states are no more exact than states are; those of time alone are.
                self._late = passed[passed >= switched - _tie(switched)]
                passed = passed[: len(passed) - len(self._late)]
            for visit in passed:
                self.record(float(visit), at(visit))
            if switched is not None:
                return switched, at(switched)
            if solver.t < bound and until in due:
                self.record(until, at(until))
        full[self.moving] = solver.y
        return bound, full

    def _solver(
        self,
        rates: Callable[..., Any],
        start: float,
        y0: State,
        bound: float,
        longest: float,
        slopes: Callable[..., Any],
    ) -> Any:
        from scipy import integrate

        solver = getattr(integrate, self.method)
        return solver(
            rates, start, y0, bound, max_step=longest, rtol=self.rtol, atol=self.atol[self.moving], jac=slopes
        )

    def _wait(
        self,
        start: float,
        bound: float,
        state: State,
        before: NDArray[np.float64],
        due: NDArray[np.float64],
        longest: float,
    ) -> tuple[float, State]:
        """Let time pass where no state moves."""

        def at(times: Any) -> State:
            return np.repeat(state[:, None], len(times), axis=1) if np.ndim(times) else state

        time = start
        while time < bound:
            after = min(bound, time + longest)
            switched = self._first_change(time, after, at, before)
            until = after if switched is None else switched
            for visit in due[(due > time) & (due < until)]:
                self.record(float(visit), state)
            if switched is not None:
                return switched, state
            if after < bound and after in due:
                self.record(after, state)
            time = after
        return bound, state

    def _first_change(
        self, start: float, end: float, at: Callable[[Any], State], before: NDArray[np.float64]
    ) -> float | None:
        """Return the first time after `start` at which a switch or trigger differs from `before`, to the last bit."""
        if not len(before):
            return None
        times = np.linspace(start, end, _LOOKS + 1)[1:]
        with np.errstate(all="ignore"):
            rows = self._watch([times], at(times), self._inputs(times), self._values)
        values = np.array([np.broadcast_to(row, times.shape) for row in rows])
        same = np.all((values == before[:, None]) | (np.isnan(values) & np.isnan(before[:, None])), axis=0)
        k = None if np.all(same) else int(np.argmin(same))
        same_until = end if k is None else start if k == 0 else float(times[k - 1])
        earlier = None
        if self._states.conditions:
            earlier = self._states.bracket(
                start,
                same_until,
                lambda t: at(t)[self.moving],
                self._inputs,
                at(start)[self._still].tolist(),
                before[self._watched].tolist(),
            )
        if earlier is not None:
            return narrowed(*earlier, lambda t: self._is(t, at(t), before))
        return None if k is None else narrowed(same_until, float(times[k]), lambda t: self._is(t, at(t), before))

    def _is(self, time: float, state: State, before: NDArray[np.float64]) -> bool:
        return bool(np.array_equal(self._look(time, state), before, equal_nan=True))

    def _fail(self, time: float, values: State, message: str) -> None:
        names = [self.model.state_names[k] for k in self.moving]
        bad = [name for name, value in zip(names, values, strict=True) if not math.isfinite(value)]
        raise SolverError(
            Problem(
                "integration-failed",
                f"{self.method} could not go beyond time {time:g}: {message}",
                found=f"not finite: {', '.join(bad)}" if bad else "",
                hint="Check the parameters, or try method Radau and a looser tolerance.",
            )
        )


def _tie(time: float) -> float:
    """Return how near to an event of states a visit counts as simultaneous, as in the ensemble engine."""
    return 2e-10 + 2e-13 * abs(time)


def _joined(solver: Any, start: State) -> Callable[[Any], State]:
    """Return the dense output of a step that begins at its start exactly: that of LSODA begins an error's width beside it."""
    dense, begin, length = solver.dense_output(), solver.t_old, solver.t - solver.t_old
    gap = start - dense(begin)

    def at(times: Any) -> State:
        states: State = dense(times)
        remaining = 1.0 - (np.asarray(times) - begin) / length
        joined: State = states + (np.multiply.outer(gap, remaining) if states.ndim == 2 else gap * remaining)
        return joined

    return at
