"""Stops that are known: where conditions of time alone depend on nothing in which patients differ, the next moment at which one changes is
the same for all of them, so the first who comes there looks for it and a worker keeps it for the others.

What is kept is found again by the very time from which the search began, and the very time at which it ended; it is what the search would
give, so nobody's numbers depend on who came first.
"""

from __future__ import annotations

from .code import Value
from .lanes import Lanes
from .program import clock_parameters
from .workspace import KEPT, KEPT_FIELDS


def write_empty(lanes: Lanes) -> None:
    """Write that no stop is known yet, and whether all patients of the job have the same."""
    c, program = lanes.code, lanes.program
    with c.loop(KEPT) as i:
        c.store(lanes.place("known"), i * KEPT_FIELDS, c.constant("d", float("nan")))
    needed = clock_parameters(program) or frozenset()
    table = c.numbers("clock_parameters", [int(i in needed) for i in range(len(program.parameters))])
    different = c.variable("i", 0)
    for count, names in (("varied_count", "varied"), ("switched_count", "switched")):
        with c.loop(lanes.field(count, "i")) as i:
            different.set(different.get() + c.load(table, "i", lanes.entry(names, i, "i")))
    lanes.put_integer("different", different.get())


def write_recalled(lanes: Lanes, searching: Value) -> Value:
    """Write the next stop of lanes for which it is known; return those that have to search."""
    c = lanes.code
    lanes.put("unknown", c.select(searching, c.vector(1.0), 0.0))
    with c.when(lanes.integer("different").equals(0)), c.each(searching) as lane:
        number = lanes.lane("stops", lane, "i")
        lanes.set_lane("stops", lane, number + 1)
        entry = _entry(lanes, number)
        same_start = c.load(entry, "d", 0).equals(lanes.lane("t", lane))
        with c.when(same_start & c.load(entry, "d", 1).equals(lanes.lane("segment_end", lane))):
            lanes.set_lane("stop", lane, c.load(entry, "d", 2))
            lanes.set_lane("turning", lane, c.load(entry, "d", 3))
            lanes.set_lane("unknown", lane, c.constant("d", 0.0))
    return lanes.get("unknown").differs(0.0)


def write_kept(lanes: Lanes, searched: Value) -> None:
    """Keep the stops that lanes have searched for."""
    c = lanes.code
    with c.when(lanes.integer("different").equals(0)), c.each(searched) as lane:
        entry = _entry(lanes, lanes.lane("stops", lane, "i") - 1)
        for field, name in enumerate(("t", "segment_end", "stop", "turning")):
            c.store(entry, field, lanes.lane(name, lane))


def _entry(lanes: Lanes, number: Value) -> Value:
    """Return where the stop of a patient with this number, counted from 0, is kept."""
    return lanes.code.address(lanes.place("known"), "d", (number & (KEPT - 1)) * KEPT_FIELDS)
