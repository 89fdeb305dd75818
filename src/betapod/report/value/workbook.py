"""All tables of a comparison as an Excel workbook: numbers as numbers, the same run gives the same bytes."""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.errors import ConfigError, MissingExtraError, Problem
from .every_table import every_table
from .value_table import Kind, ValueTable, plain_table

if TYPE_CHECKING:
    from openpyxl import Workbook

    from ...value.value_result import ValueResult

#: How numbers of each kind look in a cell.
_FORMATS: dict[Kind, str] = {
    "years": "0.00",
    "gain": "+0.000;-0.000;0.000",
    "money": "#,##0",
    "more money": "+#,##0;-#,##0;0",
    "share": "0.0%",
    "rate": "0.0000",
    "count": "#,##0",
    "number": "General",
}
#: Excel allows so many letters in the name of a sheet.
_LETTERS = 31
#: Widest column, in letters.
_WIDEST = 60
#: A workbook has no time of its own: the earliest that its files can carry.
_MOMENT = datetime.datetime(1980, 1, 1)


def write_workbook(result: ValueResult, path: str | Path) -> Path:
    """Write all tables of a comparison as sheets of a workbook, with a first sheet that lists them.

    Parameters
    ----------
    path
        With the suffix ``.xlsx``.

    Raises
    ------
    ConfigError
        The suffix is another, or the file cannot be written.
    MissingExtraError
        openpyxl is not installed.
    """
    from ...base.files import replacing, unfit

    target = Path(path)
    if target.suffix.lower() != ".xlsx":
        raise ConfigError(
            Problem("unknown-format", f"cannot write {target.suffix or 'a file without suffix'}", expected=".xlsx")
        )
    if problems := unfit(target):
        raise ConfigError(problems)
    content = workbook_content(str(result.run.get("title") or "Comparison of strategies"), every_table(result))
    with replacing(target) as temporary:
        temporary.write_bytes(content)
    return target


def workbook_content(title: str, tables: Sequence[ValueTable]) -> bytes:
    """Return the bytes of a workbook.

    Raises
    ------
    MissingExtraError
        openpyxl is not installed.
    """
    try:
        from openpyxl import Workbook
    except ImportError:
        raise MissingExtraError("openpyxl", "excel", "writing a workbook") from None
    book = Workbook()
    book.properties.creator = "betapod"
    book.properties.title = _text(title)
    names = sheet_names(tables)
    _list_tables(book, title, tables, names)
    for name, table in zip(names, tables, strict=True):
        _fill_sheet(book, name, table)
    raw = io.BytesIO()
    book.save(raw)
    return _without_time(raw.getvalue())


def sheet_names(tables: Sequence[ValueTable]) -> list[str]:
    """Return a name for each sheet: of allowed letters, short enough, no two alike."""
    names: list[str] = []
    for table in tables:
        plain = re.sub(r"[\[\]:*?/\\'\x00-\x1f]", " ", table.key.replace("-", " ").replace("_", " ")).strip() or "table"
        name, number = plain[:_LETTERS].strip(), 2
        # Excel takes names that differ in capitals alone for one.
        while name.lower() in {other.lower() for other in (*names, "contents")}:
            name = f"{plain[: _LETTERS - 3].strip()} {number}"
            number += 1
        names.append(name)
    return names


def _list_tables(book: Workbook, title: str, tables: Sequence[ValueTable], names: Sequence[str]) -> None:
    from openpyxl.styles import Alignment, Font

    sheet = book.active
    sheet.title = "contents"
    _put(sheet.cell(1, 1), title)
    sheet.cell(1, 1).font = Font(bold=True, size=14)
    _put(
        sheet.cell(2, 1),
        "Results of a simulation: they follow from the assumptions of a model, and are no evidence that a treatment works.",
    )
    for row, (name, table) in enumerate(zip(names, tables, strict=True), start=4):
        _put(sheet.cell(row, 1), name)
        sheet.cell(row, 1).hyperlink = f"#'{name}'!A1"
        sheet.cell(row, 1).font = Font(color="0B5394", underline="single")
        _put(sheet.cell(row, 2), table.caption)
        sheet.cell(row, 2).alignment = Alignment(wrap_text=True, vertical="top")
    sheet.column_dimensions["A"].width = _LETTERS
    sheet.column_dimensions["B"].width = 110


def _fill_sheet(book: Workbook, name: str, table: ValueTable) -> None:
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(name)
    header, rows, kinds = plain_table(table)
    _put(sheet.cell(1, 1), table.caption)
    sheet.cell(1, 1).font = Font(italic=True)
    for column, text in enumerate(header, start=1):
        _put(sheet.cell(3, column), text)
        sheet.cell(3, column).font = Font(bold=True)
        sheet.cell(3, column).alignment = Alignment(wrap_text=True, vertical="top")
    for number, row in enumerate(rows, start=4):
        for column, (value, kind) in enumerate(zip(row, kinds, strict=True), start=1):
            cell = sheet.cell(number, column)
            _put(cell, value)
            if not isinstance(value, str) and kind in _FORMATS:
                cell.number_format = _FORMATS[kind]
            elif kind == "text":
                cell.alignment = Alignment(wrap_text=True, vertical="top")
    for column, text in enumerate(header, start=1):
        longest = max((len(row[column - 1]) for row in rows if isinstance(row[column - 1], str)), default=0)
        sheet.column_dimensions[get_column_letter(column)].width = min(
            max(longest + 2, min(len(text), 16) + 2), _WIDEST
        )
    sheet.freeze_panes = "B4"


def _put(cell: Any, value: Any) -> None:
    """Put a value into a cell; text stays text, also where it begins like a formula."""
    if isinstance(value, str):
        cell.value = _text(value)
        cell.data_type = "s"
    elif isinstance(value, float):
        # The last digits differ between computers.
        cell.value = float(f"{value:.12g}")
    else:
        cell.value = value


def _text(value: str) -> str:
    """Return a text without control characters, which a workbook cannot hold."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]", "\ufffd", value)[:32_000]


def _without_time(content: bytes) -> bytes:
    """Return a workbook whose bytes do not tell when it was written."""
    moment = _MOMENT.strftime("%Y-%m-%dT%H:%M:%SZ")
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in source.namelist():
            data = source.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", rb"\g<1>" + moment.encode(), data)
            entry = zipfile.ZipInfo(name, date_time=_MOMENT.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, data)
    return target.getvalue()
