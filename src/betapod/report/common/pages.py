"""Templates of pages that need nothing else: style and script are shared and stand inside each page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import Template

#: Where templates stand, and the style and script that they include.
FOLDERS = tuple(
    Path(__file__).parents[1] / room
    for room in ("common", "trial", "predictions", "claims", "answer", "fit", "patient")
)


def template(name: str, **filters: Callable[[Any], str]) -> Template:
    """Return a template by its file name; text is escaped, and a missing name is an error.

    Parameters
    ----------
    filters
        Functions of a value that the template uses by name.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(FOLDERS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    return environment.get_template(name)
