"""History of other disease that people bring along: cardiovascular disease and heart failure, as told in NHANES; who loses nephrons by acute kidney injury; and
who dies.

A person's own uniform number decides at every age, so that a person who has had a heart attack at 60 has had it at 70.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..base.randomness import Stream
from ..hazards.kidney_injury import lost_share
from ..hazards.outcome_rates import aki_rate, death_rate
from ..hazards.risk import RiskProfile, cvd_log_odds
from .population import Numbers, People, population_constant


def cardiovascular_disease(people: People, age: Numbers, diabetes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return who has a history of coronary disease, heart attack or stroke at an age (year)."""
    log_odds = cvd_log_odds(age, people.traits["female"])
    log_odds = log_odds + np.where(diabetes, 0.0, population_constant("cvd_without_diabetes"))
    log_odds = log_odds + population_constant("cvd_of_survivors")
    return np.asarray(people.uniform("cardiovascular disease") < _chance(log_odds))


def heart_failure(
    people: People, age: Numbers, diabetes: NDArray[np.bool_], cvd: NDArray[np.bool_], true: Mapping[str, Numbers]
) -> NDArray[np.bool_]:
    """Return who has a history of heart failure, by age (year), cardiovascular disease, ``egfr`` (mL/min/1.73m2) and ``uacr`` (mg/g)."""
    log_odds = population_constant("hf_log_odds") + population_constant("hf_per_year") * (age - 65.0)
    log_odds = log_odds + population_constant("hf_with_cvd") * cvd
    log_odds = log_odds + population_constant("hf_per_egfr") * np.maximum(60.0 - true["egfr"], 0.0) / 10.0
    log_odds = log_odds + population_constant("hf_per_uacr") * np.log(np.clip(true["uacr"], 3.0, 3000.0) / 10.0)
    log_odds = log_odds + np.where(diabetes, 0.0, population_constant("hf_without_diabetes"))
    log_odds = log_odds + population_constant("hf_of_survivors")
    return np.asarray(people.uniform("heart failure") < _chance(log_odds))


def _chance(log_odds: Numbers) -> Numbers:
    result: Numbers = 1.0 / (1.0 + np.exp(-log_odds))
    return result


def lost_nephrons(people: People, age: Numbers, true: Mapping[str, Numbers], visit: int) -> Numbers:
    """Return the change of the logarithm of nephrons by acute kidney injury in the year before a visit at an age (year)."""
    rate = aki_rate(RiskProfile(age, people.traits["female"], true["egfr"], true["uacr"]))
    uniform = Stream(people.seed, "patients:acute kidney injury").uniform(people.numbers, visit)
    loss = np.log1p(-lost_share(people.seed, people.numbers))
    return np.where(uniform < -np.expm1(-rate), loss, 0.0)


def deaths(
    people: People, age: Numbers, year: Numbers, diabetes: NDArray[np.bool_], true: Mapping[str, Numbers], visit: int
) -> NDArray[np.bool_]:
    """Return who dies in the year after a visit at an age (year), by calendar year, kidneys and history."""
    cvd = cardiovascular_disease(people, age, diabetes)
    hf = heart_failure(people, age, diabetes, cvd, true)
    told = {"cvd": cvd.astype(np.float64), "hf": hf.astype(np.float64), "diabetes": diabetes.astype(np.float64)}
    rate = death_rate(age, people.traits["female"], true["egfr"], true["uacr"], **told, year=year)
    uniform = Stream(people.seed, "patients:death").uniform(people.numbers, visit)
    return np.asarray(uniform < -np.expm1(-rate))
