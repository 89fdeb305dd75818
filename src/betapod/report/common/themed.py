"""Pictures for pages that are light or dark: matplotlib draws them, and their colours become the page's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .drawing import inline
from .figures import styled

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure

_CLEAR: Any = {"svg.fonttype": "none", "axes.facecolor": "none", "figure.facecolor": "none"}


def themed_svg(paint: Callable[[], Figure], name: str, alt: str, colours: Mapping[str, str]) -> Markup:
    """Return a figure as SVG for HTML whose text is text and whose colours are variables of the page.

    Parameters
    ----------
    paint
        Draws and returns the figure; called with the settings of all figures.
    name
        Begins the inner names of the picture, so that two on one page share none.
    alt
        What it shows, for those who cannot see it.
    colours
        Colour as drawn -> name of the variable, without its dashes.
    """
    import matplotlib
    from markupsafe import Markup

    with styled(), matplotlib.rc_context(_CLEAR):
        text: str = inline(paint(), name, alt)
    for colour, variable in colours.items():
        text = re.sub(rf"{colour}\b", f"var(--{variable})", text, flags=re.IGNORECASE)
    return Markup(text)
