"""Patients in the compiled loop: taken from the queue, started, led from segment to segment, and finished."""

from __future__ import annotations

from ..event_draws import SEED
from . import waiting_events
from .blocks import STAGES
from .code import Value
from .lanes import Lanes
from .lower import SEGMENT_START, slope_name
from .rosenbrock import error_weight
from .visit_outputs import report_visit, write_waiting_visits
from .workspace import ENDED, IMPOSSIBLE, NEW, NONE, OK, RESTART, SEGMENT, keeps_stops

#: By how much the first step may be a larger share of the time in which a state grows e-fold by itself: a tenth of it in all.
_RESOLVED = 10.0


def write_finish(lanes: Lanes, lane: Value, status: Value) -> None:
    """Write the end of a patient: status, counts, NaN at the visits that were not reached, last state of a failure."""
    c = lanes.code
    patient = lanes.lane("patient", lane, "i")
    final = c.variable("i", status)
    with c.when(status <= ENDED), c.loop(len(lanes.program.states)) as i:
        below = lanes.lane("y", lane, "d", i) < lanes.entry("floors", i, "d")
        with c.when(below):
            final.set(c.integer(IMPOSSIBLE))
    status = final.get()
    c.store(lanes.field("status", "p"), patient, status)
    for name in ("steps", "rejected"):
        count = c.to_integer(lanes.lane(name, lane))
        c.store(lanes.field(name, "p"), patient, count)
    with c.when(status.differs(OK)):
        c.store(lanes.field("ended_at", "p"), patient, lanes.lane("t", lane))
        visits, outputs = lanes.field("visit_count", "i"), len(lanes.program.outputs)
        first = (patient * visits + lanes.lane("visits_done", lane, "i")) * outputs
        with c.loop((patient * visits + visits) * outputs, first) as i:
            c.store(lanes.field("out", "p"), i, c.constant("d", float("nan")))
    with c.when(status > ENDED), c.loop(len(lanes.program.states)) as i:
        c.store(lanes.field("last", "p"), patient * len(lanes.program.states) + i, lanes.lane("y", lane, "d", i))
    lanes.set_lane("live", lane, c.constant("d", 0.0))
    lanes.set_lane("visit", lane, c.constant("d", float("inf")))
    lanes.set_lane("action", lane, c.integer(NEW))
    c.give()


def write_next_segment(lanes: Lanes, lane: Value) -> None:
    """Write the passage to the next segment, or the end of the patient."""
    c = lanes.code
    following = lanes.lane("segment", lane, "i") + 1
    schedule = lanes.entry("schedule", lanes.lane("patient", lane, "i"), "i")
    with c.either(following < lanes.entry("segment_offsets", schedule + 1, "i")) as otherwise:
        lanes.set_lane("segment", lane, following)
        lanes.set_lane("action", lane, c.integer(SEGMENT))
        otherwise()
        lanes.finish(lane, OK)


def write_take(lanes: Lanes, lane: Value) -> None:
    """Write the start of the next patient of the queue in a lane, or leave the lane idle."""
    c = lanes.code
    patient = c.fetch_add(lanes.field("next", "p"), 1)
    stop = c.load(lanes.field("stop", "p"), "i")
    with c.returning_unless((patient < lanes.field("count", "i")) & stop.equals(0)):
        lanes.set_lane("action", lane, c.integer(NONE))
        lanes.set_lane("live", lane, c.constant("d", 0.0))
        c.give()
    lanes.set_lane("patient", lane, patient)
    with c.loop(len(lanes.program.parameters)) as i:
        lanes.set_lane("p", lane, lanes.entry("base", i, "d"), i)
    varied = lanes.field("varied_count", "i")
    with c.loop(varied) as i:
        lanes.set_lane("p", lane, lanes.entry("values", patient * varied + i, "d"), lanes.entry("varied", i, "i"))
    with c.loop(len(lanes.program.parameters)) as i:
        lanes.set_lane("own", lane, lanes.lane("p", lane, "d", i), i)
    schedule = lanes.entry("schedule", patient, "i")
    lanes.set_lane("segment", lane, lanes.entry("segment_offsets", schedule, "i"))
    with c.loop(len(lanes.program.states)) as i:
        lanes.set_lane("atol", lane, lanes.entry("atol", schedule * len(lanes.program.states) + i, "d"), i)
    fresh = {"t": 0.0, "live": 1.0, "steps": 0.0, "rejected": 0.0, "old_error": 1e-4, "hasty": 0.0}
    for name, value in fresh.items():
        lanes.set_lane(name, lane, c.constant("d", value))
    lanes.set_lane("visits_done", lane, c.integer(0))
    lanes.set_lane("visit", lane, lanes.entry("times", c.integer(0), "d"))
    for k, event in enumerate(lanes.program.events):
        lanes.set_lane("before", lane, c.constant("d", 1.0 if event.initially else 0.0), k)
        lanes.set_lane("pending", lane, c.constant("d", 0.0), k)
    if lanes.program.waiting:
        waiting_events.write_none(lanes, lane)
    if lanes.program.ranked:
        lanes.set_lane("draws", lane, c.integer(SEED))
    if keeps_stops(lanes.program, c.width):
        lanes.set_lane("stops", lane, c.integer(0))
    c.give()


