"""Figures: axes with units, colours that the colour-blind tell apart, alt text, and the plotted numbers beside the picture."""

from __future__ import annotations

import math
import textwrap
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.canvas import new_figure as new_figure
from ...base.constants import DAYS_PER_YEAR
from ...base.errors import ConfigError, MissingExtraError, Problem
from ...base.exports import table_as_csv
from ...model.printing.document_layout import plural

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...engine.scipy.simulation_result import Result

#: The palette of Okabe and Ito (2008), without its yellow, which is faint on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
#: Line styles, so that curves differ without colour as well.
STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), "-")
GREY = "#6b7280"

_SETTINGS = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e5e7eb",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    # The same numbers give the same file.
    "svg.hashsalt": "betapod",
    # Titles and labels are other people's text: "$" is a dollar, never the begin of a formula.
    "text.parse_math": False,
    "text.usetex": False,
}


@dataclass(frozen=True)
class Curve:
    """A course of one quantity: years, values, and the number of its colour and style (None: grey)."""

    label: str
    years: Sequence[float]
    values: Sequence[float]
    colour: int | None = 0


@dataclass(frozen=True)
class Panel:
    """One pair of axes."""

    title: str
    ylabel: str
    curves: Sequence[Curve]
    logarithmic: bool = False
    marks: Sequence[tuple[float, str]] = ()


@contextmanager
def styled() -> Iterator[None]:
    """Draw with the settings of all figures.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        raise MissingExtraError("matplotlib", "plot", "drawing figures") from None
    with matplotlib.rc_context(_SETTINGS), warnings.catch_warnings():  # type: ignore[arg-type]
        # Letters that the font lacks are drawn as boxes; the text beside the picture has them.
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        # Endless labels are drawn over each other rather than told of in the terminal.
        warnings.filterwarnings("ignore", "constrained_layout not applied")
        yield


def drawable(text: str) -> str:
    """Return a text without what no picture can hold: control characters but line ends, and halves of surrogate pairs."""
    return "".join(c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs") else "\ufffd" for c in text)


def panel_figure(rows: Sequence[Sequence[Panel]], title: str = "", xlabel: str = "years") -> Figure:
    """Return panels in rows; panels of one row share their vertical axis, and one legend stands below all.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    with styled():
        columns = max(len(row) for row in rows)
        figure = new_figure(3.0 * columns + 0.6, 2.1 * len(rows) + (0.9 if title else 0.5))
        handles: dict[str, Any] = {}
        for number, row in enumerate(rows):
            first: Axes | None = None
            for column, panel in enumerate(row):
                axes = figure.add_subplot(len(rows), columns, number * columns + column + 1, sharey=first)
                handles |= _draw(axes, panel)
                axes.set_ylabel(drawable(panel.ylabel) if first is None else "")
                if first is not None:
                    axes.tick_params(labelleft=False)
                first = first or axes
                axes.set_xlabel(xlabel if number == len(rows) - 1 else "")
        if len(handles) > 1:
            figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=min(len(handles), 5))
        if title:
            figure.suptitle(drawable(title))
        figure.draw_without_rendering()
    return figure


