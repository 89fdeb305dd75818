"""Events in the compiled loop that wait after their trigger, for some time or for others, and the priorities of those due together.

Each event with a delay has `SLOTS` places in which it can wait, each with the time at which it is due and, where it takes the values of
its trigger's time, those values. With priorities each event has them: one that others go before can be triggered again meanwhile. A
patient for whom that is not enough, or whose delay is no number from 0 on, ends as one for whom events trigger each other without end.

Among events that are due together with equal priority one is drawn, as SBML wants it. Every patient has the same random numbers from the
start on, so that nobody's course depends on who else is in the ensemble.
"""

from __future__ import annotations

import math

from ..event_draws import FACTOR, LOWER_BITS, STEP
from .code import Value, Variable
from .event_changes import write_event
from .lanes import Lanes
from .workspace import SLOTS, UNDERFLOW

#: The bits of 1.0.
_ONE_BITS = 0x3FF0000000000000


def write_none_anywhere(lanes: Lanes) -> None:
    """Write that no event waits, in all lanes."""
    c = lanes.code
    never = c.vector(math.inf)
    with c.loop(SLOTS * len(lanes.program.waiting)) as i:
        c.store(lanes.place("wait"), i, never)
    lanes.put("due", never)


def write_none(lanes: Lanes, lane: Value) -> None:
    """Write that no event waits in a lane."""
    c = lanes.code
    never = c.constant("d", math.inf)
    with c.loop(SLOTS * len(lanes.program.waiting)) as i:
        lanes.set_lane("wait", lane, never, i)
    lanes.set_lane("due", lane, never)


def write_due(lanes: Lanes) -> None:
    """Write when the next event that waits is due."""
    c = lanes.code
    due = c.variable("v", math.inf)
    with c.loop(SLOTS * len(lanes.program.waiting)) as i:
        due.set(c.minimum(c.load(lanes.place("wait"), "v", i), due.get()))
    lanes.put("due", due.get())


def _first_slot(lanes: Lanes, k: int) -> int:
    return SLOTS * lanes.program.waiting.index(k)


def _first_value(lanes: Lanes, k: int) -> int:
    before = lanes.program.waiting[: lanes.program.waiting.index(k)]
    return SLOTS * sum(len(lanes.program.events[j].targets) for j in before)


def write_forget(lanes: Lanes, lane: Value, k: int) -> None:
    """Write that an event of a lane waits no longer."""
    c = lanes.code
    with c.loop(SLOTS) as q:
        lanes.set_lane("wait", lane, c.constant("d", math.inf), q + _first_slot(lanes, k))


def write_wait(lanes: Lanes, lane: Value, k: int) -> None:
    """Write that an event of a lane, whose trigger has turned true, waits for its delay, if it has one."""
    c, event = lanes.code, lanes.program.events[k]
    first, targets = _first_slot(lanes, k), len(event.targets)
    delay = c.variable("d", 0.0)
    if event.delay is not None:
        lanes.block(f"delay{k}", lanes.get("t"), "y", "there")
        delay.set(lanes.lane("there", lane))
    free = c.variable("i", -1)
    with c.loop(SLOTS) as q, c.when(lanes.lane("wait", lane, "d", q + first).equals(math.inf)):
        free.set(q)
    with c.either((free.get() >= 0) & (delay.get() >= 0.0)) as otherwise:
        lanes.set_lane("wait", lane, lanes.lane("t", lane) + delay.get(), free.get() + first)
        if event.from_trigger_time and targets:
            lanes.block(f"event{k}", lanes.get("t"), "y", "there")
            first_kept = free.get() * targets + _first_value(lanes, k)
            for i in range(targets):
                lanes.set_lane("kept_then", lane, lanes.lane("there", lane, "d", i), first_kept + i)
        otherwise()
        lanes.set_lane("restart", lane, c.constant("d", 0.0))
        lanes.finish(lane, UNDERFLOW)


