"""The report in a real browser: nothing cut off, no label on another, no fault that axe-core finds, on a telephone, a desk and paper."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import small_trials as small

from betapod.report.trial.report_writing import make
from betapod.trials.conduct import conduct

WIDTHS = pytest.mark.parametrize("width", [390, 1280])


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    trial = small.protocol(replicates="60")
    run = conduct.conduct_trial(trial, pool=small.pool(trial))
    return make(run, tmp_path_factory.mktemp("page"), ["report", "small"], quick=True).files[0]


@WIDTHS
def test_nothing_overlaps_or_leaves_the_screen(visit, misplaced, file: Path, width: int) -> None:
    page = visit(file, width)
    assert misplaced(page) == []
    assert page.locator('svg g[id*="text_"]').count() > 50


@WIDTHS
def test_axe_finds_nothing(visit, findings, file: Path, width: int) -> None:
    assert findings(visit(file, width)) == []


def test_tables_are_read_on_a_telephone(visit, file: Path) -> None:
    """Tables with more than three columns stand as lists of named values, so that none is cut off."""
    page = visit(file, 390)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    cut = page.evaluate(
        "[...document.querySelectorAll('.scroll:has(.stack)')].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent)"
    )
    assert page.locator(".stack").count() > 3 and cut == []


def test_every_wide_table_scrolls_by_keyboard(visit, file: Path) -> None:
    page = visit(file, 700)
    wide = page.locator(".scroll").evaluate_all("all => all.filter(e => e.scrollWidth > e.clientWidth + 1).length")
    assert wide, "no table is wide enough for this test"
    names = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(
            "document.activeElement.matches('.scroll') && document.activeElement.scrollWidth > document.activeElement.clientWidth + 1"
        ):
            page.keyboard.press("ArrowRight")
            page.wait_for_function("document.activeElement.scrollLeft > 0")
            names.add(page.evaluate("document.activeElement.getAttribute('aria-labelledby')"))
    assert len(names) == wide


def test_it_prints(visit, file: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.pdf"
    visit(file).pdf(path=target, prefer_css_page_size=True)
    assert target.read_bytes()[:5] == b"%PDF-"
    if shutil.which("pdftotext"):
        text = subprocess.run(["pdftotext", str(target), "-"], capture_output=True, text=True, check=True).stdout
        assert "In brief" in text and "How this report was made" in text
        assert "analysis of covariance" in text  # folded on the screen, open on paper
