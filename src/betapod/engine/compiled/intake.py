"""Patients in the compiled loop: taken from the queue, started, led from segment to segment, and finished."""

from __future__ import annotations

from .blocks import STAGES
from .lower import SEGMENT_START, slope_name
from .rosenbrock import weight
from .simd import Value
from .stops import Stops
from .workspace import ENDED, IMPOSSIBLE, NEW, NONE, OK, RESTART, SEGMENT


class Intake(Stops):
    """Writes what lanes need between steps."""

    def write_finish(self, lane: Value, status: Value) -> None:
        """Write the end of a patient: status, counts, NaN at the visits that were not reached, last state of a failure."""
        c = self.c
        patient = self.lane("patient", lane, "i")
        settled = c.variable("i", status)
        with c.when(status <= ENDED), c.loop(self.n) as i:
            below = self.lane("y", lane, "d", i) < self.entry("floors", i, "d")
            with c.when(below):
                settled.set(c.integer(IMPOSSIBLE))
        status = settled.get()
        c.store(self.field("status", "p"), patient, status)
        for name in ("steps", "rejected"):
            count = c.emit("i", f"fptosi double {self.lane(name, lane).text} to i64")
            c.store(self.field(name, "p"), patient, count)
        with c.when(status.differs(OK)):
            c.store(self.field("ended_at", "p"), patient, self.lane("t", lane))
            visits, outputs = self.field("visit_count", "i"), len(self.program.outputs)
            first = (patient * visits + self.lane("visits_done", lane, "i")) * outputs
            with c.loop((patient * visits + visits) * outputs, first) as i:
                c.store(self.field("out", "p"), i, c.constant("d", float("nan")))
        with c.when(status > ENDED), c.loop(self.n) as i:
            c.store(self.field("last", "p"), patient * self.n + i, self.lane("y", lane, "d", i))
        self.set_lane("live", lane, c.constant("d", 0.0))
        self.set_lane("visit", lane, c.constant("d", float("inf")))
        self.set_lane("action", lane, c.integer(NEW))
        c.give()

    def write_next_segment(self, lane: Value) -> None:
        """Write the passage to the next segment, or the end of the patient."""
        c = self.c
        following = self.lane("segment", lane, "i") + 1
        schedule = self.entry("schedule", self.lane("patient", lane, "i"), "i")
        more, over, after = c.label(), c.label(), c.label()
        c.branch(following < self.entry("segment_offsets", schedule + 1, "i"), more, over)
        c.mark(more)
        self.set_lane("segment", lane, following)
        self.set_lane("action", lane, c.integer(SEGMENT))
        c.jump(after)
        c.mark(over)
        self.finish(lane, OK)
        c.jump(after)
        c.mark(after)

    def write_take(self, lane: Value) -> None:
        """Write the start of the next patient of the queue in a lane, or leave the lane idle."""
        c = self.c
        idle, found = c.label(), c.label()
        taken = c.fetch_add(self.field("next", "p"), 1)
        stop = c.load(self.field("stop", "p"), "i")
        c.branch((taken < self.field("count", "i")) & stop.equals(0), found, idle)
        c.mark(idle)
        self.set_lane("action", lane, c.integer(NONE))
        self.set_lane("live", lane, c.constant("d", 0.0))
        c.give()
        c.mark(found)
        self.set_lane("patient", lane, taken)
        with c.loop(len(self.program.parameters)) as i:
            self.set_lane("p", lane, self.entry("base", i, "d"), i)
        varied = self.field("varied_count", "i")
        with c.loop(varied) as i:
            self.set_lane("p", lane, self.entry("values", taken * varied + i, "d"), self.entry("varied", i, "i"))
        with c.loop(len(self.program.parameters)) as i:
            self.set_lane("own", lane, self.lane("p", lane, "d", i), i)
        schedule = self.entry("schedule", taken, "i")
        self.set_lane("segment", lane, self.entry("segment_offsets", schedule, "i"))
        with c.loop(self.n) as i:
            self.set_lane("atol", lane, self.entry("atol", schedule * self.n + i, "d"), i)
        fresh = {"t": 0.0, "live": 1.0, "steps": 0.0, "rejected": 0.0, "old_error": 1e-4, "hasty": 0.0}
        for name, value in fresh.items():
            self.set_lane(name, lane, c.constant("d", value))
        self.set_lane("visits_done", lane, c.integer(0))
        self.set_lane("visit", lane, self.entry("times", c.integer(0), "d"))
        for k, event in enumerate(self.program.events):
            self.set_lane("before", lane, c.constant("d", 1.0 if event.initially else 0.0), k)
            self.set_lane("pending", lane, c.constant("d", 0.0), k)
        c.give()

    def write_begin_segment(self, lane: Value) -> None:
        """Write the start of a segment: inputs, doses."""
        c, p = self.c, self.program
        segment = self.lane("segment", lane, "i")
        switched = self.field("switched_count", "i")
        with c.loop(switched) as i:
            where = self.entry("switched", i, "i")
            at = segment * switched + i
            own = self.lane("own", lane, "d", where)
            self.set_lane(
                "p", lane, self.entry("switch_fixed", at, "d") + self.entry("switch_factor", at, "d") * own, where
            )
        for r, name in enumerate(p.ramps):
            own = self.lane("own", lane, "d", p.parameters.index(name))
            at = segment * len(p.ramps) + r
            slope = self.entry("ramp_fixed", at, "d") + self.entry("ramp_factor", at, "d") * own
            self.set_lane("p", lane, slope, p.parameters.index(slope_name(name)))
        if p.ramps:
            start = self.entry("segment_start", segment, "d")
            self.set_lane("p", lane, start, p.parameters.index(SEGMENT_START))
        self.set_lane("segment_end", lane, self.entry("segment_end", segment, "d"))
        # Where time's conditions change next depends on the inputs, so it is found anew.
        self.set_lane("stop", lane, c.constant("d", -1.0))
        with c.loop(self.entry("dose_offsets", segment + 1, "i"), self.entry("dose_offsets", segment, "i")) as i:
            state = self.entry("dose_state", i, "i")
            self.set_lane("y", lane, self.lane("y", lane, "d", state) + self.entry("dose_amount", i, "d"), state)
        c.give()

    def write_attend(self) -> None:
        """Write what lanes need between steps; it gives false when no patient is left."""
        c, p = self.c, self.program
        again = c.variable("b", c.constant("b", True))
        with c.repeat() as leave:
            go_on = c.label()
            c.branch(again.get(), go_on, leave)
            c.mark(go_on)
            again.set(c.constant("b", False))
            with self.lanes_where("action", NEW) as lane:
                c.call("take", [self.job, self.ws, lane], None)
            fresh = self.write_count("action", NEW)
            with c.when(fresh > 0):
                self.write_initial()
            with self.lanes_where("action", SEGMENT) as lane:
                c.call("begin_segment", [self.job, self.ws, lane], None)
                self.set_lane("action", lane, c.integer(RESTART))
            c.call("constants", [self.place("p"), self.place("c")], None)
            with self.lanes_where("action", RESTART) as lane:
                self.set_lane("restart", lane, c.constant("d", 1.0))
                self.set_lane("action", lane, c.integer(NONE))
            if self.events:
                c.call("fire", [self.job, self.ws], None)
            if self.events or self.clocks:
                self.write_waiting_visits()
            if p.switches.any:
                c.call("hold", [self.job, self.ws], None)
                c.call("constants", [self.place("p"), self.place("c")], None)
            # An event at the very end of a segment, or a last visit at the start, leaves nothing to integrate.
            with c.loop(c.width) as lane:
                over = self.lane("t", lane) >= self.lane("segment_end", lane)
                alive = self.lane("live", lane).differs(0.0) & self.lane("action", lane, "i").equals(NONE)
                with c.when(alive & over):
                    self.write_next_segment(lane)
                with c.when(self.lane("action", lane, "i").differs(NONE)):
                    again.set(c.constant("b", True))
        c.give(c.any(self.get("live").differs(0.0)))

    def write_count(self, name: str, value: int) -> Value:
        """Return in how many lanes an integer has a value."""
        count = self.c.variable("i", 0)
        with self.lanes_where(name, value):
            count.set(count.get() + 1)
        return count.get()

    def write_initial(self) -> None:
        """Write initial values, events that happen at once, and the visit at time 0, of lanes that are new."""
        c = self.c
        c.call("constants", [self.place("p"), self.place("c")], None)
        c.call("initial", [self.place("p"), self.place("stage")], None)
        with self.lanes_where("action", NEW) as lane:
            with c.loop(self.n) as i:
                self.set_lane("y", lane, self.lane("stage", lane, "d", i), i)
            count = self.field("override_count", "i")
            patient = self.lane("patient", lane, "i")
            with c.loop(count) as i:
                value = self.entry("starts", patient * count + i, "d")
                self.set_lane("y", lane, value, self.entry("overrides", i, "i"))
            self.set_lane("restart", lane, c.constant("d", 1.0))
        if self.events:
            c.call("fire", [self.job, self.ws], None)
        self.block("output", self.get("t"), "y", "o")
        # Whom an event has ended at once has given up the lane to the next patient.
        with self.lanes_where("action", NEW) as lane, c.when(self.lane("live", lane).differs(0.0)):
            with c.when(self.lane("visit", lane) <= 0.0):
                self.write_report(lane)
            self.set_lane("action", lane, c.integer(SEGMENT))

    def write_first_step(self) -> None:
        """Write the length of the first step after a start: a hundredth of the time in which the states change by themselves."""
        c = self.c
        rtol = c.broadcast(self.field("rtol", "d"))
        sizes, speeds = c.variable("v", 0.0), c.variable("v", 0.0)
        with c.loop(self.n) as i:
            y = c.load(self.place("y"), "v", i)
            w = weight(c, c.absolute(y), rtol, c.load(self.place("atol"), "v", i))
            size, speed = y * w, c.load(self.place("k"), "v", i * STAGES) * w
            sizes.set(c.fma(size, size, sizes.get()))
            speeds.set(c.fma(speed, speed, speeds.get()))
        fraction = c.broadcast(self.field("first_step", "d"))
        ratio = c.intrinsic("sqrt", sizes.get() / (speeds.get() + 1e-100)) * fraction
        known = ratio < 1e100
        h = c.select(known, c.maximum(c.minimum(ratio, 1.0), 1e-9), 1e-6)
        fresh = self.get("restart").differs(0.0)
        self.put("h", c.select(fresh, h, self.get("h")))
        self.put("old_error", c.select(fresh, c.vector(1e-4), self.get("old_error")))
        self.put("restart", c.vector(0.0))
        c.give()
