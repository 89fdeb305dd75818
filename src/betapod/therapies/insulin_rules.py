"""The rule by which people who inject insulin change their dose, said in words: it decides whether a treatment shows in HbA1c or in the dose."""

from __future__ import annotations

from collections.abc import Iterable

from .standard_care import Therapy

#: Therapies that are rules of insulin, not drugs.
TITRATED, WEANED, FIXED = "titrated insulin", "insulin weaned below", "fixed-dose insulin"
_NAMES = (TITRATED, WEANED, FIXED)


def rule_of_insulin(therapies: Iterable[Therapy], titrates: bool) -> str:
    """Return in words which rule acts on somebody's insulin dose; empty where nobody titrates and no rule is named.

    Parameters
    ----------
    therapies
        What is given.
    titrates
        Whether the person titrates insulin before anything is given.

    Returns
    -------
    str
        Such as ``insulin is titrated to a target, so that what lowers glucose lowers the dose and HbA1c stays``.
    """
    rules = {drug.name: drug for drug in therapies if drug.name in _NAMES}
    if FIXED in rules and (titrates or TITRATED in rules):
        return "the insulin dose stays fixed, so that what lowers glucose lowers HbA1c"
    if not titrates and TITRATED not in rules:
        return ""
    if WEANED in rules:
        limit = f"{rules[WEANED].dose:g} {rules[WEANED].dose_unit}"
        return f"insulin is lowered only below a mean glucose of {limit}, so that what lowers glucose lowers HbA1c until there"
    return "insulin is titrated to a target, so that what lowers glucose lowers the dose and HbA1c stays"


def other_rules() -> str:
    """Return how another rule is ordered, for those who want to see HbA1c move."""
    return f"for another rule order '{FIXED}' or '{WEANED} 7 mmol/L'"
