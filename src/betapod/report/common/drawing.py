"""How figures of a trial report are drawn: narrow, so that they are read on a telephone; one look for every scenario."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...therapies.scenarios import AS_CLAIMED, CURRENT_EVIDENCE, FACE_VALUE, NONE
from . import words
from .figures import PALETTE, drawable, new_figure, styled

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Inches; on a telephone (358 px of text) ten points then appear as ten pixels.
WIDTH = 4.8

COLOURS: Mapping[str, str] = {
    NONE: "#4b5563",
    CURRENT_EVIDENCE: PALETTE[0],
    FACE_VALUE: PALETTE[3],
    AS_CLAIMED: PALETTE[1],
}
#: Groups and strata, in colours that no scenario has.
GROUPS: Sequence[str] = ("#111827", PALETTE[2], PALETTE[4], PALETTE[5])
#: Marks and lines, so that scenarios are told apart without colour.
MARKS: Mapping[str, str] = {NONE: "o", CURRENT_EVIDENCE: "s", FACE_VALUE: "^", AS_CLAIMED: "D"}
STYLES: Mapping[str, Any] = {NONE: "-", CURRENT_EVIDENCE: "--", FACE_VALUE: ":", AS_CLAIMED: "-."}


@dataclass(frozen=True)
class Drawing:
    """A figure for the page: the picture, what it shows, and the words for those who cannot see it."""

    name: str
    title: str
    svg: Markup
    caption: str
    alt: str


def colour(scenario: str) -> str:
    """Return the colour of a scenario, the same in every figure."""
    return COLOURS.get(scenario, PALETTE[2])


def drawing(name: str, title: str, caption: str, alt: str, height: float, paint: Callable[[Axes], None]) -> Drawing:
    """Draw one pair of axes and return it as inline SVG."""
    with styled():
        figure = new_figure(WIDTH, height)
        axes = figure.add_subplot()
        paint(axes)
        svg = inline(figure, name, alt)
    return Drawing(name, title, svg, caption, alt)


def inline(figure: Figure, name: str, alt: str) -> Markup:
    """Return a figure as SVG for HTML: scales with the page, has alternative text, its inner names are its own."""
    import matplotlib
    from markupsafe import Markup

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": f"betapod-{name}"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # Two figures on one page must not share the names of letters and clipping paths.
    text = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", text)
    head, rest = text[: text.index(">")], text[text.index(">") + 1 :]
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)
    described = Markup(' role="img" aria-label="{}"').format(drawable(alt))
    # matplotlib escapes the texts that it draws; nothing else of a user is in the picture.
    return Markup(re.sub(r"\n\s*", "\n", f"{head}{described}>{rest}").strip())


def axis(code: str, changed: bool = True) -> str:
    """Return the label of an axis: what is shown, with its unit."""
    unit = words.change_unit(code) if changed else words.printed_unit(code)
    name = words.short_name(code)
    return f"{'change of ' if changed else ''}{name} ({unit})" if unit else name


def wrap_label(text: str, width: int = 16, lines: int = 3) -> str:
    """Break a label into lines of at most `width` letters; what is longer ends in dots, and stands in full in the text."""
    import textwrap

    broken = textwrap.wrap(text, width)
    if len(broken) > lines:
        broken = [*broken[: lines - 1], broken[lines - 1][: width - 1].rstrip() + "\u2026"]
    return "\n".join(broken)


def slug(text: str) -> str:
    """Return a text as a name for files and anchors, another for every text: what is left out counts by a number."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return plain if plain and plain.replace("-", " ") == text else f"{plain or 'x'}-{zlib.crc32(text.encode()):08x}"
