"""Physically possible values of quantities: no concentration below 0, no share above 1, no time constant of 0.

The limits of a row are what its columns ``hard_low`` and ``hard_high`` say. Where they are empty, unit and kind give them:

- An amount, a concentration, a volume, and whatever has a plausible range from 0 on, is not negative.
- A time, a length, an area, a volume, an amount or a concentration whose plausible range begins above 0 is not 0 either, nor is the
  smoothness of a corner: equations divide by such numbers. A rate or an effect may be 0, which turns it off.
- A part of a whole lies within 0 to 1 (or 0 to 100 %), and so does what is either 0 or 1.
- Shifts, differences and exponents are as their plausible range says: what reaches below 0 may be negative.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from ...base.errors import NOWHERE, Location, Problem, UnitError
from ...base.units import parse_unit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .parameter import Parameter

#: Words of a label by which a number between 0 and 1 is a part of a whole.
_SHARE = re.compile(
    r"\b(fraction|share|proportion|part|probability|haematocrit|hematocrit|saturation|bioavailability|adherence|inhibition|blockade"
    r"|protection|prevented|lost|splay|sharpness)\b|\bfall of\b(?!.*\bper\b)",
    re.I,
)
#: How labels name what is either 0 or 1.
_EITHER = re.compile(r"\(1\)|1 female, 0 male")
#: Words of what may be negative whatever its unit.
_SIGNED = re.compile(r"\b(shift|change|difference|offset|excess)\b", re.I)
#: Words of the width of a corner, by which equations divide.
_WIDTH = re.compile(r"\b(width|smoothness|smoothing)\b", re.I)
_STUFF = frozenset(["[mass]", "[substance]", "[cell_count]", "[biological_activity]"])


class _Limits(NamedTuple):
    """What a row can be: between low and high, and whether 0 is excluded."""

    low: float
    high: float
    not_zero: bool


def possible_bounds(row: Parameter) -> tuple[float, float]:
    """Return the lowest and the highest number that a row can be at all; 0 itself may be excluded, see `excludes_zero`.

    Parameters
    ----------
    row
        With its own limits, or with unit, label and plausible range that give them.

    Returns
    -------
    tuple of float
        Infinite where there is no limit.

    Examples
    --------
    >>> from betapod import Parameter
    >>> from betapod.model.parameters.possible_values import possible_bounds
    >>> possible_bounds(Parameter("f", "fraction absorbed", 0.6, "1", 0.4, 0.9))
    (0.0, 1.0)
    >>> possible_bounds(Parameter("k", "splay", 0.98, "1", 0.9, 0.99, hard_high=1.0))
    (0.0, 1.0)
    """
    return _limits(row)[:2]


def _limits(row: Parameter) -> _Limits:
    return _limits_of(
        row.id,
        row.label,
        row.value,
        row.unit,
        row.low,
        row.high,
        row.distribution,
        row.role,
        row.hard_low,
        row.hard_high,
    )


@functools.lru_cache(maxsize=16384)
def _limits_of(
    name: str, label: str, value: float, unit: str, low: float, high: float, distribution: str, role: str, hard_low: float,
    hard_high: float,
) -> _Limits:  # fmt: skip
    """Return limits by all that they follow from: tables are checked thousands of times."""
    from .parameter import Parameter

    row = Parameter(name, label, value, unit, low, high, distribution, role, hard_low=hard_low, hard_high=hard_high)
    return _Limits(*_bounds(row), _not_zero(row))


def _bounds(row: Parameter) -> tuple[float, float]:
    low = row.hard_low
    if math.isinf(low) and (row.low >= 0.0 or _never_negative(row)):
        low = 0.0
    high = row.hard_high
    total = 100.0 if row.unit == "%" else 1.0
    if math.isinf(high) and row.unit in ("1", "%") and row.low >= 0.0 and row.high <= total:
        part = row.distribution.startswith(("logitnormal", "bernoulli")) or bool(_SHARE.search(row.label))
        either = row.unit == "1" and (row.low, row.high) == (0.0, 1.0) and _is_switch(row)
        high = total if part or either else high
    return low, high


def excludes_zero(row: Parameter) -> bool:
    """Return whether a row can come near 0 but not be 0: equations divide by it.

    Parameters
    ----------
    row
        One whose possible values begin at 0.

    Returns
    -------
    bool
        False for rates and effects, which 0 turns off.

    Examples
    --------
    >>> from betapod import Parameter
    >>> from betapod.model.parameters.possible_values import excludes_zero
    >>> excludes_zero(Parameter("tau", "response time", 50.0, "day", 40.0, 60.0))
    True
    >>> excludes_zero(Parameter("k", "rate of loss", 0.5, "1/day", 0.2, 0.9))
    False
    """
    return _limits(row).not_zero


def _not_zero(row: Parameter) -> bool:
    if not row.low > 0.0 or row.hard_low != -math.inf:
        return False
    return bool(_WIDTH.search(row.label)) or _is_extent(row.unit)


def _never_negative(row: Parameter) -> bool:
    """Return whether a row without a plausible range is of something of which there is never less than nothing."""
    unbounded = math.isinf(row.low) and row.role != "imported" and not row.value < 0.0
    return unbounded and stays_positive(row.unit) and not _SIGNED.search(row.label)


def _is_switch(row: Parameter) -> bool:
    return row.id.startswith("sw_") or bool(_EITHER.search(row.label))


def _slack(row: Parameter) -> float:
    """Return by how much a computed value may miss a bound: rounding, in proportion to the row's range."""
    return 1e-9 * (max(abs(row.low), abs(row.high)) if math.isfinite(row.low) and math.isfinite(row.high) else 1e-3)


