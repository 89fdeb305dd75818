"""Figures of a whole trial report: stages, mechanisms, power, virtual beside real people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...trials.operating.sizing import NULL
from ..common import words
from ..common.drawing import GROUPS, MARKS, STYLES, Drawing, axis, colour, drawing, slug, wrap_label
from ..common.figures import GREY, PALETTE
from . import estimates

#: Effects (also of logarithms) that are printed as 0.
NOTHING = 5e-4
#: Patients beyond which no trial is drawn.
_FARTHEST = 100_000.0

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from ...trials.operating.attribution import Attribution
    from ...trials.operating.result_tables import Assessment


def by_stratum(assessment: Assessment, design: str) -> Drawing | None:
    """Draw apparent and true change by stratum."""
    table = assessment.results
    scale = estimates.primary(assessment, design)
    strata = [name for name in assessment.protocol.strata if name in set(table["stratum"])]
    rows = table[(table["design"] == design) & (table["role"] == "primary") & table["stratum"].isin(strata)]
    rows = rows.dropna(subset=["mean", "low", "high"])
    if len(strata) < 2 or rows.empty:
        return None
    first = rows["treated"].iloc[0]
    rows = rows[rows["treated"] == first]
    cells = words.has_cells(assessment, *assessment.protocol.designs[design].arms)
    names = [
        h for h in words.scenarios(assessment, *assessment.protocol.designs[design].arms) if h in set(rows["scenario"])
    ]
    value = {(r["scenario"], r["stratum"]): r for r in rows.to_dict("records")}
    tells = words.truth_label(str(rows["truth_of"].iloc[0])) if np.isfinite(rows["truth"]).any() else ""

    def paint(axes: Axes) -> None:
        ticks, labels = [], []
        y = 0.0
        for stratum in strata:
            top = y
            for scenario in names:
                row = value.get((scenario, stratum))
                if row is not None:
                    low, middle, high, truth = (scale.value(row[k]) for k in ("low", "mean", "high", "truth"))
                    tint = colour(scenario) if cells else GROUPS[1]
                    axes.plot([low, high], [y, y], color=tint, linewidth=2)
                    axes.plot([middle], [y], color=tint, marker=MARKS.get(scenario, "o"), markersize=7)
                    if tells:
                        axes.plot([truth], [y - 0.28], color="black", marker="D", markersize=4, linestyle="none")
                ticks.append(y)
                labels.append(
                    words.scenario_short(scenario) if cells else wrap_label(words.arm(assessment, str(first)), 18)
                )
                y -= 1.0
            axes.text(
                0.01, top + 0.42, wrap_label(words.capital(stratum), 50, 1), transform=axes.get_yaxis_transform(), fontweight="bold",
                fontsize=9.5, va="bottom",
            )  # fmt: skip
            y -= 1.0
        if not scale.share or scale.controlled:
            axes.axvline(scale.value(0.0), color=GREY, linewidth=0.8, linestyle=(0, (3, 2)))
        axes.set_yticks(ticks, labels)
        axes.set_ylim(y + 1.4, 1.1)
        axes.grid(False, axis="y")
        axes.set_xlabel(scale.axis)

    numbers = "; ".join(
        f"{words.stratum(assessment, s)}{', ' + words.scenario(h) if cells else ''}: {scale.text(value[h, s]['mean'])}"
        + (f", true {scale.text(value[h, s]['truth'])}" if tells else "")
        for s in strata
        for h in names
        if (h, s) in value
    )
    return drawing(
        f"by-stratum-{slug(design)}",
        f"By stratum: {'before and after' if design in assessment.single else 'against controls'}",
        f"{words.capital(words.design(assessment, design))}{words.first_of_several(assessment, design)}. Coloured: mean result of {'studies' if design in assessment.single else 'trials'}, with the range of "
        "95 % of them. "
        + (f"Black diamonds: the {tells}. " if tells else "")
        + ". ".join(
            f"{words.capital(s)}: {words.stratum(assessment, s)}" for s in strata if words.stratum(assessment, s) != s
        )
        + ("." if any(words.stratum(assessment, s) != s for s in strata) else ""),
        f"By stratum. {numbers}.",
        1.1 + 0.42 * len(strata) * (len(names) + 1),
        paint,
    )


def mechanisms(attributions: Sequence[Attribution]) -> Drawing | None:
    """Draw the share of each mechanism in the effect of cells."""
    if not attributions:
        return None
    code = attributions[0].code
    acting = {
        row["mechanism"]
        for attribution in attributions
        for row in attribution.table.to_dict("records")
        if abs(row["share"]) > NOTHING
    }
    names = [name for name in dict.fromkeys(attributions[0].table["mechanism"]) if name in acting]
    if not names:
        return None

    def paint(axes: Axes) -> None:
        offsets = np.linspace(0.18, -0.18, len(attributions)) if len(attributions) > 1 else [0.0]
        for attribution, offset in zip(attributions, offsets, strict=True):
            table = attribution.table[attribution.table["stratum"] == "all"].set_index("mechanism")
            y = np.arange(len(names))[::-1] + offset
            x = [words.displayed_change(code, float(table.loc[name, "share"])) for name in names]
            axes.barh(
                y, x, height=0.3, color=colour(attribution.scenario), label=words.scenario_short(attribution.scenario)
            )
            low = [words.displayed_change(code, float(table.loc[name, "low"])) for name in names]
            high = [words.displayed_change(code, float(table.loc[name, "high"])) for name in names]
            axes.hlines(y, low, high, color="black", linewidth=1)
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.set_yticks(
            np.arange(len(names))[::-1], [wrap_label(words.MECHANISMS.get(name, name), 22) for name in names]
        )
        axes.grid(False, axis="y")
        axes.set_xlabel(axis(code))
        axes.figure.legend(loc="outside lower center", ncols=2, fontsize=9)

    numbers = "; ".join(
        f"{words.scenario(attribution.scenario)}: "
        + ", ".join(
            f"{words.MECHANISMS.get(str(r['mechanism']), r['mechanism'])} {words.change(code, r['share'])}"
            for r in attribution.table[attribution.table["stratum"] == "all"].to_dict("records")
        )
        for attribution in attributions
    )
    return drawing(
        "mechanisms",
        "Contribution of each mechanism",
        "Shapley shares of the true effect of the cells: every set of mechanisms was switched on in the same people. "
        "Thin lines: interquartile range of the people.",
        f"Shares of the effect. {numbers}.",
        1.1 + 0.52 * len(names),
        paint,
    )


def draw_power(assessment: Assessment) -> Drawing | None:
    """Draw power over the number of patients: simulated, and calculated on to the size that is asked for."""
    table = assessment.power
    if table.empty:
        return None
    cells = words.has_cells(assessment)
    names = list(dict.fromkeys(table["scenario"]))
    needed = _needed(assessment)

    def paint(axes: Axes) -> None:
        from matplotlib.ticker import FuncFormatter, LogLocator

        most = float(table["n"].max())
        for scenario in names:
            rows = table[table["scenario"] == scenario].sort_values("n")
            label = words.scenario_short(scenario) if cells else "simulated and calculated"
            tint = colour(scenario) if cells else GROUPS[1]
            axes.errorbar(
                rows["n"].to_numpy(), 100 * rows["power"].to_numpy(),
                100 * np.maximum([rows["power"] - rows["power_low"], rows["power_high"] - rows["power"]], 0),
                fmt=MARKS.get(scenario, "o"), color=tint, markersize=4, elinewidth=0.8, linestyle="none",
            )  # fmt: skip
            if scenario == NULL and cells:
                axes.plot([], [], color=tint, marker="o", linestyle="none", markersize=4, label=label)
                continue
            style = STYLES.get(scenario, "-")
            axes.plot(rows["n"], 100 * rows["smooth"], color=tint, linestyle=style, label=label)
            if most < needed.get(scenario, 0.0) <= _FARTHEST:
                n = np.geomspace(most, 1.5 * needed[scenario], 60)
                axes.plot(n, 100 * _power_of(n, needed[scenario]), color=tint, linestyle=style, linewidth=0.9)
        axes.axhline(80, color=GREY, linewidth=0.8, linestyle=(0, (3, 2)))
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(10, subs=(1.0,)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        wide = axes.get_xlim()[1] > 30 * axes.get_xlim()[0]
        axes.xaxis.set_minor_formatter(
            FuncFormatter(lambda value, _: f"{value:g}" if str(value)[0] in ("3" if wide else "235") else "")
        )
        axes.set_ylim(-2, 102)
        axes.set_xlabel("patients randomised, all groups together")
        axes.set_ylabel("trials that show benefit (%)")
        axes.figure.legend(loc="outside lower center", ncols=min(3, len(names)), fontsize=9)

    numbers = "; ".join(
        (f"{words.scenario(h)}: " if cells else "")
        + f"{100 * float(rows['power'].iloc[-1]):.0f} % with {int(rows['n'].iloc[-1])} patients"
        for h in names
        for rows in [table[table["scenario"] == h].sort_values("n")]
    )
    beyond = [h for h in names if needed.get(h, 0.0) > _FARTHEST]
    far = (
        f" Not drawn: if {words.scenario(beyond[0])}, more than 100 000 patients are needed."
        if beyond and cells
        else ""
    )
    drawn_on = any(float(table["n"].max()) < needed.get(h, 0.0) <= _FARTHEST for h in names)
    return drawing(
        "power",
        "How large a trial must be",
        "Share of randomised trials that show a significant benefit. Points: simulated, with 95 % intervals; lines: calculated from "
        "effect and residual standard deviation under a normal distribution"
        + (", thin where no trial was simulated" if drawn_on else "")
        + f"; where they differ, the points count. The dashed line is 80 %.{far}",
        f"Power. {numbers}.",
        3.3,
        paint,
    )


def _needed(assessment: Assessment) -> dict[str, float]:
    """Return scenario -> patients for 80 % power on the primary endpoint, measured as in the drawn curve."""
    if assessment.sizes.empty or assessment.power.empty:
        return {}
    variant = assessment.power["variant"].iloc[0]
    rows = assessment.sizes[
        (assessment.sizes["power"] == 0.8)
        & (assessment.sizes["role"] == "primary")
        & (assessment.sizes["variant"] == variant)
    ]
    return {str(r["scenario"]): float(r["n"]) for r in rows.to_dict("records") if np.isfinite(r["n"])}


def _power_of(n: Any, needed: float) -> Any:
    """Return the power of trials of `n` patients where `needed` have 80 %: the normal approximation, exact for large trials."""
    from scipy.special import ndtr, ndtri

    return ndtr((ndtri(0.8) + ndtri(0.975)) * np.sqrt(n / needed) - ndtri(0.975))


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
        f"Medians (points) and interquartile ranges (bars). Real people: {name}.",
        f"Medians. {numbers}.",
        1.0 + 0.52 * len(rows),
        paint,
    )


def _plain(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.xaxis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
