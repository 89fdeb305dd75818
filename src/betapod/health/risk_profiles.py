"""What events read of people of a library on a simulated course."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..base.constants import DAYS_PER_YEAR
from ..hazards.complications.prevalence import prevalent_states
from ..hazards.drug_hazards import hazard_class
from ..hazards.histories import histories
from ..hazards.outcome_rates import ON_DIALYSIS
from ..hazards.risk import RiskProfile
from ..hazards.risk_course import RiskCourse
from ..observables.formulas import MEAL_PER_FASTING
from ..observables.quantities import Numbers
from .healthy import lowers_glucose
from .read_outs import with_read_outs

if TYPE_CHECKING:
    import pandas as pd

#: What is measured at visits that events read, by PARAMCD.
READ_CODES = ("EGFR", "UACR", "HBA1C", "SBP", "WEIGHT", "INSDOSE", "CPEP", "GRAFTCP")
#: Classes of drugs that lower glucose, as people of a library take them.
_GLUCOSE_CLASSES = (
    "biguanide",
    "sulfonylurea",
    "thiazolidinedione",
    "DPP-4 inhibitor",
    "GLP-1 receptor agonist",
    "SGLT2 inhibitor",
)
#: nmol/L in one pmol/L.
_PMOL = 1e-3


def profile_on_course(
    table: pd.DataFrame, days: Numbers, course: Mapping[str, Numbers], failed: Numbers, year: float = 0.0
) -> RiskProfile:
    """Return the profile of people on a course.

    Parameters
    ----------
    table
        Of the library, one row per person; ages and durations are those of day 0.
    days
        (T,) from day 0.
    course
        Each of `READ_CODES` -> (people, T); NaN after kidney failure, where the last value is held.
    failed
        (people,) day of kidney failure; infinite without.
    year
        Calendar year of day 0; 0 for that of the table of rates.
    """
    values = {name: held(course[name]) for name in READ_CODES}
    cvd, hf, diabetes = histories(table)
    years = days / DAYS_PER_YEAR

    def column(name: str) -> Numbers:
        return np.asarray(table[name], dtype=np.float64)[:, None]

    return RiskProfile(
        age=column("age") + years,
        female=column("female"),
        egfr=np.where(days[None, :] >= failed[:, None], ON_DIALYSIS, values["EGFR"]),
        uacr=values["UACR"],
        cvd=cvd[:, None],
        hf=hf[:, None],
        diabetes=diabetes[:, None],
        type_1=column("T1D"),
        hba1c=values["HBA1C"],
        insulin_dose=values["INSDOSE"],
        c_peptide=MEAL_PER_FASTING * values["CPEP"] + _PMOL * values["GRAFTCP"],
        year=year + years if year else 0.0,
        sbp=values["SBP"],
        bmi=values["WEIGHT"] / (column("height") / 100.0) ** 2,
        duration=np.where(diabetes[:, None] > 0, known_duration(table)[:, None] + years, 0.0),
    )


def known_duration(table: pd.DataFrame) -> Numbers:
    """Return (people,) years since diagnosis; years since the onset in who does not know of it."""
    diagnosed, ill = (np.asarray(table[name], dtype=np.float64) for name in ("duration", "years_ill"))
    return np.where(np.isfinite(diagnosed), diagnosed, ill)


def held(values: Numbers) -> Numbers:
    """Return (people, T) values with the last known one held where there is none."""
    last_visit = np.where(np.isfinite(values), np.arange(values.shape[1]), 0)
    return np.asarray(np.take_along_axis(values, np.maximum.accumulate(last_visit, axis=1), axis=1))


def risk_course_of(
    table: pd.DataFrame,
    numbers: NDArray[np.int64],
    days: Numbers,
    course: Mapping[str, Numbers],
    failed: Numbers,
    intake: Mapping[str, Numbers] | None = None,
    dated: Mapping[str, Numbers] | None = None,
    besides: Mapping[str, Numbers] | None = None,
    harms: Mapping[str, Numbers | float] | None = None,
    seed: int = 1,
) -> RiskCourse:
    """Return the course of risk of people of a library, with cholesterol, haemoglobin, potassium and smoking read out.

    Complications that people have at the start are drawn by their chances; cardiovascular disease and heart failure are the library's.

    Parameters
    ----------
    table, days, course, failed
        As of `profile_on_course`.
    numbers, intake, dated, besides, harms
        As of `RiskCourse`.
    seed
        Of what is drawn for each person: the same under every strategy.
    """
    simulated = profile_on_course(table, days, course, failed)
    profile = with_read_outs(simulated, numbers, intake, seed)
    at_start = profile_at_start(profile, len(table))
    states = prevalent_states(at_start, numbers, seed)
    states["cvd"] = np.maximum(np.asarray(at_start.cvd), states.get("peripheral_artery_disease", 0.0))
    states["hf"] = np.asarray(at_start.hf)
    return RiskCourse(days, profile, numbers, states, failed, intake or {}, harms or {}, dated or {}, besides or {})


def profile_at_start(profile: RiskProfile, people: int) -> RiskProfile:
    """Return the (people,) profile of the first day."""

    def first(values: Numbers | float) -> Numbers:
        array = np.asarray(values, dtype=np.float64)
        return np.asarray(np.broadcast_to(array[..., 0] if array.ndim else array, (people,)))

    return RiskProfile(**{item.name: first(getattr(profile, item.name)) for item in fields(RiskProfile)})


def glucose_drug_shares(course: RiskCourse) -> Numbers:
    """Return (people, T) the share of the effect of the glucose-lowering drug that is taken most, other than insulin; for `healthy_on`."""
    share = np.zeros((course.people, len(course.days)))
    for drug, values in course.intake.items():
        if lowers_glucose(drug) or hazard_class(drug) in _GLUCOSE_CLASSES:
            share = np.maximum(share, values)
    return share
