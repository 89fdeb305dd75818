"""Tables on terminals of any width: no word is broken, no column and no number is lost."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from betapod.cli.tables import TerminalTable, print_terminal_table, widths

COLUMNS = ("design", "scenario", "arm", "mean", "95 % of trials")
ROWS = [("randomised", "current-evidence", "cells and care", "−2.6 %", "−34 to +69 %"), ("single arm", "none", "placebo", "0.0 %", "−1 to +1 %")]  # fmt: skip


def printed(width: int) -> str:
    file = io.StringIO()
    print_terminal_table(
        Console(file=file, width=width, color_system=None), TerminalTable(COLUMNS, ROWS, ("mean", "95 % of trials"))
    )
    return file.getvalue()


@pytest.mark.parametrize("width", [20, 40, 60, 72, 80, 100, 200])
def test_no_word_is_broken(width: int) -> None:
    """F9: heads were "desig/n" and "hypot/hesis", cells "curre/nt-ev/idenc/e"."""
    text = printed(width)
    for word in {word for row in (COLUMNS[1:], *ROWS) for cell in row for word in cell.split()}:
        if len(word) < width - 2:
            assert word in text, (word, text)
    for row in ROWS:
        assert (row[3] in text and row[4] in text) or width < 30
    assert all(len(line.rstrip()) <= width for line in text.splitlines())


def test_what_is_the_same_in_all_rows_is_said_once() -> None:
    file = io.StringIO()
    print_terminal_table(Console(file=file, width=14, color_system=None), TerminalTable(("a", "bbbbbb", "c"), [("1", "same words", "x"), ("2", "same words", "y"), ("3", "same words", "z")]))  # fmt: skip
    assert file.getvalue().count("same") == 1


@given(st.lists(st.tuples(st.text("ab ", max_size=20), st.text("ab ", max_size=20)), max_size=4), st.integers(1, 90))
def test_widths_fit(rows: list[tuple[str, str]], total: int) -> None:
    found = widths(TerminalTable(("first", "second"), rows, ("second",)), total)
    assert found is None or sum(found) + 2 <= total
