"""Clinical quantities: units in which each is reported, and conversion of reported numbers.

Every door of betapod reads through here: protocols, tables of patients and cohorts, evidence, options of the command line, values in
Python. A quantity that is known (`clinical.csv`) takes every unit that laboratories report it in, mass or amount; one that is not
takes units of its dimension. A unit that is missing is never filled in, and nothing is converted on a guess.
"""

from __future__ import annotations

import csv
import functools
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from .constants import IFCC_INTERCEPT, IFCC_SLOPE, MOLAR_MASS
from .errors import NOWHERE, Location, Problem, UnitError, did_you_mean
from .read_as import clinical_number as clinical_number
from .read_as import read_as as read_as
from .read_as import said as said
from .read_as import say as say
from .spelling import fold, respell_unit
from .units import Unit, parse_unit

#: A level, a difference of levels (an SD, a change), or a change as a share of a level.
Kind = Literal["level", "difference", "percent change"]

_FILE = Path(__file__).with_name("clinical.csv")
_MASS, _AMOUNT = "[mass]", "[substance]"
_PER_MASS = re.compile(r"[fpnumcdk]?g/[fpnumcdk]?g")
_SHARES = ("1", "%", "percent")
#: Differences of a quantity in %.
_POINTS = re.compile(r"(?:percent(?:age)?|%)[\s-]*points?|\bpp\b", re.I)


@dataclass(frozen=True)
class Clinical:
    """A quantity that laboratories and clinics report.

    Attributes
    ----------
    unit
        In which betapod speaks of it where nothing else is said.
    analyte
        Key of `constants.MOLAR_MASS` by which mass and amount are exchanged; empty: they are not.
    form
        What else than its dimension decides: ``HbA1c``, ``per creatinine``, ``share``.
    usual
        The units that it is reported in.
    words
        What may stand beside the unit, such as the creatinine of ``mg/g creatinine``.
    """

    name: str
    label: str
    unit: str
    analyte: str
    form: str
    usual: tuple[str, ...]
    words: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class UnitScale:
    """A unit of one quantity: ``base = factor * number + offset``, where `base` tells what the base is."""

    base: object
    factor: float
    offset: float = 0.0


@functools.cache
def _table() -> tuple[dict[str, Clinical], dict[str, Clinical]]:
    """Return quantities by name, and by every name that people use, folded."""
    by_name: dict[str, Clinical] = {}
    names: dict[str, Clinical] = {}
    with _FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            usual, words, others = (tuple(filter(None, row[key].split("|"))) for key in ("usual", "words", "names"))
            quantity = Clinical(
                row["name"], row["label"], row["unit"], row["analyte"], row["form"], usual, words, row["note"]
            )
            by_name[quantity.name] = quantity
            for name in (quantity.name, quantity.label, *others):
                names[_folded(name)] = quantity
    return by_name, names


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", fold(name).lower()).strip()


def clinical_quantities() -> dict[str, Clinical]:
    """Return every known quantity by its name."""
    return _table()[0]


def known_quantity(name: str) -> Clinical | None:
    """Return the quantity that a name means (of a column, an endpoint, a PARAMCD, a label), whatever its case; None if none."""
    return _table()[1].get(_folded(name))


# -- units of a quantity ---------------------------------------------------------------------------------------------


def scale(quantity: Clinical, unit: str, location: Location = NOWHERE) -> UnitScale:
    """Return the scale of a unit for a quantity.

    Raises
    ------
    UnitError
        It cannot be read, or this quantity is not measured in it; the units that it has are named.
    """
    unit_scale = _scale(quantity, unit)
    if isinstance(unit_scale, UnitScale):
        return unit_scale
    kind, message, hint = unit_scale
    raise UnitError(Problem(kind, message, location, unit.strip() or "no unit", ", ".join(quantity.usual), hint))


