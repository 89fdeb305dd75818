"""Quantities of one person's labs: names, units, limits, codes of LOINC, and with which column of a library each is compared.

Tables: ``lab_quantities.csv`` and ``loinc_codes.csv``. Codes of grade B were read in public files, those of grade D were recalled; every code has
passed its check digit. ``tolerance`` is how far people of the library may be from a lab besides its error of measurement and still be
like the person, as an SD (of the logarithm; of years for age and duration): assumed.
"""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..base.clinical import clinical_quantities, convert_clinical
from ..base.errors import NOWHERE, Location, Problem, UnitError, did_you_mean

_FOLDER = Path(__file__).parent
#: Quantities whose distance is in years, not a ratio.
IN_YEARS = ("age", "duration")
#: Charges of ions whose amount is given in equivalents; others are refused in them.
_ONE_CHARGE = ("potassium", "sodium", "bicarbonate")


@dataclass(frozen=True)
class LabQuantity:
    """A quantity of somebody's labs.

    Attributes
    ----------
    unit
        In which betapod has it.
    clinical
        Name of `base.clinical` by which units are converted.
    low, high
        Beyond which a value is an error of entry or of unit.
    usual_low, usual_high
        Beyond which a value is possible and is said to be unusual.
    specimens
        ``blood`` or ``urine``; empty for what needs none.
    column
        Column of a library with which it is compared; empty if people are not chosen by it.
    observable
        Whose error of measurement it has; empty for none.
    tolerance
        See the module.
    spelt
        Other names, in small letters.
    """

    name: str
    label: str
    unit: str
    clinical: str
    low: float
    high: float
    usual_low: float
    usual_high: float
    specimens: str
    column: str
    observable: str
    tolerance: float
    spelt: tuple[str, ...]


@dataclass(frozen=True)
class LoincCode:
    """What a code of LOINC says: the quantity, the specimen, and by which method."""

    code: str
    quantity: str
    specimen: str
    method: str
    grade: str


def _rows(name: str) -> list[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@functools.cache
def lab_quantities() -> Mapping[str, LabQuantity]:
    """Return the quantities by name.

    Examples
    --------
    >>> from betapod.twins.lab_quantities import lab_quantities
    >>> lab_quantities()["uacr"].unit
    'mg/g'
    """
    return {
        row["name"]: LabQuantity(
            row["name"],
            row["label"],
            row["unit"],
            row["clinical"],
            float(row["low"]),
            float(row["high"]),
            float(row["usual_low"]),
            float(row["usual_high"]),
            row["specimens"],
            row["column"],
            row["observable"],
            float(row["tolerance"] or 0.0),
            tuple(filter(None, row["spelt"].split("|"))),
        )
        for row in _rows("lab_quantities.csv")
    }


@functools.cache
def loinc_codes() -> Mapping[str, LoincCode]:
    """Return what is read of each code of LOINC."""
    return {row["code"]: LoincCode(**row) for row in _rows("loinc_codes.csv")}


@functools.cache
def _spellings() -> Mapping[str, str]:
    names = {_plain(other): item.name for item in lab_quantities().values() for other in (item.label, *item.spelt)}
    return names | {_plain(name): name for name in lab_quantities()}


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()


def lab_named(name: str) -> str | None:
    """Return the quantity that a name or a code of LOINC means; None where it means none."""
    code = loinc_codes().get(name.strip())
    return code.quantity if code is not None else _spellings().get(_plain(name))


def nearest_lab(name: str) -> str:
    """Return a sentence with the quantity that a name may mean."""
    return did_you_mean(_plain(name), _spellings()) or f"Quantities are: {', '.join(lab_quantities())}."


def converted_lab(name: str, value: float, unit: str, location: Location = NOWHERE) -> float:
    """Return a value of a quantity in its own unit, within what is possible.

    Parameters
    ----------
    unit
        As a laboratory, or UCUM, writes it; it may not be empty.

    Raises
    ------
    UnitError
        The quantity has no such unit, or the value is impossible in it.

    Examples
    --------
    >>> from betapod.twins.lab_quantities import converted_lab
    >>> round(converted_lab("uacr", 43, "mg/mmol"))
    380
    """
    quantity = lab_quantities()[name]
    if re.search(r"\bm?(?:eq|val)\b", unit, re.I) and name not in _ONE_CHARGE:
        message = f"{quantity.label} in equivalents is not read"
        raise UnitError(Problem("wrong-unit", message, location, unit, "mg/dL or mmol/L"))
    converted = convert_clinical(
        value, clinical_quantities()[quantity.clinical], unit, quantity.unit, location=location
    )
    return possible_lab(name, converted, f"{value:g} {unit}", location)


def possible_lab(name: str, value: float, written: str, location: Location = NOWHERE) -> float:
    """Return a value in the quantity's own unit if it is possible.

    Raises
    ------
    UnitError
        It is not.
    """
    quantity = lab_quantities()[name]
    if quantity.low <= value <= quantity.high:
        return value
    expected = f"{quantity.low:g} to {quantity.high:g} {quantity.unit}"
    others = [usual for usual in clinical_quantities()[quantity.clinical].usual if usual != quantity.unit]
    hint = f"In another unit? It is read in: {', '.join([quantity.unit, *others])}." if others else ""
    raise UnitError(Problem("impossible-value", f"{quantity.label}: impossible", location, written, expected, hint))
