"""Jumps in the compiled loop: what is held between them, the next moment at which time alone makes one, and those that states make.

Nothing is stepped over, because a stretch of time is passed only where bounds of every condition (`betapod.engine.enclosures`)
show that none changes in it; elsewhere the stretch is halved, down to where looking at its end is enough.
"""

from __future__ import annotations

from collections.abc import Callable

from .happenings import Happenings, tie
from .rosenbrock import write_dense_coefficients
from .simd import Code, Value
from .values import Variable

#: Stretches narrower than this part of a step, in which a condition may change, are looked at at their ends alone; after so many turns
#: of a search, in which bounds have decided too little, stretches of the second width.
NARROWEST, PATIENT_TURNS, NARROW = 2.0**-32, 500, 2.0**-8
#: Turns of a search after which a lane stops where it has come to, and looks on from there.
TURNS = 6_000
#: So often a condition may change without time going on.
PATIENCE = 1_000.0


def just_before(c: Code, t: Value) -> Value:
    """Return the next smaller number, for numbers from 0 on (0 itself has none)."""
    return c.select(t > 0.0, c.as_number(c.as_bits(t) - 1), t)


class Stops(Happenings):
    """Writes how lanes hold conditions and where they stop."""

    @property
    def clocks(self) -> int:
        """How many conditions change with time alone."""
        return len(self.program.switches.clocks.results)

    @property
    def horizon(self) -> str:
        """What no step passes."""
        return "stop" if self.clocks else "segment_end"

    def write_hold(self) -> None:
        """Write the values of all conditions, to be held, in lanes that start anew, and where they stop next."""
        c, switches = self.c, self.program.switches
        t = self.get("t")
        starting = self.get("restart").differs(0.0) & self.get("live").differs(0.0)
        place = switches.held
        for name in ("clocks", "states"):
            count = len(getattr(switches, name).results)
            if count:
                self.block(name, t, "y", "o")
            for i in range(count):
                self._hold(place + i, starting, c.load(self.place("o"), "v", i))
            place += count
        for j, k in enumerate(switches.triggers):
            self._hold(place + j, starting, c.load(self.place("before"), "v", k))
        if self.clocks:
            c.call("constants", [self.place("p"), self.place("c")], None)
            self._write_next_stop(starting)
        c.give()

    def _hold(self, place: int, starting: Value, value: Value) -> None:
        c, p = self.c, self.place("p")
        c.store(p, place, c.select(starting, value, c.load(p, "v", place)))

    def holds(self, name: str, t: Value, where: str) -> Value:
        """Return in which lanes a block of one truth value gives true."""
        self.block(name, t, where, "o")
        return self.c.load(self.place("o"), "v").differs(0.0)

    # -- time alone --------------------------------------------------------------------------------------------------

    def _write_next_stop(self, starting: Value) -> None:
        """Write the search for the first moment at which a condition of time is not as held."""
        c = self.c
        t, end = self.get("t"), self.get("segment_end")
        switches = self.program.switches
        wanted = starting & (end > t)
        if not switches.still:  # else an event may have moved what time is compared with
            wanted = wanted & (self.get("stop") <= t)
        for j, k in enumerate(switches.still):
            c.store(self.place("bounds"), 2 + 2 * len(switches.watched) + j, c.load(self.place("y"), "v", k))
        active = c.variable("m", wanted)
        low, width = c.variable("v", t), c.variable("v", end - t)
        high = c.variable("v", end)
        changed = c.variable("m", c.constant("m", False))
        turn = c.variable("i", 0)
        # Below this nothing is told apart: a few units in the last place, and next to 0 a tiny part of the time to come.
        finest = c.fma(end - t, 1e-18, 1e-300)
        with c.repeat() as leave:
            more = c.label()
            c.branch(c.any(active.get()) & (turn.get() < TURNS), more, leave)
            c.mark(more)
            now, a, w = active.get(), low.get(), width.get()
            b = c.minimum(a + w, end)
            self._put_bounds(a, b)
            quiet = now & self.holds("clock_quiet", t, "bounds")
            narrow = now & ~quiet & ((b - a) <= c.fma(b, 1e-15, finest))
            passed = c.variable("m", quiet)
            with c.when(c.any(narrow)):
                other = narrow & ~self.holds("clock_same", b, "y")
                changed.set(changed.get() | other)
                high.set(c.select(other, b, high.get()))
                active.set(active.get() & ~other)
                passed.set(passed.get() | (narrow & ~other))
            on = passed.get()
            low.set(c.select(on, b, a))
            grown = c.select(quiet, w * 2.0, c.maximum(w * 4.0, c.fma(b, 1e-15, finest)))
            width.set(c.select(on, grown, c.select(now & ~narrow, w * 0.5, w)))
            active.set(active.get() & ~(on & (b >= end)))
            turn.set(turn.get() + 1)
        # Who has not come to the end in so many turns stops on the way.
        unfinished = active.get()
        moment = self._first_change(wanted & changed.get(), low.get(), high.get())
        onward = c.maximum(low.get(), c.fma(end - t, 1e-3, t))
        stop = c.select(changed.get(), moment, c.select(unfinished, c.minimum(onward, end), end))
        self.put("stop", c.select(wanted, stop, self.get("stop")))
        one, zero = c.vector(1.0), c.vector(0.0)
        self.put("turning", c.select(wanted, c.select(changed.get(), one, zero), self.get("turning")))

    def _first_change(self, wide: Value, before: Value, after: Value) -> Value:
        """Write the search, to the last bit, for the first moment at which conditions of time are not as held."""
        c = self.c
        low, high = c.variable("v", before), c.variable("v", after)
        turn = c.variable("i", 0)
        with c.repeat() as leave:
            middle = (low.get() + high.get()) * 0.5
            apart = wide & (middle > low.get()) & (middle < high.get())
            more = c.label()
            c.branch(c.any(apart) & (turn.get() < 100), more, leave)
            c.mark(more)
            same = self.holds("clock_same", middle, "y")
            low.set(c.select(apart & same, middle, low.get()))
            high.set(c.select(apart & ~same, middle, high.get()))
            turn.set(turn.get() + 1)
        return high.get()

    def _put_bounds(self, low: Value, high: Value) -> None:
        place = self.place("bounds")
        self.c.store(place, 0, low)
        self.c.store(place, 1, high)

    # -- states ------------------------------------------------------------------------------------------------------

    def write_watch(self) -> None:
        """Write the search of a step for the first moment at which a condition of states, or a watched trigger, changes."""
        c = self.c
        t, h, end = self.get("t"), self.get("tried"), self.get("visible")
        good = self.get("good").differs(0.0)
        count = len(self.program.switches.watched)
        write_dense_coefficients(c, self.watched_states, count, self.place("k"), self.place("dense"))
        found = c.variable("m", c.constant("m", False))
        a, w = c.variable("v", 0.0), c.variable("v", 1.0)
        low, high = c.variable("v", 0.0), c.variable("v", 1.0)
        turn = c.variable("i", 0)

        def moment(theta: Value) -> Value:
            return c.select(theta < 1.0, c.fma(theta, h, t), end)

        with c.repeat() as leave:
            now = good & (a.get() < 1.0) & ~found.get()
            more = c.label()
            c.branch(c.any(now) & (turn.get() < TURNS), more, leave)
            c.mark(more)
            first, width = a.get(), w.get()
            last = c.minimum(first + width, 1.0)
            self._put_bounds(c.fma(first, h, t), moment(last))
            self._write_state_bounds(first, last)
            quiet = now & self.holds("watch_quiet", t, "bounds")
            finest = c.select(c.broadcast(turn.get() < PATIENT_TURNS), c.vector(NARROWEST), NARROW)
            narrow = now & ~quiet & (width <= finest)
            passed = c.variable("m", quiet)
            with c.when(c.any(narrow)):
                self.dense_at(last, "watched", "there")
                changed = narrow & ~self.holds("watch_same", moment(last), "there")
                low.set(c.select(changed, first, low.get()))
                high.set(c.select(changed, last, high.get()))
                found.set(found.get() | changed)
                passed.set(passed.get() | (narrow & ~changed))
            on = passed.get()
            a.set(c.select(on, last, first))
            w.set(c.select(quiet, width * 2.0, c.select(now & ~narrow, width * 0.5, width)))
            turn.set(turn.get() + 1)
        rest = good & (a.get() < 1.0) & ~found.get()
        with c.when(c.any(rest)):
            changed = rest & ~self.holds("watch_same", end, "end")
            low.set(c.select(changed, a.get(), low.get()))
            found.set(found.get() | changed)
        with c.when(c.any(found.get())):
            self._write_narrowing(found.get(), low, high, moment)
        c.give()

    def _write_state_bounds(self, first: Value, last: Value) -> None:
        """Write bounds of the states that conditions need, over a part of the step: the dense output about the part's middle."""
        c = self.c
        a = self.arrays()
        middle, radius = (first + last) * 0.5, (last - first) * 0.5
        bounds = c.address(self.place("bounds"), "v", 2)
        with c.loop(len(self.program.switches.watched)) as q:
            i = c.load(self.watched_states, "i", q)
            c2, c3, c4 = (c.load(self.place("dense"), "v", i * 3 + r) for r in range(3))
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

    def _write_narrowing(self, found: Value, low: Variable, high: Variable, moment: Callable[[Value], Value]) -> None:
        """Write the search, to the last bit of time, for the change between two places of the step, and what follows from it."""
        c = self.c
        h = self.get("tried")
        turn = c.variable("i", 0)
        with c.repeat() as leave:
            middle = (low.get() + high.get()) * 0.5
            fine = (high.get() - low.get()) * h <= c.absolute(self.get("stopped")) * 2.0**-52
            apart = found & ~fine & (middle > low.get()) & (middle < high.get())
            more = c.label()
            c.branch(c.any(apart) & (turn.get() < 100), more, leave)
            c.mark(more)
            self.dense_at(middle, "watched", "there")
            same = self.holds("watch_same", moment(middle), "there")
            low.set(c.select(apart & same, middle, low.get()))
            high.set(c.select(apart & ~same, middle, high.get()))
            turn.set(turn.get() + 1)
        theta = high.get()
        write_dense_coefficients(c, *self.dense_states("all"), self.place("k"), self.place("dense"))
        self.dense_at(theta, "all", "hit")
        with c.loop(self.n) as i:
            hit = self.place("hit")
            c.store(hit, i, c.select(theta < 1.0, c.load(hit, "v", i), c.load(self.place("end"), "v", i)))
        at = c.select(theta < 1.0, moment(theta), self.get("stopped"))
        self.put("stopped", c.select(found, at, self.get("stopped")))
        self.put("crossing", c.select(found, c.vector(1.0), self.get("crossing")))
        # A visit at the very time of an event sees what the event made: it waits until the event has happened.
        self.put("visible", c.select(found, at - tie(c, at), self.get("visible")))

    def write_haste(self, good: Value, crossing: Value, before: Value, after: Value) -> Value:
        """Write how often in a row a condition has changed without time going on; return where that is too often."""
        c = self.c
        # Beside the time to come, as well: next to 0, steps of rounding are large parts of the time that has gone.
        scale = c.maximum(c.absolute(after), self.get("segment_end"))
        still = crossing & (after - before < scale * 1e-12)
        count = c.select(still, self.get("hasty") + 1.0, c.select(good, c.vector(0.0), self.get("hasty")))
        self.put("hasty", count)
        stuck = good & (count > PATIENCE)
        self.put("crossing", c.select(stuck, c.vector(0.0), self.get("crossing")))
        return stuck
