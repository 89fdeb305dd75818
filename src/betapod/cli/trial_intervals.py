"""What the intervals of a trial are made of, for the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .shared import print_table, print_text

if TYPE_CHECKING:
    from ..base.interval_parts import IntervalParts
    from ..report.trial.estimates import Scale


def tell_interval_parts(
    about: Mapping[str, Any], comparisons: Sequence[Mapping[str, Any]], scale: Scale, several: bool, groups: list[str]
) -> None:
    """Print how far chance, parameters and what studies differ by each spread what trials find, and which of them are there.

    Parameters
    ----------
    about
        ``interval`` of the summary of a run.
    comparisons
        Its rows.
    several
        Whether there are several designs.
    groups
        Heading of each row; empty for none.
    """
    from ..base.interval_parts import INTERVAL_PARTS
    from ..report.common.interval_section import ALL_TOGETHER, holds_in_words, parameters_in_words, why_no_studies

    intervals = [_parts(row) for row in comparisons]
    if max(len(parts.held) for parts in intervals) > 1:
        heads = [f"{words} alone" for words in INTERVAL_PARTS.values()]
        columns = (*(["design"] if several else []), "comparison", *heads, ALL_TOGETHER)
        rows = [_cells(row, parts, scale, several) for row, parts in zip(comparisons, intervals, strict=True)]
        print_text("95 % of trials, each part of the interval by itself")
        print_table(columns, rows, right=columns[1 + several :], groups=groups)
    missing = "" if about["numbers"] else why_no_studies(about["studies_of"], about["kind"])
    sentences = (holds_in_words(intervals), parameters_in_words(about["sets"], about["parameters_of"]), missing)
    print_text(" ".join(text for text in sentences if text), "dim")


def _parts(row: Mapping[str, Any]) -> IntervalParts:
    from ..base.interval_parts import INTERVAL_PARTS, IntervalParts

    deviations = {
        name: math.nan if row.get(f"sd_{name}") is None else float(row[f"sd_{name}"]) for name in INTERVAL_PARTS
    }
    return IntervalParts(**deviations, sets=int(row.get("parameter_sets") or 0))


def _cells(row: Mapping[str, Any], parts: IntervalParts, scale: Scale, several: bool) -> list[str]:
    from ..base.interval_parts import INTERVAL_PARTS

    def ends(*names: str) -> str:
        if row["estimate"] is None or not set(names) & set(parts.held):
            return "-"
        return " to ".join(map(scale.number, parts.interval(row["estimate"], 0.95, names)))

    return [
        *([row["design"]] if several else []),
        f"{row['treated']} against {row['control']}",
        *(ends(name) for name in INTERVAL_PARTS),
        ends(*INTERVAL_PARTS),
    ]
