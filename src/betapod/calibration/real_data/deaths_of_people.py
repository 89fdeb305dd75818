"""Deaths of people with diabetes against the hazards in the model's people: by kidney disease in NHANES, after diagnosis in Denmark.

A person's life goes on, year by year, with the kidneys, age and history of then: hazards of every year until the end of follow-up are added up, and
nobody's drawn death is counted but for ending the life. In NHANES people are balanced by age and sex within each class of kidney disease.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...hazards.outcome_rates import death_rate
from ...observables import kdigo
from ...patients.cohorts.entropy_balancing import balance
from ..fit_rows import FitRows
from .model_people import LIVES, ModelPeople, errors_of_people, model_people
from .survey_people import YEARS
from .target_rows import TargetRow, compared_scale, fit_rows_of, read_target_rows

if TYPE_CHECKING:
    from ...validation.predictions.condition import Condition

Numbers = NDArray[np.float64]
#: Calendar year in which the follow-up of NHANES ends; years of the Danish register.
_UNTIL = 2020.0
_REGISTER = (1995.0, 2010.0)
#: People of whom no share is computed, because they are fewer.
_FEWEST = 20
#: Bounds of eGFR (mL/min/1.73m2) of the classes of NHANES.
_EGFR = {"eGFR from 60": (60.0, np.inf), "eGFR 30 to 59": (30.0, 60.0), "eGFR below 30": (0.0, 30.0)}


class DeathsOfPeople:
    """Rows of deaths, and of the start of insulin.

    Attributes
    ----------
    name
        ``deaths``.
    rows
        Those of odd cycles of NHANES may be fitted; even cycles and the register are kept for validation.

    Examples
    --------
    >>> from betapod.calibration.real_data.deaths_of_people import DeathsOfPeople
    >>> DeathsOfPeople.name
    'deaths'
    """

    name = "deaths"

    def __init__(self, lives: int = LIVES) -> None:
        self.targets: tuple[TargetRow, ...] = (*read_target_rows("survey_deaths"), *read_target_rows("register_rows"))
        self._lives = lives
        self.rows: FitRows = fit_rows_of(self.targets, self._errors_of_people())

    def predict(self, conditions: Sequence[Condition]) -> Numbers:
        """Return (K, n) what the model's people give, on the scale of the rows; NaN where too few are like what is asked."""
        return self._scaled(self.natural(conditions))

    def natural(self, conditions: Sequence[Condition | None]) -> Numbers:
        """Return (K, n) deaths per 1000 person-years, and shares; None stands for the package's tables."""
        result = np.full((len(conditions), len(self.targets)), np.nan)
        for k, (condition, people) in enumerate(zip(conditions, model_people(conditions, self._lives), strict=True)):
            weights = people.weights(condition.weighted if condition is not None else {})
            if np.isfinite(weights).all():
                result[k] = self._statistics(people, people.measured(condition), weights)
        return result

    def _scaled(self, natural: Numbers) -> Numbers:
        return compared_scale([row.scale for row in self.targets], natural)

    def _statistics(
        self, people: ModelPeople, values: Mapping[str, Numbers], weights: Numbers, fewest: int = _FEWEST
    ) -> Numbers:
        rates = yearly_death_rates(people)
        return np.array([
            of_register(row, people, rates, weights, fewest)
            if "years" in row.among
            else of_survey(row, people, rates, values, weights)
            for row in self.targets
        ])  # fmt: skip

    def _errors_of_people(self) -> Numbers:
        people = model_people([None], self._lives)[0]
        values, weights = people.measured(), people.weights({})

        def without(kept: NDArray[np.bool_]) -> Numbers:
            # Few people are no reason to say nothing of the error that they bring.
            return self._scaled(self._statistics(people, values, np.where(kept, weights, 0.0), fewest=1))

        return errors_of_people(people.library.table["person"].to_numpy(dtype=np.int64), without)


