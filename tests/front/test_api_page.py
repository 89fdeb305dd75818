"""The reference page of the Python interface is the one that the docstrings give."""

from __future__ import annotations

from api_page import PAGE, groups, page

import betapod


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python tests/support/api_page.py"


def test_every_public_name_has_a_group_and_an_entry() -> None:
    grouped = [name for names in groups().values() for name in names]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == set(betapod.__all__) - {"__version__", "analyses", "designs", "errors"}
    text = page()
    for name in grouped:
        assert f"\n### `{name}" in text
    for module in ("analyses", "designs"):
        for name in getattr(betapod, module).__all__:
            assert f"\n### `{module}.{name}" in text
