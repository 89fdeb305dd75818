"""Observed against predicted on natural scales, and each row beside its own interval, family by family."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...base.constants import Z90
from ...base.exports import table_as_csv
from ..common.figures import GREY, PALETTE, new_figure, styled
from ..common.words import MINUS
from . import predictions_view as confront_view
from .panel_axes import INK as INK
from .panel_axes import PAPER as PAPER
from .panel_axes import edge_arrow, name_points, panel_limits, set_ticks
from .predictions_view import CLASSES

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Colour and shape of each class of treatment: shapes differ for those who cannot tell the colours apart.
MARKS: dict[str, tuple[str, str]] = {
    "cells": (PALETTE[1], "o"),
    "islets, pancreas": (PALETTE[3], "s"),
    "glucose lowering": (PALETTE[4], "^"),
    "renin system, MRA, pressure": (PALETTE[0], "D"),
    "SGLT2 inhibitor": (PALETTE[2], "v"),
    "GLP-1 receptor agonist": (PALETTE[5], "d"),
    "diet": ("#6b4226", "X"),
    "other": ("#5b3a8e", "p"),
    confront_view.NONE: (GREY, "h"),
}
#: Rows of panels, and lines of families, on a printed page of A4, inch.
_PANELS, _LINES, _PAGE = 5, 62, (8.27, 11.0)
_TICKS = (-30.0, -10.0, -5.0, -Z90, 0.0, Z90, 5.0, 10.0, 30.0)
_MOST = 40.0


@dataclass(frozen=True)
class FigurePage:
    """One page of the picture, with words for those who cannot see it."""

    name: str
    figure: Figure
    alt: str


def figure_pages(table: pd.DataFrame) -> list[FigurePage]:
    """Return the whole picture for print: panels of observed against predicted, then lines of families.

    Parameters
    ----------
    table
        A `confront_view.view`.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    titles, pages = confront_view.groups(table), []
    for number, page_titles in enumerate(_pages(titles, _PANELS)):
        name = "observed-predicted" + (f"-{number + 1}" if number else "")
        pages.append(FigurePage(name, panels_figure(table, page_titles), panels_alt(table, page_titles)))
    lines = [(name, family) for name, page_titles in confront_view.families(table).items() for family in page_titles]
    for number, page_lines in enumerate(_pages(lines, _LINES)):
        name = "families" + (f"-{number + 1}" if number else "")
        pages.append(FigurePage(name, families_figure(table, page_lines), families_alt(table, page_lines)))
    return pages


def write_predictions_figure(table: pd.DataFrame, path: Path, numbers: Path | None = None) -> list[Path]:
    """Write the whole picture and the plotted numbers, and return the files.

    Parameters
    ----------
    path
        With ``.pdf`` all pages are in it; with ``.png`` or ``.svg`` it is the first, and the others stand beside it with their names.
    numbers
        Where the plotted numbers go; beside the picture as ``NAME.plot.csv`` by default.

    Raises
    ------
    ConfigError
        The suffix is another, or the folder cannot be written to.
    """
    from ...base.files import data_beside, replacing, write_text
    from ..common.figures import save

    pages = figure_pages(table)
    plotted = table_as_csv(table, float_format="%.8g")
    beside = numbers or data_beside(path)
    if path.suffix.lower() != ".pdf":
        targets = [path, *(path.with_stem(f"{path.stem}-{page.name}") for page in pages[1:])]
        first, *more = (save(page.figure, to, alt=page.alt) for page, to in zip(pages, targets, strict=True))
        return [*first, write_text(beside, plotted), *itertools.chain(*more)]
    from matplotlib.backends.backend_pdf import PdfPages

    with replacing(path) as temporary, styled(), PdfPages(temporary, metadata={"CreationDate": None}) as book:
        for page in pages:
            book.savefig(page.figure)
    return [path, write_text(beside, plotted)]


def scenarios_of(table: pd.DataFrame) -> list[str]:
    """Return the scenarios of a view in their order."""
    return list(dict.fromkeys(table["scenario"]))


def panels_alt(table: pd.DataFrame, titles: Sequence[str]) -> str:
    """Say in words what panels show."""
    rows = table[table["group"].isin(titles)]
    counts = "; ".join(
        f"{scenario}: {int(part['inside'].sum())} of {len(part)} inside"
        for scenario, part in rows.groupby("scenario", sort=False)
    )
    return f"Observed against predicted with 90 % predictive intervals. {', '.join(titles)}. {counts}."


