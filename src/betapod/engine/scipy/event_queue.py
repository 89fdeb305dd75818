"""Carry out events as SBML Level 3 defines them: delays, priorities, persistence, values from trigger or execution time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...base.errors import Problem, SolverError
from ...model.assembly.model import Event
from ..event_draws import EventDraws

State = NDArray[np.float64]
#: Computes some expressions at a time and state.
Compute = Callable[[float, State], Sequence[float]]

#: More events than this at one instant feed on each other for ever.
_LIMIT = 10_000
#: Events in one course. So many take about a minute, and mostly mean that an event undoes what ends it.
_MOST = 1_000_000


@dataclass(frozen=True)
class Computed:
    """One event with its compiled parts; `values` and `factors` belong to the states of `targets` and `scaled`."""

    event: Event
    targets: tuple[int, ...]
    values: Compute
    scaled: tuple[int, ...]
    factors: Compute
    delay: Compute | None
    priority: Compute | None


@dataclass
class _Waiting:
    """An event that was triggered and is to happen at `time`; `values` where they are those of the trigger's time."""

    index: int
    time: float
    values: list[float] | None


class EventQueue:
    """Watches triggers and carries out what is due.

    Parameters
    ----------
    triggers
        Truth value of every trigger at a time and state.
    draws
        Draws among events that are due together with equal priority.
    """

    def __init__(self, events: Sequence[Computed], triggers: Compute, draws: EventDraws) -> None:
        self.events, self.triggers, self.draws = list(events), triggers, draws
        self.ranked = any(entry.priority is not None for entry in self.events)
        self.true = [entry.event.initial_value for entry in self.events]
        self.waiting: list[_Waiting] = []
        self.happened: list[tuple[float, str]] = []
        self.ended: tuple[str, float] | None = None

    @property
    def next_time(self) -> float:
        """When the next waiting event is due; infinity if none waits."""
        return min((entry.time for entry in self.waiting), default=math.inf)

    def advance(self, time: float, state: State) -> State:
        """Look at every trigger, carry out what is due, and look again until nothing more happens.

        Returns
        -------
        array
            The state afterwards; `ended` is set if an event ends the simulation.

        Raises
        ------
        SolverError
            Events that trigger each other without end, or a delay that is not a positive number.
        """
        for _ in range(_LIMIT):
            self._look(time, state)
            due = [entry for entry in self.waiting if entry.time <= time]
            if not due:
                return state
            if len(self.happened) >= _MOST:
                message = f"more than {_MOST:,} events have happened by time {time:g}"
                raise SolverError(
                    Problem("too-many-events", message, hint="Simulate less time, or let events be rarer.")
                )
            event = self._choose(due, time, state)
            self.waiting.remove(event)
            state = self._happen(event, time, state)
            if self.ended is not None:
                return state
        names = sorted({name for when, name in self.happened[-100:] if when == time})
        raise SolverError(
            Problem(
                "endless-events",
                f"events trigger each other without end at time {time:g}",
                found=", ".join(names),
                hint="Let each event change its own trigger for good.",
            )
        )

    def _look(self, time: float, state: State) -> None:
        for index, (entry, now) in enumerate(zip(self.events, self.triggers(time, state), strict=True)):
            is_true = not math.isnan(now) and bool(now != 0.0)  # a number other than 0 is true, as in SBML and C
            if is_true and not self.true[index]:
                self._fire(index, entry, time, state)
            elif not is_true and self.true[index] and not entry.event.persistent:
                self.waiting = [other for other in self.waiting if other.index != index]
            self.true[index] = is_true

    def _fire(self, index: int, entry: Computed, time: float, state: State) -> None:
        delay = 0.0 if entry.delay is None else float(entry.delay(time, state)[0])
        if not delay >= 0.0:
            raise SolverError(
                Problem(
                    "bad-delay",
                    f"the delay of {entry.event.name!r} is not a number from 0 on at time {time:g}",
                    found=f"{delay:g}",
                )
            )
        values = list(entry.values(time, state)) if entry.event.from_trigger_time else None
        self.waiting.append(_Waiting(index, time + delay, values))

    def _choose(self, due: list[_Waiting], time: float, state: State) -> _Waiting:
        """Return the one of highest priority as things are now: one without a priority comes last, equals are drawn.

        Without any priorities the first of the model comes first. An event that waits several times comes with its earliest.
        """
        if len(due) == 1:
            return due[0]
        earliest: dict[int, _Waiting] = {}
        for entry in due:
            if entry.index not in earliest or entry.time < earliest[entry.index].time:
                earliest[entry.index] = entry
        event, *others = (earliest[index] for index in sorted(earliest))
        if not self.ranked:
            return event
        best, equals = self._rank(event, time, state), 1
        for entry in others:
            rank = self._rank(entry, time, state)
            if rank > best:
                event, best, equals = entry, rank, 1
            elif rank == best:
                equals += 1
                event = entry if self.draws.number() * equals < 1.0 else event
        return event

    def _rank(self, entry: _Waiting, time: float, state: State) -> float:
        priority = self.events[entry.index].priority
        rank = -math.inf if priority is None else float(priority(time, state)[0])
        return -math.inf if math.isnan(rank) else rank

    def _happen(self, waiting: _Waiting, time: float, state: State) -> State:
        entry = self.events[waiting.index]
        values = waiting.values if waiting.values is not None else list(entry.values(time, state))
        factors = entry.factors(time, state) if entry.scaled else []
        changed = state.copy()
        changed[list(entry.targets)] = values
        changed[list(entry.scaled)] *= factors
        self.happened.append((time, entry.event.name))
        if entry.event.terminal:
            self.ended = (entry.event.name, time)
        return changed
