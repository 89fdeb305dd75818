"""The rule of the verdict: every answer and every line of the rule, from records alone; nothing is supported without evidence."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from betapod.claims import claim_outcome as outcome
from betapod.claims import claims, ledger
from betapod.claims.claim_verdict import RULE, VERDICTS, judge_claim
from betapod.claims.questions import Question, Reply, answer_of
from betapod.evidence.records.registry import Registry

IDS = [claim.id for claim in claims.load_claims()]
REACHED = outcome.SimulatedOutcome("", 0.0, 1.0, 1.0, 1.0, reached_within_evidence=True)
UNREACHED = replace(REACHED, reached_within_evidence=False, expressible=True)
#: Not reached, but not even when the model is told all that is claimed.
INEXPRESSIBLE = replace(UNREACHED, expressible=False)


def reply(answer: str, certainty: str = "high", direct: bool = True) -> Reply:
    return Reply(Question("asked", direct=direct), answer, 1.0, None, "", certainty, ("X#1",), ("X",), "made")


def test_all_claims_are_there_with_their_source() -> None:
    assert len(IDS) == 50 and len(set(IDS)) == 50
    assert sum(name.startswith("A") for name in IDS) == 16
    for claim in claims.load_claims():
        assert claim.source.startswith("000_" if claim.id.startswith("A") else "003_")
        assert claim.mechanism and claim.parameters and claim.change
        assert claim.outcome is not None or claim.not_simulated


@pytest.mark.parametrize(
    ("expects", "null", "requires", "estimate", "ci", "answer"),
    [
        ("above", 0.0, None, 1.0, (0.5, 1.5), "for"),
        ("above", 0.0, 2.0, 1.0, (0.5, 1.5), "short"),
        ("above", 0.0, 2.0, 1.0, (-0.5, 1.5), "against"),
        ("above", 0.0, 2.0, 1.0, (-0.5, 2.5), "open"),
        ("above", 0.0, None, -1.0, (-1.5, -0.5), "against"),
        ("below", 0.0, -1.6, -0.7, (-1.1, -0.3), "short"),
        ("below", 1.0, None, 0.7, (0.5, 0.9), "for"),
        ("below", 1.0, None, 0.7, (0.5, 1.1), "open"),
        ("above", None, 0.5, 0.8, (0.6, 0.9), "for"),
        ("above", None, 0.5, 0.1, (0.0, 0.4), "against"),
        ("above", None, 0.5, 0.4, (0.1, 0.8), "open"),
        ("within", None, 1.5, 1.0, (0.8, 1.2), "for"),
        ("within", None, 1.5, 2.0, (1.6, 2.5), "against"),
        ("within", 1.0, 1.5, 1.4, (0.9, 1.9), "open"),
        ("within", 1.0, 1.5, 2.5, (1.3, 4.9), "short"),
        ("above", 0.0, None, 1.0, None, "leans for"),
        ("above", 0.0, 2.0, 1.0, None, "leans against"),
    ],
)
def test_answers(expects, null, requires, estimate, ci, answer) -> None:
    assert answer_of(expects, null, requires, estimate, ci) == answer


@pytest.mark.parametrize(
    ("replies", "simulated", "cells", "verdict"),
    [
        ([], REACHED, True, "untested"),
        ([reply("nothing")], REACHED, True, "untested"),
        ([reply("for", direct=False)], REACHED, True, "untested"),
        ([reply("for", direct=False)], UNREACHED, True, "not supported"),
        ([reply("for", direct=False)], UNREACHED, False, "untested"),
        ([reply("for", direct=False)], INEXPRESSIBLE, True, "untested"),
        ([reply("for")], INEXPRESSIBLE, True, "supported"),
        ([reply("for")], REACHED, True, "supported"),
        ([reply("for")], UNREACHED, True, "partly supported"),
        ([reply("for")], UNREACHED, False, "supported"),
        ([reply("for", "low")], REACHED, True, "partly supported"),
        ([reply("for"), reply("against")], REACHED, True, "partly supported"),
        ([reply("for"), reply("open")], REACHED, True, "supported"),
        ([reply("short")], REACHED, True, "partly supported"),
        ([reply("against"), reply("leans for")], REACHED, True, "contradicted"),
        ([reply("open"), reply("leans for")], REACHED, True, "not supported"),
    ],
)
def test_rule(replies, simulated, cells, verdict) -> None:
    found = judge_claim(replies, [simulated], cells)
    assert found.verdict == verdict and found.rule in RULE.values() and found.because


def test_one_excluded_outcome_of_several_is_enough() -> None:
    indirect = [reply("for", direct=False)]
    assert judge_claim(indirect, [REACHED, UNREACHED], True).verdict == "not supported"
    assert judge_claim(indirect, [REACHED, INEXPRESSIBLE], True).verdict == "untested"
    assert judge_claim(indirect, [], True).verdict == "untested"


#: Each line of the rule: answers and simulation that fit it, and the least change that makes another line fit.
FLIPS = [
    ("untested", [reply("nothing")], UNREACHED, [reply("for", direct=False)], UNREACHED, "unreached"),
    ("unreached", [reply("for", direct=False)], UNREACHED, [reply("for", direct=False)], REACHED, "untested"),
    ("unreached", [reply("for", direct=False)], UNREACHED, [reply("for", direct=False)], INEXPRESSIBLE, "untested"),
    ("contradicted", [reply("against")], REACHED, [reply("against"), reply("short")], REACHED, "partly supported"),
    ("supported", [reply("for")], REACHED, [reply("for")], UNREACHED, "partly supported"),
    ("supported", [reply("for")], REACHED, [reply("for"), reply("short")], REACHED, "partly supported"),
    ("partly supported", [reply("for", "low")], REACHED, [reply("for", "moderate")], REACHED, "supported"),
    ("not supported", [reply("open")], REACHED, [reply("against")], REACHED, "contradicted"),
]


@pytest.mark.parametrize(("line", "replies", "simulated", "changed", "changed_simulated", "other"), FLIPS)
def test_each_line_of_the_rule_can_be_flipped(line, replies, simulated, changed, changed_simulated, other) -> None:
    assert judge_claim(replies, [simulated], True).rule == RULE[line]
    assert judge_claim(changed, [changed_simulated], True).rule == RULE[other]
    assert {flip[0] for flip in FLIPS} == set(RULE)


@pytest.mark.parametrize("name", IDS)
def test_without_its_evidence_a_claim_is_untested(name: str) -> None:
    known = ledger.evidence_for_claims()
    entry = ledger.judge_ledger([name], records=known)[0]
    used = {record for one in entry.replies for record in one.records}
    studies = {study for one in entry.replies for study in one.studies}
    assert used <= {record.id for record in known if record.tag == "seen"}
    rest = Registry(tuple(record for record in known if record.study not in studies))
    for _ in range(20):  # what else the questions find is evidence of the claim as well
        again = ledger.judge_ledger([name], records=rest)[0]
        more = {study for one in again.replies for study in one.studies}
        if not more:
            break
        rest = Registry(tuple(record for record in rest if record.study not in more))
    assert again.verdict.verdict == "untested"
    assert entry.verdict.verdict in VERDICTS


def test_a_shown_harm_keeps_safety_from_being_supported() -> None:
    entry = ledger.judge_ledger(["B10a"], run=False)[0]
    fever = next(one for one in entry.replies if one.question.text.startswith("fever"))
    assert fever.answer == "short" and fever.ci is not None and fever.ci[0] > 1.0
    assert entry.verdict.verdict == "partly supported"


def test_structure_that_recovers_while_filtration_falls_is_mixed() -> None:
    entry = ledger.judge_ledger(["B08"], run=False)[0]
    answers = {one.question.text.split(" ")[0]: one.answer for one in entry.replies if one.direct}
    assert answers["creatinine"] == "against" and answers["width"] == "for"
    assert entry.verdict.verdict == "partly supported"


def test_a_recalled_number_is_never_used() -> None:
    known = ledger.evidence_for_claims()
    recalled = Registry(tuple(replace(record, tag="memory") for record in known))
    assert {entry.verdict.verdict for entry in ledger.judge_ledger(records=recalled)} == {"untested"}


def overlay(path: Path, **cells: str) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, cells)
        writer.writeheader()
        writer.writerow(cells)
    return path


def test_one_row_of_a_user_flips_a_verdict(tmp_path: Path) -> None:
    """Ten of ten people without insulin instead of one: the only direct number about a cure changes sides."""
    before = ledger.judge_ledger(["A12"])[0]
    record = ledger.evidence_for_claims()["BHANSALI2014_15M#3"]
    row = overlay(
        tmp_path / "mine.csv",
        study_id=record.study,
        citation="changed for the test",
        population=record.population_text,
        design=record.design_text,
        arm=record.arm,
        product=record.product_text,
        n="10",
        endpoint=record.endpoint_text,
        timepoint_weeks=f"{record.weeks:g}",
        statistic="proportion",
        value="1",
        unit="fraction",
        quote="10 of 10",
        tag="seen",
    )
    known = ledger.evidence_for_claims([row])
    assert record.id in known.replaced
    after = ledger.judge_ledger(["A12"], [row])[0]
    assert before.verdict.verdict == "contradicted"
    assert after.verdict.verdict == "partly supported"
    assert "certainty very low" in after.verdict.because
