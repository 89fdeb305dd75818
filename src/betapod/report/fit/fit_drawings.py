"""Pictures of the unknowns of a fit: prior to posterior, eigenvalues of what the data say, profiles, and the trace of the loss."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...base.constants import Z90
from ..common.drawing import WIDTH, slug, wrap_label
from ..common.figures import GREY, PALETTE, drawable, new_figure, styled
from ..common.interval_section import row_unit_text
from ..common.words import MINUS, counted
from . import fit_findings as findings
from .fit_contents import FitContents, prior_place

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Colours by what they mean, the same in every picture of a fit; styles and marks tell them apart as well.
INK = "#1f2937"
PRIOR, AFTER, BEFORE, ASIDE, LEFT_OUT = GREY, PALETTE[0], PALETTE[1], PALETTE[2], PALETTE[3]
#: Most unknowns in one picture, and most profiles.
_UNKNOWNS, _PROFILES = 36, 12
#: Ends of the axis of unknowns, SDs of the prior.
_REACH = 3.4
#: The fall of twice the log posterior at the ends of a 90 % interval: the 90 % quantile of chi-square with one degree of freedom.
_FALL_90 = Z90**2


@dataclass(frozen=True)
class FitPicture:
    """A picture of a fit.

    Attributes
    ----------
    name
        For files and anchors.
    caption
        How it is read.
    alt
        What it shows, for those who cannot see it.
    size
        Width and height, inch.
    paint
        Draws into an empty figure.
    data
        The plotted numbers.
    """

    name: str
    title: str
    caption: str
    alt: str
    size: tuple[float, float]
    paint: Callable[[Figure], None]
    data: pd.DataFrame

    def figure(self, titled: bool = True) -> Figure:
        """Return the picture, with its title for print."""
        with styled():
            figure = new_figure(self.size[0], self.size[1] + (0.3 if titled else 0.0))
            self.paint(figure)
            if titled:
                figure.suptitle(
                    drawable(wrap_label(self.title, 62, 2)), x=0.02, ha="left", fontsize=10, fontweight="bold"
                )
            figure.draw_without_rendering()
        return figure


def even_parts(items: Sequence[Any], most: int) -> list[Sequence[Any]]:
    """Cut into parts of nearly the same length, none longer than `most`."""
    count = math.ceil(len(items) / most)
    cuts = [round(k * len(items) / count) for k in range(count + 1)] if count else []
    return [items[a:b] for a, b in itertools.pairwise(cuts)]


def draw_priors(contents: FitContents) -> list[FitPicture]:
    """Draw prior and posterior of every unknown in SDs of the prior, the best informed first."""
    order = list(findings.by_contraction(contents).index)
    parts = even_parts(order, _UNKNOWNS)
    return [_draw_prior_part(contents, part, number, len(parts)) for number, part in enumerate(parts, start=1)]


def _draw_prior_part(contents: FitContents, order: Sequence[int], number: int, count: int) -> FitPicture:
    import pandas as pd

    rows = contents.unknowns.loc[list(order)].to_dict("records")
    samples = [contents.draws[:, contents.unknowns.index.get_loc(label)] for label in order]
    lines = []
    for row, sample in zip(rows, samples, strict=True):
        low, middle, high = weighted_quantiles(sample, contents.weights, (0.05, 0.5, 0.95))
        peak = prior_place(row, float(row["map"]))
        lines.append(
            {
                "unknown": row["name"], "low_prior_sd": low, "median_prior_sd": middle, "high_prior_sd": high, "map_prior_sd": peak,
                "contraction": row["contraction"], "at_bound": row["at_bound"], "unit": row["unit"], "start": row["start"],
                "map": row["map"], "median": row["median"], "low": row["low"], "high": row["high"],
            }
        )  # fmt: skip

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.axvspan(-Z90, Z90, color=PRIOR, alpha=0.16, linewidth=0)
        axes.axvline(0, color=PRIOR, linewidth=0.8)
        for height, (line, sample) in enumerate(zip(lines, samples, strict=True)):
            _violin(axes, -height, sample, contents.weights)
            low, high = max(line["low_prior_sd"], -_REACH), min(line["high_prior_sd"], _REACH)
            axes.plot([low, high], [-height, -height], color=AFTER, linewidth=1.4, solid_capstyle="butt")
            spot = min(max(line["map_prior_sd"], -_REACH), _REACH)
            mark = "X" if line["at_bound"] else "o"
            tint = BEFORE if line["at_bound"] else AFTER
            axes.plot(
                [spot], [-height], marker=mark, markersize=6 if line["at_bound"] else 4, color=tint, clip_on=False
            )
        axes.set_xlim(-_REACH, _REACH)
        axes.set_ylim(-len(lines) + 0.4, 0.6)
        axes.set_yticks(
            [-k for k in range(len(lines))], [wrap_label(drawable(str(row["name"])), 24, 2) for row in rows]
        )
        axes.grid(False, axis="y")
        axes.tick_params(axis="y", length=0)
        signed_ticks(axes, (-3, -2, -1, 0, 1, 2, 3))
        axes.set_xlabel("SDs of the prior")
        right = axes.secondary_yaxis("right")
        right.set_yticks([-k for k in range(len(lines))], [f"{line['contraction']:.2f}" for line in lines])
        right.tick_params(length=0)
        right.spines["right"].set_visible(False)
        axes.set_title("contraction", loc="right", fontsize=8)

    told = "; ".join(f"{line['unknown']} {line['contraction']:.2f}" for line in lines[:8])
    bounded = [str(line["unknown"]) for line in lines if line["at_bound"]]
    crossed = f" A cross: at a bound ({', '.join(bounded)})." if bounded else ""
    return FitPicture(
        "prior-posterior" + (f"-{number}" if count > 1 else ""),
        "From prior to posterior" + (f" ({number} of {count})" if count > 1 else ""),
        "Band: 90 % of the prior. Shape and line: the posterior, all of it and its 90 %; dot: the most probable value. Contraction: by how much the SD "
        f"shrank; 0 is the prior, 1 is certainty.{crossed}",
        f"Posterior of {counted(len(lines), 'unknown')} in SDs of the prior. Contraction: {told}.{crossed}",
        (WIDTH, 0.9 + 0.25 * len(lines)),
        paint,
        pd.DataFrame(lines),
    )


def weighted_quantiles(values: Any, weights: Any, levels: Sequence[float]) -> list[float]:
    """Return quantiles of weighted values; draws count with their weight to both sides."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) - 0.5 * weights[order]
    return [float(number) for number in np.interp(levels, reached, values[order])]


