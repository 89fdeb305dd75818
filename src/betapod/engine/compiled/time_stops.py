"""Jumps in the compiled loop: the conditions that are held between them, and the next moment at which time alone changes one.

Nothing is stepped over, because a stretch of time is passed only where bounds of every condition (`betapod.engine.enclosures`)
show that none changes in it; elsewhere the stretch is halved, down to where looking at its end is enough: where bounds of their slopes show
that each changes once at most, or where it is a few units of rounding.
"""

from __future__ import annotations

from . import known_stops
from .code import Code, Value
from .lanes import Lanes
from .workspace import keeps_stops

#: Turns of a search after which a lane stops where it has come to, and looks on from there.
TURNS = 6_000


def just_before(c: Code, t: Value) -> Value:
    """Return the next smaller number, for numbers from 0 on (0 itself has none)."""
    return c.select(t > 0.0, c.as_number(c.as_bits(t) - 1), t)


def write_hold(lanes: Lanes) -> None:
    """Write the values of all conditions, to be held, in lanes that start anew, and where they stop next."""
    c, switches = lanes.code, lanes.program.switches
    t = lanes.get("t")
    starting = lanes.get("restart").differs(0.0) & lanes.get("live").differs(0.0)
    parameter = switches.held
    for name in ("clocks", "states"):
        count = len(getattr(switches, name).results)
        if count:
            lanes.block(name, t, "y", "o")
        for i in range(count):
            _hold(lanes, parameter + i, starting, c.load(lanes.place("o"), "v", i))
        parameter += count
    for j, k in enumerate(switches.triggers):
        _hold(lanes, parameter + j, starting, c.load(lanes.place("before"), "v", k))
    if switches.clocks.results:
        lanes.constants()
        _write_next_stop(lanes, starting)
    c.give()


def _hold(lanes: Lanes, parameter: int, starting: Value, value: Value) -> None:
    c, p = lanes.code, lanes.place("p")
    c.store(p, parameter, c.select(starting, value, c.load(p, "v", parameter)))


def holds(lanes: Lanes, name: str, t: Value, where: str) -> Value:
    """Return in which lanes a block of one truth value gives true."""
    lanes.block(name, t, where, "o")
    return lanes.code.load(lanes.place("o"), "v").differs(0.0)


def put_bounds(lanes: Lanes, low: Value, high: Value) -> None:
    """Write the two ends of a stretch of time, for blocks that read bounds."""
    bounds = lanes.place("bounds")
    lanes.code.store(bounds, 0, low)
    lanes.code.store(bounds, 1, high)


def _write_next_stop(lanes: Lanes, starting: Value) -> None:
    """Write the next moment at which a condition of time is not as held: as it is known, or by a search."""
    c = lanes.code
    t = lanes.get("t")
    searching = starting & (lanes.get("segment_end") > t)
    if not lanes.program.switches.still:  # else an event may have moved what time is compared with
        searching = searching & (lanes.get("stop") <= t)
    keeping = keeps_stops(lanes.program, c.width)
    if keeping:
        searching = known_stops.write_recalled(lanes, searching)
    with c.when(c.any(searching)):
        _write_search(lanes, searching)
        if keeping:
            known_stops.write_kept(lanes, searching)


def _write_search(lanes: Lanes, searching: Value) -> None:
    """Write the search for the first moment at which a condition of time is not as held."""
    c = lanes.code
    t, end = lanes.get("t"), lanes.get("segment_end")
    switches = lanes.program.switches
    for j, k in enumerate(switches.still):
        c.store(lanes.place("bounds"), 2 + 2 * len(switches.watched) + j, c.load(lanes.place("y"), "v", k))
    active = c.variable("m", searching)
    low, width = c.variable("v", t), c.variable("v", end - t)
    high = c.variable("v", end)
    changed = c.variable("m", c.constant("m", False))
    turn = c.variable("i", 0)
    # Below this nothing is told apart: a few units in the last place, and next to 0 a tiny part of the time to come.
    finest = c.fma(end - t, 1e-18, 1e-300)
    with c.repeat() as done:
        c.go_on_while(c.any(active.get()) & (turn.get() < TURNS), done)
        now, a, w = active.get(), low.get(), width.get()
        b = c.minimum(a + w, end)
        put_bounds(lanes, a, b)
        quiet = now & holds(lanes, "clock_quiet", t, "bounds")
        narrow = now & ~quiet & ((b - a) <= c.fma(b, 1e-15, finest))
        told = c.variable("m", narrow)
        with c.when(c.any(now & ~quiet)):
            told.set(narrow | (now & ~quiet & holds(lanes, "clock_turning", t, "bounds")))
        passed = c.variable("m", quiet)
        with c.when(c.any(told.get())):
            other = told.get() & ~holds(lanes, "clock_same", b, "y")
            changed.set(changed.get() | other)
            high.set(c.select(other, b, high.get()))
            active.set(active.get() & ~other)
            passed.set(passed.get() | (told.get() & ~other))
        on = passed.get()
        low.set(c.select(on, b, a))
        grown = c.select(quiet, w * 2.0, c.maximum(w * 4.0, c.fma(b, 1e-15, finest)))
        width.set(c.select(on, grown, c.select(now & ~told.get(), w * 0.5, w)))
        active.set(active.get() & ~(on & (b >= end)))
        turn.set(turn.get() + 1)
    # Who has not come to the end in so many turns stops on the way.
    unfinished = active.get()
    moment = _first_change(lanes, searching & changed.get(), low.get(), high.get())
    onward = c.maximum(low.get(), c.fma(end - t, 1e-3, t))
    stop = c.select(changed.get(), moment, c.select(unfinished, c.minimum(onward, end), end))
    lanes.put("stop", c.select(searching, stop, lanes.get("stop")))
    one_value, zero = c.vector(1.0), c.vector(0.0)
    lanes.put("turning", c.select(searching, c.select(changed.get(), one_value, zero), lanes.get("turning")))


def _first_change(lanes: Lanes, wide: Value, before: Value, after: Value) -> Value:
    """Write the search, to the last bit, for the first moment at which conditions of time are not as held."""
    c = lanes.code
    low, high = c.variable("v", before), c.variable("v", after)
    turn = c.variable("i", 0)
    with c.repeat() as done:
        middle = (low.get() + high.get()) * 0.5
        apart = wide & (middle > low.get()) & (middle < high.get())
        c.go_on_while(c.any(apart) & (turn.get() < 100), done)
        same = holds(lanes, "clock_same", middle, "y")
        low.set(c.select(apart & same, middle, low.get()))
        high.set(c.select(apart & ~same, middle, high.get()))
        turn.set(turn.get() + 1)
    return high.get()
