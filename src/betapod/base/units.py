"""One unit registry (pint, at load and report time only), clinical units and their UCUM codes.

A unit is a dimension **and a scale**: mg and g have the same dimension, and betapod still refuses to add them. `Unit` holds both as
plain numbers, so that checking thousands of expressions costs no pint arithmetic.
"""

from __future__ import annotations

import csv
import functools
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .constants import CM_PER_INCH, DAYS_PER_YEAR, KG_PER_POUND
from .errors import NOWHERE, Location, Problem, UnitError, did_you_mean
from .spelling import fold, respell_unit

if TYPE_CHECKING:
    import pint

#: Units that the package uses, as `unit_registry` reads them; written by `tests/support/known_units.py`.
KNOWN_UNITS = Path(__file__).with_name("known_units.csv")
#: The model's unit of time.
TIME_UNIT = "day"

_QUANTITY = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*")

# A short registry of our own: it loads fast, and a misspelt unit is an error, not an astronomical quantity.
_DEFINITIONS = f"""
femto- = 1e-15 = f-
pico- = 1e-12 = p-
nano- = 1e-9 = n-
micro- = 1e-6 = u- = µ-
milli- = 1e-3 = m-
centi- = 1e-2 = c-
deci- = 1e-1 = d-
kilo- = 1e3 = k-
mega- = 1e6 = M-
giga- = 1e9 = G-
metre = [length] = m = meter
second = [time] = s
gram = [mass] = g
mole = [substance] = mol
kelvin = [temperature] = K
ampere = [current] = A
candela = [luminosity] = cd
radian = [] = rad
steradian = [] = sr
minute = 60 * second = min
hour = 60 * minute = h
day = 24 * hour = d
week = 7 * day = wk
year = {DAYS_PER_YEAR} * day = y = yr
month = 1 / 12 * year = mo
hertz = 1 / second = Hz
becquerel = 1 / second = Bq
litre = 1e-3 * metre ** 3 = L = liter = l
newton = kilogram * metre / second ** 2 = N
pascal = newton / metre ** 2 = Pa
joule = newton * metre = J
watt = joule / second = W
calorie = 4.184 * joule = cal
coulomb = ampere * second = C
volt = joule / coulomb = V
ohm = volt / ampere
siemens = ampere / volt = S
farad = coulomb / volt = F
weber = volt * second = Wb
tesla = weber / metre ** 2 = T
henry = weber / ampere = H
lumen = candela * steradian = lm
lux = lumen / metre ** 2 = lx
gray = joule / kilogram = Gy
sievert = joule / kilogram = Sv
katal = mole / second = kat
mmHg = 133.322387415 * pascal
cmH2O = 98.0665 * pascal
inch = {CM_PER_INCH} * cm
foot = 12 * inch
pound = {KG_PER_POUND} * kilogram
stone = 14 * pound
molar = mole / litre = M
equivalent = mole = Eq
dalton = gram / mole = Da
percent = 0.01
insulin_unit = [biological_activity] = U = IU
cell = [cell_count] = cells
item = [item_count]
bsa173 = [body_surface_normalisation]
"""

#: UCUM codes of the names that differ; everything else is already a UCUM code.
_UCUM = {
    "day": "d",
    "week": "wk",
    "month": "mo",
    "year": "a",
    "hour": "h",
    "minute": "min",
    "second": "s",
    "mmHg": "mm[Hg]",
    "percent": "%",
    "U": "[iU]",
    "IU": "[iU]",
    "mU": "m[iU]",
    "uU": "u[iU]",
    "cell": "{cell}",
    "bsa173": "{1.73_m2}",
    "molar": "mol/L",
    "M": "mol/L",
    "Eq": "eq",
    "mEq": "meq",
    "kelvin": "K",
}

_BSA = re.compile(r"1\.73\s*m(?:\^|\*\*)?2")
#: Names, powers, products and quotients as `unit_registry` spells them; anything else goes through `spelling`.
_STRICT = re.compile(r"[A-Za-z_0-9.%*/^() -]*")
#: What reads as mega and is always meant as milli, in capitals that say nothing.
_MEGA = re.compile(r"(?<![A-Za-z])M(?:g|G|l|L|mol|MOL|Mol|U|IU|Eq|EQ)(?![A-Za-z])")
_BESIDE = re.compile(r"[\w%)]\s+[\w%(]")
_NAME = re.compile(r"[A-Za-zµ_][A-Za-z0-9µ_]*")


