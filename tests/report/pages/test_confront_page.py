"""The page of the model against published numbers in a real browser: light and dark, telephone, desk and paper, by keyboard alone."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from betapod.evidence.records import registry
from betapod.report.predictions import predictions_page as confront_page
from betapod.report.predictions import predictions_view as confront_view
from betapod.validation.predictions.campaign import confront_records

WIDTHS = pytest.mark.parametrize("width", [390, 1280])


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Any:
    records = list(registry.load_registry().select(study=["PACKHAM2016", "LIAN2022"], tag=None))
    found = confront_records(records, ["none", "current-evidence"], count=4, threads=1)
    return found, confront_view.view(found, confront_view.products_by_record(records))


@pytest.fixture(scope="module")
def file(table: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found, rows = table
    return confront_page.write_predictions_page(
        found, rows, tmp_path_factory.mktemp("confront") / "confront.html", 4, 1
    )


def shown(page: Any) -> list[dict[str, str]]:
    return page.evaluate(
        "[...document.querySelectorAll('#list > tr')].filter(r => !r.hidden).map(r => ({...r.dataset}))"
    )


def reach(page: Any, name: str) -> None:
    """Press Tab until an element has the focus; fail if it never gets it."""
    for _ in range(120):
        if page.evaluate("document.activeElement.id") == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} cannot be reached with Tab")


@WIDTHS
def test_axe_finds_nothing(visit, findings, file: Path, width: int) -> None:
    assert findings(visit(file, width)) == []


def test_dark_is_legible(visit, findings, file: Path) -> None:
    page = visit(file, 1280, "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert findings(page, "color-contrast") == []


@WIDTHS
def test_nothing_is_cut_off_or_lies_on_another(visit, misplaced, file: Path, width: int) -> None:
    page = visit(file, width)
    assert misplaced(page) == []
    assert page.locator("svg text").count() > 10


@WIDTHS
def test_it_begins_with_the_total_and_a_picture(visit, table: Any, file: Path, width: int) -> None:
    rows = table[1][table[1]["scenario"] == "current-evidence"]
    page = visit(file, width)
    assert page.inner_text(".first").startswith(f"{int(rows['inside'].sum())} of {len(rows)} published numbers")
    shares = {f"{int(part['inside'].sum())}/{len(part)}" for _, part in rows.groupby("treatment")}
    assert shares <= set(page.locator(".first svg text").all_text_contents())
    box = page.locator(".first svg").bounding_box()
    assert box["y"] + box["height"] < 844
    # Marks are drawn, not letters that a font may lack.
    assert page.locator(".legend svg.mark").count() == page.locator(".legend li").count() > 0


@WIDTHS
def test_rows_are_chosen_and_sorted_by_keyboard(visit, table: Any, file: Path, width: int) -> None:
    rows = table[1]
    page = visit(file, width)
    assert {row["scenario"] for row in shown(page)} == {"current-evidence"}
    reach(page, "words")
    page.keyboard.type("PACKHAM2016")
    wanted = rows[(rows["study"] == "PACKHAM2016") & (rows["scenario"] == "current-evidence")]
    found = shown(page)
    assert len(found) == len(wanted) > 0 and {row["study"] for row in found} == {"PACKHAM2016"}
    assert page.inner_text("#count") == f"{len(wanted)} records shown"
    distances = [float(row["miss"]) for row in found]
    assert distances == sorted(distances, reverse=True)
    reach(page, "down")
    page.keyboard.press("Space")
    assert [float(row["miss"]) for row in shown(page)] == sorted(distances)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_function("document.getElementById('words').value === ''")


def test_it_prints(visit, file: Path, tmp_path: Path) -> None:
    target = tmp_path / "confront.pdf"
    page = visit(file)
    page.pdf(path=target, format="A4")
    assert target.read_bytes()[:5] == b"%PDF-"
    page.emulate_media(media="print")
    assert not page.locator("#controls").is_visible()
    if shutil.which("pdftotext"):
        text = subprocess.run(["pdftotext", str(target), "-"], capture_output=True, text=True, check=True).stdout
        assert "What came out" in text and "PACKHAM2016" in text
