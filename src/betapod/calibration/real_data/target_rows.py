"""Rows derived from measurements of real people: the tables of this folder, and what a fit takes of them.

No table has anybody's values: quantiles, shares, rates, correlations, each with its error, the number of people and where they were measured.
Scripts in ``benchmarks/real_data`` derive them.
"""

from __future__ import annotations

import csv
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..fit_rows import FitRows

Numbers = NDArray[np.float64]
FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class TargetRow:
    """One number of real people.

    Attributes
    ----------
    record, family, fitted
        As of `betapod.calibration.fit_rows.FitRows`; half of the people of a survey is kept for validation.
    source
        Who measured it, and where it was read.
    endpoint, other
        Quantity, and the second one of a correlation.
    group
        Of whom, or the cell of a grid; empty: of everybody.
    statistic, level
        ``quantile`` with its level, ``share``, ``rate``, ``rank correlation``, ``SD`` ...
    unit, row_class, scale
        Of `observed`, and how it is compared.
    observed
        In `unit`.
    se, freedom
        Standard error on the scale of comparison, and the degrees of freedom behind it.
    people
        How many were measured.
    note
        What else must be known of them.
    among
        Who they were: such as ``age`` (year, mean), ``age SD``, ``women`` (share), by which the model's people are balanced.
    """

    record: str
    source: str
    family: str
    fitted: bool
    endpoint: str
    other: str
    group: str
    statistic: str
    level: float
    unit: str
    row_class: str
    scale: str
    observed: float
    se: float
    freedom: float
    people: int
    note: str = ""
    among: Mapping[str, float] = field(default_factory=dict, hash=False)


@functools.cache
def read_target_rows(name: str) -> tuple[TargetRow, ...]:
    """Return the rows of one table of this folder.

    Parameters
    ----------
    name
        Of the file, without its ending.

    Returns
    -------
    tuple of TargetRow
        In the order of the file.

    Raises
    ------
    FileNotFoundError
        There is no such table.

    Examples
    --------
    >>> from betapod.calibration.real_data.target_rows import read_target_rows
    >>> row = read_target_rows("survey_rows")[0]
    >>> row.endpoint, row.statistic, row.unit
    ('bmi', 'quantile', 'kg/m2')
    """
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(_row(cells) for cells in csv.DictReader(file))


def _row(cells: dict[str, str]) -> TargetRow:
    return TargetRow(
        cells["record"],
        cells["source"],
        cells["family"],
        cells["fitted"] == "true",
        cells["endpoint"],
        cells["other"],
        cells["group"],
        cells["statistic"],
        float(cells["level"] or "nan"),
        cells["unit"],
        cells["class"],
        cells["scale"],
        float(cells["observed"]),
        float(cells["se"]),
        float(cells["freedom"] or "inf"),
        int(cells["people"] or 0),
        cells["note"],
        {part.partition("=")[0].strip(): float(part.partition("=")[2]) for part in cells["among"].split(";") if part},
    )


def compared_scale(scales: Sequence[str], values: Numbers) -> Numbers:
    """Return natural values (..., n) on the scales on which they are compared.

    Parameters
    ----------
    scales
        n of ``angle``, ``log``, ``linear``.
    values
        Shares, positive numbers, or any; NaN stays.

    Returns
    -------
    numpy.ndarray
        Of the same shape; NaN where a logarithm does not exist.

    Examples
    --------
    >>> import numpy as np
    >>> compared_scale(["angle", "log", "linear"], np.array([0.5, 1.0, 3.0])).round(4)
    array([1.5708, 0.    , 3.    ])
    """
    result = np.array(values, dtype=np.float64)
    angle = np.array([scale == "angle" for scale in scales])
    log = np.array([scale == "log" for scale in scales])
    result[..., angle] = 2.0 * np.arcsin(np.sqrt(np.clip(result[..., angle], 0.0, 1.0)))
    positive = np.where(result[..., log] > 0.0, result[..., log], np.nan)
    result[..., log] = np.log(positive)
    return result


def fit_rows_of(rows: Sequence[TargetRow], of_people: Numbers | None = None) -> FitRows:
    """Return rows as a fit takes them.

    Parameters
    ----------
    rows
        At least one.
    of_people
        (n,) errors that the finite number of virtual people brings, on the scale of comparison; none by default.

    Returns
    -------
    FitRows
        In the same order, with the errors of both together.

    Examples
    --------
    >>> from betapod.calibration.real_data.target_rows import fit_rows_of, read_target_rows
    >>> rows = fit_rows_of(read_target_rows("survey_rows"))
    >>> len(rows) > 100, set(rows.scale) == {"angle", "log", "linear"}
    (True, True)
    """
    scales = tuple(row.scale for row in rows)
    se = np.array([row.se for row in rows])
    if of_people is not None:
        se = np.hypot(se, of_people)
    return FitRows(
        tuple(row.record for row in rows),
        tuple(row.family for row in rows),
        tuple(row.family for row in rows),
        tuple(row.endpoint for row in rows),
        tuple(row.unit for row in rows),
        tuple(row.row_class for row in rows),
        scales,
        np.array([row.fitted for row in rows]),
        compared_scale(scales, np.array([row.observed for row in rows])),
        se,
        np.array([row.freedom if row.freedom > 0 else math.inf for row in rows]),
    )
