"""Read the numbers of one column of a table of real people, and tell in which units they may be."""

from __future__ import annotations

import math
import re

from ...base import delimited
from ...base.errors import Location, Problem
from ..plausibility import POSSIBLE, UNUSUAL
from .cohort_target import READ_UNITS, UNITS
from .column_headings import LONGEST
from .conversions import to_table_unit

#: What stands for a missing value.
MISSING = ("", "na", "nan", "n/a", "#n/a", ".", "-", "--", "\u2013", "\u2014", "null", "none", "missing", "k.a.")
#: Quantities with a limit of detection below which a part of people lie.
DETECTED = ("uacr", "c_peptide")
_CENSORED = re.compile(r"([<>\u2264\u2265]=?|below|above)\s*(.*)")
#: What most cells are, which saves looking for more.
_SIMPLE = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_OR_MORE = re.compile(r"([\d.,]+)\s*\+")
#: Numbers that other programs write for what is missing.
_CODES = (-1.0, -9.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0, 777.0, 7777.0, 888.0, 8888.0)
_DATE = re.compile(r"\d{1,4}[-/.]\w{1,9}[-/.]\d{2,4}|\d{1,2}[-/. ]+[a-zA-Z]{3,9}|[a-zA-Z]{3,9}[-/. ]+\d{1,4}")


class PatientColumn:
    """Reads the numbers of one column."""

    def __init__(self, name: str, unit: str, marks: delimited.Marks) -> None:
        self.name, self.unit, self.marks = name, unit, marks
        self.problems: list[Problem] = []
        self.below: list[str] = []
        self.grouped: list[str] = []
        self.unusual = 0
        # Laboratories round, so that a column has few different numbers.
        self._turned: dict[float, float] = {}

    def _bad(
        self, kind: str, message: str, where: Location, cell_text: str, expected: str = "", hint: str = ""
    ) -> float:
        self.problems.append(Problem(kind, message, where, cell_text, expected, hint))
        return math.nan

    def value(self, text: str, where: Location) -> float:
        """Return the value of a cell in the library's unit; NaN where it is empty or unreadable."""
        if self.marks.decimal == "." and _SIMPLE.fullmatch(text):
            return self._possible(float(text), where)
        plain = delimited.clean_cell(text)
        if plain.lower() in MISSING:
            return math.nan
        if len(plain) > LONGEST:
            return self._bad("bad-number", f"{self.name} is not a number", where, delimited.quote_cell(plain))
        if limit := _CENSORED.fullmatch(plain.lower()):
            return self._censored(plain, limit[1], limit[2], where)
        if limit := _OR_MORE.fullmatch(plain):
            return self._censored(plain, ">", limit[1], where)
        raw = delimited.cell_number(plain, self.marks.decimal)
        if raw is None or not math.isfinite(raw):
            return self._no_number(plain, where)
        if re.search(rf"[^\d{re.escape(self.marks.decimal or '.')}eE+\u2212-]", plain):
            self.grouped.append(f"{plain} as {raw:.10g}")
        return self._possible(raw, where)

    def _censored(self, plain: str, sign: str, rest: str, where: Location) -> float:
        raw = delimited.cell_number(rest, self.marks.decimal)
        if sign in ("<", "<=", "\u2264", "below") and self.name in DETECTED and raw is not None and raw > 0:
            self.below.append(plain)
            return self._possible(raw / math.sqrt(2.0), where)
        if raw is None:
            hint = "Write the limit as a number, such as <5, or leave the cell empty."
            return self._bad("bad-number", f"{self.name} is not a number", where, plain, hint=hint)
        side = "below" if sign in ("<", "<=", "\u2264", "below") else "above"
        message = f"{self.name} is only known to be {side} a limit"
        hint = (
            f"Give the number. An empty cell counts as missing, and leaves the people {side} the limit out of account."
        )
        return self._bad("censored", message, where, plain, "a number", hint)

    def _no_number(self, plain: str, where: Location) -> float:
        doubtful = delimited.cell_number(plain, ".") is not None or delimited.cell_number(plain, ",") is not None
        if not self.marks.decimal and doubtful:
            message = "thousands or decimals? Nothing in the table decides"
            both = " or ".join(f"{delimited.cell_number(plain, mark):g}" for mark in (".", ","))
            return self._bad(
                "ambiguous-number", message, where, plain, both, "Write it without a mark, or all decimals."
            )
        hint = ""
        if _DATE.fullmatch(plain):
            hint = "This is a date: a spreadsheet may have made it of a number."
        elif re.match(r"[-+]?[\d.,]+\s*\D+$", plain):
            hint = f"A unit belongs into the header, such as '{self.name} [{self.unit}]'."
        elif doubtful:
            other = "comma" if self.marks.decimal == "." else "point"
            hint = f"The other numbers of this table have no decimal {other}."
        cell_text = delimited.quote_cell(plain)
        return self._bad("bad-number", f"{self.name} is not a number", where, cell_text, hint=hint)

    def _possible(self, raw: float, where: Location) -> float:
        name, unit = self.name, self.unit
        value = self._turned.get(raw)
        if value is None:
            in_table_unit = unit == READ_UNITS[name]
            value = self._turned[raw] = raw if in_table_unit else to_table_unit(raw, name, unit, location=where)
        low, high = POSSIBLE[name]
        if low <= value <= high:
            inner, outer = UNUSUAL.get(name, (low, high))
            self.unusual += not inner <= value <= outer
            return value
        kind = "negative" if raw < 0 else "impossible"
        hint = _other_unit(raw, name, unit)
        if name == "age" and 0 <= value < low:
            hint = "Virtual patients are adults: leave out people who are younger."
        if not hint and raw in _CODES:
            hint = f"If {raw:g} stands for a missing value, leave the cell empty."
        expected = f"{low:g} to {high:g} {UNITS.get(name, 'mg/dL')}"
        return self._bad(kind, f"{name} cannot be {raw:g} {unit}", where, f"{raw:g} {unit}", expected, hint)

    def notes(self, count: int) -> list[str]:
        """Return notes on the column."""
        sentences = []
        if self.below:
            sentences.append(
                f"{self.name}: {len(self.below)} of {count} below a limit, such as {self.below[0]}, "
                "read as the limit over the square root of 2"
            )
        if self.grouped:
            sentences.append(
                f"{self.name}: thousands are marked in {len(self.grouped)} of {count}: read {self.grouped[0]}"
            )
        if self.unusual:
            inner, outer = UNUSUAL[self.name]
            table_unit = READ_UNITS[self.name]
            sentences.append(
                f"{self.name}: {self.unusual} of {count} outside {inner:g} to {outer:g} {table_unit}: unusual, and kept"
            )
        return sentences


