"""Visits in the compiled loop: the outputs of a patient are reported at each visit that a step has passed."""

from __future__ import annotations

from .code import Code, Value
from .dense_output import write_dense_polynomials, write_dense_states
from .lanes import Lanes


def tie(c: Code, t: Value) -> Value:
    """Return how near to an event a visit counts as simultaneous; events are found twice as closely."""
    return c.fma(c.absolute(t), 2e-13, 2e-10)


def visit_due(lanes: Lanes, lane: Value) -> Value:
    """Return whether a visit of a lane is due at its present time, which is not exact where states made it stop."""
    t, switches = lanes.lane("t", lane), lanes.program.switches
    now = t + tie(lanes.code, t) if switches.watches or switches.looks else t
    return (lanes.lane("visit", lane) <= now) & lanes.lane("live", lane).differs(0.0)


def write_waiting_visits(lanes: Lanes) -> None:
    """Write visits that waited for an event at the same time."""
    c = lanes.code
    lanes.block("output", lanes.get("t"), "y", "o")
    with c.loop(c.width) as lane, c.when(visit_due(lanes, lane) & lanes.lane("restart", lane).differs(0.0)):
        report_visit(lanes, lane)


def report_visit(lanes: Lanes, lane: Value, where: str = "o") -> None:
    """Write the outputs of a lane's present visit to the result and go to its next visit."""
    c = lanes.code
    done = lanes.lane("visits_done", lane, "i")
    visits = lanes.field("visit_count", "i")
    _write_row(lanes, lane, where)
    lanes.set_lane("visits_done", lane, done + 1)
    lanes.set_lane("visit", lane, c.constant("d", float("inf")))
    with c.when(done + 1 < visits):
        lanes.set_lane("visit", lane, lanes.entry("times", done + 1, "d"))


def _write_row(lanes: Lanes, lane: Value, where: str) -> None:
    """Write the outputs of a lane's present visit to the result."""
    c, outputs = lanes.code, len(lanes.program.outputs)
    first = lanes.lane("patient", lane, "i") * lanes.field("visit_count", "i") + lanes.lane("visits_done", lane, "i")
    row = c.address(lanes.field("out", "p"), "d", first * outputs)
    if outputs <= 64:  # one after another: the usual case, and quicker than a loop
        source = lanes.lane_place(where, lane, 0)
        for i in range(outputs):
            c.store(row, i, c.load(source, "d", i * c.width))
    else:
        with c.loop(outputs) as number:
            c.store(row, number, lanes.lane(where, lane, "d", number))


def write_visits(lanes: Lanes) -> None:
    """Write the visits that lanes have passed in this step, by dense output.

    The next visit of each lane stays a vector: parts of it, written one by one, would have to arrive in memory before it could be read.
    """
    c = lanes.code
    write_dense_polynomials(lanes, "output")
    good, t = lanes.get("good").differs(0.0), lanes.get("t")
    visit = c.variable("v", lanes.get("visit"))
    with c.repeat() as done:
        due = good & (visit.get() <= lanes.get("visible"))
        c.go_on_while(c.any(due), done)
        theta = c.select(due, (visit.get() - t) / lanes.get("tried"), 0.0)
        write_dense_states(lanes, theta, "output", "there")
        lanes.block("output", c.select(due, visit.get(), t), "there", "o")
        with c.each(due) as lane:
            _write_row(lanes, lane, "o")
        visit.set(c.select(due, _next_visit(lanes, due), visit.get()))
    lanes.put("visit", visit.get())
    c.give()


def _next_visit(lanes: Lanes, due: Value) -> Value:
    """Count a visit in the lanes where it was due, and return when the next is."""
    c, counts = lanes.code, lanes.place("visits_done")
    done = c.load(counts, "k")
    after = c.select(due, done + 1, done)
    c.store(counts, 0, after)
    last = c.broadcast(lanes.field("visit_count", "i") - 1)
    there = after <= last
    return c.select(there, c.gather(lanes.field("times", "p"), c.select(there, after, last)), float("inf"))
