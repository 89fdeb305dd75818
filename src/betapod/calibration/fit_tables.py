"""Tables of a record beyond its predictions: directions, rows that speak, coverage, families left out, profiles; by stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..physiology.installed_fits import Columns, FitRecord
from .coverage_curve import ClassWidths, RowPredictions, coverage_table, interval_widths
from .fit_rows import FitRows
from .gauss_newton import EstimatedDiscrepancy
from .identifiability import Identifiability, identify, speaking_table
from .left_out import LeftOutFits
from .posterior import Gaussian
from .stage_fit import StageFit

Numbers = NDArray[np.float64]


def stage_gaussian(stage: StageFit) -> Gaussian:
    """Return the posterior of a stage as a normal distribution within its bounds."""
    return Gaussian(stage.mean, stage.covariance, *stage.map.bounds)


def stage_identifiability(stage: StageFit) -> Identifiability:
    """Return what the rows of a stage say of its unknowns."""
    return identify(stage.map, stage.unknowns, stage_gaussian(stage))


def identifiability_tables(stages: Sequence[StageFit]) -> dict[str, Columns]:
    """Return ``eigen.csv`` and ``speaking.csv``, with the stage of each line where there are several."""
    facts = [stage_identifiability(stage) for stage in stages]
    eigen = [of.eigen_table() for of in facts]
    speaking = [speaking_table(stage.map, of) for stage, of in zip(stages, facts, strict=True)]
    names = [stage.name for stage in stages]
    return {"eigen.csv": stacked_tables(eigen, names), "speaking.csv": stacked_tables(speaking, names)}


def coverage_columns(
    rows: FitRows,
    before: Numbers,
    after: RowPredictions,
    prior_scale: Mapping[str, float],
    left_out: RowPredictions | None = None,
) -> Columns:
    """Return ``coverage.csv``: of fitted, set-aside and left-out rows, with and without parameters and discrepancy.

    Parameters
    ----------
    before
        (n,) predictions at the start; the discrepancy that the model needs there is estimated from them.
    """
    law = EstimatedDiscrepancy(rows, dict(prior_scale))(before)
    return table_columns(coverage_table(rows, RowPredictions(before, None, law.discrepancy), after, left_out))


def coverage_of_tables(record: FitRecord, prior_scale: Mapping[str, float], left_out: RowPredictions) -> Columns:
    """Return ``coverage.csv`` of a finished fit anew, with families left out."""
    rows, after = rows_of_record(record)
    return coverage_columns(rows, record.rows["before"], after, prior_scale, left_out)


def widths_of_record(record: FitRecord) -> list[ClassWidths]:
    """Return how wide the 90 % intervals of a finished fit are, by class of rows."""
    return interval_widths(*rows_of_record(record))


def rows_of_record(record: FitRecord) -> tuple[FitRows, RowPredictions]:
    """Return the rows of a record and what the fit says of them."""
    table = record.rows
    names = {field.name: "class" if field.name == "row_class" else field.name for field in fields(FitRows)}
    text = ("record", "study", "family", "endpoint", "unit", "row_class", "scale")
    columns: dict[str, Any] = {
        name: tuple(map(str, table[of])) if name in text else table[of] for name, of in names.items()
    }
    lacking = (table["tau_family"], table["tau_row"])
    return FitRows(**columns), RowPredictions(table["mean"], table["sd_parameters"], lacking)


def joined_left_out(fits: Sequence[LeftOutFits], records: Sequence[str]) -> RowPredictions:
    """Return what the fits of all stages without its family say of each row, in the order of records; NaN for other rows."""
    columns = [np.full(len(records), np.nan) for _ in range(4)]
    at = {record: k for k, record in enumerate(records)}
    for of in fits:
        index = [at[record] for record in of.rows.record]
        for column, values in zip(columns, (of.predicted, of.sd_parameters, of.tau_family, of.tau_row), strict=True):
            column[index] = values
    predicted, sd, family, row = columns
    return RowPredictions(predicted, sd, (family, row))


def stacked_tables(tables: Sequence[Mapping[str, Sequence[Any]]], names: Sequence[str]) -> Columns:
    """Return tables of the same columns below each other; of several, with a first column that says of which stage each line is."""
    joined: dict[str, list[Any]] = {name: [] for name in tables[0]}
    stage: list[str] = []
    for table, of in zip(tables, names, strict=True):
        for name, values in table.items():
            joined[name] += list(values)
        stage += [of] * len(next(iter(table.values())))
    return table_columns({"stage": stage, **joined} if len(tables) > 1 else joined)


def table_columns(table: Mapping[str, Sequence[Any]]) -> Columns:
    """Return a table of lists as columns of a record."""
    columns: Columns = {}
    for name, values in table.items():
        of_text = any(isinstance(value, str) for value in values)
        columns[name] = np.array(list(values), dtype=object) if of_text else np.array(list(values))
    return columns
