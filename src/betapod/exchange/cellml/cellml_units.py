"""Units of CellML as betapod's, where it can express them."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from fractions import Fraction
from typing import Any

from ...base.errors import UnitError
from ...base.units import DIMENSIONLESS, parse_unit
from ..foreign.unit_texts import product_of_units, unit_of_kind

#: Prefixes by name, as powers of ten.
_PREFIXES = {
    **{"yotta": 24, "zetta": 21, "exa": 18, "peta": 15, "tera": 12, "giga": 9, "mega": 6, "kilo": 3, "hecto": 2},
    **{"deca": 1, "deci": -1, "centi": -2, "milli": -3, "micro": -6, "nano": -9, "pico": -12, "femto": -15},
    **{"atto": -18, "zepto": -21, "yocto": -24},
}
#: A name with its exponent, as in `cm2`.
_WORD = re.compile(r"([A-Za-z])(\d+)(?=_|$)")
#: Definitions within definitions; more are a circle.
_DEEPEST = 50


def cellml_unit_text(model: Any, units: Any) -> str | None:
    """Return the text of a unit, or None where betapod cannot express it: for one with a base of its own, or an odd factor.

    Parameters
    ----------
    model
        libcellml's model, in which units of others are found.
    units
        libcellml's units of a variable.
    """
    factors = _factors(model, units.name(), _DEEPEST) if units is not None else None
    if factors is None:
        return None
    # A product of several is called as the file calls it, where that means the same: mM, not mol/m^3.
    named = _text_of_name(units.name(), factors) if len(factors) > 1 else None
    return named or product_of_units(factors)


def _text_of_name(name: str, factors: list[tuple[str, float, float]]) -> str | None:
    """Return what a name such as `uA_per_cm2` reads as, if its definition means just that."""
    above, *below = (_WORD.sub(r"\1^\2", part).replace("_", "*") for part in f"_{name}_".split("_per_"))
    text = "/".join([above.strip("*") or "1", *(part.strip("*") for part in below)])
    try:
        named, defined = parse_unit(text), DIMENSIONLESS
        for kind, size, exponent in factors:
            scaled = parse_unit(unit_of_kind(kind, 1.0) or "1")
            power = Fraction(exponent).limit_denominator(100)
            defined = replace(defined * scaled**power, scale=defined.scale * scaled.scale**exponent * size**exponent)
    except UnitError:
        return None
    same = named.dimensions == defined.dimensions and math.isclose(named.scale, defined.scale, rel_tol=1e-9)
    return text if same else None


def _factors(model: Any, name: str, depth: int) -> list[tuple[str, float, float]] | None:
    """Return a unit as kinds with their sizes and exponents."""
    definition = model.units(name)
    if definition is None:
        return [(name, 1.0, 1.0)]
    if definition.isBaseUnit() or not depth:
        return None
    factors: list[tuple[str, float, float]] = []
    for k in range(definition.unitCount()):
        reference, prefix, exponent, multiplier, _ = definition.unitAttributes(k)
        below = _factors(model, reference, depth - 1)
        if below is None:
            return None
        try:
            power = float(_PREFIXES.get(prefix, prefix or 0))
        except ValueError:
            return None
        parts = [(kind, size, degree * exponent) for kind, size, degree in below if degree * exponent]
        factors += _multiplied(parts, float(multiplier) * 10.0 ** (power * exponent))
    return factors


def _multiplied(parts: list[tuple[str, float, float]], factor: float) -> list[tuple[str, float, float]]:
    """Give a factor to the first part that has a name with it."""
    if factor == 1.0:
        return parts
    for k, (kind, size, exponent) in enumerate(parts):
        scaled = size * factor ** (1.0 / exponent)
        if unit_of_kind(kind, scaled):
            return [*parts[:k], (kind, scaled, exponent), *parts[k + 1 :]]
    return [("dimensionless", factor, 1.0), *parts]
