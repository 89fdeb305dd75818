"""The answer in a real browser: on a telephone, at a desk and on paper, with no fault that axe-core finds."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from betapod.report.answer.published_effects import OUTCOMES
from betapod.report.answer.whole_answer import join_answer


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return join_answer().write(tmp_path_factory.mktemp("answer") / "answer.html", "patient")


@pytest.fixture(params=[390, 1280], ids=["telephone", "desk"])
def page(request: pytest.FixtureRequest, visit: Callable[..., Any], file: Path) -> Any:
    return visit(file, request.param)


def test_nothing_is_cut_off_or_lies_on_another(page: Any, misplaced: Callable[[Any], list[str]]) -> None:
    assert misplaced(page) == []
    assert page.locator("figure svg").count() == len(OUTCOMES)


def test_axe_finds_nothing(page: Any, findings: Callable[..., list[str]]) -> None:
    assert findings(page) == []


def test_one_text_stands_open_and_a_number_leads_to_its_origin(page: Any) -> None:
    assert page.locator(".texts > details[open]").count() == 1
    link = page.locator("#for-patient a.n").first
    target = link.get_attribute("href")
    link.click()
    assert page.evaluate("location.hash") == target
    assert page.locator(target).is_visible()


def test_a_chip_opens_what_is_folded(page: Any) -> None:
    page.locator("a.verdict").first.click()
    assert page.locator("#claim-A01").is_visible()


def test_pictures_and_tables_say_what_they_are(page: Any) -> None:
    assert page.locator("svg:not([aria-label])").count() == 0
    assert page.locator("table:not(:has(caption))").count() == 0
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(h => +h.tagName[1])")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))


def test_on_paper_all_three_texts_are_printed(visit: Callable[..., Any], file: Path) -> None:
    printed = visit(file)
    printed.emulate_media(media="print")
    assert all(
        printed.locator(f"#for-{reader} p").first.is_visible() for reader in ("patient", "clinician", "reviewer")
    )
