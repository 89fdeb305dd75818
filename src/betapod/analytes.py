"""Convert laboratory values between mass and amount: 203 mg/dL of glucose are 11.27 mmol/L.

The analyte is read off the label of the row (``mean plasma glucose``), so that nothing is converted on a guess: a label that names
no analyte, or two, gives the ordinary unit error.
"""

from __future__ import annotations

import re

from .errors import Location
from .units import convert, parse_unit

#: Molar masses in g/mol, from the standard atomic weights; urea nitrogen is the two nitrogen atoms of urea.
MOLAR_MASS = {
    "glucose": 180.156,
    "creatinine": 113.120,
    "urea nitrogen": 28.014,
    "urea": 60.056,
    "cholesterol": 386.664,
}

_LENGTH, _MASS, _AMOUNT = "[length]", "[mass]", "[substance]"


def analyte_of(label: str) -> str | None:
    """Return the one analyte that a label names, or None."""
    text = label.lower()
    found = []
    for name in MOLAR_MASS:  # "urea nitrogen" stands before "urea", so that its words are taken first
        text, count = re.subn(rf"\b{name}\b", "", text)
        found += [name] * bool(count)
    return found[0] if len(found) == 1 else None


def convert_labelled(value: float, source: str, target: str, label: str, location: Location | None = None) -> float:
    """Return `value` in the unit `target`, through the molar mass where one unit is per mass and the other per amount.

    Raises
    ------
    UnitError
        The units do not fit, or the label does not name the analyte.
    """
    location = location or Location()
    a, b = parse_unit(source, location), parse_unit(target, location)
    analyte = analyte_of(label)
    if analyte is not None and not a.compatible(b):
        powers_a, powers_b = dict(a.dimensions), dict(b.dimensions)
        if powers_a.get(_LENGTH) == powers_b.get(_LENGTH) == -3 and len(powers_a) == len(powers_b) == 2:
            if powers_a.get(_MASS) == 1 and powers_b.get(_AMOUNT) == 1:
                return value * a.scale / MOLAR_MASS[analyte] / b.scale
            if powers_a.get(_AMOUNT) == 1 and powers_b.get(_MASS) == 1:
                return value * a.scale * MOLAR_MASS[analyte] / b.scale
    return convert(value, source, target, location)
