"""Figures of one design of a trial: what its studies find, courses, parts of the change, every patient, events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...base.constants import DAYS_PER_MONTH
from ..common import words
from ..common.drawing import GROUPS, MARKS, STYLES, Drawing, axis, colour, drawing, slug, wrap_label
from ..common.figures import GREY
from . import estimates
from .endpoint_figures import numbers_at_risk

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...trials.operating.result_tables import Assessment


def draw_studies(assessment: Assessment, design: str) -> Drawing | None:
    """Draw what repeated studies of one design find, one row per scenario, or per comparison where nobody gets cells."""
    scale = estimates.primary(assessment, design)
    rows = _studied(assessment, design)
    every = [_finite(effects) for *_, effects, _ in rows]
    if not rows or not any(len(sample) for sample in every):
        return None
    kind = "study" if design in assessment.single else "trial"
    kinds = words.counted(assessment.replicates, kind, "studies" if kind == "study" else "trials")
    truths = {label for *_, label in rows if label}
    truth_name = truths.pop() if len(truths) == 1 else "true effect"
    tells = any(np.isfinite(row["truth"]) for _, row, *_ in rows)

    def paint(axes: Axes) -> None:
        from scipy.stats import gaussian_kde

        low, high = np.quantile(np.concatenate(every), [0.001, 0.999])
        room = 0.08 * (high - low) or 0.01
        grid = np.linspace(low - room, high + room, 300)
        x = [scale.value(value) for value in grid]
        marked = False
        for height, (_, row, tint, effects, _) in enumerate(reversed(rows)):
            finite = _finite(effects)
            density = gaussian_kde(finite)(grid) if len(finite) > 5 and finite.std() > 0 else np.zeros_like(grid)
            top = height + 0.78 * density / max(density.max(), 1e-12)
            axes.fill_between(x, height, top, color=tint, alpha=0.35, linewidth=0)
            axes.plot(x, top, color=tint, linewidth=1.2)
            if np.isfinite(row["truth"]):
                axes.plot(
                    [scale.value(row["truth"])], [height + 0.08], marker="D", color="black", markersize=5, linestyle="none",
                    label=None if marked else truth_name, zorder=5,
                )  # fmt: skip
                marked = True
        if not scale.share or scale.controlled:
            axes.axvline(scale.value(0.0), color=GREY, linewidth=1, linestyle=(0, (3, 2)))
        axes.set_yticks(np.arange(len(rows)) + 0.35, [wrap_label(label, 20) for label, *_ in reversed(rows)])
        axes.tick_params(axis="y", length=0)
        axes.grid(False, axis="y")
        axes.set_ylim(-0.1, len(rows) + 0.05)
        axes.set_xlabel(scale.axis)
        if marked:
            axes.figure.legend(loc="outside lower center", fontsize=9)

    numbers = "; ".join(
        f"{label}: mean {scale.text(row['mean'])}, 95 % of them {scale.range(row['low'], row['high'])}"
        + (f", {truth_name} {scale.text(row['truth'])}" if np.isfinite(row["truth"]) else "")
        for label, row, *_ in rows
    )
    sample = (
        "one scenario about the cells"
        if words.has_cells(assessment, *assessment.protocol.designs[design].arms)
        else "one comparison"
    )
    null = (
        ""
        if scale.share and not scale.controlled
        else "; the dashed line is " + ("no difference" if scale.controlled else "no change")
    )
    return drawing(
        f"studies-{slug(design)}",
        f"What {kinds} find",
        f"{words.capital(words.design(assessment, design))}{words.first_of_several(assessment, design)}. Each hill shows the results of {kinds} under {sample}"
        + (f"; the diamond is the {truth_name}" if tells else "")
        + f"{null}.",
        f"Results of repeated {'studies' if kind == 'study' else 'trials'}. {numbers}.",
        0.95 + 0.85 * len(rows),
        paint,
    )


def _studied(assessment: Assessment, design: str) -> list[tuple[str, dict[str, Any], str, Any, str]]:
    """Return label, result, colour, estimates and name of the true effect of every row of `draw_studies`."""
    arms = list(assessment.protocol.designs[design].arms)
    rows = []
    for scenario in words.scenarios(assessment, *arms):
        row = assessment.result(design, scenario)
        if row and (design, scenario) in assessment.estimates:
            named = words.has_cells(assessment, *arms)
            label = (
                words.scenario_short(scenario) if named else words.contrast(assessment, row["treated"], row["control"])
            )
            tint = colour(scenario) if named else GROUPS[1]
            effects = assessment.estimates[design, scenario].effect
            rows.append((label, row, tint, effects, words.truth_label(row.get("truth_of", ""))))
    return rows


def _finite(values: Any) -> Any:
    return values[np.isfinite(values)]


def draw_course(assessment: Assessment, design: str, arm: str, code: str, stratum: str = "all") -> Drawing | None:
    """Draw the observed mean change over time with its range over studies, and the true effect of cells."""
    table = assessment.courses
    table = table[
        (table["design"] == design)
        & (table["arm"] == arm)
        & (table["quantity"] == code)
        & (table["stratum"] == stratum)
    ].dropna(subset=["mean", "low", "high"])
    if table.empty:
        return None
    cells = _has_cells(assessment, arm)
    # What is supposed of cells changes nothing in a group without them.
    names = list(dict.fromkeys(table["scenario"]))[: None if cells else 1]
    kind = "studies" if design in assessment.single else "trials"

    def paint(axes: Axes) -> None:
        for scenario in names:
            rows = table[table["scenario"] == scenario].sort_values("day")
            tint = colour(scenario) if cells else GROUPS[1]
            months = [0.0, *_months(rows["day"])]
            lines = {
                key: [0.0, *(words.displayed_change(code, v) for v in rows[key])] for key in ("mean", "low", "high")
            }
            axes.fill_between(months, lines["low"], lines["high"], color=tint, alpha=0.13, linewidth=0)
            axes.plot(
                months, lines["mean"], color=tint, linestyle=STYLES.get(scenario, "-"),
                marker=MARKS.get(scenario, "o"), markersize=4, label=words.scenario_short(scenario),
            )  # fmt: skip
        axes.axhline(0, color=GREY, linewidth=0.8)
        axes.set_xlabel("time since the first infusion (months)" if cells else "time since enrolment (months)")
        axes.set_ylabel(axis(code))
        if cells:
            axes.figure.legend(loc="outside lower center", ncols=min(3, len(names)), fontsize=9)

    last = table[table["scenario"].isin(names)].sort_values("day").groupby("scenario", sort=False).tail(1)
    numbers = "; ".join(
        f"{words.scenario(row['scenario'])}: {words.change(code, row['mean'])}, true effect of cells "
        f"{words.change(code, row['truth'])}"
        if cells
        else words.change(code, row["mean"])
        for row in last.to_dict("records")
    )
    return drawing(
        f"course-{slug(design)}-{slug(arm)}-{code.lower()}",
        f"{words.capital(words.short_name(code))} over time"
        + ("" if design in assessment.single else f": {words.arm(assessment, arm)}"),
        f"Mean change from baseline as a {'study' if kind == 'studies' else 'trial'} would see it, in the group with "
        f"{words.arm(assessment, arm)}; the shading holds 95 % of {kind}.",
        f"Mean change at the last visit. {numbers}.",
        3.3,
        paint,
    )


def _months(days: Sequence[float]) -> list[float]:
    return [day / DAYS_PER_MONTH for day in days]


def _has_cells(assessment: Assessment, arm: str) -> bool:
    return assessment.protocol.arms[arm].cells is not None


def draw_change_parts(assessment: Assessment, design: str, arm: str) -> Drawing | None:
    """Draw what an apparent change is made of, one group of points per part."""
    from ...trials.conduct.parts_of_change import PARTS

    table = assessment.parts
    if table.empty:
        return None
    table = table[(table["design"] == design) & (table["arm"] == arm) & (table["stratum"] == "all")]
    cells = _has_cells(assessment, arm)
    names = list(dict.fromkeys(table["scenario"]))[: None if cells else 1]
    table = table[table["scenario"].isin(names)].dropna(subset=["mean"])
    if table.empty:
        return None
    rows = [*PARTS, "observed change"]
    value = {(r["scenario"], r["part"]): r for r in table.to_dict("records")}
    limit = 0.003 * max(abs(r["mean"]) for r in value.values())
    rows = [part for part in rows if any(abs(value[h, part]["mean"]) > limit for h in names if (h, part) in value)]
    names = [h for h in names if all((h, part) in value for part in rows)]
    if not rows or not names:
        return None

    def paint(axes: Axes) -> None:
        offsets = np.linspace(0.24, -0.24, len(names)) if len(names) > 1 else [0.0]
        for scenario, offset in zip(names, offsets, strict=True):
            y = np.arange(len(rows))[::-1] + offset
            middle = np.array([words.displayed_change(assessment.code, value[scenario, part]["mean"]) for part in rows])
            tint = colour(scenario) if cells else GROUPS[1]
            axes.barh(y, middle, height=0.2, color=tint, label=words.scenario_short(scenario))
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.axhline(0.5, color=GREY, linewidth=0.6)
        axes.set_yticks(np.arange(len(rows))[::-1], [wrap_label(words.part(assessment, part)) for part in rows])
        axes.grid(False, axis="y")
        axes.set_xlabel(axis(assessment.code))
        if cells:
            axes.figure.legend(loc="outside lower center", ncols=min(3, len(names)), fontsize=9)

    numbers = "; ".join(
        (f"{words.scenario(h)}: " if cells else "")
        + ", ".join(
            f"{words.part(assessment, part)} {words.change(assessment.code, value[h, part]['mean'])}" for part in rows
        )
        for h in names
    )
    return drawing(
        f"parts-{slug(design)}-{slug(arm)}",
        "Parts of the apparent change",
        f"Average over studies, {words.arm(assessment, arm)}. Only in a simulation can each part be known: the same patients are followed with "
        "the same random numbers, and one component is added after the other."
        + (" Percentages multiply: 10 % and 10 % make 19 %." if words.is_log(assessment.code) else ""),
        f"Parts of the mean observed change. {numbers}.",
        1.2 + 0.46 * len(rows),
        paint,
    )


def waterfall(assessment: Assessment, design: str, scenario: str) -> Drawing | None:
    """Draw the change of every patient of the typical study, best first; strata by colour."""
    table = assessment.patients
    table = table[(table["design"] == design) & (table["scenario"] == scenario)].dropna(subset=["change"])
    cells = [arm for arm in dict.fromkeys(table["arm"]) if _has_cells(assessment, arm)]
    if table.empty or not cells:
        return None
    table = table[table["arm"] == cells[0]].sort_values(
        "change", ascending=assessment.protocol.endpoints.primary.better == "lower"
    )
    strata = [name for name in assessment.protocol.strata if name in set(table["stratum"])] or ["all"]
    paints = {name: GROUPS[(number + 1) % len(GROUPS)] for number, name in enumerate(strata)}
    changes = np.array([words.displayed_change(assessment.code, value) for value in table["change"]])
    bound = 150.0 if words.is_log(assessment.code) else np.inf

    def paint(axes: Axes) -> None:
        clipped = np.minimum(changes, bound)
        x = np.arange(len(table))
        for stratum in strata:
            members = (table["stratum"] == stratum).to_numpy() if stratum != "all" else np.ones(len(table), bool)
            axes.bar(
                x[members],
                clipped[members],
                color=paints[stratum],
                width=0.85,
                label=wrap_label(words.capital(stratum), 30) if stratum in assessment.protocol.strata else "patients",
            )
        axes.plot(
            x, [words.displayed_change(assessment.code, value) for value in table["true_effect_of_cells"]], linestyle="none", marker=".",
            markersize=4, color="black", label="true effect of the cells",
        )  # fmt: skip
        axes.axhline(0, color=GREY, linewidth=0.8)
        axes.set_xticks([])
        axes.grid(False, axis="x")
        axes.set_xlabel(f"{words.counted(len(table), 'patient')}, best first")
        axes.set_ylabel(axis(assessment.code))
        axes.figure.legend(loc="outside lower center", ncols=2, fontsize=9)

    direction = -1 if assessment.protocol.endpoints.primary.better == "lower" else 1
    better = int((np.sign(table["change"]) == direction).sum())
    over = int((changes > bound).sum())
    return drawing(
        f"waterfall-{slug(design)}-{scenario}",
        f"Every patient of one study: {words.scenario(scenario)}",
        f"The study with the median result among {words.thousands(assessment.replicates)}. {better} of {words.counted(len(table), 'patient')} "
        f"{'is' if better == 1 else 'are'} better than at baseline."
        + (f" {words.counted(over, 'bar')} cut at +{bound:.0f} %." if over else ""),
        f"{better} of {words.counted(len(table), 'patient')} improved; changes from {changes.min():.0f} to {changes.max():.0f} {words.change_unit(assessment.code)}.",
        3.3,
        paint,
    )


def free_of_event(assessment: Assessment, design: str, scenario: str) -> Drawing | None:
    """Draw Kaplan-Meier curves of kidney failure or a lasting fall of eGFR by 40 %."""
    table = assessment.free
    if table.empty:
        return None
    table = table[(table["design"] == design) & (table["scenario"] == scenario)]
    arms = list(dict.fromkeys(table["arm"]))
    # Lines that hardly leave 100 % say nothing: a trial has less than one event.
    ends = table.sort_values("day").groupby("arm").agg(free=("free", "last"), n=("at_risk_per_trial", "max"))
    if table.empty or not float(((1 - ends["free"]) * ends["n"]).sum()) >= 1:
        return None
    shaded = np.isfinite(table[["one_trial_low", "one_trial_high"]]).all(axis=None) and bool(
        (table["one_trial_low"] < table["one_trial_high"]).any()
    )

    def paint(axes: Axes) -> None:
        for number, arm in enumerate(arms):
            rows = table[table["arm"] == arm].sort_values("day")
            months = _months(rows["day"])
            tint = GROUPS[number % len(GROUPS)]
            if shaded:
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
                months, 100 * rows["free"], where="post", color=tint, label=wrap_label(words.arm(assessment, arm), 34),
                linestyle=("-", "--", "-.", ":")[number % 4],
            )  # fmt: skip
        lines = table[["one_trial_low", "free"] if shaded else ["free"]]
        bottom = 100 * float(np.nanmin(lines.to_numpy()))
        axes.set_ylim(max(0.0, min(bottom, 97.0) - 3), 100.5)
        axes.set_xlabel("time since enrolment (months)")
        axes.set_ylabel("free of the event (% of patients)")
        ordered = [table[table["arm"] == arm].sort_values("day") for arm in arms]
        numbers_at_risk(
            axes,
            [_months(rows["day"]) for rows in ordered],
            [rows["at_risk_per_trial"].to_list() for rows in ordered],
            [GROUPS[k % len(GROUPS)] for k in range(len(arms))],
        )
        axes.figure.legend(loc="outside lower center", ncols=1, fontsize=9)

    told = "; ".join(
        f"{words.arm(assessment, arm)}: {100 * float(table[table['arm'] == arm].sort_values('day')['free'].iloc[-1]):.1f} % free at the end"
        for arm in arms
    )
    supposed = f", if {words.scenario(scenario)}" if words.has_cells(assessment, *arms) else ""
    shading = "; shading: the 95 % interval that one of them gives" if shaded else ""
    trials = words.counted(assessment.replicates, "simulated trial")
    return drawing(
        f"free-{slug(design)}-{scenario}",
        "Kidney failure, or eGFR down by 40 %",
        f"Kaplan-Meier{supposed}. Lines: {trials} together{shading}. A fall of eGFR counts when the next visit confirms it; "
        "other events of the protocol's endpoints are not in this picture. Patients at risk are those of one trial, on average.",
        f"Share free of kidney failure or a confirmed fall of eGFR by 40 %. {told}.",
        3.4 + 0.18 * len(arms),
        paint,
    )