def write_begin_segment(lanes: Lanes, lane: Value) -> None:
    """Write the start of a segment: inputs, doses."""
    c, p = lanes.code, lanes.program
    segment = lanes.lane("segment", lane, "i")
    switched = lanes.field("switched_count", "i")
    with c.loop(switched) as i:
        where = lanes.entry("switched", i, "i")
        at = segment * switched + i
        patient_value = lanes.lane("own", lane, "d", where)
        lanes.set_lane(
            "p",
            lane,
            lanes.entry("switch_fixed", at, "d") + lanes.entry("switch_factor", at, "d") * patient_value,
            where,
        )
    for r, name in enumerate(p.ramps):
        patient_value = lanes.lane("own", lane, "d", p.parameters.index(name))
        at = segment * len(p.ramps) + r
        slope = lanes.entry("ramp_fixed", at, "d") + lanes.entry("ramp_factor", at, "d") * patient_value
        lanes.set_lane("p", lane, slope, p.parameters.index(slope_name(name)))
    if p.ramps:
        start = lanes.entry("segment_start", segment, "d")
        lanes.set_lane("p", lane, start, p.parameters.index(SEGMENT_START))
    lanes.set_lane("segment_end", lane, lanes.entry("segment_end", segment, "d"))
    # Where time's conditions change next depends on the inputs, so it is found anew.
    lanes.set_lane("stop", lane, c.constant("d", -1.0))
    with c.loop(lanes.entry("dose_offsets", segment + 1, "i"), lanes.entry("dose_offsets", segment, "i")) as i:
        state = lanes.entry("dose_state", i, "i")
        lanes.set_lane("y", lane, lanes.lane("y", lane, "d", state) + lanes.entry("dose_amount", i, "d"), state)
    c.give()


def write_attend(lanes: Lanes) -> None:
    """Write what lanes need between steps; it gives false when no patient is left."""
    c, p = lanes.code, lanes.program
    again = c.variable("b", c.constant("b", True))
    with c.repeat() as done:
        c.go_on_while(again.get(), done)
        again.set(c.constant("b", False))
        with lanes.where("action", NEW) as lane:
            lanes.call("take", lane)
        with c.when(count_where(lanes, "action", NEW) > 0):
            write_initial(lanes)
        with lanes.where("action", SEGMENT) as lane:
            lanes.call("begin_segment", lane)
            lanes.set_lane("action", lane, c.integer(RESTART))
        lanes.constants()
        with lanes.where("action", RESTART) as lane:
            lanes.set_lane("restart", lane, c.constant("d", 1.0))
            lanes.set_lane("action", lane, c.integer(NONE))
        if lanes.program.events:
            lanes.call("fire")
        if lanes.program.events or p.switches.clocks.results:
            write_waiting_visits(lanes)
        if p.switches.any:
            lanes.call("hold")
            lanes.constants()
        # An event at the very end of a segment, or a last visit at the start, leaves nothing to integrate.
        with c.loop(c.width) as lane:
            over = lanes.lane("t", lane) >= lanes.lane("segment_end", lane)
            alive = lanes.lane("live", lane).differs(0.0) & lanes.lane("action", lane, "i").equals(NONE)
            with c.when(alive & over):
                write_next_segment(lanes, lane)
            with c.when(lanes.lane("action", lane, "i").differs(NONE)):
                again.set(c.constant("b", True))
    c.give(c.any(lanes.get("live").differs(0.0)))


