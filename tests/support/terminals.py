"""The command line on a terminal of some width, within this process, and what holds of everything it prints there."""

from __future__ import annotations

import io
import re
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from betapod.cli import shared, tables
from betapod.cli.main import main
from betapod.cli.tables import TerminalTable

#: Widths of terminals at which tables are tried.
WIDTHS = (60, 80, 120)


class Terminal(io.StringIO):
    """A standard output that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True)
class Shown:
    """What a command printed on a terminal."""

    width: int
    text: str
    tables: list[TerminalTable]

    @property
    def words(self) -> set[str]:
        return set(self.text.split())


def on_terminal(monkeypatch: pytest.MonkeyPatch, width: int, *arguments: object) -> Shown:
    """Carry out a command on a terminal; the exit code must be 0."""
    printed: list[TerminalTable] = []
    show = tables.print_terminal_table

    def spying(console: Any, table: TerminalTable, wide: bool | None = None) -> None:
        printed.append(table)
        show(console, table, wide)

    with monkeypatch.context() as patch:
        terminal = Terminal()
        patch.setattr(tables, "print_terminal_table", spying)
        patch.setattr(sys, "stdout", terminal)
        patch.setattr(sys, "argv", ["betapod", *map(str, arguments)])
        patch.setenv("COLUMNS", str(width))
        patch.setenv("NO_COLOR", "1")
        patch.setenv("TERM", "xterm")
        shared.out.cache_clear()
        try:
            with pytest.raises(SystemExit) as stopped:
                main()
        finally:
            shared.out.cache_clear()
        assert not stopped.value.code, arguments
    return Shown(width, terminal.getvalue(), printed)


def check_fits(narrow: Shown, whole: Shown) -> None:
    """No line is longer than the terminal, no word is broken, every column is there or named, what all rows share is said once."""
    long = [line for line in narrow.text.splitlines() if len(line.rstrip()) > narrow.width]
    assert not long, (narrow.width, long)
    # A word of several parts may be broken between these.
    heads = {word for table in narrow.tables for name in table.columns for word in name.split()}
    heads = {f"{word}{mark}" for word in heads for mark in ("", ",", ";", ":")}
    known = {part for word in whole.words | heads | NOTE for part in (word, *_parts(word))}
    broken = sorted(part for word in narrow.words - known for part in _parts(word) if part not in known)
    assert not broken, (narrow.width, broken)
    flat = " ".join(narrow.text.split())
    for table in narrow.tables:
        # The first line of a card is what the first column holds.
        cards = f"\n  {table.columns[-1]}: " in narrow.text
        for name in table.columns[cards:]:
            assert all(word in flat for word in name.split()), (name, narrow.text)
        for place, text in table.constants().items():
            said = f"{table.columns[place]} {text}" if text else table.columns[place]
            assert " ".join(said.split()) in flat, (said, narrow.text)


#: Words of the lines with which a table says what it left out or said once.
NOTE = frozenset(
    [
        "left",
        "out",
        "at",
        "this",
        "width:",
        "--wide",
        "shows",
        "them,",
        "--csv",
        "FILE",
        "writes",
        "them",
        "a",
        "wider",
        "terminal",
        "all",
        "rows:",
        "no",
        "row",
        "has:",
    ]
)


def _parts(word: str) -> list[str]:
    return [part for part in re.split(r"(?<=[_/;:|+‐,-])", word.strip("─▁▂▃▄▅▆▇█")) if part]
