"""Which published rows parameters were fitted to, and which are kept for validation: the reader of ``uses.csv``.

============ ===================================================================================================================
column       meaning
============ ===================================================================================================================
family       of studies with shared patients, as in the registry; rows of one trial stay on one side where nothing else is said
records      ids of rows, or studies, that the line is about; empty for all of the family
use          ``fit`` or ``validation``; rows of no line are for validation
reason       what was fitted
============ ===================================================================================================================
"""

from __future__ import annotations

import csv
import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...base.constants import Z90
from ...base.intervals import student
from .prediction import Prediction

if TYPE_CHECKING:
    import pandas as pd

FIT, VALIDATION = "fit", "validation"
_PATH = Path(__file__).with_name("uses.csv")


@dataclass(frozen=True)
class RowUse:
    """What rows of a family were used for; all of them where `records` is empty."""

    family: str
    records: tuple[str, ...]
    use: str
    reason: str


@functools.cache
def row_uses() -> tuple[RowUse, ...]:
    """Return the lines of the table."""
    with _PATH.open(encoding="utf-8", newline="") as file:
        return tuple(
            RowUse(
                row["family"],
                tuple(name.strip() for name in row["records"].split(";") if name.strip()),
                row["use"],
                row["reason"],
            )
            for row in csv.DictReader(file)
        )


def use_of(record: str, study: str, family: str) -> str:
    """Return what a row was used for: ``fit`` or ``validation``."""
    lines = [line for line in row_uses() if line.family == family]
    named = [line for line in lines if record in line.records or study in line.records]
    of_family = [line for line in lines if not line.records]
    return next((line.use for line in (*named, *of_family)), VALIDATION)


def width_of(prediction: Prediction) -> float:
    """Return the width of the 90 % interval: as a factor for ratios, of shares as a difference, else as a share of the number's size."""
    if prediction.scale == "log":
        error = math.hypot(prediction.se_study, prediction.se_cohort, prediction.se_parameters)
        freedom = math.inf if prediction.freedom is None else prediction.freedom
        return math.exp(2.0 * student(Z90, freedom) * error)
    width = prediction.high - prediction.low
    if prediction.scale == "share":
        return width
    size = max(abs(prediction.observed), abs(prediction.predicted))
    return width / size if size > 0.0 else math.nan


def coverage_by_use(predictions: Iterable[Prediction]) -> pd.DataFrame:
    """Return rows, rows inside, the median of |z| and of the width of intervals, by use and all together.

    Returns
    -------
    pandas.DataFrame
        Index ``use`` (of those that have rows); ``rows``, ``inside``, ``median`` (of |z|), ``factor`` (median width of rows compared as ratios), ``points`` (of
        shares), ``relative`` (of the others), see `width_of`.
    """
    import pandas as pd

    rows = [(use_of(p.record, p.study, p.family), p.inside, abs(p.z), p.scale, width_of(p)) for p in predictions]
    table = pd.DataFrame(rows, columns=["use", "inside", "miss", "scale", "width"])
    parts = {name: table[table["use"] == name] for name in (FIT, VALIDATION)} | {"all": table}
    summary = {}
    for name, part in parts.items():
        if part.empty and name != "all":
            continue
        widths = {
            scale: float(part.loc[part["scale"] == scale, "width"].median()) for scale in ("log", "share", "linear")
        }
        summary[name] = {
            "rows": len(part),
            "inside": int(part["inside"].sum()),
            "median": float(part["miss"].median()),
            "factor": widths["log"],
            "points": widths["share"],
            "relative": widths["linear"],
        }
    return pd.DataFrame.from_dict(summary, orient="index").rename_axis("use")
