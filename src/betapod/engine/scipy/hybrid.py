"""Integrate a model with events and switches: smooth stretches by SciPy, stopped wherever something jumps."""

from __future__ import annotations

import bisect
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base.errors import Problem, SolverError
from ...model.algebra.evaluate import compile_function
from ...model.algebra.expression import Expr
from ...model.assembly.model import Model
from ..event_draws import EventDraws
from ..schedule import Segment
from . import fast_reactions
from .clocks import narrowed
from .event_queue import Compute, Computed, EventQueue
from .hybrid_program import HybridProgram
from .past import Past
from .smooth_course import SmoothCourse

State = NDArray[np.float64]

#: Points within a step at which switches are looked at.
_LOOKS = 8
#: A switch that comes back this often without time going on cannot be integrated.
_CHATTER = 2_000
#: Steps are no shorter than this part of the longest, however short a delay is.
_SHORT = 1e-3
#: What counts as a moment, as part of the time that has gone.
_MOMENT = 1e-13


class Hybrid:
    """One model, integrated between its switches.

    Parameters
    ----------
    values
        Value of every parameter and conversion.
    record
        Called with a time and a state at every visit.
    start
        Gives what states start from, were the start at a time before 0.
    """

    def __init__(
        self,
        model: Model,
        values: Mapping[str, float],
        method: str,
        rtol: float,
        atol: State,
        record: Callable[[float, State], None],
        start: Callable[[float], State],
    ) -> None:
        self.model, self.method, self.rtol, self.atol, self.record = model, method, rtol, atol, record
        self.program = HybridProgram(model, values)
        self.moving = self.program.moving
        self.past = Past(model, values, start) if model.delays else None
        self.segment: Segment | None = None
        #: Visits just before an event, which see what it made.
        self._late = np.empty(0)
        self._stop: tuple[Segment | None, list[float], float] = (None, [], -math.inf)
        self.queue = EventQueue([self._computed(event) for event in model.events], self._triggers, EventDraws())

    def _function(self, roots: Sequence[Expr]) -> Compute:
        compiled = compile_function(list(roots), self.program.names)
        return lambda time, state: compiled([time], state.tolist(), self.known(time, state), self.program.values)

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
        return self._inputs_in(segment, time)

    def _inputs_in(self, segment: Segment, time: Any) -> list[Any]:
        since = time - segment.start
        return [segment.values[name] + segment.slopes[name] * since for name in self.program.inputs]

    def known(self, time: Any, state: State) -> list[Any]:
        """Return inputs and delayed quantities, at a time and state or at several."""
        inputs = self._inputs(time)
        if self.past is None:
            return inputs
        if state.ndim == 2:
            return [*inputs, *self.past.rows(time, state, self._inputs)]
        return [*inputs, *self.past.values(float(time), state, inputs)]

    def _look(self, time: float, state: State) -> NDArray[np.float64]:
        """Return the value of every switch and trigger."""
        return self.program.look_once(time, state, self.known(time, state))

    def _held(self, time: float, state: State) -> list[float]:
        """Return the value of every switch."""
        held: list[float] = self._look(time, state)[: len(self.program.conditions)].tolist()
        return held

    def _triggers(self, time: float, state: State) -> Sequence[float]:
        return list(self._look(time, state)[len(self.program.conditions) :])

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
        if self.past is not None:
            self.past.note_jump(segment.start)
        time, state = segment.start, self.advanced(segment.start, state)
        due = visits[(visits > time) & (visits <= segment.end)]
        self._late = due[:0]
        hasty = 0
        while self.queue.ended is None and time < segment.end:
            told = min(segment.end, self.queue.next_time, self._next_stop(time, state))
            bound = min(told, self._past_stop(time, longest))
            reached, state = self._smooth(time, bound, state, due, longest)
            if self.past is not None and (reached < bound or reached == told):
                self.past.note_jump(reached)
            hasty = hasty + 1 if reached - time < 1e-12 * max(abs(time), longest) else 0
            if hasty > _CHATTER:
                raise SolverError(
                    Problem(
                        "chattering",
                        f"a switch goes back and forth without time going on at time {time:g}",
                        hint="Make the rates continuous there.",
                    )
                )
            time, state = reached, self.advanced(reached, state)
            for visit in self._late:
                self.record(float(visit), state)
            self._late = due[:0]
            if _among(time, due):
                self.record(time, state)
        return state

    def advanced(self, time: float, state: State) -> State:
        """Return the state after what happens at a time: events, and fast reactions, which come to rest before and after them."""
        jumped = True
        while self.program.reactions and jumped and self.queue.ended is None:
            state = self._at_rest(time, state)
            after = self.queue.advance(time, state)
            jumped, state = after is not state, after
        return state if self.program.reactions else self.queue.advance(time, state)

    def _at_rest(self, time: float, state: State) -> State:
        """Return the state once the fast reactions have come to rest, a moment later: at the time itself they may be turning."""
        program, moment = self.program, time + _MOMENT * max(abs(time), 1.0)
        rates = program.rates(
            [time], state.tolist(), self.known(time, state), program.prepared, self._held(time, state)
        )
        y, full = state[self.moving] + (moment - time) * np.array(rates), state.copy()

        def parts(states: State) -> tuple[State, State, State]:
            full[self.moving] = states
            inputs, held = self.known(moment, full), self._held(moment, full)
            return program.fast_parts([moment], full.tolist(), inputs, program.prepared, held)

        names = [self.model.state_names[k] for k in self.moving]
        after = fast_reactions.rested_states(parts, y, names, time)
        full[self.moving] = state[self.moving] + (after - y)
        return full

    def _past_stop(self, time: float, longest: float) -> float:
        """Return where to stop because of delayed quantities: where jumps come back, and before varying delays are out of date."""
        if self.past is None:
            return math.inf
        stop = self.past.next_return(time)
        if any(self.past.names[k] not in self.past.fixed for k in self.program.past_in_rates):
            stop = min(stop, time + longest)
        return stop

    def _next_stop(self, time: float, state: State) -> float:
        """Return the next time at which a condition of time alone changes, or the end of the segment."""
        segment = self.segment
        assert segment is not None
        clock = self.program.clock
        if not clock.conditions:
            return segment.end
        still = state[self.program.still].tolist()
        before, values, stop = self._stop
        if before is not segment or values != still or stop <= time:
            stop = clock.next_change(time, segment.end, self._inputs, still)
            self._stop = segment, still, stop
        return stop

    def _smooth(
        self, start: float, bound: float, state: State, due: NDArray[np.float64], longest: float
    ) -> tuple[float, State]:
        """Integrate with all switches held until `bound` or until one would change."""
        if self.past is not None:
            assert self.segment is not None
            self.past.begin(start, state, functools.partial(self._inputs_in, self.segment))
        if not len(self.moving) and self.past is None:  # what depends on time alone was told ahead
            return self._along(lambda time: state, start, bound, due)
        before = self._look(start, state)
        if not len(self.moving):
            return self._drift(start, bound, lambda times: _still(state, times), before, due, longest)
        held = before[: len(self.program.conditions)].tolist()
        course = SmoothCourse(self.program, self.past, self._inputs, state, held)
        y0 = previous = state[self.moving]
        first = course.begin(start, y0, self.atol[self.moving] / self.rtol, longest)
        if not np.all(np.isfinite(first)):
            self._fail(start, first, "the rates are not numbers")
        if bound - start <= 1e-13 * max(abs(start), longest):
            return bound, course.full(y0 + (bound - start) * first)
        if self.program.straight:
            line = course.between(lambda times: _line(y0, first, np.asarray(times) - start))
            if self.program.straight_watch is not None:
                still = state[self.program.still].tolist()
                until = self.program.straight_watch.next_change((start, bound), y0.tolist(), first.tolist(), still)
                return self._along(line, start, until, due)
            return self._drift(start, bound, line, before, due, longest)
        solver = self._solver(course, start, y0, bound, longest)
        while solver.status == "running":
            message = solver.step()
            if solver.status == "failed" or not np.all(np.isfinite(solver.y)):
                self._fail(solver.t, solver.y, message or "the states are not numbers")
            at = course.between(_joined(solver, previous))
            previous = solver.y.copy()
            if self.past is not None:
                self.past.add(solver.t_old, solver.t, at, course.rates(solver.t, previous))
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
            if solver.t < bound and _among(until, due):
                self.record(until, at(until))
        return bound, course.full(solver.y)

    def _solver(self, course: SmoothCourse, start: float, y0: State, bound: float, longest: float) -> Any:
        from scipy import integrate

        # LSODA takes a reaction that rests for one that is not stiff, and crawls.
        stiff = self.program.reactions and self.method == "LSODA"
        solver = getattr(integrate, "Radau" if stiff else self.method)
        if self.past is not None:
            delays = [self.past.fixed.get(self.past.names[k], 0.0) for k in self.program.past_in_rates]
            longest = min([longest, *(max(by, _SHORT * longest) for by in delays)])
        atol = self.atol[self.moving]
        return solver(course.rates, start, y0, bound, max_step=longest, rtol=self.rtol, atol=atol, jac=course.slopes)

    def _drift(
        self,
        start: float,
        bound: float,
        at: Callable[[Any], State],
        before: NDArray[np.float64],
        due: NDArray[np.float64],
        longest: float,
    ) -> tuple[float, State]:
        """Let time pass where states move along straight lines, or not at all: there a solver is not needed."""
        time = start
        while time < bound:
            after = min(bound, time + longest)
            if self.past is not None:
                self.past.add(time, after, at, None)
            switched = self._first_change(time, after, at, before)
            until = after if switched is None else switched
            for visit in due[np.searchsorted(due, time, "right") : np.searchsorted(due, until)]:
                self.record(float(visit), at(float(visit)))
            if switched is not None:
                return switched, at(switched)
            if after < bound and _among(after, due):
                self.record(after, at(after))
            time = after
        return bound, at(bound)

    def _along(
        self, line: Callable[[Any], State], start: float, until: float, due: NDArray[np.float64]
    ) -> tuple[float, State]:
        """Report the visits along straight lines, and return where they lead."""
        first = bisect.bisect_right(due, start)
        for k in range(first, bisect.bisect_left(due, until, first)):
            visit = float(due[k])
            self.record(visit, line(visit))
        return until, line(until)

    def _first_change(
        self, start: float, end: float, at: Callable[[Any], State], before: NDArray[np.float64]
    ) -> float | None:
        """Return the first time after `start` at which a switch or trigger differs from `before`, to the last bit."""
        if not len(before):
            return None
        times = np.linspace(start, end, _LOOKS + 1)[1:]
        with np.errstate(all="ignore"):
            rows = self.program.look([times], at(times), self.known(times, at(times)), self.program.values)
        values = np.array([np.broadcast_to(row, times.shape) for row in rows])
        same = np.all((values == before[:, None]) | (np.isnan(values) & np.isnan(before[:, None])), axis=0)
        k = None if np.all(same) else int(np.argmin(same))
        same_until = end if k is None else start if k == 0 else float(times[k - 1])
        earlier = None
        if self.program.looks.conditions:
            earlier = self.program.looks.bracket(
                start,
                same_until,
                lambda t: at(t)[self.moving],
                self._inputs,
                at(start)[self.program.still].tolist(),
                before[self.program.watched].tolist(),
            )
        if earlier is not None:
            return narrowed(*earlier, lambda t: self._is(t, at(t), before))
        return None if k is None else narrowed(same_until, float(times[k]), lambda t: self._is(t, at(t), before))

    def _is(self, time: float, state: State, before: NDArray[np.float64]) -> bool:
        now, held = self._look(time, state).tolist(), before.tolist()
        return now == held or all(a == b or (a != a and b != b) for a, b in zip(now, held, strict=True))

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


def _still(state: State, times: Any) -> State:
    """Return states that stand still, at one time or at several."""
    return np.repeat(state[:, None], len(times), axis=1) if np.ndim(times) else state


def _line(start: State, rates: State, since: NDArray[np.float64]) -> State:
    """Return states that move at constant rates, some time after the start or at several times."""
    return start[:, None] + np.multiply.outer(rates, since) if since.ndim else start + rates * since


def _among(time: float, visits: NDArray[np.float64]) -> bool:
    """Return whether a time is one of the visits, which increase."""
    k = bisect.bisect_left(visits, time)
    return k < len(visits) and bool(visits[k] == time)


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
