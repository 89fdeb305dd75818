"""What the compiled loop works on: the job that the caller describes, and the vectors of one worker."""

from __future__ import annotations

from .blocks import STAGES
from .program import Program, clock_parameters

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
#: Fields that are arrays of whole numbers; other arrays are of numbers.
WHOLE = frozenset(
    ("next", "stop", "varied", "overrides", "schedule", "segment_offsets", "switched", "dose_offsets", "dose_state", "status", "event", "steps", "rejected")
)  # fmt: skip
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
        "leaving",
        "stopped",
        "visible",
    ),
    *("stop", "turning", "hasty", "good", "firing"),
    *("g_high", "crossing", "failed", "action", "patient", "visits_done", "segment"),
)


#: How often the same event can wait at once.
SLOTS = 64


def _waiting(program: Program) -> dict[str, int]:
    """Return the sizes of what is kept for events that wait, or that have ranks."""
    sizes: dict[str, int] = {}
    if program.waiting:
        targets = sum(len(program.events[k].targets) for k in program.waiting)
        sizes |= {"wait": SLOTS * len(program.waiting), "kept_then": SLOTS * targets, "due": 1}
    if program.ranked:
        sizes |= {"rank": len(program.events), "draws": 1}
    return sizes


#: Stops that a worker keeps (see `betapod.engine.compiled.known_stops`): those of half a year with three meals a day. A power of two.
KEPT = 1024
#: Numbers of each: from where and to where was searched, what was found, and whether a condition changes there.
KEPT_FIELDS = 4


def keeps_stops(program: Program, width: int) -> bool:
    """Return whether a worker keeps the stops that it has found; one that integrates a single patient at a time has no memory for it."""
    return width > 1 and clock_parameters(program) is not None


def _known(program: Program, width: int) -> dict[str, int]:
    """Return the sizes of what is kept for stops that are known."""
    if not keeps_stops(program, width):
        return {}
    return {"known": KEPT * KEPT_FIELDS // width, "different": 1, "stops": 1, "unknown": 1}


class Workspace:
    """Places of the vectors that one worker needs, in one block of memory.

    Parameters
    ----------
    width
        Lanes of a vector.
    """

    def __init__(self, program: Program, width: int) -> None:
        n, events = len(program.states), len(program.events)
        sizes = {
            "y": n,
            "end": n,
            "stage": n,
            "k": program.unknowns * STAGES,
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
            **_waiting(program),
            **_known(program, width),
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
