"""Tables as CSV: one rule for every verb that prints one.

A verb whose result is a table prints it on a terminal, and gives it as CSV into a pipe or a file. ``--csv FILE`` writes it, ``--csv -`` prints
it as CSV wherever that goes, ``--wide`` prints text with every column, into a pipe too. A verb whose result is a text (a report, a check,
one study) prints the text everywhere; its table goes as CSV only where ``--csv`` asks for it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from ..base.errors import ConfigError, Problem
from .shared import print_note, with_noun, write_out

CsvOption = Annotated[
    Path | None,
    typer.Option("--csv", metavar="FILE", help="Write the table as CSV; '-' for standard output."),
]
WideOption = Annotated[
    bool, typer.Option("--wide", help="Print every column as text, however narrow the terminal is, or into a pipe.")
]
SearchOption = Annotated[
    str | None,
    typer.Option("--search", metavar="WORDS", help="Only rows that hold all of these words, in any order and case."),
]


@dataclass(frozen=True)
class Csv:
    """A table as CSV, made only when it is asked for.

    Attributes
    ----------
    text
        Makes it.
    rows
        Number of its rows.
    """

    text: Callable[[], str]
    rows: int

    @classmethod
    def of(cls, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Csv:
        """Return the CSV of rows; numbers in ten digits, units in the heads as the caller gives them."""
        from ..base.exports import rows_as_csv

        all_rows = list(rows)
        return cls(lambda: rows_as_csv(header, [[csv_cell(cell) for cell in row] for row in all_rows]), len(all_rows))


def csv_cell(cell: Any) -> Any:
    """Return a cell as CSV holds it: numbers in ten digits, nothing for what is not known."""
    if cell is None or cell != cell:
        return ""
    return f"{cell:.10g}" if isinstance(cell, float) else cell


def given_as_csv(
    table: Csv, path: Path | None, as_json: bool = False, wide: bool = False, text: bool = False, quiet: bool = False
) -> bool:
    """Give a table as CSV where that is asked for, and return whether nothing more is to be printed.

    Parameters
    ----------
    path, as_json, wide
        The options ``--csv``, ``--json`` and ``--wide``.
    text
        Whether the result of the verb is a text, which is printed unless the table goes to standard output.
    quiet
        Whether nothing is said of a file that was written.

    Raises
    ------
    ConfigError
        CSV and JSON both go to standard output.
    """
    if path is None:
        if as_json or wide or text or sys.stdout.isatty():
            return False
        write_out(table.text())
        return True
    if str(path) == "-":
        if as_json:
            raise ConfigError(
                Problem("bad-option", "--csv - and --json both print to standard output", hint="Name a file for --csv.")
            )
        write_out(table.text())
        return True
    from ..base.files import write_text

    write_text(path, table.text())
    if not quiet:
        print_note(f"wrote {path}: {with_noun(table.rows, 'row')}")
    return not (text or as_json or wide)


def matching(words: str | None, *texts: str) -> bool:
    """Return whether every word stands somewhere in the texts, in any case; without words everything does."""
    everything = " ".join(texts).casefold()
    return all(word in everything for word in (words or "").casefold().split())
