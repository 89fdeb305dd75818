"""What two parameter tables give differently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...base.clinical import convert_labelled
from ...base.errors import UnitError
from .parameter import Parameter

if TYPE_CHECKING:
    from .table import ParameterTable


@dataclass(frozen=True)
class Difference:
    """A parameter that two tables give differently; None where a table has no such row."""

    id: str
    first: Parameter | None
    second: Parameter | None


def compare(first: ParameterTable, second: ParameterTable) -> list[Difference]:
    """Return every row whose value or provenance differs between two tables; a unit alone is not a difference."""
    differences = []
    for key in dict.fromkeys((*first, *second)):
        a, b = (table._rows.get(key) for table in (first, second))
        if a is None or b is None or _essence(a, a.unit) != _essence(b, a.unit):
            differences.append(Difference(key, a, b))
    return differences


def _essence(row: Parameter, unit: str) -> tuple[object, ...]:
    numbers = tuple(_in_unit(value, row, unit) for value in (row.value, row.low, row.high))
    return (*numbers, row.distribution, row.role, row.source, row.grade)


def _in_unit(value: float, row: Parameter, unit: str) -> object:
    try:
        return float(f"{convert_labelled(value, row.unit, unit, row.label):.12g}")
    except UnitError:
        return value, row.unit
