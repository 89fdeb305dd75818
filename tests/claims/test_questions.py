"""Every claim asks the records something; animals, single shares, intervals and steps of certainty are read as they should be."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from betapod.base.errors import EvidenceError
from betapod.claims import claims, ledger
from betapod.claims.questions import Question, ask
from betapod.evidence.records import registry
from betapod.validation.scorecard.targets import select_targets

KNOWN = ledger.evidence_for_claims()
ENTRIES = {entry.claim.id: entry for entry in ledger.judge_ledger(records=KNOWN, run=False)}


def test_every_claim_asks_and_is_answered() -> None:
    silent = [name for name, one in ENTRIES.items() if not any(reply.answer != "nothing" for reply in one.replies)]
    assert silent == []


def test_replies_name_no_number_of_people_that_nobody_knows() -> None:
    review = KNOWN["MA_FRONTENDO2024#1"]
    assert review.n is None
    assert ask(Question("", records=(review.id,), requires=1.0), KNOWN).how == "one reported number"
    assert [reply.how for one in ENTRIES.values() for reply in one.replies if "None" in reply.how] == []


def test_no_claim_asks_the_same_twice() -> None:
    for claim in claims.load_claims():
        texts = [question.text for question in claim.questions]
        assert len(texts) == len(set(texts)), claim.id


def test_a_claim_without_a_direct_record_says_which_is_missing_and_others_do_not() -> None:
    for name, entry in ENTRIES.items():
        direct = any(reply.direct and reply.answer != "nothing" for reply in entry.replies)
        assert direct != bool(entry.claim.missing), name


def test_animals_and_cultures_never_decide() -> None:
    question = Question("", records=("DENG2018#1",), says=("up",), direct=True)
    reply = ask(question, KNOWN)
    assert reply.answer == "leans for" and not reply.human and not reply.direct
    others = [record.id for record in KNOWN if record.species != "human"]
    assert len(others) > 10
    for entry in ENTRIES.values():
        for reply in entry.replies:
            assert not (reply.direct and set(reply.records) & set(others)), entry.claim.id


def test_one_share_keeps_its_number() -> None:
    none = ask(Question("", select={"study": "HSC_BETA2007"}, requires=0.5), KNOWN)
    assert none.estimate == 0.0 and none.ci == pytest.approx((0.0, 1 - 0.025 ** (1 / 31)), abs=1e-4)
    assert none.answer == "against"
    harms = {"population": "DKD", "product": "BM-MSC", "endpoint": "adverse_event:treatment_related_SAE"}
    several = ask(Question("", select=harms, expects="within", requires=0.05), KNOWN)
    assert several.estimate == 0.0 and several.ci == pytest.approx((0.0, 1 - 0.025 ** (1 / 32)), abs=1e-4)
    assert several.answer == "open"


def test_printed_intervals_give_the_error_of_a_difference() -> None:
    low, usual = KNOWN["HANSEN2002#3"], KNOWN["HANSEN2002#2"]
    reply = ask(Question("", records=(low.id, usual.id)), KNOWN)
    assert low.dispersion is not None and usual.dispersion is not None
    half = ((low.dispersion.width / 2) ** 2 + (usual.dispersion.width / 2) ** 2) ** 0.5
    assert reply.ci == pytest.approx((0.1 - half, 0.1 + half)) and reply.answer == "open"


def test_other_people_lower_the_certainty_by_one_step() -> None:
    question = Question(
        "", select={"study": "THOMPSON2020", "endpoint": "adverse_event:death"}, expects="within", requires=1.5
    )
    # A summary of 55 trials whose I2 and risk of bias were not read is not of high certainty.
    assert ask(question, KNOWN).certainty == "moderate"
    lowered = ask(replace(question, step_down="other people"), KNOWN)
    assert lowered.certainty == "low" and "other people" in lowered.how
    assert ENTRIES["B10a"].verdict.certainty == "low"


@pytest.mark.parametrize("name", ["A01", "A02", "A03", "B04", "B05", "B06", "B07", "B25", "B27"])
def test_claims_on_distribution_and_persistence_rest_on_the_findings(name: str) -> None:
    """Without the autopsies, tracers and cultures these claims have no direct answer, and none is better judged."""
    bare = ledger.judge_ledger([name], records=registry.load_registry(), run=False)[0]
    assert bare.verdict.verdict == "untested"
    # Without simulation none is excluded by it; donor insulin cells after cord blood are few, but they are there.
    assert ENTRIES[name].verdict.verdict in (("partly supported",) if name == "B07" else ("contradicted", "untested"))


#: Findings and the targets of validation that are the same printed number; a factor where the unit differs.
SAME = [
    ("GHOLAMREZANEZHAD2011#1", "cells/V1", "low", 100.0),
    ("VONBAHR2012#1", "cells/V9c", "value", 100.0),
    ("TOMA2009#1", "cells/V7b", "value", 1.0),
    ("SANABRIA2021#1", "cells/V41", "value", 100.0),
    ("KASHBOUR2025#1", "cells/V31a", "value", 1.0),
    ("THOMPSON2020#4", "cells/V40a", "value", 1.0),
    ("THOMPSON2020#5", "cells/V40e", "value", 1.0),
]
#: Differences and ratios of two findings: first, second, target, what is computed.
PAIRS = [
    ("SAAD2017#6", "SAAD2017#5", "cells/V15", "difference"),
    ("SAAD2017#2", "SAAD2017#1", "cells/V13", "percent"),
    ("IDDM_SALINE#2", "IDDM_SALINE#1", "kidney/V10a", "ratio"),
    ("MCKNIGHT1991#2", "MCKNIGHT1991#1", "kidney/V11", "ratio"),
    ("ORTOLA1987#4", "ORTOLA1987#3", "kidney/V14b", "ratio"),
    ("PEDERSEN1989#2", "PEDERSEN1989#1", "kidney/V24b", "percent"),
]


@pytest.mark.parametrize(("record", "target", "column", "factor"), SAME)
def test_findings_are_the_numbers_of_the_targets(record: str, target: str, column: str, factor: float) -> None:
    value = KNOWN[record].value
    assert value is not None
    assert factor * value == pytest.approx(getattr(select_targets(ids=[target])[0], column), rel=1e-3)


@pytest.mark.parametrize(("after", "before", "target", "kind"), PAIRS)
def test_pairs_of_findings_are_the_numbers_of_the_targets(after: str, before: str, target: str, kind: str) -> None:
    a, b = KNOWN[after].value, KNOWN[before].value
    assert a is not None and b is not None
    found = {"difference": a - b, "ratio": a / b, "percent": 100 * (a / b - 1)}[kind]
    assert found == pytest.approx(select_targets(ids=[target])[0].value, rel=6e-3)


def test_findings_have_a_quote_and_were_read() -> None:
    with registry.FINDINGS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(row["quote"] and row["tag"] == "seen" and row["citation"] for row in rows)


@pytest.mark.parametrize(
    "question",
    [
        Question("soy", records=("SOY_NMA2023#1",)),
        Question("soy", expects="within", null=0, records=("SOY_NMA2023#1",)),
    ],
)
def test_a_question_without_a_criterion_says_which_key_it_lacks(question: Question) -> None:
    with pytest.raises(EvidenceError, match="requires") as caught:
        ask(question, KNOWN)
    assert "soy" in str(caught.value)
