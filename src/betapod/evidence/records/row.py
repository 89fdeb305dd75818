"""One row of an evidence table under reading: its cells, problems and remarks."""

from __future__ import annotations

import math
import re

from ...base.errors import Location, Problem
from ...base.exports import original_cell
from .csv_places import cell_starts, within

_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+")


class Row:
    """One row under reading: gathers its problems and remarks; `guessed` where remarks guess which word was meant."""

    def __init__(
        self, cells: dict[str, str], location: Location, header: list[str], text: str = "", guessed: bool = True
    ) -> None:
        self.cells, self.place, self.header, self.text, self.guessed = cells, location, header, text, guessed
        self.problems: list[Problem] = []
        self.remarks: list[str] = []

    def __getitem__(self, name: str) -> str:
        return original_cell((self.cells.get(name) or "").strip())

    def where(self, name: str) -> Location:
        """Return line and column of a cell; the line of the row where the table has no such column."""
        if name not in self.header or not self.text:
            return self.place
        starts = cell_starts(self.text)
        return within(self.place, self.text, starts[min(self.header.index(name), len(starts) - 1)])

    def wrong(self, kind: str, message: str, column: str, expected: str = "", hint: str = "") -> None:
        """Note a problem of one cell."""
        self.problems.append(
            Problem(
                kind,
                f"{column}: {message}",
                self.where(column),
                repr(self[column]) if column in self.header else "",
                expected,
                hint,
            )
        )

    def number(self, column: str) -> float | None:
        """Return the number of a cell, None if it is empty."""
        if not self[column]:
            return None
        try:
            value = float(self[column])
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            comma = _DECIMAL_COMMA.fullmatch(self[column])
            hint = "Write a decimal point, not a comma." if comma else ""
            self.wrong("bad-number", "this is not a finite number", column, hint=hint)
            return None
        return value

    def whole(self, column: str, low: int) -> int | None:
        """Return the whole number of a cell, None if it is empty."""
        value = self.number(column)
        if value is None:
            return None
        if value != int(value) or value < low:
            self.wrong("bad-number", f"this is not a whole number from {low}", column)
            return None
        return int(value)
