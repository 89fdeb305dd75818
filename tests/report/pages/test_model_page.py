"""The page of a model in a real browser: light and dark, on a telephone and a desk, by keyboard and on paper."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from betapod.model.bibliography import Bibliography
from betapod.model.printing.render import render
from betapod.physiology import whole_body

WIDTHS = pytest.mark.parametrize("width", [390, 1280])
WORKS = Bibliography.read(whole_body.BIBLIOGRAPHY)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """The largest model: states, events, inputs, functions, works, the longest names."""
    file = tmp_path_factory.mktemp("model") / "reference.html"
    file.write_text(render(whole_body.named_model("reference"), "html", WORKS), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def part(tmp_path_factory) -> Path:
    """One submodel: the same kinds of lines and tables, small enough for all of axe-core."""
    file = tmp_path_factory.mktemp("model") / "filtration.html"
    file.write_text(render(whole_body.named_model("kidney"), "html", WORKS, "Filtration"), encoding="utf-8")
    return file


@WIDTHS
def test_axe_finds_nothing(visit, findings, part: Path, width: int) -> None:
    assert findings(visit(part, width)) == []


def test_dark_and_light_are_two_and_both_legible(visit, findings, part: Path) -> None:
    page = visit(part, 390, "dark")
    assert findings(page, "color-contrast") == []
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != visit(part, 390, "light").evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_all_that_scrolls_is_reached_by_keyboard_and_nothing_leaves_the_screen(
    visit, misplaced, whole: Path, width: int
) -> None:
    page = visit(whole, width)
    wide = "[...document.querySelectorAll('.scroll, .formula')].filter(e => e.scrollWidth > e.clientWidth)"
    assert page.evaluate(f"{wide}.length") > 5
    unreached = page.evaluate(f"{wide}.filter(e => e.tabIndex !== 0 || !e.ariaLabel).map(e => e.textContent)")
    assert (unreached, misplaced(page)) == ([], [])


def test_it_prints(visit, part: Path, tmp_path: Path) -> None:
    target = tmp_path / "model.pdf"
    visit(part).pdf(path=target)
    assert target.read_bytes()[:5] == b"%PDF-"
    if shutil.which("pdftotext"):
        text = subprocess.run(["pdftotext", str(target), "-"], capture_output=True, text=True, check=True).stdout
        assert "Filtration" in text and "References" in text


def test_the_matrix_says_who_reads_what(visit, findings, whole: Path) -> None:
    page = visit(whole)
    told = page.locator(".matrix rect.reads title").evaluate_all("titles => titles.map(title => title.textContent)")
    [podocytes] = [text for text in told if text.startswith("Podocytes reads ") and text.endswith(" from Filtration")]
    assert "P_GC" in podocytes
    submodels = page.locator("main section h2").count()
    assert page.locator(".matrix rect.self").count() == submodels + 1, "each submodel, and the inputs"
    page.locator(".matrix a", has_text="Podocytes").first.click()
    assert page.evaluate("location.hash") == "#submodel-podocytes"
    assert findings(page, "nested-interactive", "link-name", "color-contrast", within=".matrix") == []


def test_search_shows_what_has_every_word_and_a_link_shows_all_again(visit, whole: Path) -> None:
    page = visit(whole, 390)
    everything = page.locator("main .line:visible, main tbody tr:visible").count()
    page.get_by_label("Search").fill("glomerular PRESSURE")
    shown = page.locator("main .line:visible, main tbody tr:visible").all_inner_texts()
    assert 0 < len(shown) < everything / 5
    assert all("glomerular" in text.lower() and "pressure" in text.lower() for text in shown)
    assert page.locator("#found").inner_text() == f"{len(shown)} found"
    assert page.locator("main section:visible").count() < page.locator("main section").count()
    page.get_by_label("Contents").get_by_role("link", name="Podocytes").click()
    assert page.locator("main .line:visible, main tbody tr:visible").count() == everything
    page.get_by_label("Search").fill("no such thing")
    assert page.locator("#found").inner_text() == "0 found"