def write_ranks(lanes: Lanes) -> None:
    """Write the priority of each event, as things are now; one without a priority comes last."""
    c = lanes.code
    last = c.vector(-math.inf)
    for k, event in enumerate(lanes.program.events):
        if event.priority is None:
            c.store(lanes.place("rank"), k, last)
            continue
        lanes.block(f"priority{k}", lanes.get("t"), "y", "there")
        rank = c.load(lanes.place("there"), "v")
        c.store(lanes.place("rank"), k, c.select(rank.equals(rank), rank, last))


def write_draw(lanes: Lanes, lane: Value) -> Value:
    """Write the next random number of a lane, between 0 and 1, and return it."""
    c = lanes.code
    state = lanes.lane("draws", lane, "i") * c.integer(FACTOR) + c.integer(STEP)
    lanes.set_lane("draws", lane, state)
    return c.as_number((state >> LOWER_BITS) | _ONE_BITS) - 1.0


def write_best_event(lanes: Lanes, lane: Value, changed: Variable) -> None:
    """Write what the event of the highest priority that is due does to a lane; without priorities, the first of the model."""
    program = lanes.program
    slots = {k: lanes.code.variable("i", -1) for k in program.waiting}
    winner = _write_choice(lanes, lane, slots)
    _write_winner(lanes, lane, changed, slots, winner)


def _write_choice(lanes: Lanes, lane: Value, slots: dict[int, Variable]) -> Value:
    """Write the choice among the events that are due, and return its number, or -1; of equal priorities, each is as likely."""
    c, program = lanes.code, lanes.program
    best, rank, equals = c.variable("i", -1), c.variable("d", -math.inf), c.variable("d", 1.0)
    for k in range(len(program.events)):
        if k in slots:
            _write_earliest(lanes, lane, k, slots[k])
            due = slots[k].get() >= 0
        else:
            due = lanes.lane("pending", lane, "d", k).differs(0.0)
        rank_here = lanes.lane("rank", lane, "d", k) if program.ranked else c.constant("d", 0.0)
        better = (best.get() < 0) | (rank_here > rank.get())
        if program.ranked:
            with c.when(due & ~better & rank_here.equals(rank.get())):
                equals.set(equals.get() + 1.0)
                with c.when(write_draw(lanes, lane) * equals.get() < 1.0):
                    best.set(k)
        with c.when(due & better):
            best.set(k)
            rank.set(rank_here)
            equals.set(1.0)
    return best.get()


def _write_winner(lanes: Lanes, lane: Value, changed: Variable, slots: dict[int, Variable], winner: Value) -> None:
    """Write what the event that was chosen does."""
    c, program = lanes.code, lanes.program
    offset = 0
    for k, event in enumerate(program.events):
        with c.when(winner.equals(k)):
            lanes.set_lane("firing", lane, c.constant("d", 1.0))
            changed.set(c.constant("b", True))
            if k in slots:
                slot = slots[k].get()
                lanes.set_lane("wait", lane, c.constant("d", math.inf), slot + _first_slot(lanes, k))
                first_kept = slot * len(event.targets) + _first_value(lanes, k)
                write_event(lanes, lane, k, event, "kept_then", first_kept)
            else:
                lanes.set_lane("pending", lane, c.constant("d", 0.0), k)
                write_event(lanes, lane, k, event, "kept", offset)
        offset += len(event.targets)


def _write_earliest(lanes: Lanes, lane: Value, k: int, slot: Variable) -> None:
    """Write which place of an event is due first, of those that are due; -1 where none is."""
    c = lanes.code
    earliest = c.variable("d", math.inf)
    now = lanes.lane("t", lane)
    slot.set(-1)
    with c.loop(SLOTS) as q:
        time = lanes.lane("wait", lane, "d", q + _first_slot(lanes, k))
        with c.when((time <= now) & (time < earliest.get())):
            earliest.set(time)
            slot.set(q)
