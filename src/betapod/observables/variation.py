"""By how much one measurement, and a year of life, move what is measured: the reader of ``variation.csv``."""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConfigError, Problem, did_you_mean
from ..base.meanwhile import Meanwhile

#: What moves a value: one measurement (of anybody, or of people with prediabetes), or a year of a person's life that the model does not have.
Cause = Literal["measurement", "measurement in prediabetes", "life", "life at low values", "life at high values"]
#: Causes that together say how what life moves depends on the value itself.
_LEVELS = ("life", "life at low values", "life at high values")

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Variation:
    """By how much one measurement, or a year of life, moves a value.

    Attributes
    ----------
    sd
        SD of the logarithm or, where `scale` is ``linear``, in the observable's unit.
    at
        Value at which a linear SD becomes a share, or for which an SD of life holds.
    lasts
        Correlation time of what life moves, year; NaN for measurements, which are independent.
    person
        Column of a library with everybody's standard normal deviation on the day of the snapshot: such a deviation is there from the
        start, and people who were selected for it regress. Empty: people begin without one, and it grows for a year.
    role, source, grade, note
        Where the number comes from, as in tables of parameters.
    levels
        Values and the SDs that hold there, increasing, where what life moves depends on the value.
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
    levels: tuple[tuple[float, float], ...] = ()

    def share_at(self, values: NDArray[np.float64]) -> NDArray[np.float64] | float:
        """Return the SD as a share of values: between those of `levels` on the scale of logarithms, constant beyond them."""
        if not self.levels:
            return self.share
        at, sd = np.array(self.levels).T
        return np.asarray(np.interp(np.log(np.maximum(values, 1e-9)), np.log(at), sd), dtype=np.float64)

    @property
    def share(self) -> float:
        """The SD as a share of the value."""
        return self.sd if self.scale == "log" else self.sd / self.at


def read_observable_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of one of the tables of this room."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


#: SDs that hold for now instead of the table's, in the order of their names: ``UACR life``.
_SDS = Meanwhile[tuple[tuple[str, float], ...]]("variation_sds", ())


def varied_by(sds: Mapping[str, float]) -> AbstractContextManager[None]:
    """Let measurements and years of life move values by other SDs meanwhile.

    Parameters
    ----------
    sds
        By observable and cause, ``UACR life`` or ``HbA1c measurement``, in the unit of the row; rows that are ``like`` another's follow it, and
        SDs that depend on the value keep their proportions.

    Raises
    ------
    ConfigError
        There is no such row (the nearest is given), or an SD below 0.
    """
    if not sds:
        return _SDS.held(())
    rows = {f"{row['observable']} {row['of']}" for row in read_observable_rows("variation") if row["sd"]}
    problems = [
        Problem("unknown-variation", f"nothing says how {name!r} varies", hint=did_you_mean(name, rows))
        for name in sds
        if name not in rows
    ]
    problems += [
        Problem("bad-number", f"the SD of {name} is below 0", found=f"{sd:g}")
        for name, sd in sds.items()
        if not sd >= 0
    ]
    if problems:
        raise ConfigError(problems)
    return _SDS.held(tuple(sorted(sds.items())))


def variations() -> dict[tuple[str, str], Variation]:
    """Return what moves values, by observable and cause; rows that are ``like`` another's have its SD."""
    return _variations(_SDS.now)


@functools.lru_cache(maxsize=32)
def _variations(sds: tuple[tuple[str, float], ...]) -> dict[tuple[str, str], Variation]:
    rows = {(row["observable"], row["of"]): row for row in read_observable_rows("variation")}
    for name, sd in sds:
        observable, _, cause = name.partition(" ")
        ratio = sd / float(rows[observable, cause]["sd"])
        for of in _LEVELS if cause == "life" else (cause,):
            if (observable, of) in rows:
                row = rows[observable, of]
                rows[observable, of] = {**row, "sd": repr(float(row["sd"]) * ratio)}
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
            _levels(rows, row["like"] or name) if cause == "life" else (),
        )
    return variation


def _levels(rows: Mapping[tuple[str, str], Mapping[str, str]], name: str) -> tuple[tuple[float, float], ...]:
    """Return the values for which SDs of life are known and these SDs; empty where one holds for all."""
    levels = [rows[name, cause] for cause in _LEVELS if (name, cause) in rows]
    return tuple(sorted((float(row["at"]), float(row["sd"])) for row in levels)) if len(levels) > 1 else ()
