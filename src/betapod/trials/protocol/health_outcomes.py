"""Outcomes of health that endpoints may name: complications, and the return to health."""

from __future__ import annotations

import functools
from collections.abc import Mapping

#: Return to health that lasts three months: UACR, eGFR and HbA1c of health without glucose-lowering drugs (`health.healthy`).
HEALTHY_AGAIN = "healthy_again"
#: Quality-adjusted life-years from enrolment on, with the utilities of `health.utilities.DEFAULT_SET`; a total, and no event.
QUALITY_OF_LIFE = "quality_of_life"
#: Outcomes of which more is better -> the summaries that they have.
IMPROVEMENTS: Mapping[str, tuple[str, ...]] = {
    HEALTHY_AGAIN: ("responders", "time to event"),
    QUALITY_OF_LIFE: ("total",),
}
_LABELS = {HEALTHY_AGAIN: "return to health", QUALITY_OF_LIFE: "quality-adjusted life-years"}


@functools.cache
def complication_outcomes() -> Mapping[str, str]:
    """Return the complications that may be endpoints, with their labels: all that do not kill."""
    from ...hazards.complications.complication import complications

    return {name: item.label for name, item in complications().items() if not item.fatal}


def health_outcomes() -> tuple[str, ...]:
    """Return the names of all outcomes of health."""
    return (*complication_outcomes(), *IMPROVEMENTS)


def health_label(name: str) -> str:
    """Return what an outcome of health is called, such as ``background retinopathy``; its name in words where it is none."""
    if name in _LABELS:
        return _LABELS[name]
    return complication_outcomes().get(name, name.replace("_", " "))
