"""Pictures of a fit of people: each person's course, observed against predicted, and estimates beside the group."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...base.constants import DAYS_PER_YEAR, MINUTES_PER_DAY, Z95
from ...calibration.individual.individual_folder import IndividualRecord
from ...model.printing.document_layout import plural
from ..common.figures import GREY, PALETTE, axis_label, drawable, new_figure, save, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: People on a page, in columns; and in the picture of estimates.
_ON_PAGE, _COLUMNS, _MOST = 12, 3, 40
#: Units of time of an axis in days, the longest first.
_UNITS = (("year", DAYS_PER_YEAR), ("day", 1.0), ("h", 60.0 / MINUTES_PER_DAY), ("min", 1.0 / MINUTES_PER_DAY))
INK = "#1f2937"


def write_individual_figures(record: IndividualRecord, path: str | Path) -> list[Path]:
    """Write all pictures of a fit and the plotted numbers, and return the files.

    Parameters
    ----------
    path
        With ``.pdf`` all pages are in it; with ``.png`` or ``.svg`` it is the first, and the others stand beside it.

    Raises
    ------
    ConfigError
        The suffix is another, or the folder cannot be written to.
    MissingExtraError
        matplotlib is not installed.
    """
    import pandas as pd

    from ...base.exports import table_as_csv
    from ...base.files import data_beside, replacing, unfit, write_text

    path = Path(path)
    if problems := [*unfit(path, (".pdf", ".png", ".svg")), *unfit(data_beside(path))]:
        from ...base.errors import ConfigError

        raise ConfigError(problems)
    pages = individual_pages(record)
    numbers = table_as_csv(pd.DataFrame(_plotted(record)), float_format="%.8g")
    if path.suffix.lower() == ".pdf":
        from matplotlib.backends.backend_pdf import PdfPages

        with replacing(path) as temporary, styled(), PdfPages(temporary, metadata={"CreationDate": None}) as book:
            for _, figure, _ in pages:
                book.savefig(figure)
        written = [path]
    else:
        names = [path, *(path.with_stem(f"{path.stem}-{name}") for name, _, _ in pages[1:])]
        written = list(
            itertools.chain(*(save(figure, to, alt=alt) for (_, figure, alt), to in zip(pages, names, strict=True)))
        )
    return [*written, write_text(data_beside(path), numbers)]


def individual_pages(record: IndividualRecord) -> list[tuple[str, Figure, str]]:
    """Return name, picture and words of each page: people of each observable, then residuals, then estimates."""
    pages = []
    for entry in record.identity["errors"]:
        people = list(
            dict.fromkeys(r["person"] for r in record.tables["measurements"] if r["observable"] == entry["observable"])
        )
        for number, first in enumerate(range(0, len(people), _ON_PAGE)):
            some = people[first : first + _ON_PAGE]
            alt = f"{entry['observable']} of {', '.join(some)}: measurements as points, the fitted course as a line."
            pages.append((f"{entry['observable']}-{number + 1}", people_figure(record, entry, some), alt))
    pages.append(("residuals", residual_figure(record), _residual_alt(record)))
    alt = "Estimates of each person with intervals, the median of the group and the range that holds 95 % of people."
    pages.append(("estimates", estimate_figure(record), alt))
    return pages


def people_figure(record: IndividualRecord, entry: dict[str, Any], people: Sequence[str]) -> Figure:
    """Return a page of people: points are measurements, the line is the course at her own estimates."""
    measurements, courses = (
        _by_person(record.tables[name], entry["observable"]) for name in ("measurements", "courses")
    )
    unit, scale = _time_unit(record, people)
    rows = math.ceil(len(people) / _COLUMNS)
    with styled():
        figure = new_figure(7.6, 0.5 + 1.75 * rows)
        panels = figure.subplots(rows, min(_COLUMNS, len(people)), sharex=True, sharey=True, squeeze=False)
        for axes, name in zip(panels.flat, people, strict=False):
            points, course = measurements.get(name, []), courses.get(name, [])
            axes.plot(
                [row["time"] / scale for row in course],
                [row["predicted"] for row in course],
                color=PALETTE[0],
                linewidth=1.3,
            )
            axes.plot(
                [row["time"] / scale for row in points], [row["observed"] for row in points],
                "o", color=PALETTE[1], markersize=3.6, markerfacecolor="none", markeredgewidth=1.1,
            )  # fmt: skip
            axes.set_title(drawable(name), loc="left", fontsize=8)
            axes.tick_params(labelsize=7)
        for axes in panels.flat[len(people) :]:
            axes.set_visible(False)
        for axes in panels[:, 0]:
            axes.set_ylabel(drawable(axis_label(entry["observable"], entry["unit"])), fontsize=7.5)
        for column in range(panels.shape[1]):
            last = [axes for axes in panels[:, column] if axes.get_visible()][-1]
            last.set_xlabel(f"time ({unit})" if unit else "time", fontsize=7.5)
            last.tick_params(labelbottom=True)
    return figure


def residual_figure(record: IndividualRecord) -> Figure:
    """Return observed against predicted, and residuals by prediction and by time, a row for each observable."""
    entries = record.identity["errors"]
    unit, scale = _time_unit(record, None)
    with styled():
        figure = new_figure(7.6, 0.4 + 2.5 * len(entries))
        grid = figure.subplots(len(entries), 3, squeeze=False)
        for axes, entry in zip(grid, entries, strict=True):
            rows = [
                row
                for row in record.tables["measurements"]
                if row["observable"] == entry["observable"] and math.isfinite(row["predicted"])
            ]
            label = axis_label(entry["observable"], entry["unit"])
            _identity(axes[0], rows, label)
            residuals = [row for row in rows if math.isfinite(row["residual"])]
            for panel, values, xlabel in (
                (axes[1], [row["predicted"] for row in residuals], f"predicted {label}"),
                (axes[2], [row["time"] / scale for row in residuals], f"time ({unit})" if unit else "time"),
            ):
                panel.axhline(0.0, color=GREY, linewidth=0.8)
                panel.axhspan(-Z95, Z95, color=GREY, alpha=0.13, linewidth=0)
                panel.plot(
                    values, [row["residual"] for row in residuals], "o", color=PALETTE[0], markersize=2.8, alpha=0.75
                )
                panel.set_xlabel(drawable(xlabel), fontsize=7.5)
                panel.set_ylabel("residual (SD)", fontsize=7.5)
                panel.tick_params(labelsize=7)
    return figure


def _identity(axes: Axes, rows: Sequence[dict[str, Any]], label: str) -> None:
    observed, predicted = ([row[name] for row in rows] for name in ("observed", "predicted"))
    both = np.array([*observed, *predicted], dtype=float)
    if len(both) and np.all(both > 0.0) and float(both.max()) > 15.0 * float(both.min()):
        _logarithmic(axes, "xaxis")
        _logarithmic(axes, "yaxis")
    ends = [float(both.min()), float(both.max())] if len(both) else [0.0, 1.0]
    axes.plot(ends, ends, color=GREY, linewidth=0.9)
    axes.plot(predicted, observed, "o", color=PALETTE[0], markersize=2.8, alpha=0.75)
    axes.set_xlabel(drawable(f"predicted {label}"), fontsize=7.5)
    axes.set_ylabel("observed", fontsize=7.5)
    axes.tick_params(labelsize=7, which="both")


def estimate_figure(record: IndividualRecord) -> Figure:
    """Return estimates with intervals, a panel for each parameter, people ordered by their estimate of the first."""
    group = {row["parameter"]: row for row in record.tables["group"]}
    people = record.tables["people"]
    first = next(iter(group))
    order = sorted(
        (row for row in people if row["parameter"] == first), key=lambda row: (row["estimate"], row["person"])
    )
    names = [row["person"] for row in order]
    if len(names) > _MOST:
        names = [names[round(k * (len(names) - 1) / (_MOST - 1))] for k in range(_MOST)]
    place_of = {name: k for k, name in enumerate(names)}
    columns = min(3, len(group))
    lines = math.ceil(len(group) / columns)
    with styled():
        figure = new_figure(7.6, lines * (0.9 + 0.14 * len(names)) + 0.3)
        grid = figure.subplots(lines, columns, squeeze=False, sharey=True)
        for axes, (name, row) in zip(grid.flat, group.items(), strict=False):
            _estimates(axes, [r for r in people if r["parameter"] == name and r["person"] in place_of], place_of, row)
            axes.set_yticks(range(len(names)), [drawable(person) for person in names], fontsize=6.5)
            axes.set_ylim(-0.8, len(names) - 0.2)
        for axes in list(grid.flat)[len(group) :]:
            axes.set_visible(False)
    return figure


def _estimates(axes: Axes, rows: Sequence[dict[str, Any]], place_of: dict[str, int], group: dict[str, Any]) -> None:
    """Draw one parameter; what the data of a person do not tell is hollow."""
    if group["scale"] == "log":
        _logarithmic(axes, "xaxis")
    if math.isfinite(group.get("median", math.nan)):
        axes.axvspan(group["people_low"], group["people_high"], color=GREY, alpha=0.14, linewidth=0)
        axes.axvline(group["median"], color=GREY, linewidth=1.0)
    points = [row["estimate"] for row in rows if math.isfinite(row["estimate"])]
    spread = [value for key in ("people_low", "people_high") if math.isfinite(value := group.get(key, math.nan))]
    for row in rows:
        y = place_of[row["person"]]
        low, high = row["low"], row["high"]
        if all(map(math.isfinite, (low, high))) and (low > 0.0 or group["scale"] != "log"):
            axes.plot([low, high], [y, y], color=PALETTE[0], linewidth=0.9, solid_capstyle="butt")
        axes.plot(
            [row["estimate"]], [y], "o", color=PALETTE[0], markersize=3.4,
            markerfacecolor=PALETTE[0] if row["told"] else "white",
        )  # fmt: skip
    if points:
        _limit(axes, [*points, *spread], group["scale"] == "log")
    axes.set_xlabel(drawable(axis_label(group["parameter"], group["unit"])), fontsize=7.5)
    axes.tick_params(axis="x", labelsize=7, which="both")


def _logarithmic(axes: Axes, axis: str) -> None:
    """Make an axis logarithmic, with plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    scaled = getattr(axes, axis)
    getattr(axes, f"set_{axis[0]}scale")("log")
    scaled.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0)))
    scaled.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    scaled.set_minor_formatter(NullFormatter())


