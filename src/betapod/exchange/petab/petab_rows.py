"""The tables of a problem of PEtab as rows, each cell by the name of its column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...base.delimited import cell_number, clean_cell, read_delimited
from ...base.errors import Location, Problem

#: Cells that say nothing.
_EMPTY = frozenset({"", "nan", "na"})


@dataclass(frozen=True)
class PetabRow:
    """One row: cells by column; empty ones are not in it."""

    file: str
    line: int
    cells: Mapping[str, str]

    @property
    def place(self) -> Location:
        """Where it stands."""
        return Location(self.file, self.line)

    def text(self, column: str, default: str = "") -> str:
        """Return a cell, or a default where it is empty or there is no such column."""
        return self.cells.get(column, default)

    def listed(self, column: str) -> list[str]:
        """Return the entries of a cell that are separated by semicolons."""
        return [entry.strip() for entry in self.text(column).split(";") if entry.strip()]

    def number(self, column: str, problems: list[Problem], default: float | None = None) -> float:
        """Return a number; what is none is added to the problems."""
        text = self.cells.get(column)
        if text is None and default is not None:
            return default
        words = {"inf": float("inf"), "-inf": float("-inf"), "infinity": float("inf")}
        value = words.get(text.lower()) if text else None
        if value is None and text is not None:
            value = cell_number(text, ".")
        if value is None:
            message = f"{column} is not a number" if text else f"{column} is missing"
            problems.append(Problem("bad-number", message, self.place, text or "", "a number"))
            return float("nan")
        return value


def read_petab_rows(
    folder: Path, files: Sequence[str], needed: Sequence[str], problems: list[Problem], keep_nan: bool = False
) -> Iterator[PetabRow]:
    """Yield the rows of tables.

    Parameters
    ----------
    needed
        Columns without which a table cannot be read.
    keep_nan
        Whether a cell NaN says something: in conditions it keeps what was before.
    """
    for name in files:
        path = folder / name
        table = read_delimited(path, lambda cell: cell in needed)
        problems += table.problems
        lacking = [column for column in needed if column not in table.header]
        if lacking:
            location = Location(str(path), table.line)
            problems += [Problem("missing-column", f"there is no column {column!r}", location) for column in lacking]
            continue
        for line, cells in table.rows:
            named = {head: clean_cell(cell) for head, cell in zip(table.header, cells, strict=True)}
            said = {head: cell for head, cell in named.items() if cell.lower() not in _EMPTY or (keep_nan and cell)}
            yield PetabRow(str(path), line, said)