def _violin(axes: Axes, height: float, sample: Any, weights: Any) -> None:
    """Draw the density of weighted draws; its greatest value has the same height for all."""
    effective = 1.0 / float((weights**2).sum())
    mean = float(weights @ sample)
    sd = math.sqrt(max(float(weights @ (sample - mean) ** 2), 1e-12))
    # Silverman's rule with the number of draws that the weights leave.
    width = max(1.06 * sd * effective**-0.2, 0.01)
    grid = np.linspace(max(mean - 4 * sd - 2 * width, -_REACH), min(mean + 4 * sd + 2 * width, _REACH), 81)
    density = (weights * np.exp(-0.5 * ((grid[:, None] - sample) / width) ** 2)).sum(axis=1)
    density = 0.42 * density / max(float(density.max()), 1e-12)
    axes.fill_between(grid, height - density, height + density, color=AFTER, alpha=0.3, linewidth=0)


def signed_ticks(axes: Axes, ticks: Sequence[float]) -> None:
    """Write ticks of the horizontal axis with a true minus."""
    axes.set_xticks(ticks, [f"{tick:g}".replace("-", MINUS) for tick in ticks])


def draw_spectrum(contents: FitContents) -> FitPicture | None:
    """Draw the eigenvalues of what the data say, in units of the prior, stage by stage; None without them."""
    data = findings.directions_of_data(contents)
    if data.empty:
        return None
    data = data.assign(drawn=np.maximum(data["eigenvalue"].astype(float), 1e-4))
    stages = list(dict.fromkeys(data["stage"]))
    several = len(stages) > 1

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.set_yscale("log")
        for number, stage in enumerate(stages):
            part = data[data["stage"] == stage]
            tint, mark = (AFTER, BEFORE, ASIDE, LEFT_OUT)[number % 4], "osD^"[number % 4]
            axes.plot(part["direction"], part["drawn"], color=tint if several else PRIOR, linewidth=0.8)
            informed = part["drawn"] > 1
            style: dict[str, Any] = {"linestyle": "none", "marker": mark, "markersize": 5, "color": tint}
            label = wrap_label(drawable(f"stage {stage}"), 24, 1) if several else None
            axes.plot(part["direction"][informed], part["drawn"][informed], label=label, **style)
            axes.plot(part["direction"][~informed], part["drawn"][~informed], markerfacecolor="none", **style)
        axes.axhline(1, color=INK, linewidth=0.9, linestyle=(0, (4, 2)))
        low, high = min(float(data["drawn"].min()), 0.5), max(float(data["drawn"].max()), 10.0)
        axes.set_ylim(max(10 ** math.floor(math.log10(low)), 1e-4), 10 ** math.ceil(math.log10(high)))
        _decades(axes)
        axes.set_xlim(0.3, float(data["direction"].max()) + 0.7)
        whole_ticks(axes.xaxis)
        axes.set_xlabel("direction")
        axes.set_ylabel("eigenvalue (1: as the prior)")
        if several:
            figure.legend(loc="outside lower center", ncols=3, fontsize=8.5)

    count = int((data["eigenvalue"] > 1.0).sum())
    told = "; ".join(
        f"{('stage ' + row['stage'] + ', ') if several else ''}{row['direction']:.0f}: {row['eigenvalue']:.3g}"
        for row in data.sort_values("eigenvalue", ascending=False).head(5).to_dict("records")
    )
    return FitPicture(
        "spectrum",
        "How many directions the data know",
        f"Eigenvalues of the information of the data, in SDs of the priors. Filled: {counted(count, 'direction')} in which the data know more "
        "than the prior.",
        f"Eigenvalues by direction; {count} of {len(data)} are above 1. {told}.",
        (WIDTH, 3.0 if several else 2.7),
        paint,
        data.drop(columns="drawn"),
    )


