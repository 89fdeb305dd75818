"""Convert laboratory units to the units of a library's table."""

from __future__ import annotations

from ...base import clinical
from ...base.errors import NOWHERE, Location, Problem, UnitError
from ...base.units import convert_unit, parse_unit
from .cohort_target import ELIGIBILITY_UNITS, READ_UNITS


def table_unit(name: str) -> str:
    """Return the unit of a quantity in a table of people, empty where there is no such quantity."""
    return READ_UNITS.get(name, ELIGIBILITY_UNITS.get(name, ""))


def fits_table(name: str, unit: str) -> bool:
    """Return whether a quantity of the table can have a unit."""
    try:
        to_table_unit(1.0, name, unit)
    except UnitError:
        return False
    return True


def to_table_unit(
    value: float, name: str, unit: str, difference: bool = False, location: Location | None = None
) -> float:
    """Return a value of a quantity in the unit of `READ_UNITS`.

    Parameters
    ----------
    difference
        Whether the value is a difference, such as an SD, for units with an offset: HbA1c in mmol/mol.

    Raises
    ------
    UnitError
        The unit does not fit the quantity.
    """
    library_unit, where = table_unit(name), location or NOWHERE
    # Yes-or-no columns, such as that of the drug insulin, have shares; everything else is a clinical quantity.
    quantity = clinical.known_quantity(name) if library_unit != "1" else None
    if quantity is not None:
        return clinical.convert_clinical(
            value, quantity, unit, library_unit, "difference" if difference else "level", where
        )
    if library_unit != "1":
        return convert_unit(value, unit, library_unit, where)
    share = parse_unit(unit, where)
    if share.dimensions or not unit.strip():
        raise UnitError(
            Problem("wrong-unit", f"{name} cannot have this unit", where, unit.strip(), f"{library_unit}, %")
        )
    return value * share.scale
