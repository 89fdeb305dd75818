"""Numbers of parameters in the unit of their row: values that somebody wrote, and distributions of an overlay."""

from __future__ import annotations

import math

from ...base.arguments import floats, wrong
from ...base.clinical import Kind, convert_labelled, say
from ...base.errors import Location, ParameterError, Problem, UnitError
from ...base.units import split_quantity
from .parameter import Parameter


def overlaid_distribution(row: Parameter, base: Parameter) -> str:
    """Return the distribution of an overlaid row in the unit of the row below it: its two arguments are in the overlay's own."""
    shape = row.shape
    if shape is None or "(" not in row.distribution or row.unit == base.unit:
        return row.distribution

    def turned(number: float, kind: Kind = "level") -> float:
        return convert_labelled(number, row.unit, base.unit, base.label, kind, row.location)

    name, first, second = shape
    if name == "uniform":
        return f"uniform({turned(first):.15g}, {turned(second):.15g})"
    if name == "normal":
        return f"normal({turned(first):.15g}, {turned(second, 'difference'):.15g})"
    if name == "lognormal" and turned(0.0) == 0.0:
        return f"lognormal({turned(first):.15g}, {second:.15g})"
    message = f"{row.id}: a {name} distribution cannot be turned from {row.unit} into {base.unit}"
    raise UnitError(Problem("wrong-unit", message, row.location, row.unit, base.unit))


def parameter_quantity(raw: float | str, unit: str, location: Location, label: str = "") -> float:
    """Read a number with an optional unit and return it in `unit`.

    Parameters
    ----------
    raw
        A number in `unit`, or a text such as ``"203 mg/dL"``.
    label
        Text that names the analyte, which allows to convert between mass and amount.

    Raises
    ------
    ParameterError, UnitError
        It is not a finite number with a unit that fits.
    """
    if not isinstance(raw, str):
        number = floats(location.file, raw, ParameterError)
        if number.ndim:
            raise ParameterError(wrong(location.file, raw, f"one number, or a text such as '1.5 {unit}'"))
        value, source_unit = float(number), unit
    else:
        split = split_quantity(raw)
        if split is None or split[1].startswith(","):
            expected = f"such as '1.5 {unit}'"
            hint = "Write numbers without commas: 1000 or 7.5." if split is not None else ""
            raise ParameterError(
                Problem("bad-number", "this is not a number with a unit", location, repr(raw), expected, hint)
            )
        value, source_unit = split[0], split[1].strip() or unit
    if not math.isfinite(value):
        raise ParameterError(Problem("bad-number", "the value is not finite", location, found=repr(raw)))
    read = convert_labelled(value, source_unit, unit, label, location=location)
    # Times and the like, which have no label, are told by what is done with them.
    if label and read != value:
        say(location.file, "", read, unit)
    return read
