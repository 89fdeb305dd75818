"""Cumulative hazards of outcomes on the courses of a pool, from enrolment on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...hazards.drug_hazards import drug_factors, taken_on
from ...hazards.event_times import cumulative_hazard
from ...hazards.harm_rates import deaths_apart
from ...hazards.outcome_rates import CAUSES, cause_rates
from ...health.risk_profiles import READ_CODES, profile_on_course
from ...observables.quantities import Numbers

if TYPE_CHECKING:
    from ...patients.library import Library
    from ...therapies.standard_care import Therapy


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
    measured = {name: course[name][:, after] for name in READ_CODES}
    profile = profile_on_course(people.table, days, measured, failed, year)
    rates = cause_rates(profile, drug_factors(taken_on(days + lead, background, added)))
    rates = deaths_apart(days, rates, profile.age)
    shape = (len(people), len(days))
    hazards = np.zeros((len(people), len(times), len(CAUSES)))
    for k, cause in enumerate(CAUSES):
        hazards[:, after, k] = cumulative_hazard(days, np.broadcast_to(rates[cause], shape))
    return hazards
