"""Groups that began apart are compared by how far each moved, with what is assumed said."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from betapod.claims import baselines, ledger
from betapod.claims.questions import Question, ask
from betapod.evidence.records.registry import Registry

pytest.importorskip("pymare")

KNOWN = ledger.evidence_for_claims()
PROTRANS = {"study": "CARLSSON2023_PROTRANS", "endpoint": "C_peptide_AUC"}


def test_groups_that_began_apart_are_compared_by_their_changes() -> None:
    """85 against 30 after a year is a gain of 55 only if one forgets that they began at 96 and 48."""
    reply = ask(Question("", select=PROTRANS), KNOWN)
    assert reply.estimate == pytest.approx((85 - 96) - (30 - 48)) and reply.answer == "open"
    ten = (34**2 + 30**2 - 2 * 0.5 * 34 * 30) / 10
    five = (26**2 + 26**2 - 2 * 0.5 * 26 * 26) / 5
    half = 1.959964 * math.sqrt(ten + five)
    assert reply.ci == pytest.approx((7 - half, 7 + half), rel=1e-5)
    assert "assumed 0.5 (0.3 to 0.8)" in reply.how
    assert set(reply.records) == {f"CARLSSON2023_PROTRANS#{number}" for number in (1, 2, 3, 4)}


def test_without_printed_starts_ends_are_compared_as_they_stand() -> None:
    ends = Registry(tuple(record for record in KNOWN if record.weeks != 0.0))
    reply = ask(Question("", select=PROTRANS), ends)
    assert reply.estimate == pytest.approx(55.0) and "change" not in reply.how


def test_an_answer_that_depends_on_the_correlation_is_open() -> None:
    pair = [KNOWN[name] for name in ("NEWT2D_KIDNEY#4", "NEWT2D_KIDNEY#1")]
    low, middle, high = (baselines.error_of_sum(pair, r) for r in (0.3, 0.5, 0.8))
    assert low is not None and middle is not None and high is not None and low > middle > high
    question = Question("", records=tuple(record.id for record in pair), expects="below")
    reply = ask(question, Registry(tuple(pair)))
    assert reply.ci is not None and reply.ci[1] < 0.0, "the interval alone would be for"
    assert reply.answer == "open" and "on which the answer depends: at 0.3 open, at 0.8 for" in reply.how
    narrow = [replace(r, dispersion=replace(r.dispersion, low=r.dispersion.low / 2)) for r in pair if r.dispersion]
    reply = ask(question, Registry(tuple(narrow)))
    assert reply.answer == "for" and "depends" not in reply.how


def test_other_people_are_independent() -> None:
    low, usual = KNOWN["HANSEN2002#3"], KNOWN["HANSEN2002#2"]
    assert baselines.error_of_sum((low, usual), 0.8) == baselines.error_of_sum((low, usual), 0.0)
    assert not baselines.same_people(low, usual)
