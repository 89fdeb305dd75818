"""Observed against predicted after a fit: a square for each kind of row."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..common.drawing import WIDTH, wrap_label
from ..common.figures import drawable
from ..common.interval_section import kind_in_words
from ..common.words import counted
from . import fit_findings as findings
from .fit_contents import FitContents, natural_interval, printed_value
from .fit_drawings import AFTER, ASIDE, PRIOR, FitPicture

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Most squares, and fewest rows of one.
_SQUARES, _FEWEST = 12, 4
#: Largest number beside the median of all from which on an axis is compressed outwards, as for levels among changes.
_SPREAD = 12.0
#: Least distance of ticks, and of a tick from the corner, as shares of an axis.
_APART, _CORNER = 0.18, 0.06


def _square_groups(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return titles and rows of squares, the fullest first: by class and unit; what is compared on the log scale, by endpoint.

    On the log scale a row may be a ratio or a level, whatever its unit says, so that only its endpoint tells what it is like.
    """
    endpoints = rows["endpoint"].astype(str).str.replace("_", " ")
    frequent = endpoints.map(endpoints[rows["class"] == "ratio"].value_counts()) >= _FEWEST
    logs = endpoints.where(frequent, "other quantities") + ", ratios and levels"
    units = rows["unit"].astype(str).where(rows["class"] != "share", "%")
    titles = (rows["class"].astype(str) + " " + units).map(kind_in_words)
    titles = titles.where(rows["class"] != "event ratio", kind_in_words("event ratio"))
    groups = [
        (str(title), part) for title, part in rows.groupby(titles.where(rows["class"] != "ratio", logs), sort=False)
    ]
    kept = [(title, part) for title, part in groups if len(part) >= _FEWEST and part["after"].notna().any()]
    return sorted(kept, key=lambda pair: -len(pair[1]))[:_SQUARES]


def draw_observed_predicted(contents: FitContents) -> FitPicture | None:
    """Draw what was observed against what is predicted after the fit, a square for each kind of row; None without rows."""
    rows = contents.rows
    groups = _square_groups(rows)
    if not groups:
        return None
    drawn = sum(len(part) for _, part in groups)
    data = _natural_rows(groups)
    lines = math.ceil(len(groups) / 2)

    def paint(figure: Figure) -> None:
        for number, (title, part) in enumerate(groups):
            axes = figure.add_subplot(lines, 2, number + 1)
            _draw_square(axes, part)
            axes.set_title(wrap_label(drawable(title), 30, 2), loc="left", fontsize=8.5)
            axes.set_xlabel("predicted" if number >= len(groups) - 2 else "", fontsize=8)
            axes.set_ylabel("observed" if number % 2 == 0 else "", fontsize=8)

    left = len(rows) - drawn
    rest = f" {counted(left, 'row')} of rarer kinds are in the table of rows only." if left else ""
    inside = "; ".join(
        f"{title}: {int(part['inside_parameters'].sum())} of {len(part)} inside" for title, part in groups
    )
    return FitPicture(
        "observed-predicted",
        "Observed against predicted after the fit",
        "Circles: fitted; triangles: set aside. Thick bars: 90 % interval by errors of study and cohort; thin bars: with parameters drawn. Filled "
        f"where the thin bar holds what was observed. Where levels stand among changes the axes are compressed away from 0.{rest}",
        f"Observed against predicted after the fit. {inside}.{rest}",
        (WIDTH, 0.3 + 2.3 * lines),
        paint,
        data,
    )


def _natural_rows(groups: Sequence[tuple[Any, pd.DataFrame]]) -> pd.DataFrame:
    """Return the plotted numbers of squares on natural scales."""
    import pandas as pd

    lines = []
    for _, part in groups:
        for row in part.to_dict("records"):
            errors, drawn = natural_interval(row, "after", "reach_errors"), natural_interval(row, "mean", "reach")
            lines.append(
                {
                    **{name: row[name] for name in ("record", "family", "endpoint", "class", "fitted")},
                    "unit": "%" if row["scale"] == "angle" else row["unit"],
                    **{name: printed_value(row, float(row[name])) for name in ("observed", "before", "after")},
                    **dict(zip(("low_errors", "high_errors"), errors, strict=True)),
                    **dict(zip(("low_parameters", "high_parameters"), drawn, strict=True)),
                    "inside_parameters": row["inside_parameters"],
                }
            )
    return pd.DataFrame(lines)


