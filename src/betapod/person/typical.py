"""Typical people: their parameter values, the history that led to them, and their state today."""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..base.errors import ConfigError, not_among

_FOLDER = Path(__file__).parents[1] / "physiology" / "profiles"


@dataclass(frozen=True)
class Person:
    """Someone whose metabolism is known.

    Attributes
    ----------
    values
        Parameters and inputs that differ from the tables, in the rows' units.
    state
        Every state of the assembly ``metabolism`` today.
    history
        What the state is the end of: ``years`` of simulated history, or the ``HbA1c`` (%) at which it was taken.
    until
        How many years, or which HbA1c.
    """

    name: str
    label: str
    values: Mapping[str, float]
    state: Mapping[str, float] = field(default_factory=dict)
    history: str = "years"
    until: float = 0.0

    def __iter__(self) -> Iterator[Mapping[str, float]]:
        """Unpack as ``values, state = person(...)``."""
        return iter((self.values, self.state))


def _rows(name: str) -> list[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@functools.cache
def _people() -> dict[str, Person]:
    values: dict[str, dict[str, float]] = {}
    states: dict[str, dict[str, float]] = {}
    for row in _rows("values.csv"):
        values.setdefault(row["person"], {})[row["id"]] = float(row["value"])
    for row in _rows("states.csv"):
        states.setdefault(row["person"], {})[row["id"]] = float(row["value"])
    return {
        row["person"]: Person(
            row["person"],
            row["label"],
            values[row["person"]],
            states.get(row["person"], {}),
            row["history"],
            float(row["until"]),
        )
        for row in _rows("people.csv")
    }


def typical_names() -> tuple[str, ...]:
    """Return the names of the typical people."""
    return tuple(_people())


def person(name: str) -> Person:
    """Return a typical person: ``values, state = person("t2d")``.

    Raises
    ------
    ConfigError
        There is no such person; the nearest is named.
    """
    match = _people().get(name)
    if match is None:
        raise ConfigError(not_among(typical_names(), "unknown-person", f"there is no typical person {name!r}", name))
    return match
