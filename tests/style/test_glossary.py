"""The glossary has every word of the lists that the program chooses from, and every page of the start leads to it."""

from __future__ import annotations

import typing
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs" / "reference" / "glossary.md").read_text(encoding="utf-8")


def words() -> dict[str, list[str]]:
    """Return the words that reports, tables and help choose from, by kind."""
    from betapod.claims.claim_verdict import VERDICTS
    from betapod.evidence.synthesis.certainty import LEVELS
    from betapod.model.parameters.parameter import ROLES
    from betapod.therapies.scenarios import SCENARIOS
    from betapod.trials.protocol.endpoint_keys import Intercurrent

    strategies = {
        value
        for field in Intercurrent.model_fields.values()
        for value in typing.get_args(field.annotation)
        if isinstance(value, str)
    }
    return {
        "scenario": list(SCENARIOS),
        "verdict": list(VERDICTS),
        "role": list(ROLES),
        "certainty": list(LEVELS),
        "strategy": sorted(strategies - {"missing"}),
        "disposition": ["completed", "discontinued", "died"],
    }


@pytest.mark.parametrize("kind", ["scenario", "verdict", "role", "certainty", "strategy", "disposition"])
def test_the_glossary_has_the_words_that_results_use(kind: str) -> None:
    known = words()[kind]
    assert len(known) >= 3
    assert [word for word in known if word not in GLOSSARY] == []


def test_no_word_is_explained_twice() -> None:
    heads = [line.split("|")[1].strip() for line in GLOSSARY.splitlines() if line.startswith("| ")]
    terms = [head for head in heads if head != "word"]
    assert len(terms) > 50
    assert len(terms) == len(set(terms))


def test_the_map_of_the_documents_leads_to_it() -> None:
    for page in ("README.md", "docs/README.md", "docs/start/first-model.md", "docs/start/first-trial.md"):
        assert "glossary.md" in (ROOT / page).read_text(encoding="utf-8"), page
