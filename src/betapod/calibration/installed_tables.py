"""Whether the tables of the package are what its fits wrote: every source that is a fit, and every value."""

from __future__ import annotations

import csv
import hashlib
import io
import tempfile
from collections.abc import Mapping
from dataclasses import astuple, fields, replace
from pathlib import Path

from ..base.errors import BetapodError, Location, Problem
from ..base.exports import original_cell, rows_as_csv
from ..engine.correlations import read_correlations
from ..model.bibliography import Bibliography
from ..model.parameters.parameter import Parameter
from ..model.parameters.possible_values import excludes_zero, possible_bounds
from ..model.parameters.table import ParameterTable
from ..physiology.installed_fits import FitRecord, list_fits, load_fit
from .fitted_tables import BIBLIOGRAPHY, CORRELATIONS, PACKAGE, FittedTables, TableChange, cited_fits, row_label
from .table_lines import TableTexts

#: File of an installed record: every cell that it wrote, as it was and as it is; of two lines for a cell the last holds.
WRITTEN = "written.csv"


def written_text(changes: tuple[TableChange, ...]) -> str:
    """Return changes as the table of an installed record."""
    return rows_as_csv([field.name for field in fields(TableChange)], [astuple(change) for change in changes])


def written_cells(record: FitRecord) -> list[TableChange]:
    """Return the cells that an installed fit wrote; none where it was installed without tables."""
    if not record.has(WRITTEN):
        return []
    text = (record.folder / WRITTEN).read_text(encoding="utf-8")
    rows = csv.DictReader(io.StringIO(text))
    return [TableChange(**{name: original_cell(cell) for name, cell in row.items()}) for row in rows]


def digests_of_texts(tables: FittedTables) -> dict[str, str]:
    """Return the SHA-256 of each new text."""
    return {file: hashlib.sha256(text.encode()).hexdigest() for file, text in sorted(tables.texts.items())}


# -- before they are written ---------------------------------------------------------------------------------------------------


def check_tables(tables: FittedTables) -> list[Problem]:
    """Return what is wrong with new texts: what no reader takes, and limits of what is possible that would move with a range."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for file, text in tables.texts.items():
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_bytes(text.encode())
        keys = Bibliography.read(root / BIBLIOGRAPHY)
        problems = []
        for file in tables.texts:
            try:
                if file == CORRELATIONS:
                    read_correlations(root / file, list(keys))
                elif tables.texts[file].startswith("id,label,value,unit"):
                    now = ParameterTable.read(root / file, sources=keys)
                    before = ParameterTable.read(tables.package / file)
                    problems += [problem for name in before for problem in _moved_limits(before[name], now[name])]
            except BetapodError as error:
                problems += error.problems
        return problems


def _moved_limits(before: Parameter, now: Parameter) -> list[Problem]:
    if not now.plausible:
        message = f"{now.id}: its range would not hold its value"
        return [Problem("implausible", message, found=f"{now.value:g}, {now.low:g} to {now.high:g}")]
    pairs = [(possible_bounds(row), excludes_zero(row)) for row in (before, now)]
    if pairs[0] == pairs[1]:
        return []
    message = f"{now.id}: its range would change what is possible at all"
    return [Problem("moved-limits", message, found=f"{pairs[1][0]}", expected=f"{pairs[0][0]}")]


# -- afterwards ----------------------------------------------------------------------------------------------------------------


def edited_tables(package: Path = PACKAGE, fits: Mapping[str, FitRecord] | None = None) -> list[Problem]:
    """Return where tables are not what the installed fits wrote.

    Parameters
    ----------
    package
        Folder ``betapod`` with the tables.
    fits
        By name, the newest last; those that are installed by default.

    Returns
    -------
    list of Problem
        A source that is no installed fit, or one that does not have the row; a value that a fit wrote and that is another now, unless a
        later fit wrote it.
    """
    records = {name: load_fit(name) for name in list_fits()} if fits is None else fits
    tables = TableTexts(package, {})
    cells = {
        name: {(cell.file, cell.row, cell.column): cell for cell in written_cells(records[name])} for name in records
    }
    problems = []
    for file, row, name in cited_fits(tables):
        label, where = row_label(row), Location(file)
        if name not in records:
            problems.append(Problem("unknown-fit", f"{label} is of the fit {name}, which is not installed", where))
        elif not any(cell[:2] == (file, label) for cell in cells[name]) and not _kept_for_scenario(cells[name], label):
            problems.append(Problem("not-in-fit", f"{label} is of the fit {name}, which did not write it", where))
    newest = {key: cell for name in records for key, cell in cells[name].items()}
    for file in dict.fromkeys(file for file, _, _ in newest):
        rows = {row_label(row): row for row in tables.rows(file)}
        for cell in newest.values():
            if cell.file == file and rows.get(cell.row, {}).get(cell.column) != cell.after:
                today = rows.get(cell.row, {}).get(cell.column, "no such row")
                message = f"{cell.row} ({cell.column}) was changed since a fit wrote it"
                problems.append(Problem("edited-table", message, Location(file), found=today, expected=cell.after))
    return problems


def with_former_range(row: Parameter, around: bool = True) -> Parameter:
    """Return a row with the range that it had before any fit; its value stays.

    Parameters
    ----------
    around
        Whether the range is widened to hold the value.
    """
    if "fit-" not in row.source:
        return row
    ends = {"low": row.low, "high": row.high}
    for name in reversed(list_fits()):
        for cell in written_cells(load_fit(name)):
            if cell.row == row.id and cell.column in ends and Path(cell.file).name == Path(row.location.file).name:
                ends[cell.column] = float(cell.before)
    if not around:
        return replace(row, low=ends["low"], high=ends["high"])
    return replace(row, low=min(ends["low"], row.value), high=max(ends["high"], row.value))


def _kept_for_scenario(cells: Mapping[tuple[str, str, str], TableChange], label: str) -> bool:
    """Return whether a fit wrote the row of cells that a scenario keeps a former state of."""
    return any(row == label for _, row, _ in cells)
