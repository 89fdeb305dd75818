"""Figures of a whole trial report: stages, mechanisms, power, virtual beside real people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from . import words
from .drawing import MARKS, STYLES, Drawing, axis, colour, drawing, estimate_axis, slug, wrapped
from .figures import GREY, PALETTE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from ..trials.assessment import Assessment
    from ..trials.attribution import Attribution


def early_late(a: Assessment, design: str) -> Drawing | None:
    """Draw apparent and true change by stratum."""
    table = a.results
    strata = [name for name in a.protocol.strata if name in set(table["stratum"])]
    rows = table[(table["design"] == design) & (table["role"] == "primary") & table["stratum"].isin(strata)]
    if len(strata) < 2 or rows.empty:
        return None
    names = list(dict.fromkeys(rows["hypothesis"]))
    first = rows["treated"].iloc[0]
    value = {(r["hypothesis"], r["stratum"]): r for r in rows[rows["treated"] == first].to_dict("records")}

    def paint(axes: Axes) -> None:
        ticks, labels = [], []
        y = 0.0
        for stratum in strata:
            for hypothesis in names:
                row = value[hypothesis, stratum]
                low, middle, high, truth = (words.scaled(a, row[k]) for k in ("low", "mean", "high", "truth"))
                axes.plot([low, high], [y, y], color=colour(hypothesis), linewidth=2)
                axes.plot([middle], [y], color=colour(hypothesis), marker=MARKS.get(hypothesis, "o"), markersize=7)
                axes.plot([truth], [y - 0.28], color="black", marker="D", markersize=4, linestyle="none")
                ticks.append(y)
                labels.append(words.hypothesis_short(hypothesis))
                y -= 1.0
            axes.text(
                0.01, y + len(names) + 0.42, words.capital(stratum), transform=axes.get_yaxis_transform(), fontweight="bold",
                fontsize=9.5, va="bottom",
            )  # fmt: skip
            y -= 1.0
        axes.axvline(words.scaled(a, 0.0), color=GREY, linewidth=0.8, linestyle=(0, (3, 2)))
        axes.set_yticks(ticks, labels)
        axes.set_ylim(y + 1.4, 1.1)
        axes.grid(False, axis="y")
        axes.set_xlabel(estimate_axis(a))

    numbers = "; ".join(
        f"{words.stratum(a, s)}, {words.hypothesis(h)}: {words.estimated(a, value[h, s]['mean'])}, true {words.estimated(a, value[h, s]['truth'])}"
        for s in strata
        for h in names
    )
    return drawing(
        f"early-late-{slug(design)}",
        f"By stage: {'before and after' if design in a.single else 'against controls'}",
        f"{words.capital(words.design(a, design))}. Coloured: what studies find, with the range of 95 % of them. Black "
        "diamonds: the true effect of the cells. "
        + ". ".join(f"{words.capital(s)}: {words.stratum(a, s)}" for s in strata)
        + ".",
        f"By stage. {numbers}.",
        1.1 + 0.42 * len(strata) * (len(names) + 1),
        paint,
    )


def mechanisms(found: Sequence[Attribution]) -> Drawing | None:
    """Draw the share of each mechanism in the effect of cells."""
    if not found:
        return None
    code = found[0].code
    names = list(dict.fromkeys(found[0].table["mechanism"]))

    def paint(axes: Axes) -> None:
        offsets = np.linspace(0.18, -0.18, len(found)) if len(found) > 1 else [0.0]
        for each, offset in zip(found, offsets, strict=True):
            table = each.table[each.table["stratum"] == "all"].set_index("mechanism")
            y = np.arange(len(names))[::-1] + offset
            x = [words.shown(code, float(table.loc[name, "share"])) for name in names]
            axes.barh(y, x, height=0.3, color=colour(each.hypothesis), label=words.hypothesis_short(each.hypothesis))
            low = [words.shown(code, float(table.loc[name, "low"])) for name in names]
            high = [words.shown(code, float(table.loc[name, "high"])) for name in names]
            axes.hlines(y, low, high, color="black", linewidth=1)
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.set_yticks(np.arange(len(names))[::-1], [wrapped(words.MECHANISMS[name], 22) for name in names])
        axes.grid(False, axis="y")
        axes.set_xlabel(axis(code))
        axes.figure.legend(loc="outside lower center", ncols=2, fontsize=9)

    numbers = "; ".join(
        f"{words.hypothesis(each.hypothesis)}: "
        + ", ".join(
            f"{words.MECHANISMS[str(r['mechanism'])]} {words.change(code, r['share'])}"
            for r in each.table[each.table["stratum"] == "all"].to_dict("records")
        )
        for each in found
    )
    return drawing(
        "mechanisms",
        "Which mechanism does it",
        "Shapley shares of the true effect of the cells: every set of mechanisms was switched on in the same people. "
        "The thin line spans the middle half of the people.",
        f"Shares of the effect. {numbers}.",
        1.1 + 0.52 * len(names),
        paint,
    )


def power(a: Assessment) -> Drawing | None:
    """Draw power over the number of patients."""
    table = a.power
    if table.empty:
        return None
    names = list(dict.fromkeys(table["hypothesis"]))

    def paint(axes: Axes) -> None:
        from matplotlib.ticker import FuncFormatter

        for hypothesis in names:
            rows = table[table["hypothesis"] == hypothesis].sort_values("n")
            axes.errorbar(
                rows["n"], 100 * rows["power"],
                [100 * np.maximum(rows["power"] - rows["power_low"], 0), 100 * np.maximum(rows["power_high"] - rows["power"], 0)],
                fmt=MARKS.get(hypothesis, "o"), color=colour(hypothesis), markersize=4, elinewidth=0.8, linestyle="none",
            )  # fmt: skip
            if hypothesis != "none":
                axes.plot(
                    rows["n"], 100 * rows["smooth"], color=colour(hypothesis), linestyle=STYLES.get(hypothesis, "-"),
                    label=words.hypothesis_short(hypothesis),
                )  # fmt: skip
            else:
                axes.plot(
                    [],
                    [],
                    color=colour(hypothesis),
                    marker="o",
                    linestyle="none",
                    markersize=4,
                    label=words.hypothesis_short(hypothesis),
                )
        axes.axhline(80, color=GREY, linewidth=0.8, linestyle=(0, (3, 2)))
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if str(value)[0] in "235" else ""))
        axes.set_ylim(-2, 102)
        axes.set_xlabel("patients randomised, both groups together")
        axes.set_ylabel("trials that show benefit (%)")
        axes.figure.legend(loc="outside lower center", ncols=min(3, len(names)), fontsize=9)

    numbers = "; ".join(
        f"{words.hypothesis(h)}: {100 * float(rows['power'].iloc[-1]):.0f} % with {int(rows['n'].iloc[-1])} patients"
        for h in names
        for rows in [table[table["hypothesis"] == h].sort_values("n")]
    )
    return drawing(
        "power",
        "How large a trial must be",
        "Share of randomised trials that show a significant benefit. Points: simulated, with 95 % intervals; lines: from effect and "
        "scatter of the simulated trials, as if values were normally distributed; where they differ, the points count. The dashed line is 80 %.",
        f"Power. {numbers}.",
        3.3,
        paint,
    )


def matched(name: str, table: pd.DataFrame) -> Drawing | None:
    """Draw how virtual patients compare with real ones: medians and quartiles of both, relative to the real median.

    Parameters
    ----------
    table
        Columns ``label``, ``unit``, ``real_low``, ``real_median``, ``real_high``, ``virtual_low``, ``virtual_median``, ``virtual_high``.
    """
    if table.empty:
        return None
    rows = table.to_dict("records")

    def paint(axes: Axes) -> None:
        for number, row in enumerate(reversed(rows)):
            scale = 100 / row["real_median"]
            for who, offset, tint, mark in (("real", 0.14, "#4b5563", "o"), ("virtual", -0.14, PALETTE[0], "s")):
                y = number + offset
                axes.plot([scale * row[f"{who}_low"], scale * row[f"{who}_high"]], [y, y], color=tint, linewidth=2.4)
                axes.plot(
                    [scale * row[f"{who}_median"]], [y], color=tint, marker=mark, markersize=5.5, linestyle="none",
                    label=f"{who} people" if number == 0 else None,
                )  # fmt: skip
        labels = [f"{row['label']}\n({row['unit']})" if row["unit"] else str(row["label"]) for row in reversed(rows)]
        axes.set_yticks(np.arange(len(rows)), labels)
        axes.grid(False, axis="y")
        axes.set_xscale("log")
        _plain(axes)
        axes.set_xlabel("in percent of the real median")
        axes.figure.legend(loc="outside lower center", ncols=2, fontsize=9)

    numbers = "; ".join(
        f"{r['label']}: real {r['real_median']:.3g}, virtual {r['virtual_median']:.3g} {r['unit']}" for r in rows
    )
    return drawing(
        "matched",
        "Virtual and real people",
        f"Medians (points) and middle halves (bars). Real people: {name}.",
        f"Medians. {numbers}.",
        1.0 + 0.52 * len(rows),
        paint,
    )


def _plain(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.xaxis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
