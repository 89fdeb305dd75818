"""Forest plots of pooled estimates: studies with intervals, the pooled diamond, the prediction interval, what was excluded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ...base.nouns import with_noun
from ...evidence.synthesis.candidate_effects import MEASURES
from ...evidence.synthesis.pooled import INTERVAL_NAMES, Pooled
from .figures import GREY, PALETTE, drawable, new_figure, styled

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WORDS = {
    "difference": "difference, treated minus control",
    "mean_change": "change from baseline",
    "smd": "standardised mean difference",
    "percent": "percent",
    "percent_points": "difference of changes in percent, points",
    "slope": "slope",
    "hazard_ratio": "hazard ratio",
    "risk_ratio": "risk ratio",
    "odds_ratio": "odds ratio",
    "geometric_ratio": "ratio of geometric means",
    "rate": "rate",
    "rate_ratio": "ratio of rates",
    "proportion": "proportion",
}

#: Marks studies of the user's own.
_OWN = "*"


def forest_figure(
    pooled: Pooled, title: str = "", favours: int = 0, own_studies: Collection[str] = ()
) -> tuple[Figure, pd.DataFrame]:
    """Draw a forest plot and return it with its numbers.

    Parameters
    ----------
    favours
        +1 if more is better, -1 if less is: words at the foot say which side favours treatment.
    own_studies
        Studies from a table of the user's own: they are marked, and the foot says what the mark means.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    table = pooled.table
    count = len(pooled.effects)
    # A line for the pooled estimate, and one for its prediction interval where there is one.
    rows = count + (pooled.k > 1) + (pooled.prediction_interval is not None)
    with styled():
        figure = new_figure(8.6, 1.75 + 0.34 * rows)
        axes = figure.add_subplot()
        low, high = _limits(pooled, table)
        logarithmic = MEASURES[pooled.measure] == "log"
        if logarithmic:
            axes.set_xscale("log")
            _plain_ticks(axes, low, high)
        axes.set_xlim(low, high)
        axes.set_ylim(rows - 0.4, -0.6)
        if math.isfinite(pooled.null):
            axes.axvline(pooled.null, color=GREY, linewidth=0.9)
        for position, row in enumerate(table.iloc[:count].to_dict("records")):
            _study(axes, position, {str(k): v for k, v in row.items()}, low, high)
        if pooled.k > 1:
            _diamond(axes, count, pooled, low, high)
            _prediction(axes, count + 1, pooled, low, high)
        _labels(axes, pooled, table, count, own_studies)
        unit = "" if pooled.unit in ("1", "") else f" [{pooled.unit}]"
        axes.set_xlabel(f"{pooled.endpoint}: {WORDS[pooled.measure]}{unit}" + _side(pooled, favours))
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0, pad=9)
        figure.suptitle(drawable(title or pooled.endpoint), x=0.01, ha="left")
        axes.set_title("estimate (95 % interval), weight", loc="right", fontsize=8, color=GREY)
        has_own = any(effect.study in own_studies for effect in pooled.effects)
        foot = _summary(pooled) + (f"\n{_OWN} from a table of your own" if has_own else "")
        figure.supxlabel(foot, fontsize=8, color=GREY, x=0.01, ha="left")
        figure.draw_without_rendering()
    return figure, table


def alt_text(pooled: Pooled) -> str:
    """Return the plot in words."""
    low, high = pooled.ci
    text = f"Forest plot of {pooled.k} studies of {pooled.endpoint}: {WORDS[pooled.measure]} {pooled.estimate:.3g} ({low:.3g} to {high:.3g})"
    if pooled.prediction_interval is not None:
        text += f", prediction interval {pooled.prediction_interval[0]:.3g} to {pooled.prediction_interval[1]:.3g}"
    return text + "."


def _limits(pooled: Pooled, table: pd.DataFrame) -> tuple[float, float]:
    """Return the ends of the axis: the studies and the pooled interval, cut where one of them would dwarf the rest."""
    studies = table.iloc[: len(pooled.effects)]
    if MEASURES[pooled.measure] == "logit":
        return 0.0, 1.0
    logarithmic = MEASURES[pooled.measure] == "log"
    forth = math.log if logarithmic else float
    ends = [forth(v) for v in (*studies["low"], *studies["high"])]
    if math.isfinite(pooled.null):
        ends.append(forth(pooled.null))
    low, high = min(ends), max(ends)
    width = high - low
    # Wide pooled and prediction intervals of few studies end in arrows.
    for end in (*pooled.ci, *(pooled.prediction_interval or ())):
        value = forth(end) if end > 0.0 or not logarithmic else low
        low, high = max(min(low, value), low - 0.5 * width), min(max(high, value), high + 0.5 * width)
    pad = 0.05 * (high - low)
    return (math.exp(low - pad), math.exp(high + pad)) if logarithmic else (low - pad, high + pad)


