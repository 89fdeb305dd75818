"""What looks do to a design: when they come, where trials stop, what power costs, and what estimates are worth then."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from ...base.constants import DAYS_PER_MONTH
from ..common import words
from ..common.document import Section, Table
from ..common.drawing import Drawing, slug
from .estimates import Scale, primary
from .look_figures import draw_looks, draw_stops
from .sections_designs import supposed

if TYPE_CHECKING:
    from ...trials.operating.result_tables import Assessment

Row = Mapping[Hashable, Any]


def looks_section(assessment: Assessment, design: str) -> Section | None:
    """Return the section on the looks of a design; None where it has none."""
    if assessment.looked.empty:
        return None
    names, named = supposed(assessment, design)
    looked = _of(assessment, "looked", design, names)
    if not looked:
        return None
    looks = _of(assessment, "looks", design, names)
    scale = primary(assessment, design)
    claims = _of(assessment, "claimed", design, names) if len(assessment.claimed) else []
    figures: list[Drawing] = [
        *([] if claims else [draw_looks(looks, looked[0], design, named)]),
        draw_stops(looks, design, named),
    ]
    tables = [
        _looks_table(looks, looked, named, bool(claims)),
        _operating_table(looked, named),
        *([_claims_table(claims, scale, named), *_adapted_table(claims, scale, named)] if claims else []),
        *([_estimates_table(looked, scale, named)] if math.isfinite(looked[0].get("estimand", math.nan)) else []),
    ]
    title = f"Looks before the end: {words.design(assessment, design)}"
    return Section(
        f"looks-{slug(design)}",
        title,
        [_rules(assessment, design, looked[0]), *_naive(looked), *_sets(looked)],
        figures,
        tables,
    )


def _of(assessment: Assessment, table: str, design: str, names: list[str]) -> list[Row]:
    rows = getattr(assessment, table)
    return list(rows[(rows["design"] == design) & rows["scenario"].isin(names)].to_dict("records"))


def _rules(assessment: Assessment, design: str, row: Row) -> str:
    looks = assessment.protocol.designs[design].looks
    if looks is None:
        return ""
    unit = "patients whose visit of the endpoint is over" if looks.events is None else f"the {looks.events} events"
    sides = "two-sided" if row["sides"] == 2 else "one-sided"
    adapts = f" At a look {row['adapts']}." if isinstance(row.get("adapts"), str) else ""
    text = f"The primary endpoint is looked at by shares of {unit}.{adapts} Boundaries: {row['boundaries']}, {sides} {row['alpha']:g}"
    if row["futility"]:
        text += f"; futility {'binding' if row['binding'] else 'not binding: what rejects is as if it were not there'}"
    months = assessment.protocol.designs[design].recruitment / DAYS_PER_MONTH
    over = f"Patients are enrolled over {months:.3g} months, and a look knows" if months else "A look knows"
    return (
        f"{text}. {over} what has happened by its day: of those who are still followed the visits so far, and of those to come nothing. "
        "Elsewhere this report shows trials at which nobody looks before their end."
    )


def _sets(looked: list[Row]) -> list[str]:
    """Say what power is where parameters are drawn."""
    return [
        f"Power is the assurance over {row['parameter_sets']:.0f} sets of parameters: {words.percent_text(row['power_lowest_of_sets'], 1)} under one "
        f"of them, {words.percent_text(row['power_highest_of_sets'], 1)} under another."
        for row in looked[-1:]
        if math.isfinite(row["power_lowest_of_sets"])
    ]


def _naive(looked: list[Row]) -> list[str]:
    """Say what a plain test of all patients would do where a size was set anew."""
    return [
        f"A plain test of all patients would show a benefit in {words.percent_text(row['naive'], 1)} of trials"
        + (f", and in {words.percent_text(row['naive_false'], 1)} of those without a difference." if math.isfinite(row["naive_false"]) else ".")
        for row in looked
        if math.isfinite(row.get("naive", math.nan))
    ]  # fmt: skip


def _claims_table(claims: list[Row], scale: Scale, named: bool) -> Table:
    shares = any(math.isfinite(row["share"]) for row in claims)
    head = [
        *(["scenario"] if named else []),
        "claim",
        "shown",
        "false positives",
        "patients" if shares else "went on",
        "mean",
        "bias",
        "bias if shown",
    ]
    rows = [
        [
            *_scenario(row, named),
            str(row["claim"]),
            _rate(row, "rejected"),
            _per_cent(row["false"]),
            _per_cent(row["share" if shares else "went_on"]),
            scale.text(row["estimate"]),
            _bias(scale, row["bias"]),
            _bias(scale, row["bias_of_claimed"]),
        ]
        for row in claims
    ]
    told = (
        "Claims: trials that show each, and that wrongly do when all groups get what the control gets; "
        + ("share of the patients that its arm gets" if shares else "trials in which it is still looked at in the end")
        + "; the plain "
        "estimate from all patients of the claim, its bias, and that in trials which show it. Bias of ratios is a factor."
    )
    return Table(told, head, rows, 2 if named else 1)


def _adapted_table(claims: list[Row], scale: Scale, named: bool) -> list[Table]:
    """Return what estimates of claims are worth that know of the adaptation; nothing where no truth is known."""
    told = [row for row in claims if math.isfinite(row["estimand"])]
    if not told:
        return []
    unbiased = any(math.isfinite(row["estimate_median_unbiased"]) for row in told)
    head = [
        *(["scenario"] if named else []),
        "claim",
        "true value",
        *(["median unbiased", "its bias", "above the truth", "coverage"] if unbiased else []),
        "coverage of repeated intervals",
        "coverage of plain intervals",
    ]
    rows = [
        [
            *_scenario(row, named),
            str(row["claim"]),
            scale.text(row["estimand"]),
            *(
                [
                    scale.text(row["estimate_median_unbiased"]),
                    _bias(scale, row["bias_median_unbiased"]),
                    _per_cent(row["above_truth_median_unbiased"]),
                    _rate(row, "coverage_adjusted"),
                ]
                if unbiased
                else []
            ),
            _rate(row, "coverage_repeated"),
            _rate(row, "coverage"),
        ]
        for row in told
    ]
    how = (
        "Median-unbiased estimates carry the later stage back into the trial as planned (Gao, Liu and Mehta 2013). "
        if unbiased
        else "No median-unbiased estimate is known after a selection. "
    )
    return [
        Table(
            f"Estimates that know of the adaptation. {how}Repeated intervals hold for all claims together.",
            head,
            rows,
            2 if named else 1,
        )
    ]


def _scenario(row: Row, named: bool) -> list[str]:
    return [words.scenario_short(str(row["scenario"]))] if named else []


def _looks_table(looks: list[Row], looked: list[Row], named: bool, claims: bool) -> Table:
    events = any(math.isfinite(row["events"]) for row in looks)
    futile, harm = bool(looked[0]["futility"]), looked[0]["sides"] == 2
    head = [
        *(["scenario"] if named else []),
        "look",
        "month",
        "enrolled",
        "events" if events else "analysed",
        "critical p" if looked[0].get("fisher") is True else "z",
        *(["z for futility"] if futile else []),
        "benefit",
        *(["without result"] if claims else ["futility"] if futile else []),
        *(["harm"] if harm else []),
        "false positives",
    ]
    rows = [
        [
            *_scenario(row, named),
            f"{row['look']:.0f}",
            words.written_number(row["trial_day"] / DAYS_PER_MONTH, 1),
            words.written_number(row["enrolled"], 0),
            words.written_number(row["events" if events else "analysed"], 0),
            _number(row["efficacy"], 3 if row["efficacy"] >= 0.01 else 4),
            *([_number(row["futility"], 3)] if futile else []),
            words.percent_text(row["stopped_benefit"], 1),
            *([words.percent_text(row["stopped_futile"], 1)] if futile or claims else []),
            *([words.percent_text(row["stopped_harm"], 1)] if harm else []),
            _per_cent(row["false_stops"]),
        ]
        for row in looks
    ]
    told = (
        "Looks: when they come (months from the opening), patients enrolled by then, boundaries for z, and trials that stop. False positives: trials that "
        "reject when both groups get what the control gets."
    )
    return Table(told, head, rows, 2 if named else 1)


def _operating_table(looked: list[Row], named: bool) -> Table:
    head = [
        *(["scenario"] if named else []),
        "power",
        "power without looks",
        "false positives",
        "patients",
        "at most",
        "months",
        "at most",
    ]
    rows = [
        [
            *_scenario(row, named),
            _rate(row, "power"),
            words.percent_text(row["power_without_looks"], 1),
            _rate(row, "type_one"),
            words.written_number(row["expected_patients"], 0),
            words.written_number(row["patients_at_end"], 0),
            words.written_number(row["expected_days"] / DAYS_PER_MONTH, 1),
            words.written_number(row["days_at_end"] / DAYS_PER_MONTH, 1),
        ]
        for row in looked
    ]
    told = "Power and type I error over all looks, with 95 % Monte Carlo intervals; patients and months that a trial takes, on average and at most."
    return Table(told, head, rows, 1 if named else 0)


def _estimates_table(looked: list[Row], scale: Scale, named: bool) -> Table:
    head = [
        *(["scenario"] if named else []),
        "estimate at the stop",
        "true value",
        "mean",
        "bias",
        "above the truth",
        "coverage",
    ]
    kinds = (
        ("as it stands", "estimate", "bias", "above_truth", "coverage"),
        ("median unbiased", "estimate_median_unbiased", "bias_median_unbiased", "above_truth_median_unbiased", "coverage_adjusted"),
        ("repeated interval", "", "", "", "coverage_repeated"),
    )  # fmt: skip
    rows = [
        [
            *_scenario(row, named),
            label,
            scale.text(row["estimand"]),
            scale.text(row.get(mean, math.nan)),
            _bias(scale, row.get(bias, math.nan)),
            _per_cent(row.get(above, math.nan)),
            _rate(row, coverage),
        ]
        for row in looked
        for label, mean, bias, above, coverage in kinds
    ]
    told = "Estimates when trials stop. Median unbiased: by stagewise ordering, with its interval. Repeated intervals hold whatever made the trial stop. Bias of ratios is a factor."
    return Table(told, head, rows, 2 if named else 1)


def _bias(scale: Scale, bias: float) -> str:
    if not math.isfinite(bias):
        return "\u2013"
    if scale.ratio or scale.log:
        return f"\u00d7{math.exp(bias):.3f}"
    return words.true_minus(f"{(100.0 if scale.share else 1.0) * bias:+.2f}")


def _rate(row: Row, name: str) -> str:
    if not math.isfinite(row[name]):
        return "\u2013"
    return f"{words.percent_text(row[name], 1)} ({100 * row[f'{name}_low']:.1f}\u2013{100 * row[f'{name}_high']:.1f})"


def _per_cent(share: float) -> str:
    return words.percent_text(share, 1) if math.isfinite(share) else "\u2013"


def _number(value: float, digits: int) -> str:
    return words.written_number(value, digits) if math.isfinite(value) else "\u2013"
