"""Events in the compiled loop: which happen, in what order, and what they do to the states."""

from __future__ import annotations

from . import waiting_events
from .code import Value, Variable
from .event_changes import write_event
from .lanes import Lanes
from .workspace import UNDERFLOW

#: More events than this at one moment trigger each other without end.
ROUNDS = 10_000


def write_fire(lanes: Lanes) -> None:
    """Write what events do to lanes that start anew, as SBML defines it.

    All triggers are looked at; the events of those that have turned true wait, with the values of that moment. Then the first
    that waits happens, and all triggers are looked at again, until none waits. Where events have delays or priorities, the first is
    that of the highest priority of those that are due.
    """
    c, program = lanes.code, lanes.program
    first = waiting_events.write_best_event if program.waiting else _write_first_event
    rounds = c.variable("i", 0)
    changed = c.variable("b", c.constant("b", True))
    with c.repeat() as done:
        c.go_on_while(changed.get() & (rounds.get() < ROUNDS), done)
        changed.set(c.constant("b", False))
        rounds.set(rounds.get() + 1)
        lanes.put("firing", c.vector(0.0))
        lanes.block("triggers", lanes.get("t"), "y", "o")
        with c.loop(c.width) as lane, c.when(_starting(lanes, lane)):
            _write_look(lanes, lane)
        if program.ranked:
            waiting_events.write_ranks(lanes)
        with c.loop(c.width) as lane, c.when(_starting(lanes, lane)):
            first(lanes, lane, changed)
    # Events that trigger each other without end leave a patient whom nobody can go on with.
    with c.when(changed.get()), c.loop(c.width) as lane:
        endless = _starting(lanes, lane) & lanes.lane("firing", lane).differs(0.0)
        with c.when(endless):
            lanes.set_lane("restart", lane, c.constant("d", 0.0))
            lanes.finish(lane, UNDERFLOW)
    if program.waiting:
        waiting_events.write_due(lanes)
    c.give()


def _starting(lanes: Lanes, lane: Value) -> Value:
    return lanes.lane("restart", lane).differs(0.0) & lanes.lane("live", lane).differs(0.0)


def _write_look(lanes: Lanes, lane: Value) -> None:
    """Write which events of a lane are to happen, now that its triggers are computed."""
    c = lanes.code
    one_value, zero = c.constant("d", 1.0), c.constant("d", 0.0)
    offset, waiting = 0, lanes.program.waiting
    for k, event in enumerate(lanes.program.events):
        now = lanes.lane("o", lane, "d", k).differs(0.0)
        before = lanes.lane("before", lane, "d", k).differs(0.0)
        with c.when(~now):
            lanes.set_lane("before", lane, zero, k)
            if not event.persistent:
                lanes.set_lane("pending", lane, zero, k)
                if k in waiting:
                    waiting_events.write_forget(lanes, lane, k)
        with c.when(now & ~before):
            lanes.set_lane("before", lane, one_value, k)
            if k in waiting:
                waiting_events.write_wait(lanes, lane, k)
            else:
                lanes.set_lane("pending", lane, one_value, k)
            if k not in waiting and event.from_trigger_time and event.targets:
                lanes.block(f"event{k}", lanes.get("t"), "y", "there")
                for i in range(len(event.targets)):
                    lanes.set_lane("kept", lane, lanes.lane("there", lane, "d", i), offset + i)
        offset += len(event.targets)


def _write_first_event(lanes: Lanes, lane: Value, changed: Variable) -> None:
    """Write what the first event that waits does to a lane."""
    c = lanes.code
    offset = 0
    with c.skippable() as done:
        for k, event in enumerate(lanes.program.events):
            with c.when(lanes.lane("pending", lane, "d", k).differs(0.0)):
                lanes.set_lane("pending", lane, c.constant("d", 0.0), k)
                lanes.set_lane("firing", lane, c.constant("d", 1.0))
                changed.set(c.constant("b", True))
                write_event(lanes, lane, k, event, "kept", offset)
                c.leave(done)
            offset += len(event.targets)
