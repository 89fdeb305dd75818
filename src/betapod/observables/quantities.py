"""What trials measure: names, units, the model's quantity behind each, and how much one measurement strays from the truth."""

from __future__ import annotations

import csv
import functools
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

_FILE = Path(__file__).parent / "measurement.csv"


@dataclass(frozen=True)
class Quantity:
    """Something that is measured at visits.

    Attributes
    ----------
    paramcd, label, unit
        CDISC-like short name (``UACR``), label, unit.
    scale
        ``log`` where changes are ratios, else ``linear``.
    model
        Name in the coupled model; ``SBP`` is made from mean pressure and age.
    better
        1 where a rise is an improvement, -1 where a fall is.
    floor
        Smallest value that is reported.
    sd, sd_scale
        Within-person SD of one measurement, of the logarithm or of the value; NaN where it is computed from another quantity.
    role, locator, grade, note
        Where `sd` comes from.
    """

    paramcd: str
    label: str
    unit: str
    scale: str
    model: str
    better: int
    floor: float
    sd: float
    sd_scale: str
    role: str
    locator: str
    grade: str
    note: str

    def forward(self, values: Numbers) -> Numbers:
        """Return values on the scale on which changes are counted."""
        return np.log(np.maximum(values, self.floor)) if self.scale == "log" else values

    def backward(self, values: Numbers) -> Numbers:
        """Undo `forward`."""
        return np.exp(values) if self.scale == "log" else values


@functools.cache
def quantities() -> dict[str, Quantity]:
    """Return what can be measured, by PARAMCD."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return {
            row["paramcd"]: Quantity(
                row["paramcd"],
                row["label"],
                row["unit"],
                row["scale"],
                row["model"],
                {"higher": 1, "lower": -1}[row["better"]],
                float(row["floor"]),
                float(row["sd"]) if row["sd"] else math.nan,
                row["sd_scale"],
                row["role"],
                row["locator"],
                row["grade"],
                row["note"],
            )
            for row in csv.DictReader(file)
        }


def relative_error(code: str, at: float = math.nan) -> float:
    """Return the SD of one measurement as a share of the value; `at` is the value where the table has the SD in the unit itself."""
    quantity = quantities()[code]
    return quantity.sd if quantity.sd_scale == "log" else quantity.sd / at


@dataclass(frozen=True)
class Characteristic:
    """Something about a person that does not change in a trial."""

    name: str
    label: str
    unit: str
    column: str


#: Characteristics by the name that protocols use; columns are those of a patient library.
CHARACTERISTICS = {
    each.name: each
    for each in (
        Characteristic("AGE", "age", "year", "age"),
        Characteristic("FEMALE", "female (1) or male (0)", "1", "female"),
        Characteristic("DURATION", "duration of diabetes", "year", "duration"),
        Characteristic("BMI", "body-mass index", "kg/m^2", "bmi"),
        Characteristic("TYPE1", "type 1 (1) or type 2 diabetes (0)", "1", "T1D"),
        Characteristic("METFORMIN", "taking metformin (1) or not (0)", "1", "metformin"),
        Characteristic("INSULIN", "taking insulin (1) or not (0)", "1", "insulin"),
        Characteristic("RASI", "taking an ACE inhibitor or ARB (1) or not (0)", "1", "rasi"),
        Characteristic("SGLT2I", "taking an SGLT2 inhibitor (1) or not (0)", "1", "sglt2i"),
    )
}

#: How people write them, without case.
ALIASES = {
    "HBA1C": "HBA1C",
    "A1C": "HBA1C",
    "CREATININE": "CREAT",
    "SCR": "CREAT",
    "C-PEPTIDE": "CPEP",
    "ACR": "UACR",
    "INSULIN DOSE": "INSDOSE",
    "TYPE 1": "TYPE1",
    "RAS INHIBITOR": "RASI",
    "SGLT2 INHIBITOR": "SGLT2I",
    "SEX": "FEMALE",
}


def code_of(name: str) -> str:
    """Return the PARAMCD or characteristic that a name means, or the name in capitals where it means none."""
    upper = " ".join(str(name).upper().split())
    return ALIASES.get(upper, upper)


def known_codes() -> list[str]:
    """Return every PARAMCD and characteristic."""
    return [*quantities(), *CHARACTERISTICS]


def unit_of(code: str) -> str:
    """Return the unit of a PARAMCD or characteristic."""
    found = quantities().get(code) or CHARACTERISTICS[code]
    return found.unit


def label_of(code: str) -> str:
    """Return its label."""
    found = quantities().get(code) or CHARACTERISTICS[code]
    return found.label
