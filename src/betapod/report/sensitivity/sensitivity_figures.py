"""Bars of the numbers that decide most, with their intervals; tornadoes of outputs at both ends of each range."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..common.figures import GREY, PALETTE, axis_label, drawable, new_figure, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from ...sensitivity.global_sensitivity import Sensitivities
    from ...sensitivity.local_sensitivity import LocalSensitivities

#: Bars of each panel.
MOST = 12
#: What the axes of measures say.
_AXES = {
    "total": "share of the variance (dots: by the number alone)",
    "Shapley": "share of the variance",
    "mean size": "mean size of the effect of half the range",
    "bound": "bound on the total share of the variance",
    "PRCC": "partial correlation of ranks",
    "median": "distance between distributions (noise dotted)",
}


def sensitivity_figure(result: Sensitivities, most: int = MOST) -> tuple[Figure, pd.DataFrame]:
    """Return a panel of bars for each output, and the plotted numbers."""
    labels = list(result.players)
    rows = []
    with styled():
        figure, panels = _panels(len(result.outputs), min(most, len(labels)))
        for output, axes in enumerate(panels):
            order = result.order(output)[:most]
            places = np.arange(len(order))[::-1]
            values, half = result.leading.values[order, output], result.leading.half[order, output]
            axes.barh(places, values, color=PALETTE[5], height=0.7)
            if np.isfinite(half).all():
                axes.errorbar(values, places, xerr=half, fmt="none", ecolor=GREY, capsize=2)
            extra = {table.name: table.values[order, output] for table in result.tables}
            if "first" in extra:
                axes.plot(extra["first"], places, "o", color=PALETTE[1], markersize=4)
            if "noise" in extra:
                axes.axvline(extra["noise"][0], color=GREY, linestyle=":")
            axes.set_yticks(places, [drawable(labels[player]) for player in order])
            axes.set_title(drawable(result.outputs[output]), loc="left")
            axes.set_xlabel(_AXES.get(result.measure, result.measure))
            rows += [
                {
                    "output": result.outputs[output],
                    "player": labels[player],
                    result.measure: float(v),
                    "half_width": float(h),
                }
                for player, v, h in zip(order, values, half, strict=True)
            ]
        figure.draw_without_rendering()
    return figure, _table(rows)


def tornado_figure(result: LocalSensitivities, units: list[str], most: int = MOST) -> tuple[Figure, pd.DataFrame]:
    """Return a tornado for each output: its values with one number after the other at the ends of its range, and the plotted numbers."""
    rows = []
    with styled():
        figure, panels = _panels(len(result.outputs), min(most, len(result.factors)))
        for output, axes in enumerate(panels):
            order = result.order(output)[:most]
            places = np.arange(len(order))[::-1]
            base = float(result.base[output])
            for ends, colour, label in (
                (result.low[order, output], PALETTE[5], "low end"),
                (result.high[order, output], PALETTE[1], "high end"),
            ):
                axes.barh(places, np.nan_to_num(ends - base), left=base, color=colour, height=0.7, label=label)
            axes.axvline(base, color=GREY, linewidth=1)
            axes.set_yticks(places, [drawable(result.factors[k].name) for k in order])
            axes.set_title(drawable(result.outputs[output]), loc="left")
            axes.set_xlabel(drawable(axis_label(result.outputs[output], units[output])))
            rows += [
                {
                    "output": result.outputs[output],
                    "number": result.factors[k].name,
                    "base": base,
                    "at_low": float(result.low[k, output]),
                    "at_high": float(result.high[k, output]),
                }
                for k in order
            ]
        handles = panels[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=2)
        figure.draw_without_rendering()
    return figure, _table(rows)


def _panels(count: int, bars: int) -> tuple[Figure, list]:  # type: ignore[type-arg]
    columns = min(2, count)
    lines = math.ceil(count / columns)
    figure = new_figure(4.4 * columns, lines * (0.9 + 0.22 * max(bars, 3)) + 0.3)
    return figure, [figure.add_subplot(lines, columns, number + 1) for number in range(count)]


def _table(rows: list[dict[str, object]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)