def families_alt(table: pd.DataFrame, lines: Sequence[tuple[str, str]]) -> str:
    """Say in words what lines of families show."""
    names = [family for _, family in lines]
    selected = table[table["family"].isin(names)]
    rows = selected[selected["z"].notna()].to_dict("records")
    worst = max(rows, key=lambda row: abs(row["z"]), default=None)
    far = f" The farthest is {worst['record']} under {worst['scenario']}, z {worst['z']:.1f}." if worst else ""
    return f"Each row of {len(names)} families beside its own 90 % predictive interval.{far}"


def panels_figure(table: pd.DataFrame, titles: Sequence[str]) -> Figure:
    """Return a page of panels: a row for each group of endpoints, a column for each scenario."""
    names = scenarios_of(table)
    with styled():
        figure = new_figure(max(_PAGE[0], 2.6 * len(names)), _PAGE[1] * (len(titles) + 0.35) / (_PANELS + 0.35))
        grid = figure.subplots(len(titles), len(names), squeeze=False)
        for axes, name in zip(grid[0], names, strict=True):
            axes.set_title(name, fontsize=8.5)
        for row, title in zip(grid, titles, strict=True):
            group = table[table["group"] == title]
            for axes, name in zip(row, names, strict=True):
                draw_panel(axes, group, name)
            row[0].set_ylabel(f"{textwrap.fill(title, 30)}\nobserved", fontsize=7)
        for axes in grid[-1]:
            axes.set_xlabel("predicted", fontsize=7)
        _legend(figure, table)
        figure.draw_without_rendering()
    return figure


def draw_panel(axes: Axes, group: pd.DataFrame, scenario: str, size: float = 6.0, counted: bool = True) -> None:
    """Draw one group of endpoints under one scenario into axes.

    Points are filled where the observed number is inside the 90 % interval; a bar is that interval, at the height of what was
    observed, so that it crosses the line of identity if it holds the number. All scenarios have the same limits; what lies
    beyond them stands at the edge as an arrow with the row's name.

    Parameters
    ----------
    group
        Rows of one group, all scenarios.
    size
        Of the letters, points.
    counted
        Whether a corner says how many rows are inside.
    """
    log = bool(group["log"].iloc[0])
    low, high = panel_limits(group, log)
    if log:
        axes.set_xscale("log")
        axes.set_yscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_box_aspect(1)
    axes.tick_params(labelsize=size, length=2, pad=1.5)
    set_ticks(axes, low, high, log)
    axes.plot([low, high], [low, high], color=GREY, linewidth=0.8, zorder=1)
    rows = group[group["scenario"] == scenario]
    beyond = []
    for number, row in zip(rows.index, rows.to_dict("records"), strict=True):
        colour, marker = MARKS[row["treatment"]]
        x, y = (min(max(row[name], low), high) for name in ("x", "y"))
        if math.isfinite(row["left"]) and math.isfinite(row["right"]):
            left, right = (min(max(row[name], low), high) for name in ("left", "right"))
            axes.plot([left, right], [y, y], color=colour, linewidth=0.7, alpha=0.55, zorder=2, solid_capstyle="butt")
            for cut, edge, arrow in ((row["left"] < low, low, "<"), (row["right"] > high, high, ">")):
                if cut:
                    axes.plot(
                        [edge],
                        [y],
                        marker=arrow,
                        markersize=2.6,
                        color=colour,
                        linestyle="none",
                        clip_on=False,
                        zorder=2,
                    )
        arrow = edge_arrow(row["x"], row["y"], low, high)
        if arrow:
            beyond.append((x, y, row["record"], colour))
        axes.plot(
            [x],
            [y],
            marker=arrow or marker,
            markersize=4.4,
            color=colour,
            markerfacecolor=colour if row["inside"] else PAPER,
            markeredgewidth=0.9,
            linestyle="none",
            clip_on=False,
            zorder=4 if arrow else 3,
            gid=f"row-{number}",
        )
    name_points(axes, beyond, size - 0.8)
    if counted:
        count = f"{int(rows['inside'].sum())}/{len(rows)}"
        axes.text(0.02, 0.98, count, transform=axes.transAxes, va="top", fontsize=size, color=INK)


