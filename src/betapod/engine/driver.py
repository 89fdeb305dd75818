"""The compiled loop over patients: lanes take patients from a queue, each with its own time, step, schedule, events and visits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from . import mathlib
from .blocks import STAGES, write_blocks
from .lower import SEGMENT_START, Program, slope_name
from .machine import Processor
from .rosenbrock import (
    GROW,
    INTEGRAL,
    PROPORTIONAL,
    SAFETY,
    SHRINK,
    Arrays,
    weight,
    write_dense,
    write_dense_coefficients,
    write_step,
)
from .simd import Code, Value

#: What the caller hands over: one 8-byte field each, numbers or addresses, in this order.
JOB = (
    "count",  # patients
    "visit_count",
    "times",  # (visits,) days
    "next",  # counter of patients taken
    "stop",  # not zero: take no more
    "base",  # (parameters,) values shared by all
    "varied_count",
    "varied",  # (varied,) which parameters differ
    "values",  # (patients, varied)
    "override_count",
    "overrides",  # (overrides,) which states start elsewhere
    "starts",  # (patients, overrides)
    "schedule",  # (patients,) number of the schedule
    "segment_offsets",  # (schedules + 1,)
    "segment_start",
    "segment_end",  # (segments,) days
    "switched_count",
    "switched",  # (switched,) which parameters are inputs that change
    "switch_fixed",
    "switch_factor",  # (segments, switched): value = fixed + factor*own value
    "ramp_fixed",
    "ramp_factor",  # (segments, ramps): slope likewise
    "dose_offsets",  # (segments + 1,)
    "dose_state",
    "dose_amount",
    "rtol",
    "atol",  # (states,)
    "max_steps",
    "out",  # (patients, visits, outputs)
    "status",
    "ended_at",
    "event",
    "steps",
    "rejected",  # (patients,)
    "last",  # (patients, states), written for failures
    "first_step",
)
STATUS = ("ok", "ended", "step-underflow", "non-finite", "step-limit", "not run")
OK, ENDED, UNDERFLOW, NON_FINITE, STEP_LIMIT, NOT_RUN = range(6)
_NONE, _NEW, _SEGMENT, _RESTART = 0, 1, 2, 3
#: What a lane keeps besides arrays; the last four are integers.
_PER_LANE = (
    *(
        "t",
        "h",
        "tried",
        "old_error",
        "segment_end",
        "visit",
        "live",
        "steps",
        "rejected",
        "restart",
        "stopped",
        "visible",
    ),
    *("g_high", "crossing", "failed", "action", "patient", "visits_done", "segment"),
)


class Workspace:
    """Places of the vectors that one worker needs, in one block of memory."""

    def __init__(self, program: Program) -> None:
        n, events = len(program.states), len(program.events)
        sizes = {
            "y": n,
            "end": n,
            "stage": n,
            "k": n * STAGES,
            "m": len(program.factorisation.slots),
            "p": len(program.parameters),
            "c": len(program.constants.results),
            "own": len(program.parameters),
            "g": len(program.moving),
            "dense": 3 * n,
            "there": max(n, len(program.outputs)),
            "hit": n,
            "o": max(len(program.outputs), 2 * events, *(len(e.targets) for e in program.events), 1),
            "before": events,
            "atol": n,
            **dict.fromkeys(
                _PER_LANE,
                1,
            ),
        }
        self.offsets: dict[str, int] = {}
        self.size = 0
        for name, size in sizes.items():
            self.offsets[name] = self.size
            self.size += size


class Driver:
    """Writes the worker of a program."""

    def __init__(self, code: Code, program: Program) -> None:
        self.c, self.program = code, program
        self.workspace = Workspace(program)
        self.n, self.events = len(program.states), len(program.events)

    # -- access to the job and the workspace -------------------------------------------------------------------------

    def place(self, name: str) -> Value:
        """Return where a vector of the workspace is."""
        return self.c.address(self.ws, "v", self.workspace.offsets[name])

    def get(self, name: str) -> Value:
        """Return a vector of the workspace."""
        return self.c.load(self.place(name), "v")

    def put(self, name: str, value: Value) -> None:
        """Write a vector of the workspace."""
        self.c.store(self.place(name), 0, value)

    def lane(self, name: str, lane: Value, kind: str = "d", index: int | Value = 0) -> Value:
        """Return one lane of a vector of the workspace."""
        return self.c.load(self._element(name, lane, index), kind)

    def set_lane(self, name: str, lane: Value, value: Value, index: int | Value = 0) -> None:
        """Write one lane of a vector of the workspace."""
        self.c.store(self._element(name, lane, index), 0, value)

    def _element(self, name: str, lane: Value, index: int | Value) -> Value:
        width, offset = self.c.width, self.workspace.offsets[name]
        at = lane + (index * width + offset * width if isinstance(index, Value) else (offset + index) * width)
        return self.c.address(self.ws, "d", at)

    def field(self, name: str, kind: str) -> Value:
        """Return a field of the job."""
        return self.c.load(self.job, kind, JOB.index(name))

    def entry(self, name: str, index: Value, kind: str) -> Value:
        """Return an entry of an array of the job."""
        return self.c.load(self.field(name, "p"), kind, index)

    @contextmanager
    def lanes_where(self, name: str, value: int) -> Iterator[Value]:
        """Do what follows for each lane whose integer has a value."""
        with self.c.loop(self.c.width) as lane, self.c.when(self.lane(name, lane, "i").equals(value)):
            yield lane

    def block(self, name: str, t: Value, y: str, o: str) -> None:
        """Call a block of the program."""
        self.c.call(name, [t, self.place(y), self.place("p"), self.place("c"), self.place(o)], None)

    # -- the worker --------------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Write the whole module."""
        c, p = self.c, self.program
        write_blocks(c, p)
        self.all_states = c.numbers("all_states", range(self.n))
        self.output_states = c.numbers("output_states", p.output_states)
        self.trigger_states = c.numbers("trigger_states", p.trigger_states)
        functions: list[tuple[str, list[str], str | None, Callable[..., None]]] = [
            ("finish", ["i", "i"], None, self.write_finish),
            ("take", ["i"], None, self.write_take),
            ("begin_segment", ["i"], None, self.write_begin_segment),
            ("attend", [], "b", self.write_attend),
            ("first_step", [], None, self.write_first_step),
            ("find_events", [], None, self.write_find_events),
            ("visit", [], None, self.write_visit),
        ]
        for name, kinds, returns, write in functions:
            with c.function(name, ["p", "p", *kinds], returns) as (self.job, self.ws, *args):
                write(*args)
        with c.function("worker", ["p", "p"], "i", exported=True) as (self.job, self.ws):
            with c.flushing():
                steps = self.write_worker()
            c.give(steps)

    def write_worker(self) -> Value:
        """Write the loop over steps; return the number of vector steps."""
        c = self.c
        steps = c.variable("i", 0)
        rtol = c.broadcast(self.field("rtol", "d"))
        with c.loop(self.n) as i:
            c.store(self.place("y"), i, c.vector(1.0))
            c.store(self.place("atol"), i, c.broadcast(self.entry("atol", i, "d")))
        with c.loop(len(self.program.parameters)) as i:
            c.store(self.place("p"), i, c.broadcast(self.entry("base", i, "d")))
        for name, value in {"t": 0.0, "h": 1e-3, "segment_end": 1.0, "visit": float("inf"), "live": 0.0}.items():
            self.put(name, c.vector(value))
        for name in ("old_error", "steps", "rejected", "restart"):
            self.put(name, c.vector(0.0))
        with c.loop(c.width) as lane:
            self.set_lane("action", lane, c.integer(_NEW))
        needed = c.variable("b", c.constant("b", True))
        with c.repeat() as leave:
            with c.when(needed.get()):
                needed.set(c.constant("b", False))
                go, on = c.label(), c.label()
                c.branch(c.call("attend", [self.job, self.ws], "b"), on, go)
                c.mark(go)
                c.jump(leave)
                c.mark(on)
            needed.set(self.write_one_step(rtol))
            steps.set(steps.get() + 1)
        return steps.get()

    def arrays(self) -> Arrays:
        """Return the places a step works on."""
        names = ("y", "end", "stage", "k", "p", "c", "m", "g", "atol")
        return Arrays(*(self.place(name) for name in names))

    def write_one_step(self, rtol: Value) -> Value:
        """Write a step of all lanes and what follows from it; return whether some lane needs attention."""
        c, a = self.c, self.arrays()
        t = self.get("t")
        c.call("linear", [t, a.y, a.parameters, a.constants, a.k, a.matrix, a.slopes], None)
        with c.when(c.any(self.get("restart").differs(0.0))):
            c.call("first_step", [self.job, self.ws], None)
        left = self.get("segment_end") - t
        wanted = self.get("h")
        last = wanted * 1.01 >= left
        h = c.select(last, left, wanted)
        self.put("tried", h)
        square = write_step(c, self.program, a, t, h, rtol)
        error = c.intrinsic("sqrt", square)
        live = self.get("live").differs(0.0)
        finite = error < 1e300
        good = live & (error <= 1.0)
        error = c.maximum(c.select(finite, error, 1e3), 1e-8)
        old = self.get("old_error")
        growth = mathlib.exp(c, c.fma(mathlib.log(c, old), INTEGRAL, mathlib.log(c, error) * -PROPORTIONAL)) * SAFETY
        growth = c.maximum(c.minimum(growth, GROW), SHRINK)
        after = c.select(last, self.get("segment_end"), t + h)
        one, zero = c.vector(1.0), c.vector(0.0)
        taken = self.get("steps") + c.select(good, one, zero)
        refused = self.get("rejected") + c.select(live & ~good, one, zero)
        self.put("steps", taken)
        self.put("rejected", refused)
        self.put("stopped", after)
        self.put("visible", after)
        self.put("crossing", zero)
        if self.events:
            self.write_crossing(good, after)
        crossing = self.get("crossing").differs(0.0)
        stopped = self.get("stopped")
        with c.when(c.any(good & (self.get("visit") <= self.get("visible")))):
            self.put("failed", c.select(good, one, zero))
            c.call("visit", [self.job, self.ws], None)
        moved = good & ~crossing
        with c.loop(self.n) as i:
            c.store(a.y, i, c.select(moved, c.load(a.end, "v", i), c.load(a.y, "v", i)))
        if self.events:
            with c.when(c.any(crossing)), c.loop(self.n) as i:
                c.store(a.y, i, c.select(crossing, c.load(self.place("hit"), "v", i), c.load(a.y, "v", i)))
        self.put("t", c.select(good, stopped, t))
        self.put("old_error", c.select(good, c.maximum(error, 1e-4), old))
        proposed = h * c.select(good, growth, c.minimum(growth, 0.8))
        self.put("h", c.select(live, proposed, wanted))
        broken = c.select(good, zero, c.select(finite, zero, one))
        too_small = live & ~good & (proposed < c.fma(c.absolute(t), 16.0 * 2.0**-52, 1e-14))
        too_many = live & ((taken + refused) > c.broadcast(self.field("max_steps", "d")))
        failed = c.select(
            too_small,
            c.select(broken.differs(0.0), c.vector(NON_FINITE), float(UNDERFLOW)),
            c.select(too_many, c.vector(STEP_LIMIT), 0.0),
        )
        self.put("failed", failed)
        ended = good & last
        attention = c.any(ended | crossing | failed.differs(0.0))
        with c.when(attention), c.loop(c.width) as lane:
            self.write_lane_end(lane)
        return attention

    def write_lane_end(self, lane: Value) -> None:
        """Write what happens to one lane after a step: failure, event, end of a segment."""
        c = self.c
        done = c.label()
        with c.when((self.lane("failed", lane) > 0.0) & (self.lane("crossing", lane).equals(0.0))):
            code = c.emit("i", f"fptosi double {self.lane('failed', lane).text} to i64")
            c.call("finish", [self.job, self.ws, lane, code], None)
            c.jump(done)
            c.mark(c.label())
        with c.when(self.lane("crossing", lane).differs(0.0)):
            self.set_lane("action", lane, c.integer(_RESTART))
            c.jump(done)
            c.mark(c.label())
        with c.when((self.lane("t", lane) >= self.lane("segment_end", lane)) & self.lane("live", lane).differs(0.0)):
            self.write_next_segment(lane)
        c.jump(done)
        c.mark(done)

    def write_next_segment(self, lane: Value) -> None:
        """Write the passage to the next segment, or the end of the patient."""
        c = self.c
        following = self.lane("segment", lane, "i") + 1
        schedule = self.entry("schedule", self.lane("patient", lane, "i"), "i")
        more, over, after = c.label(), c.label(), c.label()
        c.branch(following < self.entry("segment_offsets", schedule + 1, "i"), more, over)
        c.mark(more)
        self.set_lane("segment", lane, following)
        self.set_lane("action", lane, c.integer(_SEGMENT))
        c.jump(after)
        c.mark(over)
        c.call("finish", [self.job, self.ws, lane, c.integer(OK)], None)
        c.jump(after)
        c.mark(after)

    def write_finish(self, lane: Value, status: Value) -> None:
        """Write the end of a patient: status, counts, NaN at the visits that were not reached, last state of a failure."""
        c = self.c
        patient = self.lane("patient", lane, "i")
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
        self.set_lane("action", lane, c.integer(_NEW))
        c.give()

    # -- patients and segments ---------------------------------------------------------------------------------------

    def write_take(self, lane: Value) -> None:
        """Write the start of the next patient of the queue in a lane, or leave the lane idle."""
        c = self.c
        idle, found = c.label(), c.label()
        taken = c.fetch_add(self.field("next", "p"), 1)
        stop = c.load(self.field("stop", "p"), "i")
        c.branch((taken < self.field("count", "i")) & stop.equals(0), found, idle)
        c.mark(idle)
        self.set_lane("action", lane, c.integer(_NONE))
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
        self.set_lane("segment", lane, self.entry("segment_offsets", self.entry("schedule", taken, "i"), "i"))
        for name, value in {"t": 0.0, "live": 1.0, "steps": 0.0, "rejected": 0.0, "old_error": 1e-4}.items():
            self.set_lane(name, lane, c.constant("d", value))
        self.set_lane("visits_done", lane, c.integer(0))
        self.set_lane("visit", lane, self.entry("times", c.integer(0), "d"))
        for k, event in enumerate(self.program.events):
            self.set_lane("before", lane, c.constant("d", 1.0 if event.initially else 0.0), k)
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
        with c.loop(self.entry("dose_offsets", segment + 1, "i"), self.entry("dose_offsets", segment, "i")) as i:
            state = self.entry("dose_state", i, "i")
            self.set_lane("y", lane, self.lane("y", lane, "d", state) + self.entry("dose_amount", i, "d"), state)
        c.give()

    def write_attend(self) -> None:
        """Write what lanes need between steps; it gives false when no patient is left."""
        c = self.c
        again = c.variable("b", c.constant("b", True))
        with c.repeat() as leave:
            go_on = c.label()
            c.branch(again.get(), go_on, leave)
            c.mark(go_on)
            again.set(c.constant("b", False))
            with self.lanes_where("action", _NEW) as lane:
                c.call("take", [self.job, self.ws, lane], None)
            fresh = self.write_count("action", _NEW)
            with c.when(fresh > 0):
                self.write_initial()
            with self.lanes_where("action", _SEGMENT) as lane:
                c.call("begin_segment", [self.job, self.ws, lane], None)
                self.set_lane("action", lane, c.integer(_RESTART))
            c.call("constants", [self.place("p"), self.place("c")], None)
            with self.lanes_where("action", _RESTART) as lane:
                self.set_lane("restart", lane, c.constant("d", 1.0))
                self.set_lane("action", lane, c.integer(_NONE))
            if self.events:
                self.write_fire()
                self.write_waiting_visits()
            # An event at the very end of a segment, or a last visit at the start, leaves nothing to integrate.
            with c.loop(c.width) as lane:
                over = self.lane("t", lane) >= self.lane("segment_end", lane)
                alive = self.lane("live", lane).differs(0.0) & self.lane("action", lane, "i").equals(_NONE)
                with c.when(alive & over):
                    self.write_next_segment(lane)
                with c.when(self.lane("action", lane, "i").differs(_NONE)):
                    again.set(c.constant("b", True))
        c.give(c.any(self.get("live").differs(0.0)))

    def write_count(self, name: str, value: int) -> Value:
        """Return in how many lanes an integer has a value."""
        count = self.c.variable("i", 0)
        with self.lanes_where(name, value):
            count.set(count.get() + 1)
        return count.get()

    def write_initial(self) -> None:
        """Write initial values, and the visit at time 0, of lanes that are new."""
        c = self.c
        c.call("constants", [self.place("p"), self.place("c")], None)
        c.call("initial", [self.place("p"), self.place("stage")], None)
        with self.lanes_where("action", _NEW) as lane:
            with c.loop(self.n) as i:
                self.set_lane("y", lane, self.lane("stage", lane, "d", i), i)
            count = self.field("override_count", "i")
            patient = self.lane("patient", lane, "i")
            with c.loop(count) as i:
                value = self.entry("starts", patient * count + i, "d")
                self.set_lane("y", lane, value, self.entry("overrides", i, "i"))
        self.block("output", self.get("t"), "y", "o")
        with self.lanes_where("action", _NEW) as lane:
            with c.when(self.lane("visit", lane) <= 0.0):
                self.write_report(lane)
            self.set_lane("action", lane, c.integer(_SEGMENT))

    def waiting(self, lane: Value) -> Value:
        """Return whether a visit of a lane is due at its present time."""
        t = self.lane("t", lane)
        return (self.lane("visit", lane) <= t + _tie(self.c, t)) & self.lane("live", lane).differs(0.0)

    def write_waiting_visits(self) -> None:
        """Write visits that waited for an event at the same time."""
        c = self.c
        self.block("output", self.get("t"), "y", "o")
        with c.loop(c.width) as lane, c.when(self.waiting(lane) & self.lane("restart", lane).differs(0.0)):
            self.write_report(lane)

    def write_report(self, lane: Value, where: str = "o") -> None:
        """Write the outputs of a lane's present visit to the result and go to its next visit."""
        c, outputs = self.c, len(self.program.outputs)
        done = self.lane("visits_done", lane, "i")
        visits = self.field("visit_count", "i")
        first = (self.lane("patient", lane, "i") * visits + done) * outputs
        place = c.address(self.field("out", "p"), "d", first)
        with c.loop(outputs) as i:
            c.store(place, i, self.lane(where, lane, "d", i))
        self.set_lane("visits_done", lane, done + 1)
        self.set_lane("visit", lane, c.constant("d", float("inf")))
        with c.when(done + 1 < visits):
            self.set_lane("visit", lane, self.entry("times", done + 1, "d"))

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

    # -- visits and events -------------------------------------------------------------------------------------------

    def dense_at(self, theta: Value, kind: str, place: str) -> None:
        """Write the states that outputs (or triggers, or all) need at a fraction of the step."""
        table, count = self.dense_states(kind)
        write_dense(self.c, table, count, self.arrays(), self.place("dense"), theta, self.place(place))

    def dense_states(self, kind: str) -> tuple[Value, int]:
        """Return the numbers of the states that are needed."""
        if kind == "output":
            return self.output_states, len(self.program.output_states)
        if kind == "trigger":
            return self.trigger_states, len(self.program.trigger_states)
        return self.all_states, self.n

    def write_visit(self) -> None:
        """Write the visits that lanes have passed in this step, by dense output."""
        c = self.c
        write_dense_coefficients(c, *self.dense_states("output"), self.place("k"), self.place("dense"))
        good = self.get("failed").differs(0.0)
        with c.repeat() as leave:
            visit = self.get("visit")
            due = good & (visit <= self.get("visible"))
            more = c.label()
            c.branch(c.any(due), more, leave)
            c.mark(more)
            theta = c.select(due, (visit - self.get("t")) / self.get("tried"), 0.0)
            self.dense_at(theta, "output", "there")
            self.block("output", c.select(due, visit, self.get("t")), "there", "o")
            with c.loop(c.width) as lane:
                now = self.lane("failed", lane).differs(0.0)
                with c.when(now & (self.lane("visit", lane) <= self.lane("visible", lane))):
                    self.write_report(lane)
        c.give()

    def armed(self, k: int) -> Value:
        """Return in which lanes an event was false before."""
        return self.c.load(self.place("before"), "v", k).equals(0.0)

    def trigger(self, k: int) -> Value:
        """Return where a trigger that was just computed is true."""
        return self.c.load(self.place("o"), "v", k).differs(0.0)

    def write_crossing(self, good: Value, after: Value) -> None:
        """Write the search for triggers that turned true during the step."""
        c = self.c
        self.block("triggers", after, "end", "o")
        crossing = c.constant("m", False)
        for k in range(self.events):
            crossing = crossing | (good & self.trigger(k) & self.armed(k))
        quiet = good & ~crossing
        one, zero = c.vector(1.0), c.vector(0.0)
        self.put("crossing", c.select(crossing, one, zero))
        high = self.highest()
        for k in range(self.events):
            now = c.select(self.trigger(k), one, zero)
            place = self.place("before")
            c.store(place, k, c.select(quiet, now, c.load(place, "v", k)))
        with c.when(c.any(crossing)):
            self.put("g_high", high)
            c.call("find_events", [self.job, self.ws], None)

    def highest(self) -> Value:
        """Return the largest indicator of the events that were false before."""
        c = self.c
        total = c.vector(-1e300)
        for k in range(self.events):
            indicator = c.load(self.place("o"), "v", self.events + k)
            total = c.select(self.armed(k) & (indicator > total), indicator, total)
        return total

    def write_find_events(self) -> None:
        """Write the search for the first moment at which a trigger is true (Illinois method with bisection)."""
        c = self.c
        write_dense_coefficients(c, *self.dense_states("all"), self.place("k"), self.place("dense"))
        t, h = self.get("t"), self.get("tried")
        crossing = self.get("crossing").differs(0.0)
        self.block("triggers", t, "y", "o")
        zero, one = c.vector(0.0), c.vector(1.0)
        low, high = c.variable("v", zero), c.variable("v", one)
        g_low, g_high = c.variable("v", self.highest()), c.variable("v", self.get("g_high"))
        side = c.variable("v", zero)
        turn = c.variable("i", 0)
        tolerance = _tie(c, t) * 0.5
        with c.repeat() as leave:
            wide = crossing & ((high.get() - low.get()) * h > tolerance)
            more = c.label()
            c.branch(c.any(wide) & (turn.get() < 200), more, leave)
            c.mark(more)
            a, b = low.get(), high.get()
            fraction = g_low.get() / (g_low.get() - g_high.get())
            halve = c.broadcast(self._every_third(turn.get()))
            usable = (fraction > 0.0) & (fraction < 1.0) & ~halve
            fraction = c.select(usable, c.maximum(c.minimum(fraction, 0.995), 0.005), 0.5)
            theta = c.fma(b - a, fraction, a)
            self.dense_at(theta, "trigger", "there")
            self.block("triggers", c.fma(theta, h, t), "there", "o")
            true = c.constant("m", False)
            for k in range(self.events):
                true = true | (self.trigger(k) & self.armed(k))
            g = self.highest()
            up, down = wide & true, wide & ~true
            high.set(c.select(up, theta, b))
            low.set(c.select(down, theta, a))
            # A side that stays put twice counts half, which brings it in.
            g_low.set(c.select(down, g, c.select(up & (side.get() > 0.0), g_low.get() * 0.5, g_low.get())))
            g_high.set(c.select(up, g, c.select(down & (side.get() < 0.0), g_high.get() * 0.5, g_high.get())))
            side.set(c.select(up, one, c.select(down, c.vector(-1.0), side.get())))
            turn.set(turn.get() + 1)
        theta = high.get()
        self.dense_at(theta, "all", "hit")
        with c.loop(self.n) as i:
            end = c.load(self.place("end"), "v", i)
            hit = self.place("hit")
            c.store(hit, i, c.select(theta < 1.0, c.load(hit, "v", i), end))
        at = c.select(theta < 1.0, c.fma(theta, h, t), self.get("stopped"))
        self.put("stopped", c.select(crossing, at, self.get("stopped")))
        # A visit at the very time of the event sees what the event made: it waits until the event has happened.
        self.put("visible", c.select(crossing, at - _tie(c, at), self.get("visible")))
        c.give()

    def _every_third(self, turn: Value) -> Value:
        return self.c.emit("i", f"srem i64 {turn.text}, 3").equals(2)

    def write_fire(self) -> None:
        """Write what events do to lanes that start anew: those whose trigger is true now and was false before happen."""
        c = self.c
        rounds = c.variable("i", 0)
        changed = c.variable("b", c.constant("b", True))
        with c.repeat() as leave:
            more = c.label()
            c.branch(changed.get() & (rounds.get() < 50), more, leave)
            c.mark(more)
            changed.set(c.constant("b", False))
            rounds.set(rounds.get() + 1)
            self.block("triggers", self.get("t"), "y", "o")
            with c.loop(c.width) as lane:
                starting = self.lane("restart", lane).differs(0.0) & self.lane("live", lane).differs(0.0)
                with c.when(starting):
                    self.write_fire_lane(lane, changed.set)

    def write_fire_lane(self, lane: Value, changed: Callable[[Value], None]) -> None:
        """Write the first event that happens in one lane."""
        c = self.c
        done = c.label()
        for k, event in enumerate(self.program.events):
            now = self.lane("o", lane, "d", k).differs(0.0)
            before = self.lane("before", lane, "d", k).differs(0.0)
            with c.when(~now):
                self.set_lane("before", lane, c.constant("d", 0.0), k)
            with c.when(now & ~before):
                self.set_lane("before", lane, c.constant("d", 1.0), k)
                if event.terminal:
                    self.block("output", self.get("t"), "y", "there")
                    with c.when(self.waiting(lane)):
                        self.write_report(lane, "there")
                    patient = self.lane("patient", lane, "i")
                    c.store(self.field("event", "p"), patient, c.integer(k))
                    self.set_lane("restart", lane, c.constant("d", 0.0))
                    c.call("finish", [self.job, self.ws, lane, c.integer(ENDED)], None)
                else:
                    changed(c.constant("b", True))
                    self.block(f"event{k}", self.get("t"), "y", "there")
                    for i, target in enumerate(event.targets):
                        self.set_lane("y", lane, self.lane("there", lane, "d", i), target)
                    if event.scaled:
                        self.block(f"factors{k}", self.get("t"), "y", "there")
                    for i, target in enumerate(event.scaled):
                        scaled = self.lane("y", lane, "d", target) * self.lane("there", lane, "d", i)
                        self.set_lane("y", lane, scaled, target)
                c.jump(done)
                c.mark(c.label())
        c.jump(done)
        c.mark(done)


def _tie(c: Code, t: Value) -> Value:
    """Return how near to an event a visit counts as simultaneous; events are found twice as closely."""
    return c.fma(c.absolute(t), 2e-13, 2e-10)


def write_module(program: Program, width: int, processor: Processor) -> tuple[str, int]:
    """Return the module of a program and the number of vectors a worker needs."""
    code = Code(width, processor.fused, processor.scales, processor.flushes)
    driver = Driver(code, program)
    driver.write()
    return code.text(), driver.workspace.size
