"""The words of the literature and the classes betapod puts them into: one auditable table per column."""

from __future__ import annotations

import csv
import functools
import re
from dataclasses import dataclass
from pathlib import Path

from ...observables.table import AS_PRINTED, Observable, names_for, observables_and_characteristics
from .study import DESIGNS, KINDS, POPULATIONS

FOLDER = Path(__file__).with_name("vocabulary")


@dataclass(frozen=True)
class Statistic:
    """What a word for a statistic means.

    Attributes
    ----------
    transform
        How the printed number becomes the value: empty, ``one_minus_percent`` (a risk reduction), ``one_plus_percent`` (a relative
        change of a geometric mean), ``percent`` (percent of baseline) or ``negate``.
    """

    kind: str
    contrast: str
    transform: str = ""


@dataclass(frozen=True)
class EvidenceEndpoint:
    """An endpoint's class, its unit (empty: as printed) and which direction is better (0: depends).

    Classes that are observables have both from the table of observables, others from ``vocabulary/endpoints.csv``.
    """

    name: str
    unit: str = ""
    better: int = 0


@dataclass(frozen=True)
class Study:
    """What is known of a study beyond its rows."""

    family: str = ""
    family_reason: str = ""
    grade: str = ""
    remark: str = ""


def _rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@functools.cache
def statistics() -> dict[str, Statistic]:
    """Return what each word for a statistic means; a kind is its own word, on its usual contrast."""
    by_text = {
        row["statistic"]: Statistic(row["kind"], row["contrast"], row["transform"]) for row in _rows("statistics")
    }
    between = ("difference", "hazard_ratio", "risk_ratio", "odds_ratio", "smd", "geometric_ratio")
    for kind in KINDS:
        by_text.setdefault(kind, Statistic(kind, "between" if kind in between else "level"))
    return by_text


def _observable(name: str) -> EvidenceEndpoint | None:
    """Return the class that is an observable; None for other endpoints, such as events and slopes."""
    entry = names_for("registry").get(name)
    observable = observables_and_characteristics().get(name if entry is None else entry.means)
    if observable is None:
        return None
    unit = observable.unit if entry is None or not entry.unit else entry.unit
    better = observable.better if isinstance(observable, Observable) else 0
    if entry is not None and entry.better is not None:
        better = entry.better
    return EvidenceEndpoint(name, "" if unit == AS_PRINTED else unit, better)


@functools.cache
def endpoints() -> dict[str, EvidenceEndpoint]:
    """Return the class of each endpoint's text; a class is its own text."""
    by_text: dict[str, EvidenceEndpoint] = {}
    for row in _rows("endpoints"):
        entry = _observable(row["endpoint"]) or EvidenceEndpoint(row["endpoint"], row["unit"], int(row["better"] or 0))
        by_text[row["text"]] = entry
        by_text.setdefault(entry.name, entry)
    return by_text


@functools.cache
def _plain(name: str, column: str) -> dict[str, str]:
    return {row["text"]: row[column] for row in _rows(name)}


def population_of(text: str) -> str:
    """Return the class of a population, or an empty string; ``CODE; detail`` says it itself."""
    code = text.partition(";")[0].strip()
    return code if code in POPULATIONS else _plain("populations", "population").get(text, "")


def design_of(text: str) -> str:
    """Return the class of a design, or an empty string; ``CODE; detail`` says it itself."""
    code = text.partition(";")[0].strip()
    return code if code in DESIGNS else _plain("designs", "design").get(text, "")


def treatment_classes() -> tuple[str, ...]:
    """Return the classes of treatments."""
    return tuple(sorted(set(_plain("products", "product").values())))


def product_of(text: str) -> str:
    """Return the class of a treatment, or an empty string; a class is its own text."""
    return text if text in treatment_classes() else _plain("products", "product").get(text, "")


def source_level_of(locator: str) -> str:
    """Return where the number was read, or an empty string."""
    return _plain("sources", "source_level").get(locator, "")


@functools.cache
def study_families() -> dict[str, Study]:
    """Return families and reliability by study."""
    return {
        row["study"]: Study(row["family"], row["family_reason"], row["grade"], row["remark"])
        for row in _rows("studies")
    }


_ANIMALS = re.compile(
    r"\b(mouse|mice|murine|rats?|pigs?|porcine|swine|rabbits?|dogs?|canine|monkeys?|primates?|zebrafish)\b", re.I
)
_ROUTES = (
    (r"portal", "portal vein"),
    (r"renal|intracortical", "kidney"),
    (r"pancrea|splenic|SPD|SMA", "pancreatic artery"),
    (r"subcutan|sheath|^sc\b", "subcutaneous"),
    (r"\bIV\b|intravenous", "intravenous"),
    (r"surgical", "surgical"),
    (r"extracorporeal", "extracorporeal"),
)


def species_of(*texts: str) -> str:
    """Return ``human``, or ``animal`` where a text names one."""
    return "animal" if any(_ANIMALS.search(text) for text in texts) else "human"


def route_of(text: str) -> str:
    """Return the class of a route: the most local one named, empty where none was read."""
    return next((route for pattern, route in _ROUTES if re.search(pattern, text, re.I)), "")
