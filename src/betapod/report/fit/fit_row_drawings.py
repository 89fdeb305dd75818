"""Pictures of the rows of a fit: misses of families before and after, discrepancy, coverage."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ...base.constants import Z90
from ..common.drawing import WIDTH, wrap_label
from ..common.figures import drawable
from ..common.interval_section import kind_in_words
from ..common.words import counted, percent_text
from . import fit_findings as findings
from .fit_contents import FitContents
from .fit_drawings import AFTER, ASIDE, BEFORE, INK, LEFT_OUT, PRIOR, FitPicture, even_parts

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Most families in one picture, and most classes of discrepancy.
_FAMILIES, _CLASSES = 45, 12
_MOST_Z = 40.0


def draw_families_before_after(contents: FitContents) -> list[FitPicture]:
    """Draw the median |z| of every family before and after the fit, fitted families and those set aside apart."""
    table = findings.family_misses(contents)
    pictures = []
    for fitted, name, title in ((True, "z-fitted", "Misses of fitted families"), (False, "z-set-aside", "Misses of families set aside")):  # fmt: skip
        part = table[table["fitted"] == fitted].sort_values("after", ascending=False, kind="stable")
        pieces = even_parts(list(part.index), _FAMILIES)
        for number, piece in enumerate(pieces, start=1):
            more = len(pieces) > 1
            pictures.append(
                _families_picture(
                    part.loc[list(piece)],
                    name + (f"-{number}" if more else ""),
                    title + (f" ({number} of {len(pieces)})" if more else ""),
                )
            )
    return pictures


def _families_picture(part: pd.DataFrame, name: str, title: str) -> FitPicture:
    better, worse = int((part["after"] < part["before"]).sum()), int((part["after"] > part["before"]).sum())

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.set_xscale("asinh", linear_width=2.0)
        axes.axvspan(0, Z90, color=PRIOR, alpha=0.16, linewidth=0)
        for height, row in enumerate(part.to_dict("records")):
            before, after = (min(float(row[when]), _MOST_Z) for when in ("before", "after"))
            if not (math.isfinite(before) and math.isfinite(after)):
                continue
            tint = AFTER if after <= before else BEFORE
            if abs(after - before) > 0.03:
                axes.annotate(
                    "", (after, -height), (before, -height),
                    arrowprops={"arrowstyle": "-|>", "color": tint, "linewidth": 1.1, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 7},
                )  # fmt: skip
            axes.plot(
                [before], [-height], marker="o", markersize=4, color=INK, markerfacecolor="none", linestyle="none"
            )
            beyond = float(row["after"]) > _MOST_Z
            axes.plot(
                [after],
                [-height],
                marker=">" if beyond else "o",
                markersize=6 if beyond else 3,
                color=tint,
                linestyle="none",
            )
        axes.set_xlim(-0.15, max(6.0, 1.15 * min(float(part[["before", "after"]].max().max()), _MOST_Z)))
        axes.set_ylim(-len(part) + 0.4, 0.6)
        labels = [
            f"{wrap_label(drawable(str(row['family'])), 20, 1)} ({row['rows']})" for row in part.to_dict("records")
        ]
        axes.set_yticks([-k for k in range(len(part))], labels, fontsize=8)
        axes.tick_params(axis="y", length=0)
        right = axes.get_xlim()[1]
        # On a long axis 1 would stand on 1.64.
        ticks = [tick for tick in (0, *((1,) if right < 8 else ()), Z90, 3, 5, 10, 20, 40) if tick <= right]
        axes.set_xticks(ticks, [f"{tick:.3g}" for tick in ticks])
        axes.minorticks_off()
        axes.set_xlabel("median |z| of a family")

    return FitPicture(
        name,
        title,
        "Ring: before; dot: after the fit. Blue arrows come nearer, orange ones go away. z is the difference of observation and prediction "
        "over the error of study and cohort alone; in the band a single row would be inside its 90 % interval. In brackets: rows.",
        f"{counted(len(part), 'family', 'families')}: {better} nearer, {worse} farther. Median over families of the median |z|: "
        f"{part['before'].median():.2f} before, {part['after'].median():.2f} after.",
        (WIDTH, 0.8 + 0.2 * len(part)),
        paint,
        part.rename(columns={"before": "median_abs_z_before", "after": "median_abs_z_after"}).reset_index(drop=True),
    )


def draw_discrepancy(contents: FitContents) -> FitPicture | None:
    """Draw what the model lacks by class, beside the typical error of a study; None without it."""
    import pandas as pd

    every = findings.discrepancy_table(contents)
    # Classes of few rows stand in the table of the page only.
    lines = sorted(every, key=lambda line: -float(line["rows"]))[:_CLASSES]
    if not lines:
        return None
    rest = (
        f" {counted(len(every) - len(lines), 'rarer class', 'rarer classes')} in the table alone."
        if len(every) > len(lines)
        else ""
    )

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        for height, line in enumerate(lines):
            error = line["error"] if line["error"] > 0 else 1.0
            for offset, name, tint, hatch in ((0.17, "tau_family", AFTER, ""), (-0.17, "tau_row", ASIDE, "////")):
                axes.barh(
                    offset - height, float(line[name]) / error, 0.3, color=tint, hatch=hatch, edgecolor="white", linewidth=0,
                    label={"tau_family": "shared by a family", "tau_row": "each row's own"}[name] if height == 0 else None,
                )  # fmt: skip
        axes.axvline(1, color=INK, linewidth=0.9, linestyle=(0, (4, 2)))
        labels = [wrap_label(drawable(kind_in_words(str(line["class"]))), 20, 3) for line in lines]
        axes.set_yticks([-k for k in range(len(lines))], labels)
        axes.tick_params(axis="y", length=0)
        axes.grid(False, axis="y")
        axes.set_ylim(-len(lines) + 0.4, 0.6)
        axes.set_xlabel("SD, in typical errors of a study")
        figure.legend(loc="outside lower center", ncols=2, fontsize=8.5)

    return FitPicture(
        "discrepancy",
        "What the model lacks, class by class",
        "SD of the discrepancy: what rows of a family share, and what each row has of its own. Broken line: the median error of a row of the class, "
        "as large as the study and the cohort make it." + rest,
        "Discrepancy. " + "; ".join(f"{kind_in_words(str(line['class']))}: {line['words']}" for line in lines) + ".",
        (WIDTH, 1.2 + 0.45 * len(lines)),
        paint,
        pd.DataFrame(every),
    )


#: Curves of coverage: set, colour, mark.
_CURVES = (("fitted", AFTER, "o"), ("set aside", ASIDE, "^"), ("left out", LEFT_OUT, "s"))


def draw_coverage(contents: FitContents) -> FitPicture | None:
    """Draw how many rows lie inside intervals of 50 to 95 %, without and with discrepancy, before and after; None without counts."""
    table = contents.coverage
    table = table[table["by"] == "rows"] if len(table) else table
    if table.empty:
        return None
    panels = [(lacks, table[table["discrepancy"] == lacks]) for lacks in (False, True)]
    panels = [(lacks, part) for lacks, part in panels if len(part)]
    bottom = min(45.0, 10 * math.floor(10 * float(table["actual"].astype(float).min())))

    def paint(figure: Figure) -> None:
        handles: dict[str, Any] = {}
        for number, (lacks, part) in enumerate(panels):
            # Below each other, so that a telephone shows them in full width.
            axes = figure.add_subplot(len(panels), 1, number + 1)
            handles |= _draw_coverage_panel(axes, part, bottom)
            axes.set_title("with discrepancy" if lacks else "errors and parameters", loc="left", fontsize=11)
            axes.set_xlabel("interval (%)" if number == len(panels) - 1 else "", fontsize=11)
            axes.set_ylabel("rows inside (%)", fontsize=11)
            axes.tick_params(labelsize=11)
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=2, fontsize=10)

    told = []
    for lacks, part in panels:
        for name, _, _ in _CURVES:
            for when, line in _best_curves(part, name):
                at90 = line[np.isclose(line["nominal"].astype(float), 0.9)]
                if len(at90):
                    with_words = "with" if lacks else "without"
                    told.append(
                        f"{name}, {when}, {with_words} discrepancy: {percent_text(float(at90['actual'].iloc[0]))}"
                    )
    return FitPicture(
        "coverage",
        "Does a 90 % interval mean 90 %?",
        "Share of rows inside intervals of 50, 80, 90 and 95 %. Grey line: as it should be; bar at 90 %: the goal, 85 to 95 %. Broken: before the "
        "fit; drawn through: after it, with parameters drawn. Families left out are predicted by a fit to all others.",
        f"Rows inside the 90 % interval. {'; '.join(told)}.",
        (WIDTH, 6.4 if len(panels) > 1 else 3.8),
        paint,
        table.reset_index(drop=True),
    )


def _best_curves(part: pd.DataFrame, name: str) -> list[tuple[str, pd.DataFrame]]:
    """Return the curves of a set: before the fit without drawn parameters, and after it with them where there are any."""
    curves = []
    # What is left out later is predicted before the fit as all fitted rows are.
    for when, drawn in (("before", False), ("after", True)) if name != "left out" else (("after", True),):
        line = part[(part["set"] == name) & (part["when"] == when)]
        preferred = line[line["parameters"] == drawn]
        line = preferred if len(preferred) else line
        if len(line):
            curves.append((when, line.sort_values("nominal").drop_duplicates("nominal")))
    return curves


def _draw_coverage_panel(axes: Axes, part: pd.DataFrame, bottom: float) -> dict[str, Any]:
    handles = {}
    axes.plot([40, 100], [40, 100], color=PRIOR, linewidth=1.0)
    axes.plot([90, 90], [85, 95], color=PRIOR, linewidth=5, alpha=0.5, solid_capstyle="butt")
    for name, tint, mark in _CURVES:
        for when, line in _best_curves(part, name):
            label = f"{name}, {when}"
            (handles[label],) = axes.plot(
                100 * line["nominal"].astype(float), 100 * line["actual"].astype(float), color=tint, marker=mark, markersize=4,
                linestyle="-" if when == "after" else (0, (3, 2)), markerfacecolor=tint if when == "after" else "none",
                linewidth=1.4 if when == "after" else 1.0,
            )  # fmt: skip
    axes.set_xlim(46, 99)
    axes.set_ylim(bottom, 103)
    axes.set_xticks([50, 80, 90, 95], ["50", "80", "90", "95"])
    return handles