@functools.lru_cache(maxsize=4096)
def _scale(quantity: Clinical, unit: str) -> UnitScale | tuple[str, str, str]:
    if not unit.strip():
        return "missing-unit", f"{quantity.label} needs a unit", "Nothing is converted on a guess."
    text = _bare(quantity, unit)
    if quantity.form == "HbA1c" and re.search(r"\b(JDS|JSCC|Mono-?S)\b", unit, re.I):
        return "wrong-unit", "only HbA1c by NGSP or IFCC is read", "JDS and Mono-S values need another equation."
    if (other := _other_meaning(quantity, unit, text)) is not None:
        return other
    spelt, factor = respell_unit(_capitals(quantity, text))
    try:
        read = parse_unit(spelt)
    except UnitError as error:
        first = error.problems[0]
        hint = first.hint if first.kind == "ambiguous-unit" else did_you_mean(text, quantity.usual) or first.hint
        return first.kind, f"{quantity.label}: {first.message}", hint
    read = replace(read, scale=read.scale * factor)
    special = {"HbA1c": _hba1c, "per creatinine": _per_creatinine, "share": _share}.get(quantity.form)
    unit_scale = special(spelt, factor, read) if special is not None else _physical(quantity, read)
    if unit_scale is None:
        return "wrong-unit", f"{quantity.label} cannot have this unit", _note(quantity)
    return unit_scale


def _other_meaning(quantity: Clinical, unit: str, text: str) -> tuple[str, str, str] | None:
    """Refuse a unit whose word makes it another quantity: % by IFCC is not % by NGSP, a mass of urea not one of its nitrogen."""
    share = "%" in fold(text)
    if quantity.form == "HbA1c":
        if share and re.search(r"\bIFCC\b", unit, re.I):
            return (
                "wrong-unit",
                "HbA1c by IFCC in % is not HbA1c in %",
                "Ten times the % by IFCC are mmol/mol: write those.",
            )
        if "mmol" in text and re.search(r"\b(NGSP|DCCT)\b", unit, re.I):
            return "wrong-unit", "HbA1c by NGSP is a percentage", "Write %, or mmol/mol for values by IFCC."
    of_urea = re.search(r"\burea\b", unit, re.I) and not re.search(r"nitrogen|\burea[ -]?N\b", unit, re.I)
    if quantity.name == "BUN" and of_urea and "mol" not in text:
        hint = "Give mmol/L, or 0.466 times the mass of urea."
        return "wrong-unit", "a mass of urea is not one of urea nitrogen", hint
    return None


def _note(quantity: Clinical) -> str:
    return f"{quantity.note[0].upper()}{quantity.note[1:]}." if quantity.note else ""


def _bare(quantity: Clinical, unit: str) -> str:
    """Return a unit without the words that may stand beside it: ``mg/g creatinine`` is ``mg/g``."""
    text = re.sub(r"\{(?!\s*1[.,*]73)[^{}]*\}", "", fold(unit))
    if quantity.form == "HbA1c":
        text = _POINTS.sub("%", text)
    if quantity.words:
        words = "|".join(sorted(map(re.escape, quantity.words), key=len, reverse=True))
        # Glued to a gram, as in mg/gCr, too; a unit of one letter is no word.
        text = re.sub(rf"(?<![A-Za-z])\(?(?:{words})\)?(?![A-Za-z])\.?", " ", text, flags=re.I)
        text = re.sub(rf"(?<=[gl])(?:{words})(?![A-Za-z])", "", text)
    text = re.sub(r"\(\s*[/,]?\s*\)", "", text)
    return text.strip(" *.,;").rstrip(" /") or fold(unit)


def _capitals(quantity: Clinical, text: str) -> str:
    """Return the one usual unit that a text in capitals alone means; printers of laboratories have no other letters."""
    letters = re.sub(r"[^A-Za-z]", "", text)
    if len(letters) < 2 or letters != letters.upper():
        return text
    wanted = respell_unit(text.lower())
    same = [unit for unit in quantity.usual if respell_unit(unit.lower()) == wanted]
    return same[0] if same else text


