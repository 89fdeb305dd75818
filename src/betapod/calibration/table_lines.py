"""Rows of the package's tables as text: one line is changed, or added, and every other byte stays."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

_QUOTE, _QUOTED = '"', re.compile(r'[",\r\n]')

Row = dict[str, str]
#: Changes a row in place, or leaves it, and says whether it did.
Change = Callable[[Row], bool]


@dataclass(frozen=True)
class TableTexts:
    """Tables of a package, as they are and as they are going to be.

    Attributes
    ----------
    package
        Folder ``betapod`` with the tables.
    texts
        New content by file, relative to that folder.
    """

    package: Path
    texts: MutableMapping[str, str]

    def read(self, file: str) -> str:
        """Return the content of a table; nothing where there is none."""
        if file in self.texts:
            return self.texts[file]
        path = self.package / file
        # Line ends stay as they are.
        return path.read_bytes().decode("utf-8") if path.is_file() else ""

    def rows(self, file: str) -> Iterator[Row]:
        """Return the rows of a table by column."""
        for _, row in _lines_with_rows(self.read(file)):
            yield row

    def change(self, file: str, change: Change) -> list[tuple[Row, Row]]:
        """Change rows of a table; return each that was changed as it was and as it is."""
        text = self.read(file)
        lines, changed = text.splitlines(keepends=True), []
        for index, row in _lines_with_rows(text):
            before = dict(row)
            if change(row):
                cells = len(next(csv.reader([lines[index]])))
                lines[index] = _line(list(row.values())[:cells], lines[index])
                changed.append((before, row))
        if changed:
            self.texts[file] = "".join(lines)
        return changed

    def add(self, file: str, row: Mapping[str, str]) -> None:
        """Add a row at the end of a table; columns that the table does not have are left out."""
        text = self.read(file)
        head_line = _head_line(text)
        head = next(csv.reader([head_line]))
        if not text.endswith("\n"):
            text += "\n"
        self.texts[file] = text + _line([row.get(name, "") for name in head], head_line)


def _head_line(text: str) -> str:
    return next(line for line in text.splitlines(keepends=True) if line.strip() and not line.startswith("#"))


def _lines_with_rows(text: str) -> Iterator[tuple[int, Row]]:
    """Return the index and the columns of every line that is a row."""
    head = list[str]()
    for index, line in enumerate(text.splitlines(keepends=True)):
        if not line.strip() or line.startswith("#"):
            continue
        cells = next(csv.reader([line]))
        if not head:
            head = cells
            continue
        yield index, {name: cells[k] if k < len(cells) else "" for k, name in enumerate(head)}


def _line(cells: list[str], former: str) -> str:
    """Return a line as the tables have it: notes that begin with a sign stay as they are, which a table for others must not have."""
    quoted = [f'"{cell.replace(_QUOTE, 2 * _QUOTE)}"' if _QUOTED.search(cell) else cell for cell in cells]
    return ",".join(quoted) + ("\r\n" if former.endswith("\r\n") else "\n")
