"""Figures of looks: z of trials against the boundaries, and where trials stop."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common import words
from ..common.drawing import GROUPS, MARKS, Drawing, colour, drawing, slug, wrap_label
from ..common.figures import GREY, PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Z beyond which no boundary is drawn.
_FARTHEST = 6.0
#: How trials may stop -> the column of the share, and how bars of it are filled.
_ENDS = {
    "benefit": ("stopped_benefit", PALETTE[2]),
    "harm": ("stopped_harm", PALETTE[1]),
    "futility": ("stopped_futile", PALETTE[3]),
}


def draw_looks(
    looks: Sequence[Mapping[Hashable, Any]], looked: Mapping[Hashable, Any], design: str, named: bool
) -> Drawing:
    """Draw what trials find at each look against its boundaries, by scenario.

    Parameters
    ----------
    looks
        Rows of `Assessment.looks` of one design.
    looked
        A row of `Assessment.looked` of it.
    named
        Whether scenarios differ.
    """
    by_scenario: dict[str, list[Mapping[Hashable, Any]]] = {}
    for row in looks:
        by_scenario.setdefault(str(row["scenario"]), []).append(row)
    first = next(iter(by_scenario.values()))
    share = np.array([100 * row["information"] for row in first])
    efficacy = np.clip([row["efficacy"] for row in first], -_FARTHEST, _FARTHEST)

    def paint(axes: Axes) -> None:
        axes.plot(share, efficacy, "-", color="black", linewidth=1.4, label="boundary of benefit")
        if looked["sides"] == 2:
            axes.plot(share, -efficacy, "-.", color="black", linewidth=1.4, label="boundary of harm")
        elif looked["futility"]:
            lower = np.clip([row["futility"] for row in first[:-1]] + [efficacy[-1]], -_FARTHEST, _FARTHEST)
            axes.plot(share, lower, "--", color="black", linewidth=1.4, label="boundary of futility")
        room = 1.6 * (np.arange(len(by_scenario)) - (len(by_scenario) - 1) / 2)
        for shift, (scenario, rows) in zip(room, by_scenario.items(), strict=True):
            middle, low, high = (np.array([row[name] for row in rows]) for name in ("z_median", "z_low", "z_high"))
            axes.errorbar(
                share + shift, middle, [middle - low, high - middle], color=colour(scenario) if named else GROUPS[1],
                fmt=MARKS.get(scenario, "o"), markersize=5, capsize=3, linewidth=1.2, label=words.scenario_short(scenario) if named else "trials",
            )  # fmt: skip
        axes.axhline(0, color=GREY, linewidth=0.8)
        axes.set_xticks(share)
        axes.set_xlim(share.min() - 12, share.max() + 8)
        axes.set_xlabel("share of the information (%)")
        axes.set_ylabel("z in the good direction")
        axes.figure.legend(loc="outside lower center", ncols=2, fontsize=9)

    numbers = "; ".join(
        f"look {row['look']:.0f}{', ' + words.scenario_short(str(row['scenario'])) if named else ''}: median {row['z_median']:.2f}, "
        f"95 % {row['z_low']:.2f} to {row['z_high']:.2f}, boundary {row['efficacy']:.2f}"
        for row in looks
        if math.isfinite(row["z_median"])
    )
    return drawing(
        f"looks-{slug(design)}",
        "What looks see",
        "Median of z over trials at each look, whether or not they had stopped before, with the range of 95 % of them, and the boundaries.",
        f"Z at each look. {numbers}.",
        3.7,
        paint,
    )


def draw_stops(looks: Sequence[Mapping[Hashable, Any]], design: str, named: bool) -> Drawing:
    """Draw the shares of trials that stop at each look, by how they stop."""
    ends = {name: how for name, how in _ENDS.items() if any(row[how[0]] > 0 for row in looks)}

    def paint(axes: Axes) -> None:
        labels = []
        for height, row in enumerate(reversed(list(looks))):
            begin = 0.0
            for name, (column, tint) in ends.items():
                size = 100 * row[column]
                axes.barh(height, size, left=begin, height=0.7, color=tint, label=name if height == 0 else None)
                if size >= 6:
                    axes.text(
                        begin + size / 2, height, f"{size:.0f}", ha="center", va="center", fontsize=9, color="white"
                    )
                begin += size
            whose = f", {words.scenario_short(str(row['scenario']))}" if named else ""
            labels.append(wrap_label(f"look {row['look']:.0f}{whose}", 20))
        axes.set_yticks(range(len(labels)), labels)
        axes.tick_params(axis="y", length=0)
        axes.grid(False, axis="y")
        axes.set_xlim(0, 100)
        axes.set_xlabel("trials that stop at the look (%)")
        if ends:
            axes.figure.legend(loc="outside lower center", ncols=3, fontsize=9)

    numbers = "; ".join(
        f"look {row['look']:.0f}{', ' + words.scenario_short(str(row['scenario'])) if named else ''}: "
        + ", ".join(f"{name} {100 * row[column]:.1f} %" for name, (column, _) in _ENDS.items() if column in row)
        for row in looks
    )
    return drawing(
        f"stops-{slug(design)}",
        "Where trials stop",
        "Shares of trials that stop at each look, by what they show. At the last look the others end without a result.",
        f"Shares of trials that stop. {numbers}.",
        1.4 + 0.45 * len(looks),
        paint,
    )