def _hba1c(text: str, factor: float, read: Unit) -> UnitScale | None:
    share, _, below = text.partition("/") if text.startswith("%") else (text, "", "")
    if text.startswith("mmol/mol"):
        share, below = "mmol/mol", text.removeprefix("mmol/mol").lstrip("/")
    size = factor
    time: object = "HbA1c"
    if below:
        per = parse_unit(f"1/{below}")
        size, time = factor * per.scale, ("HbA1c", per.dimensions)
    if share in _SHARES[1:]:
        return UnitScale(time, size)
    if share == "mmol/mol":
        return UnitScale(time, IFCC_SLOPE * size, 0.0 if below else IFCC_INTERCEPT)
    return None


def _per_creatinine(text: str, factor: float, read: Unit) -> UnitScale | None:
    powers = dict(read.dimensions)
    if not powers and _PER_MASS.fullmatch(text):
        return UnitScale("mass per mass", read.scale)
    if powers == {_MASS: 1, _AMOUNT: -1}:
        return UnitScale("mass per mass", read.scale / MOLAR_MASS["creatinine"])
    return None


def _share(text: str, factor: float, read: Unit) -> UnitScale | None:
    return UnitScale("share", read.scale) if text in _SHARES or _PER_MASS.fullmatch(text) else None


def _physical(quantity: Clinical, read: Unit) -> UnitScale | None:
    """Return the scale of a unit with a dimension; amounts become masses where the analyte is known."""
    quantity_unit = parse_unit(quantity.unit)
    size, powers = read.scale, dict(read.dimensions)
    if not powers:
        return None
    if quantity.analyte and powers.get(_AMOUNT) == 1 and _MASS not in powers:
        size *= MOLAR_MASS[quantity.analyte]
        powers = {**{name: power for name, power in powers.items() if name != _AMOUNT}, _MASS: powers[_AMOUNT]}
    base = tuple(sorted(powers.items()))
    others = {_base(quantity, usual_unit) for usual_unit in (quantity.unit, *quantity.usual)}
    if base in others or _slope(base, others):
        return UnitScale(base, size)
    return None if quantity_unit.dimensions else UnitScale(base, size)


def _base(quantity: Clinical, unit: str) -> tuple[tuple[str, object], ...]:
    powers = dict(parse_unit(unit).dimensions)
    if quantity.analyte and powers.get(_AMOUNT) == 1 and _MASS not in powers:
        powers[_MASS] = powers.pop(_AMOUNT)
    return tuple(sorted(powers.items()))


def _slope(base: tuple[tuple[str, object], ...], others: set[tuple[tuple[str, object], ...]]) -> bool:
    """Return whether a dimension is one of others per time, or times time (an area under a curve)."""
    without = tuple(pair for pair in base if pair[0] != "[time]")
    return any(without == tuple(pair for pair in other if pair[0] != "[time]") for other in others)


# -- reading ---------------------------------------------------------------------------------------------------------


def convert_clinical(
    value: float,
    quantity: Clinical,
    unit: str,
    target: str = "",
    kind: Kind = "level",
    location: Location = NOWHERE,
) -> float:
    """Return a number of a quantity in the unit `target` (its own, if empty).

    Raises
    ------
    UnitError
        No unit, one that this quantity cannot have, or one that cannot be exchanged for `target`.
    """
    target = target or quantity.unit
    if kind == "percent change":
        return value * _percent(quantity, unit, location) / _percent(quantity, target, location)
    a, b = scale(quantity, unit, location), scale(quantity, target, location)
    if a.base != b.base:
        raise UnitError(
            Problem(
                "wrong-unit",
                f"{quantity.label} in this unit cannot be turned into {target}",
                location,
                unit.strip(),
                ", ".join(quantity.usual),
                _note(quantity),
            )
        )
    if a == b:
        return value
    if kind == "level" and (a.offset or b.offset):
        return _tidy((a.factor * value + a.offset - b.offset) / b.factor)
    return _tidy(value * (a.factor / b.factor))


