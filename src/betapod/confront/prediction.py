"""A row of the registry and what the model says of it: expected value, interval, distance of what was observed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..evidence.study import Record
from .readouts import Readout
from .studies import Arm, contrasts

#: Standard normal 95 % point.
Z95 = 1.6448536269514722
#: Least sum of the two numbers of a beta law: nearly everybody or nobody.
_LEAST_WEIGHT = 0.1


@dataclass(frozen=True)
class Prediction:
    """A row and what the model says of it.

    Attributes
    ----------
    scale
        ``linear``, ``log`` or ``share``; `observed` to `high` are on the natural scale of the row nevertheless.
    observed, predicted
        In the row's unit; a change where the study's own baseline anchors a level.
    low, high
        90 % predictive interval of the observed number.
    se_study, se_cohort, se_parameters
        On `scale`: error of the study, of the finite number of virtual people, and of the parameters of the cells.
    printed
        Whether `se_study` was made of what the source printed: an interval, SE, SD with n, or an exact p value.
    z
        (observed - predicted) / sqrt(se_study^2 + se_cohort^2 + se_parameters^2), on `scale`.
    inside
        Whether the observed number is in the interval.
    """

    record: str
    study: str
    family: str
    endpoint: str
    arm: str
    form: str
    weeks: float
    unit: str
    n: int | None
    scale: str
    anchored: bool
    observed: float
    predicted: float
    low: float
    high: float
    se_study: float
    se_cohort: float
    se_parameters: float
    printed: bool
    z: float
    inside: bool
    note: str = ""


def judged(
    record: Record, readout: Readout, arm: Arm, expected: float, seen: float, error: float, spread: float,
    parameters: float, printed: bool, anchored: bool,
) -> Prediction:  # fmt: skip
    """Compare a number: `expected`, `seen` and the three errors on the scale of comparison."""
    total = math.sqrt(error**2 + spread**2 + parameters**2)
    z = (seen - expected) / total if total > 0 else math.nan
    bounds = (expected, expected - Z95 * total, expected + Z95 * total, seen)
    predicted, low, high, shown = (_natural(x, record, readout) for x in bounds)
    form = "change" if anchored else readout.form
    if contrasts(record) and readout.event is None:
        form += ", between"
    return Prediction(
        record.id, record.study, record.family, record.endpoint, record.arm, form, record.weeks or 0.0, record.unit,
        record.n, readout.scale, anchored, shown, predicted, low, high, error, spread, parameters, printed, z,
        abs(z) <= Z95, _note(arm, readout),
    )  # fmt: skip


def _natural(x: float, record: Record, readout: Readout) -> float:
    if readout.scale != "log":
        return x
    return 100.0 * (math.exp(x) - 1.0) if record.kind == "percent" else math.exp(x)


def share_of(
    record: Record, readout: Readout, share: float, people: int, arm: Arm, parameters: float = 0.0
) -> Prediction:
    """Compare counts: the predictive interval is beta-binomial, for the share is known from so many virtual people."""
    from scipy import stats

    n = record.n or 1
    mean = (share * people + 0.5) / (people + 1.0)
    spread = math.sqrt(mean * (1.0 - mean) / (people + 2.0))
    # A beta law with this mean, as wide as the cohort and the parameters leave the share uncertain.
    weight = max(mean * (1.0 - mean) / (spread**2 + parameters**2) - 1.0, _LEAST_WEIGHT)
    count = round((record.value or 0.0) * n)
    law = stats.betabinom(n, mean * weight, (1.0 - mean) * weight)
    low, high = (float(law.ppf(level)) / n for level in (0.05, 0.95))
    error = math.sqrt(mean * (1.0 - mean) / n)
    z = (count / n - mean) / math.sqrt(error**2 + spread**2 + parameters**2)
    return Prediction(
        record.id, record.study, record.family, record.endpoint, record.arm, "share", record.weeks or 0.0, record.unit,
        record.n, "share", False, count / n, share, low, high, error, spread, parameters, False, z,
        low - 1e-9 <= count / n <= high + 1e-9, _note(arm, readout),
    )  # fmt: skip


def _note(arm: Arm, readout: Readout) -> str:
    return "; ".join(text for text in (arm.note, readout.note) if text)
