"""What one event does to a patient in the compiled loop."""

from __future__ import annotations

from .code import Value
from .lanes import Lanes
from .program import EventProgram
from .visit_outputs import report_visit, visit_due
from .workspace import ENDED


def write_event(lanes: Lanes, lane: Value, k: int, event: EventProgram, kept: str, offset: int | Value) -> None:
    """Write what one event does to a lane: new values, then factors, both of the state before it; or the patient's end.

    Parameters
    ----------
    kept, offset
        Where the values of its trigger's time stand, if it takes those.
    """
    c = lanes.code
    if event.scaled:
        lanes.block(f"factors{k}", lanes.get("t"), "y", "hit")
    if event.targets and not event.from_trigger_time:
        lanes.block(f"event{k}", lanes.get("t"), "y", "there")
    source, first = (kept, offset) if event.from_trigger_time else ("there", 0)
    for i, target in enumerate(event.targets):
        lanes.set_lane("y", lane, lanes.lane(source, lane, "d", first + i), target)
    for i, target in enumerate(event.scaled):
        lanes.set_lane("y", lane, lanes.lane("y", lane, "d", target) * lanes.lane("hit", lane, "d", i), target)
    if event.terminal:
        lanes.block("output", lanes.get("t"), "y", "there")
        with c.when(visit_due(lanes, lane)):
            report_visit(lanes, lane, "there")
        patient = lanes.lane("patient", lane, "i")
        c.store(lanes.field("event", "p"), patient, c.integer(k))
        lanes.set_lane("restart", lane, c.constant("d", 0.0))
        lanes.finish(lane, ENDED)