def _decades(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.yaxis.set_major_locator(LogLocator(10, numticks=9))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def whole_ticks(axis: Any) -> None:
    """Put ticks at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(8, integer=True))


def draw_profiles(contents: FitContents) -> FitPicture | None:
    """Draw profiles of the posterior with the quadratic that the Laplace approximation supposes; None without any."""
    table = contents.profiles
    if "stage" in table:
        # An unknown of several stages has its posterior in the last of them.
        last = table.groupby("unknown")["stage"].transform("last")
        table = table[table["stage"] == last]
    names = list(dict.fromkeys(table["unknown"]))[:_PROFILES]
    if not names:
        return None
    table = table[table["unknown"].isin(names)]
    units = dict(zip(contents.unknowns["name"], contents.unknowns["unit"], strict=True))
    rows = math.ceil(len(names) / 2)

    def paint(figure: Figure) -> None:
        for number, name in enumerate(names):
            axes = figure.add_subplot(rows, 2, number + 1)
            _draw_profile(axes, table[table["unknown"] == name].dropna().sort_values("u"))
            unit = row_unit_text(units.get(name, ""))
            axes.set_title(wrap_label(drawable(str(name)), 28, 1), loc="left", fontsize=9)
            axes.set_xlabel(unit or "value", fontsize=8)
            axes.set_ylabel("fall" if number % 2 == 0 else "", fontsize=8)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8.5)

    apart = [f"{name} {_departure(table[table['unknown'] == name]):.1f}" for name in names]
    return FitPicture(
        "profiles",
        "Profiles of the posterior",
        "By how much twice the log posterior falls as an unknown is moved and the others follow. Points: the model itself. Broken line: the "
        f"quadratic that the interval supposes. Dotted: {_FALL_90:.2f}, where a 90 % interval ends.",
        f"Profiles of {counted(len(names), 'unknown')}. Greatest difference between profile and quadratic: {'; '.join(apart)}.",
        (WIDTH, 0.6 + 1.75 * rows),
        paint,
        table.reset_index(drop=True),
    )


def _departure(profile: pd.DataFrame) -> float:
    return float((profile["fall"] - profile["quadratic"]).abs().max())


def _draw_profile(axes: Axes, profile: pd.DataFrame) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator
    from scipy.interpolate import PchipInterpolator

    u, values, fall = (profile[name].to_numpy(float) for name in ("u", "value", "fall"))
    # The quadratic is a parabola of the place in the prior; its foot is the best fit, where nothing has fallen yet.
    parabola = np.polynomial.Polynomial.fit(u, profile["quadratic"].to_numpy(float), 2)
    value_at = PchipInterpolator(u, values)
    foot = float(parabola.deriv().roots()[0].real)
    if u[0] < foot < u[-1] and np.abs(u - foot).min() > 1e-6 * np.ptp(u):
        order = np.argsort([*u, foot])
        u, fall = np.array([*u, foot])[order], np.array([*fall, 0.0])[order]
    grid = np.linspace(u[0], u[-1], 61)
    axes.plot(value_at(grid), parabola(grid), color=PRIOR, linestyle=(0, (4, 2)), linewidth=1.2, label="quadratic")
    axes.plot(value_at(u), fall, color=AFTER, marker="o", markersize=4.5, linestyle="none", label="profile")
    axes.axhline(_FALL_90, color=INK, linewidth=0.7, linestyle=":")
    top = max(float(profile["fall"].max()), float(profile["quadratic"].max()), _FALL_90)
    axes.set_ylim(-0.05 * top, 1.08 * top)
    axes.tick_params(labelsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: findings.shown_number(value)))


def draw_trace(contents: FitContents) -> FitPicture | None:
    """Draw the loss against processor time, stage by stage; None without a trace."""
    table = contents.trace
    table = table[np.isfinite(table["loss"].astype(float))] if len(table) else table
    if table.empty:
        return None
    stages = list(dict.fromkeys(str(stage) for stage in table["stage"]))

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        for number, stage in enumerate(stages):
            part = table[table["stage"].astype(str) == stage]
            tint, mark = (AFTER, BEFORE, ASIDE, LEFT_OUT)[number % 4], "osD^"[number % 4]
            # In every pass people live again, so that its losses stand alone.
            for order, (_, steps) in enumerate(part.groupby("pass") if "pass" in part else [(1, part)]):
                accepted = steps[steps["accepted"]]
                axes.plot(
                    accepted["processor_seconds"] / 60, accepted["loss"], color=tint, marker=mark, markersize=4.5,
                    linestyle=("-", "--", "-.", ":")[number % 4], label=wrap_label(drawable(f"stage {stage}"), 24, 1) if order == 0 else None,
                )  # fmt: skip
            refused = part[~part["accepted"]]
            axes.plot(
                refused["processor_seconds"] / 60,
                refused["loss"],
                linestyle="none",
                marker="x",
                markersize=5,
                color=tint,
            )
        axes.set_xlabel("processor time (min)")
        axes.set_ylabel("loss")
        figure.legend(loc="outside lower center", ncols=3, fontsize=8.5)

    ends = []
    for stage in stages:
        part = table[(table["stage"].astype(str) == stage) & table["accepted"]]
        if len(part):
            ends.append(f"stage {stage}: {part['loss'].iloc[0]:.4g} to {part['loss'].iloc[-1]:.4g}")
    return FitPicture(
        "trace",
        "How the loss fell",
        "Minus the log posterior, by processor time. Crosses are steps that were tried and not taken. Stages have rows of their own, and in "
        "every pass of a stage people live again: only differences within a line mean something.",
        f"Loss by processor time. {'; '.join(ends)}.",
        (WIDTH, 2.7),
        paint,
        table.reset_index(drop=True),
    )


def picture_anchor(picture: FitPicture) -> str:
    """Return the name of a picture for anchors and the inner names of its SVG."""
    return f"fit-{slug(picture.name)}"
