"""Rows of the answer about who and when, and the list of what is not known, out of ledger, registry and simulation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...claims.typical_effects import GRAFTED, INFUSED
from ...therapies.scenarios import CURRENT_EVIDENCE
from ...trust.trust_answer import trust_sentence
from ...trust.trust_lines import question_of_cells

#: What the answer is about, as published numbers are.
_ABOUT = ("glucose", "insulin and C-peptide", "filtration", "albuminuria")

if TYPE_CHECKING:
    from .whole_answer import Answer


def who_rows(answer: Answer) -> list[dict[str, str]]:
    """Return question, published answer and simulated answer by stage, type and product."""
    verdicts = answer.verdicts
    rows = [
        (
            "Early kidney disease",
            f"whether cells work best early: {verdicts['B11']} (B11); no trial compared stages",
            _model(answer, "t2d_micro", INFUSED, ("eGFR", "UACR")),
        ),
        (
            "Advanced kidney disease",
            "eGFR {cells-eGFR-blinded} at {cells-eGFR-blinded-time} against placebo; {cells-eGFR} in a summary of trials",
            _model(answer, "t2d_ckd", INFUSED, ("eGFR", "UACR")),
        ),
        (
            "Type 2 diabetes, infused cells",
            "HbA1c {cells-HbA1c} pooled here; free of insulin {cells-insulin-free-counted}",
            _model(answer, "t2d_ckd", INFUSED, ("HbA1c", "insulin_dose")),
        ),
        (
            "Type 1 diabetes, infused cells",
            "HbA1c {cells-HbA1c-type1} in a summary of trials",
            _model(answer, "t1d", INFUSED, ("HbA1c", "insulin_dose")),
        ),
        (
            "Type 1 diabetes, islets made from stem cells",
            "free of insulin {SC-islets-insulin-free-counted}, died {SC-islets-deaths}, no control group",
            _model(answer, "t1d", GRAFTED, ("HbA1c", "insulin_dose", "eGFR")),
        ),
    ]
    if answer.asked_for:
        person, course = answer.asked_for
        label = next(effect.label for effect in answer.simulated if effect.person == person)
        rows.append((f"As asked: {label}; {course}", "", _model(answer, person, course, ("eGFR", "UACR", "HbA1c"))))
    return [dict(zip(("question", "published", "model"), row, strict=True)) for row in rows]


def _model(answer: Answer, person: str, course: str, quantities: Sequence[str]) -> str:
    keys = {
        effect.quantity: effect.key
        for effect in answer.simulated
        if (effect.person, effect.course, effect.scenario) == (person, course, CURRENT_EVIDENCE)
    }
    return ", ".join(f"{name.replace('insulin_dose', 'insulin a day')} {{{keys[name]}}}" for name in quantities)


def trusted_sentences() -> list[str]:
    """Return how far published numbers on cells bear the model out: all together, and by what the answer is about."""
    return [trust_sentence(question_of_cells(names)) for names in ((), *((name,) for name in _ABOUT))]


def missing_knowledge(answer: Answer) -> list[str]:
    """Return what is not known: outcomes nobody measured, claims that nobody tested, parts of statements that nothing judges."""
    unmeasured = [
        f"{effect.treatment[0].upper()}{effect.treatment[1:]}: {effect.question_text} in {effect.who} was measured in no trial that we read."
        for effect in answer.published
        if not effect.measured
    ]
    about_cells = [entry for entry in answer.entries if entry.claim.about == "cells"]
    untested = [
        f"{entry.claim.claim} ({entry.claim.id}): {entry.claim.missing}"
        for entry in about_cells
        if entry.verdict.verdict == "untested" and entry.claim.missing
    ]
    gaps = [statement.gap for page in answer.pages for statement in page.statements if statement.gap]
    open_questions = [
        "For how long any effect lasts, and what a second course adds.",
        "Which cells, which dose and which route are best: no trial in diabetic kidney disease was large enough to tell.",
        "What many cells of a stranger do to a later transplant, beyond the antibodies that were counted.",
        "Who is eligible, what a course costs, and whether there would be enough cells for many patients.",
    ]
    return [*unmeasured, *open_questions, *gaps, *untested]
