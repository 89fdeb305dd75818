"""How the table of published numbers beside the model's is made, see `trust_rows`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base import cache
from ..base.constants import Z90
from ..base.exports import rows_as_csv
from ..base.intervals import joint_deviation, normal_score, student
from ..calibration.discrepancy import TAILS, discrepancy_classes, estimate_discrepancy
from ..calibration.fit_rows import FitRows
from ..calibration.published_rows import row_class_of
from ..evidence.records.study import Record
from ..physiology.installed_fits import FitRecord
from ..physiology.study_differences import kind_of_numbers
from ..validation.predictions.prediction import Prediction
from ..validation.predictions.uses import FIT, use_of, width_of
from .trust_facts import kind_of
from .trust_rows import COMPUTED_WITH, ROWS, TrustRow, trust_rows

Numbers = NDArray[np.float64]
#: The module whose results the table holds.
_PREDICTING = "betapod.validation.predictions.row_predictions"
#: Fewest degrees of freedom behind an error that is taken to have a variance.
LEAST_FREEDOM = 3.0
#: Digits of numbers in the table.
_DIGITS = 6


def program_digest() -> str:
    """Return the digest of the program that predicts the rows now."""
    return cache.program(_PREDICTING)


def write_trust_table(rows: Iterable[TrustRow], about: Mapping[str, Any]) -> None:
    """Write the table of the package and, beside it, what it was computed with."""
    ROWS.write_text(trust_table_text(rows), encoding="utf-8")
    COMPUTED_WITH.write_text(json.dumps(dict(about), indent=1) + "\n", encoding="utf-8")


def rows_on_fit_scale(records: Sequence[Record], predictions: Sequence[Prediction]) -> tuple[FitRows, Numbers]:
    """Return predicted numbers as the rows of a fit, and the predictions, both on its scale; fitted by the table of uses."""
    scales = {"share": "angle", "log": "log", "linear": "linear"}
    pairs = [_on_scale(prediction) for prediction in predictions]
    return FitRows(
        tuple(record.id for record in records),
        tuple(record.study for record in records),
        tuple(record.family for record in records),
        tuple(record.endpoint for record in records),
        tuple(prediction.unit for prediction in predictions),
        tuple(row_class_of(prediction) for prediction in predictions),
        tuple(scales[prediction.scale] for prediction in predictions),
        np.array([use_of(record.id, record.study, record.family) == FIT for record in records]),
        np.array([compared.observed for compared in pairs]),
        np.array([compared.error for compared in pairs]),
        np.array([math.inf if prediction.freedom is None else prediction.freedom for prediction in predictions]),
    ), np.array([compared.predicted for compared in pairs])


def estimated_lacks(records: Sequence[Record], predictions: Sequence[Prediction]) -> dict[str, tuple[float, float]]:
    """Return by record the SDs of what the model lacks, estimated from the misses of rows that parameters were fitted to.

    Classes without a fitted row have none.
    """
    rows, predicted = rows_on_fit_scale(records, predictions)
    lacks = estimate_discrepancy(rows, predicted, rows.fitted)
    classes = discrepancy_classes(rows)
    spoken = {name for name, fitted in zip(classes, rows.fitted, strict=True) if fitted}
    return {
        record: (lacks.family.get(name, 0.0), lacks.row[name])
        for record, name in zip(rows.record, classes, strict=True)
        if name in spoken and name in lacks.row
    }


def fitted_lacks(fit: FitRecord, predictions: Sequence[Prediction]) -> dict[str, tuple[float, float]]:
    """Return by record the SDs of what the model lacks as a fit has estimated them; classes that it does not know have none."""
    lacks = fit.discrepancy
    classes = {
        prediction.record: kind_of_numbers(
            row_class_of(prediction), prediction.scale, prediction.unit, prediction.endpoint
        )
        for prediction in predictions
    }
    taus = {record: lacks[name][:2] for record, name in classes.items() if name in lacks}
    columns = (fit.rows[name] for name in ("record", "tau_family", "tau_row"))
    return taus | {str(record): (float(family), float(row)) for record, family, row in zip(*columns, strict=True)}


@dataclass(frozen=True)
class _OnScale:
    """A prediction on the scale of a fit."""

    observed: float
    predicted: float
    error: float


def _on_scale(prediction: Prediction) -> _OnScale:
    parts = math.hypot(prediction.se_cohort, prediction.se_parameters)
    if prediction.scale == "share":
        n = max(prediction.n or 1, 1)
        # Nobody and everybody count as a quarter of a person, as they are near them.
        shares = [min(max(x, 0.25 / n), 1.0 - 0.25 / n) for x in (prediction.observed, prediction.predicted)]
        observed, predicted = (2.0 * math.asin(math.sqrt(x)) for x in shares)
        error = math.hypot(1.0 / math.sqrt(n), parts / math.sqrt(shares[1] * (1.0 - shares[1])))
        return _OnScale(observed, predicted, error)
    error = math.hypot(prediction.se_study, parts)
    freedom = math.inf if prediction.freedom is None else prediction.freedom
    distance = student(prediction.z, freedom) * error
    if prediction.scale == "linear":
        return _OnScale(prediction.predicted + distance, prediction.predicted, error)
    # The printed unit of a ratio may be per cent; z knows the distance of the logarithms.
    return _OnScale(distance, 0.0, error)


def trust_row(
    record: Record,
    prediction: Prediction,
    scenario: str,
    tau: tuple[float, float] = (math.nan, math.nan),
    fitted: bool | None = None,
) -> TrustRow:
    """Return the row of a prediction.

    Parameters
    ----------
    tau
        SDs of what the model lacks, of families and of rows, see `TrustRow`.
    fitted
        Whether parameters were fitted to the row; by the table of uses if nobody says.
    """
    kind = kind_of(record)
    z_all, inside_all, width_all = _with_discrepancy(prediction, *tau)
    is_fitted = use_of(record.id, record.study, record.family) == FIT if fitted is None else fitted
    return TrustRow(
        record.id, record.study, record.family, record.product, scenario if kind.cells else "", kind.treatments, kind.cells,
        kind.topic, record.endpoint, kind.diabetes, kind.kidney, is_fitted, row_class_of(prediction), prediction.scale,
        prediction.unit, prediction.observed, prediction.predicted, prediction.low, prediction.high, prediction.z,
        prediction.inside, width_of(prediction), *tau, z_all, inside_all, width_all,
    )  # fmt: skip


def predictions_with_lacks(predictions: Iterable[Prediction]) -> list[TrustRow]:
    """Return predictions as rows whose interval also holds what the model lacks by the package's table; those that it does not know are left out."""
    known_rows = {row.record: row for row in trust_rows() if row.has_discrepancy}
    rows = []
    for prediction in predictions:
        row = known_rows.get(prediction.record)
        if row is not None:
            z, inside, width = _with_discrepancy(prediction, row.tau_family, row.tau_row)
            rows.append(replace(row, z=z, inside=inside, width=width, tau_row=math.nan))
    return rows


