"""Labs of one person from a table: long (date, name or code, value, unit) or wide (a column each, ``uacr [mg/mmol]``)."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Sequence
from pathlib import Path

from ..base.delimited import DelimitedTable, cell_number, marks, read_delimited
from ..base.errors import BetapodError, ConfigError, Location, Problem
from .lab_quantities import converted_lab, lab_named, lab_quantities, nearest_lab
from .person_labs import HISTORY_WORDS, LabValue, PersonLabs, person_of_labs

_NAME, _VALUE, _UNIT, _DATE = (
    ("name", "quantity", "code", "loinc"),
    ("value", "result"),
    ("unit", "units"),
    ("date", "day"),
)
_OTHER = ("sex", "female", "diabetes", "drugs", "id")
_WITH_UNIT = re.compile(r"(?P<name>[^\[\](]+?)\s*[\[(](?P<unit>[^\])]+)[\])]\s*")
_SEXES = {"f": 1, "female": 1, "woman": 1, "w": 1, "m": 0, "male": 0, "man": 0}
_YES = {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False}
_DIABETES = {"1": "type 1", "2": "type 2", "type 1": "type 1", "type 2": "type 2", "none": "none", "no": "none"}


def sex_of(text: str) -> int | None:
    """Return 1 for female, 0 for male; None for what is neither."""
    return _SEXES.get(text.strip().lower())


def diabetes_of(text: str) -> str | None:
    """Return ``type 1``, ``type 2`` or ``none`` for what people write; None for what is none of them."""
    return _DIABETES.get(text.strip().lower())


def lab_date(text: str) -> datetime.date | None:
    """Return a date of ISO 8601, of which the day may be missing; None for what is none."""
    match = re.match(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:T.*)?$", text.strip())
    if match is None:
        return None
    try:
        return datetime.date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError:
        return None


def read_lab_table(path: str | Path) -> PersonLabs:
    """Return the person of a table.

    Parameters
    ----------
    path
        A CSV with the columns ``name`` (or ``code``, of LOINC), ``value``, ``unit`` and, if there are dates, ``date``; ``age``, ``sex``,
        ``diabetes`` and ``drug`` are names too. Or one row with a column each: ``age``, ``sex``, ``egfr [mL/min/1.73m2]``, ``drugs``.

    Raises
    ------
    ConfigError
        Everything that is wrong, each with its line.
    """
    table = read_delimited(path, is_lab_column)
    header = [name.strip().lower() for name in table.header]
    long = any(name in _NAME for name in header) and any(name in _VALUE for name in header)
    reader = LabRows(table)
    reader.problems += table.problems
    if long:
        reader.read_long(header)
    else:
        reader.read_wide()
    return reader.person()


def is_lab_column(cell: str) -> bool:
    """Return whether a cell may be the head of a column of labs."""
    name = cell.strip().lower()
    if name in (*_NAME, *_VALUE, *_UNIT, *_DATE, *_OTHER) or history_named(name):
        return True
    return lab_named(name_and_unit(name)[0]) is not None


def name_and_unit(header: str) -> tuple[str, str]:
    """Return what a head such as ``uacr [mg/mmol]`` names, and the unit; no unit where it has none."""
    match = _WITH_UNIT.fullmatch(header.strip())
    return (match["name"], match["unit"]) if match else (header.strip(), "")


def history_named(name: str) -> str:
    """Return the name in `PersonLabs.history` that a head means; empty where it means none."""
    plain = name.strip().lower()
    return plain if plain in HISTORY_WORDS.values() else HISTORY_WORDS.get(plain.replace("_", " "), "")


class LabRows:
    """What was read so far, and what was wrong."""

    def __init__(self, table: DelimitedTable) -> None:
        self.table = table
        self.problems: list[Problem] = []
        self.values: list[LabValue] = []
        self.age: float | None = None
        self.female: int | None = None
        self.diabetes = ""
        self.drugs: list[str] = []
        self.history: dict[str, bool] = {}
        self.notes = list(table.notes)
        self.left_out: list[str] = []

    def person(self) -> PersonLabs:
        if self.problems:
            raise ConfigError(self.problems)
        return person_of_labs(
            self.values, self.age, self.female, self.diabetes, self.drugs, self.history, self.left_out, self.notes
        )

    def _place(self, line: int) -> Location:
        return Location(self.table.file, line)

    def read_long(self, header: Sequence[str]) -> None:
        columns = {
            kind: next((i for i, name in enumerate(header) if name in names), None)
            for kind, names in (("name", _NAME), ("value", _VALUE), ("unit", _UNIT), ("date", _DATE))
        }
        where = [(row[columns["value"] or 0], self._place(line)) for line, row in self.table.rows]
        decimal = self._decimal([(cell, location) for cell, location in where if re.fullmatch(r"[\d.,\s]+", cell)])

        def cell(row: Sequence[str], kind: str) -> str:
            column = columns[kind]
            return "" if column is None else row[column].strip()

        for line, row in self.table.rows:
            self._entry(cell(row, "name"), cell(row, "value"), cell(row, "unit"), cell(row, "date"), decimal, line)

    def read_wide(self) -> None:
        if len(self.table.rows) != 1:
            hint = "For a table of many people use: betapod patient validate"
            self.problems.append(
                Problem(
                    "one-person", "the table is one of labs of one person", self._place(self.table.line), f"{len(self.table.rows)} rows", "one", hint
                )
            )  # fmt: skip
            return
        line, row = self.table.rows[0]
        decimal = self._decimal([(cell, self._place(line)) for cell in row if re.fullmatch(r"[\d.,]+", cell.strip())])
        self.read_row(line, row, decimal)

    def read_row(self, line: int, row: Sequence[str], decimal: str) -> None:
        """Read one row with a column for each quantity."""
        date = next((cell for name, cell in zip(self.table.header, row, strict=True) if name.lower() in _DATE), "")
        for header, cell in zip(self.table.header, row, strict=True):
            if header.strip().lower() in (*_DATE, "id") or not cell.strip():
                continue
            name, unit = name_and_unit(header)
            self._entry(name, cell, unit, date, decimal, line)

    def _decimal(self, cells: Sequence[tuple[str, Location]]) -> str:
        try:
            return marks(cells, self.table.separator).decimal
        except ConfigError as error:
            self.problems += error.problems
            return "."

    def _entry(self, name: str, text: str, unit: str, date: str, decimal: str, line: int) -> None:
        location, plain = self._place(line), name.strip().lower()
        if not text or plain == "id":
            return
        if plain in ("sex", "gender", "female"):
            self.female = sex_of({"1": "f", "0": "m"}.get(text, text) if plain == "female" else text)
            if self.female is None:
                self.problems.append(Problem("unknown-sex", "sex is not understood", location, text, "female or male"))
        elif plain == "diabetes":
            kind = diabetes_of(text)
            if kind is None:
                self.problems.append(
                    Problem(
                        "unknown-diabetes",
                        "the type of diabetes is not understood",
                        location,
                        text,
                        "type 1, type 2 or none",
                    )
                )
            self.diabetes = kind or ""
        elif state := history_named(plain):
            if text.lower() not in _YES:
                self.problems.append(Problem("bad-history", f"{name}: neither yes nor no", location, text, "0 or 1"))
            self.history[state] = _YES.get(text.lower(), False)
        elif plain in ("drug", "drugs", "on"):
            self.drugs += [part.strip() for part in re.split(r"[;+]", text) if part.strip()]
        elif (quantity := lab_named(name)) is None:
            self.problems.append(
                Problem("unknown-quantity", f"{name!r} is no quantity that is read", location, hint=nearest_lab(name))
            )
        else:
            self._number(quantity, text, unit, date, decimal, location)

    def _number(self, quantity: str, text: str, unit: str, date: str, decimal: str, location: Location) -> None:
        value = cell_number(text, decimal)
        if value is None or not math.isfinite(value):
            self.problems.append(Problem("bad-number", f"{quantity}: this is no number", location, text))
            return
        on = lab_date(date) if date else None
        if date and on is None:
            self.problems.append(Problem("bad-date", "this is no date", location, date, "a date such as 2025-03-31"))
        unit = unit or (lab_quantities()[quantity].unit if quantity in ("age", "duration") else "")
        try:
            number = converted_lab(quantity, value, unit, location)
        except BetapodError as error:
            self.problems += error.problems
            return
        if quantity == "age":
            self.age = number
            return
        self.values.append(LabValue(quantity, number, f"{text} {unit}", on, f"{location}"))
