"""Axes of one panel of the picture: limits, ticks, and names of the points beyond the edge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..common.words import MINUS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


INK, PAPER = "#1f2937", "#ffffff"
#: Distances of the quartiles beyond which a point would squeeze the others, and the margin of an axis.
_FENCE, _MARGIN = 3.0, 0.07
#: Least distance of labels on a logarithmic axis, as a share of it.
_APART = 0.15
#: Width of a letter as a share of a panel, for each point of its size.
_LETTER = 0.0042


def panel_limits(group: pd.DataFrame, log: bool) -> tuple[float, float]:
    """Return limits that hold everything but outliers: beyond three times the quartiles' distance, as seen from the quartiles."""
    values = np.concatenate([group["x"].to_numpy(float), group["y"].to_numpy(float)])
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    if len(values) == 0:
        return (0.1, 10.0) if log else (0.0, 1.0)
    scaled = np.log(values) if log else values
    first, third = np.quantile(scaled, [0.25, 0.75])
    reach = _FENCE * max(third - first, 0.05 * float(np.ptp(scaled)), 1e-9)
    kept = scaled[(scaled >= first - reach) & (scaled <= third + reach)]
    low, high = float(kept.min()), float(kept.max())
    margin = _MARGIN * (high - low) or 0.1 * max(abs(high), 0.1)
    low, high = low - margin, high + margin
    return (math.exp(low), math.exp(high)) if log else (low, high)


def edge_arrow(x: float, y: float, low: float, high: float) -> str:
    """Return the marker of a point beyond an edge, pointing to where it is."""
    if y > high:
        return "^"
    if y < low:
        return "v"
    return ">" if x > high else "<" if x < low else ""


def name_points(axes: Axes, beyond: Sequence[tuple[float, float, str, str]], size: float) -> None:
    """Name the points at the edge, one name under the other where they would meet."""
    low, high = axes.get_xlim()
    log = axes.get_xscale() == "log"

    def share(value: float) -> float:
        return math.log(value / low) / math.log(high / low) if log else (value - low) / (high - low)

    occupied: list[tuple[float, float, float]] = []
    for x, y, name, colour in sorted(beyond, key=lambda point: -point[1]):
        across, up = share(x), share(y)
        right = across > 0.5
        wide = _LETTER * size * len(name)
        start = across - 0.03 - wide if right else across + 0.03
        # Below the middle names are piled upwards, so that none leaves the panel; the corner holds the count.
        step = 0.055 if up < 0.5 else -0.055
        height = min(max(up, 0.04), 0.96 if start > 0.15 else 0.9)
        while any(
            abs(height - other) < 0.05 and start < last and first < start + wide for other, first, last in occupied
        ):
            height += step
        occupied.append((height, start, start + wide))
        axes.text(
            start + wide if right else start,
            height,
            name,
            transform=axes.transAxes,
            ha="right" if right else "left",
            va="center",
            fontsize=size,
            color=colour,
            bbox={"facecolor": PAPER, "alpha": 0.75, "linewidth": 0, "pad": 0.4},
            zorder=5,
        )


def set_ticks(axes: Axes, low: float, high: float, log: bool) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

    for axis in (axes.xaxis, axes.yaxis):
        if log:
            nice = [step * 10.0**k for k in range(-4, 5) for step in (1.0, 2.0, 5.0)]
            candidates = [value for value in nice if low <= value <= high]
            if len(candidates) < 3:
                candidates = [value / 10.0 for value in range(1, 100) if low <= value / 10.0 <= high]
            kept: list[float] = []
            for value in candidates:
                if not kept or math.log(value / kept[-1]) > _APART * math.log(high / low):
                    kept.append(value)
            axis.set_major_locator(FixedLocator(kept))
            axis.set_minor_locator(NullLocator())
            axis.set_minor_formatter(NullFormatter())
        else:
            values = MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
            # In the corner the labels of both axes would meet.
            axis.set_major_locator(FixedLocator([v for v in values if low + 0.05 * (high - low) <= v <= high]))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", MINUS)))
