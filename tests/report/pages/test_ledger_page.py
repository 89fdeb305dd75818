"""The ledger page in a real browser: by keyboard alone, on a telephone, a desk and paper, with no fault that axe-core finds."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from betapod.claims.claim_verdict import VERDICTS
from betapod.claims.ledger import judge_ledger
from betapod.report.claims import claims_page as ledger_page


@pytest.fixture(scope="module")
def entries() -> list[Any]:
    return judge_ledger()


@pytest.fixture(scope="module")
def file(entries: list[Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ledger_page.write_claims_page(entries, tmp_path_factory.mktemp("ledger") / "ledger.html")


@pytest.fixture(params=[390, 1280], ids=["telephone", "desk"])
def page(request: pytest.FixtureRequest, visit: Callable[..., Any], file: Path) -> Any:
    return visit(file, request.param)


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


def test_nothing_is_cut_off_or_lies_on_another(page: Any, misplaced: Callable[[Any], list[str]]) -> None:
    assert misplaced(page) == []
    assert page.locator("svg text").count() > 100


def test_it_begins_with_what_came_out(page: Any, entries: list[Any]) -> None:
    """The message and the picture count the verdicts, and both stand on the first screen."""
    text = page.inner_text(".first")
    counts = {name: sum(e.verdict.verdict == name for e in entries) for name in VERDICTS}
    for about in ("cells", "diabetes"):
        judged = [e.verdict.verdict for e in entries if e.claim.about == about]
        assert f"Of {len(judged)} claims about" in text
        assert all(f"{judged.count(name)} {name}" in text for name in set(judged))
    drawn = page.locator(".first svg text").all_text_contents()
    assert drawn == [text for name in VERDICTS for text in (name, str(counts[name]))]
    box = page.locator(".first svg").bounding_box()
    assert box["y"] + box["height"] < 844


def test_no_raw_number_or_file_name_is_shown(file: Path) -> None:
    """No 6.7e-04, no hyphen for a minus, no name of the file in which a claim was found, no % for percentage points of HbA1c."""
    text = re.sub(r"<style.*?</style>|<script.*?</script>", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = " ".join(re.sub(r"<[^>]+>", " ", text).split())
    assert not re.findall(r"\d(?:\.\d+)?e-\d+", text)
    assert not re.findall(r"[(: ]-\d", text)
    assert ".txt" not in text
    assert "\u22121.6 percentage points" in text


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
    page.wait_for_function(f"document.getElementById('count').textContent.startsWith('{len(entries)}')")
    assert len(shown(page)) == len(entries)


def test_sort_by_keyboard(page: Any, entries: list[Any]) -> None:
    rank = {entry.claim.id: VERDICTS.index(entry.verdict.verdict) for entry in entries}
    factor = {entry.claim.id: ledger_page.factor(entry) for entry in entries}
    reach(page, "order")
    for name, values in (("verdict", rank), ("how far", factor)):
        if values is factor:
            page.wait_for_timeout(1100)  # a select forgets what was typed after a second
        page.keyboard.type(name)
        found = [values[one] for one in shown(page)]
        assert found == sorted(found) and len(found) == len(entries)


def test_every_card_opens_by_keyboard(page: Any, entries: list[Any]) -> None:
    reach(page, "order")
    page.keyboard.press("Tab")
    opened = []
    for _ in entries:
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


def test_axe_finds_nothing(page: Any, findings: Callable[..., list[str]]) -> None:
    assert findings(page) == []


def test_it_prints_every_card_open(visit: Callable[..., Any], file: Path, entries: list[Any], tmp_path: Path) -> None:
    page = visit(file)
    target = tmp_path / "ledger.pdf"
    page.pdf(path=target, format="A4")
    assert target.read_bytes()[:5] == b"%PDF-"
    page.emulate_media(media="print")
    assert not page.locator("#controls").is_visible()
    if shutil.which("pdftotext"):
        text = subprocess.run(["pdftotext", str(target), "-"], capture_output=True, text=True, check=True).stdout
        assert text.count("Published numbers") >= len(entries) and text.count("What would change the verdict") == len(
            entries
        )
