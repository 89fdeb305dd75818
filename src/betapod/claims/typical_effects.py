"""Courses of cells in typical people, with every mechanism at work: what the answer shows beside published effects."""

from __future__ import annotations

from collections.abc import Sequence

from ..observables.table import observables
from .claim_outcome import Outcome

#: What is infused where the reader does not say, and what is grafted: two treatments that are never mixed.
INFUSED = "UC-MSC 1e6/kg iv x3 q28d"
GRAFTED = "SC-islets 0.8e9 pv"
#: Who is simulated where the reader does not say, with what is given to whom.
COURSES = (("t2d_micro", INFUSED), ("t2d_ckd", INFUSED), ("t1d", INFUSED), ("t1d", GRAFTED))
#: What is compared between treated and untreated: in per cent where changes of the observable are ratios, else as a difference.
QUANTITIES = ("eGFR", "UACR", "HbA1c", "insulin_dose")
YEARS = 1.0


def typical_outcomes(courses: Sequence[tuple[str, str]] = COURSES) -> dict[str, Outcome]:
    """Return what is simulated, by the name under which results are kept: each quantity of each course, and the eGFR of each person.

    Nothing is claimed of them: `claimed` stands for nothing, and there is no lever. The eGFR without cells is that with cells
    that do no good.

    Parameters
    ----------
    courses
        Person and order of each.
    """
    outcomes = {}
    for person, course in dict.fromkeys(courses):
        for quantity in QUANTITIES:
            measure = "percent" if observables()[quantity].link == "log" else "difference"
            outcomes[f"typical {person}, {course}: {quantity}"] = _outcome(quantity, person, measure, course)
    for person in dict.fromkeys(person for person, _ in courses):
        outcomes[f"typical {person}: eGFR"] = _outcome("eGFR", person, "level", INFUSED)
    return outcomes


def _outcome(quantity: str, person: str, measure: str, course: str) -> Outcome:
    return Outcome(quantity, person, YEARS, measure, 1.0, course, switches=("all",))
