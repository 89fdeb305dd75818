"""Physically possible values of quantities: no concentration below 0, no share above 1."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from ...base.errors import NOWHERE, Location, Problem, UnitError
from ...base.units import parse_unit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .parameter import Parameter

#: Words of a label by which a number between 0 and 1 is a part of a whole.
_SHARE = re.compile(
    r"\b(fraction|share|proportion|probability|haematocrit|hematocrit|saturation|bioavailability)\b", re.I
)
_STUFF = frozenset(["[mass]", "[substance]", "[cell_count]", "[biological_activity]"])


def possible_bounds(row: Parameter) -> tuple[float, float]:
    """Return the lowest and the highest number that a row can be at all.

    A row whose plausible range lies above 0 cannot be negative. One whose range lies within 0 to 1 (or 0 to 100 %) cannot exceed it if its
    distribution or its label says that it is a part of a whole.
    """
    low = 0.0 if row.low >= 0.0 else -float("inf")
    total = 100.0 if row.unit == "%" else 1.0
    within = row.unit in ("1", "%") and row.low >= 0.0 and row.high <= total
    part = row.distribution.startswith(("logitnormal", "bernoulli")) or bool(_SHARE.search(row.label))
    return low, total if within and part else float("inf")


def _slack(row: Parameter) -> float:
    """Return by how much a computed value may miss a bound: rounding, in proportion to the row's range."""
    return 1e-9 * (max(abs(row.low), abs(row.high)) if math.isfinite(row.low) and math.isfinite(row.high) else 1e-3)


def impossible_value(row: Parameter, value: float, location: Location = NOWHERE) -> Problem | None:
    """Return the problem of a value that the row cannot have, or None."""
    low, high = possible_bounds(row)
    slack = _slack(row)
    if low - slack <= value <= high + slack:
        return None
    unit = "" if row.unit == "1" else f" {row.unit}"
    return Problem(
        "impossible-value",
        f"{row.id}{f' ({row.label})' if row.label else ''} cannot be {'negative' if value < low else f'above {high:g}{unit}'}",
        location,
        found=f"{value:g}{unit}",
        expected=f"plausible is {row.low:g} to {row.high:g}{unit}",
    )


def impossible_columns(rows: Mapping[str, Parameter], columns: Mapping[str, NDArray[np.float64]]) -> list[Problem]:
    """Return a problem for each column that holds values which its row cannot have; the first of them is named."""
    import numpy as np

    problems = []
    for name, column in columns.items():
        row = rows.get(name)
        if row is None or column.ndim != 1:
            continue
        slack = _slack(row)
        low, high = possible_bounds(row)[0] - slack, possible_bounds(row)[1] + slack
        wrong = np.flatnonzero((column < low) | (column > high))
        if len(wrong):
            problem = impossible_value(
                row, float(column[wrong[0]]), Location(f"patients[{name!r}], patient {wrong[0]}")
            )
            assert problem is not None
            problems.append(problem)
    return problems


def stays_positive(unit: str) -> bool:
    """Return whether a unit is that of something of which there is never less than nothing: an amount, a volume, a concentration."""
    try:
        dimensions = dict(parse_unit(unit).dimensions)
    except UnitError:
        return False
    length = dimensions.pop("[length]", Fraction(0))
    if not dimensions:
        return length == 3
    return set(dimensions) <= _STUFF and set(dimensions.values()) == {1} and len(dimensions) == 1 and length in (0, -3)