def yearly_death_rates(people: ModelPeople) -> Numbers:
    """Return (n,) hazards of death per year in the year after every visit."""
    table = people.library.table
    names = ("age", "female", "true_egfr", "true_uacr", "cvd", "hf", "diabetes", "year")
    age, female, egfr, uacr, cvd, hf, diabetes, year = (table[name].to_numpy(dtype=np.float64) for name in names)
    return np.asarray(death_rate(age, female, egfr, uacr, cvd, hf, diabetes, year=year), dtype=np.float64)


def of_survey(
    row: TargetRow, people: ModelPeople, rates: Numbers, values: Mapping[str, Numbers], weights: Numbers
) -> float:
    """Return deaths per 1000 person-years of a class of kidney disease, from the examination to the end of 2019."""
    low, high = _EGFR[row.group.rpartition(", ")[0]]
    albuminuria = kdigo.A_NAMES.index(row.group.rpartition(", ")[2])
    examined = (values["year"] >= YEARS[0]) & (values["year"] < YEARS[1]) & (values["age"] >= 20.0) & (weights > 0.0)
    examined &= (values["egfr"] >= low) & (values["egfr"] < high) & (kdigo.a_number(values["uacr"]) == albuminuria)
    if not examined.any():
        return float("nan")
    rows = np.flatnonzero(examined)
    age, spread = values["age"][rows], row.among["age SD"]
    columns = np.column_stack([age, (age - row.among["age"]) ** 2, values["female"][rows]])
    goal = np.array([row.among["age"], spread**2, row.among["women"]])
    tolerance = np.array([0.2, 0.1 * spread**2, 0.01])
    balanced = balance(columns, goal, tolerance, base=weights[rows]).weights
    hazards, years = _followed(people, rates)
    return 1000.0 * float(balanced @ hazards[rows]) / float(balanced @ years[rows])


def _followed(people: ModelPeople, rates: Numbers) -> tuple[Numbers, Numbers]:
    """Return hazards and years from every visit on until the end of follow-up, or of the life."""
    table = people.library.table
    person = table["person"].to_numpy(dtype=np.int64)
    counted = (table["year"].to_numpy(dtype=np.float64) < _UNTIL).astype(np.float64)
    # Rows of a person follow each other: what is still to come is the person's sum less what was before.
    starts = np.flatnonzero(np.concatenate([[True], person[1:] != person[:-1]]))
    which = np.cumsum(np.concatenate([[True], person[1:] != person[:-1]])) - 1

    def still_to_come(x: Numbers) -> Numbers:
        before = np.cumsum(x) - x
        total = np.add.reduceat(x, starts)
        return np.asarray(total[which] - (before - before[starts][which]), dtype=np.float64)

    return still_to_come(rates * counted), np.maximum(still_to_come(counted), 1e-9)


def of_register(row: TargetRow, people: ModelPeople, rates: Numbers, weights: Numbers, fewest: int = _FEWEST) -> float:
    """Return the share that died, or began insulin, within some years of diagnosis; NaN where fewer people than so many were followed."""
    table = people.library.table
    duration = table["duration"].to_numpy(dtype=np.float64)
    at_diagnosis = np.floor(table["age"].to_numpy(dtype=np.float64)) - duration
    year = table["year"].to_numpy(dtype=np.float64)
    counted_rows = (
        (table["diagnosed"] == 1).to_numpy() & (at_diagnosis >= row.among["from"]) & (at_diagnosis < row.among["to"])
    )
    counted_rows &= (year - duration >= _REGISTER[0]) & (year < _REGISTER[1]) & (weights > 0.0)
    years = int(row.among["years"])
    if row.endpoint == "insulin":
        injects = table["insulin"].groupby(table["person"]).cummax().to_numpy(dtype=np.float64)
        used = counted_rows & (duration == years)
        return float(np.average(injects[used], weights=weights[used])) if used.sum() >= fewest else float("nan")
    alive = 1.0
    for k in range(years):
        used = counted_rows & (duration == k)
        if used.sum() < fewest:
            return float("nan")
        alive *= 1.0 - float(np.average(-np.expm1(-rates[used]), weights=weights[used]))
    return 1.0 - alive
