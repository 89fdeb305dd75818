"""A table of numbers for readers: the same rows as text on the page, in the terminal, and as numbers in a workbook."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..common import words
from ..common.document import Table
from .run_settings import amount

#: What a column holds, which says how its numbers are printed.
Kind = Literal["text", "years", "gain", "money", "more money", "share", "rate", "count", "number"]


@dataclass(frozen=True)
class ValueEstimate:
    """A mean over draws and the interval that holds 95 % of them."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class ValueColumn:
    """A column: its name with the unit, and what it holds.

    Attributes
    ----------
    interval
        Whether the cells are estimates with intervals.
    """

    name: str
    kind: Kind = "text"
    interval: bool = False


@dataclass(frozen=True)
class ValueTable:
    """Rows of texts, numbers and estimates; None where there is no number."""

    key: str
    caption: str
    columns: Sequence[ValueColumn]
    rows: Sequence[Sequence[Any]]

    @property
    def words(self) -> int:
        """How many of the first columns are words."""
        count = next((k for k, column in enumerate(self.columns) if column.kind != "text"), len(self.columns))
        return max(count, 1)


def estimate(draws: NDArray[np.float64]) -> ValueEstimate:
    """Return mean and 95 % interval of draws.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.report.value.value_table import estimate
    >>> estimate(np.arange(101.0)).high
    97.5
    """
    low, high = np.quantile(draws, [0.025, 0.975])
    return ValueEstimate(float(draws.mean()), float(low), float(high))


def value_text(value: float, kind: Kind) -> str:
    """Return one number as it is printed; an en dash where there is none."""
    if not math.isfinite(value):
        return "\u2013"
    if kind in ("money", "more money"):
        return amount(value, sign=kind == "more money")
    if kind == "share":
        return words.percent_text(value)
    if kind == "count":
        return words.thousands(round(value))
    if kind == "number":
        return amount(value) if abs(value) >= 10_000 else words.true_minus(f"{value:.4g}")
    if kind == "rate":
        return words.written_number(value, 3)
    small = kind == "gain" and abs(value) < 1
    return words.written_number(value, 3 if small else 2, sign=kind == "gain")


def cell_text(column: ValueColumn, cell: Any) -> str:
    """Return a cell as text: an estimate with its interval in brackets."""
    if cell is None:
        return "\u2013"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, ValueEstimate):
        middle, low, high = (value_text(value, column.kind) for value in (cell.mean, cell.low, cell.high))
        return f"{middle} ({low} to {high})"
    return value_text(float(cell), column.kind)


def page_table(table: ValueTable) -> Table:
    """Return the table as text for a page."""
    header = [column.name for column in table.columns]
    rows = [[cell_text(column, cell) for column, cell in zip(table.columns, row, strict=True)] for row in table.rows]
    caption = table.caption
    if any(column.interval for column in table.columns):
        caption = f"{caption} 95 % intervals in brackets."
    return Table(caption, header, rows, table.words)


def plain_table(table: ValueTable) -> tuple[list[str], list[list[Any]], list[Kind]]:
    """Return header, rows and kinds with numbers as numbers: an estimate takes three columns."""
    header: list[str] = []
    kinds: list[Kind] = []
    for column in table.columns:
        names = ("", ", 2.5 % of draws below", ", 97.5 % of draws below") if column.interval else ("",)
        header += [f"{column.name}{name}" for name in names]
        kinds += [column.kind] * len(names)
    return header, [_plain_row(table.columns, row) for row in table.rows], kinds


def _plain_row(columns: Sequence[ValueColumn], row: Sequence[Any]) -> list[Any]:
    cells: list[Any] = []
    for column, cell in zip(columns, row, strict=True):
        if isinstance(cell, ValueEstimate):
            cells += [cell.mean, cell.low, cell.high]
        elif column.interval:
            cells += [cell, None, None]
        else:
            cells.append(cell)
    return [None if isinstance(cell, float) and not math.isfinite(cell) else cell for cell in cells]
