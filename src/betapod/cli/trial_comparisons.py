"""What a trial finds, for the terminal: comparisons, and how good their analysis is against what the simulation knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .shared import print_table, print_text
from .trial_intervals import tell_interval_parts

if TYPE_CHECKING:
    from ..report.trial.estimates import Scale


def tell_comparisons(protocol_document: dict[str, Any], several: bool, cells: bool) -> None:
    """Print what trials find: difference, its range, power, and the truth."""
    from ..report.common.words import at_visit, capital, p_value, percent_text, truth_label
    from ..report.trial.estimates import Scale

    endpoint = protocol_document["endpoint"]
    scale = Scale(endpoint["summary"], endpoint["quantity"], True, endpoint["measure"])
    comparisons = protocol_document["comparisons"]
    truths = {truth_label(row["true_effect_of"]) for row in comparisons if row["true_effect"] is not None}
    unit = f", {scale.unit}" if scale.unit else ""
    # Where cells do no good a significant benefit is an error, not power.
    won = "significant benefit" if cells else "power"
    columns = (
        *(["design"] if several else []),
        "comparison",
        scale.ratio or "mean",
        "95 % of trials",
        "median p",
        won,
        *sorted(truths),
    )
    rows = [
        (
            *([row["design"]] if several else []),
            f"{row['treated']} against {row['control']}",
            _estimate(scale, row["estimate"]),
            _estimates(scale, row["low"], row["high"]),
            "-" if row["p"] is None else p_value(row["p"]),
            "-" if row["benefit"] is None else percent_text(row["benefit"], 1),
            *([_estimate(scale, row["true_effect"])] if truths else []),
        )
        for row in comparisons
    ]
    title, at = capital(endpoint["name"] or scale.what), f" {at_visit(endpoint['summary'], endpoint['visit'])}"
    print_text(f"{title}{'' if title.endswith(at) else at}, between groups{unit}")
    groups = [f"scenario {row['scenario']}" for row in comparisons] if cells else []
    print_table(columns, rows, right=columns[1 + several :], groups=groups)
    print_estimands(protocol_document, scale, several, groups)
    print_multiple_tests(protocol_document, several, cells)
    if "interval" in protocol_document:
        tell_interval_parts(protocol_document["interval"], comparisons, scale, several, groups)


def print_estimands(document: dict[str, Any], scale: Scale, several: bool, groups: list[str]) -> None:
    """Print true value, bias, coverage and false positives of the primary analysis.

    Parameters
    ----------
    document
        Summary of a run.
    several
        Whether there are several designs.
    groups
        Scenario of each row; empty where they make no difference.
    """
    rows = document["comparisons"]
    judged = [row for row in rows if row.get("estimand") is not None or row.get("false_positives") is not None]
    if not judged:
        return
    columns = (*(["design"] if several else []), "comparison", "true value", "bias", "coverage", "false positives")
    cells = [
        (
            *([row["design"]] if several else []),
            f"{row['treated']} against {row['control']}",
            "-" if row["estimand"] is None else scale.number(row["estimand"]),
            bias_text(scale, row["bias"]),
            share_text(row, "coverage"),
            share_text(row, "false_positives"),
        )
        for row in judged
    ]
    scenarios = [group for group, row in zip(groups, rows, strict=True) if row in judged] if groups else []
    print_text(f"The analysis against what the simulation knows ({document['test']})")
    print_table(columns, cells, right=columns[1 + several :], groups=scenarios)


def print_multiple_tests(document: dict[str, Any], several: bool, cells: bool) -> None:
    """Print what each of several tests rejects alone and after adjustment."""
    rows = document.get("multiple_tests", [])
    if not rows:
        return
    columns = (*(["design"] if several else []), "endpoint", "comparison", "alone", "adjusted")
    table = [
        (
            *([row["design"]] if several else []),
            row["endpoint"],
            row["comparison"],
            "-" if row["rejected_alone"] is None else f"{100 * row['rejected_alone']:.1f} %",
            f"{100 * row['rejected']:.1f} %",
        )
        for row in rows
    ]
    groups = [f"scenario {row['scenario']}" for row in rows] if cells else []
    print_text(f"Trials that show each benefit, {rows[0]['procedure']} procedure")
    print_table(columns, table, right=columns[-2:], groups=groups)


def _estimate(scale: Scale, value: float | None) -> str:
    return "-" if value is None else scale.number(value)


def _estimates(scale: Scale, low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{scale.number(low)} to {scale.number(high)}"


def bias_text(scale: Scale, bias: float | None) -> str:
    """Return a bias on the scale of the analysis: of ratios and logarithms as a factor; a dash for none."""
    if bias is None:
        return "-"
    import math

    from ..report.common.words import true_minus

    if scale.ratio or scale.log:
        return f"\u00d7{math.exp(bias):.3f}"
    return true_minus(f"{100 * bias:+.2f}" if scale.share else f"{bias:+.3g}")


def share_text(row: dict[str, Any], name: str) -> str:
    """Return a share with its Monte Carlo interval in per cent; a dash for none."""
    if row[name] is None:
        return "-"
    return f"{100 * row[name]:.1f} % ({100 * row[f'{name}_low']:.1f}\u2013{100 * row[f'{name}_high']:.1f})"
