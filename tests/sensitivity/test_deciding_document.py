"""The page of the numbers that decide verdicts says what was kept of the run, of the claims and verdicts of today."""

from __future__ import annotations

import json

from deciding_document import KEPT, PAGE, page_of

from betapod.claims.ledger import judge_ledger
from betapod.physiology.installed_fits import list_fits

AGAIN = "run betapod sensitivity claims --json > deciding.json, then python tests/support/deciding_document.py deciding.json MINUTES"


def test_the_page_is_that_of_the_kept_result() -> None:
    assert page_of(json.loads(KEPT.read_text(encoding="utf-8"))) == PAGE.read_text(encoding="utf-8"), (
        "run python tests/support/deciding_document.py"
    )


def test_claims_and_verdicts_are_those_of_today() -> None:
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    assert kept["fit"] == list_fits()[-1], AGAIN
    today = {entry.claim.id: entry.verdict.verdict for entry in judge_ledger()}
    assert {claim["claim"]: claim["verdict"] for claim in kept["claims"]} == today, AGAIN


def test_every_number_that_decides_gives_another_verdict() -> None:
    for claim in json.loads(KEPT.read_text(encoding="utf-8"))["claims"]:
        for number in claim["deciding"]:
            assert {number["at_low"], number["at_high"]} - {claim["verdict"], ""}, claim["claim"]
            assert number["grade"] == "D" and number["low"] < number["high"]
