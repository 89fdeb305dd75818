"""A predicted record: expected value, 90 % predictive interval, normal score of what was observed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ...base.constants import Z90
from ...base.intervals import error_of_interval, normal_score, student
from ...evidence.records.study import Record
from .studies import StudyArm, contrasts
from .study_readouts import Readout

#: Fewest degrees of freedom behind an error.
_LEAST_FREEDOM = 2.0
#: Smallest chance that is told from none.
_LEAST_CHANCE = 1e-300
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
        In `unit`, that of the row; a change where the study's own baseline anchors a level, on the scale of logarithms a ratio.
    low, high
        90 % predictive interval of the observed number.
    se_study, se_cohort, se_parameters
        On `scale`: error of the study, of the finite number of virtual people, and of the parameters of the cells.
    printed
        Whether `se_study` was made of what the source printed: an interval, SE, SD with n, or an exact p value. Errors of both
        ends of a change only bound it.
    z
        Normal score of the observed number: what of a normal distribution lies as far out as it does in the predictive
        distribution. With `freedom` unlimited (observed - predicted) / sqrt(se_study^2 + se_cohort^2 + se_parameters^2), on
        `scale`; otherwise that distance follows Student's t. Of shares half of the chance of just this count is on either side.
    inside
        Whether the observed number is in the interval.
    freedom
        Degrees of freedom behind the whole error (Welch and Satterthwaite); None where it is as good as known.
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
    freedom: float | None = None


@dataclass(frozen=True)
class Errors:
    """Errors on the scale of comparison, and how well they are known themselves.

    Attributes
    ----------
    study, cohort, parameters
        Of the study, of the finite number of virtual people, and of the parameters of the cells.
    printed
        Whether that of the study was made of what the source printed.
    freedom
        Degrees of freedom behind that of the study: an SD of eight people is itself a guess.
    draws
        Sets of parameters behind that of the parameters.
    """

    study: float
    cohort: float
    parameters: float = 0.0
    printed: bool = False
    freedom: float = math.inf
    draws: int = 0

    @property
    def total(self) -> float:
        """The whole error."""
        return math.sqrt(self.study**2 + self.cohort**2 + self.parameters**2)

    @property
    def total_freedom(self) -> float:
        """Degrees of freedom behind the whole error, after Welch and Satterthwaite."""
        loose = self.study**4 / self.freedom + (self.parameters**4 / self.draws if self.draws else 0.0)
        return max(self.total**4 / loose, _LEAST_FREEDOM) if loose > 0.0 else math.inf


def compare_prediction(
    record: Record, readout: Readout, arm: StudyArm, expected: float, number: float, errors: Errors, anchored: bool
) -> Prediction:
    """Compare a number: `expected`, `number` and the errors on the scale of comparison."""
    total, freedom = errors.total, errors.total_freedom
    z = normal_score((number - expected) / total, freedom) if total > 0 else math.nan
    half = student(Z90, freedom) * total
    bounds = (expected, expected - half, expected + half, number)
    predicted, low, high, observed = (_natural(x, record, readout) for x in bounds)
    form = "change" if anchored else readout.form
    # A change on the scale of logarithms is a ratio to the start.
    unit = "1" if anchored and readout.scale == "log" else record.unit
    if contrasts(record) and readout.event is None:
        form += ", between"
    return Prediction(
        record.id, record.study, record.family, record.endpoint, record.arm, form, record.weeks or 0.0, unit,
        record.n, readout.scale, anchored, observed, predicted, low, high, errors.study, errors.cohort, errors.parameters,
        errors.printed, z, abs(z) <= Z90, _note(arm, readout), freedom if math.isfinite(freedom) else None,
    )  # fmt: skip


def _natural(x: float, record: Record, readout: Readout) -> float:
    if readout.scale != "log":
        return x
    return 100.0 * (math.exp(x) - 1.0) if record.kind == "percent" else math.exp(x)


def share_of(
    record: Record,
    readout: Readout,
    share: float,
    people: float,
    arm: StudyArm,
    parameters: float = 0.0,
    draws: int = 0,
) -> Prediction:
    """Compare counts: the predictive interval is beta-binomial, for the share is known from so many virtual people.

    Parameters
    ----------
    people
        Virtual people behind the share: as many as would leave it as uncertain if each were counted once.
    parameters, draws
        SD of the share between so many sets of parameters.
    """
    from scipy import stats

    n = _counted_people(record)
    mean = (share * people + 0.5) / (people + 1.0)
    spread = math.sqrt(mean * (1.0 - mean) / (people + 2.0))
    # A beta law with this mean, as wide as the cohort and the parameters leave the share uncertain.
    wide = parameters * student(Z90, float(draws)) / Z90 if draws else parameters
    weight = max(mean * (1.0 - mean) / (spread**2 + wide**2) - 1.0, _LEAST_WEIGHT)
    count = round((record.value or 0.0) * n)
    law = stats.betabinom(n, mean * weight, (1.0 - mean) * weight)
    low, high = (float(law.ppf(level)) / n for level in (0.05, 0.95))
    error = math.sqrt(mean * (1.0 - mean) / n)
    return Prediction(
        record.id, record.study, record.family, record.endpoint, record.arm, "share", record.weeks or 0.0, record.unit,
        record.n, "share", False, count / n, share, low, high, error, spread, parameters, False, _score(count, n, law),
        low - 1e-9 <= count / n <= high + 1e-9, _note(arm, readout),
    )  # fmt: skip


def _counted_people(record: Record) -> int:
    """Return the people behind a published share: fewer than there were where its printed interval is wider than a count's.

    So are cumulative incidences of people who are lost on the way.
    """
    n, spread, share = record.n or 1, record.dispersion, record.value or 0.0
    if spread is None or spread.type != "CI95" or spread.width <= 0.0 or not 0.0 < share < 1.0:
        return n
    return max(1, min(n, round(share * (1.0 - share) / error_of_interval(spread.low, spread.high) ** 2)))


def _score(count: int, n: int, law: Any) -> float:
    """Return the normal score of a count, half of its own chance on either side."""
    import numpy as np
    from scipy import stats

    chances = law.pmf(np.arange(n + 1))
    # From the nearer end: a small rest of one would be lost to rounding.
    below, above = float(chances[:count].sum()), float(chances[count + 1 :].sum())
    tail = max(min(below, above) + 0.5 * float(chances[count]), _LEAST_CHANCE)
    return math.copysign(float(stats.norm.isf(min(tail, 0.5))), below - above)


def _note(arm: StudyArm, readout: Readout) -> str:
    return "; ".join(text for text in (arm.note, readout.note) if text)
