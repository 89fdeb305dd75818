"""Cumulative hazards of outcomes on the courses of a pool, from enrolment on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.constants import DAYS_PER_YEAR
from ...hazards.drug_hazards import drug_factors, taken_on
from ...hazards.event_times import cumulative_hazard
from ...hazards.harm_rates import deaths_apart
from ...hazards.histories import histories
from ...hazards.outcome_rates import CAUSES, ON_DIALYSIS, cause_rates
from ...hazards.risk import RiskProfile
from ...observables.formulas import MEAL_PER_FASTING
from ...observables.quantities import Numbers

if TYPE_CHECKING:
    from ...patients.library import Library
    from ...therapies.standard_care import Therapy

#: nmol/L in one pmol/L.
_PMOL = 1e-3


def course_hazards(
    people: Library,
    times: Numbers,
    course: Mapping[str, Numbers],
    failed: Numbers,
    background: Mapping[str, NDArray[np.bool_]],
    added: Sequence[Iterable[Therapy]],
    lead: float,
    year: float = 0.0,
) -> Numbers:
    """Return (people, T, causes) cumulative hazard from enrolment on, in the order of `hazards.outcome_rates.CAUSES`; 0 before.

    Parameters
    ----------
    times
        (T,) days from enrolment.
    course
        PARAMCD -> (people, T); NaN after kidney failure.
    failed
        (people,) day of kidney failure; infinite without.
    background, added
        What people take already, and what they are given, on the clock of the therapies, which begins `lead` days before enrolment.
    year
        Calendar year of enrolment; 0 for that of the table of rates.
    """
    after = times >= 0.0
    days = times[after]
    values = {name: _held(course[name][:, after]) for name in ("EGFR", "UACR", "HBA1C", "INSDOSE", "CPEP", "GRAFTCP")}
    over = days[None, :] >= failed[:, None]
    table = people.table
    cvd, hf, diabetes = histories(table)
    profile = RiskProfile(
        age=table["age"].to_numpy(dtype=np.float64)[:, None] + days / DAYS_PER_YEAR,
        female=table["female"].to_numpy(dtype=np.float64)[:, None],
        egfr=np.where(over, ON_DIALYSIS, values["EGFR"]),
        uacr=values["UACR"],
        cvd=cvd[:, None],
        hf=hf[:, None],
        diabetes=diabetes[:, None],
        type_1=table["T1D"].to_numpy(dtype=np.float64)[:, None],
        hba1c=values["HBA1C"],
        insulin_dose=values["INSDOSE"],
        year=year + days / DAYS_PER_YEAR if year else 0.0,
        c_peptide=MEAL_PER_FASTING * values["CPEP"] + _PMOL * values["GRAFTCP"],
    )
    rates = cause_rates(profile, drug_factors(taken_on(days + lead, background, added)))
    rates = deaths_apart(days, rates, profile.age)
    shape = (len(table), len(days))
    hazards = np.zeros((len(table), len(times), len(CAUSES)))
    for k, cause in enumerate(CAUSES):
        hazards[:, after, k] = cumulative_hazard(days, np.broadcast_to(rates[cause], shape))
    return hazards


def _held(values: Numbers) -> Numbers:
    """Return values with the last known one held where there is none."""
    last_visit = np.where(np.isfinite(values), np.arange(values.shape[1]), 0)
    return np.asarray(np.take_along_axis(values, np.maximum.accumulate(last_visit, axis=1), axis=1))