#: Units in which tables hold a quantity, the library's first: what a column without a unit, or an impossible number, may be in.
IN_USE = {
    "duration": ("year", "month"),
    "hba1c": ("%", "mmol/mol"),
    "fpg": ("mmol/L", "mg/dL", "g/L"),
    "creatinine": ("mg/dL", "umol/L"),
    "uacr": ("mg/g", "mg/mmol"),
    "egfr": ("mL/min/1.73m2", "mL/s/1.73m2"),
    "height": ("cm", "m", "inch", "foot"),
    "weight": ("kg", "pound"),
    "sbp": ("mmHg", "kPa"),
    "dbp": ("mmHg", "kPa"),
    "c_peptide": ("nmol/L", "ng/mL", "pmol/L"),
}


def fits_unit(numbers: list[float], name: str, unit: str) -> bool:
    """Return whether numbers may be in a unit: all are possible, and half of them usual."""
    values = [to_table_unit(number, name, unit) for number in numbers]
    (least, most), (low, high) = POSSIBLE[name], UNUSUAL[name]
    usual = sum(low <= value <= high for value in values)
    return bool(values) and all(least <= value <= most for value in values) and 2 * usual >= len(values)


def _other_unit(raw: float, name: str, unit: str) -> str:
    for other in IN_USE.get(name, ()):
        if other != unit:
            value = to_table_unit(raw, name, other)
            low, high = POSSIBLE[name]
            if low <= value <= high:
                return f"It would fit {other}: if so, write the column as '{name} [{other}]'."
    return ""
