"""Read tables of real people: NHANES's own transport files, and a user's CSV. Nothing is converted or dropped on a guess.

A CSV has one row per person and a header. Columns are the quantities of `target.UNITS` under their own or usual names, with the unit in
brackets: ``hba1c [mmol/mol]``, ``creatinine [umol/L]``. A column without a unit is in the library's only where its numbers fit no other
unit that is in use (7.2 is no HbA1c in mmol/mol); otherwise it is refused, as ``uacr`` and ``weight`` are. eGFR follows from creatinine, age and sex by
CKD-EPI 2021 where there is none. Further columns are listed as unused. Encoding, separator and decimal mark are found by the rules
of `delimited` and said. Codes of sex need a word of what they mean, see `sexes`.

A value below a limit of detection, ``<5``, counts as the limit over the square root of two where the quantity has such a limit in
practice (UACR, C-peptide), and is said: Hornung and Reed, Appl Occup Environ Hyg 1990;5:46; NHANES fills its own files so. Every
other ``<`` or ``>`` is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...base import delimited
from ...base.errors import ConfigError, Location, Problem, UnitError, did_you_mean
from ...observables.ckd_epi import ckd_epi_2021
from ..population import Numbers
from . import sexes, yes_or_no
from .cohort_target import READ_UNITS, UNITS
from .column_headings import KNOWN, LONGEST, SYNONYMS, heading
from .conversions import to_table_unit
from .patient_columns import DETECTED as DETECTED
from .patient_columns import IN_USE, MISSING, PatientColumn, fits_unit

if TYPE_CHECKING:
    import pandas as pd

#: Columns without use that are named.
_MOST_NAMED = 20
#: Problems that are printed before the rest is counted.
_MOST = 40


@dataclass(frozen=True)
class PatientTable:
    """A table of real people in the library's names and units.

    Attributes
    ----------
    table
        One row per person; NaN where a value is missing.
    notes
        Conversions and derivations that were made, columns without use, missing values, in sentences.
    """

    table: pd.DataFrame
    notes: tuple[str, ...]


def read_csv(path: str | Path, sex_codes: Mapping[str, str] | None = None) -> PatientTable:
    """Read a CSV of real people.

    Parameters
    ----------
    sex_codes
        Code -> ``female`` or ``male``, where the column of sex holds codes; as of `sexes.parse_codes`.

    Raises
    ------
    ConfigError
        Everything that is wrong: no file, no header, a column twice, unknown units, text for a number, impossible values (often
        another unit, which the hint then names), people who are in the table twice; each with its line and column.
    """
    import pandas as pd

    file = str(path)
    cells = delimited.read_delimited(path, lambda cell: bool(heading(cell)[0]))
    if not cells.rows and not cells.problems:
        raise ConfigError(Problem("empty-table", "the table has no people", Location(file, cells.line)))
    reading = _Table(cells, sex_codes)
    if reading.used:
        reading.body()
        reading.derive()
    if reading.problems:
        order = sorted(reading.problems, key=lambda p: (p.location.line, p.location.column))
        left = len(order) - _MOST
        more = [Problem("more-problems", f"{left} more problems of these kinds", Location(file))] if left > 0 else []
        raise ConfigError([*order[:_MOST], *more])
    return PatientTable(pd.DataFrame(reading.columns), tuple(reading.notes))


class _Table:
    """Collects columns, problems and notes of one file."""

    def __init__(self, cells: delimited.DelimitedTable, sex_codes: Mapping[str, str] | None) -> None:
        self.cells, self.file, self.sex_codes = cells, cells.file, sex_codes
        self.problems: list[Problem] = list(cells.problems)
        self.notes: list[str] = list(cells.notes)
        self.columns: dict[str, Numbers] = {}
        #: Position, quantity, unit and name of each column that is used.
        self.used: list[tuple[int, str, str, str]] = []
        self.identity: int | None = None
        unused: list[str] = []
        for position, text in enumerate(cells.header):
            name, plain, unit = heading(text)
            if name:
                self._column(position, name, unit, text, plain)
            elif text:
                near = len(unused) < _MOST_NAMED and len(plain) <= LONGEST
                hint = did_you_mean(plain, [*KNOWN.values(), *SYNONYMS]) if near else ""
                unused.append(f"{delimited.quote_cell(text)!r}" + (f" ({hint})" if hint else ""))
            elif position and any(delimited.clean_cell(row[position]) for _, row in cells.rows):
                message = "this column has values and no name"
                self.problems.append(Problem("nameless-column", message, Location(self.file, cells.line, position + 1)))
        if unused:
            more = f" and {len(unused) - _MOST_NAMED} more" if len(unused) > _MOST_NAMED else ""
            self.notes.append(f"columns without use: {', '.join(unused[:_MOST_NAMED])}{more}")
        if not self.used and not self.problems:
            expected = ", ".join(sorted({*KNOWN.values()} - {"id"}))
            header_text = delimited.quote_cell(", ".join(cells.header), 200)
            message = "no column of the first line is known" if cells.line == 1 else "no column is known"
            self.problems.append(Problem("no-columns", message, Location(self.file, cells.line), header_text, expected))

    def _column(self, position: int, name: str, unit: str, text: str, plain: str) -> None:
        where = Location(self.file, self.cells.line, position + 1)
        if name == "id":
            if self.identity is None:
                self.identity = position
            else:
                first = self.cells.header[self.identity]
                self.notes.append(f"{text}: not used, since {first} names the people")
            return
        if name in (used for _, used, _, _ in self.used):
            hint = "Take one of the two columns away."
            self.problems.append(Problem("duplicate-column", f"{name} appears twice", where, found=text, hint=hint))
            return
        table_unit = READ_UNITS[name]
        if name == "female" and plain not in ("female", "male"):
            # What stands in its brackets is no unit, but may say what codes mean.
            self.sex_codes = self.sex_codes if self.sex_codes is not None else sexes.sex_codes(unit)
            unit = ""
        if unit and unit != table_unit:
            try:
                to_table_unit(1.0, name, unit, location=where)
            except UnitError as error:
                self.problems += error.problems
                return
            self.notes.append(f"{name}: converted from {unit} to {table_unit}")
        self.used.append((position, name, unit or ("" if name in IN_USE else table_unit), plain))

    def body(self) -> None:
        """Read the people."""
        self._twice()
        places = [position for position, name, _, _ in self.used if UNITS.get(name) != "1"]
        cells = (
            (row[position].strip().lstrip("<>\u2264\u2265= "), Location(self.file, line, position + 1))
            for line, row in self.cells.rows
            for position in places
        )
        try:
            marks = delimited.marks(cells, self.cells.separator)
        except ConfigError as error:
            self.problems += error.problems
            return
        if marks.decimal == ",":
            self.notes.append(f"numbers have a decimal comma, such as {marks.witness}")
        for position, name, unit, plain in self.used:
            column = [(row[position], Location(self.file, line, position + 1)) for line, row in self.cells.rows]
            if name == "female" and plain not in ("female", "male"):
                values, problems, unknown = sexes.read_sexes(column, plain, self.sex_codes, MISSING)
                self.problems += problems
                if unknown:
                    self.notes.append(f"sex: {unknown} unknown")
            elif UNITS.get(name) == "1":
                values, problems = yes_or_no.read_flags(column, name, MISSING)
                self.problems += problems
                types = np.array(yes_or_no.types_of_diabetes([text for text, _ in column]))
                if (
                    name == "diabetes"
                    and np.isfinite(types).any()
                    and "T1D" not in {used for _, used, _, _ in self.used}
                ):
                    self.columns["T1D"] = types
                    self.notes.append("T1D: from the words in diabetes")
                if plain == "male":
                    values = [1.0 - value for value in values]
            else:
                where = Location(self.file, self.cells.line, position + 1)
                sure = bool(unit) or self._meant(name, [text for text, _ in column], marks, where)
                reading = PatientColumn(name, unit or IN_USE[name][0], marks)
                values = [reading.value(text, where) for text, where in column]
                # Nothing is impossible in a unit that nobody knows.
                self.problems += [problem for problem in reading.problems if sure or problem.kind != "impossible"]
                self.notes += reading.notes(len(values))
            self.columns[name] = np.array(values, dtype=float)
            missing = int(np.isnan(self.columns[name]).sum())
            if missing:
                self.notes.append(f"{name}: {missing} of {len(values)} missing")

    def _meant(self, name: str, cells: list[str], marks: delimited.Marks, where: Location) -> bool:
        """Return whether a column without a unit is in the library's, since its numbers fit no other; else that is a problem."""
        numbers = [delimited.cell_number(delimited.clean_cell(cell), marks.decimal) for cell in cells]
        raw = [number for number in numbers if number is not None and math.isfinite(number)]
        table_unit, *others = IN_USE[name]
        fitting = [unit for unit in IN_USE[name] if fits_unit(raw, name, unit)]
        if any(unit in fitting for unit in others):
            message = f"{name} has no unit, and its numbers could be in {' or '.join(fitting)}"
            hint = f"Write the unit into the header, such as '{name} [{fitting[0]}]'. Nothing is converted on a guess."
            expected = " or ".join(f"{name} [{unit}]" for unit in fitting)
            self.problems.append(Problem("missing-unit", message, where, name, expected, hint))
            return False
        if raw:
            self.notes.append(f"{name}: read as {table_unit}: it has no unit, and its numbers fit no other in use")
        return True

    def _twice(self) -> None:
        first_line: dict[tuple[str, ...], int] = {}
        for line, row in self.cells.rows:
            identity_cells = (row[self.identity],) if self.identity is not None else tuple(row)
            key = tuple(delimited.clean_cell(cell) for cell in identity_cells)
            where = Location(self.file, line)
            if self.identity is not None and not key[0]:
                self.problems.append(Problem("no-id", "this person has no id", where))
                continue
            if key in first_line:
                subject = (
                    f"the person {delimited.quote_cell(key[0])!r}" if self.identity is not None else "the same row"
                )
                text = f"{subject} appears twice, first in line {first_line[key]}"
                hint = "If these are two people, give them a column id."
                hint = "A table has one row per person: take one visit of each." if self.identity is not None else hint
                self.problems.append(Problem("duplicate-person", text, where, hint=hint))
            first_line.setdefault(key, line)

    def derive(self) -> None:
        """Add eGFR from creatinine and BMI from height and weight, where they are missing altogether."""
        columns = self.columns
        if "creatinine" in columns:
            creatinine = columns.pop("creatinine")
            if "egfr" not in columns and {"age", "female"} <= set(columns):
                columns["egfr"] = ckd_epi_2021(creatinine, columns["age"], columns["female"])
                self.notes.append("egfr: from creatinine, age and sex by CKD-EPI 2021")
            elif "egfr" not in columns:
                self.notes.append("creatinine: not used, since eGFR needs age and sex too")
            else:
                self.notes.append("creatinine: not used, since there is eGFR")
        if "bmi" not in columns and {"height", "weight"} <= set(columns):
            columns["bmi"] = columns["weight"] / (columns["height"] / 100.0) ** 2
            self.notes.append("bmi: from height and weight")
