"""An empty figure that needs no display, and that notebooks show by themselves."""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure (inches) that needs no display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = _kind()(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


@functools.cache
def _kind() -> type[Figure]:
    """Return the class of figures; matplotlib is loaded only where something is drawn."""
    from matplotlib.figure import Figure

    class Picture(Figure):
        """A figure that notebooks show, whichever backend they have."""

        def _repr_png_(self) -> bytes:
            buffer = io.BytesIO()
            self.savefig(buffer, format="png", dpi=110)
            return buffer.getvalue()

    return Picture
