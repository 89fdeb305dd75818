"""What looks do to a trial, for the terminal: when they come, where trials stop, what power and estimates are then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..base.constants import DAYS_PER_MONTH
from .shared import print_table, print_text
from .trial_comparisons import bias_text, share_text

if TYPE_CHECKING:
    from ..report.trial.estimates import Scale


def tell_looks(document: Mapping[str, Any], several: bool, cells: bool) -> None:
    """Print what looks do to the designs of a run that have them; nothing where none has.

    Parameters
    ----------
    document
        Summary of a run.
    several
        Whether there are several designs.
    cells
        Whether an arm has cells, so that scenarios differ.
    """
    from ..report.trial.estimates import Scale

    looked = document.get("looks", [])
    if not looked:
        return
    endpoint = document["endpoint"]
    scale = Scale(endpoint["summary"], endpoint["quantity"], True, endpoint["measure"])
    for words in dict.fromkeys(boundaries_in_words(row) for row in looked):
        print_text(f"Looks: {words}")
    _print_looks(looked, several, cells)
    _print_operating(looked, several, cells)
    _print_estimates([row for row in looked if "claims" not in row], scale, several, cells)
    _print_claims([row for row in looked if "claims" in row], scale, several, cells)
    print_text("Differences between groups above are those of trials at which nobody looks before their end.", "dim")


def boundaries_in_words(row: Mapping[str, Any]) -> str:
    """Return which boundaries looks have: family, level, sides, futility."""
    sides = "two-sided" if row["sides"] == 2 else "one-sided"
    text = f"{row['boundaries']}, {sides} {row['alpha']:g}"
    if row.get("adapts"):
        text = f"{row['adapts']}; {text}"
    if not row["futility"]:
        return text
    return f"{text}; futility {'binding' if row['binding'] else 'not binding'}"


def _heading(row: Mapping[str, Any], several: bool, cells: bool) -> str:
    return ", ".join([*([row["design"]] if several else []), *([f"scenario {row['scenario']}"] if cells else [])])


def _print_looks(looked: Sequence[Mapping[str, Any]], several: bool, cells: bool) -> None:
    """Print a row per look."""
    every = [look for row in looked for look in row["looks"]]
    has = {name: any(look[name] is not None for look in every) for name in ("events", "futility", "false_stops")}
    harm = any(row["sides"] == 2 for row in looked)
    claims = any("claims" in row for row in looked)
    skipped = any(look["held"] < 1 for look in every) and not claims
    columns = (
        "look",
        "month",
        "enrolled",
        "events" if has["events"] else "analysed",
        *(["held"] if skipped else []),
        "critical p" if any(row.get("fisher") for row in looked) else "z",
        *(["z futility"] if has["futility"] else []),
        "benefit",
        *(["without"] if claims else ["futility"] if has["futility"] else []),
        *(["harm"] if harm else []),
        *(["false"] if has["false_stops"] else []),
    )
    rows = [
        (
            f"{look['look']:.0f}",
            _month(look["trial_day"]),
            _count(look["enrolled"]),
            _count(look["events" if has["events"] else "analysed"]),
            *([_per_cent(look["held"])] if skipped else []),
            _boundary(look["efficacy"]),
            *([_boundary(look["futility"])] if has["futility"] else []),
            _per_cent(look["stopped_benefit"]),
            *([_per_cent(look["stopped_futile"])] if has["futility"] or claims else []),
            *([_per_cent(look["stopped_harm"])] if harm else []),
            *([_per_cent(look["false_stops"])] if has["false_stops"] else []),
        )
        for look in every
    ]
    groups = [_heading(row, several, cells) for row in looked for _ in row["looks"]]
    false = "; false: with the same treatment in both groups" if has["false_stops"] else ""
    print_text(f"Trials that stop at each look{false}")
    print_table(columns, rows, right=columns, groups=groups if any(groups) else [])


def _print_operating(looked: Sequence[Mapping[str, Any]], several: bool, cells: bool) -> None:
    """Print power, type I error and cost of each design with looks."""
    columns = ("power", "without looks", "false positives", "patients", "months")
    rows = [
        (
            share_text(dict(row), "power"),
            _per_cent(row["power_without_looks"]),
            share_text(dict(row), "type_one"),
            f"{_count(row['expected_patients'])} of {_count(row['patients_at_end'])}",
            f"{_month(row['expected_days'])} of {_month(row['days_at_end'])}",
        )
        for row in looked
    ]
    groups = [_heading(row, several, cells) for row in looked]
    print_text("Power, type I error, and patients and months that a trial takes on average")
    print_table(columns, rows, right=columns, groups=groups if any(groups) else [])
    for row in looked:
        if row.get("naive") is not None:
            false = "" if row["naive_false"] is None else f", and {_per_cent(row['naive_false'])} without a difference"
            print_text(
                f"A plain test of all patients would show a benefit in {_per_cent(row['naive'])} of trials{false}."
            )
        if row["power_lowest_of_sets"] is not None:
            low, high = _per_cent(row["power_lowest_of_sets"]), _per_cent(row["power_highest_of_sets"])
            sets = f"{row['parameter_sets']:.0f} sets of parameters"
            print_text(f"Power is the assurance over {sets}, from {low} under one of them to {high} under another.")


def _print_estimates(looked: Sequence[Mapping[str, Any]], scale: Scale, several: bool, cells: bool) -> None:
    """Print what estimates are worth where trials stop."""
    judged = [row for row in looked if row["estimate"] is not None]
    if not judged:
        return
    columns = ("estimate at the stop", "mean", "bias", "above the truth", "coverage")
    rows = []
    for row in judged:
        naive = ("as it stands", "estimate", "bias", "above_truth", "coverage")
        adjusted = (
            "median unbiased",
            "estimate_median_unbiased",
            "bias_median_unbiased",
            "above_truth_median_unbiased",
            "coverage_adjusted",
        )
        repeated = ("repeated interval", "", "", "", "coverage_repeated")
        for label, mean, bias, above, coverage in (naive, adjusted, repeated):
            rows.append(
                (
                    label,
                    "-" if row.get(mean) is None else scale.number(row[mean]),
                    bias_text(scale, row.get(bias)),
                    _per_cent(row.get(above)),
                    share_text(dict(row), coverage),
                )
            )
    groups = [_heading(row, several, cells) for row in judged for _ in range(3)]
    print_table(columns, rows, right=columns[1:], groups=groups if any(groups) else [])


def _print_claims(looked: Sequence[Mapping[str, Any]], scale: Scale, several: bool, cells: bool) -> None:
    """Print what designs whose stages are tested apart may claim."""
    every = [(row, claim) for row in looked for claim in row["claims"]]
    if not every:
        return
    shares = any(claim["share"] is not None for _, claim in every)
    columns = ("claim", "shown", "false", "patients" if shares else "went on", "mean", "bias", "bias if shown")
    rows = [
        (
            claim["claim"],
            share_text(dict(claim), "rejected"),
            _per_cent(claim["false"]),
            _per_cent(claim["share" if shares else "went_on"]),
            "-" if claim["estimate"] is None else scale.number(claim["estimate"]),
            bias_text(scale, claim["bias"]),
            bias_text(scale, claim["bias_of_claimed"]),
        )
        for _, claim in every
    ]
    groups = [_heading(row, several, cells) for row, _ in every]
    print_text("Claims; bias of the plain estimate from all patients of the claim")
    print_table(columns, rows, right=columns[1:], groups=groups if any(groups) else [])
    _print_adapted(every, scale, groups)


def _print_adapted(every: Sequence[tuple[Any, Any]], scale: Scale, groups: Sequence[str]) -> None:
    """Print what estimates that know of the adaptation are worth, and how often intervals hold the truth."""
    told = [(claim, group) for (_, claim), group in zip(every, groups, strict=True) if claim["estimand"] is not None]
    if not told:
        return
    unbiased = any(claim["estimate_median_unbiased"] is not None for claim, _ in told)
    columns = (
        "claim",
        *(("median unbiased", "its bias", "above the truth", "coverage") if unbiased else ()),
        "repeated",
        "plain",
    )
    rows = [
        (
            claim["claim"],
            *(
                (
                    "-"
                    if claim["estimate_median_unbiased"] is None
                    else scale.number(claim["estimate_median_unbiased"]),
                    bias_text(scale, claim["bias_median_unbiased"]),
                    _per_cent(claim["above_truth_median_unbiased"]),
                    _per_cent(claim["coverage_adjusted"]),
                )
                if unbiased
                else ()
            ),
            _per_cent(claim["coverage_repeated"]),
            _per_cent(claim["coverage"]),
        )
        for claim, _ in told
    ]
    print_text("Estimates that know of the adaptation, and coverage of their, of repeated and of plain intervals")
    print_table(columns, rows, right=columns[1:], groups=[group for _, group in told] if any(groups) else [])


def _boundary(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}" if value >= 0.01 or value < 0 else f"{value:.4f}"


def _month(days: float | None) -> str:
    return "-" if days is None else f"{days / DAYS_PER_MONTH:.1f}"


def _count(number: float | None) -> str:
    return "-" if number is None else f"{number:.1f}".removesuffix(".0")


def _per_cent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"
