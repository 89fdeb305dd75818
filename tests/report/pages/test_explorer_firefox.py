"""The explorer in Firefox, opened from disk: every view is there, and simulates what it simulates in Chromium. Skips, saying so, where there is no Firefox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from firefox import FIREFOX, Firefox, begun
from playwright.sync_api import Page

from betapod.explorer.explorer_page import VIEWS

THERE = "document.querySelector('#explorer:not([hidden])')"


@pytest.fixture(scope="module")
def firefox() -> Iterator[Firefox]:
    if FIREFOX is None:
        pytest.skip("needs Firefox")
    with begun() as browser:
        yield browser


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_there(view: str, explorer_file: Path, firefox: Firefox) -> None:
    firefox.open("about:blank")
    firefox.open(f"{explorer_file.as_uri()}#v={view}", 500)
    firefox.wait(THERE)
    firefox.wait(f"document.querySelector('#view-{view}:not([hidden])').innerText.length > 200")
    assert firefox.value("return document.documentElement.scrollWidth <= innerWidth")
    assert firefox.value("return document.getElementById('loading').hidden")


def test_a_course_is_that_of_chromium(explorer_file: Path, firefox: Firefox, visit: Callable[..., Page]) -> None:
    firefox.open("about:blank")
    firefox.open(f"{explorer_file.as_uri()}#v=person")
    firefox.wait("document.querySelector('#charts svg')")
    page = visit(explorer_file)
    page.wait_for_selector("#charts svg")
    # Numbers with four digits, and lines to a tenth of a pixel.
    for what in ("#table td", "#charts .readout"):
        script = f"return [...document.querySelectorAll('{what}')].map((one) => one.textContent)"
        assert firefox.value(script) == page.evaluate(f"() => {{ {script} }}")
    lines = "return [...document.querySelectorAll('#charts path.line')].map((one) => one.getAttribute('d'))"
    drawn = firefox.value(lines)
    assert drawn == page.evaluate(f"() => {{ {lines} }}") and len(drawn) == 8


def test_labs_are_answered_by_workers(explorer_file: Path, firefox: Firefox) -> None:
    firefox.open("about:blank")
    firefox.open(f"{explorer_file.as_uri()}#v=labs")
    firefox.wait("document.getElementById('lab-unknown')", 180)
    rows = firefox.value("return [...document.querySelectorAll('#lab-options tbody tr')].map((row) => row.innerText)")
    assert [row.split("\t")[0] for row in rows] == ["A: as now", "B: SGLT2 inhibitor"]