def count_where(lanes: Lanes, name: str, value: int) -> Value:
    """Return in how many lanes an integer has a value."""
    count = lanes.code.variable("i", 0)
    with lanes.where(name, value):
        count.set(count.get() + 1)
    return count.get()


def write_initial(lanes: Lanes) -> None:
    """Write initial values, events that happen at once, and the visit at time 0, of lanes that are new."""
    c = lanes.code
    lanes.constants()
    c.call("initial", [lanes.place("p"), lanes.place("stage")], None)
    with lanes.where("action", NEW) as lane:
        with c.loop(len(lanes.program.states)) as i:
            lanes.set_lane("y", lane, lanes.lane("stage", lane, "d", i), i)
        count = lanes.field("override_count", "i")
        patient = lanes.lane("patient", lane, "i")
        with c.loop(count) as i:
            value = lanes.entry("starts", patient * count + i, "d")
            lanes.set_lane("y", lane, value, lanes.entry("overrides", i, "i"))
        lanes.set_lane("restart", lane, c.constant("d", 1.0))
    if lanes.program.events:
        lanes.call("fire")
    lanes.block("output", lanes.get("t"), "y", "o")
    # Whom an event has ended at once has given up the lane to the next patient.
    with lanes.where("action", NEW) as lane, c.when(lanes.lane("live", lane).differs(0.0)):
        with c.when(lanes.lane("visit", lane) <= 0.0):
            report_visit(lanes, lane)
        lanes.set_lane("action", lane, c.integer(SEGMENT))


def write_first_step(lanes: Lanes) -> None:
    """Write the length of the first step after a start: a hundredth of the time in which the states change by themselves.

    Growth is resolved: beside a root at 0 the slope of a state by itself is so large that a longer step would have the wrong sign, and an
    error estimate as small as the step.
    """
    c = lanes.code
    rtol = c.broadcast(lanes.field("rtol", "d"))
    sizes, speeds = c.variable("v", 0.0), c.variable("v", 0.0)
    with c.loop(len(lanes.program.states)) as i:
        y = c.load(lanes.place("y"), "v", i)
        w = error_weight(c, c.absolute(y), rtol, c.load(lanes.place("atol"), "v", i))
        size, speed = y * w, c.load(lanes.place("k"), "v", i * STAGES) * w
        sizes.set(c.fma(size, size, sizes.get()))
        speeds.set(c.fma(speed, speed, speeds.get()))
    fraction = c.broadcast(lanes.field("first_step", "d"))
    ratio = c.intrinsic("sqrt", sizes.get() / (speeds.get() + 1e-100)) * fraction
    h = c.select(ratio < 1e100, c.maximum(c.minimum(ratio, 1.0), 1e-9), 1e-6)
    h = c.minimum(h, fraction * _RESOLVED / _fastest_growth(lanes))
    fresh = lanes.get("restart").differs(0.0)
    lanes.put("h", c.select(fresh, h, lanes.get("h")))
    lanes.put("old_error", c.select(fresh, c.vector(1e-4), lanes.get("old_error")))
    lanes.put("leaving", c.select(fresh, c.vector(1.0), lanes.get("leaving")))
    lanes.put("restart", c.vector(0.0))
    c.give()


def _fastest_growth(lanes: Lanes) -> Value:
    """Return the largest rate at which a state grows by itself, and something above 0 where none does."""
    c, program, slots = lanes.code, lanes.program, lanes.program.factorisation.slots
    growth = c.vector(1e-100)
    for row, column, kind, index in program.entries:
        if row == column and row < len(program.states):
            of_step = kind == "linear"
            array, slot = lanes.place("m" if of_step else "c"), slots[row, row] if of_step else index
            growth = c.maximum(c.load(array, "v", slot), growth)
    return growth