def families_figure(table: pd.DataFrame, lines: Sequence[tuple[str, str]]) -> Figure:
    """Return a page of families, one line each, a column for each scenario.

    Parameters
    ----------
    lines
        Class of treatment and family, from the top.
    """
    names = scenarios_of(table)
    with styled():
        figure = new_figure(
            max(_PAGE[0], 2.0 + 2.1 * len(names)), 1.0 + (_PAGE[1] - 1.0) * (len(lines) + 6) / (_LINES + 6)
        )
        columns = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
        for axes, name in zip(columns, names, strict=True):
            draw_families(axes, table[table["scenario"] == name], lines, labelled=axes is columns[0])
            axes.set_title(name, fontsize=8.5)
        _legend(figure, table)
        figure.draw_without_rendering()
    return figure


def draw_families(
    axes: Axes, rows: pd.DataFrame, lines: Sequence[tuple[str, str]], labelled: bool = True, size: float = 6.0
) -> None:
    """Draw families of one scenario into axes: each row at its z, the band is the 90 % interval.

    The axis is linear near the interval and compressed outside it, so that no row leaves the picture.
    """
    places, names, y = {}, [], 0.0
    previous = ""
    for treatment, family in lines:
        if treatment != previous:
            y += 0.25
            names.append((y, treatment, True))
            y, previous = y + 1.0, treatment
        places[family] = y
        names.append((y, family, False))
        y += 1.0
    axes.set_xscale("asinh", linear_width=2.0)
    axes.axvspan(-Z90, Z90, color=GREY, alpha=0.18, linewidth=0)
    axes.axvline(0.0, color=GREY, linewidth=0.8)
    for number, row in zip(rows.index, rows.to_dict("records"), strict=True):
        if row["family"] not in places or not math.isfinite(row["z"]):
            continue
        colour, marker = MARKS[row["treatment"]]
        axes.plot(
            [min(max(row["z"], -_MOST), _MOST)],
            [places[row["family"]]],
            marker=marker,
            markersize=4.0,
            color=colour,
            markerfacecolor=colour if row["inside"] else PAPER,
            markeredgewidth=0.9,
            linestyle="none",
            gid=f"line-{number}",
        )
    axes.set_xlim(-_MOST - 5, _MOST + 5)
    axes.set_xticks(
        _TICKS,
        [(f"{tick:.1f}" if abs(tick) == Z90 else f"{tick:g}").replace("-", MINUS) for tick in _TICKS],
        fontsize=size - 0.5,
    )
    axes.minorticks_off()
    axes.tick_params(axis="x", labeltop=True, length=0, pad=2)
    axes.set_xlabel("z", fontsize=size + 1)
    axes.set_ylim(y - 0.4, -0.6)
    axes.set_yticks([height for height, _, _ in names])
    axes.tick_params(axis="y", length=0, pad=2)
    if labelled:
        axes.set_yticklabels([text for _, text, _ in names], fontsize=size)
        for label, (_, _, heading) in zip(axes.get_yticklabels(), names, strict=True):
            label.set_fontweight("bold" if heading else "normal")
    for line, (_, _, heading) in zip(axes.get_ygridlines(), names, strict=True):
        line.set_visible(not heading)


# -- pieces ----------------------------------------------------------------------------------------------------------


def _pages(items: Sequence[Any], most: int) -> list[Sequence[Any]]:
    """Cut into parts of nearly the same length, none longer than `most`."""
    count = math.ceil(len(items) / most)
    cuts = [round(k * len(items) / count) for k in range(count + 1)] if count else []
    return [items[a:b] for a, b in itertools.pairwise(cuts) if b > a]


def handles(classes: Sequence[str]) -> list[Any]:
    """Return what a legend shows: each class, then inside, outside and beyond the edge."""
    from matplotlib.lines import Line2D

    def point(colour: str, marker: str, label: str, filled: bool = True) -> Any:
        face = colour if filled else PAPER
        return Line2D(
            [], [], color=colour, marker=marker, markerfacecolor=face, linestyle="none", markersize=5, label=label
        )

    entries = [point(*MARKS[name], name) for name in CLASSES if name in classes]
    entries += [point(INK, "o", "inside the 90 % interval"), point(INK, "o", "outside", False)]
    return entries


def _legend(figure: Figure, table: pd.DataFrame) -> None:
    figure.legend(
        handles=handles(list(table["treatment"])), loc="outside lower center", ncols=4, fontsize=7, handletextpad=0.2
    )
