"""The main result of a trial report in brief: one sentence, the main number with its interval, and at most three facts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...trials.analysis.endpoints import comparisons
from ...trials.operating.sizing import AS_WRITTEN, NULL
from ..common import words
from . import answers, estimates
from .sections_designs import evidence_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...trials.operating.result_tables import Assessment


@dataclass(frozen=True)
class Brief:
    """What a reader sees first.

    Attributes
    ----------
    design
        The design that the message is about; its picture stands beside it.
    message
        The answer in one or two sentences, with the main number and its interval.
    facts
        What else decides, one sentence each.
    """

    design: str
    message: str
    facts: tuple[str, ...]


def brief(assessment: Assessment) -> Brief:
    """Return the main result: of the first design without a control group, else of the first with one."""
    design = [*assessment.single, *assessment.controlled, *assessment.protocol.designs][0]
    message = _uncontrolled(assessment, design) if design in assessment.single else _controlled(assessment, design)
    facts = (_compared(assessment) if design in assessment.single else "", _evidence(assessment), _size(assessment))
    return Brief(design, message or answers.primary_endpoint_answer(assessment), tuple(text for text in facts if text))


def _uncontrolled(assessment: Assessment, design: str) -> str:
    arms = list(assessment.protocol.designs[design].arms)
    named = words.has_cells(assessment, *arms)
    row = assessment.result(design, NULL if named else words.scenarios(assessment, *arms)[0])
    if not row or not math.isfinite(row["improved"]):
        return ""
    scale = estimates.primary(assessment, design)
    patients = words.counted(assessment.protocol.size(design), "patient")
    supposed = "even if the cells did no good" if named else f"with {words.arm(assessment, arms[0])}"
    return (
        f"Without a control group, {words.percent_text(row['improved'])} of studies of {patients} would report a significant improvement {supposed}. "
        f"On average, {answers.moved_text(assessment, scale, row['mean'])} (95 % of studies: {scale.range(row['low'], row['high'])})."
    )


def _controlled(assessment: Assessment, design: str) -> str:
    rows = _rows(assessment, design)
    if not rows:
        return ""
    scale = estimates.primary(assessment, design)
    first = next(iter(rows.values()))
    pair = words.contrast(assessment, str(first["treated"]), str(first["control"]))
    patients = words.counted(assessment.protocol.size(design), "patient")
    shares = _shares(assessment, rows, "improved")
    if not words.has_cells(assessment, str(first["treated"]), str(first["control"])):
        chance = f" {shares} of trials of {patients} show a significant benefit." if shares else ""
        return f"{words.capital(pair)}: {_difference(scale, first)}.{chance}"
    last = list(rows)[-1]
    chance = f"Randomised trials of {patients} show a significant benefit in {shares}. " if shares else ""
    return f"{chance}{words.capital(pair)}, if {words.scenario(last)}: {_difference(scale, rows[last])}."


def _difference(scale: estimates.Scale, row: Mapping[str, Any]) -> str:
    quantity = "" if scale.ratio else f"difference in the {scale.what} "
    return f"{quantity}{scale.text(row['mean'])} on average (95 % of trials: {scale.range(row['low'], row['high'])})"


def _compared(assessment: Assessment) -> str:
    """Say what the first randomised design adds to one without a control group."""
    if not assessment.controlled:
        return ""
    design = assessment.controlled[0]
    shares = _shares(assessment, _rows(assessment, design), "improved")
    patients = words.counted(assessment.protocol.size(design), "patient")
    return f"Randomised trials of {patients} show a significant benefit in {shares}." if shares else ""


def _rows(assessment: Assessment, design: str) -> dict[str, dict[str, Any]]:
    """Return scenario -> primary result of the first comparison, where it could be estimated."""
    first = comparisons(assessment.protocol, design)[0]
    names = words.scenarios(assessment, first.treated, str(first.control))
    rows = {name: assessment.result(design, name) for name in names}
    return {name: row for name, row in rows.items() if row and math.isfinite(row["mean"])}


def _shares(assessment: Assessment, rows: Mapping[str, Mapping[str, Any]], column: str) -> str:
    """Return a share for every scenario: ``5 % if cells do no good and 60 % if cells do all that is claimed for them``."""
    named = any(words.has_cells(assessment, str(row["treated"]), str(row["control"])) for row in rows.values())
    pieces = [
        words.percent_text(row[column]) + (f" if {words.scenario(name)}" if named else "")
        for name, row in rows.items()
        if math.isfinite(row[column])
    ]
    return words.listed(pieces)


def _evidence(assessment: Assessment) -> str:
    """Say how little or much a report of improvement without a control group is, under the scenario for which it says most."""
    rows = [row for row in evidence_rows(assessment) if not row["controlled"]]
    if not rows:
        return ""
    most = max(rows, key=lambda row: row["ratio"])
    return (
        f"A report of improvement without a control group is at most {words.ratio_text(most['ratio'])} times as probable "
        f"if {words.scenario(str(most['scenario']))} as if they do no good: {words.strength(most['words'])}."
    )


def _size(assessment: Assessment) -> str:
    """Say how many patients a trial needs on the primary endpoint, as the protocol measures it."""
    rows = {
        name: variants[AS_WRITTEN]
        for name, variants in answers.sizes_by_scenario(assessment, "primary").items()
        if AS_WRITTEN in variants
    }
    rows = {name: row for name, row in rows.items() if answers.is_estimable(row)}
    if not rows:
        return ""
    named = words.has_cells(assessment)
    pieces = [
        (answers.needed_text(row) if math.isfinite(float(row["n"])) else "no trial can show a benefit")
        + (f" if {words.scenario(name)}" if named else "")
        for name, row in rows.items()
    ]
    pair = answers.of_several(assessment)
    return f"For 80 % power{f' ({pair})' if pair else ''}: {'; '.join(pieces)}."
