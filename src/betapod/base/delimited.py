"""Read delimited tables (CSV, TSV): encoding, separator, header and decimal mark are detected by rule and reported.

Nothing is read on a guess: where two readings are possible, the table is refused and both are named.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import ConfigError, Location, Problem
from .nouns import with_noun
from .table_text import LARGEST as LARGEST
from .table_text import decode as decode
from .table_text import read_bytes as read_bytes

#: Characters that the csv module takes in one cell.
LONGEST = csv.field_size_limit()
#: Lines that are looked at for the header.
_PREAMBLE = 50
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
#: White space that `str.strip` leaves: byte-order mark and zero-width space.
_BLANK = " \t\r\n\f\v\u00a0\ufeff\u200b\u2060\u202f\u2009"
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


@dataclass(frozen=True)
class DelimitedTable:
    """A table as cells of text.

    Attributes
    ----------
    header
        Names of the columns, and the line that they stand in.
    rows
        Line and cells of each row that is not blank; as many cells as the header has.
    notes
        How the file was read where that is not plain: encoding, separator, lines left out.
    problems
        What is wrong with single rows, so that a reader can say it beside its own.
    """

    file: str
    header: list[str]
    line: int
    rows: list[tuple[int, list[str]]]
    separator: str
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def clean_cell(cell: str) -> str:
    """Return a cell without white space at its ends, that which cannot be seen included."""
    return cell.strip(_BLANK)


def quote_cell(text: str, most: int = 60) -> str:
    """Return a cell as a message may hold it."""
    return text if len(text) <= most else f"{text[:most]} ... ({len(text)} characters)"


def text_lines(text: str) -> list[str]:
    """Return the lines of a text, whatever ends them, each with a line feed at its end."""
    lines = [match[0].rstrip("\r\n") + "\n" for match in _LINE.finditer(text)]
    return lines[:-1] if lines and lines[-1] == "\n" else lines


def read_delimited(path: str | Path, is_column: Callable[[str], bool], remarks: bool = False) -> DelimitedTable:
    """Read a table.

    Parameters
    ----------
    is_column
        Whether a cell is the name of a column: by these names separator and header are found.
    remarks
        Whether every row that begins with # is a remark; else only one with fewer cells than the header.

    Raises
    ------
    ConfigError
        No file, no text, no rows, quotation marks that do not close, cells that are too long, separators that are mixed.
    """
    file = str(path)
    text, notes = decode(read_bytes(path), file)
    return split(text, file, is_column, notes, remarks)


def split(
    text: str, file: str, is_column: Callable[[str], bool], notes: Sequence[str] = (), remarks: bool = False
) -> DelimitedTable:
    """Return the cells of a text; as `read`."""
    lines = text_lines(text)
    told = list(notes)
    skip, separator = _stated(lines)
    start, separator = _header(lines, skip, separator, is_column, file)
    header, rows, problems = _cells(lines, start, separator, file)
    if separator != ",":
        told.append(f"read as separated by {_SEPARATORS.get(separator, repr(separator))}")
    before = [number + 1 for number in range(skip, start) if lines[number].strip(_BLANK)]
    if before:
        words = f"line {before[0]}" if len(before) == 1 else f"lines {before[0]} to {before[-1]}"
        told.append(f"not read: {words}, before the header")
    table = DelimitedTable(file, header, start + 1, rows, separator, tuple(told), tuple(problems))
    return _fitted(table, remarks)


def _stated(lines: list[str]) -> tuple[int, str]:
    """Return the lines to skip, and the separator of a first line ``sep=;``, as Excel writes it."""
    match = re.fullmatch(r'"?sep=(.)"?,*', lines[0].strip("\n\ufeff ").lower()) if lines else None
    return (1, match[1]) if match and match[1] in _SEPARATORS else (0, "")


def _plain_cells(line: str, separator: str) -> list[str]:
    try:
        return [clean_cell(cell) for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])]
    except csv.Error:
        return []


def _header(lines: list[str], skip: int, stated: str, is_column: Callable[[str], bool], file: str) -> tuple[int, str]:
    """Return the position of the header and the separator.

    The header is the first line with names that are known, unless a line before it has as many cells: then that one is.
    """
    options = (stated,) if stated else tuple(_SEPARATORS)
    filled = [n for n in range(skip, len(lines)) if lines[n].strip(_BLANK)]
    if not filled:
        raise ConfigError(Problem("empty-table", "the file has no rows", Location(file, 1)))
    best: tuple[int, int, str] | None = None
    for number in filled[:_PREAMBLE]:
        counted = [(sum(map(is_column, _plain_cells(lines[number], s))), s) for s in options]
        most = max(count for count, _ in counted)
        if most and not lines[number].lstrip(_BLANK).startswith("#") and (best is None or most > best[0]):
            winners = [s for count, s in counted if count == most]
            several = [s for s in winners if len(_plain_cells(lines[number], s)) > 1]
            if len(several) > 1:
                names = " and ".join(_SEPARATORS[s] for s in several)
                message = f"the columns are separated by {names}: which one is meant cannot be told"
                raise ConfigError(Problem("mixed-separators", message, Location(file, number + 1)))
            best = most, number, (several or winners)[0]
    if best is not None:
        _, number, separator = best
        wide = len(_plain_cells(lines[number], separator))
        for earlier in (n for n in filled if n < number):
            cells = _plain_cells(lines[earlier], separator)
            if len(cells) >= wide and not lines[earlier].lstrip(_BLANK).startswith("#") and sum(map(bool, cells)) > 1:
                return earlier, separator
        return number, separator
    first = next((n for n in filled if not lines[n].lstrip(_BLANK).startswith("#")), filled[0])
    return first, max(options, key=lambda s: len(_plain_cells(lines[first], s)))


def _cells(
    lines: list[str], start: int, separator: str, file: str
) -> tuple[list[str], list[tuple[int, list[str]]], list[Problem]]:
    reader = csv.reader(lines[start:], delimiter=separator, strict=True, skipinitialspace=True)
    rows: list[tuple[int, list[str]]] = []
    line = start + 1
    while True:
        line = start + reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            if not rows:
                raise ConfigError(_unreadable(error, file, line)) from None
            return [clean_cell(cell) for cell in rows[0][1]], rows[1:], [_unreadable(error, file, line)]
        if cells is None:
            break
        if any(clean_cell(cell) for cell in cells):
            rows.append((line, cells))
    if not rows:
        raise ConfigError(Problem("empty-table", "the file has no rows", Location(file, 1)))
    return [clean_cell(cell) for cell in rows[0][1]], rows[1:], []


def _unreadable(error: csv.Error, file: str, line: int) -> Problem:
    where = Location(file, line)
    if "field larger" in str(error):
        expected = f"at most {LONGEST} characters"
        hint = "A quotation mark may be open, or the file is no table."
        return Problem("long-cell", "a cell is too long", where, expected=expected, hint=hint)
    hint = "A quotation mark is open or misplaced; inside a quoted cell it is written twice."
    return Problem("bad-quotes", "the row cannot be read from here on", where, hint=hint)


def _fitted(table: DelimitedTable, remarks: bool) -> DelimitedTable:
    """Pad or cut every row to the width of the header; report rows that cannot be."""
    width = len(table.header)
    while (
        width > 1
        and not table.header[width - 1]
        and all(not any(map(clean_cell, row[width - 1 :])) for _, row in table.rows)
    ):
        width -= 1
    marked = [line for line, row in table.rows if row[0].lstrip(_BLANK).startswith("#")]
    names = len(marked) == len(table.rows) and not remarks
    rows, problems, comments = [], list(table.problems), []
    for line, row in table.rows:
        where = Location(table.file, line)
        if line in marked and not names:
            if remarks or len(row) < width:
                comments.append(line)
            else:
                message = "this row begins with # and has as many cells as the header: it may be a comment or a row"
                problems.append(Problem("comment-row", message, where, hint="Take out the # or the row."))
            continue
        if len(row) < width:
            problems.append(Problem("short-row", "the row ends early", where, with_noun(len(row), "cell"), f"{width}"))
            row = [*row, *[""] * (width - len(row))]
        elif len(row) > len(table.header) or any(map(clean_cell, row[width:])):
            # An empty cell too many is no harm in itself, but `7,5,` under two names may be a decimal comma.
            problems.append(_long_row(row, width, table.separator, where))
            continue
        rows.append((line, row[:width]))
    notes = table.notes
    if comments:
        count = f"line {comments[0]}" if len(comments) == 1 else f"{len(comments)} lines from line {comments[0]} on"
        notes = (*notes, f"not read: {count}, comments")
    return DelimitedTable(table.file, table.header[:width], table.line, rows, table.separator, notes, tuple(problems))


def _long_row(row: list[str], width: int, separator: str, where: Location) -> Problem:
    commas = separator == "," and any(a.strip().isdigit() and b.strip().isdigit() for a, b in itertools.pairwise(row))
    hint = (
        "Numbers with decimal commas must be quoted, or the cells be separated by semicolons; so must texts with commas."
        if commas
        else "A cell with the separator in it needs quotation marks."
    )
    return Problem(
        "long-row", "the row has more cells than the header", where, with_noun(len(row), "cell"), f"{width}", hint
    )


# -- numbers ---------------------------------------------------------------------------------------------------------

_SPACES = re.compile(r"(?<=\d)[ '\u00a0\u202f\u2009\u2019](?=\d{3}(?!\d))")
_PLAIN = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_GROUPED = {mark: re.compile(rf"[-+]?[1-9]\d{{0,2}}(?:\{mark}\d{{3}})+", re.ASCII) for mark in (",", ".")}
_BOTH = {
    ".": re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+\.\d+", re.ASCII),
    ",": re.compile(r"[-+]?[1-9]\d{0,2}(?:\.\d{3})+,\d+", re.ASCII),
}
_COMMA = re.compile(r"[-+]?(?:\d+,\d*|,\d+)(?:[eE][-+]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class Marks:
    """How numbers of a table are written.

    Attributes
    ----------
    decimal
        ``.`` or ``,``; empty where a number such as ``1,234`` may be either and nothing in the table decides.
    witness
        A number that shows it, if any.
    """

    decimal: str
    witness: str = ""


def marks(cells: Iterable[tuple[str, Location]], separator: str) -> Marks:
    """Return which decimal mark numbers have, from cells and their places.

    A number that can be read in one way only decides: ``6,8`` and ``1.234,5`` have a comma, ``6.8`` and ``0.125`` a point. Where
    there is none, commas between the cells leave the point; otherwise ``1.234`` is not read.

    Raises
    ------
    ConfigError
        Some numbers have a comma and others a point.
    """
    first_of_mark: dict[str, tuple[str, Location]] = {}
    doubtful = {".": "", ",": ""}
    for cell, where in cells:
        if "," not in cell and ("." not in cell or ("." in first_of_mark and cell.count(".") == 1)):
            continue  # nothing that is not known
        text = _SPACES.sub("", clean_cell(cell).replace("\u2212", "-"))
        for mark, other in ((".", ","), (",", ".")):
            if mark not in text:
                continue
            pattern = _PLAIN if mark == "." else _COMMA
            if _BOTH[mark].fullmatch(text) or (pattern.fullmatch(text) and not _GROUPED[mark].fullmatch(text)):
                first_of_mark.setdefault(mark, (cell, where))
            elif _GROUPED[mark].fullmatch(text):
                if len(re.findall(re.escape(mark), text)) > 1:
                    first_of_mark.setdefault(other, (cell, where))
                else:
                    doubtful[mark] = doubtful[mark] or cell
    if len(first_of_mark) > 1:
        message = "some numbers have a decimal point and others a decimal comma"
        (first, first_location), (second, other_place) = first_of_mark.values()
        examples = f"{clean_cell(first)} in line {first_location.line}, {clean_cell(second)} in line {other_place.line}"
        raise ConfigError(Problem("mixed-decimals", message, other_place, examples, "one of them throughout"))
    if first_of_mark:
        mark, (witness, _) = next(iter(first_of_mark.items()))
        return Marks(mark, clean_cell(witness))
    if doubtful[","] or (doubtful["."] and separator != ","):
        return Marks("", doubtful[","] or doubtful["."])
    return Marks(".")


def cell_number(text: str, decimal: str) -> float | None:
    """Return the number that a cell holds; None where it holds none.

    Parameters
    ----------
    decimal
        The decimal mark, as of `marks`; empty reads whole numbers and what has neither mark.
    """
    plain = _SPACES.sub("", clean_cell(text).replace("\u2212", "-"))
    if decimal:
        other = "," if decimal == "." else "."
        if other in plain:
            if not (_GROUPED[other].fullmatch(plain) or _BOTH[decimal].fullmatch(plain)):
                return None
            plain = plain.replace(other, "")
        plain = plain.replace(decimal, ".")
    elif "," in plain or _GROUPED["."].fullmatch(plain):
        return None
    return float(plain) if _PLAIN.fullmatch(plain) else None
