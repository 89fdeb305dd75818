"""Replies that are kept are those that would be given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from betapod.claims import kept_replies, ledger
from betapod.claims.claims import find_claims
from betapod.claims.questions import ask
from betapod.evidence.records.registry import Registry

pytest.importorskip("pymare")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BETAPOD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_kept_replies_are_the_replies(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = ledger.evidence_for_claims()
    questions = [question for claim in find_claims(["A05", "B07", "B24"]) for question in claim.questions]
    expected = [ask(question, records) for question in questions]
    assert kept_replies.replies_to(questions, records) == expected
    monkeypatch.setattr(kept_replies, "ask", None)
    assert kept_replies.replies_to(questions, records) == expected


def test_another_number_is_asked_anew(cache: Path) -> None:
    records = ledger.evidence_for_claims()
    (claim,) = find_claims(["B07"])
    question = next(q for q in claim.questions if len(q.reads) == 1 and ask(q, records).estimate is not None)
    (before,) = kept_replies.replies_to([question], records)
    changed = Registry(tuple(replace(r, value=(r.value or 0) / 2) if r.id in before.records else r for r in records))
    (after,) = kept_replies.replies_to([question], changed)
    assert before.estimate is not None and after.estimate == before.estimate / 2 != 0
