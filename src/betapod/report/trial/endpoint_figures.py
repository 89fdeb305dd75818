"""Figures of endpoints: operating characteristics by scenario, time to the primary event, hierarchy of outcomes, tipping point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...base.constants import DAYS_PER_MONTH
from ...trials.analysis.endpoints import comparisons
from ...trials.analysis.kidney_hierarchy import KIDNEY_COMPONENTS
from ..common import words
from ..common.drawing import GROUPS, MARKS, Drawing, colour, drawing, slug, wrap_label
from ..common.figures import GREY, PALETTE
from .estimates import primary

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from ...trials.operating.result_tables import Assessment

#: Dashes of groups, so that they are told apart without colour.
_LINES = ("-", "--", "-.", ":")
#: Columns of shares of `Assessment.results` -> what they are called.
_SHARES = {"improved": "power", "false_positives": "false positives", "coverage": "coverage"}


def draw_operating(assessment: Assessment, design: str, names: Sequence[str], named: bool) -> Drawing | None:
    """Draw power, false positives and coverage of the primary endpoint by scenario, with Monte Carlo intervals."""
    table = assessment.results
    keep = (table["design"] == design) & (table["role"] == "primary") & (table["stratum"] == "all")
    first = table[keep].drop_duplicates("scenario")
    rows = [r for r in first.to_dict("records") if r["scenario"] in names]
    points = [
        (label, str(row["scenario"]), 100 * row[name], 100 * row[f"{name}_low"], 100 * row[f"{name}_high"])
        for name, label in _SHARES.items()
        for row in rows
        if math.isfinite(row[name])
    ]
    if len(points) < 2:
        return None
    labels = list(dict.fromkeys(label for label, *_ in points))
    height = [len(labels) - labels.index(label) for label, *_ in points]

    def paint(axes: Axes) -> None:
        for scenario in dict.fromkeys(point[1] for point in points):
            shift = 0.0 if not named else 0.5 * (list(names).index(scenario) / max(len(names), 1) - 0.25)
            of_group = [
                (y - shift, *point[2:]) for y, point in zip(height, points, strict=True) if point[1] == scenario
            ]
            y, middle, low, high = (np.array(column) for column in zip(*of_group, strict=True))
            axes.errorbar(
                middle, y, xerr=[np.maximum(middle - low, 0), np.maximum(high - middle, 0)], linestyle="none", markersize=5,
                fmt=MARKS.get(scenario, "o"), color=colour(scenario) if named else GROUPS[1],
                label=words.scenario_short(scenario) if named else None,
            )  # fmt: skip
        for line in (5, 95):
            axes.axvline(line, color=GREY, linewidth=0.8, linestyle=(0, (3, 2)))
        axes.set_yticks(range(1, len(labels) + 1), labels[::-1])
        axes.set_ylim(0.4, len(labels) + 0.6)
        axes.set_xlim(-2, 102)
        axes.set_xlabel("simulated trials (%)")
        if named:
            axes.figure.legend(loc="outside lower center", ncols=min(3, len(names)), fontsize=9)

    told = "; ".join(
        f"{label}{f', {words.scenario_short(scenario)}' if named else ''}: {value:.1f} %" for label, scenario, value, *_ in points
    )  # fmt: skip
    return drawing(
        f"operating-{slug(design)}",
        "How the trial does" + (" under each scenario" if named and len(names) > 1 else ""),
        f"Primary endpoint{_compared(assessment, design)}. Power: trials that show it; false positives: trials that do when all groups get the same; coverage: intervals that hold the true "
        "value. With 95 % Monte Carlo intervals; dashed lines at 5 and 95 %.",
        f"Operating characteristics. {told}.",
        1.2 + 0.55 * len(labels),
        paint,
    )


def numbers_at_risk(axes: Axes, months: Sequence[Any], counts: Sequence[Sequence[float]], tints: Sequence[str]) -> None:  # fmt: skip
    """Write under an axis of months how many patients of each group are at risk, one row a group in its colour."""
    end = max(float(m[-1]) for m in months)
    ticks = [tick for tick in axes.get_xticks() if 0 <= tick <= end * 1.001]
    axes.set_xticks(ticks)
    axes.set_xlim(0 - 0.02 * end, end * 1.02)
    transform = axes.get_xaxis_transform()
    axes.set_xlabel(axes.get_xlabel(), labelpad=10 + 14 * len(months))
    axes.text(-0.02, -0.17, "at risk", transform=axes.transAxes, ha="right", va="top", fontsize=8, color=GREY)
    for row, (day, count, tint) in enumerate(zip(months, counts, tints, strict=True)):
        for tick in ticks:
            # At risk at a time are those whose last day is not before it.
            later = np.searchsorted(np.asarray(day), min(tick, float(day[-1])) - 1e-9)
            number = count[later] if later < len(count) else 0
            axes.text(tick, -0.17 - 0.075 * row, f"{number:.0f}", transform=transform, ha="center", va="top", fontsize=8, color=tint)  # fmt: skip


def draw_event_free(assessment: Assessment, design: str, scenario: str) -> Drawing | None:
    """Draw the Kaplan-Meier curves of the primary event in the typical trial, with the patients at risk."""
    table = _of(assessment.survival, design, scenario)
    if table is None:
        return None
    groups = {str(arm): rows.sort_values("day") for arm, rows in table.groupby("arm", sort=False)}
    tints = [GROUPS[k % len(GROUPS)] for k in range(len(groups))]
    months = [(rows["day"] / DAYS_PER_MONTH).to_numpy() for rows in groups.values()]

    def paint(axes: Axes) -> None:
        for k, (arm, rows) in enumerate(groups.items()):
            axes.fill_between(months[k], 100 * rows["free_low"], 100 * rows["free_high"], step="post", alpha=0.13, color=tints[k], linewidth=0)  # fmt: skip
            label = wrap_label(words.arm(assessment, arm), 34)
            axes.step(
                months[k], 100 * rows["free_share"], where="post", color=tints[k], linestyle=_LINES[k % 4], label=label
            )
        lowest = 100 * float(np.nanmin(table[["free_low", "free_share"]].to_numpy()))
        axes.set_ylim(max(0.0, min(lowest, 97.0) - 3), 100.5)
        axes.set_xlabel("time since enrolment (months)")
        axes.set_ylabel("free of the event (% of patients)")
        numbers_at_risk(axes, months, [rows["at_risk"].to_list() for rows in groups.values()], tints)
        axes.figure.legend(loc="outside lower center", ncols=1, fontsize=9)

    told = "; ".join(
        f"{words.arm(assessment, arm)}: {100 * float(rows['free_share'].iloc[-1]):.1f} % free at the end" for arm, rows in groups.items()
    )  # fmt: skip
    endpoint = assessment.protocol.endpoints.primary
    return drawing(
        f"primary-event-{slug(design)}-{scenario}",
        words.capital(endpoint.name or primary(assessment, design).what),
        f"The primary event in the typical trial{_supposed(assessment, scenario, list(groups))}: Kaplan-Meier curves with 95 % intervals, and patients at risk by month.",
        f"Share free of the primary event. {told}.",
        3.6 + 0.18 * len(groups),
        paint,
    )


def draw_hierarchy(assessment: Assessment, design: str, scenario: str) -> Drawing | None:
    """Draw the hierarchy of outcomes of the typical trial: who had which worst event by when, and the slopes of the others (maraca plot)."""
    table = _of(assessment.hierarchy, design, scenario)
    if table is None:
        return None
    arms = list(dict.fromkeys(table["arm"]))
    counts = {arm: int((table["arm"] == arm).sum()) for arm in arms}
    last = KIDNEY_COMPONENTS[-1]
    parts = [name for name in KIDNEY_COMPONENTS[:-1] if (table["component"] == name).any()]
    shares = {name: float((table["component"] == name).mean()) for name in (*parts, last)}
    # Components are as wide as they are frequent, but wide enough to be read.
    widths = {name: max(share, 0.11) for name, share in shares.items()}
    ends = np.cumsum(list(widths.values())) / sum(widths.values())
    begins = dict(zip(widths, np.concatenate([[0.0], ends[:-1]]), strict=True))
    until = dict(zip(widths, ends, strict=True))
    slopes = table.loc[table["component"] == last, "reached"].dropna()
    low, high = np.quantile(slopes, [0.005, 0.995]) if len(slopes) else (-1.0, 1.0)
    final = float(table.loc[table["component"] != last, "reached"].max()) if parts else 1.0

    def paint(axes: Axes) -> None:
        tops = []
        for k, arm in enumerate(arms):
            of_group, x, y, so_far = table[table["arm"] == arm], [0.0], [0.0], 0.0
            for name in parts:
                days = np.sort(of_group.loc[of_group["component"] == name, "reached"].to_numpy(dtype=float))
                wide = until[name] - begins[name]
                x += [begins[name], *(begins[name] + wide * np.clip(days / final, 0, 1)), until[name]]
                y += [so_far, *(so_far + 100 * (np.arange(len(days)) + 1) / counts[arm]), so_far + 100 * len(days) / counts[arm]]  # fmt: skip
                so_far = y[-1]
            label = wrap_label(words.arm(assessment, arm), 34)
            axes.step(x, y, where="post", color=GROUPS[k % len(GROUPS)], linestyle=_LINES[k % 4], label=label)
            tops.append(so_far)
        most = max(*tops, 1.0) * 1.15
        for k, arm in enumerate(arms):
            of_group = table.loc[(table["arm"] == arm) & (table["component"] == last), "reached"].dropna().to_numpy()
            if len(of_group) > 1 and high > low:
                scaled = begins[last] + (until[last] - begins[last]) * np.clip((of_group - low) / (high - low), 0, 1)
                _violin(axes, scaled, most * (k + 1) / (len(arms) + 1), most / (1.4 * (len(arms) + 1)), GROUPS[k % len(GROUPS)])  # fmt: skip
        for name in parts:
            axes.axvline(until[name], color=GREY, linewidth=0.6, linestyle=":")
        axes.set_xticks([(begins[name] + until[name]) / 2 for name in until], list(until), fontsize=8)
        for tick in axes.get_xticklabels()[:-1]:
            tick.set(rotation=40, ha="right", rotation_mode="anchor")
        axes.tick_params(axis="x", length=0)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, most)
        axes.set_ylabel("with the event, or a worse one (%)")
        axes.figure.legend(loc="outside lower center", ncols=1, fontsize=9)

    told = "; ".join(
        f"{words.arm(assessment, arm)}: "
        + ", ".join(f"{name} {100 * float((table.loc[table['arm'] == arm, 'component'] == name).mean()):.1f} %" for name in parts)
        for arm in arms
    )  # fmt: skip
    return drawing(
        f"hierarchy-{slug(design)}-{scenario}",
        "Kidney hierarchical endpoint",
        f"Maraca plot of the typical trial{_supposed(assessment, scenario, arms)}: each patient counts once, by the worst that happened. Within a component from left to right time "
        f"since enrolment; on the right the slopes of eGFR of the others, from {words.true_minus(f'{low:.1f}')} to {words.true_minus(f'{high:+.1f}')} mL/min/1.73 m\u00b2 per year, with median and quartiles.",
        f"Worst outcome of patients. {told or 'No events'}.",
        3.6,
        paint,
    )


def _violin(axes: Axes, values: Any, middle: float, width: float, tint: str) -> None:
    """Draw the distribution of values along the axis, with quartiles."""
    shape = axes.violinplot(values, positions=[middle], orientation="horizontal", widths=width, showextrema=False)
    for body in shape["bodies"]:  # type: ignore[attr-defined]
        body.set_facecolor(tint)
        body.set_alpha(0.2)
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    axes.plot([low, high], [middle, middle], color=tint, linewidth=2.4)
    axes.plot([median], [middle], "o", color="white", markeredgecolor=tint, markersize=5)


def draw_tipping(assessment: Assessment, design: str, scenario: str) -> Drawing | None:
    """Draw the effect of the typical trial when treated patients who left fare worse, up to where it tips over."""
    table = _of(assessment.tipping, design, scenario)
    if table is None:
        return None
    rows = _up_to_the_tip(table.sort_values("shift", key=abs))
    scale = primary(assessment, design)
    x, middle, low, high = (
        np.array([scale.value(v) for v in rows[name]])
        for name in ("shift", "effect_shifted", "effect_low", "effect_high")
    )
    tip = tipping_shift(rows)
    null = scale.value(0.0)

    def paint(axes: Axes) -> None:
        axes.fill_between(x, low, high, alpha=0.18, color=PALETTE[0], linewidth=0)
        axes.plot(x, middle, color=PALETTE[0])
        axes.axhline(null, color="black", linewidth=0.9)
        if math.isfinite(tip):
            axes.axvline(scale.value(tip), color=PALETTE[1], linestyle="--", linewidth=1.2)
            axes.annotate("tipping point", (scale.value(tip), 0.97), xycoords=("data", "axes fraction"), xytext=(4, 0), textcoords="offset points", va="top", fontsize=9, color=PALETTE[1])  # fmt: skip
        axes.set_xlabel(f"those who left fare worse by ({scale.unit})")
        axes.set_ylabel(f"effect ({scale.unit})")

    trials = "; ".join(
        f"{scale.text(row['shift'])}: {words.percent_text(row['shown_of_trials'])}" for row in rows.to_dict("records")
    )  # fmt: skip
    where = f"It tips over at {scale.text(tip)}." if math.isfinite(tip) else "It does not tip over in this range."
    left = words.counted(int(rows["left"].iloc[0]), "treated patient")
    return drawing(
        f"tipping-{slug(design)}-{scenario}",
        "Tipping point",
        f"The effect of the typical trial{_compared(assessment, design)}, with its interval, when the missing values of {left} who had left by the visit are completed and made worse{_supposed(assessment, scenario, [])}. {where} "
        f"Of {words.counted(assessment.replicates if assessment.replicates < 20 else 20, 'trial')} so many still show the effect: {trials}.",
        f"Tipping point analysis. {where}",
        3.2,
        paint,
    )


def _up_to_the_tip(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows in their order up to the second after that at which the effect is lost."""
    lost = np.flatnonzero(rows["shown"].to_numpy() != 1)
    return rows if not len(lost) else rows.iloc[: int(lost[0]) + 2]


