"""The page of the installed fit says what its record says."""

from __future__ import annotations

from fit_document import NAME, PAGE, written

from betapod.physiology.installed_fits import load_fit


def test_the_tables_of_the_page_are_those_of_the_record() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert written(page, load_fit(NAME)) == page, "run python tests/support/fit_document.py"
