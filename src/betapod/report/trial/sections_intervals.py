"""What the intervals of a trial report are made of: chance, parameters and what studies differ by, apart and together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...base.interval_parts import IntervalParts
from ...trials.conduct.replicate_parameters import fit_of
from ...trials.operating.study_spread import endpoint_differences, fit_of_studies, kind_of_endpoint
from ..common import words
from ..common.document import Section, Table
from ..common.drawing import Drawing
from ..common.interval_section import (
    PartedInterval,
    draw_interval_parts,
    holds_in_words,
    parameters_in_words,
    parts_table,
    studies_in_words,
)
from . import estimates
from .sections_designs import kept, supposed

if TYPE_CHECKING:
    from ...trials.operating.result_tables import Assessment


def interval_section(assessment: Assessment) -> Section | None:
    """Return the section on what intervals of the primary endpoint are made of; None where nothing was estimated."""
    figures, tables, paragraphs = list[Drawing](), list[Table](), list[str]()
    designs = assessment.protocol.designs
    for design in designs:
        rows, head = _rows(assessment, design)
        if not rows:
            continue
        scale = estimates.primary(assessment, design)
        title = words.capital(words.design(assessment, design))
        parts = [row.parts for row in rows]
        name = f"interval-{len(tables) + 1}"
        drawn = draw_interval_parts(
            name, f"What the interval is made of: {title}", rows, scale.value, scale.axis, scale.range
        )
        figures += kept(drawn) if any(len(row.parts.held) > 1 for row in rows) else []
        caption = f"{title}: 95 % of trials if each part were alone, and all that are there together."
        tables.append(parts_table(caption, head, rows, scale.range))
        paragraphs += [text for text in (_in_words(assessment, design, parts),) if text not in paragraphs]
    if not tables:
        return None
    text = (
        "A new trial differs from what is simulated here for three reasons: chance, parameters that nobody knows exactly, and what trials of the "
        "kind differ by without anybody knowing why. Ranges in other sections hold the first, and the second where parameters are drawn."
    )
    return Section("intervals", "What the intervals hold", [text, *paragraphs], figures, tables)


def _rows(assessment: Assessment, design: str) -> tuple[list[PartedInterval], list[str]]:
    """Return the estimates of the primary endpoint of a design with their parts, and the names of the columns of their labels."""
    table = assessment.results
    names, named = supposed(assessment, design)
    keep = (table["design"] == design) & (table["role"] == "primary") & (table["stratum"] == "all")
    rows = [row for row in table[keep].to_dict("records") if row["scenario"] in names and math.isfinite(row["mean"])]
    several = len({(row["treated"], row["control"]) for row in rows}) > 1
    head = [*(["comparison"] if several else []), *(["scenario"] if named else [])] or ["estimate"]
    parted = [PartedInterval(_labels(assessment, row, several, named), row["mean"], parts_of_row(row)) for row in rows]
    return [row for row in parted if row.parts.held], head


def _labels(assessment: Assessment, row: dict[Any, Any], several: bool, named: bool) -> tuple[str, ...]:
    labels = [
        *([words.contrast(assessment, row["treated"], row["control"])] if several else []),
        *([words.capital(words.scenario(row["scenario"]))] if named else []),
    ]
    return tuple(labels) or (estimates.of_row(row).what,)


def parts_of_row(row: dict[Any, Any]) -> IntervalParts:
    """Return the parts of the interval of a row of the results."""
    sets = row.get("parameter_sets", 0)
    deviations = {name: float(row.get(f"sd_{name}", math.nan)) for name in ("chance", "parameters", "studies")}
    return IntervalParts(**deviations, sets=int(sets) if math.isfinite(sets) else 0)


def _in_words(assessment: Assessment, design: str, parts: list[IntervalParts]) -> str:
    protocol, controlled = assessment.protocol, design not in assessment.single
    endpoint = protocol.endpoints.primary
    differences = endpoint_differences(protocol, endpoint, controlled)
    sentences = [
        holds_in_words(parts),
        parameters_in_words(max(of_row.sets for of_row in parts), fit_of(protocol)),
        studies_in_words(differences, fit_of_studies(protocol), kind_of_endpoint(endpoint, controlled)),
    ]
    return " ".join(sentence for sentence in sentences if sentence)
