"""No study of the registry is left aside without a reason, and no reason outlives its study or a question that asks it."""

from __future__ import annotations

from collections import Counter

from betapod.claims import ledger, unasked
from betapod.claims.claims import load_claims
from betapod.claims.questions import records_of

KNOWN = ledger.evidence_for_claims()
REASONS = unasked.unasked_studies()


def test_every_study_is_asked_or_says_why_not() -> None:
    studies = {record.study for record in KNOWN}
    asked = {
        record.study
        for claim in load_claims()
        for question in claim.questions
        for record in records_of(question, KNOWN)
    }
    assert studies - asked - set(REASONS) == set()
    assert set(REASONS) & asked == set() and set(REASONS) <= studies


def test_reasons_are_sentences_and_what_stands_for_a_study_is_asked() -> None:
    assert all(len(reason) > 10 for reason in REASONS.values())
    names = {record.study for record in KNOWN}
    for reason in REASONS.values():
        for study in {word.strip(".,;()") for word in reason.split()} & names:
            assert study not in REASONS, reason
    assert sum(reason == "recalled, not read" for reason in REASONS.values()) == 4
    assert max(Counter(REASONS.values()).values()) < 45


def test_recalled_studies_are_the_only_ones_without_a_number_that_was_read() -> None:
    recalled = {study for study, reason in REASONS.items() if reason == "recalled, not read"}
    read = {record.study for record in KNOWN if record.tag == "seen"}
    assert recalled == {record.study for record in KNOWN} - read
