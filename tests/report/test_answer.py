"""The answer: texts within their length, every number with an origin, sentences that move with the data, nothing typed."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from typing import Any

import pytest

from betapod.claims.claims import load_claims
from betapod.claims.questions import Question, ask
from betapod.report.answer.answer_page import render_answer_page
from betapod.report.answer.answer_texts import MOST_WORDS, READERS, Findings, answer_texts, headline
from betapod.report.answer.published_effects import OUTCOMES
from betapod.report.answer.traced_numbers import NumberBook, TracedNumber
from betapod.report.answer.whole_answer import Answer, check_request, join_answer
from betapod.trials.operating.power_analysis import sample_size

#: Digits that are part of a name, a type or the denominator of a risk, and no result.
_NAMES = re.compile(r"SGLT2|GLP-1|HbA1c|B11|1,000|per 1,000|[Tt]ype [12]")


@pytest.fixture(scope="module")
def whole() -> Answer:
    return join_answer()


@pytest.fixture(scope="module")
def html(whole: Answer) -> str:
    return render_answer_page(whole)


@pytest.mark.parametrize("reader", READERS)
def test_a_text_has_at_most_300_words(whole: Answer, reader: str) -> None:
    count = len(whole.text(reader).split())
    assert 150 < count <= MOST_WORDS


@pytest.mark.parametrize("reader", READERS)
def test_no_number_of_a_text_is_typed(whole: Answer, reader: str) -> None:
    """What is left of a text without its named numbers has no digit but those of names."""
    for paragraph in (*whole.texts[reader], *whole.headline):
        rest = _NAMES.sub("", re.sub(r"\{[\w-]+\}", "", paragraph))
        assert not re.search(r"\d", rest), rest


def test_every_number_says_how_it_came_about(whole: Answer) -> None:
    studies = {record.study for record in _registry()}
    ids = {record.id for record in _registry()}
    for number in whole.numbers:
        assert number.text and number.meaning and number.origin and number.certainty, number
        assert set(number.records) <= ids
        assert number.command.startswith("betapod ") or number.certainty in ("assumed", "as ordered"), number
        if number.command.startswith("betapod evidence show "):
            assert set(number.command.split()[3:]) <= studies


def test_published_effects_are_what_the_registry_answers(whole: Answer) -> None:
    """Two numbers by another way than through the table of questions."""
    reply = ask(Question("x", select={"study": "FLOW", "endpoint": "composite_kidney"}, expects="below"), _registry())
    numbers = whole.book.numbers
    assert numbers["glp1-failure"].value == reply.estimate
    assert numbers["glp1-failure-cut"].value == pytest.approx(100 * (1 - (reply.estimate or 0)))
    assert numbers["cells-eGFR"].value == _registry()["MA_DU2025_DKD#1"].value
    assert {effect.outcome for effect in whole.published} == set(OUTCOMES)


def test_a_size_is_that_of_the_sizing_code(whole: Answer) -> None:
    record = _registry()["PACKHAM2016#1"]
    assert record.dispersion is not None and record.n is not None
    deviation = record.dispersion.low / math.sqrt(2 / record.n)
    size = next(size for size in whole.sizes if size.effect_key == "cells-eGFR")
    assert size.people == 2 * (sample_size(0.41, deviation, 0.9, adjusted=1, lost=0.15) or 0)


def test_the_null_does_no_good_and_infusions_are_no_islets(whole: Answer) -> None:
    values = {(e.person, e.course.split()[0], e.scenario, e.quantity): e.value for e in whole.simulated}
    for person in ("t2d_micro", "t2d_ckd", "t1d"):
        assert abs(values[person, "UC-MSC", "none", "eGFR"]) < 0.01
        small, large = (values[person, "UC-MSC", name, "eGFR"] for name in ("current-evidence", "seed-claims"))
        assert 0 < small < large
    assert (
        values["t1d", "SC-islets", "current-evidence", "HbA1c"]
        < -1
        < values["t1d", "UC-MSC", "current-evidence", "HbA1c"]
    )


def test_sentences_move_with_the_data(whole: Answer) -> None:
    """A benefit on kidney failure that is sure changes what all three readers are told."""
    sure = dataclasses.replace(
        next(effect for effect in whole.published if effect.key == "cells-failure"),
        reply=next(effect.reply for effect in whole.published if effect.key == "finerenone-failure"),
    )
    published = [sure if effect.key == sure.key else effect for effect in whole.published]
    findings = Findings(published, whole.harms, whole.counts, whole.sizes)
    assert "not shown" in whole.headline[0] and "not shown" not in headline(findings)[0]
    texts = answer_texts(findings, whole.simulated)
    for reader in READERS:
        assert texts[reader] != whole.texts[reader]


def test_a_name_without_a_number_is_an_error() -> None:
    book = NumberBook()
    assert book.add(TracedNumber("size", "12 people", 12, "a size", "counted")) == "{size}"
    assert [piece.key for piece in book.pieces("It takes {size}.")] == ["", "size", ""]
    with pytest.raises(KeyError):
        book.plain("{sise}")


def test_every_link_of_the_page_leads_somewhere(whole: Answer, html: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    links = re.findall(r'href="#([^"]+)"', html)
    assert len(links) > 150 and set(links) <= set(ids)
    assert {f"n-{number.key}" for number in whole.numbers} <= set(ids)


def test_the_page_shows_every_statement_and_every_claim(whole: Answer, html: str) -> None:
    for claim in load_claims():
        verdict = whole.verdicts[claim.id]
        assert f'href="#claim-{claim.id}">{claim.id} {verdict}</a>' in html
    assert html.count("No verdict.") == sum(bool(s.why) for page in whole.pages for s in page.statements)


def test_the_page_needs_nothing_else(html: str) -> None:
    assert " src=" not in html and "<link" not in html and "@import" not in html and "url(" not in html


def test_json_holds_it_all(whole: Answer) -> None:
    document: dict[str, Any] = json.loads(json.dumps(whole.as_dict()))
    assert set(document["texts"]) == set(READERS)
    assert len(document["numbers"]) == len(whole.numbers)
    assert sum(document["verdicts"].values()) == sum(claim.about == "cells" for claim in load_claims())


def test_what_is_asked_for_has_a_text_of_its_own(whole: Answer) -> None:
    """The paragraph of a person and course stands in the clinician's text, which keeps its length."""
    findings = Findings(whole.published, whole.harms, whole.counts, whole.sizes)
    asked = answer_texts(findings, whole.simulated, ("t1d", "SC-islets 0.8e9 pv"))["clinician"]
    assert asked[:-1] == whole.texts["clinician"] and "sim-t1d-SC-islets-current-evidence-HbA1c" in asked[-1]
    assert sum(len(whole.book.plain(paragraph).split()) for paragraph in asked) <= MOST_WORDS


def test_the_command_says_everything_that_is_wrong_at_once() -> None:
    from typer.testing import CliRunner

    from betapod.base.errors import ConfigError
    from betapod.cli import main as cli

    cli._register([])
    order = ["answer", "--for", "pacient", "--person", "t2d_ckdd", "--cells", "UC-MSCC 1e6/kg iv"]
    result = CliRunner().invoke(cli.app, order)
    assert isinstance(result.exception, ConfigError)
    kinds = {problem.kind for problem in result.exception.problems}
    assert kinds == {"unknown-reader", "unknown-person", "unknown-product"}


def test_only_one_of_person_and_order_is_enough() -> None:
    assert check_request("", "") == ()
    assert check_request("t1d", "")[0] == "t1d"
    assert check_request("", "SC-islets 0.8e9 pv")[0] == "t1d"


def _registry() -> Any:
    from betapod.claims.ledger import evidence_for_claims

    return evidence_for_claims()
