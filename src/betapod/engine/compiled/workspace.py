"""What the compiled loop works on: the job that the caller describes, and the vectors of one worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .blocks import STAGES
from .program import Program
from .rosenbrock import Arrays
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
    "floors",  # (states,) below which a state cannot be
    "rtol",
    "atol",  # (schedules, states)
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
#: ``impossible``: an amount, a volume or a concentration became negative.
STATUS = ("ok", "ended", "step-underflow", "non-finite", "step-limit", "not run", "impossible")
OK, ENDED, UNDERFLOW, NON_FINITE, STEP_LIMIT, NOT_RUN, IMPOSSIBLE = range(7)
#: What a lane waits for: nothing, a patient, a segment, a new start of the integration.
NONE, NEW, SEGMENT, RESTART = 0, 1, 2, 3
#: What a lane keeps besides arrays; the last four are integers. A lane stops at `stop`, the end of its segment or, where `turning`,
#: the moment at which a condition of time changes.
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
    *("stop", "turning", "hasty", "good", "firing"),
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
            "there": max(n, len(program.outputs), *(len(event.targets) for event in program.events)),
            "hit": max(n, 1, *(len(event.scaled) for event in program.events)),
            "o": max(
                len(program.outputs),
                2 * events,
                *(len(e.targets) for e in program.events),
                len(program.switches.clocks.results),
                len(program.switches.states.results),
                1,
            ),
            "before": events,
            "pending": events,
            "kept": sum(len(event.targets) for event in program.events),
            "bounds": 2 + 2 * len(program.switches.watched) + len(program.switches.still),
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


class Lanes:
    """Reads and writes the job and the workspace in code that is being written."""

    job: Value
    ws: Value

    def __init__(self, code: Code, program: Program) -> None:
        self.c, self.program = code, program
        self.workspace = Workspace(program)
        self.n, self.events = len(program.states), len(program.events)

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

    def arrays(self) -> Arrays:
        """Return the places a step works on."""
        names = ("y", "end", "stage", "k", "p", "c", "m", "g", "atol")
        return Arrays(*(self.place(name) for name in names))
