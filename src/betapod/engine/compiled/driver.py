"""The compiled loop over patients: lanes take patients from a queue, each with its own time, step, schedule, events and visits."""

from __future__ import annotations

from collections.abc import Callable

from . import mathlib
from .blocks import write_blocks
from .intake import Intake
from .machine import Processor
from .program import Program
from .rosenbrock import GROW, INTEGRAL, PROPORTIONAL, SAFETY, SHRINK, write_step
from .simd import Code, Value
from .stops import just_before
from .workspace import NEW, NON_FINITE, RESTART, STEP_LIMIT, UNDERFLOW


class Driver(Intake):
    """Writes the worker of a program."""

    def write(self) -> None:
        """Write the whole module."""
        c, p = self.c, self.program
        write_blocks(c, p)
        self.output_states = c.numbers("output_states", p.output_states)
        self.trigger_states = c.numbers("trigger_states", p.trigger_states)
        self.watched_states = c.numbers("watched_states", p.switches.watched)
        functions: list[tuple[str, list[str], str | None, Callable[..., None]]] = [
            ("finish", ["i", "i"], None, self.write_finish),
            ("take", ["i"], None, self.write_take),
            ("begin_segment", ["i"], None, self.write_begin_segment),
            ("attend", [], "b", self.write_attend),
            ("first_step", [], None, self.write_first_step),
            ("visit", [], None, self.write_visit),
            *([("fire", [], None, self.write_fire)] if self.events else []),
            *([("find_events", [], None, self.write_find_events)] if p.switches.looks else []),
            *([("hold", [], None, self.write_hold)] if p.switches.any else []),
            *([("watch", [], None, self.write_watch)] if p.switches.watches else []),
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
        for name in ("old_error", "steps", "rejected", "restart", "turning", "hasty"):
            self.put(name, c.vector(0.0))
        self.put("stop", c.vector(1.0))
        with c.loop(c.width) as lane:
            self.set_lane("action", lane, c.integer(NEW))
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

    def write_one_step(self, rtol: Value) -> Value:
        """Write a step of all lanes and what follows from it; return whether some lane needs attention."""
        c, a, switches = self.c, self.arrays(), self.program.switches
        t = self.get("t")
        c.call("linear", [t, a.y, a.parameters, a.constants, a.k, a.matrix, a.slopes], None)
        with c.when(c.any(self.get("restart").differs(0.0))):
            c.call("first_step", [self.job, self.ws], None)
        end = self.get(self.horizon)
        left = end - t
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
        after = c.select(last, end, t + h)
        one, zero = c.vector(1.0), c.vector(0.0)
        taken = self.get("steps") + c.select(good, one, zero)
        refused = self.get("rejected") + c.select(live & ~good, one, zero)
        self.put("steps", taken)
        self.put("rejected", refused)
        self.put("stopped", after)
        seen = after
        if self.clocks:
            # Where a condition of time changes, the step itself sees all up to just before that moment.
            turning = last & self.get("turning").differs(0.0)
            seen = c.select(turning, just_before(c, after), after)
        self.put("visible", seen)
        self.put("crossing", zero)
        self.put("good", c.select(good, one, zero))
        if switches.watches:
            with c.when(c.any(good)):
                c.call("watch", [self.job, self.ws], None)
        if switches.looks:
            self.write_crossing(good, seen)
        crossing = self.get("crossing").differs(0.0)
        stopped = self.get("stopped")
        with c.when(c.any(good & (self.get("visit") <= self.get("visible")))):
            c.call("visit", [self.job, self.ws], None)
        moved = good & ~crossing
        with c.loop(self.n) as i:
            c.store(a.y, i, c.select(moved, c.load(a.end, "v", i), c.load(a.y, "v", i)))
        if switches.watches or switches.looks:
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
        if switches.watches:
            failed = c.select(self.write_haste(good, crossing, t, stopped), c.vector(UNDERFLOW), failed)
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
            self.finish(lane, code)
            c.jump(done)
            c.mark(c.label())
        with c.when(self.lane("crossing", lane).differs(0.0)):
            self.set_lane("action", lane, c.integer(RESTART))
            c.jump(done)
            c.mark(c.label())
        if self.clocks:
            at_stop = self.lane("t", lane) >= self.lane("stop", lane)
            inside = self.lane("stop", lane) < self.lane("segment_end", lane)
            turning = self.lane("turning", lane).differs(0.0) | inside
            with c.when(at_stop & turning & self.lane("live", lane).differs(0.0)):
                self.set_lane("action", lane, c.integer(RESTART))
                c.jump(done)
                c.mark(c.label())
        with c.when((self.lane("t", lane) >= self.lane("segment_end", lane)) & self.lane("live", lane).differs(0.0)):
            self.write_next_segment(lane)
        c.jump(done)
        c.mark(done)


def write_module(program: Program, width: int, processor: Processor) -> tuple[str, int]:
    """Return the module of a program and the number of vectors a worker needs."""
    code = Code(width, processor.fused, processor.scales, processor.flushes)
    driver = Driver(code, program)
    driver.write()
    return code.text(), driver.workspace.size
