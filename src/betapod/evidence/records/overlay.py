"""A user's own table: rows are checked before anything is written, and written all or not at all."""

from __future__ import annotations

import csv
import itertools
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ...base.errors import EvidenceError, Location, Problem, did_you_mean
from ...base.exports import rows_as_csv
from ...base.files import write_text
from .csv_places import lines_of, read_text
from .reading import OPTIONAL, REQUIRED
from .registry import Registry, check_table
from .study import Record

COLUMNS = (*REQUIRED, *OPTIONAL)
#: Columns in which plain words are read by rules, see `wordings`.
_WORDED = ("population", "design", "statistic", "endpoint", "product", "intervention", "dispersion_type")
#: Ids that are listed one by one.
_MOST_NAMED = 6


def append(table: str | Path, rows: Sequence[dict[str, str]], files: Iterable[str | Path] = ()) -> int:
    """Add rows to a table and return how many; the table is made if there is none.

    Parameters
    ----------
    rows
        Cells by column.
    files
        Tables whose rows are added.

    Raises
    ------
    EvidenceError
        Everything that is wrong with the rows, the files or the table; the table is then unchanged.
    """
    table = Path(table)
    header, old = (list(COLUMNS), []) if not table.exists() else _content(table)
    columns_before = list(header)
    new = [dict(row) for row in rows]
    problems = [
        Problem(
            "unknown-column", f"there is no column {name!r}", Location(str(table)), hint=did_you_mean(name, COLUMNS)
        )
        for row in new
        for name in row
        if name not in COLUMNS
    ]
    for path in files:
        try:
            check_table(path)
        except EvidenceError as error:
            problems += error.problems
            continue
        columns, lines = _content(Path(path))
        new += [dict(zip(columns, line, strict=True)) for line in lines]
    if problems:
        raise EvidenceError(problems)
    if not new:
        raise EvidenceError(
            Problem("nothing-to-add", "no rows were given", hint="Give the columns of a row, or tables with rows.")
        )
    header += [name for name in COLUMNS if name not in header and any(row.get(name) for row in new)]
    cells = [[row.get(name, "") for name in header] for row in new]
    if old and header == columns_before:
        # Comments and rows that are there stay as they are.
        present = read_text(table)[0]
        text = present + ("" if present.endswith("\n") else "\n") + rows_as_csv(header, cells).partition("\n")[2]
    else:
        before = [[*line, *[""] * (len(header) - len(line))] for line in old]
        text = _comments(table) + rows_as_csv(header, [*before, *cells])
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / table.name
        write_text(trial, text)
        try:
            check_table(trial)
        except EvidenceError as error:
            raise EvidenceError(
                replace(problem, location=replace(problem.location, file=str(table))) for problem in error.problems
            ) from None
    write_text(table, text, in_place=True)
    return len(new)


def told(registry: Registry, overlays: Iterable[str | Path]) -> list[str]:
    """Say of each overlay of a registry which records it replaces and which it adds."""
    lines = []
    for path in overlays:
        own_ids = [record.id for record in registry if record.location.file == str(Path(path))]
        instead = [name for name in own_ids if name in registry.replaced]
        more = [name for name in own_ids if name not in registry.replaced]
        parts = [f"replaces {_named(instead)}"] if instead else []
        parts += [f"adds {_named(more)}"] if more else []
        parts += _beside(registry, more, str(Path(path)))
        lines.append(f"{path}: {'; '.join(parts) or 'every row is replaced by a later table'}")
        lines += _readings(path, [record for record in registry if record.location.file == str(Path(path))])
    return lines


def _readings(path: str | Path, records: Sequence[Record]) -> list[str]:
    """Say how plain words of a table were read, each reading once with the rows that have it."""
    rows: dict[str, list[str]] = {}
    for record in records:
        for remark in record.remarks:
            if " read as " in remark and remark.partition(" ")[0] in _WORDED:
                rows.setdefault(remark, []).append(record.id)
    return [f"{path}: {remark} ({_named(names)})" for remark, names in rows.items()]


def _beside(registry: Registry, added: Sequence[str], file: str) -> list[str]:
    """Say of rows that were added beside a record of the same number, unlike in arm, time or statistic alone, how to replace it."""
    parts = (("study", "study"), ("arm", "arm"), ("endpoint_text", "endpoint"), ("weeks", "time"),
             ("statistic_text", "statistic"), ("tag", "tag"))  # fmt: skip
    said = []
    for name in added:
        record = registry[name]
        for other in registry:
            if other.study != record.study or other.location.file == file:
                continue
            unlike = [word for key, word in parts if getattr(other, key) != getattr(record, key)]
            if len(unlike) == 1 and other.value == record.value:
                said.append(
                    f"{name} stands beside {other.id}, from which it differs in {unlike[0]}: "
                    f"to replace that, write {other.id} into the column 'replaces'"
                )
                break
    return said[:_MOST_NAMED]


def laid_over(told_of: Sequence[str]) -> list[str]:
    """Return what a page must say of overlays of the published numbers; see `told`."""
    words = "Not the published numbers alone: a user's own tables override or extend them."
    return [f"{words} {'. '.join(told_of)}."] if told_of else []


def _named(names: Sequence[str]) -> str:
    if len(names) <= _MOST_NAMED:
        return ", ".join(names)
    return f"{len(names)} rows ({', '.join(names[:_MOST_NAMED])} ...)"


def _content(path: Path) -> tuple[list[str], list[list[str]]]:
    check_table(path)
    lines = [line for line in csv.reader(lines_of(read_text(path)[0])) if any(cell.strip() for cell in line)]
    return [name.strip() for name in lines[0]], lines[1:]


def _comments(path: Path) -> str:
    """Return the comments that stand before the names of the columns."""
    lines = read_text(path)[0].splitlines(keepends=True) if path.exists() else []
    return "".join(itertools.takewhile(lambda line: line.startswith("#") or not line.strip(), lines))