def _limit(axes: Axes, values: Sequence[float], log: bool) -> None:
    """Show what is estimated; intervals that go on for ever leave the picture."""
    ends = np.array([min(values), max(values)])
    if log and ends[0] > 0.0:
        room = max(math.log(ends[1] / ends[0]) * 0.25, 0.2)
        axes.set_xlim(ends[0] * math.exp(-room), ends[1] * math.exp(room))
    else:
        room = max(float(ends[1] - ends[0]) * 0.25, 1e-12 + 0.05 * float(np.max(np.abs(ends))))
        axes.set_xlim(ends[0] - room, ends[1] + room)


# -- pieces ----------------------------------------------------------------------------------------------------------


def _by_person(rows: Sequence[dict[str, Any]], observable: str) -> dict[str, list[dict[str, Any]]]:
    people: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["observable"] == observable:
            people.setdefault(row["person"], []).append(row)
    return people


def _time_unit(record: IndividualRecord, people: Sequence[str] | None) -> tuple[str, float]:
    """Return the unit of an axis and by how much times of the model are divided for it."""
    model_unit = record.identity["model"]["time_unit"]
    times = [abs(row["time"]) for row in record.tables["measurements"] if people is None or row["person"] in people]
    last = max(times, default=1.0)
    if model_unit != "day":
        return ("" if model_unit == "1" else plural(model_unit)), 1.0
    unit, length = next(((unit, length) for unit, length in _UNITS if last >= 2.0 * length), _UNITS[-1])
    return plural(unit), length


def _residual_alt(record: IndividualRecord) -> str:
    failed = [f"{row['observable']}: {row['words']}" for row in record.tables["checks"] if not row["passed"]]
    words = "; ".join(failed) if failed else "no check speaks against them"
    return f"Observed against predicted, and standardised residuals by prediction and by time. Checks: {words}."


def _plotted(record: IndividualRecord) -> list[dict[str, Any]]:
    """Return every plotted number: measurements, courses, estimates."""
    columns = (
        "what",
        "person",
        "quantity",
        "unit",
        "time",
        "observed",
        "predicted",
        "residual",
        "estimate",
        "low",
        "high",
    )
    rows: list[dict[str, Any]] = []
    for kind, table, name in (
        ("measurement", "measurements", "observable"), ("course", "courses", "observable"), ("estimate", "people", "parameter"),
    ):  # fmt: skip
        rows += [{**row, "what": kind, "quantity": row[name]} for row in record.tables[table]]
    return [{column: row.get(column, math.nan) for column in columns} for row in rows]
