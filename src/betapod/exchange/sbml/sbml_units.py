"""Convert SBML unit definitions to betapod unit strings where representable."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ...base.errors import UnitError
from ...base.units import parse_unit

#: SBML kinds that betapod names otherwise; all others have the same name in both.
_KINDS = {
    "liter": "litre",
    "meter": "metre",
    "dimensionless": "",
    "avogadro": "",
    "radian": "",
    "steradian": "",
    "Celsius": "kelvin",
    "substance": "mole",
    "volume": "litre",
    "time": "second",
}
_PREFIX = {-15: "f", -12: "p", -9: "n", -6: "u", -3: "m", -2: "c", -1: "d", 3: "k", 6: "M", 9: "G"}
_SHORT = {"litre": "L", "mole": "mol", "metre": "m", "gram": "g", "second": "s", "kilogram": "kg", "joule": "J"}
_TIMES = {60.0: "min", 3600.0: "h", 86400.0: "day", 604800.0: "week", 31557600.0: "year"}
#: What Level 2 means by its built-in units where a model does not redefine them.
BUILT_IN = {"substance": "mole", "volume": "litre", "area": "metre^2", "length": "metre", "time": "second"}


def _scaled(kind: str, multiplier: float, scale: int) -> str | None:
    """Return the unit of one kind with its multiplier, or None where betapod has no name for it."""
    kind = _KINDS.get(kind, kind)
    size = multiplier * 10.0**scale
    if not kind:
        return "" if size == 1.0 else None
    if kind == "second":
        named = next((name for value, name in _TIMES.items() if abs(size / value - 1) < 1e-9), None)
        if named is not None:
            return named
    if size == 1.0:
        return _SHORT.get(kind, kind)
    for power, prefix in _PREFIX.items():
        if abs(size / 10.0**power - 1) < 1e-12:
            if kind == "kilogram":
                return {-3: "g", -6: "mg", -9: "ug"}.get(power)
            return prefix + _SHORT.get(kind, kind)
    return None


def sbml_unit_text(model: Any, reference: str) -> str | None:
    """Return the text of a unit that an SBML model refers to, or None where betapod cannot express it.

    Parameters
    ----------
    reference
        Id of a unit definition, a unit kind, or a built-in unit of Level 2.
    """
    if not reference:
        return None
    definition = model.getUnitDefinition(reference)
    if definition is None:
        plain = BUILT_IN.get(reference, reference)
        text = _scaled(plain, 1.0, 0) if "^" not in plain else plain
        return _readable(text)
    above: list[str] = []
    below: list[str] = []
    for k in range(definition.getNumUnits()):
        unit = definition.getUnit(k)
        import libsbml

        part = _scaled(libsbml.UnitKind_toString(unit.getKind()), unit.getMultiplier(), unit.getScale())
        if part is None:
            return None
        exponent = Fraction(unit.getExponentAsDouble()).limit_denominator(100)
        if not part or not exponent:
            continue
        size = abs(exponent)
        (above if exponent > 0 else below).append(
            part if size == 1 else f"{part}^{size}" if size.denominator == 1 else f"{part}^({size})"
        )
    text = "*".join(above) or "1"
    return _readable("/".join([text, *below]))


def _readable(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        parse_unit(text or "1")
    except UnitError:
        return None
    return text or "1"


def quotient_unit(above: str | None, below: str | None) -> str | None:
    """Return the text of a quotient of two units."""
    if above is None or below is None:
        return None
    if below == "1":
        return above
    return f"{above}/{below}" if "/" not in below and "*" not in below else f"{above}/({below})"
