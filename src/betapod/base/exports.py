"""Safe output: table cells that no spreadsheet runs as a formula, text without terminal control sequences.

User's text (names of studies, arms, people, titles) ends in CSV files that are opened in spreadsheets and in lines that are printed on
terminals. Both obey some of what they show: a cell that begins with ``=`` is computed, an escape sequence moves the cursor. Every table
that is written goes through `table_as_csv` or `rows_as_csv`, every line that is printed through `printable`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

#: What spreadsheets take for the beginning of a formula, blanks before it or not (OWASP, CSV injection).
_FORMULA = re.compile(r"[ \u00a0]*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
#: The mark that makes a cell text; spreadsheets do not show it.
_TEXT = "'"
#: Control characters but for line feed and tab, surrogates without a partner, and marks that turn the direction of writing.
_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def safe_cell(value: Any) -> Any:
    """Return a cell as it may stand in a CSV file: text that a spreadsheet would compute gets an apostrophe before it.

    Numbers are untouched, as numbers and as text.
    """
    if not isinstance(value, str) or not _FORMULA.match(value) or _is_number(value):
        return value
    return _TEXT + value


def original_cell(text: str) -> str:
    """Return the text that `safe_cell` was given, so that a table which was written can be read again."""
    return text[1:] if text.startswith(_TEXT) and safe_cell(text[1:]) == text else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def table_as_csv(table: pd.DataFrame, index: bool = False, float_format: str | None = None) -> str:
    """Return a pandas table as CSV with safe cells, lines ended by a line feed."""
    import numpy as np

    safe = table.copy(deep=False)
    for position, kind in enumerate(table.dtypes):
        if kind.kind not in "biufcmM":
            cells = np.empty(len(table), dtype=object)
            cells[:] = [safe_cell(cell) for cell in table.iloc[:, position]]
            safe.isetitem(position, cells)
    safe.columns = safe.columns.map(safe_cell)
    if index:
        safe.index = safe.index.map(safe_cell).set_names([safe_cell(name) for name in safe.index.names])
    return str(safe.to_csv(index=index, float_format=float_format, lineterminator="\n"))


def numbers_as_csv(columns: Mapping[str, Iterable[float]]) -> str:
    r"""Return columns of numbers, by their heads, as CSV with safe heads and ten digits; nothing where there is no number.

    Examples
    --------
    >>> from betapod.base.exports import numbers_as_csv
    >>> numbers_as_csv({"time [day]": [0.0, 1.5], "GFR [mL/min]": [105.0, float("nan")]})
    'time [day],GFR [mL/min]\n0,105\n1.5,\n'
    """
    rows = zip(*columns.values(), strict=True)
    return rows_as_csv(list(columns), (["" if x != x else f"{x:.10g}" for x in row] for row in rows))


def rows_as_csv(header: Sequence[str], rows: Iterable[Sequence[Any] | Mapping[str, Any]]) -> str:
    """Return rows, as sequences or by column, as CSV with safe cells, lines ended by a line feed."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([safe_cell(name) for name in header])
    for row in rows:
        cells = [row.get(name, "") for name in header] if isinstance(row, Mapping) else row
        writer.writerow([safe_cell(cell) for cell in cells])
    return text.getvalue()


def printable(text: str) -> str:
    r"""Return text that a terminal only shows: escape as ``\x1b``, and so every control character but line feed and tab."""
    return _COMMANDS.sub(lambda match: _spelt(match[0]), text)


def printable_json(text: str) -> str:
    r"""Return a JSON document without characters that a terminal obeys; inside strings they stand as ``\u001b``."""
    return _COMMANDS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _spelt(letter: str) -> str:
    return f"\\x{ord(letter):02x}" if ord(letter) < 0x100 else f"\\u{ord(letter):04x}"
