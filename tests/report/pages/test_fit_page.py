"""The page of a fit in a real browser: light and dark, telephone and desk, every row found by its words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from made_up_fit import write_made_up_fit

from betapod.report.fit.fit_page import write_fit_page


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fit")
    return write_fit_page(write_made_up_fit(folder / "made-up", count=70), folder / "fit.html")


#: Examining hundreds of labels takes seconds: axe-core sees the first pictures with their letters, and all text alternatives.
FEWER = "document.querySelectorAll('figure svg').forEach((picture, k) => k > 2 && picture.replaceChildren())"


def test_telephone_and_desk(visit, misplaced, findings, file: Path) -> None:
    page = visit(file, 390)
    assert misplaced(page) == []
    assert page.locator("svg text").count() > 150
    page.set_viewport_size({"width": 1280, "height": 900})
    assert misplaced(page) == []
    page.evaluate(FEWER)
    assert findings(page) == []


def test_dark_is_legible(visit, findings, file: Path) -> None:
    page = visit(file, 1280, "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    page.evaluate(FEWER)
    assert findings(page, "color-contrast") == []


def test_it_begins_with_what_came_out(visit, file: Path) -> None:
    page = visit(file, 390)
    assert re.match(r"The evidence speaks to \d+ of 25 unknowns", page.inner_text(".first"))
    assert page.locator(".first svg text").all_text_contents().count("with discrepancy") == 2


def test_rows_are_chosen_and_sorted(visit, file: Path) -> None:
    page = visit(file)
    page.select_option("#fitted", "set aside")
    page.select_option("#inside", "no")
    rows = page.evaluate(
        "[...document.querySelectorAll('#list > tr')].filter(r => !r.hidden).map(r => ({...r.dataset}))"
    )
    assert rows and {(row["fitted"], row["inside"]) for row in rows} == {("set aside", "no")}
    misses = [float(row["miss"]) for row in rows]
    assert misses == sorted(misses, reverse=True)
    assert page.inner_text("#count").startswith(f"{len(rows)} row")


def test_it_needs_nothing_else(file: Path) -> None:
    html = file.read_text(encoding="utf-8")
    assert not re.search(r'(?:src|href)="(?!#)', html)
    assert not re.search(r"\bnan\b", re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL), re.IGNORECASE)
    identifiers = re.findall(r'\bid="([^"]+)"', html)
    assert len(identifiers) == len(set(identifiers))
