"""Pictures of the answer: effects of cells and of what else there is, one under the other on one scale for each outcome."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from ..common.svg import circle, svg, svg_line, svg_text
from ..common.words import true_minus
from .published_effects import OUTCOMES

if TYPE_CHECKING:
    from .published_effects import PublishedEffect

_WIDTH, _LEFT, _RIGHT, _ROW, _AXIS = 360, 14, 346, 46, 30
_INK, _SOFT = "#1f2937", "#4b5563"
#: Treatment -> colour, dark enough on white; cells are told from the rest by shape as well.
COLOURS = {
    "infused cells": "#b3420a",
    "stem-cell islets": "#831843",
    "donor islets": "#6b21a8",
    "SGLT2 inhibitor": "#0072b2",
    "GLP-1 receptor agonist": "#05603a",
    "finerenone": "#55620a",
}
#: Outcomes that are ratios: equal distances are equal ratios, and 1 is no effect.
_RATIO = ("kidney failure",)


def effects_picture(outcome: str, effects: Sequence[PublishedEffect]) -> Markup:
    """Return an SVG of the effects on one outcome; its text alternative says the same."""
    scale, ticks, null = _scale(outcome, effects)
    height = _ROW * len(effects) + _AXIS
    bottom = _ROW * len(effects) + 4
    parts = []
    for number, effect in enumerate(effects):
        top = 6 + _ROW * number
        if null is not None:  # beside the bars alone, for it would cross out words
            parts.append(svg_line(scale(null), top + 17, scale(null), top + 36, _SOFT, "4 3"))
        parts += _row(effect, top, scale)
    parts.append(svg_line(_LEFT, bottom, _RIGHT, bottom, _SOFT))
    for tick in ticks:
        anchor = "start" if scale(tick) < _LEFT + 12 else "end" if scale(tick) > _RIGHT - 12 else "middle"
        parts.append(svg_line(scale(tick), bottom, scale(tick), bottom + 4, _SOFT))
        parts.append(svg_text(scale(tick), bottom + 18, true_minus(f"{tick:g}"), _SOFT, anchor))
    label, side = OUTCOMES[outcome]
    words = "; ".join(f"{effect.treatment}, {effect.when}: {effect.text}" for effect in effects)
    return svg(_WIDTH, height, f"{label} ({side}). {words}", parts)


def _row(effect: PublishedEffect, top: float, scale: Callable[[float], float]) -> list[Markup]:
    """Return name, number and interval of one effect."""
    colour = COLOURS[effect.treatment]
    short = effect.text.split(" (")[0] if effect.measured else "not measured"
    parts = [
        svg_text(_LEFT, top + 12, _short_name(effect), colour, "start"),
        svg_text(_RIGHT, top + 12, short, _INK, "end"),
    ]
    middle = top + 26
    if effect.value is None:
        return parts
    if effect.low is not None and effect.high is not None:
        parts.append(svg_line(scale(effect.low), middle, scale(effect.high), middle, colour, width=3))
    hollow = effect.low is None
    parts.append(circle(scale(effect.value), middle, 5, "#ffffff" if hollow else colour, colour))
    return parts


def _short_name(effect: PublishedEffect) -> str:
    when = effect.when.partition(",")
    tail = {"summary of trials": "summary", "trials pooled here": "pooled here", "placebo-controlled": "blinded"}
    more = tail.get(when[2].strip(), "") or tail.get(effect.when, "")
    return f"{effect.treatment}{f', {more}' if more else ''}"


def _scale(
    outcome: str, effects: Sequence[PublishedEffect]
) -> tuple[Callable[[float], float], list[float], float | None]:
    """Return the place of a value, the ticks, and the value of no effect."""
    ends = [end for effect in effects for end in (effect.low, effect.high, effect.value) if end is not None]
    if outcome in _RATIO:
        ticks = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1]
        low, high = math.log(min(*ends, 0.5)), math.log(max(*ends, 1.1))
        return (lambda value: _LEFT + (_RIGHT - _LEFT) * (math.log(value) - low) / (high - low)), ticks[::1], 1.0
    if outcome == "insulin-free":
        return (lambda value: _LEFT + (_RIGHT - _LEFT) * value / 100.0), [0.0, 25.0, 50.0, 75.0, 100.0], None
    low, high = min(*ends, 0.0), max(*ends, 0.0)
    pad = 0.04 * (high - low or 1.0)
    low, high = low - pad, high + pad
    return (lambda value: _LEFT + (_RIGHT - _LEFT) * (value - low) / (high - low)), _ticks(low, high), 0.0


def _ticks(low: float, high: float) -> list[float]:
    """Return four to eight round values between two ends."""
    for step in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0):
        first, last = math.ceil(low / step), math.floor(high / step)
        if last - first < 7:
            return [round(step * number, 6) for number in range(first, last + 1)]
    return [0.0]
