"""Figures of one design of a trial: what its studies find, courses, parts of the change, every patient, events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import words
from .drawing import MARKS, STYLES, Drawing, axis, colour, drawing, estimate_axis, slug, wrapped
from .figures import GREY, PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..trials.assessment import Assessment


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
        axes.set_xlabel(estimate_axis(a))
        if tells and axes.get_legend_handles_labels()[1]:
            axes.figure.legend(loc="outside lower center", fontsize=9)

    numbers = "; ".join(
        f"{words.hypothesis(h)}: mean {_shown(a, a.result(design, h)['mean'])}, "
        f"95 % of {kind} {_range(a, a.result(design, h))}"
        + (f", true effect {_shown(a, a.result(design, h)['truth'])}" if tells else "")
        for h in names
    )
    return drawing(
        f"studies-{slug(design)}",
        f"What {words.thousands(a.replicates)} such {kind} find",
        f"{words.capital(words.design(a, design))}. Each hill shows the results of {words.thousands(a.replicates)} simulated {kind} under one supposition about the "
        "cells"
        + ("; the diamond is the true effect of the cells" if tells else "")
        + "; the dashed line is no change.",
        f"Results of repeated studies. {numbers}.",
        0.95 + 0.85 * len(names),
        paint,
    )


def _shown(a: Assessment, value: float) -> str:
    return words.estimated(a, value)


def _range(a: Assessment, row: Mapping[str, Any]) -> str:
    return words.estimated_range(a, row["low"], row["high"])


def _finite(values: Any) -> Any:
    return values[np.isfinite(values)]


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
                months, lines["mean"], color=colour(hypothesis), linestyle=STYLES.get(hypothesis, "-"),
                marker=MARKS.get(hypothesis, "o"), markersize=4, label=words.hypothesis_short(hypothesis),
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
        f"{words.capital(words.named(code))} over time" + ("" if design in a.single else f": {words.arm(a, arm)}"),
        f"Mean change from baseline as a study would see it, in the group with {words.arm(a, arm)}; the shading holds 95 % of studies.",
        f"Mean change at the last visit. {numbers}.",
        3.3,
        paint,
    )


def _months(days: Sequence[float]) -> list[float]:
    return [day * 12 / 365.25 for day in days]


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
        axes.set_yticks(np.arange(len(rows))[::-1], [wrapped(part) for part in rows])
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
        f"Average over studies, {words.arm(a, arm)}. Only in a simulation can each part be known: the same patients are followed with "
        "the same luck, and one thing is added after the other."
        + (" Percentages multiply: 10 % and 10 % make 19 %." if words.is_log(a.code) else ""),
        f"Parts of the mean observed change. {numbers}.",
        1.2 + 0.46 * len(rows),
        paint,
    )


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
                label=words.capital(stratum) if stratum in a.protocol.strata else "patients",
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
                months, 100 * rows["free"], where="post", color=tint, label=wrapped(words.arm(a, arm), 34),
                linestyle=("-", "--", "-.", ":")[number % 4],
            )  # fmt: skip
        bottom = 100 * float(np.nanmin(table["one_trial_low"]))
        axes.set_ylim(max(0.0, min(bottom, 97.0) - 3), 100.5)
        axes.set_xlabel("time since enrolment (months)")
        axes.set_ylabel("free of the event (% of patients)")
        axes.figure.legend(loc="outside lower center", ncols=1, fontsize=9)

    ends = "; ".join(
        f"{words.arm(a, arm)}: {100 * float(table[table['arm'] == arm].sort_values('day')['free'].iloc[-1]):.1f} % free at the end"
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
