"""Read the tables of a fit's record by column."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.exports import original_cell

Columns = dict[str, NDArray[Any]]
#: Columns that hold text, or true and false, whatever their cells look like; all others hold numbers.
_TEXT = frozenset(
    [
        "name",
        "kind",
        "unit",
        "label",
        "transform",
        "source",
        "stage",
        "record",
        "study",
        "family",
        "endpoint",
        "class",
        "scale",
        "set",
        "by",
        "when",
        "unknown",
        "text",
    ]
)
_FLAGS = frozenset(
    [
        "at_bound",
        "fitted",
        "parameters",
        "discrepancy",
        "accepted",
        "inside_before",
        "inside_after",
        "inside_parameters",
        "inside_all",
    ]
)


def read_columns(path: Path) -> Columns:
    """Return a table of a record by column: text, numbers (NaN where empty) or flags."""
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    if not rows:
        raise ValueError(f"{path.name} is empty")
    head, body = rows[0], rows[1:]
    if any(len(row) != len(head) for row in body):
        raise ValueError(f"{path.name} has rows of another length than its head")
    return {name: _column(name, [row[k] for row in body]) for k, name in enumerate(head)}


def _column(name: str, cells: list[str]) -> NDArray[Any]:
    if name in _TEXT:
        return np.array([original_cell(cell) for cell in cells], dtype=object)
    # Tables of families have counts under names that are flags of single rows.
    if name in _FLAGS and set(cells) <= {"true", "false"}:
        return np.array([cell == "true" for cell in cells], dtype=np.bool_)
    return np.array([float(cell) if cell else np.nan for cell in cells], dtype=np.float64)
