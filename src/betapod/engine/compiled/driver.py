"""The compiled loop over patients: lanes take patients from a queue, each with its own time, step, schedule, events and visits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from . import firing, intake, known_stops, mathlib, state_stops, time_stops, triggers, visit_outputs, waiting_events
from .blocks import write_blocks
from .code import Code, Value
from .lanes import Lanes, WorkerModule
from .machine import Processor
from .program import Program
from .rosenbrock import GROW, INTEGRAL, PROPORTIONAL, SAFETY, SHRINK, write_step
from .simd import VectorCode
from .workspace import NEW, NON_FINITE, RESTART, STEP_LIMIT, UNDERFLOW, keeps_stops

#: The shortest step that leaves a start, or what an event has set: beside a root at 0 steps are as short as the distance, shorter than time resolves.
#: Later ones are as long as time resolves at least.
_SHORTEST = 1e-200


def write_module(program: Program, width: int, processor: Processor, quickly: bool = False) -> tuple[str, int]:
    """Return the module of a program and the number of vectors a worker needs."""
    code = VectorCode(width, processor.fused, processor.scales, processor.flushes)
    module = write_functions(code, program, quickly)
    return code.text(), module.workspace.size


def write_functions(code: Code, program: Program, quickly: bool = False) -> WorkerModule:
    """Write the blocks of a program, and the worker that integrates patients with them.

    `quickly` rates and Jacobian take the elementary functions of `quick`, which are right to 1.2e-12 instead of 2 ulp.
    """
    write_blocks(code, program, quickly)
    module, switches = WorkerModule(code, program), program.switches
    write = partial(_write_function, module)
    write("finish", intake.write_finish, ["i", "i"])
    write("take", intake.write_take, ["i"])
    write("begin_segment", intake.write_begin_segment, ["i"])
    write("attend", intake.write_attend, returns="b")
    write("first_step", intake.write_first_step)
    write("visit", visit_outputs.write_visits)
    if program.events:
        write("fire", firing.write_fire)
    if switches.looks:
        write("find_events", triggers.write_find_events)
    if switches.any:
        write("hold", time_stops.write_hold)
    if switches.watches:
        write("watch", state_stops.write_watch)
    with module.function("worker", returns="i", exported=True) as (lanes, _):
        with code.flushing():
            steps = write_worker(lanes)
        code.give(steps)
    return module


def _write_function(
    module: WorkerModule, name: str, body: Callable[..., None], kinds: Sequence[str] = (), returns: str | None = None
) -> None:
    with module.function(name, kinds, returns) as (lanes, arguments):
        body(lanes, *arguments)


def write_worker(lanes: Lanes) -> Value:
    """Write the loop over steps; return the number of vector steps."""
    c = lanes.code
    steps = c.variable("i", 0)
    rtol = c.broadcast(lanes.field("rtol", "d"))
    with c.loop(len(lanes.program.states)) as i:
        c.store(lanes.place("y"), i, c.vector(1.0))
        c.store(lanes.place("atol"), i, c.broadcast(lanes.entry("atol", i, "d")))
    with c.loop(len(lanes.program.parameters)) as i:
        c.store(lanes.place("p"), i, c.broadcast(lanes.entry("base", i, "d")))
    for name, value in {"t": 0.0, "h": 1e-3, "segment_end": 1.0, "visit": float("inf"), "live": 0.0}.items():
        lanes.put(name, c.vector(value))
    for name in ("old_error", "steps", "rejected", "restart", "leaving", "turning", "hasty"):
        lanes.put(name, c.vector(0.0))
    lanes.put("stop", c.vector(1.0))
    if lanes.program.waiting:
        waiting_events.write_none_anywhere(lanes)
    if keeps_stops(lanes.program, c.width):
        known_stops.write_empty(lanes)
    with c.loop(c.width) as lane:
        lanes.set_lane("action", lane, c.integer(NEW))
    needed = c.variable("b", c.constant("b", True))
    with c.repeat() as done:
        with c.when(needed.get()):
            needed.set(c.constant("b", False))
            c.go_on_while(lanes.call("attend", returns="b"), done)
        needed.set(write_one_step(lanes, rtol))
        steps.set(steps.get() + 1)
    return steps.get()


def write_one_step(lanes: Lanes, rtol: Value) -> Value:
    """Write a step of all lanes and what follows from it; return whether some lane needs attention."""
    c, a, switches = lanes.code, lanes.arrays(), lanes.program.switches
    t = lanes.get("t")
    c.call("linear", [t, a.y, a.parameters, a.constants, a.k, a.matrix, a.slopes], None)
    with c.when(c.any(lanes.get("restart").differs(0.0))):
        lanes.call("first_step")
    end = lanes.get("stop" if switches.clocks.results else "segment_end")
    if lanes.program.delayed:
        end = c.minimum(end, lanes.get("due"))
    left = end - t
    step = lanes.get("h")
    last = step * 1.01 >= left
    h = c.select(last, left, step)
    lanes.put("tried", h)
    square = write_step(c, lanes.program, a, t, h, rtol)
    error = c.intrinsic("sqrt", square)
    live = lanes.get("live").differs(0.0)
    finite = error < 1e300
    good = live & (error <= 1.0)
    error = c.maximum(c.select(finite, error, 1e3), 1e-8)
    old = lanes.get("old_error")
    growth = mathlib.exp(c, c.fma(mathlib.log(c, old), INTEGRAL, mathlib.log(c, error) * -PROPORTIONAL)) * SAFETY
    growth = c.maximum(c.minimum(growth, GROW), SHRINK)
    after = c.select(last, end, t + h)
    one_value, zero = c.vector(1.0), c.vector(0.0)
    accepted = lanes.get("steps") + c.select(good, one_value, zero)
    refused = lanes.get("rejected") + c.select(live & ~good, one_value, zero)
    lanes.put("steps", accepted)
    lanes.put("rejected", refused)
    lanes.put("stopped", after)
    visible = after
    if switches.clocks.results:
        # Where a condition of time changes, the step itself sees all up to just before that moment.
        turning = last & lanes.get("turning").differs(0.0)
        visible = c.select(turning, time_stops.just_before(c, after), after)
    if lanes.program.delayed:
        visible = c.select(last & (after >= lanes.get("due")), time_stops.just_before(c, after), visible)
    lanes.put("visible", visible)
    lanes.put("crossing", zero)
    lanes.put("good", c.select(good, one_value, zero))
    if switches.watches:
        with c.when(c.any(good)):
            lanes.call("watch")
    if switches.looks:
        triggers.write_crossing(lanes, good, visible)
    crossing = lanes.get("crossing").differs(0.0)
    stopped = lanes.get("stopped")
    with c.when(c.any(good & (lanes.get("visit") <= lanes.get("visible")))):
        lanes.call("visit")
    moved = good & ~crossing
    with c.loop(len(lanes.program.states)) as i:
        c.store(a.y, i, c.select(moved, c.load(a.end, "v", i), c.load(a.y, "v", i)))
    if switches.watches or switches.looks:
        with c.when(c.any(crossing)), c.loop(len(lanes.program.states)) as i:
            c.store(a.y, i, c.select(crossing, c.load(lanes.place("hit"), "v", i), c.load(a.y, "v", i)))
    lanes.put("t", c.select(good, stopped, t))
    lanes.put("old_error", c.select(good, c.maximum(error, 1e-4), old))
    proposed = h * c.select(good, growth, c.minimum(growth, 0.8))
    lanes.put("h", c.select(live, proposed, step))
    broken = c.select(good, zero, c.select(finite, zero, one_value))
    resolved = c.fma(c.absolute(t), 16.0 * 2.0**-52, _SHORTEST)
    leaving = lanes.get("leaving").differs(0.0) & ~(good & (proposed >= resolved))
    lanes.put("leaving", c.select(leaving, one_value, zero))
    too_small = live & ~good & (proposed < c.select(leaving, c.vector(_SHORTEST), resolved))
    too_many = live & ((accepted + refused) > c.broadcast(lanes.field("max_steps", "d")))
    failed = c.select(
        too_small,
        c.select(broken.differs(0.0), c.vector(NON_FINITE), float(UNDERFLOW)),
        c.select(too_many, c.vector(STEP_LIMIT), 0.0),
    )
    if switches.watches:
        failed = c.select(state_stops.write_haste(lanes, good, crossing, t, stopped), c.vector(UNDERFLOW), failed)
    lanes.put("failed", failed)
    ended = good & last
    attention = c.any(ended | crossing | failed.differs(0.0))
    with c.when(attention), c.loop(c.width) as lane:
        write_lane_end(lanes, lane)
    return attention


def write_lane_end(lanes: Lanes, lane: Value) -> None:
    """Write what happens to one lane after a step: failure, event, end of a segment."""
    c = lanes.code
    with c.skippable() as done:
        with c.when((lanes.lane("failed", lane) > 0.0) & (lanes.lane("crossing", lane).equals(0.0))):
            lanes.finish(lane, c.to_integer(lanes.lane("failed", lane)))
            c.leave(done)
        with c.when(lanes.lane("crossing", lane).differs(0.0)):
            lanes.set_lane("action", lane, c.integer(RESTART))
            c.leave(done)
        if lanes.program.delayed:
            due = (lanes.lane("t", lane) >= lanes.lane("due", lane)) & lanes.lane("live", lane).differs(0.0)
            with c.when(due):
                lanes.set_lane("action", lane, c.integer(RESTART))
                c.leave(done)
        if lanes.program.switches.clocks.results:
            at_stop = lanes.lane("t", lane) >= lanes.lane("stop", lane)
            inside = lanes.lane("stop", lane) < lanes.lane("segment_end", lane)
            turning = lanes.lane("turning", lane).differs(0.0) | inside
            with c.when(at_stop & turning & lanes.lane("live", lane).differs(0.0)):
                lanes.set_lane("action", lane, c.integer(RESTART))
                c.leave(done)
        with c.when((lanes.lane("t", lane) >= lanes.lane("segment_end", lane)) & lanes.lane("live", lane).differs(0.0)):
            intake.write_next_segment(lanes, lane)
