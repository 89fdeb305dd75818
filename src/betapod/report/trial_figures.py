"""Figures of a trial report: drawn narrow, so that they are read on a telephone; every axis has its unit, every figure its words."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import words
from .figures import GREY, PALETTE, new_figure, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..trials.assessment import Assessment
    from ..trials.attribution import Attribution

#: Inches; on a telephone (358 px of text) ten points then appear as ten pixels.
WIDTH = 4.8

COLOURS: Mapping[str, str] = {
    "none": "#4b5563",
    "current-evidence": PALETTE[0],
    "face-value": PALETTE[3],
    "seed-claims": PALETTE[1],
}
_MARKS: Mapping[str, str] = {"none": "o", "current-evidence": "s", "face-value": "^", "seed-claims": "D"}
_STYLES: Mapping[str, Any] = {"none": "-", "current-evidence": "--", "face-value": ":", "seed-claims": "-."}


@dataclass(frozen=True)
class Drawing:
    """A figure for the page: the picture, what it shows, and the words for those who cannot see it."""

    name: str
    title: str
    svg: str
    caption: str
    alt: str


def colour(hypothesis: str) -> str:
    """Return the colour of a hypothesis, the same in every figure."""
    return COLOURS.get(hypothesis, PALETTE[2])


def drawing(name: str, title: str, caption: str, alt: str, height: float, paint: Callable[[Axes], None]) -> Drawing:
    """Draw one pair of axes and return it as inline SVG."""
    with styled():
        figure = new_figure(WIDTH, height)
        axes = figure.add_subplot()
        paint(axes)
        svg = inline(figure, name, alt)
    return Drawing(name, title, svg, caption, alt)


def inline(figure: Figure, name: str, alt: str) -> str:
    """Return a figure as SVG for HTML: scales with the page, has alternative text, its inner names are its own."""
    import html

    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": f"betapod-{name}"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # Two figures on one page must not share the names of letters and clipping paths.
    text = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", text)
    head, rest = text[: text.index(">")], text[text.index(">") + 1 :]
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)
    head += f' role="img" aria-label="{html.escape(alt, quote=True)}"'
    return re.sub(r"\n\s*", "\n", f"{head}>{rest}").strip()


def axis(code: str, changed: bool = True) -> str:
    """Return the label of an axis: what is shown, with its unit."""
    unit = words.change_unit(code) if changed else words.unit_of(code)
    name = words.named(code)
    return f"{'change of ' if changed else ''}{name} ({unit})" if unit else name


def _months(days: Sequence[float]) -> list[float]:
    return [day * 12 / 365.25 for day in days]


def studies(a: Assessment, design: str) -> Drawing:
    """Draw what repeated studies of one design find, one row per hypothesis."""
    names = [h for h in dict.fromkeys(a.results["hypothesis"]) if (design, h) in a.estimates]
    kind = "studies" if design in a.single else "trials"
    tells = design in a.single or design in a.controlled

    def paint(axes: Axes) -> None:
        from scipy.stats import gaussian_kde

        every = np.concatenate([_finite(a.estimates[design, h].effect) for h in names])
        low, high = np.quantile(every, [0.001, 0.999])
        grid = np.linspace(low - 0.08 * (high - low), high + 0.08 * (high - low), 300)
        x = [words.scaled(a, value) for value in grid]
        for row, hypothesis in enumerate(reversed(names)):
            found = _finite(a.estimates[design, hypothesis].effect)
            density = gaussian_kde(found)(grid) if len(found) > 5 and found.std() > 0 else np.zeros_like(grid)
            top = row + 0.78 * density / max(density.max(), 1e-12)
            axes.fill_between(x, row, top, color=colour(hypothesis), alpha=0.35, linewidth=0)
            axes.plot(x, top, color=colour(hypothesis), linewidth=1.2)
            truth = a.result(design, hypothesis).get("truth", float("nan"))
            if tells and np.isfinite(truth):
                axes.plot(
                    [words.scaled(a, truth)], [row + 0.08], marker="D", color="black", markersize=5, linestyle="none",
                    label="true effect of cells" if row == 0 else None, zorder=5,
                )  # fmt: skip
        axes.axvline(words.scaled(a, 0.0), color=GREY, linewidth=1, linestyle=(0, (3, 2)))
        axes.set_yticks(np.arange(len(names)) + 0.35, [words.hypothesis_short(h) for h in reversed(names)])
        axes.tick_params(axis="y", length=0)
        axes.grid(False, axis="y")
        axes.set_ylim(-0.1, len(names) + 0.05)
        axes.set_xlabel(_estimate_axis(a))
        if tells and axes.get_legend_handles_labels()[1]:
            axes.figure.legend(loc="outside lower center", fontsize=9)

    numbers = "; ".join(
        f"{words.hypothesis(h)}: mean {_shown(a, a.result(design, h)['mean'])}, "
        f"95 % of {kind} {_range(a, a.result(design, h))}"
        + (f", true effect {_shown(a, a.result(design, h)['truth'])}" if tells else "")
        for h in names
    )
    label = a.protocol.designs[design].label or design
    return drawing(
        f"studies-{slug(design)}",
        f"What {words.thousands(a.replicates)} such {kind} find",
        f"{_capital(label)}. Each hill shows the results of {words.thousands(a.replicates)} simulated {kind} under one supposition about the "
        "cells"
        + ("; the diamond is the true effect of the cells" if tells else "")
        + "; the dashed line is no change.",
        f"Results of repeated studies. {numbers}.",
        0.95 + 0.85 * len(names),
        paint,
    )


def _estimate_axis(a: Assessment) -> str:
    primary = a.protocol.endpoints.primary
    if primary.summary in ("change", "ratio"):
        return axis(a.code)
    unit = words.scale_unit(a)
    if primary.summary == "time to event":
        return "hazard ratio"
    return f"{primary.name or primary.summary} ({unit})"


def _shown(a: Assessment, value: float) -> str:
    return words.estimated(a, value)


def _range(a: Assessment, row: Mapping[str, Any]) -> str:
    return words.estimated_range(a, row["low"], row["high"])


def _finite(values: Any) -> Any:
    return values[np.isfinite(values)]


def slug(text: str) -> str:
    """Return a text as a name for files and anchors."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def course(a: Assessment, design: str, arm: str, code: str, stratum: str = "all") -> Drawing | None:
    """Draw the observed mean change over time with its range over studies, and the true effect of cells."""
    table = a.courses
    table = table[
        (table["design"] == design)
        & (table["arm"] == arm)
        & (table["quantity"] == code)
        & (table["stratum"] == stratum)
    ]
    if table.empty:
        return None
    names = list(dict.fromkeys(table["hypothesis"]))

    def paint(axes: Axes) -> None:
        for hypothesis in names:
            rows = table[table["hypothesis"] == hypothesis].sort_values("day")
            months = [0.0, *_months(rows["day"])]
            lines = {key: [0.0, *(words.shown(code, v) for v in rows[key])] for key in ("mean", "low", "high", "truth")}
            axes.fill_between(months, lines["low"], lines["high"], color=colour(hypothesis), alpha=0.13, linewidth=0)
            axes.plot(
                months, lines["mean"], color=colour(hypothesis), linestyle=_STYLES.get(hypothesis, "-"),
                marker=_MARKS.get(hypothesis, "o"), markersize=4, label=words.hypothesis_short(hypothesis),
            )  # fmt: skip
        axes.axhline(0, color=GREY, linewidth=0.8)
        axes.set_xlabel(
            "time since the first infusion (months)" if _has_cells(a, arm) else "time since enrolment (months)"
        )
        axes.set_ylabel(axis(code))
        axes.figure.legend(loc="outside lower center", ncols=min(3, len(names)), fontsize=9)

    last = table.sort_values("day").groupby("hypothesis", sort=False).tail(1)
    numbers = "; ".join(
        f"{words.hypothesis(row['hypothesis'])}: {words.change(code, row['mean'])}, true effect of cells "
        f"{words.change(code, row['truth'])}"
        for row in last.to_dict("records")
    )
    return drawing(
        f"course-{slug(design)}-{slug(arm)}-{code.lower()}",
        f"{_capital(words.named(code))} over time" + ("" if design in a.single else f": {_arm(a, arm)}"),
        f"Mean change from baseline as a study would see it, in the group with {_arm(a, arm)}; the shading holds 95 % of studies.",
        f"Mean change at the last visit. {numbers}.",
        3.3,
        paint,
    )


