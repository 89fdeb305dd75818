"""Typical people who have lived on until their kidneys are diseased: when they began, how long, under which care."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "physiology" / "profiles"


@dataclass(frozen=True)
class Older:
    """A typical person some years later.

    Attributes
    ----------
    start
        The typical person whose history this one shares.
    years
        Chosen so that `kidney` describes the end: a question about damaged kidneys needs a person who has them.
    age
        At the end, years.
    care
        Therapies of those years, which go on.
    kidney
        Who it is, in words.
    values
        Parameters and inputs that differ in the whole life, in the rows' units.
    """

    start: str
    years: float
    age: float
    care: tuple[str, ...]
    kidney: str
    values: Mapping[str, float] = field(default_factory=dict)


def _rows(name: str) -> list[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _older() -> dict[str, Older]:
    values: dict[str, dict[str, float]] = {}
    for row in _rows("older_values.csv"):
        values.setdefault(row["person"], {})[row["id"]] = float(row["value"])
    return {
        row["person"]: Older(
            row["start"],
            float(row["years"]),
            float(row["age"]),
            tuple(row["care"].split("; ")),
            row["label"],
            values.get(row["person"], {}),
        )
        for row in _rows("older.csv")
    }


OLDER = _older()
