"""Jumps that states make in the compiled loop: the first moment of a step at which a condition of states, or a watched trigger, changes.

The step is searched along its dense output, by bounds of the polynomial (see `betapod.engine.compiled.time_stops`).
"""

from __future__ import annotations

from collections.abc import Callable

from .code import Value, Variable
from .dense_output import write_dense_polynomials, write_dense_states
from .lanes import Lanes
from .time_stops import TURNS, holds, put_bounds
from .visit_outputs import tie

#: Stretches narrower than this part of a step, in which a condition may change, are looked at at their ends alone; after so many turns
#: of a search, in which bounds have decided too little, stretches of the second width.
NARROWEST, PATIENT_TURNS, NARROW = 2.0**-32, 500, 2.0**-8
#: So often a condition may change without time going on.
PATIENCE = 1_000.0


def write_watch(lanes: Lanes) -> None:
    """Write the search of a step for the first moment at which a condition of states, or a watched trigger, changes."""
    c = lanes.code
    t, h, end = lanes.get("t"), lanes.get("tried"), lanes.get("visible")
    good = lanes.get("good").differs(0.0)
    write_dense_polynomials(lanes, "watched")
    crossed = c.variable("m", c.constant("m", False))
    a, w = c.variable("v", 0.0), c.variable("v", 1.0)
    low, high = c.variable("v", 0.0), c.variable("v", 1.0)
    turn = c.variable("i", 0)

    def moment(theta: Value) -> Value:
        return c.select(theta < 1.0, c.fma(theta, h, t), end)

    with c.repeat() as done:
        now = good & (a.get() < 1.0) & ~crossed.get()
        c.go_on_while(c.any(now) & (turn.get() < TURNS), done)
        first, width = a.get(), w.get()
        last = c.minimum(first + width, 1.0)
        put_bounds(lanes, c.fma(first, h, t), moment(last))
        _write_state_bounds(lanes, first, last)
        quiet = now & holds(lanes, "watch_quiet", t, "bounds")
        finest = c.select(c.broadcast(turn.get() < PATIENT_TURNS), c.vector(NARROWEST), NARROW)
        narrow = now & ~quiet & (width <= finest)
        passed = c.variable("m", quiet)
        with c.when(c.any(narrow)):
            write_dense_states(lanes, last, "watched", "there")
            changed = narrow & ~holds(lanes, "watch_same", moment(last), "there")
            low.set(c.select(changed, first, low.get()))
            high.set(c.select(changed, last, high.get()))
            crossed.set(crossed.get() | changed)
            passed.set(passed.get() | (narrow & ~changed))
        on = passed.get()
        a.set(c.select(on, last, first))
        w.set(c.select(quiet, width * 2.0, c.select(now & ~narrow, width * 0.5, width)))
        turn.set(turn.get() + 1)
    unsearched = good & (a.get() < 1.0) & ~crossed.get()
    with c.when(c.any(unsearched)):
        changed = unsearched & ~holds(lanes, "watch_same", end, "end")
        low.set(c.select(changed, a.get(), low.get()))
        crossed.set(crossed.get() | changed)
    with c.when(c.any(crossed.get())):
        _write_narrowing(lanes, crossed.get(), low, high, moment)
    c.give()


def _write_state_bounds(lanes: Lanes, first: Value, last: Value) -> None:
    """Write bounds of the states that conditions need, over a part of the step: the dense output about the part's middle."""
    c = lanes.code
    a = lanes.arrays()
    middle, radius = (first + last) * 0.5, (last - first) * 0.5
    bounds = c.address(lanes.place("bounds"), "v", 2)
    watched = lanes.states["watched"]
    with c.loop(watched.count) as q:
        i = watched.number(q)
        c2, c3, c4 = (c.load(lanes.place("dense"), "v", i * 3 + r) for r in range(3))
        start, end = c.load(a.y, "v", i), c.load(a.end, "v", i)
        # The polynomial of `write_dense` by powers of theta, then (Horner, four times) by powers of theta - middle.
        powers = [start, end - start + c2, c3 - c2, c4 - c3, -c4]
        for k in range(4):
            for j in range(3, k - 1, -1):
                powers[j] = c.fma(powers[j + 1], middle, powers[j])
        spread = c.absolute(powers[4])
        for k in (3, 2, 1):
            spread = c.fma(spread, radius, c.absolute(powers[k]))
        spread = spread * radius
        c.store(bounds, q * 2, powers[0] - spread)
        c.store(bounds, q * 2 + 1, powers[0] + spread)


def _write_narrowing(
    lanes: Lanes, crossed: Value, low: Variable, high: Variable, moment: Callable[[Value], Value]
) -> None:
    """Write the search, to the last bit of time, for the change between two places of the step, and what follows from it."""
    c = lanes.code
    h = lanes.get("tried")
    turn = c.variable("i", 0)
    with c.repeat() as done:
        middle = (low.get() + high.get()) * 0.5
        fine = (high.get() - low.get()) * h <= c.absolute(lanes.get("stopped")) * 2.0**-52
        apart = crossed & ~fine & (middle > low.get()) & (middle < high.get())
        c.go_on_while(c.any(apart) & (turn.get() < 100), done)
        write_dense_states(lanes, middle, "watched", "there")
        same = holds(lanes, "watch_same", moment(middle), "there")
        low.set(c.select(apart & same, middle, low.get()))
        high.set(c.select(apart & ~same, middle, high.get()))
        turn.set(turn.get() + 1)
    theta = high.get()
    write_dense_polynomials(lanes, "all")
    write_dense_states(lanes, theta, "all", "hit")
    with c.loop(len(lanes.program.states)) as i:
        hit = lanes.place("hit")
        c.store(hit, i, c.select(theta < 1.0, c.load(hit, "v", i), c.load(lanes.place("end"), "v", i)))
    at = c.select(theta < 1.0, moment(theta), lanes.get("stopped"))
    lanes.put("stopped", c.select(crossed, at, lanes.get("stopped")))
    lanes.put("crossing", c.select(crossed, c.vector(1.0), lanes.get("crossing")))
    # A visit at the very time of an event sees what the event made: it waits until the event has happened.
    lanes.put("visible", c.select(crossed, at - tie(c, at), lanes.get("visible")))


def write_haste(lanes: Lanes, good: Value, crossing: Value, before: Value, after: Value) -> Value:
    """Write how often in a row a condition has changed without time going on; return where that is too often."""
    c = lanes.code
    # Beside the time to come, as well: next to 0, steps of rounding are large parts of the time that has gone.
    scale = c.maximum(c.absolute(after), lanes.get("segment_end"))
    still = crossing & (after - before < scale * 1e-12)
    count = c.select(still, lanes.get("hasty") + 1.0, c.select(good, c.vector(0.0), lanes.get("hasty")))
    lanes.put("hasty", count)
    stuck = good & (count > PATIENCE)
    lanes.put("crossing", c.select(stuck, c.vector(0.0), lanes.get("crossing")))
    return stuck
