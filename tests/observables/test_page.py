"""The reference page says what the table says."""

from __future__ import annotations

from observables_page import PAGE, page


def test_the_page_is_that_of_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python tests/support/observables_page.py"
