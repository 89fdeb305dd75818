"""By how much one measurement, and a year of life, move what is measured: the reader of ``variation.csv``."""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

#: What moves a value: one measurement (of anybody, or of people with prediabetes), or a year of a person's life that the model does not have.
Cause = Literal["measurement", "measurement in prediabetes", "life"]

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Variation:
    """By how much one measurement, or a year of life, moves a value.

    Attributes
    ----------
    sd
        SD of the logarithm or, where `scale` is ``linear``, in the observable's unit.
    at
        Value at which a linear SD becomes a share.
    lasts
        Correlation time of what life moves, year; NaN for measurements, which are independent.
    person
        Column of a library with everybody's standard normal deviation on the day of the snapshot: such a deviation is there from the
        start, and people who were selected for it regress. Empty: people begin without one, and it grows for a year.
    role, source, grade, note
        Where the number comes from, as in tables of parameters.
    """

    sd: float
    scale: str
    at: float
    lasts: float
    person: str
    role: str
    source: str
    grade: str
    note: str

    @property
    def share(self) -> float:
        """The SD as a share of the value."""
        return self.sd if self.scale == "log" else self.sd / self.at


def read_observable_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of one of the tables of this room."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@functools.cache
def variations() -> dict[tuple[str, str], Variation]:
    """Return what moves values, by observable and cause; rows that are ``like`` another's have its SD."""
    rows = {(row["observable"], row["of"]): row for row in read_observable_rows("variation")}
    variation = {}
    for (name, cause), row in rows.items():
        size = rows[row["like"], cause] if row["like"] else row
        variation[name, cause] = Variation(
            float(size["sd"]),
            size["scale"],
            float(size["at"] or "nan"),
            float(row["lasts"] or "nan"),
            row["person"],
            row["role"],
            row["source"],
            row["grade"],
            row["note"],
        )
    return variation
