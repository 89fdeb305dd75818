"""The small picture of a claim: what the model says beside what is claimed, or which way the studies point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from ..common.svg import circle, svg, svg_bar, svg_line, svg_text
from ..common.words import MINUS, counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...claims.judged_claim import JudgedClaim

_WIDTH, _LEFT, _RIGHT, _ROW = 340, 12, 328, 30
#: How far an interval may go beyond what else is drawn, as a multiple of that.
_REACH = 0.6
#: Width of a letter, at most.
_LETTER = 7.4
#: Okabe and Ito's colours, dark enough for lines on white; shapes differ as well.
_INK, _SOFT = "#1f2937", "#4b5563"
#: Verdicts, each with a colour that no scenario has; the page's badges have the same.
VERDICT_COLOURS = {
    "supported": "#05603a",
    "partly supported": "#55620a",
    "untested": "#d1d5db",
    "not supported": "#fcd34d",
    "contradicted": "#831843",
}
_COLOURS = {"off": "#4b5563", "evidence": "#0072b2", "most": "#3b8fc4", "claims": "#b3420a"}


def picture(entry: JudgedClaim) -> Markup:
    """Return an SVG; its text alternative says the same."""
    return _simulation(entry) if entry.simulated is not None else _studies(entry)


def verdicts_overview(entries: Sequence[JudgedClaim]) -> Markup:
    """Return an SVG of how many claims have each verdict; about cells dark, about diabetes itself light."""
    row, left, right = 26, 124, _WIDTH
    counts = {
        name: [
            sum(e.verdict.verdict == name and e.claim.about == about for e in entries)
            for about in ("cells", "diabetes")
        ]
        for name in VERDICT_COLOURS
    }
    most = max(sum(both) for both in counts.values()) or 1
    scale = (right - left - 26) / most
    parts = []
    for number, (name, both) in enumerate(counts.items()):
        y, x = 6 + row * number, float(left)
        parts.append(svg_text(left - 8, y + 15, name, _INK, "end"))
        for share, opacity in zip(both, (1.0, 0.45), strict=True):
            if share:
                parts.append(svg_bar(x, y, scale * share, row - 6, VERDICT_COLOURS[name], opacity))
                x += scale * share
        parts.append(svg_text(x + 6, y + 15, str(sum(both)), _INK, "start"))
    words = "; ".join(f"{name} {both[0]} about cells, {both[1]} about diabetes" for name, both in counts.items())
    return svg(_WIDTH, row * len(counts) + 8, f"{counted(len(entries), 'claim')}: {words}", parts)


def _simulation(entry: JudgedClaim) -> Markup:
    from ...claims.claim_uncertainty import effect_interval
    from ...claims.numbers_in_words import three_digits as plain_number
    from ...claims.wording import effect_unit

    def number(value: float) -> str:
        return plain_number(value).replace("-", MINUS)

    simulated, outcome = entry.simulated, entry.claim.outcome
    assert simulated is not None and outcome is not None
    rows = [
        ("off", "without the mechanism", "off"),
        ("evidence", "current evidence", "allowed"),
        ("most", "best within what evidence allows", "largest"),
        ("claims", "parameters as claimed", "claimed"),
    ]
    points = [
        (key, name, getattr(simulated, field)) for key, name, field in rows if getattr(simulated, field) is not None
    ]
    intervals = {key: effect_interval(outcome, simulated, field) for key, _, field in rows}
    ends = {key: (interval.low, interval.high) for key, interval in intervals.items() if interval is not None}
    values: list[float] = [0.0, outcome.claimed, *(value for _, _, value in points)]
    low, high = min(values), max(values)
    # A very wide interval is cut off, so that what is claimed can still be told from what is given.
    reach = _REACH * ((high - low) or 1.0)
    low = max(low - reach, min([low, *(first for first, _ in ends.values())]))
    high = min(high + reach, max([high, *(last for _, last in ends.values())]))
    span = (high - low) or 1.0

    def x(value: float) -> float:
        return _LEFT + 8 + (_RIGHT - _LEFT - 16) * (value - low) / span

    unit = effect_unit(outcome.quantity, simulated.unit, outcome.measure)
    unit = f" {unit}" if unit else ""
    height = _ROW * len(points) + 44
    bottom = _ROW * len(points) + 22
    parts = [
        svg_line(x(0), 20, x(0), bottom, "#9ca3af", ""),
        svg_line(x(outcome.claimed), 20, x(outcome.claimed), bottom, _INK, "5 3", 1.5),
    ]
    bound = "at most " if outcome.at_most else "at least " if outcome.at_least else ""
    claimed = f"claimed: {bound}{number(outcome.claimed)}{unit}"
    wide = _LETTER * len(claimed)
    if x(outcome.claimed) > _WIDTH / 2:
        parts.append(svg_text(max(x(outcome.claimed), wide), 14, claimed, _INK, "end"))
    else:
        parts.append(svg_text(min(x(outcome.claimed), _WIDTH - wide), 14, claimed, _INK, "start"))
    zero = "end" if x(0) > _WIDTH / 2 else "start"
    parts.append(svg_text(x(0), height - 6, "no effect", _SOFT, zero))
    for number_, (key, name, value) in enumerate(points):
        y = 34 + _ROW * number_
        # A long unit stands once, with what is claimed.
        written = "none" if abs(value) < 1e-3 * abs(outcome.claimed) else number(value) + unit * (len(unit) < 4)
        parts.append(svg_text(_LEFT, y + 2, f"{name}: {written}", _INK, "start"))
        parts.append(svg_line(_LEFT, y + 12, _RIGHT, y + 12, "#e5e7eb", ""))
        parts.append(svg_line(x(0), y + 12, x(value), y + 12, _COLOURS[key], "", 3))
        parts.append(circle(x(value), y + 12, 5, _COLOURS[key]))
        if key in ends:
            parts += _whisker(key, y + 12, ends[key], (low, high), x)
    words = f"{outcome.quantity}: claimed {number(outcome.claimed)}{unit}; " + "; ".join(
        f"{name} {number(value)}{unit}"
        + (f" (95 % {number(ends[key][0])} to {number(ends[key][1])})" if key in ends else "")
        for key, name, value in points
    )
    return svg(_WIDTH, height, words, parts)


def _whisker(
    key: str, y: float, ends: tuple[float, float], drawn: tuple[float, float], x: Callable[[float], float]
) -> list[Markup]:
    """Return the 95 % interval of a row as a thin line, with a stroke at each end that is not cut off."""
    first, last = max(ends[0], drawn[0]), min(ends[1], drawn[1])
    caps = [end for end in ends if drawn[0] <= end <= drawn[1]]
    return [
        svg_line(x(first), y, x(last), y, _COLOURS[key], "", 1),
        *(svg_line(x(end), y - 4, x(end), y + 4, _COLOURS[key], "", 1) for end in caps),
    ]


def _studies(entry: JudgedClaim) -> Markup:
    from ...claims.questions import SILENT

    sides = {"for": 2, "leans for": 1, "open": 0, "leans against": -1, "short": -1, "case of harm": -2, "against": -2}
    replies = [reply for reply in entry.replies if reply.answer not in SILENT]
    if not replies:
        return svg(
            _WIDTH, 60, "no usable study", [svg_text(_LEFT, 34, "No usable study: nothing to draw.", _SOFT, "start")]
        )
    height = 22 * len(replies) + 34
    centre = _WIDTH / 2
    parts = [svg_line(centre, 20, centre, height - 8, "#9ca3af", "")]
    parts += [svg_text(_LEFT, 14, "against", _SOFT, "start"), svg_text(_RIGHT, 14, "for", _SOFT, "end")]
    for number_, reply in enumerate(replies):
        y = 34 + 22 * number_
        at = centre + 70 * sides[reply.answer]
        fill = _COLOURS["evidence"] if reply.direct else "#ffffff"
        parts.append(svg_line(centre, y, at, y, _COLOURS["evidence"], "", 2))
        parts.append(circle(at, y, 6, fill, "#0072b2"))
    words = "; ".join(f"{reply.question.text}: {reply.answer}" for reply in replies)
    return svg(_WIDTH, height, words, parts)