def _capital(text: str) -> str:
    return text if text.startswith(("eGFR", "HbA")) else text[:1].upper() + text[1:]


def _arm(a: Assessment, arm: str) -> str:
    return a.protocol.arms[arm].label or arm


def _has_cells(a: Assessment, arm: str) -> bool:
    return a.protocol.arms[arm].cells is not None


def parts(a: Assessment, design: str, arm: str) -> Drawing | None:
    """Draw what an apparent change is made of, one group of points per part."""
    from ..trials.data import PARTS

    table = a.parts
    if table.empty:
        return None
    table = table[(table["design"] == design) & (table["arm"] == arm) & (table["stratum"] == "all")]
    names = list(dict.fromkeys(table["hypothesis"]))
    rows = [*PARTS, "observed change"]
    value = {(r["hypothesis"], r["part"]): r for r in table.to_dict("records")}
    limit = 0.003 * max(abs(r["mean"]) for r in value.values()) if value else 0.0
    rows = [part for part in rows if any(abs(value[h, part]["mean"]) > limit for h in names)]

    def paint(axes: Axes) -> None:
        offsets = np.linspace(0.24, -0.24, len(names)) if len(names) > 1 else [0.0]
        for hypothesis, offset in zip(names, offsets, strict=True):
            y = np.arange(len(rows))[::-1] + offset
            middle = np.array([words.shown(a.code, value[hypothesis, part]["mean"]) for part in rows])
            axes.barh(y, middle, height=0.2, color=colour(hypothesis), label=words.hypothesis_short(hypothesis))
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.axhline(0.5, color=GREY, linewidth=0.6)
        axes.set_yticks(np.arange(len(rows))[::-1], [_wrapped(part) for part in rows])
        axes.grid(False, axis="y")
        axes.set_xlabel(axis(a.code))
        axes.figure.legend(loc="outside lower center", ncols=min(3, len(names)), fontsize=9)

    numbers = "; ".join(
        f"{words.hypothesis(h)}: "
        + ", ".join(f"{part} {words.change(a.code, value[h, part]['mean'])}" for part in rows)
        for h in names
    )
    return drawing(
        f"parts-{slug(design)}-{slug(arm)}",
        "What the apparent change is made of",
        f"Average over studies, {_arm(a, arm)}. Only in a simulation can each part be known: the same patients are followed with "
        "the same luck, and one thing is added after the other."
        + (" Percentages multiply: 10 % and 10 % make 19 %." if words.is_log(a.code) else ""),
        f"Parts of the mean observed change. {numbers}.",
        1.2 + 0.46 * len(rows),
        paint,
    )