def _draw(axes: Axes, panel: Panel) -> dict[str, Any]:
    handles = {}
    for curve in panel.curves:
        grey = curve.colour is None
        colour = GREY if curve.colour is None else PALETTE[curve.colour % len(PALETTE)]
        style: Any = "-" if curve.colour is None else STYLES[curve.colour % len(STYLES)]
        (line,) = axes.plot(
            curve.years, curve.values, color=colour, linestyle=style, linewidth=1.2 if grey else 1.7,
            label=drawable(curve.label),
        )  # fmt: skip
        handles[drawable(curve.label)] = line
    if panel.logarithmic:
        axes.set_yscale("log")
        _plain_decades(axes)
    axes.set_title(drawable(panel.title), loc="left")
    axes.margins(x=0.01)
    for when, event in panel.marks:
        axes.axvline(when, color=GREY, linewidth=0.8, linestyle=(0, (2, 2)))
        axes.annotate(
            drawable(event),
            (when, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(3, -2),
            textcoords="offset points",
            va="top",
            fontsize=7.5,
            color="#374151",
        )
    return handles


def _plain_decades(axes: Axes) -> None:
    """Write 3, 10, 30, 100 on a logarithmic axis, as clinicians do."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.yaxis.set_major_locator(LogLocator(10, subs=(1.0, 3.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def result_figure(result: Result, time_unit: str = "day", title: str = "") -> tuple[Figure, pd.DataFrame]:
    """Return small multiples of every column of a result, and the plotted numbers.

    Raises
    ------
    ConfigError
        There is nothing to plot, or too much to read.
    """
    return table_figure(result.table, result.dictionary, time_unit, title)


def table_figure(
    table: pd.DataFrame, dictionary: pd.DataFrame, time_unit: str = "day", title: str = ""
) -> tuple[Figure, pd.DataFrame]:
    """Return small multiples of every column of a table by time, and the plotted numbers.

    Parameters
    ----------
    dictionary
        A row for each column of the table, with ``label`` and ``unit``.

    Raises
    ------
    ConfigError
        There is nothing to plot, or too much to read.
    """
    names = list(table.columns)
    if not 1 <= len(names) <= 36:
        raise ConfigError(
            Problem(
                "bad-figure",
                f"a figure of {len(names)} panels cannot be read",
                expected="1 to 36 outputs",
                hint="Choose fewer outputs.",
            )
        )
    span = float(table.index[-1])
    scale, unit = time_axis(span, time_unit)
    data = table.copy()
    data.index = data.index / scale
    data.index.name = f"time [{unit}]"
    panels = []
    for name in names:
        entry = dictionary.loc[name]
        values = data[name].to_numpy()
        label = "\n".join(textwrap.wrap(str(entry["label"] or name), 38)[:2])
        panels.append(
            Panel(
                label,
                axis_label(name, str(entry["unit"])),
                [Curve(name, list(data.index), list(values))],
                _wide(values),
            )
        )
    columns = min(3, len(panels))
    with styled():
        rows = math.ceil(len(panels) / columns)
        figure = new_figure(3.3 * columns, 2.1 * rows + 0.4)
        for number, panel in enumerate(panels):
            axes = figure.add_subplot(rows, columns, number + 1)
            _draw(axes, panel)
            axes.set_title(drawable(panel.title), loc="left", fontsize=8.5)
            axes.set_ylabel(drawable(panel.ylabel))
            axes.set_xlabel(unit if number >= len(panels) - columns else "")
        if title:
            figure.suptitle(drawable(title))
        figure.draw_without_rendering()
    return figure, data


def time_axis(last: float, unit: str) -> tuple[float, str]:
    """Return what times are divided by on an axis, and its label: more than two years of days are shown as years."""
    if unit == "day" and last > 2 * DAYS_PER_YEAR:
        return DAYS_PER_YEAR, "years"
    return 1.0, "time" if unit == "1" else plural(unit)


def axis_label(name: str, unit: str) -> str:
    """Return a name with its unit for an axis."""
    return name if unit in ("1", "") else f"{name} ({unit.replace('*', '·')})"


def _wide(values: Any) -> bool:
    """Whether positive values span so much that only a logarithmic axis shows them."""
    finite = [float(value) for value in values if math.isfinite(value)]
    return bool(finite) and min(finite) > 0 and max(finite) > 15 * min(finite)


def save(figure: Figure, path: str | Path, data: pd.DataFrame | None = None, alt: str = "") -> list[Path]:
    """Write a figure and beside it the plotted numbers, ``NAME.plot.csv``; returns what was written.

    Parameters
    ----------
    path
        With the suffix ``.png`` or ``.svg``, or without one for both.
    alt
        What the picture shows, for those who cannot see it.

    Raises
    ------
    ConfigError
        The suffix is another, or the folder cannot be written to.
    """
    from ...base.files import data_beside, replacing, unfit, write_text

    path = Path(path)
    if path.suffix.lower() not in (".png", ".svg", ""):
        raise ConfigError(Problem("unknown-format", f"cannot draw {path.suffix}", expected=".png or .svg"))
    pictures = [path] if path.suffix else [path.with_name(f"{path.name}{suffix}") for suffix in (".png", ".svg")]
    numbers = [data_beside(path)] if data is not None else []
    # All of them or none.
    if problems := [problem for file in (*pictures, *numbers) for problem in unfit(file)]:
        raise ConfigError(problems)
    written = []
    for target in pictures:
        suffix = target.suffix.lower()
        with replacing(target) as temporary, styled():
            if suffix == ".png":
                figure.savefig(temporary, dpi=160, metadata={"Description": drawable(alt), "Software": "betapod"})
            else:
                figure.savefig(temporary, format="svg", metadata={"Date": None, "Creator": "betapod"})
                _describe(temporary, alt)
        written.append(target)
    if data is not None:
        text = table_as_csv(data, index=data.index.name is not None, float_format="%.8g")
        written.append(write_text(numbers[0], text))
    return written


def _describe(path: Path, alt: str) -> None:
    """Give an SVG file a title that screen readers read."""
    if not alt:
        return
    from markupsafe import Markup

    text = path.read_text(encoding="utf-8")
    start = text.index("<svg")
    end = text.index(">", start)
    title = Markup('<title id="alt">{}</title>').format(drawable(alt))
    path.write_text(
        f'{text[:end]} role="img" aria-labelledby="alt">\n {title}{text[end + 1 :]}', encoding="utf-8", newline="\n"
    )