def impossible_value(row: Parameter, value: float, location: Location = NOWHERE) -> Problem | None:
    """Return the problem of a value that the row cannot have, or None."""
    low, high = possible_bounds(row)
    slack = _slack(row)
    zero = value == 0.0 and excludes_zero(row)
    if low - slack <= value <= high + slack and not zero:
        return None
    unit = "" if row.unit == "1" else f" {row.unit}"
    if zero:
        wrong = "cannot be 0"
    elif value < low:
        wrong = "cannot be negative" if low == 0.0 else f"cannot be below {low:g}{unit}"
    else:
        wrong = f"cannot be above {high:g}{unit}"
    return Problem(
        "impossible-value",
        f"{row.id}{f' ({row.label})' if row.label else ''} {wrong}",
        location,
        found=f"{value:g}{unit}",
        expected=f"plausible is {row.low:g} to {row.high:g}{unit}",
    )


def impossible_range(base: Parameter, laid: Parameter, location: Location = NOWHERE) -> Problem | None:
    """Return the problem of a plausible range that an overlay gives to a row and that reaches beyond what is possible, or None."""
    low, high = possible_bounds(base)
    slack = _slack(base)
    beyond = [x for x in (laid.low, laid.high) if math.isfinite(x) and not low - slack <= x <= high + slack]
    if not beyond:
        return None
    return Problem(
        "bad-range",
        f"{base.id}: the plausible range reaches beyond what is possible",
        location,
        found=f"{laid.low:g} to {laid.high:g}",
        expected=f"within {low:g} to {high:g}" + ("" if base.unit == "1" else f" {base.unit}"),
    )


def impossible_columns(rows: Mapping[str, Parameter], columns: Mapping[str, NDArray[np.float64]]) -> list[Problem]:
    """Return a problem for each column that holds values which its row cannot have; the first of them is named."""
    import numpy as np

    problems = []
    for name, column in columns.items():
        row = rows.get(name)
        if row is None or column.ndim != 1:
            continue
        limits, slack = _limits(row), _slack(row)
        low, high = limits.low - slack, limits.high + slack
        if not column.size or (low <= column.min() and column.max() <= high and not limits.not_zero):
            continue
        wrong = np.flatnonzero((column < low) | (column > high) | ((column == 0.0) & limits.not_zero))
        if len(wrong):
            problem = impossible_value(
                row, float(column[wrong[0]]), Location(f"patients[{name!r}], patient {wrong[0]}")
            )
            assert problem is not None
            problems.append(problem)
    return problems


def drawn_range(row: Parameter) -> tuple[float, float]:
    """Return the range that draws are cut to: the plausible one, within what is possible."""
    low, high = possible_bounds(row)
    return max(row.low, low), min(row.high, high)


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


def _is_extent(unit: str) -> bool:
    """Return whether a unit is that of a time, a length, an area, a volume, an amount or a concentration."""
    if stays_positive(unit):
        return True
    # Per gram a day of intake per kilogram of weight: a gain, in which masses cancel and leave a time.
    if "*" in unit or "/" in unit:
        return False
    try:
        dimensions = dict(parse_unit(unit).dimensions)
    except UnitError:
        return False
    return dimensions in ({"[time]": Fraction(1)}, {"[length]": Fraction(1)}, {"[length]": Fraction(2)})
