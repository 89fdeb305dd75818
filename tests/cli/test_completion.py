"""Completion: words of every kind, none that does not fit, and no model assembled or registry read for a word."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from betapod.cli import completion, kept
from betapod.therapies.cell_order import read_order
from betapod.therapies.cell_products import PRODUCTS


def complete(words: str, cache: Path | None = None) -> list[str]:
    """Return what bash is offered after some words."""
    environment = {
        "_BETAPOD_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    if cache is not None:
        environment["BETAPOD_CACHE"] = str(cache)
    done = subprocess.run(
        [sys.executable, "-m", "betapod"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("betapod sim", "simulate"),
        ("betapod simulate kid", "kidney"),
        ("betapod simulate kidney --set dM", "dMAP="),
        ("betapod simulate kidney --outputs GFR,UA", "GFR,UACR"),
        ("betapod simulate reference --person t2d_l", "t2d_late"),
        ("betapod simulate reference --scenario f", "face-value"),
        ("betapod model show kidney Filt", "Filtration"),
        ("betapod claims show B0", "B07"),
        ("betapod claims --status contr", "contradicted"),
        ("betapod patients like FL", "FLOW"),
        ("betapod trial check dn", "dn61"),
        ("betapod run pack", "packham2016"),
        ("betapod switches sw_fil", "sw_filtration"),
        ("betapod drugs show empa", "empagliflozin"),
        ("betapod evidence show SKYL", "SKYLER2015"),
        ("betapod confront --claim B2", "B20"),
        ("betapod confront --endpoint Hb", "HbA1c"),
        ("betapod evidence terms end", "endpoint"),
        ("betapod ogtt --set beta_m", "beta_mass="),
    ],
)
def test_words_of_every_kind(words: str, expected: str) -> None:
    found = complete(words)
    assert expected in found
    start = words.rpartition(" ")[2]
    assert all(word.lower().startswith(start.lower()) for word in found)


def test_a_model_is_no_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("mine.txt", "mine.png", "mine.html", "mine.csv", "mine.xml"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    assert completion.complete_model("mi") == ["mine.txt", "mine.xml"]
    assert completion.complete_other("mi") == ["mine.txt", "mine.xml", "mine.csv"]
    assert completion.complete_protocol("mi") == []


def orders(text: str = "", words: int = 0) -> list[str]:
    """Follow what is offered, word by word, to orders that are whole."""
    offered = completion.complete_cells(text)
    if words == 3:
        return [text.strip()]
    return [order for each in offered[:3] for order in orders(f"{each} ", words + 1)]


def test_every_order_that_completion_leads_to_can_be_read() -> None:
    for product in PRODUCTS:
        found = orders(f"{product} ", 1)
        assert found, product
        for text in found:
            assert read_order(text).product.name == product


def test_routes_are_those_of_the_product() -> None:
    assert completion.complete_cells("SC-islets 800e6 ") != []
    assert {text.split()[-1] for text in completion.complete_cells("renal-cells 100e6 ")} & {"iv", "ir"} == {"ir"}
    assert completion.complete_cells("UC-MSC 1e6/kg iv x") == ["UC-MSC 1e6/kg iv x3 q28d", "UC-MSC 1e6/kg iv x2 q7d", "UC-MSC 1e6/kg iv x4 q12w"]  # fmt: skip


def test_a_small_number_is_of_millions() -> None:
    assert completion.complete_cells("BM-MSC 150 ") == ["BM-MSC 150 million"]
    assert completion.complete_cells("BM-MSC 150 million r") == ["BM-MSC 150 million ra"]


def test_names_are_those_of_the_sources() -> None:
    from betapod.claims.claims import load_claims
    from betapod.evidence.records.registry import load_with_mechanisms
    from betapod.patients.cohorts.cohort_catalogue import cohort_names
    from betapod.physiology import whole_body
    from betapod.trials.protocol.protocol_files import protocol_catalogue

    assert list(kept.claims()) == [claim.id for claim in load_claims()]
    assert sum(kept.term_counts("endpoint").values()) == len(load_with_mechanisms())
    assert kept.protocols() == tuple(protocol_catalogue())
    assert kept.model_names() == list(whole_body.NAMES)
    assert kept.kept_cohorts() == list(cohort_names())
    kidney = whole_body.named_model("kidney")
    assert kept.model_contents("kidney")["parameters"] == list(kidney.parameters)
    assert kept.model_contents("kidney")["fingerprint"] == kidney.fingerprint


@pytest.mark.parametrize("words", ["betapod simulate reference --set GF", "betapod evidence list --endpoint Hb"])
def test_no_model_is_assembled_for_a_word(words: str) -> None:
    """Once the names are kept, neither the units nor the numerics are imported."""
    complete(words)
    code = "import sys\nfrom betapod.cli.main import main\ntry:\n    main()\nfinally:\n    print(sorted({'pint', 'scipy', 'pandas'} & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            **os.environ,
            "_BETAPOD_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout
    assert done.stderr.strip() == "[]"
