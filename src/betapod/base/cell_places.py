"""Where a cell of a delimited table stands."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import Location


def cell_place(file: str, lines: Sequence[str], line: int, n: int, separator: str) -> Location:
    """Return the place of the cell number n, from 0, of a line: file, line and column.

    Parameters
    ----------
    lines
        Of the file.
    line
        From 1 on.
    """
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    column, quoted = 0, False
    for position, letter in enumerate(text):
        if n == 0:
            break
        quoted ^= letter == '"'
        if letter == separator and not quoted:
            n, column = n - 1, position + 1
    return Location(file, line, column + 1) if n == 0 else Location(file, line)
