"""Observed against predicted: z of every row, by family of studies, one panel for each parameterisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..confront.rows import Z95
from .figures import GREY, PALETTE, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..confront.campaign import Confrontation

#: |z| beyond which a point is drawn at the edge.
_EDGE = 12.0


def confront_figure(found: Confrontation) -> Figure:
    """Return a figure: one line per family, one point per row at (observed - predicted) over its error.

    The band is the 90 % predictive interval; points beyond 12 are drawn as arrows at the edge.
    """
    table = found.table()
    settings = list(found.predictions)
    families = list(dict.fromkeys(table["family"]))
    with styled():
        figure = new_figure(3.0 + 3.2 * len(settings), 1.6 + 0.22 * len(families))
        axes = figure.subplots(1, len(settings), sharey=True, squeeze=False)[0]
        for number, (axis, setting) in enumerate(zip(axes, settings, strict=True)):
            mine = table[table["setting"] == setting]
            axis.axvspan(-Z95, Z95, color=GREY, alpha=0.2, linewidth=0)
            axis.axvline(0.0, color=GREY, linewidth=0.8)
            z = mine["z"].to_numpy(dtype=float)
            rows = mine["family"].map(families.index).to_numpy(dtype=float)
            inside = mine["inside"].to_numpy(dtype=bool)
            clipped = np.clip(z, -_EDGE, _EDGE)
            for chosen, marker, label in (
                (inside, "o", "inside"),
                (~inside & (np.abs(z) <= _EDGE), "x", "outside"),
                (~inside & (z > _EDGE), ">", "beyond 12"),
                (~inside & (z < -_EDGE), "<", "beyond -12"),
            ):
                axis.plot(
                    clipped[chosen],
                    rows[chosen],
                    marker,
                    markersize=4,
                    color=PALETTE[number % len(PALETTE)],
                    label=label,
                )
            axis.set_xlim(-_EDGE - 1, _EDGE + 1)
            axis.set_title(f"{setting}: {int(inside.sum())} of {len(mine)} inside")
            axis.set_xlabel("(observed - predicted)/error")
        axes[0].set_yticks(range(len(families)), families)
        axes[0].invert_yaxis()
    return figure
