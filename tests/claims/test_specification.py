"""The claims are those of the specification, and every disagreement with its certainty is known by name."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from betapod.claims import claims, ledger
from betapod.claims.claim_outcome import SimulatedOutcome
from betapod.claims.claim_verdict import VERDICTS
from betapod.claims.wording import (
    leverage_words,
    outcome_caption,
    outcome_words,
    required,
    three_digits,
    verdict_sentences,
)

CLAIMS = Path(__file__).parents[3] / "shared" / "science" / "claims.csv"


@pytest.mark.skipif(not CLAIMS.exists(), reason="needs the specification's table of claims beside the repository")
def test_every_claim_of_the_specification_is_in_the_ledger() -> None:
    with CLAIMS.open(encoding="utf-8", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    # Sentences of the pages that it did not list have an id of their own, without a certainty by reading.
    more = {claim.id for claim in claims.load_claims() if not claim.specified}
    assert {claim.id for claim in claims.load_claims()} - more == set(rows) and not more & set(rows)
    for claim in claims.load_claims():
        if claim.id in more:
            continue
        row = rows[claim.id]
        assert (claim.source, claim.claim, claim.specified) == (row["seed_file"], row["claim"], row["certainty"])


def test_the_documented_verdicts_are_the_computed_ones() -> None:
    page = (Path(__file__).parents[2] / "docs" / "background" / "claims.md").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {name: [] for name in VERDICTS}
    for entry in ledger.judge_ledger():
        found[entry.verdict.verdict].append(entry.claim.id)
    for verdict, names in found.items():
        assert f"| {verdict} | {', '.join(names)} |" in page, (verdict, names)


def test_disagreements_are_known() -> None:
    """A change of records, model or rule that moves a verdict across the specification's reading is to be looked at."""
    differing = {entry.claim.id: entry.verdict.verdict for entry in ledger.judge_ledger() if not entry.agrees}
    assert differing == {
        "A11": "not supported",
        "B07": "partly supported",
        "B13": "untested",
        "B16": "not supported",
        "B17": "partly supported",
    }
    page = (Path(__file__).parents[2] / "docs" / "background" / "claims.md").read_text(encoding="utf-8")
    for claim in claims.load_claims():
        assert (claim.id in differing) == bool(claim.differs), claim.id
        if claim.differs:
            assert f"| {claim.id} | {differing[claim.id]} | {claim.specified} | {claim.differs} |" in page


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (None, "not simulated"),
        (SimulatedOutcome("", 0.0, 0.0, 0.0, 0.0, "p", "1", 1.0, 2.0, 6.0, 100.0, False), "p must be 6; evidence allows up to 2, 3 times less"),
        (SimulatedOutcome("", 0.0, 0.0, 0.0, 0.0, "p", "1", 1.0, 2.0, 1.5, 100.0, True), "p must be 1.5; evidence allows up to 2"),
        (SimulatedOutcome("", 0.0, 0.0, 0.0, 0.0, "p", "1", 1.0, 2.0, 1.0, 100.0, True), "reached with p at its current value, 1"),
        (SimulatedOutcome("", 0.0, 0.0, 0.0, 0.0, "p", "1/day", 1.0, 2.0, None, 100.0, False), "not reached even with p at 100 1/day; evidence allows up to 2"),
    ],
)  # fmt: skip
def test_leverage_in_words(one: SimulatedOutcome | None, words: str) -> None:
    assert leverage_words(one) == words


def test_what_is_done_and_required_is_said_in_words() -> None:
    by_id = {claim.id: claim for claim in claims.load_claims()}
    diet, cells = by_id["B22"].outcome, by_id["B29"].outcome
    assert diet is not None and cells is not None
    words = outcome_words(diet, "filtration")
    assert (
        "0.4 g/kg/day of animal protein" in words
        and "early nephropathy" in words
        and words.endswith("claimed at most 2")
    )
    assert "against none" in outcome_words(cells, "filtration") and "protein_" not in words
    harm = by_id["B10a"].questions[0]
    assert required(harm) == "at most 1.5" and required(by_id["A12"].questions[2]) == "at least 0.5"


@pytest.mark.parametrize(
    ("value", "written"), [(None, "-"), (0.0, "0"), (-2e-9, "about 0"), (4777.0, "4780"), (2.2e-5, "0.000022")]
)
def test_numbers_are_written_short(value: float | None, written: str) -> None:
    assert three_digits(value) == written


def test_a_claim_out_of_the_models_reach_is_not_said_to_have_been_studied() -> None:
    entries = {entry.claim.id: entry for entry in ledger.judge_ledger(["A02", "A09"])}
    assert entries["A02"].verdict.verdict == entries["A09"].verdict.verdict == "not supported"
    assert "no study has tested" in verdict_sentences(entries["A02"]) and "no study has" not in verdict_sentences(
        entries["A09"]
    )


def test_the_caption_of_every_simulated_claim_is_plain_words() -> None:
    captions = [
        outcome_caption(claim.outcome, "label", "1") for claim in claims.load_claims() if claim.outcome is not None
    ]
    assert captions
    assert all(caption.startswith("Simulated: label") for caption in captions)
