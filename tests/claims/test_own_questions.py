"""Questions of one's own are asked, and a question never names what no table has."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from betapod.base.errors import BetapodError
from betapod.claims import claims, ledger
from betapod.claims.own_questions import check_questions, with_questions
from betapod.cli.main import main

pytest.importorskip("pymare")

HEAD = "study_id,citation,population,design,arm,product,n,endpoint,timepoint_weeks,statistic,value,dispersion,dispersion_type,unit,quote,tag"
ROW = "NEW2026,A trial,DKD; adults,RCT; double-blind,UC-MSC,UC-MSC,200,eGFR,52,diff_vs_control,9,1.5,SE,mL/min/1.73m2,q,seen"
MINE = """\
- id: B24
  questions:
    - text: eGFR against placebo in my trial
      select: {study: NEW2026, endpoint: eGFR}
      expects: above
      requires: 5
- id: M01
  claim: My claim
  questions:
    - text: eGFR against placebo in my trial
      records: ['NEW2026#1']
      expects: above
      'null': 0
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    table, questions = tmp_path / "mine.csv", tmp_path / "mine.yaml"
    table.write_text(f"{HEAD}\n{ROW}\n", encoding="utf-8")
    questions.write_text(MINE, encoding="utf-8")
    return table, questions


def test_an_own_study_is_asked_by_an_own_question_and_flips_a_verdict(files: tuple[Path, Path]) -> None:
    table, questions = files
    mine = with_questions([questions])
    records = ledger.evidence_for_claims([table])
    check_questions(mine, records)
    entries = {e.claim.id: e for e in ledger.judge_ledger(["B24", "M01"], records=records, run=False, claims=mine)}
    before = ledger.judge_ledger(["B24"], run=False)[0]
    assert before.verdict.verdict == "untested" and entries["B24"].verdict.verdict == "supported"
    assert len(entries["B24"].replies) == len(before.replies) + 1
    assert entries["M01"].replies[0].answer == "for" and entries["M01"].agrees
    assert len(claims.load_claims()) == len(mine) - 1, "the package's own claims stay as they are"


def test_the_verb_asks_them_too(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table, questions = files
    words = ["claims", "show", "M01", "--overlay", str(table), "--questions", str(questions), "--no-model", "--json"]
    monkeypatch.setattr(sys, "argv", ["betapod", *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    said = capsys.readouterr()
    assert not stopped.value.code and json.loads(said.out)["claims"][0]["answers"][0]["answer"] == "for"
    assert "no claim asks" not in said.err


@pytest.mark.parametrize(
    ("text", "kinds", "words"),
    [
        ("- id: B24\n  questions:\n    - {text: q, records: ['PACKHAM2016#99'], requires: 1}\n", ("unknown-record",), "PACKHAM2016 has PACKHAM2016#1 to"),
        ("- id: B24\n  questions:\n    - {text: q, select: {study: PACKHAM2061}}\n", ("unknown-study",), "PACKHAM2016"),
        ("- id: B24\n  claim: another\n  questions: []\n", ("own-claim",), "only questions can be added"),
        ("- id: B24\n  questions:\n    - {text: q, records: ['A#1', 'A#2', 'A#3']}\n", ("bad-question",), "1, 2 or 4"),
        ("- id: B24\n  questions:\n    - {text: q, select: {study: FLOW}, expects: up, requires: much}\n", ("unknown-expects", "no-number"), "above"),
        ("- id: B24\n  questions:\n    - {text: q, select: {studdy: FLOW}, requires: 1}\n", ("unknown-key",), "Did you mean 'study'"),
        ("- id: B24\n  questions:\n    - {text: q, select: {endpoint: HbA1C}, requires: 1}\n", ("unknown-endpoint",), "Did you mean 'HbA1c'"),
        ("- id: B24\n  questions:\n    - {text: q, select: {weeks: {after: 5}}, reads: [{arm: 5}], requires: 1}\n", ("no-number", "bad-conditions"), "{from: 40, to: 60}"),
        ("- id: B24\n  questions:\n    - {text: q, select: {endpoint: eGFR}, studies: [FLOW], requires: 1}\n", ("bad-question",), "the reason why they are named"),
        ("- id: B24\n  questions:\n    - {text: q, reads: {endpoint: eGFR}, requires: 1}\n", ("no-list",), "such as reads: [...]"),
        ("id: B24\n", ("no-claims",), "a list of entries"),
        ("- id: M01\n  questions: [{records: ['A#1']}]\n- id: B24\n  claim: x\n", ("missing-key", "own-claim"), "a question has no 'text'"),
        ("- id: M01\n  claim: c\n  outcome: {quantity: eGFR, person: t2d, years: 1, measure: percnt, claimed: 1}\n", ("unknown-measure",), "percent"),
    ],
)  # fmt: skip
def test_mistakes_are_named(tmp_path: Path, text: str, kinds: tuple[str, ...], words: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BetapodError) as caught:
        check_questions(with_questions([path]), ledger.evidence_for_claims())
    assert set(kinds) <= set(caught.value.kinds) and words in str(caught.value)


def test_a_claim_of_the_package_that_asks_for_what_is_lost_would_be_an_error_and_not_untested() -> None:
    known = ledger.evidence_for_claims()
    check_questions(claims.load_claims(), known)
    from betapod.evidence.records.registry import Registry

    with pytest.raises(BetapodError, match="B07 asks the endpoint 'pancreas_with_donor_beta_cells'") as caught:
        check_questions(claims.load_claims(), Registry(tuple(r for r in known if r.study != "HSC_BETA2007")))
    assert set(caught.value.kinds) == {"unknown-endpoint"}
