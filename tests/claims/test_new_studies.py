"""What a claim asks, it asks of any new study of the same endpoint, product and people; else nothing changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from betapod.claims import ledger
from betapod.claims.claims import Claim, find_claims, load_claims
from betapod.claims.new_studies import Asked, new_studies, questions_of, scope_of, why_unasked
from betapod.claims.questions import Question, ask, records_of
from betapod.evidence.records.registry import Registry
from betapod.evidence.records.study import Record

pytest.importorskip("pymare")

PUBLISHED = ledger.evidence_for_claims()


def with_rows(*rows: Record, study: str = "NEW2026") -> Registry:
    """Return the registry with copies of rows as those of a new study."""
    new = (replace(row, id=f"{study}#{n}", study=study, family=study) for n, row in enumerate(rows, 1))
    return Registry((*PUBLISHED.records, *new))


def claim(name: str) -> Claim:
    return find_claims([name])[0]


def asked_of_new(which: Claim, registry: Registry) -> list[Question]:
    return [
        question
        for question in questions_of(which, registry)
        if any(row.study == "NEW2026" for row in records_of(question, registry))
    ]


def stated_by(row: Record) -> Question:
    """Return the question of B28 that a statement answers."""
    return next(q for q in claim("B28").questions if records_of(q, PUBLISHED) == [row])


#: A controlled difference of eGFR with umbilical cord cells in diabetic kidney disease.
EGFR = replace(
    PUBLISHED["PACKHAM2016#1"], endpoint="eGFR", endpoint_text="eGFR", arm="cells vs placebo", product="UC-MSC", n=200,
    weeks=52.0, kind="difference", contrast="between", value=9.0, unit="mL/min/1.73m2", statistic_text="diff_vs_control",
    dispersion=replace(PUBLISHED["PACKHAM2016#1"].dispersion, low=1.5, high=1.5), printed_value="9",
)  # fmt: skip


def test_without_new_studies_every_question_is_as_it_was() -> None:
    assert not new_studies(PUBLISHED)
    unrelated = with_rows(replace(EGFR, endpoint="grip strength", endpoint_text="grip strength"))
    assert new_studies(unrelated) == {"NEW2026"}
    for each in load_claims():
        assert questions_of(each, PUBLISHED) is each.questions
        assert questions_of(each, unrelated) == each.questions


def test_a_study_that_nobody_asks_changes_no_verdict_and_no_answer() -> None:
    unrelated = with_rows(replace(EGFR, endpoint="grip strength", endpoint_text="grip strength"))
    before, after = (ledger.judge_ledger(records=records, run=False) for records in (PUBLISHED, unrelated))
    for old, new in zip(before, after, strict=True):
        assert old.verdict == new.verdict and old.replies == new.replies


def test_every_question_reaches_a_new_study_like_the_one_that_it_asks() -> None:
    # One question of each claim, another in each: all of them take seconds.
    for number, each in enumerate(load_claims()):
        question = each.questions[number % len(each.questions)]
        assert asked_of_new(each, with_rows(*records_of(question, PUBLISHED))), (each.id, question.text)


def test_a_claim_is_reached_by_a_product_of_the_same_group_and_nothing_else() -> None:
    assert asked_of_new(claim("B28"), with_rows(EGFR))
    for other in (
        replace(EGFR, product="SGLT2 inhibitor"),
        replace(EGFR, population="T1D"),
        replace(EGFR, species="animal"),
        replace(EGFR, tag="memory"),
        replace(EGFR, endpoint="SBP", endpoint_text="SBP"),
    ):
        assert not asked_of_new(claim("B28"), with_rows(other))


def test_numbers_of_primary_studies_are_pooled_and_meta_analyses_are_left_alone() -> None:
    registry = with_rows(EGFR)
    (question,) = asked_of_new(claim("B28"), registry)
    reply = ask(question, registry)
    assert set(reply.studies) == {"PACKHAM2016", "NEW2026"} and question.text.endswith("; with NEW2026 at 52 weeks")
    assert claim("B28").questions.index(claim("B28").questions[0]) == questions_of(claim("B28"), registry).index(
        question
    )
    (alone,) = asked_of_new(claim("B09"), registry)
    assert ask(alone, registry).studies == ("NEW2026",) and "asked as MA_DU2025_DKD is" in alone.text
    named = [
        q for q in claim("B09").questions if q.studies == ("MA_DU2025_DKD",) and q.select.get("endpoint") == "eGFR"
    ]
    assert (alone.requires, alone.direct, alone.expects) == (named[0].requires, named[0].direct, named[0].expects)


def test_a_least_effect_is_not_required_of_another_kind_of_number() -> None:
    ratio = replace(EGFR, kind="geometric_ratio", value=1.2, unit="1", dispersion=None, p_value="0.01")
    registry = with_rows(ratio)
    for question in asked_of_new(claim("B28"), registry):
        assert question.requires is None or ask(question, registry).answer == "nothing"


def test_words_of_a_new_study_are_asked_as_words_and_numbers_for_the_side_that_is_good() -> None:
    words = PUBLISHED["NEPHSTROM2023#12"]
    (question,) = asked_of_new(claim("B28"), with_rows(words))
    assert question.records == ("NEW2026#1",) and question.says == ("better",)
    assert ask(question, with_rows(words)).answer == ask(stated_by(words), PUBLISHED).answer
    number = replace(EGFR, endpoint=words.endpoint, endpoint_text=words.endpoint_text, better=1)
    pattern = Asked(stated_by(words), (words,))
    assert pattern.fits(replace(number, product="BM-MSC"))
    (asked,) = asked_of_new(claim("B28"), with_rows(number))
    assert asked.expects == "above" and ask(asked, with_rows(number)).answer == "for"


def test_what_a_claim_asks_of_new_studies_is_said() -> None:
    lines = scope_of(claim("B28"), PUBLISHED)
    assert any(line.startswith("eGFR with ") and "UC-MSC" in line and line.endswith("in DKD, CKD") for line in lines)
    assert any("in animals" in line for line in scope_of(claim("A10"), PUBLISHED))


def test_a_row_that_nobody_asks_is_told_what_the_nearest_questions_are_about() -> None:
    rows = [
        replace(EGFR, id="N#1", study="N", endpoint="SBP"),
        replace(EGFR, id="N#2", study="N", product="SGLT2 inhibitor"),
        replace(EGFR, id="N#3", study="N", population="T1D"),
        replace(EGFR, id="N#4", study="N", tag="memory"),
        replace(EGFR, id="PACKHAM2016#40", endpoint="SBP"),
    ]
    said = why_unasked(rows, [claim("B24"), claim("B28")], PUBLISHED)
    assert said["N#1"] == "no question is about SBP"
    assert "BM-MSC" in said["N#2"] and said["N#2"].endswith("not of SGLT2 inhibitor, by B24, B28")
    assert said["N#3"] == "eGFR with UC-MSC is asked in DKD, CKD, not in T1D, by B24, B28"
    assert "recalled" in said["N#4"] and "'replaces'" in said["PACKHAM2016#40"]
