"""The ledger page in a real browser: by keyboard alone, on a telephone and on a desk, with no serious finding of axe-core.

Needs Chromium and playwright; axe-core's file is looked for in the folder that AXE_CORE names, else under node_modules.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from betapod.evidence.ledger import ledger
from betapod.evidence.verdict import VERDICTS
from betapod.report import ledger_page

BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium")

FOLDERS = (os.environ.get("AXE_CORE", ""), str(Path(__file__).parents[2] / "node_modules" / "axe-core"))
AXE = next((path for folder in FOLDERS if folder and (path := Path(folder) / "axe.min.js").is_file()), None)


@pytest.fixture(scope="module")
def entries() -> list[Any]:
    return ledger()


@pytest.fixture(scope="module")
def file(entries: list[Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ledger_page.write(entries, tmp_path_factory.mktemp("ledger") / "ledger.html")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with api.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=BROWSER, args=["--headless", "--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture(params=[(375, 812), (1280, 900)], ids=["telephone", "desk"])
def page(request: pytest.FixtureRequest, browser: Any, file: Path) -> Iterator[Any]:
    width, height = request.param
    opened = browser.new_page(viewport={"width": width, "height": height})
    opened.goto(file.as_uri())
    yield opened
    opened.close()


def shown(page: Any) -> list[str]:
    return page.evaluate("[...document.querySelectorAll('#cards > li')].filter(c => !c.hidden).map(c => c.id)")


def reach(page: Any, name: str) -> None:
    """Press Tab until an element has the focus; fail if it never gets it."""
    for _ in range(40):
        if page.evaluate("document.activeElement.id") == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} cannot be reached with Tab")


def test_it_needs_nothing_else(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert " src=" not in text and "<link" not in text and "@import" not in text and "url(" not in text


def test_nothing_is_wider_than_the_screen(page: Any) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_filter_by_keyboard(page: Any, entries: list[Any]) -> None:
    reach(page, "verdict")
    page.keyboard.type("contradicted")
    wanted = [entry.claim.id for entry in entries if entry.verdict.verdict == "contradicted"]
    assert shown(page) == wanted
    assert page.inner_text("#count") == f"{len(wanted)} claims shown"
    page.keyboard.press("Tab")
    page.keyboard.type("diabetes")
    assert shown(page) == [
        e.claim.id for e in entries if e.verdict.verdict == "contradicted" and e.claim.about == "diabetes"
    ]


def test_words_and_reset_by_keyboard(page: Any, entries: list[Any]) -> None:
    reach(page, "words")
    page.keyboard.type("vegetable_weight")
    assert shown(page) == ["B20"]
    for _ in range(5):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "reset"
    page.keyboard.press("Enter")
    page.wait_for_function("document.getElementById('count').textContent.startsWith('44')")
    assert len(shown(page)) == len(entries)


def test_sort_by_keyboard(page: Any, entries: list[Any]) -> None:
    rank = {entry.claim.id: VERDICTS.index(entry.verdict.verdict) for entry in entries}
    factor = {entry.claim.id: ledger_page.factor(entry) for entry in entries}
    reach(page, "order")
    for name, values in (("verdict", rank), ("how far", factor)):
        page.keyboard.type(name)
        page.wait_for_timeout(1100)  # a select forgets what was typed after a second
        found = [values[one] for one in shown(page)]
        assert found == sorted(found) and len(found) == 44


def test_every_card_opens_by_keyboard(page: Any) -> None:
    reach(page, "order")
    page.keyboard.press("Tab")
    opened = []
    for _ in range(44):
        page.keyboard.press("Tab")
        card = page.evaluate("document.activeElement.tagName === 'SUMMARY' && document.activeElement.closest('li')?.id")
        assert card
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.parentElement.open")
        opened.append(card)
    assert opened == shown(page)


def test_verdicts_and_pictures_say_what_was_computed(page: Any, entries: list[Any]) -> None:
    for entry in entries:
        card = page.locator(f"#{entry.claim.id}")
        assert card.locator(".verdict").inner_text() == entry.verdict.verdict
        assert card.locator("svg").get_attribute("aria-label")


def test_no_serious_finding_of_axe(page: Any) -> None:
    if AXE is None:
        pytest.skip("needs axe-core: set AXE_CORE to the folder with axe.min.js")
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("axe.run()")
    assert len(found["passes"]) > 20
    assert [(one["id"], one["impact"]) for one in found["violations"]] == []


def test_section_of_a_report(entries: list[Any]) -> None:
    section = ledger_page.section(["HbA1c"], cells=True)
    assert section is not None
    rows = {row[0]: row[2] for row in section.tables[0].rows}
    assert "A12" in rows and "B20" not in rows
    verdicts = {entry.claim.id: entry.verdict.verdict for entry in entries}
    assert all(verdicts[name] == verdict for name, verdict in rows.items())
    assert {claim.about for claim in ledger_page.bearing(["UACR", "eGFR"], cells=False)} == {"diabetes"}
    assert ledger_page.section(["no such quantity"], cells=True) is None
