"""Metabolic targets of populations drawn from the priors: prevention of diabetes, failure of single drugs."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from ...base.constants import DAYS_PER_YEAR, MINUTES_PER_DAY
from ...base.randomness import Stream
from ...engine.draw import draw_parameters
from ...engine.ensemble import Ensemble
from ...engine.schedule import Dose, Schedule
from ...observables.table import observables
from ...person.glucose_tests import RELAXATION
from ...person.typical import person
from ...physiology import whole_body
from .metabolism_tests import drug_inputs
from .procedure import procedure

Numbers = NDArray[np.float64]

_PEOPLE, _SEED = 600, 1
_YEAR = DAYS_PER_YEAR
#: Measurement noise, SD of the logarithm: fasting and 2-h glucose.
_NOISE_FASTING = observables()["FPG"].error_in("prediabetes").share
_NOISE_2H = observables()["glucose_2h"].relative_error
#: Who was let in, and what counts as diabetes, mmol/L.
_SCREEN_FASTING, _SCREEN_2H = (5.3, 7.0), (7.8, 11.1)
_DIABETES_FASTING, _DIABETES_2H = 7.0, 11.1


@functools.cache
def _day() -> Ensemble:
    model = whole_body.named_model("metabolism")
    return Ensemble(model, (*model.state_names, "FPG", "insulin_morning", "insulin_liver_morning", "dawn_EGP"))


@functools.cache
def _minutes() -> Ensemble:
    return Ensemble(whole_body.named_model("metabolism_fast"), ("G",))


def _two_hours(people: dict[str, Numbers], row: dict[str, Numbers]) -> Numbers:
    """Return glucose two hours after 75 g by mouth, in the state that the day layer is in."""
    model = _minutes().model
    model_names = {*model.parameters, *model.inputs}
    columns = {name: values for name, values in {**people, **row}.items() if name in model_names}
    start = {
        "G": row["FPG"],
        "insulin": row["insulin_morning"],
        "insulin_muscle": row["insulin_morning"],
        "insulin_liver": row["insulin_liver_morning"],
    }
    meal = Schedule(doses=(Dose("Q_stomach", 75.0, RELAXATION / MINUTES_PER_DAY),))
    end = (RELAXATION + 120.0) / MINUTES_PER_DAY
    values: Numbers = _minutes().run(columns, [end], meal, start).values[:, 0, 0]
    return values


def _row(values: Numbers, visit: int) -> dict[str, Numbers]:
    return {name: values[:, visit, i] for i, name in enumerate(_day().outputs)}


def _follow(
    people: dict[str, Numbers], days: Numbers | list[float], start: dict[str, Numbers] | None = None
) -> Numbers:
    """Run the day layer, which knows nothing of how fast a meal is absorbed."""
    model = _day().model
    model_names = {*model.parameters, *model.inputs}
    values: Numbers = (
        _day().run({name: column for name, column in people.items() if name in model_names}, days, None, start).values
    )
    return values


def _take(columns: dict[str, Numbers], kept: NDArray[np.bool_]) -> dict[str, Numbers]:
    return {name: values[kept] for name, values in columns.items()}


def _grown(name: str, years: float) -> tuple[dict[str, Numbers], dict[str, Numbers]]:
    """Return values and states of people drawn around a typical one, after so many years of that person's history."""
    people = {key: np.full(_PEOPLE, value) for key, value in person(name).values.items()}
    people.update(draw_parameters(whole_body.model_parameters("metabolism"), _SEED, range(_PEOPLE)))
    # A person's own change of weight belongs to the years that are looked at.
    before = {**people, "dWt_own": np.zeros(_PEOPLE)}
    return people, _row(_follow(before, [0.0, years * _YEAR]), 1)


