"""Case reports can decide harm and nothing else, opinions decide nothing, legal facts stand beside, a bound of p bounds the error."""

from __future__ import annotations

from dataclasses import replace

import pytest

from betapod.base.errors import EvidenceError
from betapod.claims import claims, ledger
from betapod.claims.claim_verdict import judge_claim
from betapod.claims.legal_status import legal_facts, legal_sentences
from betapod.claims.questions import Question, Reply, ask, records_of
from betapod.evidence.records.registry import Registry
from betapod.evidence.synthesis.reported_error import error_at_most, reported_error

pytest.importorskip("pymare")

KNOWN = ledger.evidence_for_claims()
CASE = Question("a case", records=("VECERIC2021_FATAL_CASE#1",), expects="within", says=("serious_harm_caused",))


def reply(answer: str, certainty: str = "high") -> Reply:
    return Reply(Question("asked"), answer, 1.0, None, "", certainty, ("X#1",), ("X",), "made")


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        (("for",), "supported"),
        (("for", "case of harm"), "partly supported"),
        (("short", "case of harm"), "partly supported"),
        (("case of harm",), "not supported"),
        (("open", "case of harm"), "not supported"),
        (("against", "case of harm"), "contradicted"),
        (("for", "opinion"), "supported"),
        (("opinion",), "untested"),
        (("opinion", "nothing"), "untested"),
    ],
)
def test_one_case_of_harm_is_enough_and_no_opinion_ever_is(answers: tuple[str, ...], verdict: str) -> None:
    found = judge_claim([reply(answer) for answer in answers], (), False)
    assert found.verdict == verdict
    assert ("cases of harm" in found.because) == ("case of harm" in answers and verdict == "partly supported")


def test_a_case_counts_when_its_authors_hold_the_treatment_to_be_the_cause() -> None:
    assert ask(CASE, KNOWN).answer == "case of harm"
    suspected = replace(CASE, records=("KIM2017_CASE#1",))
    assert ask(suspected, KNOWN).answer == "leans against"
    both = ask(replace(CASE, records=("KIM2017_CASE#1", "THIRABANJASAK2010_CASE#1")), KNOWN)
    assert both.answer == "case of harm" and both.how.startswith("1 of 2 hold the treatment to be the cause")
    # The same words in a trial are no case report.
    changed = Registry(tuple(replace(one, design="RCT") if one.id == CASE.records[0] else one for one in KNOWN))
    assert ask(CASE, changed).answer == "leans against"


def test_a_case_never_shows_a_benefit() -> None:
    cases = {record.id for record in KNOWN if record.design == "case-report"}
    for claim in claims.load_claims():
        for question in claim.questions:
            rows = {record.id for record in records_of(question, KNOWN)}
            assert not cases & rows or question.expects == "within", claim.id


def test_what_a_guideline_says_is_shown_and_decides_nothing() -> None:
    question = Question("guideline", records=("KDIGO2022#1",), says=("conventional_treatment",))
    answer = ask(question, KNOWN)
    assert answer.answer == "opinion" and "layered approach" in answer.how
    assert judge_claim([answer, reply("open")], (), False) == judge_claim([reply("open")], (), False)


def test_legal_facts_have_a_date_and_a_source_and_stand_on_cards_that_exist() -> None:
    used = {name for claim in claims.load_claims() for name in claim.legal}
    assert used and used <= set(legal_facts())
    for fact in legal_facts().values():
        assert fact.date[:2] == "20" and fact.source and fact.locator and fact.fact.endswith(".")
    (sentence,) = legal_sentences(["CN2012"])
    assert sentence.startswith("China, 2012-01-10: ") and "Reuters" in sentence
    text = claims.FILE.read_text(encoding="utf-8").replace("legal:\n    - CN2012", "legal:\n    - CN2102", 1)
    with pytest.raises(EvidenceError, match="CN2102") as caught:
        claims.parse_claims(text, "mine.yaml")
    assert "CN2012" in caught.value.problems[0].hint


def test_a_bound_of_p_is_the_largest_error_of_one_number_and_never_pooled() -> None:
    vegetable = KNOWN["KONTESSIS1990#1"]
    assert reported_error(vegetable).size is None
    assert error_at_most(vegetable) == pytest.approx(10 / 3.2905, rel=1e-4)
    assert error_at_most(replace(vegetable, p_value="0.01")) is None
    assert error_at_most(replace(vegetable, contrast="change")) is None
    found = ask(Question("", records=(vegetable.id,), null=0.0), KNOWN)
    assert found.answer == "against" and found.ci == pytest.approx((-15.96, -4.04), abs=0.01)
