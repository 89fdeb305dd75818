"""Small pictures written as SVG by hand: lines, bars, points and labels that scale with the page."""

from __future__ import annotations

from markupsafe import Markup


def svg(width: float, height: float, words: str, parts: list[Markup]) -> Markup:
    """Return a picture; `words` say the same to those who cannot see it."""
    head = Markup('<svg viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">').format(width, height, words)
    return head + Markup("").join(parts) + Markup("</svg>")


def svg_line(x1: float, y1: float, x2: float, y2: float, colour: str, dash: str = "", width: float = 1) -> Markup:
    """Return a line; `dash` as SVG has it, such as ``5 3``."""
    dashes = Markup(' stroke-dasharray="{}"').format(dash) if dash else Markup("")
    return Markup('<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="{}" stroke-width="{:g}"{}/>').format(
        x1, y1, x2, y2, colour, width, dashes
    )


def svg_bar(x: float, y: float, width: float, height: float, colour: str, opacity: float = 1.0) -> Markup:
    """Return a filled rectangle from its left upper corner."""
    return Markup('<rect x="{:.1f}" y="{:g}" width="{:.1f}" height="{:g}" fill="{}" fill-opacity="{:g}"/>').format(
        x, y, width, height, colour, opacity
    )


def circle(x: float, y: float, radius: float, fill: str, stroke: str = "") -> Markup:
    """Return a point."""
    edge = Markup(' stroke="{}" stroke-width="2"').format(stroke) if stroke else Markup("")
    return Markup('<circle cx="{:.1f}" cy="{:g}" r="{:g}" fill="{}"{}/>').format(x, y, radius, fill, edge)


def svg_text(x: float, y: float, words: str, colour: str, anchor: str) -> Markup:
    """Return a text; `anchor` is ``start``, ``middle`` or ``end``."""
    return Markup('<text x="{:.1f}" y="{:.1f}" fill="{}" text-anchor="{}">{}</text>').format(
        x, y, colour, anchor, words
    )
