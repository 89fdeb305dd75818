"""Drugs of one person as they are written, and which columns of a library they are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..base.errors import ConfigError, Location, Problem
from ..patients.prescribing import INSULIN
from ..patients.recipients import DRUG_COLUMNS
from ..therapies.drug_catalogue import (
    INSULIN as INSULIN_KIND,
)
from ..therapies.drug_catalogue import (
    catalogued_drugs,
    class_named,
    class_of_drug,
    suggested_drugs,
    therapy_named,
)

#: Words of drugs that the model has no effect of, with their class: they are told apart from misspelt names.
_WITHOUT_EFFECT = re.compile(
    r"statin|furosemide|torasemide|bumetanide|carvedilol|metoprolol|bisoprolol|atenolol|aspirin|acetylsalicyl|omeprazole|"
    r"pantoprazole|levothyroxine|gabapentin|pregabalin|sertraline|allopurinol|apixaban|warfarin|clopidogrel|ezetimibe",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class NamedDrugs:
    """What somebody takes.

    Attributes
    ----------
    columns
        Columns of a library, each once.
    classes
        Classes of drugs, or ``insulin``.
    not_used
        Drugs that the model or the library does not have.
    """

    columns: tuple[str, ...]
    classes: tuple[str, ...]
    not_used: tuple[str, ...]


def named_drugs(texts: Iterable[str], strict: bool = True) -> NamedDrugs:
    """Return the columns of a library for drugs as people write them: ``ramipril``, ``ramipril 5 mg``, ``ACE inhibitor``, ``insulin``.

    Parameters
    ----------
    strict
        Whether a name that nobody knows is an error; else it is among those that are not used.

    Raises
    ------
    ConfigError
        Names that mean nothing, all at once, each with the nearest.

    Examples
    --------
    >>> from betapod.twins.named_drugs import named_drugs
    >>> named_drugs(["ramipril 5 mg", "insulin"]).columns
    ('acei', 'insulin')
    """
    columns: dict[str, None] = {}
    classes: dict[str, None] = {}
    not_used: list[str] = []
    problems = []
    for text in texts:
        name = _class_in(text)
        if name is None:
            if strict and not _WITHOUT_EFFECT.search(text):
                message = f"there is no drug {text!r}"
                problems.append(
                    Problem("unknown-drug", message, Location(f"drug {text!r}"), hint=suggested_drugs(text))
                )
            not_used.append(text)
            continue
        classes[name] = None
        column = INSULIN if name == INSULIN else DRUG_COLUMNS.get(name)
        if column is None:
            not_used.append(text)
        else:
            columns[column] = None
    if problems:
        raise ConfigError(problems)
    return NamedDrugs(tuple(columns), tuple(classes), tuple(not_used))


def _class_in(text: str) -> str | None:
    """Return the class of the drug that a text names: the whole, or one of its words; None where it names none."""
    words = " ".join(text.split())
    pieces = [
        words,
        re.sub(r"\s+[\d.,]+\s*(?:mg|g|mcg|ug|U|IU)\b.*$", "", words, flags=re.I),
        *re.findall(r"[A-Za-z-]{4,}", words),
    ]
    for piece in pieces:
        if piece.lower() == INSULIN:
            return INSULIN
        if (name := class_named(piece)) is not None and (class_of_drug(name) or name == INSULIN):
            return name
        if (therapy := therapy_named(piece)) is not None:
            drug = catalogued_drugs()[therapy]
            return INSULIN if drug.kind == INSULIN_KIND else class_of_drug(therapy) or None
    return INSULIN if re.search(r"\binsulin\b", words, re.I) else None