def _plain_ticks(axes: Axes, low: float, high: float) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    steps = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50, 100, 200)
    ticks = [step for step in steps if low <= step <= high]
    if len(ticks) < 3:
        ticks = [step / 20 for step in range(1, 200) if low <= step / 20 <= high]
    axes.xaxis.set_major_locator(FixedLocator(ticks[:: max(1, len(ticks) // 8)]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _bar(
    axes: Axes, height: float, ends: tuple[float, float], low: float, high: float, colour: str, width: float
) -> None:
    """Draw an interval; an end outside the axis is an arrow."""
    left, right = max(ends[0], low), min(ends[1], high)
    axes.plot([left, right], [height, height], color=colour, linewidth=width, solid_capstyle="butt", clip_on=False)
    for end, edge, marker in ((ends[0], low, "<"), (ends[1], high, ">")):
        if (end < low and marker == "<") or (end > high and marker == ">"):
            axes.plot([edge], [height], marker=marker, color=colour, markersize=5, clip_on=False)


def _study(axes: Axes, position: int, row: dict[str, object], low: float, high: float) -> None:
    _bar(axes, position, (float(str(row["low"])), float(str(row["high"]))), low, high, PALETTE[0], 1.4)
    size = 3.0 + 0.7 * math.sqrt(float(str(row["weight_percent"])))
    axes.plot([float(str(row["estimate"]))], [position], marker="s", markersize=size, color=PALETTE[0])


def _diamond(axes: Axes, position: int, pooled: Pooled, low: float, high: float) -> None:
    left, right = max(pooled.ci[0], low), min(pooled.ci[1], high)
    axes.fill(
        [left, pooled.estimate, right, pooled.estimate],
        [position, position - 0.28, position, position + 0.28],
        color=PALETTE[1],
    )
    for end, edge, marker in ((pooled.ci[0], low, "<"), (pooled.ci[1], high, ">")):
        if (marker == "<" and end < low) or (marker == ">" and end > high):
            axes.plot([edge], [position], marker=marker, color=PALETTE[1], markersize=6, clip_on=False)


def _prediction(axes: Axes, position: int, pooled: Pooled, low: float, high: float) -> None:
    if pooled.prediction_interval is not None:
        _bar(axes, position, pooled.prediction_interval, low, high, PALETTE[1], 2.2)


def _labels(axes: Axes, pooled: Pooled, table: pd.DataFrame, count: int, own_studies: Collection[str]) -> None:
    names, numbers = [], []
    for row in table.iloc[:count].to_dict("records"):
        week = "" if row["weeks"] is None or row["weeks"] != row["weeks"] else f", {row['weeks']:g} wk"
        people = "" if row["n"] is None or row["n"] != row["n"] else f", n {row['n']:.0f}"
        people += " treated" if people and row["n_of"] == "treated" else ""
        label = str(row["study"]) if row["family"] == row["study"] else f"{row['family']} ({row['study']})"
        mark = f"{_OWN} " if row["study"] in own_studies else ""
        names.append(mark + _short(label, 44) + people + week)
        numbers.append(f"{row['estimate']:.3g} ({row['low']:.3g} to {row['high']:.3g})  {row['weight_percent']:.0f} %")
    if pooled.k > 1:
        names.append("pooled, 95 % interval")
        numbers.append(f"{pooled.estimate:.3g} ({pooled.ci[0]:.3g} to {pooled.ci[1]:.3g})")
    if pooled.prediction_interval is not None:
        names.append("95 % prediction interval")
        numbers.append(f"{pooled.prediction_interval[0]:.3g} to {pooled.prediction_interval[1]:.3g}")
    axes.set_yticks(range(len(names)), [drawable(name) for name in names])
    right = axes.secondary_yaxis("right")
    right.set_yticks(range(len(numbers)), numbers)
    right.tick_params(length=0, pad=9)
    right.spines["right"].set_visible(False)


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _side(pooled: Pooled, favours: int) -> str:
    if not favours or not math.isfinite(pooled.null):
        return ""
    return (
        "\n← favours treatment   |   favours control →"
        if favours < 0
        else "\n← favours control   |   favours treatment →"
    )


def _summary(pooled: Pooled) -> str:
    words = {"between": "controlled", "change": "before/after, no control", "level": "groups without a control"}[
        pooled.contrast
    ]
    if pooled.k == 1:
        return f"one independent study ({words}): nothing pooled"
    numbers = [
        f"τ² {pooled.tau2:.3g}" if pooled.tau2 is not None else "",
        f"I² {pooled.i2:.0f} %" if pooled.i2 is not None else "",
        f"p of Q {pooled.q_p:.2g}" if pooled.q_p is not None else "",
    ]
    about = ", ".join(number for number in numbers if number)
    return (
        f"{pooled.k} independent studies ({words}), {pooled.method}, {INTERVAL_NAMES[pooled.interval]} interval"
        f"{': ' if about else ''}{about}; {with_noun(len(pooled.excluded), 'record')} excluded"
    )
