"""Triggers of events in the compiled loop: those that turned true during a step, and the moment at which the first did."""

from __future__ import annotations

from .code import Value
from .dense_output import write_dense_polynomials, write_dense_states
from .lanes import Lanes
from .visit_outputs import tie


def armed(lanes: Lanes, k: int) -> Value:
    """Return in which lanes an event was false before."""
    return lanes.code.load(lanes.place("before"), "v", k).equals(0.0)


def trigger(lanes: Lanes, k: int) -> Value:
    """Return where a trigger that was just computed is true."""
    return lanes.code.load(lanes.place("o"), "v", k).differs(0.0)


def write_crossing(lanes: Lanes, good: Value, after: Value) -> None:
    """Write the search for triggers that turned true during the step."""
    c = lanes.code
    lanes.block("triggers", after, "end", "o")
    crossing = c.constant("m", False)
    for k in range(len(lanes.program.events)):
        crossing = crossing | (good & trigger(lanes, k) & armed(lanes, k))
    quiet = good & ~crossing
    one_value, zero = c.vector(1.0), c.vector(0.0)
    lanes.put("crossing", c.select(crossing, one_value, zero))
    high = highest(lanes)
    for k in range(len(lanes.program.events)):
        now = c.select(trigger(lanes, k), one_value, zero)
        before = lanes.place("before")
        c.store(before, k, c.select(quiet, now, c.load(before, "v", k)))
    with c.when(c.any(crossing)):
        lanes.put("g_high", high)
        lanes.call("find_events")


def highest(lanes: Lanes) -> Value:
    """Return the largest indicator of the events that were false before."""
    c = lanes.code
    total = c.vector(-1e300)
    for k in range(len(lanes.program.events)):
        indicator = c.load(lanes.place("o"), "v", len(lanes.program.events) + k)
        total = c.select(armed(lanes, k) & (indicator > total), indicator, total)
    return total


def write_find_events(lanes: Lanes) -> None:
    """Write the search for the first moment at which a trigger is true (Illinois method with bisection)."""
    c = lanes.code
    write_dense_polynomials(lanes, "all")
    t, h = lanes.get("t"), lanes.get("tried")
    crossing = lanes.get("crossing").differs(0.0)
    lanes.block("triggers", t, "y", "o")
    zero, one_value = c.vector(0.0), c.vector(1.0)
    low, high = c.variable("v", zero), c.variable("v", one_value)
    g_low, g_high = c.variable("v", highest(lanes)), c.variable("v", lanes.get("g_high"))
    side = c.variable("v", zero)
    turn = c.variable("i", 0)
    tolerance = tie(c, t) * 0.5
    with c.repeat() as done:
        wide = crossing & ((high.get() - low.get()) * h > tolerance)
        c.go_on_while(c.any(wide) & (turn.get() < 200), done)
        a, b = low.get(), high.get()
        fraction = g_low.get() / (g_low.get() - g_high.get())
        halve = c.broadcast(c.remainder(turn.get(), 3).equals(2))
        usable = (fraction > 0.0) & (fraction < 1.0) & ~halve
        fraction = c.select(usable, c.maximum(c.minimum(fraction, 0.995), 0.005), 0.5)
        theta = c.fma(b - a, fraction, a)
        write_dense_states(lanes, theta, "trigger", "there")
        lanes.block("triggers", c.fma(theta, h, t), "there", "o")
        true = c.constant("m", False)
        for k in range(len(lanes.program.events)):
            true = true | (trigger(lanes, k) & armed(lanes, k))
        g = highest(lanes)
        up, down = wide & true, wide & ~true
        high.set(c.select(up, theta, b))
        low.set(c.select(down, theta, a))
        # A side that stays put twice counts half, which brings it in.
        g_low.set(c.select(down, g, c.select(up & (side.get() > 0.0), g_low.get() * 0.5, g_low.get())))
        g_high.set(c.select(up, g, c.select(down & (side.get() < 0.0), g_high.get() * 0.5, g_high.get())))
        side.set(c.select(up, one_value, c.select(down, c.vector(-1.0), side.get())))
        turn.set(turn.get() + 1)
    theta = high.get()
    write_dense_states(lanes, theta, "all", "hit")
    with c.loop(len(lanes.program.states)) as i:
        end = c.load(lanes.place("end"), "v", i)
        hit = lanes.place("hit")
        c.store(hit, i, c.select(theta < 1.0, c.load(hit, "v", i), end))
    at = c.select(theta < 1.0, c.fma(theta, h, t), lanes.get("stopped"))
    lanes.put("stopped", c.select(crossing, at, lanes.get("stopped")))
    # A visit at the very time of the event sees what the event made: it waits until the event has happened.
    lanes.put("visible", c.select(crossing, at - tie(c, at), lanes.get("visible")))
    c.give()
