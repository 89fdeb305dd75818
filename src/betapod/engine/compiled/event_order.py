"""Whether the priorities of a model's events say which of several comes first, whatever is due together.

SBML draws at random among events that are due together with equal priority, or without any. The compiled loop draws nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...model.assembly.model import Event

#: So many events are named; of more, the rest is counted.
_NAMED = 5


def open_orders(events: Sequence[Event]) -> list[tuple[str, str]]:
    """Return what leaves the order of events open: names of events, and what is the matter with them.

    Events without any priority keep the order of the model, and a single event has none before or after it.
    """
    if len(events) < 2 or all(event.priority is None for event in events):
        return []
    missing: list[str] = []
    varying: list[str] = []
    fixed: dict[float, list[str]] = {}
    for event in events:
        priority = event.priority
        if priority is None:
            missing.append(event.name)
        elif priority.op != "const" or math.isnan(priority.value):
            varying.append(event.name)
        else:
            fixed.setdefault(float(priority.value), []).append(event.name)
    reasons = [(names, f"events of the same priority {value:g}") for value, names in fixed.items() if len(names) > 1]
    reasons += [(missing, "events without a priority beside events with one")] if missing else []
    reasons += [(varying, "priorities of events that are not constant numbers")] if varying else []
    return [(_listed(names), reason) for names, reason in reasons]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
