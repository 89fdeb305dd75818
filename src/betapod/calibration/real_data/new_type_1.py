"""C-peptide in the years after the diagnosis of type 1 diabetes, by age, against the model's people.

Lives have a visit at diagnosis and then once a year; between two visits the logarithm of a person's C-peptide is taken as straight. C-peptide after a
meal is that of `betapod.observables` (in proportion to the fasting one), measured once. The model's body is an adult's: nobody falls ill before 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.randomness import Stream
from ...observables.formulas import MEAL_PER_FASTING
from ...observables.table import observables
from ...patients.cohorts.comparison import weighted_quantile
from ..fit_rows import FitRows
from .model_people import LIVES, SEED, ModelPeople, errors_of_people, model_people
from .target_rows import TargetRow, compared_scale, fit_rows_of, read_target_rows

if TYPE_CHECKING:
    from ...validation.predictions.condition import Condition

Numbers = NDArray[np.float64]
#: Years after diagnosis of which visits are used.
_YEARS = 5
#: Least C-peptide that is told from none, nmol/L.
_LEAST = 0.003


class NewType1:
    """Rows of C-peptide by age and months since diagnosis.

    Attributes
    ----------
    name
        ``new type 1 diabetes``.
    rows
        Fitted, but those of people aged 18 to 30, who are kept for validation.

    Examples
    --------
    >>> from betapod.calibration.real_data.new_type_1 import NewType1
    >>> NewType1.name
    'new type 1 diabetes'
    """

    name = "new type 1 diabetes"

    def __init__(self, lives: int = LIVES) -> None:
        self.targets: tuple[TargetRow, ...] = read_target_rows("type_1_rows")
        self._lives = lives
        self.rows: FitRows = fit_rows_of(self.targets, self._errors_of_people())

    def predict(self, conditions: Sequence[Condition]) -> Numbers:
        """Return (K, n) what the model's people give, on the scale of the rows; NaN where too few are like what is asked."""
        return compared_scale([row.scale for row in self.targets], self.natural(conditions))

    def natural(self, conditions: Sequence[Condition | None]) -> Numbers:
        """Return (K, n) C-peptide in nmol/L; None stands for the package's tables."""
        result = np.full((len(conditions), len(self.targets)), np.nan)
        of_conditions = model_people(conditions, self._lives, new_type_1=True)
        for k, (condition, people) in enumerate(zip(conditions, of_conditions, strict=True)):
            weights = people.weights(condition.weighted if condition is not None else {})
            if not np.isfinite(weights).all():
                continue
            if condition is None:
                result[k] = c_peptide_after_diagnosis(self.targets, people, weights)
            else:
                with condition.holding():
                    result[k] = c_peptide_after_diagnosis(self.targets, people, weights)
        return result

    def _errors_of_people(self) -> Numbers:
        people = model_people([None], self._lives, new_type_1=True)[0]
        weights, numbers = people.weights({}), people.library.table["person"].to_numpy(dtype=np.int64)

        def without(kept: NDArray[np.bool_]) -> Numbers:
            natural = c_peptide_after_diagnosis(self.targets, people, np.where(kept, weights, 0.0))
            return compared_scale([row.scale for row in self.targets], natural)

        return errors_of_people(numbers, without)


def c_peptide_after_diagnosis(targets: Sequence[TargetRow], people: ModelPeople, weights: Numbers) -> Numbers:
    """Return quantiles of stimulated C-peptide (nmol/L) of people some months after diagnosis.

    Parameters
    ----------
    targets
        Rows with ``from`` and ``to`` (age at diagnosis, year) and ``months``.
    people
        Whose lives have a visit at diagnosis.
    weights
        (n,) one for each of their rows.

    Returns
    -------
    numpy.ndarray
        (targets,); NaN where nobody is of that age.
    """
    table = people.library.table
    year = np.round(table["years_ill"].to_numpy(dtype=np.float64)).astype(np.int64)
    followed = ((table["T1D"] == 1) & (year >= 0)).to_numpy() & (year <= _YEARS)
    numbers = table["person"].to_numpy(dtype=np.int64)[followed]
    persons, of_row = np.unique(numbers, return_inverse=True)
    courses = np.full((len(persons), _YEARS + 1), np.nan)
    fasting = np.maximum(table["true_c_peptide"].to_numpy(dtype=np.float64)[followed], 1e-6)
    courses[of_row, year[followed]] = np.log(MEAL_PER_FASTING * fasting)
    onset, weight = np.full(len(persons), np.nan), np.zeros(len(persons))
    first = year[followed] == 0
    onset[of_row[first]] = table["age"].to_numpy(dtype=np.float64)[followed][first]
    weight[of_row[first]] = weights[followed][first]
    error = observables()["stimulated_C_peptide"].relative_error
    result = np.full(len(targets), np.nan)
    for i, row in enumerate(targets):
        months = row.among["months"]
        before = int(months // 12)
        share = months / 12.0 - before
        log_value = (1.0 - share) * courses[:, before] + share * courses[:, before + 1]
        log_value = log_value + error * Stream(SEED, f"real data: meal {months:g}").normal(persons)
        used = np.isfinite(log_value) & (onset >= row.among["from"]) & (onset < row.among["to"]) & (weight > 0.0)
        if used.any():
            quantile = weighted_quantile(log_value[used], weight[used], row.level)
            result[i] = max(float(np.exp(quantile)), _LEAST)
    return result