def _with_discrepancy(prediction: Prediction, tau_family: float, tau_row: float) -> tuple[float, bool, float]:
    """Return z, whether the row is inside, and the width, where the model is known to lack so much."""
    if math.isnan(tau_row):
        return math.nan, False, math.nan
    compared = _on_scale(prediction)
    printed = math.inf if prediction.freedom is None else max(prediction.freedom, LEAST_FREEDOM)
    variance = compared.error**2 * (printed / (printed - 2.0) if math.isfinite(printed) else 1.0)
    parts = ((variance, printed), (tau_family**2, TAILS), (tau_row**2, TAILS))
    scale, freedom = (float(number) for number in joint_deviation(*parts))
    z = normal_score((compared.observed - compared.predicted) / scale, freedom)
    half = student(Z90, freedom) * scale
    # A share's own interval is that of a count, and this one is not: what the narrower holds, the wider does too.
    wider = _width(prediction, compared, half)
    if prediction.scale == "share":
        wider = max(wider, prediction.high - prediction.low)
    return z, abs(z) <= Z90 or prediction.inside, wider


def _width(prediction: Prediction, compared: _OnScale, half: float) -> float:
    """Return the width of an interval, in the terms of `uses.width_of`."""
    if prediction.scale == "log":
        return math.exp(2.0 * half)
    if prediction.scale == "share":
        ends = (min(max(compared.predicted + sign * half, 0.0), math.pi) for sign in (-1.0, 1.0))
        low, high = (math.sin(end / 2.0) ** 2 for end in ends)
        return high - low
    size = max(abs(prediction.observed), abs(prediction.predicted))
    return 2.0 * half / size if size > 0.0 else math.nan


def trust_table_text(rows: Iterable[TrustRow]) -> str:
    """Return rows as the text of the table."""
    names = [field.name for field in fields(TrustRow)]
    return rows_as_csv(names, [[_cell(getattr(row, name)) for name in names] for row in rows])


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.{_DIGITS}g}"
    return ";".join(value) if isinstance(value, tuple) else str(value)