@dataclass(frozen=True)
class SquareScale:
    """Scale of both axes of a square.

    Attributes
    ----------
    name
        ``log``, ``linear``, or ``asinh``: linear near 0 and compressed outwards.
    width
        Of the linear part of ``asinh``.
    low, high
        Ends of the axes.
    """

    name: str
    width: float
    low: float
    high: float

    @property
    def forward(self) -> Callable[[Any], Any]:
        """Where numbers stand along an axis, up to a factor and a shift."""
        if self.name == "asinh":
            return lambda value: np.arcsinh(np.asarray(value) / self.width)
        return np.log if self.name == "log" else np.asarray

    def ticks(self) -> list[float]:
        """Return round numbers that stand apart from each other and from the corner, where labels of both axes would meet."""
        from matplotlib.ticker import MaxNLocator

        if self.name == "linear":
            candidates = list(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(self.low, self.high))
        else:
            wide = self.name == "log" and self.high > 300 * self.low
            steps = (1.0,) if wide else (1.0, 2.0, 5.0)
            sizes = [step * 10.0**power for power in range(-6, 7) for step in steps]
            candidates = sizes if self.name == "log" else [0.0, *(sign * size for size in sizes for sign in (1, -1))]
            if self.name == "log" and sum(self.low <= size <= self.high for size in sizes) < 3:
                candidates = [value / 10 for value in range(1, 100)]
        start, end = (float(self.forward(limit)) for limit in (self.low, self.high))
        kept: list[float] = []
        for value in candidates:
            if not self.low <= value <= self.high:
                continue
            share = (float(self.forward(value)) - start) / (end - start)
            others = [(float(self.forward(other)) - start) / (end - start) for other in kept]
            apart = self.name == "linear" or all(abs(share - other) >= _APART for other in others)
            if share >= _CORNER and apart:
                kept.append(float(value))
        return sorted(kept)


def square_scale(points: NDArray[np.float64], log: bool) -> SquareScale:
    """Return a scale that holds all points with a margin."""
    sizes = np.abs(points)
    middle = float(np.median(sizes[sizes > 0])) if (sizes > 0).any() else 1.0
    name = "log" if log else "asinh" if sizes.max() > _SPREAD * middle else "linear"
    bare = SquareScale(name, middle, 0.0, 1.0)
    low, high = (float(bare.forward(limit)) for limit in (points.min(), points.max()))
    margin = 0.07 * (high - low) or 0.1
    back: Callable[[float], float] = {"log": math.exp, "asinh": lambda x: middle * math.sinh(x)}.get(name, float)
    return SquareScale(name, middle, back(low - margin), back(high + margin))


def _draw_square(axes: Axes, part: pd.DataFrame) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    table = _natural_rows([("", part)])
    points = table[["observed", "after"]].to_numpy(float).ravel()
    scale = square_scale(points[np.isfinite(points)], str(part["scale"].iloc[0]) == "log")
    options = {"linear_width": scale.width} if scale.name == "asinh" else {}
    axes.set_xscale(scale.name, **options)
    axes.set_yscale(scale.name, **options)
    for row in table.to_dict("records"):
        tint, mark = (AFTER, "o") if row["fitted"] else (ASIDE, "^")
        y = row["observed"]
        axes.plot([row["low_parameters"], row["high_parameters"]], [y, y], color=tint, linewidth=0.7, alpha=0.7)
        axes.plot(
            [row["low_errors"], row["high_errors"]],
            [y, y],
            color=tint,
            linewidth=2.2,
            alpha=0.35,
            solid_capstyle="butt",
        )
        axes.plot(
            [row["after"]], [y], marker=mark, markersize=3.4, color=tint, markeredgewidth=0.8, linestyle="none",
            markerfacecolor=tint if row["inside_parameters"] else "none",
        )  # fmt: skip
    axes.plot([scale.low, scale.high], [scale.low, scale.high], color=PRIOR, linewidth=0.8, zorder=1)
    axes.set_xlim(scale.low, scale.high)
    axes.set_ylim(scale.low, scale.high)
    axes.set_box_aspect(1)
    axes.tick_params(labelsize=7.5, length=2, pad=2)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(FixedLocator(scale.ticks()))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: findings.shown_number(value)))
