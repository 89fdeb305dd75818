"""Finished fits and comparisons of two, as text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..shared import print_note, print_table, print_text, warn, with_noun
from ..tables import rounded

if TYPE_CHECKING:
    from ...calibration.compare_fits import FitComparison
    from ...physiology.installed_fits import FitRecord


def figure_text(value: float) -> str:
    """Return a number in three digits; a dash where there is none."""
    return "-" if value is None or math.isnan(value) else f"{value:.3g}"


def print_fit(record: FitRecord) -> None:
    """Print what a fit found: unknowns, coverage, discrepancy, what makes it doubtful."""
    from ...calibration.fit_summary import SPEAKING, fit_summary

    summary = fit_summary(record)
    print_text(f"Fit {summary['name']}", "bold")
    for stage in summary["stages"]:
        ended = "converged" if stage["converged"] else f"not converged: {stage['reason']}"
        linear = stage.get("draws of the linear model", False)
        draws = "draws of the linear model" if linear else f"draws worth {stage['effective draws']:.1f}"
        print_text(
            f"Stage {stage['name']}: {with_noun(len(stage['unknowns']), 'unknown')}, {stage['evaluations']} evaluations, "
            f"loss {stage['loss']:.2f}, {ended}; {len(record.log_weights)} {draws}"
        )
    _print_unknowns(record)
    quiet_ones = sum(unknown.contraction < SPEAKING for unknown in record.unknowns)
    if quiet_ones:
        print_text(f"{with_noun(quiet_ones, 'unknown')} learned next to nothing (contraction below {SPEAKING:g}).")
    _print_coverage(summary["coverage"])
    print_table(
        ("what the model lacks", "shared by a family", "of each number", "scale"),
        [
            [line["class"], figure_text(line["family"]), figure_text(line["row"]), line["scale"]]
            for line in summary["discrepancy"]
        ],
        right=("shared by a family", "of each number"),
    )
    _print_bias(record)
    for sentence in summary["warnings"]:
        warn(sentence)


def _print_bias(record: FitRecord) -> None:
    from ...calibration.design_bias import bias_sentences, published_biases
    from ...report.fit.fit_findings import miss_words

    biases = published_biases(record)
    rows = [
        [
            bias.kind, str(bias.opened.rows), miss_words(bias.scale, bias.opened),
            "-" if bias.blinded is None else f"{miss_words(bias.scale, bias.blinded)}, {with_noun(bias.blinded.rows, 'row')}",
        ]
        for bias in biases
    ]  # fmt: skip
    if rows:
        print_table(
            ("bias by design", "open: rows", "better than predicted by (90 %)", "blinded contrasts"),
            rows,
            right=("open: rows",),
        )
    print_text(" ".join(bias_sentences(biases)))


def _print_unknowns(record: FitRecord) -> None:
    rows = [
        [
            unknown.name,
            figure_text(unknown.start),
            f"{figure_text(unknown.prior_low)} to {figure_text(unknown.prior_high)}",
            figure_text(unknown.map),
            figure_text(unknown.median),
            f"{figure_text(unknown.low)} to {figure_text(unknown.high)}",
            unknown.unit,
            rounded(unknown.contraction, ".2f"),
            "yes" if unknown.at_bound else "no",
        ]
        for unknown in sorted(record.unknowns, key=lambda unknown: -unknown.contraction)
    ]
    heads = (
        "unknown", "start", "prior, 90 %", "most probable", "median", "posterior, 90 %", "unit", "contraction", "at bound",
    )  # fmt: skip
    print_table(heads, rows, right=(*heads[1:6], heads[7]), spare=("prior, 90 %", "unit", "start"))


def _print_coverage(lines: list[dict[str, Any]]) -> None:
    from ...calibration.fit_summary import WHENS

    print_text(
        "Published numbers inside their 90 % interval, by what the interval contains (mean over families in brackets)",
        "bold",
    )
    rows = [
        [
            line["set"], str(line["rows"]), str(line["families"]),
            *(f"{100 * line[when]:.0f} % ({100 * line[f'families_{when}']:.0f} %)" for when in WHENS),
            f"{line['median_z_before']:.1f} to {line['median_z_after']:.1f}",
        ]
        for line in lines
    ]  # fmt: skip
    heads = ("numbers", "count", "families", *WHENS.values(), "median |z|")
    print_table(heads, rows, right=heads[1:], varying=heads[1:])


def print_comparison(comparison: FitComparison, worst: int) -> None:
    """Print what changed from one fit to another; of the rows those that changed most."""
    first, second = comparison.first, comparison.second
    print_text(f"From {first} to {second}", "bold")
    print_table(
        ("unknown", first, second, "unit", "contraction", "apart [SD]"),
        [
            [
                change.name, figure_text(change.first), figure_text(change.second), change.unit,
                f"{figure_text(change.contraction_first)} to {figure_text(change.contraction_second)}", figure_text(change.apart),
            ]
            for change in comparison.unknowns
        ],
        right=(first, second, "apart [SD]"),
    )  # fmt: skip
    counts = [[name, *map(str, numbers)] for name, numbers in comparison.counts().items()]
    print_table(("class of rows", "in both", "nearer", "farther"), counts, right=("in both", "nearer", "farther"))
    moved = sorted(comparison.rows, key=lambda row: -abs(row.gain) if not math.isnan(row.gain) else 0.0)[:worst]
    heads = ("record", "family", "endpoint", f"z {first}", f"z {second}", "change")
    cells = [
        [
            row.record,
            row.family,
            row.endpoint,
            f"{row.z_first:.1f}",
            f"{row.z_second:.1f}",
            "nearer" if row.gain > 0 else "farther",
        ]
        for row in moved
    ]
    print_table(heads, cells, right=heads[3:5])
    for name, records in ((first, comparison.only_first), (second, comparison.only_second)):
        if records:
            print_note(f"{with_noun(len(records), 'row')} of {name} alone.")
    _print_verdicts(comparison)


def _print_verdicts(comparison: FitComparison) -> None:
    if comparison.verdicts is None:
        print_note("Verdicts of claims are not compared: not both fits have them.")
    elif not comparison.verdicts:
        print_text("No verdict of a claim changes.")
    else:
        rows = [[claim, *pair] for claim, pair in comparison.verdicts.items()]
        print_table(("claim", f"verdict under {comparison.first}", f"under {comparison.second}"), rows)
