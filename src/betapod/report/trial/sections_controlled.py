"""What a design with several groups reports: differences, slopes, one trial as it would be published."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...trials.analysis.endpoints import comparisons
from ...trials.operating.test_rules import TestRule, rule_of
from ..common import words
from ..common.document import Section, Table
from ..common.drawing import slug
from . import estimates
from . import trial_figures_designs as draw
from .analyses import compared_by
from .endpoint_figures import draw_event_free, draw_hierarchy, draw_operating, draw_tipping
from .sections_designs import arms_of, kept, supposed

if TYPE_CHECKING:
    from ...trials.operating.result_tables import Assessment


def controlled_section(assessment: Assessment, design: str) -> Section:
    """Return what a design with several groups reports."""
    table = assessment.results
    names, named = supposed(assessment, design)
    scale = estimates.primary(assessment, design)
    rows = [
        r
        for r in table[
            (table["design"] == design) & (table["role"] == "primary") & (table["stratum"] == "all")
        ].to_dict("records")
        if r["scenario"] in names
    ]
    several = len({(r["treated"], r["control"]) for r in rows}) > 1
    truth = next((words.truth_label(r.get("truth_of", "")) for r in rows if math.isfinite(r["truth"])), "")
    head = [*(["comparison"] if several else []), *(["scenario"] if named else [])]
    cells = [
        [
            *([words.contrast(assessment, r["treated"], r["control"])] if several else []),
            *([words.capital(words.scenario(r["scenario"]))] if named else []),
            scale.text(r["mean"]),
            scale.range(r["low"], r["high"]),
            _rate(r),
            words.percent_text(r["improved"], 1),
            *([scale.text(r["truth"])] if truth else []),
        ]
        for r in rows
    ]
    kind = f"mean {scale.ratio or 'difference'}"
    rule = rule_of(assessment.protocol.endpoints, assessment.protocol.endpoints.primary)
    tables = [
        Table(
            f"{_difference(scale)} {words.at_visit(scale.summary, assessment.visit)}; {words.counted(assessment.replicates, 'trial')} of {words.counted(assessment.protocol.size(design), 'patient')}. "
            f"Significant: {rule.words}, with its 95 % Monte Carlo interval.",
            [*head, kind, "95 % of trials", "significant", _success(rule), *([truth] if truth else [])],
            cells,
            max(1, len(head)) if head else 0,
        )
    ]
    tells = any(row["tests_cells"] for row in rows)
    figures = kept(
        draw.draw_studies(assessment, design),
        draw_operating(assessment, design, names, named),
        draw_event_free(assessment, design, names[-1]),
        draw_hierarchy(assessment, design, names[-1]),
        draw_tipping(assessment, design, names[-1]),
        draw.free_of_event(assessment, design, names[-1]),
        *(draw.draw_course(assessment, design, arm, assessment.code) for arm in arms_of(assessment, design)),
    )
    tables += _slopes(assessment, design, names, named)
    closing = []
    if tells and len(names) > 1 and math.isfinite(assessment.assurance(design)):
        closing.append(
            f"If the scenarios are held equally probable, the chance that such a trial shows a benefit (assurance) is "
            f"{words.percent_text(assessment.assurance(design))}{words.first_of_several(assessment, design)}."
        )
    tables += _one_trial(assessment, design, names, named)
    key = f"design-{slug(design)}"
    title = words.capital(words.design(assessment, design))
    return Section(key, title, [_compared(assessment, design)], figures, tables, closing=closing)


def _compared(assessment: Assessment, design: str) -> str:
    """Say which groups are compared, how, and what the difference is about."""
    pairs = [(comparison.treated, str(comparison.control)) for comparison in comparisons(assessment.protocol, design)]
    control = pairs[0][1]
    if len(pairs) == 1:
        text = f"One group gets \u201c{words.arm(assessment, pairs[0][0])}\u201d, the other \u201c{words.arm(assessment, control)}\u201d; "
    else:
        groups = words.listed([f"\u201c{words.arm(assessment, treated)}\u201d" for treated, _ in pairs])
        text = f"The groups {groups} are each compared with \u201c{words.arm(assessment, control)}\u201d; "
    text += f"{compared_by(assessment.protocol)}."
    with_cells = [name for name in arms_of(assessment, design) if words.has_cells(assessment, name)]
    if len(pairs) == 1 and len(with_cells) == 2:
        first, second = (assessment.protocol.arms[name].cells for name in with_cells)
        if first == second:
            text += " Both groups get the same cells: the difference is the effect of the other treatment, not of the cells."
        else:
            text += " Both groups get cells: the difference compares two treatments with cells; it is not the effect of cells."
    elif len(pairs) == 1 and with_cells:
        first_arm, second_arm = (assessment.protocol.arms[name] for name in pairs[0])
        if (first_arm.therapies, first_arm.inputs) != (second_arm.therapies, second_arm.inputs):
            text += " The groups differ in more than the cells: the difference is not the effect of the cells alone."
    return text


def _success(rule: TestRule) -> str:
    """Return what a trial is to show, as the head of a column."""
    return "significant benefit" if rule.objective == "superiority" else rule.objective


def _difference(scale: estimates.Scale) -> str:
    if scale.ratio:
        of = f"{scale.ratio} of the event" if scale.summary == "time to event" else scale.what
        return words.capital(of)
    return f"Difference in the {scale.what}"


def _rate(row: Any) -> str:
    if not math.isfinite(row["significant"]):
        return "\u2013"
    return f"{words.percent_text(row['significant'], 1)} ({100 * row['significant_low']:.1f}\u2013{100 * row['significant_high']:.1f})"


def _slopes(assessment: Assessment, design: str, names: Sequence[str], named: bool) -> list[Table]:
    """Return the table of eGFR slopes."""
    if assessment.slopes.empty:
        return []
    slopes = assessment.slopes[
        (assessment.slopes["design"] == design) & assessment.slopes["scenario"].isin(names)
    ].dropna(subset=["mean"])
    if slopes.empty:
        return []
    several = len(set(slopes["treated"])) > 1
    rows = [
        [
            *([words.contrast(assessment, r["treated"], r["control"])] if several else []),
            *([words.capital(words.scenario(r["scenario"]))] if named else []),
            str(r["slope"]),
            words.written_number(r["mean"], 1, sign=True),
            f"{words.written_number(r['low'], 1, sign=True)} to {words.written_number(r['high'], 1, sign=True)}",
            words.unit(r["unit"]),
            words.percent_text(r["significant"]),
        ]
        for r in slopes.to_dict("records")
    ]
    kinds = {
        "acute change": "of the acute change (to the first visit from day 80)",
        "chronic slope": "of the chronic slope (from there on)",
        "total slope": "of the total slope",
    }
    described = [text for name, text in kinds.items() if name in set(slopes["slope"])]
    head = [*(["comparison"] if several else []), *(["scenario"] if named else [])]
    return [
        Table(
            f"eGFR: difference {words.listed(described)}, with the range of 95 % of trials.",
            [*head, "eGFR", "difference", "95 % of trials", "unit", "significant"],
            rows,
            len(head) + 1,
        )
    ]


def _events(row: Any) -> str:
    treated, control = row["events_treated"], row["events_control"]
    return "" if not math.isfinite(treated) else f"{treated:.0f} against {control:.0f}"


def _one_trial(assessment: Assessment, design: str, names: Sequence[str], named: bool) -> list[Table]:
    """Return the typical trial as it would be published."""
    if assessment.one_trial.empty:
        return []
    table = assessment.one_trial[
        (assessment.one_trial["design"] == design) & assessment.one_trial["scenario"].isin(names)
    ]
    several = len(set(table["treated"])) > 1
    scale = estimates.primary(assessment, design)
    counted = "events_treated" in table and table["events_treated"].notna().any()
    rows = []
    for r in table.dropna(subset=["effect"]).to_dict("records"):
        row_scale = estimates.Scale("time to event", "EGFR") if "hazard" in str(r["analysis"]) else scale
        rows.append(
            [
                *([words.contrast(assessment, r["treated"], r["control"])] if several else []),
                *([words.capital(words.scenario(str(r["scenario"])))] if named else []),
                str(r["analysis"]),
                *([_events(r)] if counted else []),
                row_scale.number(r["effect"]) if row_scale.ratio else row_scale.text(r["effect"]),
                row_scale.range(r["low"], r["high"]),
                words.p_value(r["p"]),
            ]
        )
    if not rows:
        return []
    analyses = " ".join(set(table["analysis"]))
    head = [*(["comparison"] if several else []), *(["scenario"] if named else [])]
    return [
        Table(
            "One trial as it would be published: the one with the median result."
            + (
                " Mixed model: all visits up to that of the endpoint, as categories, with an unstructured covariance and Satterthwaite's degrees "
                "of freedom."
                if "mixed" in analyses
                else ""
            )
            + (
                " Hazard: ratio for kidney failure or a confirmed fall of eGFR by 40 %, where both groups had events."
                if "hazard" in analyses
                else ""
            ),
            [*head, "analysis", *(["patients with the event"] if counted else []), "estimate", "95 % interval", "p"],
            rows,
            len(head) + 1,
        )
    ]
