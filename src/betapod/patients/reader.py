"""Read tables of real people: NHANES's own transport files, and a user's CSV. Nothing is converted or dropped on a guess.

A CSV has one row per person and a header. Columns are the quantities of `target.UNITS` under their own or usual names, with the unit in
brackets where it is not the library's: ``hba1c [mmol/mol]``, ``creatinine [umol/L]``. eGFR follows from creatinine, age and sex by
CKD-EPI 2021 where there is none. Further columns are listed as unused.
"""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ConfigError, Location, Problem, UnitError, did_you_mean
from .conversions import to_table_unit
from .population import Numbers
from .target import UNITS

if TYPE_CHECKING:
    import pandas as pd

#: Other names of quantities, in lower case.
SYNONYMS = {
    "sex": "female",
    "a1c": "hba1c",
    "hemoglobin_a1c": "hba1c",
    "glucose": "fpg",
    "fasting_glucose": "fpg",
    "systolic": "sbp",
    "diastolic": "dbp",
    "gfr": "egfr",
    "acr": "uacr",
    "scr": "creatinine",
    "serum_creatinine": "creatinine",
    "diabetes_duration": "duration",
    "patient": "id",
    "subject": "id",
    "patient_id": "id",
    "subject_id": "id",
    "usubjid": "id",
}
#: Values beyond which a number is an error of entry or of unit, in the library's units.
POSSIBLE = {
    "age": (18.0, 110.0),
    "duration": (0.0, 90.0),
    "height": (120.0, 220.0),
    "weight": (25.0, 350.0),
    "bmi": (10.0, 100.0),
    "hba1c": (3.0, 20.0),
    "fpg": (1.0, 50.0),
    "sbp": (50.0, 280.0),
    "dbp": (20.0, 180.0),
    "egfr": (1.0, 250.0),
    "uacr": (0.05, 100000.0),
    "creatinine": (0.1, 25.0),
    "c_peptide": (0.0, 15.0),
}
_HEADER = re.compile(r"\s*([A-Za-z][\w ]*?)\s*(?:[\[(]\s*([^\])]+?)\s*[\])])?\s*")
_MISSING = {"", "na", "nan", "n/a", ".", "null", "missing"}
_SEX = {"f": 1.0, "female": 1.0, "w": 1.0, "woman": 1.0, "m": 0.0, "male": 0.0, "man": 0.0, "1": 1.0, "0": 0.0}
_YES = {"1": 1.0, "yes": 1.0, "y": 1.0, "true": 1.0, "0": 0.0, "no": 0.0, "n": 0.0, "false": 0.0}
#: Problems that are printed before the rest is counted.
_MOST = 40


@dataclass(frozen=True)
class People:
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


def ckd_epi_2021(creatinine: Numbers, age: Numbers, female: Numbers) -> Numbers:
    """Return eGFR (mL/min/1.73m2) from creatinine (mg/dL), age (years) and sex (1 female), race-free."""
    kappa, alpha = np.where(female > 0, 0.7, 0.9), np.where(female > 0, -0.241, -0.302)
    ratio = creatinine / kappa
    sex = np.where(female > 0, 1.012, 1.0)
    result: Numbers = 142.0 * np.minimum(ratio, 1.0) ** alpha * np.maximum(ratio, 1.0) ** -1.2 * 0.9938**age * sex
    return np.where(np.isfinite(creatinine * age * female), result, np.nan)


