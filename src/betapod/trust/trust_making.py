"""How the table of published numbers beside the model's is made, see `trust_rows`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from ..base import cache
from ..base.constants import Z90
from ..base.exports import rows_as_csv
from ..evidence.records.study import Record
from ..validation.predictions.prediction import Prediction, normal_score, student
from ..validation.predictions.uses import FIT, use_of, width_of
from .trust_facts import kind_of
from .trust_rows import COMPUTED_WITH, ROWS, TrustRow

#: The module whose results the table holds.
_PREDICTING = "betapod.validation.predictions.row_predictions"
#: Degrees of freedom of what the model lacks: a few numbers of a class are missed by far more than most.
TAIL_FREEDOM = 4.0
#: Digits of numbers in the table.
_DIGITS = 6
#: Forms of rows that compare how often something happens, on a scale of logarithms.
_EVENT_FORMS = ("hazard ratio", "risk ratio", "odds ratio", "rate")


def program_digest() -> str:
    """Return the digest of the program that predicts the rows now."""
    return cache.program(_PREDICTING)


def write_trust_table(rows: Iterable[TrustRow], about: Mapping[str, Any]) -> None:
    """Write the table of the package and, beside it, what it was computed with."""
    ROWS.write_text(trust_table_text(rows), encoding="utf-8")
    COMPUTED_WITH.write_text(json.dumps(dict(about), indent=1) + "\n", encoding="utf-8")


def row_class_of(prediction: Prediction) -> str:
    """Return the class within which what the model lacks is taken to be alike."""
    kind = prediction.form.partition(",")[0].strip()
    if prediction.scale == "share":
        return "share"
    if kind in _EVENT_FORMS:
        return "event ratio"
    if kind == "slope":
        return "slope"
    return "ratio" if prediction.scale == "log" else "level"


def trust_row(
    record: Record,
    prediction: Prediction,
    scenario: str,
    tau: float = math.nan,
    fitted: bool | None = None,
) -> TrustRow:
    """Return the row of a prediction.

    Parameters
    ----------
    tau
        Scale of what the model lacks, see `TrustRow`.
    fitted
        Whether parameters were fitted to the row; by the table of uses if nobody says.
    """
    kind = kind_of(record)
    is_fitted = use_of(record.id, record.study, record.family) == FIT if fitted is None else fitted
    return TrustRow(
        record.id, record.study, record.family, record.product, scenario if kind.cells else "", kind.treatments, kind.cells,
        kind.topic, record.endpoint, kind.diabetes, kind.kidney, is_fitted, row_class_of(prediction), prediction.scale,
        prediction.unit, prediction.observed, prediction.predicted, prediction.low, prediction.high, prediction.z,
        prediction.inside, width_of(prediction), tau, *_with_discrepancy(prediction, tau),
    )  # fmt: skip


def _with_discrepancy(prediction: Prediction, tau: float) -> tuple[float, bool, float]:
    """Return z, whether the row is inside, and the width, where the model is known to lack `tau`."""
    if math.isnan(tau):
        return math.nan, False, math.nan
    if prediction.scale == "share":
        return _share_with_discrepancy(prediction, tau)
    error = math.hypot(prediction.se_study, prediction.se_cohort, prediction.se_parameters)
    freedom = math.inf if prediction.freedom is None else prediction.freedom
    total = math.hypot(error, tau)
    # After Welch and Satterthwaite, as the errors of a prediction are joined.
    loose = error**4 / freedom + tau**4 / TAIL_FREEDOM
    total_freedom = total**4 / loose if loose > 0.0 else math.inf
    distance = student(prediction.z, freedom) * error
    z = normal_score(distance / total, total_freedom)
    half = student(Z90, total_freedom) * total
    if prediction.scale == "log":
        width = math.exp(2.0 * half)
    else:
        size = max(abs(prediction.observed), abs(prediction.predicted))
        width = 2.0 * half / size if size > 0.0 else math.nan
    return z, abs(z) <= Z90, width


def _share_with_discrepancy(prediction: Prediction, tau: float) -> tuple[float, bool, float]:
    """Return the same of a share, whose z holds the chance of a count: as an angle, on which errors are alike everywhere."""
    n = max(prediction.n or 1, 1)
    share = min(max(prediction.predicted, 0.25 / n), 1.0 - 0.25 / n)
    spread = math.hypot(prediction.se_cohort, prediction.se_parameters) / math.sqrt(share * (1.0 - share))
    error = math.hypot(1.0 / math.sqrt(n), spread)
    total = math.hypot(error, tau)
    freedom = TAIL_FREEDOM * (total / tau) ** 4 if tau > 0.0 else math.inf
    z = normal_score(prediction.z * error / total, freedom)
    half = student(Z90, freedom) * total
    centre = 2.0 * math.asin(math.sqrt(share))
    low, high = (math.sin(min(max(centre + sign * half, 0.0), math.pi) / 2.0) ** 2 for sign in (-1.0, 1.0))
    inside = prediction.inside or abs(z) <= Z90
    return z, inside, max(high - low, prediction.high - prediction.low)


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
