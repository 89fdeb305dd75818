"""Pictures of the plots that a SED-ML file asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..exchange.sedml.run_sedml import SedmlCurveData, SedmlPlotData
from ..exchange.sedml.sedml_document import SedmlAxis
from ..report.common.figures import PALETTE, STYLES, drawable, new_figure, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Repetitions of a curve that are drawn; more cannot be told apart.
_MOST_LINES = 200
#: Curves that a legend names.
_MOST_NAMED = 12


def sedml_figure(data: SedmlPlotData) -> Figure:
    """Return the picture of a plot.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    with styled():
        figure = new_figure(6.4, 4.2)
        axes = figure.add_subplot()
        sides = {False: axes, True: axes.twinx() if any(curve.right for curve in data.curves) else axes}
        for number, curve in enumerate(data.curves):
            _draw_curve(sides[curve.right], curve, number)
        for name, side in (("x", axes), ("y", axes), ("right", sides[True])):
            _set_axis(
                side,
                "x" if name == "x" else "y",
                data.plot.axes.get(name, SedmlAxis()),
                name == "right" and side is axes,
            )
        _name_axes(axes, data)
        axes.set_title(drawable(data.plot.label), loc="left")
        if 1 < len(data.curves) <= _MOST_NAMED:
            handles = [h for side in dict.fromkeys(sides.values()) for h in side.get_legend_handles_labels()[0]]
            labels = [t for side in dict.fromkeys(sides.values()) for t in side.get_legend_handles_labels()[1]]
            figure.legend(handles, labels, loc="outside lower center", ncols=min(3, len(handles)), frameon=False)
    return figure


def sedml_points(data: SedmlPlotData) -> pd.DataFrame:
    """Return the plotted numbers: one row for each point, with its curve and repetition."""
    import pandas as pd

    tables = []
    for curve in data.curves:
        turns, points = curve.x.shape
        table = pd.DataFrame(
            {
                "curve": curve.label,
                "repeat": np.repeat(np.arange(1, turns + 1), points),
                "x": curve.x.ravel(),
                "y": curve.y.ravel(),
            }
        )
        if curve.upper is not None:
            table["y to"] = curve.upper.ravel()
        tables.append(table.dropna(subset=["x", "y"], how="all"))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame({"curve": [], "x": [], "y": []})


def _draw_curve(axes: Axes, curve: SedmlCurveData, number: int) -> None:
    colour, style = PALETTE[number % len(PALETTE)], STYLES[number % len(STYLES)]
    label = drawable(curve.label)
    if curve.upper is not None:
        axes.fill_between(curve.x[0], curve.y[0], curve.upper[0], color=colour, alpha=0.25, linewidth=0, label=label)
        return
    if curve.x.shape[1] == 1:
        # One number a repetition is one line through all of them.
        _line(axes, curve.x.ravel(), curve.y.ravel(), curve.kind, {"color": colour, "linestyle": style, "label": label})
        return
    for turn in range(min(len(curve.x), _MOST_LINES)):
        options = {"color": colour, "linestyle": style, "label": label if turn == 0 else "_repetition"}
        _line(axes, curve.x[turn], curve.y[turn], curve.kind, options)


def _line(axes: Axes, x: Any, y: Any, kind: str, options: dict[str, Any]) -> None:
    finite = np.isfinite(x) & np.isfinite(y)
    if kind in ("bar", "barStacked"):
        axes.bar(x[finite], y[finite], color=options["color"], label=options["label"])
    elif kind in ("horizontalBar", "horizontalBarStacked"):
        axes.barh(y[finite], x[finite], color=options["color"], label=options["label"])
    else:
        marker = "o" if np.count_nonzero(finite) == 1 else ""
        axes.plot(x[finite], y[finite], linewidth=1.5, marker=marker, **options)


def _set_axis(axes: Axes, which: str, axis: SedmlAxis, skipped: bool) -> None:
    if skipped:
        return
    if axis.logarithmic:
        getattr(axes, f"set_{which}scale")("log")
    if axis.low is not None or axis.high is not None:
        getattr(axes, f"set_{which}lim")(axis.low, axis.high)
    if axis.grid:
        axes.grid(True, axis="x" if which == "x" else "y")
    if axis.label:
        getattr(axes, f"set_{which}label")(drawable(axis.label))


def _name_axes(axes: Axes, data: SedmlPlotData) -> None:
    """Name axes that the file leaves without a name, where one name serves."""
    if not axes.get_xlabel():
        axes.set_xlabel(drawable(data.x_label))
    if not axes.get_ylabel() and len(data.curves) == 1:
        axes.set_ylabel(drawable(data.curves[0].label))
