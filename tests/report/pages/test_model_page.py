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
def test_all_that_scrolls_is_reached_by_keyboard(visit, whole: Path, width: int) -> None:
    page = visit(whole, width)
    wide = "[...document.querySelectorAll('.scroll, .formula')].filter(e => e.scrollWidth > e.clientWidth)"
    assert page.evaluate(f"{wide}.length") > 5
    assert page.evaluate(f"{wide}.filter(e => e.tabIndex !== 0 || !e.ariaLabel).map(e => e.textContent)") == []


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_leaves_the_screen(visit, misplaced, whole: Path, width: int) -> None:
    assert misplaced(visit(whole, width)) == []


def test_it_prints(visit, part: Path, tmp_path: Path) -> None:
    target = tmp_path / "model.pdf"
    visit(part).pdf(path=target)
    assert target.read_bytes()[:5] == b"%PDF-"
    if shutil.which("pdftotext"):
        text = subprocess.run(["pdftotext", str(target), "-"], capture_output=True, text=True, check=True).stdout
        assert "Filtration" in text and "References" in text