def _wrapped(text: str, width: int = 16) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(text, width))


def waterfall(a: Assessment, design: str, hypothesis: str) -> Drawing | None:
    """Draw the change of every patient of the typical study, best first; strata by colour."""
    table = a.patients
    table = table[(table["design"] == design) & (table["hypothesis"] == hypothesis)].dropna(subset=["change"])
    cells = [arm for arm in dict.fromkeys(table["arm"]) if _has_cells(a, arm)]
    if table.empty or not cells:
        return None
    table = table[table["arm"] == cells[0]].sort_values("change", ascending=a.better < 0)
    strata = [name for name in a.protocol.strata if name in set(table["stratum"])] or ["all"]
    paints = dict(zip(strata, (PALETTE[5], PALETTE[1], PALETTE[2], PALETTE[3]), strict=False))
    shown = np.array([words.shown(a.code, value) for value in table["change"]])
    bound = 150.0 if words.is_log(a.code) else np.inf

    def paint(axes: Axes) -> None:
        clipped = np.minimum(shown, bound)
        x = np.arange(len(table))
        for stratum in strata:
            mine = (table["stratum"] == stratum).to_numpy() if stratum != "all" else np.ones(len(table), bool)
            axes.bar(
                x[mine],
                clipped[mine],
                color=paints[stratum],
                width=0.85,
                label=_capital(stratum) if stratum in a.protocol.strata else "patients",
            )
        axes.plot(
            x, [words.shown(a.code, value) for value in table["true_effect_of_cells"]], linestyle="none", marker=".",
            markersize=4, color="black", label="true effect of the cells",
        )  # fmt: skip
        axes.axhline(0, color=GREY, linewidth=0.8)
        axes.set_xticks([])
        axes.grid(False, axis="x")
        axes.set_xlabel(f"{len(table)} patients, best first")
        axes.set_ylabel(axis(a.code))
        axes.figure.legend(loc="outside lower center", ncols=2, fontsize=9)

    better = int((np.sign(table["change"]) == a.better).sum())
    over = int((shown > bound).sum())
    return drawing(
        f"waterfall-{slug(design)}-{slug(hypothesis)}",
        f"Every patient of one study: {words.hypothesis(hypothesis)}",
        f"The study with the median result among {a.replicates}. {better} of {len(table)} patients are better than at baseline."
        + (f" {over} bars end at +{bound:.0f} %." if over else ""),
        f"{better} of {len(table)} patients improved; changes from {shown.min():.0f} to {shown.max():.0f} {words.change_unit(a.code)}.",
        3.3,
        paint,
    )