def read_csv(path: str | Path) -> People:
    """Read a CSV of real people.

    Raises
    ------
    ConfigError
        Everything that is wrong: no file, no header, a column twice, unknown units, text for a number, impossible values (often
        another unit, which the hint then names), people who are in the table twice; each with its line and column.
    """
    import pandas as pd

    file = str(path)
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as handle:
            rows = [(line, row) for line, row in enumerate(csv.reader(handle), start=1) if any(c.strip() for c in row)]
    except (OSError, UnicodeDecodeError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise ConfigError(Problem("no-file", f"cannot read the table: {reason}", Location(file))) from None
    if len(rows) < 2:
        raise ConfigError(Problem("empty-table", "the table has no people", Location(file, 1)))
    reading = _Table(file, rows[0][1])
    reading.body(rows[1:])
    reading.derive()
    if reading.problems:
        left = len(reading.problems) - _MOST
        more = [Problem("more-problems", f"{left} more problems of these kinds", Location(file))] if left > 0 else []
        raise ConfigError([*reading.problems[:_MOST], *more])
    return People(pd.DataFrame(reading.columns), tuple(reading.notes))


class _Table:
    """Collects columns, problems and notes of one file."""

    def __init__(self, file: str, header: list[str]) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.columns: dict[str, Numbers] = {}
        #: Position, quantity, unit of each column that is used.
        self.used: list[tuple[int, str, str]] = []
        self.identity: int | None = None
        known = {*UNITS, "creatinine", "id"}
        unused = []
        for place, text in enumerate(header):
            match = _HEADER.fullmatch(text)
            plain = (match[1] if match else text).strip().lower().replace(" ", "_")
            name = next((n for n in known if n.lower() == SYNONYMS.get(plain, plain)), "")
            if not name:
                hint = did_you_mean(plain, [*known, *SYNONYMS])
                unused.append(f"{text.strip()!r}" + (f" ({hint})" if hint else ""))
                continue
            self._column(place, name, (match[2] or "").strip() if match else "", text)
        if unused:
            self.notes.append(f"columns without use: {', '.join(unused)}")
        if not self.used and not self.problems:
            expected = ", ".join(known - {"id"})
            self.problems.append(Problem("no-columns", "no column is known", Location(file, 1), expected=expected))

    def _column(self, place: int, name: str, unit: str, text: str) -> None:
        where = Location(self.file, 1, place + 1)
        if name == "id":
            self.identity = place
            return
        if name in (used for _, used, _ in self.used):
            self.problems.append(Problem("duplicate-column", f"{name} is there twice", where, found=text))
            return
        own = UNITS.get(name, "mg/dL")
        if unit and unit != own:
            try:
                to_table_unit(1.0, name, unit, location=where)
            except UnitError as error:
                self.problems += error.problems
                return
            self.notes.append(f"{name}: converted from {unit} to {own}")
        self.used.append((place, name, unit or own))

    def body(self, rows: list[tuple[int, list[str]]]) -> None:
        """Read the people."""
        width = max(place for place, _, _ in self.used) + 1 if self.used else 0
        found: dict[str, list[float]] = {name: [] for _, name, _ in self.used}
        seen: dict[tuple[str, ...], int] = {}
        for line, row in rows:
            if len(row) < width:
                where = Location(self.file, line)
                self.problems.append(Problem("short-row", "the row ends early", where, f"{len(row)} cells", f"{width}"))
                row = row + [""] * (width - len(row))
            key = (row[self.identity].strip(),) if self.identity is not None else tuple(cell.strip() for cell in row)
            if key in seen:
                what = f"the person {key[0]!r}" if self.identity is not None else "the same row"
                text = f"{what} is there twice, first in line {seen[key]}"
                self.problems.append(Problem("duplicate-person", text, Location(self.file, line)))
            seen.setdefault(key, line)
            for place, name, unit in self.used:
                found[name].append(self._cell(row[place], name, unit, Location(self.file, line, place + 1)))
        self.columns = {name: np.array(values) for name, values in found.items()}
        for name, values in self.columns.items():
            missing = int(np.isnan(values).sum())
            if missing:
                self.notes.append(f"{name}: {missing} of {len(values)} missing")

    def _cell(self, text: str, name: str, unit: str, where: Location) -> float:
        plain = text.strip().lower()
        if plain in _MISSING:
            return math.nan
        if UNITS.get(name) == "1":
            words = _SEX if name == "female" else _YES
            if plain not in words:
                expected = "female or male, 1 or 0" if name == "female" else "1 or 0, yes or no"
                self.problems.append(Problem("bad-value", f"{name} cannot be read", where, text, expected))
                return math.nan
            return words[plain]
        try:
            raw = float(plain)
        except ValueError:
            self.problems.append(Problem("bad-number", f"{name} is not a number", where, found=text.strip()))
            return math.nan
        value = to_table_unit(raw, name, unit, location=where)
        low, high = POSSIBLE[name]
        if not low <= value <= high:
            kind = "negative" if raw < 0 else "impossible"
            hint = _other_unit(raw, name, unit)
            expected = f"{low:g} to {high:g} {UNITS.get(name, 'mg/dL')}"
            self.problems.append(
                Problem(kind, f"{name} cannot be {raw:g} {unit}", where, f"{raw:g} {unit}", expected, hint)
            )
            return math.nan
        return value

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
        if "bmi" not in columns and {"height", "weight"} <= set(columns):
            columns["bmi"] = columns["weight"] / (columns["height"] / 100.0) ** 2
            self.notes.append("bmi: from height and weight")


#: Units that are often meant where a number makes no sense in the declared one.
_CANDIDATES = {
    "hba1c": ("%", "mmol/mol"),
    "fpg": ("mmol/L", "mg/dL"),
    "creatinine": ("mg/dL", "umol/L"),
    "uacr": ("mg/g", "mg/mmol"),
    "height": ("cm", "m", "inch"),
    "weight": ("kg", "pound"),
    "c_peptide": ("nmol/L", "pmol/L"),
}


def _other_unit(raw: float, name: str, unit: str) -> str:
    for other in _CANDIDATES.get(name, ()):
        if other != unit:
            value = to_table_unit(raw, name, other)
            low, high = POSSIBLE[name]
            if low <= value <= high:
                return f"It would fit {other}: if so, write the column as '{name} [{other}]'."
    return ""
