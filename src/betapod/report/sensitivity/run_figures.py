"""Courses of several runs beside each other, and of many patients: single courses under the bands that hold most of them."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConfigError, Problem
from ..common.figures import GREY, PALETTE, STYLES, axis_label, drawable, new_figure, styled, time_axis

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Panels of one figure, at most.
_MOST_PANELS = 36
#: Letters in a line of a panel's title.
_TITLE = 38
#: Runs that differ by colour and style; more have colours of a scale, from first to last.
_TOLD_APART = len(PALETTE)
#: Runs in a legend: more would cover the picture.
_IN_LEGEND = 16


def beside_figure(
    tables: Mapping[str, pd.DataFrame], dictionary: pd.DataFrame, time_unit: str
) -> tuple[Figure, pd.DataFrame]:
    """Return a panel for each output with a curve for each run, and the plotted numbers.

    Parameters
    ----------
    tables
        Label of a run -> its outputs, a column each, by time.
    dictionary
        A row for each output, with ``label`` and ``unit``.

    Raises
    ------
    ConfigError
        There are more outputs than can be read.
    """
    import pandas as pd

    names = list(next(iter(tables.values())).columns)
    last = max(float(table.index[-1]) for table in tables.values())
    scale, unit = time_axis(last, time_unit)
    with styled():
        figure, panels = panels_of(names, dictionary, unit)
        for number, (label, table) in enumerate(tables.items()):
            colour, style = _look(number, len(tables))
            for name, axes in zip(names, panels, strict=True):
                axes.plot(table.index / scale, table[name], color=colour, linestyle=style, label=drawable(label))
        if len(tables) <= _IN_LEGEND:
            handles = panels[0].get_legend_handles_labels()
            figure.legend(*handles, loc="outside lower center", ncols=min(len(tables), 4))
        figure.draw_without_rendering()
    parts = [
        table.rename_axis(f"time [{time_unit}]").reset_index().assign(run=label) for label, table in tables.items()
    ]
    return figure, pd.concat(parts, ignore_index=True)


def panels_of(names: Sequence[str], dictionary: pd.DataFrame, unit: str) -> tuple[Figure, list[Axes]]:
    """Return a figure with a panel for each output.

    Raises
    ------
    ConfigError
        There are more than can be read.
    """
    if not 1 <= len(names) <= _MOST_PANELS:
        message = f"a figure of {len(names)} panels cannot be read"
        raise ConfigError(Problem("bad-figure", message, expected=f"1 to {_MOST_PANELS} outputs"))
    columns = min(3, len(names))
    lines = math.ceil(len(names) / columns)
    figure = new_figure(max(3.3 * columns, 5.0), 2.3 * lines + 0.7)
    panels = []
    for number, name in enumerate(names):
        axes = figure.add_subplot(lines, columns, number + 1)
        lines_of_title = textwrap.wrap(drawable(str(dictionary.loc[name, "label"] or name)), _TITLE)[:2]
        axes.set_title("\n".join(lines_of_title), loc="left", fontsize=8.5)
        axes.set_ylabel(drawable(axis_label(name, str(dictionary.loc[name, "unit"]))))
        axes.set_xlabel(unit if number >= len(names) - columns else "")
        axes.margins(x=0.01)
        panels.append(axes)
    return figure, panels


def _look(number: int, count: int) -> tuple[object, object]:
    """Return colour and style of a run."""
    if count <= _TOLD_APART:
        return PALETTE[number], STYLES[number]
    from matplotlib import colormaps

    return colormaps["viridis"](0.9 * number / (count - 1)), "-"


def bands_figure(
    names: Sequence[str],
    dictionary: pd.DataFrame,
    times: Sequence[float],
    bands: Mapping[float, NDArray[np.float64]],
    courses: NDArray[np.float64],
    time_unit: str,
    points: pd.DataFrame | None = None,
) -> tuple[Figure, pd.DataFrame]:
    """Return a panel for each output with the quantiles of all patients and single courses, and the plotted quantiles.

    Parameters
    ----------
    bands
        Probability -> (times, outputs); 0.5 is drawn as a line, pairs around it as bands.
    courses
        (patients, times, outputs) of those who are drawn singly.
    points
        Measurements: time, output, value.
    """
    import pandas as pd

    scale, unit = time_axis(float(times[-1]), time_unit)
    x = np.asarray(times) / scale
    lower = sorted(q for q in bands if q < 0.5 and 1.0 - q in bands)
    with styled():
        figure, panels = panels_of(names, dictionary, unit)
        for column, axes in enumerate(panels):
            for course in courses[:, :, column]:
                axes.plot(x, course, color=GREY, linewidth=0.5, alpha=0.45)
            for depth, low in enumerate(lower):
                ends = bands[low][:, column], bands[round(1.0 - low, 12)][:, column]
                label = f"{100 * (1 - 2 * low):g} % of patients"
                axes.fill_between(x, *ends, color=PALETTE[0], alpha=0.18 + 0.14 * depth, linewidth=0, label=label)
            if 0.5 in bands:
                axes.plot(x, bands[0.5][:, column], color=PALETTE[0], label="median")
            if points is not None:
                rows_of = points[points["output"] == names[column]]
                axes.plot(
                    rows_of["time"] / scale, rows_of["value"], "o", color=PALETTE[1], markersize=3, label="measured"
                )
        handles = panels[0].get_legend_handles_labels()
        if handles[0]:
            figure.legend(*handles, loc="outside lower center", ncols=len(handles[0]))
        figure.draw_without_rendering()
    rows = [
        {f"time [{time_unit}]": time, "output": name, **{f"q{q:g}": bands[q][row, column] for q in sorted(bands)}}
        for column, name in enumerate(names)
        for row, time in enumerate(times)
    ]
    return figure, pd.DataFrame(rows)
