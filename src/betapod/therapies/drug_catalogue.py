"""What drugs are: substance, class, ATC code, names; of which classes a person takes one at a time.

The tables stand in ``physiology/parameters``: ``drugs.csv`` has a row for each therapy of ``standard_care.csv``, ``drug_exclusions.csv`` the
classes that are not given together. A person takes one drug of a class; insulins and diets are no drugs in this sense.
"""

from __future__ import annotations

import csv
import difflib
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..base.errors import nearest

_FOLDER = Path(__file__).parents[1] / "physiology" / "parameters"
#: Kinds of therapy; of a class of drugs a person takes one.
DRUG, INSULIN, DIET, OTHER = "drug", "insulin", "diet", "other"


@dataclass(frozen=True)
class CataloguedDrug:
    """A therapy as doctors name it.

    Attributes
    ----------
    therapy
        Name by which it is ordered.
    kind
        ``drug``, ``insulin``, ``diet`` or ``other``.
    drug_class
        As doctors say it, such as ``SGLT2 inhibitor``.
    substance
        International name; empty for what is typical of a class, and for what is no drug.
    atc
        Code of the WHO: seven letters of a substance, fewer of a class; empty for what has none.
    names
        Other names by which it is understood: spellings, short forms, brands.
    """

    therapy: str
    kind: str
    drug_class: str
    substance: str
    atc: str
    route: str
    names: tuple[str, ...]
    source: str
    note: str


@dataclass(frozen=True)
class ClassExclusion:
    """Two classes of drugs that are not given together.

    Attributes
    ----------
    severity
        ``error``: one person is refused the second; ``warning``: one person is cautioned.
    """

    classes: frozenset[str]
    severity: str
    message: str
    source: str
    locator: str


def read_rows(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a table of drugs as text."""
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@functools.cache
def catalogued_drugs() -> dict[str, CataloguedDrug]:
    """Return every therapy by name, in the order of the table."""
    return {
        row["therapy"]: CataloguedDrug(
            row["therapy"],
            row["kind"],
            row["class"],
            row["substance"],
            row["atc"],
            row["route"],
            tuple(name for name in row["names"].split(";") if name),
            row["source"],
            row["note"],
        )
        for row in read_rows("drugs.csv")
    }


@functools.cache
def exclusions() -> tuple[ClassExclusion, ...]:
    """Return the pairs of classes that are not given together."""
    return tuple(
        ClassExclusion(
            frozenset((row["class"], row["other"])), row["severity"], row["message"], row["source"], row["locator"]
        )
        for row in read_rows("drug_exclusions.csv")
    )


@functools.cache
def drug_classes() -> dict[str, tuple[str, ...]]:
    """Return the therapies of each class, by class, in the order of the table."""
    members: dict[str, list[str]] = {}
    for drug in catalogued_drugs().values():
        members.setdefault(drug.drug_class, []).append(drug.therapy)
    return {name: tuple(therapies) for name, therapies in members.items()}


def class_of_drug(name: str) -> str:
    """Return the class of which a person takes one drug at a time: of a therapy, or a class itself; empty for insulin, diet and the like."""
    drug = catalogued_drugs().get(name)
    if drug is not None:
        return drug.drug_class if drug.kind == DRUG else ""
    members = drug_classes().get(name, ())
    return name if members and catalogued_drugs()[members[0]].kind == DRUG else ""


def exclusion_between(first: str, second: str) -> ClassExclusion | None:
    """Return why drugs of two classes are not given together; None where they may be."""
    pair = frozenset((first, second))
    return next((exclusion for exclusion in exclusions() if exclusion.classes == pair), None)


@functools.cache
def _by_spelling() -> Mapping[str, str]:
    """Return the therapy of each name, other names included, in small letters."""
    spellings = {name.lower(): drug.therapy for drug in catalogued_drugs().values() for name in drug.names}
    return spellings | {name.lower(): name for name in catalogued_drugs()}


def therapy_named(name: str) -> str | None:
    """Return the therapy that a name means, in any case: its own, a short form, a brand; None where it means none."""
    return _by_spelling().get(" ".join(name.lower().split()))


def class_named(name: str) -> str | None:
    """Return the class that a name means, in any case; None where it means none."""
    wanted = " ".join(name.lower().split())
    return next((name for name in drug_classes() if name.lower() in (wanted, wanted.removesuffix("s"))), None)


def suggested_drugs(name: str) -> str:
    """Return a sentence for a name that means no therapy: the nearest names, what each is, and members of a class."""
    spellings = _by_spelling()
    names = [drug.lower() for drug in (*catalogued_drugs(), *drug_classes())]
    # Brands are short made-up words, of which one is soon like another.
    brands = difflib.get_close_matches(name.lower(), spellings, cutoff=0.75)
    close = dict.fromkeys([*nearest(name.lower(), names), *brands])
    meant = dict.fromkeys(_described(spelling, spellings) for spelling in close)
    return f"Did you mean {' or '.join(meant)}?" if meant else "All of them: betapod drugs"


def _described(spelling: str, spellings: Mapping[str, str]) -> str:
    if spelling in spellings:
        therapy = spellings[spelling]
        return repr(therapy) if therapy.lower() == spelling else f"{therapy!r} ({spelling})"
    name = class_named(spelling) or spelling
    return f"one of the class {name} ({listed_drugs(drug_classes()[name])})"


def listed_drugs(names: Iterable[str]) -> str:
    """Return names as a list in words: ``a, b or c``."""
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
