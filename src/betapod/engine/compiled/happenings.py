"""Visits and events in the compiled loop: dense output, the search for the moment of an event, what events do."""

from __future__ import annotations

from .program import EventProgram
from .rosenbrock import write_dense, write_dense_coefficients
from .simd import Code, Value
from .values import Variable
from .workspace import ENDED, UNDERFLOW, Lanes

#: More events than this at one moment trigger each other without end.
ROUNDS = 10_000


def tie(c: Code, t: Value) -> Value:
    """Return how near to an event a visit counts as simultaneous; events are found twice as closely."""
    return c.fma(c.absolute(t), 2e-13, 2e-10)


class Happenings(Lanes):
    """Writes what happens to lanes during a step."""

    output_states: Value
    trigger_states: Value
    watched_states: Value

    def finish(self, lane: Value, status: int | Value) -> None:
        """Call the end of a patient."""
        code = status if isinstance(status, Value) else self.c.integer(status)
        self.c.call("finish", [self.job, self.ws, lane, code], None)

    def waiting(self, lane: Value) -> Value:
        """Return whether a visit of a lane is due at its present time, which is not exact where states made it stop."""
        t, switches = self.lane("t", lane), self.program.switches
        now = t + tie(self.c, t) if switches.watches or switches.looks else t
        return (self.lane("visit", lane) <= now) & self.lane("live", lane).differs(0.0)

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
        if outputs <= 64:  # one after another: the usual case, and quicker than a loop
            source = self._element(where, lane, 0)
            for i in range(outputs):
                c.store(place, i, c.load(source, "d", i * c.width))
        else:
            with c.loop(outputs) as number:
                c.store(place, number, self.lane(where, lane, "d", number))
        self.set_lane("visits_done", lane, done + 1)
        self.set_lane("visit", lane, c.constant("d", float("inf")))
        with c.when(done + 1 < visits):
            self.set_lane("visit", lane, self.entry("times", done + 1, "d"))

    def dense_at(self, theta: Value, kind: str, place: str) -> None:
        """Write the states that outputs (or triggers, or all) need at a fraction of the step."""
        table, count = self.dense_states(kind)
        write_dense(self.c, table, count, self.arrays(), self.place("dense"), theta, self.place(place))

    def dense_states(self, kind: str) -> tuple[Value | None, int]:
        """Return the numbers of the states that are needed (None for all in order), and how many."""
        if kind == "output" and len(self.program.output_states) < self.n:
            return self.output_states, len(self.program.output_states)
        if kind == "watched":
            return self.watched_states, len(self.program.switches.watched)
        if kind == "trigger":
            return self.trigger_states, len(self.program.trigger_states)
        return None, self.n

    def write_visit(self) -> None:
        """Write the visits that lanes have passed in this step, by dense output."""
        c = self.c
        write_dense_coefficients(c, *self.dense_states("output"), self.place("k"), self.place("dense"))
        good = self.get("good").differs(0.0)
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
                now = self.lane("good", lane).differs(0.0)
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
        tolerance = tie(c, t) * 0.5
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
        self.put("visible", c.select(crossing, at - tie(c, at), self.get("visible")))
        c.give()

    def _every_third(self, turn: Value) -> Value:
        return self.c.emit("i", f"srem i64 {turn.text}, 3").equals(2)

    def write_fire(self) -> None:
        """Write what events do to lanes that start anew, as SBML defines it.

        All triggers are looked at; the events of those that have turned true wait, with the values of that moment. Then the first
        that waits happens, and all triggers are looked at again, until none waits.
        """
        c = self.c
        rounds = c.variable("i", 0)
        changed = c.variable("b", c.constant("b", True))
        with c.repeat() as leave:
            more = c.label()
            c.branch(changed.get() & (rounds.get() < ROUNDS), more, leave)
            c.mark(more)
            changed.set(c.constant("b", False))
            rounds.set(rounds.get() + 1)
            self.put("firing", c.vector(0.0))
            self.block("triggers", self.get("t"), "y", "o")
            for write in (self._write_look, lambda lane: self._write_first_event(lane, changed)):
                with c.loop(c.width) as lane, c.when(self._starting(lane)):
                    write(lane)
        # Events that trigger each other without end leave a patient whom nobody can go on with.
        with c.when(changed.get()), c.loop(c.width) as lane:
            endless = self._starting(lane) & self.lane("firing", lane).differs(0.0)
            with c.when(endless):
                self.set_lane("restart", lane, c.constant("d", 0.0))
                self.finish(lane, UNDERFLOW)
        c.give()

    def _starting(self, lane: Value) -> Value:
        return self.lane("restart", lane).differs(0.0) & self.lane("live", lane).differs(0.0)

    def _write_look(self, lane: Value) -> None:
        """Write which events of a lane are to happen, now that its triggers are computed."""
        c = self.c
        one, zero = c.constant("d", 1.0), c.constant("d", 0.0)
        kept = 0
        for k, event in enumerate(self.program.events):
            now = self.lane("o", lane, "d", k).differs(0.0)
            before = self.lane("before", lane, "d", k).differs(0.0)
            with c.when(~now):
                self.set_lane("before", lane, zero, k)
                if not event.persistent:
                    self.set_lane("pending", lane, zero, k)
            with c.when(now & ~before):
                self.set_lane("before", lane, one, k)
                self.set_lane("pending", lane, one, k)
                if event.from_trigger_time and event.targets:
                    self.block(f"event{k}", self.get("t"), "y", "there")
                    for i in range(len(event.targets)):
                        self.set_lane("kept", lane, self.lane("there", lane, "d", i), kept + i)
            kept += len(event.targets)

    def _write_first_event(self, lane: Value, changed: Variable) -> None:
        """Write what the first event that waits does to a lane."""
        c = self.c
        done = c.label()
        kept = 0
        for k, event in enumerate(self.program.events):
            with c.when(self.lane("pending", lane, "d", k).differs(0.0)):
                self.set_lane("pending", lane, c.constant("d", 0.0), k)
                self.set_lane("firing", lane, c.constant("d", 1.0))
                changed.set(c.constant("b", True))
                self._write_event(lane, k, event, kept)
                c.jump(done)
                c.mark(c.label())
            kept += len(event.targets)
        c.jump(done)
        c.mark(done)

    def _write_event(self, lane: Value, k: int, event: EventProgram, kept: int) -> None:
        """Write what one event does to a lane: new values, then factors, both of the state before it; or the patient's end."""
        c = self.c
        if event.scaled:
            self.block(f"factors{k}", self.get("t"), "y", "hit")
        if event.targets and not event.from_trigger_time:
            self.block(f"event{k}", self.get("t"), "y", "there")
        source, first = ("kept", kept) if event.from_trigger_time else ("there", 0)
        for i, target in enumerate(event.targets):
            self.set_lane("y", lane, self.lane(source, lane, "d", first + i), target)
        for i, target in enumerate(event.scaled):
            self.set_lane("y", lane, self.lane("y", lane, "d", target) * self.lane("hit", lane, "d", i), target)
        if event.terminal:
            self.block("output", self.get("t"), "y", "there")
            with c.when(self.waiting(lane)):
                self.write_report(lane, "there")
            patient = self.lane("patient", lane, "i")
            c.store(self.field("event", "p"), patient, c.integer(k))
            self.set_lane("restart", lane, c.constant("d", 0.0))
            self.finish(lane, ENDED)
