"""Units of the laboratory into the units of a library's table: only where the quantity is named and the unit declared."""

from __future__ import annotations

from ..analytes import convert_labelled
from ..errors import Location, Problem, UnitError
from .target import UNITS

#: Words for the converter of analytes, which converts nothing that it cannot name.
_LABELS = {"fpg": "fasting glucose", "creatinine": "serum creatinine"}
#: mg/g per mg/mmol: 1 g of creatinine is 1000/113.12 mmol.
_UACR_PER_MOLAR = 1000.0 / 113.120
_IFCC_SLOPE, _IFCC_OFFSET = 0.09148, 2.152
#: Exact factors of customary units.
_CUSTOMARY = {
    ("height", "inch"): 2.54,
    ("height", "in"): 2.54,
    ("weight", "lb"): 0.45359237,
    ("weight", "pound"): 0.45359237,
}
_PERCENT_POINTS = ("%", "percent", "NGSP %")
_IFCC = ("mmol/mol", "mmol/mol Hb")
_SHARES = {"1": 1.0, "%": 0.01, "percent": 0.01}


def to_table_unit(
    value: float, name: str, unit: str, difference: bool = False, location: Location | None = None
) -> float:
    """Return a value of a quantity in the unit of `UNITS` (creatinine: mg/dL).

    Parameters
    ----------
    difference
        Whether the value is a difference, such as an SD, for units with an offset: HbA1c in mmol/mol (NGSP master equation,
        0.09148 % per mmol/mol and 2.152 %).

    Raises
    ------
    UnitError
        The unit does not fit the quantity.
    """
    own = UNITS.get(name, "mg/dL" if name == "creatinine" else "")
    unit = unit.strip()
    where = location or Location()
    if unit == own:
        return value
    if name == "hba1c":
        if unit in _PERCENT_POINTS:
            return value
        if unit in _IFCC:
            return _IFCC_SLOPE * value + (0.0 if difference else _IFCC_OFFSET)
        raise _unfit(name, unit, "%, mmol/mol", where)
    if own == "1":
        if unit not in _SHARES:
            raise _unfit(name, unit, "1, %", where)
        return value * _SHARES[unit]
    if name == "egfr":
        if unit.replace(" ", "").replace("²", "2").replace("^2", "2") in ("mL/min/1.73m2", "ml/min/1.73m2"):
            return value
        raise _unfit(name, unit, own, where)
    if name == "uacr" and unit in ("mg/mmol", "g/mol"):
        return value * _UACR_PER_MOLAR
    if (name, unit) in _CUSTOMARY:
        return value * _CUSTOMARY[name, unit]
    try:
        return convert_labelled(value, unit, own, _LABELS.get(name, name), where)
    except UnitError:
        raise _unfit(name, unit, own, where) from None


def _unfit(name: str, unit: str, expected: str, where: Location) -> UnitError:
    return UnitError(Problem("wrong-unit", f"{name} cannot have this unit", where, found=unit, expected=expected))
