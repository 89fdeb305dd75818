"""The small picture of a claim: what the model says beside what is claimed, or which way the studies point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from ...claims.ledger import Entry

_WIDTH, _LEFT, _RIGHT, _ROW = 340, 12, 328, 30
#: Okabe and Ito's colours, dark enough for lines on white; shapes differ as well.
_INK, _SOFT, _CLAIM = "#1f2937", "#4b5563", "#b3420a"
_COLOURS = {"off": "#4b5563", "evidence": "#0072b2", "most": "#007a5a", "claims": "#b3420a"}


def picture(entry: Entry) -> Markup:
    """Return an SVG; its text alternative says the same."""
    return _simulation(entry) if entry.simulated is not None else _studies(entry)


def _simulation(entry: Entry) -> Markup:
    from ...claims.wording import number

    one, outcome = entry.simulated, entry.claim.outcome
    assert one is not None and outcome is not None
    rows = [
        ("off", "mechanism off", one.off),
        ("evidence", "as evidence allows", one.allowed),
        ("most", "at the most it allows", one.largest),
        ("claims", "with the claims' parameters", one.claimed),
    ]
    shown = [(key, name, value) for key, name, value in rows if value is not None]
    values = [0.0, outcome.claimed, *(value for _, _, value in shown)]
    low, high = min(values), max(values)
    span = (high - low) or 1.0

    def x(value: float) -> float:
        return _LEFT + 8 + (_RIGHT - _LEFT - 16) * (value - low) / span

    unit = "" if one.unit == "1" else f" {one.unit}"
    height = _ROW * len(shown) + 44
    bottom = _ROW * len(shown) + 22
    parts = [
        _line(x(0), 20, x(0), bottom, "#9ca3af", ""),
        _line(x(outcome.claimed), 20, x(outcome.claimed), bottom, _CLAIM, "5 3"),
    ]
    bound = "at most " if outcome.at_most else ""
    anchor = "end" if x(outcome.claimed) > _WIDTH / 2 else "start"
    parts.append(_text(x(outcome.claimed), 14, f"claimed {bound}{number(outcome.claimed)}{unit}", _CLAIM, anchor))
    zero = "end" if x(0) > _WIDTH / 2 else "start"
    parts.append(_text(x(0), height - 6, "no effect", _SOFT, zero))
    for number_, (key, name, value) in enumerate(shown):
        y = 34 + _ROW * number_
        written = "none" if abs(value) < 1e-3 * abs(outcome.claimed) else f"{number(value)}{unit}"
        parts.append(_text(_LEFT, y + 2, f"{name}: {written}", _INK, "start"))
        parts.append(_line(_LEFT, y + 12, _RIGHT, y + 12, "#e5e7eb", ""))
        parts.append(_line(x(0), y + 12, x(value), y + 12, _COLOURS[key], "", 3))
        parts.append(_circle(x(value), y + 12, 5, _COLOURS[key]))
    words = f"{outcome.quantity}: claimed {number(outcome.claimed)}{unit}; " + "; ".join(
        f"{name} {number(value)}{unit}" for _, name, value in shown
    )
    return _svg(height, words, parts)


def _studies(entry: Entry) -> Markup:
    sides = {"for": 2, "leans for": 1, "open": 0, "nothing": 0, "leans against": -1, "short": -1, "against": -2}
    shown = [reply for reply in entry.replies if reply.answer != "nothing"]
    if not shown:
        return _svg(60, "no usable study", [_text(_LEFT, 34, "No usable study: nothing to draw.", _SOFT, "start")])
    height = 22 * len(shown) + 34
    centre = _WIDTH / 2
    parts = [_line(centre, 20, centre, height - 8, "#9ca3af", "")]
    parts += [_text(_LEFT, 14, "against", _SOFT, "start"), _text(_RIGHT, 14, "for", _SOFT, "end")]
    for number_, reply in enumerate(shown):
        y = 34 + 22 * number_
        at = centre + 70 * sides[reply.answer]
        fill = _COLOURS["evidence"] if reply.direct else "#ffffff"
        parts.append(_line(centre, y, at, y, _COLOURS["evidence"], "", 2))
        parts.append(_circle(at, y, 6, fill, "#0072b2"))
    words = "; ".join(f"{reply.question.text}: {reply.answer}" for reply in shown)
    return _svg(height, words, parts)


def _svg(height: int, words: str, parts: list[Markup]) -> Markup:
    head = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(_WIDTH, height, words)
    return head + Markup("").join(parts) + Markup("</svg>")


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, dash: str, width: float = 1) -> Markup:
    dashes = Markup(' stroke-dasharray="{}"').format(dash) if dash else Markup("")
    return Markup('<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="{}" stroke-width="{:g}"{}/>').format(
        x1, y1, x2, y2, colour, width, dashes
    )


def _circle(x: float, y: float, radius: float, fill: str, stroke: str = "") -> Markup:
    edge = Markup(' stroke="{}" stroke-width="2"').format(stroke) if stroke else Markup("")
    return Markup('<circle cx="{:.1f}" cy="{:g}" r="{:g}" fill="{}"{}/>').format(x, y, radius, fill, edge)


def _text(x: float, y: float, words: str, colour: str, anchor: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" fill="{}" text-anchor="{}">{}</text>').format(
        x, y, colour, anchor, words
    )