def tipping_shift(rows: pd.DataFrame) -> float:
    """Return the shift, between those of rows in their order, at which the typical trial no longer shows the effect; NaN where it always does."""
    shifts, scaled = (rows[name].to_numpy(dtype=float) for name in ("shift", "shown"))
    lost = np.flatnonzero(scaled != 1)
    if not len(lost) or lost[0] == 0:
        return math.nan
    k = int(lost[0])
    # The end of the interval on the side of the null passes it where the effect is lost.
    ends = rows[["effect_low", "effect_high"]].to_numpy(dtype=float)
    near = ends[np.arange(len(ends)), np.abs(ends).argmin(1)]
    before, after = near[k - 1], near[k]
    part = before / (before - after) if before * after < 0 else 0.5
    return float(shifts[k - 1] + part * (shifts[k] - shifts[k - 1]))


def _of(table: pd.DataFrame, design: str, scenario: str) -> pd.DataFrame | None:
    """Return the rows of a design and scenario; None without."""
    if table.empty:
        return None
    rows = table[(table["design"] == design) & (table["scenario"] == scenario)]
    return None if rows.empty else rows


def _compared(assessment: Assessment, design: str) -> str:
    """Return which groups a figure of the first comparison is about, where there are several."""
    pairs = comparisons(assessment.protocol, design)
    return f" ({words.contrast(assessment, pairs[0].treated, str(pairs[0].control))})" if len(pairs) > 1 else ""


def _supposed(assessment: Assessment, scenario: str, arms: Sequence[str]) -> str:
    return f", if {words.scenario(scenario)}" if words.has_cells(assessment, *arms) else ""
