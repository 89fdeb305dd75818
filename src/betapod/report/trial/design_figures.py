"""The picture of a design: boundaries over information, with where a trial goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...base.canvas import new_figure
from ...trials.designs.sequential_design import SequentialDesign
from ..common.figures import GREY, PALETTE, drawable, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: Z beyond which no boundary is drawn.
_FARTHEST = 8.0


def boundary_figure(design: SequentialDesign) -> tuple[Figure, pd.DataFrame]:
    """Return the picture of a design's boundaries and the numbers in it.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    table = design.table
    share = 100 * np.asarray(design.information)
    upper = np.clip(np.asarray(design.efficacy), -_FARTHEST, _FARTHEST)
    with styled():
        figure = new_figure(5.4, 3.6)
        axes = figure.add_subplot()
        axes.plot(share, upper, "o-", color=PALETTE[0], label="efficacy")
        lower = None
        if design.sides == 2:
            lower = -upper
            axes.plot(share, lower, "o-", color=PALETTE[0])
        elif design.has_futility:
            lower = np.where(np.isfinite(design.futility), design.futility, np.nan)
            kind = "futility, binding" if design.binding else "futility, not binding"
            axes.plot(share, lower, "s--", color=PALETTE[1], label=kind)
        bottom = lower if lower is not None else np.minimum(-1.0, upper.min() - 3)
        axes.fill_between(share, bottom, upper, color=GREY, alpha=0.15, linewidth=0, label="goes on")
        for x, z in zip(share, upper, strict=True):
            axes.annotate(f"{z:.2f}", (x, z), textcoords="offset points", xytext=(0, 6), ha="center", fontsize=8)
        axes.axhline(0, color=GREY, linewidth=0.6)
        axes.set_xlabel("information, % of the last look")
        axes.set_ylabel("z")
        axes.set_title(drawable(design.title))
        axes.legend(loc="best")
        axes.margins(y=0.12)
        figure.draw_without_rendering()
    return figure, table


def boundary_alt_text(design: SequentialDesign) -> str:
    """Return what the picture shows, in words."""
    bounds = ", ".join(f"{z:.3f} at {100 * t:.0f} %" for t, z in zip(design.information, design.efficacy, strict=True))
    return f"Efficacy boundaries for z of {design.title} over the information: {bounds}."
