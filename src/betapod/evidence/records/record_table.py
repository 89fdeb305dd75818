"""Read one table of published numbers into records, with everything that is wrong with it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from ...base.clinical import say
from ...base.errors import Location, Problem, did_you_mean
from .csv_places import cell_starts, lines_of, read_text, within
from .reading import OPTIONAL, REQUIRED, read_row
from .row import Row
from .study import Record

FOLDER = Path(__file__).with_name("studies")
_OPEN_QUOTE = "Is a quotation mark left open?"
_FIRST_LINE = "The first line names the columns; 'betapod evidence add' makes a table with all of them."


def records_of_table(path: Path, table: str) -> tuple[list[Record], list[Problem]]:
    """Return the records of a table, and what is wrong with its rows.

    Parameters
    ----------
    table
        What messages call it.
    """
    text, problem = read_text(path)
    if problem is not None:
        return [], [problem]
    lines = lines_of(text)
    # Comments and blank lines may stand before the names of the columns.
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    reader = csv.reader(lines[first:])
    try:
        header = [name.strip() for name in next(reader)]
    except StopIteration:
        return [], [Problem("empty-table", "the file has no rows", Location(str(path)), hint=_FIRST_LINE)]
    except csv.Error as error:
        message = f"the first line cannot be read: {error}"
        return [], [Problem("bad-table", message, Location(str(path), first + 1), hint=_OPEN_QUOTE)]
    # A quoted name may hold line feeds, so that the header is more than a line.
    end = first + reader.line_num
    problems = _header_problems(header, "".join(lines[first:end]), Location(str(path), first + 1))
    if problems:
        return [], problems
    records: list[Record] = []
    counts: dict[str, int] = {}
    keys: dict[tuple[object, ...], int] = {}
    while True:
        start = end + 1
        location = Location(path.name if path.parent == FOLDER else str(path), start)
        try:
            cells = next(reader, None)
        except csv.Error as error:
            problems.append(Problem("bad-table", f"the row cannot be read: {error}", location, hint=_OPEN_QUOTE))
            break
        if cells is None:
            break
        end = first + reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            problems.append(_wrong_length(cells, header, location))
            continue
        packaged = path.parent == FOLDER
        row = Row(
            dict(zip(header, cells, strict=True)), location, header, "".join(lines[start - 1 : end]), not packaged
        )
        counts[row["study_id"]] = counts.get(row["study_id"], 0) + 1
        record = read_row(row, counts[row["study_id"]], table)
        problems += row.problems
        if record is None:
            continue
        if not packaged:
            _say_how_it_was_read(record)
            if (twice := _twice(record, keys, location)) is not None:
                problems.append(twice)
        keys.setdefault(_identity(record), start)
        records.append(record)
    if not records and not problems:
        problems.append(Problem("empty-table", "the file has no rows", Location(str(path)), hint=_FIRST_LINE))
    return records, problems


def _say_how_it_was_read(record: Record) -> None:
    if record.value is not None and float(record.printed_value) != record.value:
        say(
            f"{record.id} {record.endpoint}", f"{record.printed_value} {record.printed_unit}", record.value, record.unit
        )


def _wrong_length(cells: list[str], header: list[str], location: Location) -> Problem:
    message = "the row has another number of cells than the header"
    if any("\n" in cell for cell in cells):
        hint = _OPEN_QUOTE
    elif len(cells) > len(header):
        hint = "A cell with a comma in it needs quotation marks."
    else:
        hint = "Empty cells at the end need their commas too."
    return Problem("wrong-length", message, location, str(len(cells)), str(len(header)), hint)


def _identity(record: Record) -> tuple[object, ...]:
    """Return what no two rows of a table share: words may stand beside other words, but a number has one place."""
    return record.key if record.value is not None else (*record.key, record.quote, record.locator, record.n)


def _twice(record: Record, keys: Mapping[tuple[object, ...], int], location: Location) -> Problem | None:
    line = keys.get(_identity(record))
    if line is None:
        return None
    message = f"the same study, arm, endpoint, time, statistic and tag stand in line {line}"
    return Problem("duplicate-row", message, location, hint="Keep one of them, or name their arms apart.")


def _header_problems(header: list[str], text: str, line: Location) -> list[Problem]:
    separator = next((mark for mark in (";", "\t", "|") if len(header) == 1 and mark in header[0]), "")
    if separator:
        message = "the cells are not separated by commas"
        hint = "Save the table with commas between the cells, and with points in numbers."
        return [Problem("wrong-separator", message, line, repr(separator), "','", hint)]
    columns = (*REQUIRED, *OPTIONAL)
    if len(header) > 10 * len(columns):
        counted = f"{len(header):,} columns"
        return [Problem("too-many-columns", "no table of evidence is so wide", line, counted, f"up to {len(columns)}")]
    starts = cell_starts(text)

    def at(number: int) -> Location:
        return within(line, text, starts[min(number, len(starts) - 1)])

    problems = []
    for name in sorted({name for name in header if header.count(name) > 1}):
        second = [number for number, other in enumerate(header) if other == name][1]
        problems.append(Problem("duplicate-column", f"the column {name!r} stands twice", at(second)))
    for number, name in enumerate(header):
        if name not in columns:
            hint = did_you_mean(name, columns) or (_OPEN_QUOTE if "\n" in name else "")
            problems.append(Problem("unknown-column", f"there is no column {name!r}", at(number), hint=hint))
    missing = [name for name in REQUIRED if name not in header]
    if not {"product", "intervention"} & set(header):
        missing.append("product")
    problems += [Problem("missing-column", f"the column {name!r} is missing", line) for name in missing]
    return problems
