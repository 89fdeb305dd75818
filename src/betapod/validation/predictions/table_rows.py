"""Rows of a small table of a user's own, CSV or YAML, as text by column, each cell with its place."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...base.config import Document, parse_yaml
from ...base.errors import Location, Problem, did_you_mean
from ...base.exports import original_cell
from ...evidence.records.csv_places import cell_starts, lines_of, read_text, within

#: Endings of files that are YAML.
YAML = (".yaml", ".yml")


@dataclass(frozen=True)
class TableRow:
    """One row: text by column, empty where the table has nothing; `where` gives the place of a column's cell."""

    cells: Mapping[str, str]
    where: Callable[[str], Location]

    def __getitem__(self, name: str) -> str:
        return self.cells[name]

    def problem(self, kind: str, column: str, message: str, expected: str = "", hint: str = "") -> Problem:
        """Return a problem of one cell."""
        cell_text = repr(self[column]) if self[column] else ""
        return Problem(kind, f"{column}: {message}", self.where(column), cell_text, expected, hint)


def read_table_rows(
    path: Path, columns: Sequence[str], required: Sequence[str], problems: list[Problem]
) -> list[TableRow]:
    """Return the rows of a table; what is wrong with it is added to `problems`.

    A CSV file has a header, lines that begin with ``#`` are not read. A YAML file is a list of entries with the columns as keys, whose
    values may be lists. Columns may be written with an underscore for a blank.
    """
    text, problem = read_text(path)
    if problem is not None:
        problems.append(problem)
        return []
    if path.suffix.lower() in YAML:
        return _of_yaml(path, text, columns, required, problems)
    return _of_csv(path, text, columns, required, problems)


def _known(name: str, columns: Sequence[str]) -> str:
    """Return the column that a heading means, or nothing."""
    plain = name.strip().replace("_", " ").lower()
    return next((column for column in columns if column.replace("_", " ").lower() == plain), "")


def _of_csv(
    path: Path, text: str, columns: Sequence[str], required: Sequence[str], problems: list[Problem]
) -> list[TableRow]:
    lines = lines_of(text)
    reader = csv.reader(lines)
    header: list[str] | None = None
    rows: list[TableRow] = []
    end = 0
    try:
        for cells in reader:
            start, end = end, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            own_text = "".join(lines[start:end]).lstrip("\r\n")
            line = Location(str(path), end - own_text.rstrip("\r\n").count("\n"))
            if header is None:
                header = _header(cells, columns, required, line, own_text, problems)
                if header is None:
                    return []
            elif len(cells) != len(header):
                message, hint = (
                    "the row has another number of cells than the header",
                    "A cell with a comma in it needs quotation marks.",
                )
                problems.append(Problem("wrong-length", message, line, str(len(cells)), str(len(header)), hint))
            else:
                rows.append(_row(cells, header, columns, line, own_text))
    except csv.Error as error:
        hint = "Is a quotation mark left open?"
        problems.append(
            Problem("bad-table", f"the row cannot be read: {error}", Location(str(path), end + 1), hint=hint)
        )
    if not rows and not problems:
        expected = ", ".join(required)
        problems.append(Problem("empty-table", "the file has no rows", Location(str(path)), expected=expected))
    return rows


def _header(
    cells: Sequence[str],
    columns: Sequence[str],
    required: Sequence[str],
    line: Location,
    text: str,
    problems: list[Problem],
) -> list[str] | None:
    """Return the columns of a header, or None where it cannot be used."""
    starts = cell_starts(text)
    wrong = []
    if len(cells) == 1 and any(mark in cells[0] for mark in ";\t|"):
        hint = "Save the table with commas between the cells."
        problems.append(Problem("wrong-separator", "the cells are not separated by commas", line, hint=hint))
        return None
    names = [_known(cell, columns) for cell in cells]
    for number, (cell, name) in enumerate(zip(cells, names, strict=True)):
        position = within(line, text, starts[min(number, len(starts) - 1)])
        if not name:
            hint = did_you_mean(cell, columns) or f"Columns: {', '.join(columns)}."
            wrong.append(Problem("unknown-column", f"there is no column {cell!r}", position, hint=hint))
        elif name in names[:number]:
            wrong.append(Problem("duplicate-column", f"the column {name!r} stands twice", position))
    wrong += [
        Problem("missing-column", f"the column {name!r} is missing", line) for name in required if name not in names
    ]
    problems += wrong
    return None if wrong else names


def _row(cells: Sequence[str], header: Sequence[str], columns: Sequence[str], line: Location, text: str) -> TableRow:
    starts = cell_starts(text)

    def where(column: str) -> Location:
        if column not in header:
            return line
        return within(line, text, starts[min(header.index(column), len(starts) - 1)])

    read = {name: original_cell(cell.strip()) for name, cell in zip(header, cells, strict=True)}
    return TableRow({name: read.get(name, "") for name in columns}, where)


def _of_yaml(
    path: Path, text: str, columns: Sequence[str], required: Sequence[str], problems: list[Problem]
) -> list[TableRow]:
    document = parse_yaml(text, str(path))
    problems += document.problems
    entries = document.data
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries) or not entries:
        expected = f"a list of entries, each with {', '.join(required)}"
        problems.append(Problem("bad-table", "this is no list of entries", Location(str(path), 1), expected=expected))
        return []
    return [_entry(document, number, entry, columns, required, problems) for number, entry in enumerate(entries)]


def _entry(
    document: Document,
    number: int,
    entry: Mapping[str, Any],
    columns: Sequence[str],
    required: Sequence[str],
    problems: list[Problem],
) -> TableRow:
    cells = dict.fromkeys(columns, "")
    keys: dict[str, str] = {}
    for key, value in entry.items():
        name = _known(str(key), columns)
        if not name:
            hint = did_you_mean(str(key), columns) or f"Keys: {', '.join(columns)}."
            problems.append(document.problem("unknown-key", f"there is no {key!r}", (number, key), key=True, hint=hint))
            continue
        keys[name], cells[name] = key, _text(value)
    for name in required:
        if name not in keys:
            problems.append(document.problem("missing-key", f"the entry has no {name!r}", (number,)))
    return TableRow(cells, lambda column: document.place((number, keys[column]) if column in keys else (number,)))


def _text(value: Any) -> str:
    """Return a value of YAML as a cell has it: lists with semicolons, mappings as ``name=value``, yes and no as 1 and 0."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, dict):
        return "; ".join(f"{name}={item}" for name, item in value.items())
    if isinstance(value, list):
        return "; ".join(_text(item) for item in value)
    return str(value).strip()