@functools.cache
def _screened() -> tuple[dict[str, Numbers], dict[str, Numbers], NDArray[np.int64]]:
    """Return values and states of those with prediabetes who are let in, and their numbers."""
    people, row = _grown("prediabetes", 4.0)
    fasting, after = row["FPG"], _two_hours(people, row)
    eligible = (
        (fasting >= _SCREEN_FASTING[0])
        & (fasting < _SCREEN_FASTING[1])
        & (after >= _SCREEN_2H[0])
        & (after < _SCREEN_2H[1])
    )
    return _take(people, eligible), _take(row, eligible), np.flatnonzero(eligible)


def _measured(true: Numbers, cv: float, purpose: str, patients: NDArray[np.int64], visit: int) -> Numbers:
    from scipy.special import ndtri

    noise: Numbers = ndtri(Stream(_SEED, f"validate:{purpose}", visit).uniform(patients))
    return true * np.exp(cv * noise)


def _incidence(**care: float) -> float:
    """Return new cases per 100 person-years over 3 years: fasting glucose half-yearly, tolerance test yearly, each confirmed by a repeat."""
    people, start, numbers = _screened()
    people = {**people, **{name: np.full(len(numbers), value) for name, value in care.items()}}
    states = {name: start[name] for name in _day().model.state_names}
    visits = np.arange(0.5, 3.01, 0.5)
    values = _follow(people, visits * _YEAR, states)
    free = np.ones(len(numbers), dtype=bool)
    years = cases = 0.0
    for visit, time in enumerate(visits):
        row = _row(values, visit)
        diagnosed = _above(row["FPG"], _DIABETES_FASTING, _NOISE_FASTING, "fasting", numbers, visit)
        if time == round(time):
            diagnosed |= _above(_two_hours(people, row), _DIABETES_2H, _NOISE_2H, "two hours", numbers, visit)
        years += 0.5 * float(free.sum())
        cases += float((free & diagnosed).sum())
        free &= ~diagnosed
    return 100.0 * cases / years


def _above(
    true: Numbers, threshold: float, cv: float, purpose: str, numbers: NDArray[np.int64], visit: int
) -> NDArray[np.bool_]:
    first, repeat = (_measured(true, cv, f"{purpose} {k}", numbers, visit) >= threshold for k in (1, 2))
    return first & repeat


@procedure
def dpp() -> dict[str, float]:
    """600 people around the typical one with prediabetes, drawn from the starting priors, grown for 4 years, let in at 5.3 to 7.0 fasting
    and 7.8 to 11.1 mmol/L at 2 h; 3 years untreated, on metformin 2 g or 5.6 kg lighter on average. Fasting glucose half-yearly and a tolerance
    test yearly with measurement noise of 6.2 and 14 %, confirmed by a repeat. Thresholds and weight loss are recalled.
    """
    return {
        "placebo": _incidence(),
        "metformin": _incidence(**drug_inputs("metformin 2 g")),
        "lifestyle": _incidence(dWt=-5.6),
        "screened": float(len(_screened()[2])),
    }


@procedure
def adopt_failure() -> dict[str, float]:
    """600 people around the typical one with T2D, drawn from the starting priors, after 10 years of history; let in at 7 to 10 mmol/L
    fasting (recalled); share whose fasting glucose is above 10 mmol/L at any yearly visit in 5 years on one drug at its full dose.
    """
    people, row = _grown("t2d", 10.0)
    eligible = (row["FPG"] >= 7.0) & (row["FPG"] <= 10.0)
    people, row = _take(people, eligible), _take(row, eligible)
    states = {name: row[name] for name in _day().model.state_names}
    drugs = {"rosiglitazone": "rosiglitazone 8 mg", "metformin": "metformin 2 g", "glyburide": "glyburide 10 mg"}
    results = {}
    fasting = _day().outputs.index("FPG")
    for name, text in drugs.items():
        effects = {key: np.full(int(eligible.sum()), value) for key, value in drug_inputs(text).items()}
        treated = {**people, **effects}
        values = _follow(treated, np.arange(1.0, 6.0) * _YEAR, states)[:, :, fasting]
        results[name] = 100.0 * float((values > 10.0).any(axis=1).mean())
    return results