@dataclass(frozen=True)
class Unit:
    """A dimension with a scale.

    Attributes
    ----------
    dimensions
        Sorted pairs of base dimension and exponent.
    scale
        Size in the registry's base units (metre, second, gram, mole ...).
    text
        How it was written, or how it came about.
    """

    dimensions: tuple[tuple[str, Fraction], ...] = ()
    scale: float = 1.0
    text: str = "1"

    def __mul__(self, other: Unit) -> Unit:
        return Unit(_combine(self, other, 1), self.scale * other.scale, _join(self, other, "*"))

    def __truediv__(self, other: Unit) -> Unit:
        return Unit(_combine(self, other, -1), self.scale / other.scale, _join(self, other, "/"))

    def __pow__(self, exponent: Fraction | int) -> Unit:
        exponent = Fraction(exponent)
        dimensions = tuple((name, power * exponent) for name, power in self.dimensions if power * exponent)
        text = self.text if exponent == 1 or self.text == "1" else f"{_wrap(self.text)}^{_exponent(exponent)}"
        return Unit(dimensions, self.scale ** float(exponent), text)

    def compatible(self, other: Unit) -> bool:
        """Return whether the dimensions agree."""
        return self.dimensions == other.dimensions

    def same(self, other: Unit) -> bool:
        """Return whether dimension and scale agree."""
        return self.compatible(other) and abs(self.scale / other.scale - 1.0) < 1e-9

    @property
    def plain(self) -> bool:
        """Whether this is the number 1: no dimension, no scale."""
        return not self.dimensions and abs(self.scale - 1.0) < 1e-9


DIMENSIONLESS = Unit()


def _combine(a: Unit, b: Unit, sign: int) -> tuple[tuple[str, Fraction], ...]:
    if not b.dimensions:
        return a.dimensions
    powers = dict(a.dimensions)
    for name, power in b.dimensions:
        powers[name] = powers.get(name, Fraction(0)) + sign * power
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def _wrap(text: str) -> str:
    return f"({text})" if re.search(r"[*/]", text) else text


def _exponent(exponent: Fraction) -> str:
    return str(exponent) if exponent.denominator == 1 and exponent >= 0 else f"({exponent})"


def _join(a: Unit, b: Unit, operator: str) -> str:
    if b.text == "1":
        return a.text
    if a.text == "1" and operator == "*":
        return b.text
    return f"{a.text}{operator}{_wrap(b.text) if operator == '/' else b.text}"


@functools.cache
def unit_registry() -> pint.UnitRegistry[Any]:
    """Return the one pint registry."""
    import pint

    units: pint.UnitRegistry[Any] = pint.UnitRegistry(None, cache_folder=None)
    units.load_definitions(_DEFINITIONS.strip().splitlines())
    return units


def readable_unit(text: str) -> str:
    """Return a unit as the registry spells it."""
    return _BSA.sub("bsa173", text).replace("%", "percent").replace("^", "**")


#: Letters of a unit; what people write has twenty.
_LONGEST = 300


def parse_unit(text: str, location: Location = NOWHERE) -> Unit:
    """Read a unit such as ``mL/min``, ``mmHg*min/L``, ``1/year``, ``%`` or ``mL/min/1.73m2``.

    Raises
    ------
    UnitError
        The text is not a unit; the nearest known unit is named.
    """
    try:
        return _unit(text)
    except UnitError as error:
        raise UnitError([replace(problem, location=location) for problem in error.problems]) from None


@functools.lru_cache(maxsize=4096)
def _unit(text: str) -> Unit:
    """Read a unit, once for all places where it stands."""
    written = text.strip()
    if len(written) > _LONGEST:
        excerpt = f"[{written[:40]}…], {len(written):,} letters"
        raise UnitError(Problem("unknown-unit", "this is too long for a unit", NOWHERE, excerpt, f"up to {_LONGEST}"))
    mega = _MEGA.search(written)
    if mega is not None:
        milli = written[: mega.start()] + "m" + written[mega.start() + 1 :]
        hint = f"If milli is meant, write {respell_unit(milli)[0]}."
        raise UnitError(Problem("ambiguous-unit", "M is mega, a million", NOWHERE, f"[{written}]", hint=hint))
    if _STRICT.fullmatch(written) and not _BESIDE.search(_BSA.sub("bsa173", written)):
        try:
            return _parsed(written, 1.0, text)
        except UnitError:
            spelt, factor = respell_unit(written)
            if spelt == written:
                raise
    else:
        # Pint multiplies what stands side by side and passes over signs that it does not know.
        spelt, factor = respell_unit(written)
    return _parsed(spelt, factor, text)


