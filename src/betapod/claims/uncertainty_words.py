"""What is not known of simulated outcomes, in words and as plain data."""

from __future__ import annotations

from typing import Any

from ..base.interval_parts import INTERVAL_PARTS
from .claim_outcome import Outcome, SimulatedOutcome
from .claim_uncertainty import WITH_INTERVAL, EffectInterval, effect_interval
from .numbers_in_words import three_digits

#: Share of a number, or of 1, below which two ends are the same.
_NOTHING = 1e-6
#: Why chance has no part in any interval of a claim.
NO_CHANCE = "chance has no part: one person who is described is simulated, and nobody is drawn"


def intervals_as_dict(outcome: Outcome, simulated: SimulatedOutcome) -> dict[str, dict[str, Any]]:
    """Return the interval of each number of a simulated outcome as plain values; empty where nothing was drawn."""
    intervals = {name: effect_interval(outcome, simulated, name) for name in WITH_INTERVAL}
    return {name: interval.as_dict() for name, interval in intervals.items() if interval is not None}


def range_words(ends: tuple[float, float]) -> str:
    """Return two ends; that nothing is between them, where it is so."""
    nothing = abs(ends[1] - ends[0]) <= _NOTHING * max(1.0, abs(ends[0]))
    return "nothing" if nothing else f"{three_digits(ends[0])} to {three_digits(ends[1])}"


def interval_words(interval: EffectInterval | None) -> str:
    """Return an interval behind its number, in parentheses; nothing where there is none."""
    return f" ({parts_in_words(interval)})" if interval is not None else ""


def parts_in_words(interval: EffectInterval | None) -> str:
    """Return an interval as a whole, then by its parts; nothing where there is none."""
    if interval is None:
        return ""
    parts = [
        f"{words} alone {range_words(ends)}"
        for name, words in INTERVAL_PARTS.items()
        if name != "chance" and (ends := getattr(interval, name)) is not None
    ]
    return f"95 % {range_words((interval.low, interval.high))}: {', '.join(parts)}"


def held_words(simulated: SimulatedOutcome) -> str:
    """Say what the intervals of a simulated outcome hold and what they do not; nothing where there are none."""
    uncertainty = simulated.uncertainty
    if uncertainty is None:
        return ""
    lost = f", {uncertainty.lost} of which gave no number" if uncertainty.lost else ""
    parameters = f"the intervals hold parameters ({uncertainty.draws} draws of the fit {uncertainty.fit}, joined with draws of cells{lost})"
    if uncertainty.studies is None:
        return f"{parameters}; not what studies differ by: {uncertainty.why_none}; {NO_CHANCE}"
    scale = " on the scale of logarithms" if uncertainty.scale == "log" else ""
    differ = f"what studies differ by ({uncertainty.kind}: SD {three_digits(uncertainty.studies)}{scale})"
    return f"{parameters} and {differ}; {NO_CHANCE}"


def lever_spread(simulated: SimulatedOutcome) -> str:
    """Return what draws of a fit make of the leverage, in words; nothing where none were made or no lever was varied."""
    uncertainty = simulated.uncertainty
    if uncertainty is None or not uncertainty.needed or simulated.reached_within_evidence is None:
        return ""
    sizes = [needed for needed in uncertainty.needed if needed is not None]
    count = len(uncertainty.needed)
    if not sizes:
        return f"not reached under any of {count} draws"
    span = f"{three_digits(min(sizes))} to {three_digits(max(sizes))}"
    words = f"{span} under {count} draws"
    if missing := count - len(sizes):
        words = f"{span} under {len(sizes)} of {count} draws, not reached under {missing}"
    limit = simulated.limit
    if limit is not None:
        within = sum(size <= limit * (1 + 1e-6) for size in sizes)
        words += f"; within what evidence allows under {within}"
    return words
