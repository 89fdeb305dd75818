"""The rule by which people who inject insulin change their dose, said in words: it decides whether a treatment shows in HbA1c or in the dose."""

from __future__ import annotations

from collections.abc import Iterable

from ..physiology import whole_body
from .standard_care import Therapy

#: Therapies that are rules of insulin, not drugs.
TITRATED, WEANED, FIXED = "titrated insulin", "insulin weaned below", "fixed-dose insulin"
_NAMES = (TITRATED, WEANED, FIXED)


def rule_of_insulin(therapies: Iterable[Therapy], titrates: bool, grafted: bool = False) -> str:
    """Return in words which rule acts on somebody's insulin dose; empty where nobody titrates and no rule is named.

    Parameters
    ----------
    therapies
        What is given.
    titrates
        Whether the person titrates insulin before anything is given.
    grafted
        Whether islets are given: with a working graft insulin aims at near-normal glucose.

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
        rule = f"insulin is lowered only below a mean glucose of {limit}, so that what lowers glucose lowers HbA1c until there"
        return f"{rule}; {_with_graft()}" if grafted else rule
    if grafted:
        return f"insulin is titrated to a target; {_with_graft()}"
    return "insulin is titrated to a target, so that what lowers glucose lowers the dose and HbA1c stays"


def _with_graft() -> str:
    aim = whole_body.model_parameters("metabolism")["HbA1c_aim_grafted"]
    return f"while a graft works it aims at an HbA1c of {aim.value:g} {aim.unit} or the person's own lower target, so that HbA1c falls with the dose"


def other_rules() -> str:
    """Return how another rule is ordered, for those who want to see HbA1c move."""
    return f"for another rule order '{FIXED}' or '{WEANED} 7 mmol/L'"