def _parsed(text: str, factor: float, written: str) -> Unit:
    """Return `factor` times a unit in the spelling of the registry."""
    readable = readable_unit(text)
    if readable in ("1", "", "dimensionless"):
        return DIMENSIONLESS if factor == 1.0 else Unit((), factor, written.strip())
    measured = _known_units().get(readable)
    dimensions, scale = measured_by_pint(readable, written) if measured is None else measured
    return Unit(dimensions, factor * scale, written.strip())


@functools.cache
def _known_units() -> dict[str, tuple[tuple[tuple[str, Fraction], ...], float]]:
    """Return dimensions and scale of the units that the package itself uses: pint takes a fifth of a second to say the same."""
    with KNOWN_UNITS.open(encoding="utf-8", newline="") as file:
        return {row["unit"]: (_powers(row["dimensions"]), float(row["scale"])) for row in csv.DictReader(file)}


def _powers(text: str) -> tuple[tuple[str, Fraction], ...]:
    pairs = (part.rpartition("^") for part in text.split())
    return tuple((name, Fraction(power)) for name, _, power in pairs)


def measured_by_pint(readable: str, written: str = "") -> tuple[tuple[tuple[str, Fraction], ...], float]:
    """Return dimensions and scale of a unit, see `readable_unit`.

    Raises
    ------
    UnitError
        It is none.
    """
    import pint

    try:
        parsed = unit_registry().parse_units(readable)
        scale, base = unit_registry().get_base_units(parsed)
    except pint.UndefinedUnitError as error:
        unknown = error.unit_names if isinstance(error.unit_names, str) else next(iter(error.unit_names))
        message, hint = f"unknown unit {unknown!r} in [{written}]", did_you_mean(unknown, unit_names())
        raise UnitError(Problem("unknown-unit", message, hint=hint)) from None
    except Exception:
        hint = "Write units like mL/min, 1/day, mmHg*min/L or 1."
        raise UnitError(Problem("bad-unit", f"cannot read the unit [{written}]", hint=hint)) from None
    dimensions = tuple(
        sorted((str(name), Fraction(str(power)).limit_denominator(1000)) for name, power in base.dimensionality.items())
    )
    return dimensions, float(str(scale))


@functools.cache
def unit_names() -> tuple[str, ...]:
    """Return the unit names that a reader would write, for suggestions."""
    names = {name for name in unit_registry()._units if not name.startswith("[") and len(name) < 20}
    names |= {p + u for p in ("m", "u", "n", "p", "k", "d") for u in ("g", "L", "mol", "m")}
    return tuple(sorted(names))


def convert_unit(value: float, source: str, target: str, location: Location = NOWHERE) -> float:
    """Return `value` in the unit `target`.

    Raises
    ------
    UnitError
        The two units do not measure the same thing.
    """
    a, b = parse_unit(source, location), parse_unit(target, location)
    if not a.compatible(b):
        raise UnitError(
            Problem(
                "wrong-unit", "the unit does not fit", location, found=f"[{source}]", expected=f"a unit like [{target}]"
            )
        )
    ratio = a.scale / b.scale
    return value if abs(ratio - 1.0) < 1e-12 else value * ratio


def split_quantity(text: str) -> tuple[float, str] | None:
    """Return the number and the unit of a text such as ``1.5 mg/dL``; None where it is no number.

    The unit is empty where none is written; whether it is one is not asked.
    """
    match = _QUANTITY.fullmatch(text if text.isascii() else fold(text))
    return (float(match[1]), match[2]) if match is not None else None


def conversion_factor(name: str) -> tuple[float, str] | None:
    """Return value and unit of a name such as ``min_per_day`` (1440, ``min/day``), or None.

    These names are exact conversions, known to the language: an equation converts visibly, never silently.
    """
    above, separator, below = name.partition("_per_")
    if not separator or not above or not below:
        return None
    try:
        a, b = parse_unit(above), parse_unit(below)
    except UnitError:
        return None
    if not a.compatible(b) or not a.dimensions:
        return None
    return _tidy(b.scale / a.scale), f"{above}/{below}"


def _tidy(value: float) -> float:
    """Undo the last-digit noise of chained powers of ten: 1000.0000000000001 is 1000."""
    rounded = float(f"{value:.14g}")
    return rounded if abs(rounded - value) <= 1e-14 * abs(value) else value


def ucum(text: str) -> str:
    """Return the UCUM code of a unit text."""
    if not _STRICT.fullmatch(text):
        spelt, factor = respell_unit(text)
        text = spelt if factor == 1.0 else text
    readable = (
        _BSA.sub("bsa173", text.strip()).replace("%", "percent").replace("**", "").replace("^", "").replace("*", ".")
    )
    return _NAME.sub(lambda match: _UCUM.get(match.group(), match.group()), readable.replace(" ", ""))