def _percent(quantity: Clinical, unit: str, location: Location) -> float:
    text, factor = respell_unit(unit)
    if text not in _SHARES:
        message = f"a change of {quantity.label} as a share has no such unit"
        raise UnitError(Problem("wrong-unit", message, location, unit.strip() or "no unit", "%"))
    return factor * (1.0 if text == "1" else 0.01)


def _tidy(value: float) -> float:
    """Undo the last-digit noise of chained factors."""
    rounded = float(f"{value:.14g}") if math.isfinite(value) else value
    return rounded if abs(rounded - value) <= 4e-15 * abs(value) else value


# -- labels ----------------------------------------------------------------------------------------------------------

_DIFFERENCE = re.compile(r"\b(fall|rise|change|difference|gain|loss|SD|reduction|increase|decrease|shift)\b", re.I)
_HBA1C = re.compile(r"\bHbA1c\b|\bgl?ycated ha?emoglobin\b", re.I)


def analyte_of(label: str) -> str | None:
    """Return the one analyte that a label names, or None."""
    text = label.lower()
    analytes = []
    for name in ("glucose", "creatinine", "urea nitrogen", "urea", "cholesterol", "c-peptide"):
        # "urea nitrogen" stands before "urea", so that its words are taken first
        text, count = re.subn(rf"\b{name}\b", "", text)
        analytes += ["C-peptide" if name == "c-peptide" else name] * bool(count)
    return analytes[0] if len(analytes) == 1 else None


def convert_labelled(
    value: float, source: str, target: str, label: str, kind: Kind = "level", location: Location | None = None
) -> float:
    """Return `value` in the unit `target`, where a label says what is measured.

    A label that is the name of a known quantity is read as that; so is one that names an analyte where a concentration is asked for
    (``glucose at which ...``). Everything else goes by its dimension.

    Raises
    ------
    UnitError
        The units do not fit, or the label does not name the analyte.
    """
    location = location or NOWHERE
    quantity = known_quantity(label)
    if quantity is not None and measures(quantity, target):
        return convert_clinical(value, quantity, source, target, kind, location)
    if _HBA1C.search(label) and respell_unit(target)[0] in _SHARES and respell_unit(source)[0].startswith("mmol/mol"):
        if _DIFFERENCE.search(label):
            kind = "difference"
        elif not re.match(r"\s*(HbA1c|gl?ycated)", label, re.I):
            message = "this may be a level or a difference of HbA1c, which are converted in two ways"
            raise UnitError(Problem("wrong-unit", message, location, source.strip(), target))
        return convert_clinical(value, clinical_quantities()["HbA1c"], source, target, kind, location)
    analyte = analyte_of(label)
    if analyte is not None:
        quantity = clinical_quantities()["BUN" if analyte == "urea nitrogen" else analyte]
        if measures(quantity, target):
            return convert_clinical(value, quantity, source, target, kind, location)
    return _by_dimension(value, source, target, location)


def measures(quantity: Clinical, unit: str) -> bool:
    """Return whether a quantity can have a unit."""
    return isinstance(_scale(quantity, unit), UnitScale)


def _by_dimension(value: float, source: str, target: str, location: Location) -> float:
    from .units import convert_unit as by_dimension

    # Both are plain numbers to a physicist; nobody reports any other share in this unit.
    if ("mmol/mol" in respell_unit(source)[0]) != ("mmol/mol" in respell_unit(target)[0]):
        message = "mmol/mol is read for HbA1c alone"
        raise UnitError(Problem("wrong-unit", message, location, f"[{source}]", f"a unit like [{target}]"))
    return by_dimension(value, source, target, location)
