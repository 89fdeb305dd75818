"""Adults with diabetes in a survey: quantiles, rank correlations and shares of NHANES against the model's people.

People are compared given who they are: by the weights of traits first, and then, by entropy balancing from there, by age, sex and the share of
type 1 diabetes of the half of the survey that a row is of. Everything else (glucose, kidneys, pressure, weight, duration, who knows of it) is left
to the model: balancing it too would make any model agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...observables import kdigo
from ...patients.cohorts.comparison import spearman, weighted_quantile
from ...patients.cohorts.entropy_balancing import balance
from ...patients.cohorts.nhanes import ADULT, nhanes_target
from ..fit_rows import FitRows
from .model_people import LIVES, errors_of_people, model_people
from .target_rows import TargetRow, compared_scale, fit_rows_of, read_target_rows

if TYPE_CHECKING:
    import pandas as pd

    from ...validation.predictions.condition import Condition

Numbers = NDArray[np.float64]
#: Calendar years of the survey.
YEARS = (1999.0, 2017.0)
#: Part of NHANES by the word in a family's name.
_HALVES = {"odd": "calibration", "even": "test"}
#: What people are balanced by.
_GIVEN = ("age", "female", "T1D")
#: Quantities that are known of some only: those who know of their diabetes, those of them without insulin.
_OF_DIAGNOSED = ("duration", "c_peptide")
#: Oldest age that the survey writes down.
_OLDEST = 85.0


class SurveyPeople:
    """Rows of NHANES, predicted by the model's people.

    Attributes
    ----------
    name
        ``NHANES``.
    rows
        Rows of the calibration half, fitted, and of the other half, kept for validation.

    Examples
    --------
    >>> from betapod.calibration.real_data.survey_people import SurveyPeople
    >>> SurveyPeople.name
    'NHANES'
    """

    name = "NHANES"

    def __init__(self, lives: int = LIVES) -> None:
        self.targets: tuple[TargetRow, ...] = read_target_rows("survey_rows")
        self._lives = lives
        self.rows: FitRows = fit_rows_of(self.targets, self._errors_of_people())

    def predict(self, conditions: Sequence[Condition]) -> Numbers:
        """Return (K, n) what the model's people give, on the scale of the rows; NaN where too few are like what is asked."""
        return self._scaled(self.natural(conditions))

    def natural(self, conditions: Sequence[Condition | None]) -> Numbers:
        """Return (K, n) predictions on the natural scale; None stands for the package's tables."""
        result = np.full((len(conditions), len(self.targets)), np.nan)
        for k, (condition, people) in enumerate(zip(conditions, model_people(conditions, self._lives), strict=True)):
            weights = people.weights(condition.weighted if condition is not None else {})
            if np.isfinite(weights).all():
                result[k] = self._statistics(people.measured(condition), weights)
        return result

    def _scaled(self, natural: Numbers) -> Numbers:
        return compared_scale([row.scale for row in self.targets], natural)

    def _statistics(self, values: Mapping[str, Numbers], weights: Numbers) -> Numbers:
        result = np.empty(len(self.targets))
        halves: dict[str, Numbers] = {}
        for i, row in enumerate(self.targets):
            half = _HALVES[row.family.split()[1]]
            if half not in halves:
                halves[half] = as_in_survey(values, weights, half)
            result[i] = statistic_of(row, values, halves[half])
        return result

    def _errors_of_people(self) -> Numbers:
        people = model_people([None], self._lives)[0]
        values, weights = people.measured(), people.weights({})

        def without(kept: NDArray[np.bool_]) -> Numbers:
            return self._scaled(self._statistics(values, np.where(kept, weights, 0.0)))

        return errors_of_people(people.library.table["person"].to_numpy(dtype=np.int64), without)


def as_in_survey(values: Mapping[str, Numbers], weights: Numbers, half: str) -> Numbers:
    """Return weights under which ages, sexes and the share of type 1 diabetes are those of a half of the survey.

    Parameters
    ----------
    values
        Of `ModelPeople.measured`.
    weights
        (n,) to begin from; 0 for those who are left out.
    half
        ``calibration`` or ``test``.

    Returns
    -------
    numpy.ndarray
        (n,) with sum 1; 0 outside of the survey's years and ages.
    """
    import pandas as pd

    inside = (values["year"] >= YEARS[0]) & (values["year"] < YEARS[1]) & (values["age"] >= ADULT) & (weights > 0.0)
    rows = np.flatnonzero(inside)
    who = {name: values[name][rows] for name in _GIVEN}
    who["age"] = np.floor(np.minimum(who["age"], _OLDEST))
    columns, goal, tolerance = _age_and_sex(pd.DataFrame(who), half)
    result = np.zeros(len(weights))
    result[rows] = balance(columns, goal, tolerance, base=weights[rows]).weights
    return result


def _age_and_sex(table: pd.DataFrame, half: str) -> tuple[Numbers, Numbers, Numbers]:
    from dataclasses import replace

    target = nhanes_target(half)
    moments = tuple(m for m in target.moments if m.names[0] in _GIVEN and m.kind in ("quantile", "proportion"))
    return replace(target, moments=moments).columns(table)


def statistic_of(row: TargetRow, values: Mapping[str, Numbers], weights: Numbers) -> float:
    """Return what people give for a row, on its natural scale.

    Parameters
    ----------
    row
        A quantile, a share or a rank correlation.
    values
        Quantity -> (n,).
    weights
        (n,).

    Returns
    -------
    float
        NaN where nobody has what is asked.

    Raises
    ------
    ValueError
        The statistic is none of these.
    """
    of_row = weights
    for name in (row.endpoint, row.other):
        if name in _OF_DIAGNOSED:
            of_row = of_row * values["diagnosed"]
        if name == "c_peptide":
            of_row = of_row * (1.0 - values["insulin"])
    used = of_row > 0.0
    if not used.any():
        return float("nan")
    w = of_row[used]
    if row.statistic == "quantile" and row.endpoint == "duration":
        return _middle_quantile(values[row.endpoint][used], w, row.level)
    if row.statistic == "quantile":
        return float(weighted_quantile(values[row.endpoint][used], w, row.level))
    if row.statistic == "rank correlation":
        return spearman(values[row.endpoint][used], values[row.other][used], w)
    if row.statistic == "share" and row.endpoint == "KDIGO":
        inside = kdigo.grid(values["egfr"][used], values["uacr"][used]) == row.group
        return float(np.average(inside, weights=w))
    if row.statistic == "share":
        return float(np.average(values[row.endpoint][used], weights=w))
    raise ValueError(f"{row.record}: no statistic {row.statistic!r}")


def _middle_quantile(x: Numbers, weights: Numbers, level: float) -> float:
    """Return a quantile of whole numbers by the mid-distribution function, as the survey's was computed."""
    values, which = np.unique(x, return_inverse=True)
    mass = np.bincount(which, weights, minlength=len(values)) / weights.sum()
    return float(np.interp(level, np.cumsum(mass) - mass / 2.0, values))
