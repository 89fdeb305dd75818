"""Texts of betapod's units for units that a foreign file puts together of kinds, factors and exponents."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from ...base.errors import UnitError
from ...base.units import parse_unit

#: Kinds that betapod names otherwise; all others have the same name in both.
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
_SHORT = {
    **{"litre": "L", "mole": "mol", "metre": "m", "gram": "g", "second": "s", "kilogram": "kg", "joule": "J"},
    **{"volt": "V", "ampere": "A", "farad": "F", "siemens": "S", "coulomb": "C", "pascal": "Pa", "newton": "N"},
    **{"watt": "W", "hertz": "Hz", "kelvin": "K"},
}
_TIMES = {60.0: "min", 3600.0: "h", 86400.0: "day", 604800.0: "week", 31557600.0: "year"}


def unit_of_kind(kind: str, size: float) -> str | None:
    """Return the unit that is so many times a kind, empty for a plain number; None where betapod has no name for it."""
    kind = _KINDS.get(kind, kind)
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


def product_of_units(factors: Iterable[tuple[str, float, float]]) -> str | None:
    """Return the text of a product of powers, each a kind, its size and its exponent; None where betapod cannot express it."""
    above: list[str] = []
    below: list[str] = []
    for kind, size, power in factors:
        part = unit_of_kind(kind, size)
        if part is None:
            return None
        exponent = Fraction(power).limit_denominator(100)
        if not part or not exponent:
            continue
        degree = abs(exponent)
        (above if exponent > 0 else below).append(
            part if degree == 1 else f"{part}^{degree}" if degree.denominator == 1 else f"{part}^({degree})"
        )
    text = "*".join(above) or "1"
    return readable_text("/".join([text, *below]))


def readable_text(text: str | None) -> str | None:
    """Return the text of a unit that betapod can read, `1` for none; None where it cannot."""
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
