"""Strengths of drugs stand in the table of drugs alone: claims, systems, protocols and comparisons name the drug."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import betapod
from betapod.base.errors import EvidenceError, Problem
from betapod.base.packaged_yaml import packaged_yaml
from betapod.claims import claims
from betapod.claims.claim_systems import claimed_systems
from betapod.claims.given_inputs import with_strengths
from betapod.therapies.drug_catalogue import read_rows
from betapod.therapies.effect_factors import scaled_effects
from betapod.therapies.listed_strength import listed_strength
from betapod.validation.scorecard import kidney_person

PACKAGE = Path(betapod.__file__).parent
#: Inputs that are how strongly drugs act: the strongest of several counts.
STRENGTHS = {row["quantity"] for row in read_rows("standard_care.csv") if row["rule"] == "max"}
#: Files that say what is done, or what is simulated.
FILES = [
    *PACKAGE.glob("claims/*.yaml"),
    *PACKAGE.glob("trials/protocol/library/*.yaml"),
    *PACKAGE.glob("value/library/*.yaml"),
    *PACKAGE.glob("patients/profiles/*.yaml"),
    *PACKAGE.glob("report/answer/*.yaml"),
    *PACKAGE.glob("validation/predictions/**/*.yaml"),
]


def numbers_of_drugs(data: Any) -> Iterator[tuple[str, float]]:
    """Give every strength of a drug that is written as a number; zero is without the drug."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key in STRENGTHS and isinstance(value, int | float) and value:
                yield key, value
            yield from numbers_of_drugs(value)
    elif isinstance(data, list):
        for value in data:
            yield from numbers_of_drugs(value)


def test_no_file_has_a_number_of_its_own_for_what_a_drug_does() -> None:
    assert {"e_ARB", "e_S", "e_ACE", "phiS", "met"} <= STRENGTHS and len(FILES) > 20
    for path in FILES:
        found = list(numbers_of_drugs(packaged_yaml(path)))
        assert found == [], path.name
    assert list(numbers_of_drugs({"a": [{"inputs": {"e_ARB": 0.6, "e_S": 0.0}}]})) == [("e_ARB", 0.6)]


def test_claims_and_systems_take_what_the_table_has() -> None:
    rows = {(row["therapy"], row["quantity"]): float(row["value"]) for row in read_rows("standard_care.csv") if "*" not in row["value"]}  # fmt: skip
    arb, inhibitor = rows["ARB", "e_ARB"], rows["SGLT2 inhibitor", "e_S"]
    outcomes = claims.all_outcomes(claims.load_claims())
    (both,) = outcomes["B23"].contrast
    assert outcomes["B02"].inputs["e_ARB"] == arb and both.inputs == {"e_ARB": arb, "e_S": inhibitor}
    (last,) = [system for system in claimed_systems() if system.id == "S17"]
    assert last.inputs == {"e_ARB": arb, "e_S": inhibitor}
    assert {"e_ARB": arb} == kidney_person.ARB and {"e_MRA": rows["MRA", "e_MRA"]} == kidney_person.MRA
    # Factors that hold for now move drugs that are given, and not the table.
    with scaled_effects({"ARB e_ARB": 0.5}):
        assert listed_strength("ARB", "e_ARB") == arb


@pytest.mark.parametrize(
    ("written", "kinds", "words"),
    [
        ({"e_ARB": "ARBB"}, {"unknown-therapy"}, "ARB"),
        ({"e_ARB": "SGLT2 inhibitor"}, {"no-effect"}, "does not act on e_ARB"),
        ({"e_ARB": [1], "e_S": "dapagliflozin 11 mg"}, {"no-number", "unknown-dose"}, "M01, inputs"),
    ],
)
def test_what_is_no_drug_is_said_with_the_nearest(written: dict[str, Any], kinds: set[str], words: str) -> None:
    problems: list[Problem] = []
    assert with_strengths({"inputs": written, "years": 1}, "M01", problems, "mine.yaml") == {"inputs": {}, "years": 1}
    assert {problem.kind for problem in problems} == kinds and words in str(EvidenceError(problems))
    assert all(problem.location.file == "mine.yaml" for problem in problems)
