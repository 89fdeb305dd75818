"""What a drug is not given with: a kidney that filters too little, another drug of its class, a class that excludes it."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..base.errors import Problem
from .drug_catalogue import ClassExclusion, class_of_drug, exclusion_between, read_rows
from .standard_care import Therapy


@dataclass(frozen=True)
class Withheld:
    """A drug that was ordered and is not given, and why."""

    drug: Therapy
    reason: str


@functools.cache
def drug_limits() -> tuple[dict[str, str], ...]:
    """Return the limits of drugs and classes by values of a person, as rows of text."""
    return read_rows("standard_care_limits.csv")


@functools.cache
def limit_edges(quantity: str) -> tuple[float, ...]:
    """Return the values of a quantity at which some limit of a drug or class begins or ends, increasing."""
    ends = {
        float(row[end]) for row in drug_limits() if row["quantity"] == quantity for end in ("low", "high") if row[end]
    }
    return tuple(sorted(ends))


def _crossed(drug: Therapy, values: Mapping[str, float]) -> Iterator[dict[str, str]]:
    """Give the limits of a drug or its class that a person's values lie beyond."""
    for row in drug_limits():
        if row["therapy"] in (drug.name, drug.drug_class) and row["quantity"] in values:
            low = float(row["low"] or -math.inf)
            high = float(row["high"] or math.inf)
            if not low <= values[row["quantity"]] <= high:
                yield row


def _together(first: Therapy, second: Therapy) -> bool:
    return first.start < second.stop and second.start < first.stop


def contraindications(therapies: Iterable[Therapy], values: Mapping[str, float]) -> tuple[list[Problem], list[str]]:
    """Return contraindications as problems, and cautions as sentences, for a person with these values at the start.

    Parameters
    ----------
    values
        Such as ``{"GFR": 28}``; what is missing is not judged. Therapies are judged beside each other, too.
    """
    prescribed = list(therapies)
    errors, cautions = [], []
    for drug in prescribed:
        for row in _crossed(drug, values):
            value = values[row["quantity"]]
            where = f"{row['quantity']} is {value:g}; {row['source']}, {row['locator']}"
            text = f"{drug.name}: {row['message']} ({where})"
            if row["severity"] == "error":
                errors.append(Problem("contraindicated", text, found=f"{row['quantity']} = {value:g}"))
            else:
                cautions.append(text)
    for first, second in itertools.combinations(prescribed, 2):
        if not _together(first, second):
            continue
        if first.drug_class and first.drug_class == second.drug_class:
            text = f"{second.label} beside {first.label}: both are of the class {first.drug_class!r}, of which a person takes one"
            errors.append(Problem("same-class", text, hint="Stop one first, or order one of them."))
        elif exclusion := exclusion_between(first.drug_class, second.drug_class):
            text = f"{second.label} beside {first.label}: {_because(exclusion)}"
            if exclusion.severity == "error":
                errors.append(Problem("not-together", text, hint="Stop one first, or order one of them."))
            else:
                cautions.append(text)
    return errors, cautions


def _because(exclusion: ClassExclusion) -> str:
    source = f" ({exclusion.source}, {exclusion.locator})" if exclusion.source else ""
    return exclusion.message + source


def allowed_drugs(
    drugs: Iterable[Therapy], already: Sequence[str], values: Mapping[str, float], as_ordered: bool = False
) -> tuple[tuple[Therapy, ...], tuple[Withheld, ...]]:
    """Return which of the drugs that are ordered for a person are given, and which are withheld, each with the drug that blocks it.

    Parameters
    ----------
    already
        Drugs and classes that the person takes already; one of the same class is not given again.
    values
        Of the person, for contraindications.
    as_ordered
        Give several of a class, and classes that exclude each other, where it is so ordered, as a published study may have done.

    Returns
    -------
    tuple
        Given, withheld. Of classes that are given together with caution, such as an ACE inhibitor and an ARB, neither is added to the other
        that is taken already; both are given where both are ordered.
    """
    allowed: list[Therapy] = []
    withheld: list[Withheld] = []
    for drug in drugs:
        reason = _blocked(drug, already, allowed, as_ordered)
        if not reason:
            reason = next((row["message"] for row in _crossed(drug, values) if row["severity"] == "error"), "")
        if reason:
            withheld.append(Withheld(drug, reason))
        else:
            allowed.append(drug)
    return tuple(allowed), tuple(withheld)


def _blocked(drug: Therapy, already: Sequence[str], ordered: Sequence[Therapy], as_ordered: bool) -> str:
    """Return which drug blocks another, in words; empty where none does."""
    for name in already:
        drug_class = class_of_drug(name)
        if name == drug.name or (drug_class and drug_class == drug.drug_class):
            same = "" if name in (drug.name, drug_class) else f" (class {drug_class})"
            return f"{name} is taken already{same}"
        exclusion = exclusion_between(drug_class, drug.drug_class)
        if exclusion and not as_ordered:
            return f"{name} is taken already: {exclusion.message}"
    for other in () if as_ordered else ordered:
        if not _together(drug, other):
            continue
        if other.name == drug.name or (drug.drug_class and other.drug_class == drug.drug_class):
            same = f": one of the class {drug.drug_class}" if drug.drug_class else ""
            return f"{other.label} is ordered, too{same}"
        exclusion = exclusion_between(other.drug_class, drug.drug_class)
        if exclusion and exclusion.severity == "error":
            return f"{other.label} is ordered, too: {exclusion.message}"
    return ""
