"""The table and the squares of the page of the model against published numbers, with rows that nobody simulated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import confronted
import pytest

from betapod.report.predictions import predictions_page as confront_page
from betapod.report.predictions import predictions_view as confront_view

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = confronted.found()
    table = confront_view.view(found, confronted.PRODUCTS)
    return confront_page.write_predictions_page(found, table, tmp_path_factory.mktemp("confront") / "page.html", 60, 1)


def shown(page: Any, what: str) -> list[str]:
    return page.evaluate(
        f"[...document.querySelectorAll('#list > tr')].filter(r => !r.hidden).map(r => r.dataset.{what})"
    )


def test_it_needs_nothing_else(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert " src=" not in text and "<link" not in text and "@import" not in text
    assert "treated <all>" not in text and "treated &lt;all&gt;" in text
    for name in ("How to read it", "What this does not include", "17: a baseline, no result"):
        assert name in text
    ids = [part.partition('"')[0] for part in text.split(' id="')[1:]]
    assert len(ids) == len(set(ids))


def test_heads_sort_and_say_so(visit: Any, file: Path) -> None:
    page = visit(file)
    assert set(shown(page, "scenario")) == {"none"}  # the first, where current evidence was not asked for
    head = page.locator("button[data-order=observed]")
    for direction, turned in (("ascending", False), ("descending", True), ("ascending", False)):
        head.focus()
        page.keyboard.press("Enter")
        assert page.locator("th:has(button[data-order=observed])").get_attribute("aria-sort") == direction
        values = [float(text) for text in shown(page, "observed")]
        assert values == sorted(values, reverse=turned) and len(values) == 9
    assert page.locator("#order").input_value() == "observed"
    assert page.locator("th[aria-sort=none]").count() == 5


def test_choices_are_joined_and_undone(visit: Any, file: Path) -> None:
    page = visit(file, 390)
    page.select_option("#scenario", "")
    assert len(shown(page, "scenario")) == 18
    page.select_option("#inside", "no")
    page.select_option("#treatment", "cells")
    assert set(shown(page, "study")) == {"FAR"} and set(shown(page, "inside")) == {"no"}
    page.locator("button[type=reset]").click()
    page.wait_for_function("document.getElementById('count').textContent === '9 records shown'")


def test_points_have_the_words_of_their_row(visit: Any, file: Path) -> None:
    page = visit(file)
    titles = page.evaluate("[...document.querySelectorAll('.panels svg g > title')].map(t => t.textContent)")
    assert len(titles) == 18
    assert any(
        title.startswith("FAR#1, treated <all>, week 12: observed \u22121, predicted \u221240") for title in titles
    )
    assert page.locator(".panels svg text:has-text('FAR#1')").count() == 1  # named at the edge, under the claims alone
