"""A page for readers: sections of sentences, figures and tables, rendered as one HTML file that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .drawing import Drawing

TEMPLATE = Path(__file__).parents[1] / "trial" / "trial_report.html.jinja"


@dataclass(frozen=True)
class Table:
    """A small table of text.

    Attributes
    ----------
    header
        Column names, with units.
    words
        How many of the first columns are words; the others are numbers and aligned to the right.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1


@dataclass(frozen=True)
class Section:
    """A part of the page: a question or topic, and its answer.

    Attributes
    ----------
    folded
        Shown closed on a screen; printed open.
    """

    key: str
    title: str
    paragraphs: Sequence[str] = ()
    figures: Sequence[Drawing] = ()
    tables: Sequence[Table] = ()
    items: Sequence[str] = ()
    closing: Sequence[str] = ()
    folded: bool = False


@dataclass(frozen=True)
class Page:
    """The whole page.

    Attributes
    ----------
    message
        The main result in one or two sentences, first thing that is read.
    facts
        What else a reader in a hurry must know, one sentence each.
    picture
        Drawn beside the message; None where there is nothing to draw.
    questions
        Questions of readers with their answers.
    provenance
        Name and value of everything that is needed to make the page again.
    """

    title: str
    subtitle: str
    warning: str
    message: str
    facts: Sequence[str]
    picture: Drawing | None
    questions: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    provenance: Sequence[tuple[str, str]] = field(default_factory=tuple)


def tidy(text: str) -> str:
    """Return a text with numbers that stay beside their per cent sign, and without control characters."""
    return re.sub(r"(?<=\d) (?=%)", "\u00a0", re.sub(r"[\x00-\x1f\x7f]+\s*", " ", text))


def render_page(page: Page) -> str:
    """Return the page as HTML."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["tidy"] = tidy
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(page=page)