def _stratum(a: Assessment, name: str) -> str:
    if name in a.protocol.strata:
        return a.protocol.strata[name].label or name
    return "patients"


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
                axes.plot([middle], [y], color=colour(hypothesis), marker=_MARKS.get(hypothesis, "o"), markersize=7)
                axes.plot([truth], [y - 0.28], color="black", marker="D", markersize=4, linestyle="none")
                ticks.append(y)
                labels.append(words.hypothesis_short(hypothesis))
                y -= 1.0
            axes.text(
                0.01, y + len(names) + 0.42, _capital(stratum), transform=axes.get_yaxis_transform(), fontweight="bold",
                fontsize=9.5, va="bottom",
            )  # fmt: skip
            y -= 1.0
        axes.axvline(words.scaled(a, 0.0), color=GREY, linewidth=0.8, linestyle=(0, (3, 2)))
        axes.set_yticks(ticks, labels)
        axes.set_ylim(y + 1.4, 1.1)
        axes.grid(False, axis="y")
        axes.set_xlabel(_estimate_axis(a))

    numbers = "; ".join(
        f"{_stratum(a, s)}, {words.hypothesis(h)}: {words.estimated(a, value[h, s]['mean'])}, true {words.estimated(a, value[h, s]['truth'])}"
        for s in strata
        for h in names
    )
    return drawing(
        f"early-late-{slug(design)}",
        f"By stage: {'before and after' if design in a.single else 'against controls'}",
        f"{_capital(a.protocol.designs[design].label or design)}. Coloured: what studies find, with the range of 95 % of them. Black "
        "diamonds: the true effect of the cells. "
        + ". ".join(f"{_capital(s)}: {_stratum(a, s)}" for s in strata)
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
        axes.set_yticks(np.arange(len(names))[::-1], [_wrapped(words.MECHANISMS[name], 22) for name in names])
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


def free_of_event(a: Assessment, design: str, hypothesis: str) -> Drawing | None:
    """Draw Kaplan-Meier curves of kidney failure or a lasting fall of eGFR by 40 %."""
    table = a.free
    if table.empty:
        return None
    table = table[(table["design"] == design) & (table["hypothesis"] == hypothesis)]
    arms = list(dict.fromkeys(table["arm"]))

    def paint(axes: Axes) -> None:
        for number, arm in enumerate(arms):
            rows = table[table["arm"] == arm].sort_values("day")
            months = _months(rows["day"])
            tint = PALETTE[(0, 1, 2, 3)[number % 4]]
            axes.fill_between(
                months,
                100 * rows["one_trial_low"],
                100 * rows["one_trial_high"],
                step="post",
                alpha=0.13,
                color=tint,
                linewidth=0,
            )
            axes.step(
                months, 100 * rows["free"], where="post", color=tint, label=_wrapped(_arm(a, arm), 34),
                linestyle=("-", "--", "-.", ":")[number % 4],
            )  # fmt: skip
        bottom = 100 * float(np.nanmin(table["one_trial_low"]))
        axes.set_ylim(max(0.0, min(bottom, 97.0) - 3), 100.5)
        axes.set_xlabel("time since enrolment (months)")
        axes.set_ylabel("free of the event (% of patients)")
        axes.figure.legend(loc="outside lower center", ncols=1, fontsize=9)

    ends = "; ".join(
        f"{_arm(a, arm)}: {100 * float(table[table['arm'] == arm].sort_values('day')['free'].iloc[-1]):.1f} % free at the end"
        for arm in arms
    )
    return drawing(
        f"free-{slug(design)}-{slug(hypothesis)}",
        "Kidney failure, or eGFR down by 40 %",
        f"Kaplan-Meier, {words.hypothesis(hypothesis)}. Lines: all {a.replicates} simulated trials together; shading: the 95 % interval "
        "that one of them gives. An event counts when the next visit confirms it.",
        f"Share free of kidney failure or a confirmed fall of eGFR by 40 %. {ends}.",
        3.4,
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
                fmt=_MARKS.get(hypothesis, "o"), color=colour(hypothesis), markersize=4, elinewidth=0.8, linestyle="none",
            )  # fmt: skip
            if hypothesis != "none":
                axes.plot(
                    rows["n"], 100 * rows["smooth"], color=colour(hypothesis), linestyle=_STYLES.get(hypothesis, "-"),
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
