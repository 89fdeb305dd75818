"""Which families of studies speak in a fit and which are kept for validation: families whole, classes of treatment on both sides."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

from ..evidence.records.study import Record
from ..validation.predictions.uses import FIT, row_uses

#: Classes that a family may be of, by what its groups were given; the first that fits more of its rows than others.
_CLASSES = {
    "grafts": ("islets", "pancreas"),
    "cells": ("MSC", "BM ", "CD34", "HSCT", "Educator", "cell", "placental"),
    "kidney drugs": ("blocker", "ACE", "SGLT2", "finerenone", "GLP-1", "RAS", "fenofibrate", "natriuretic"),
    "diet": ("protein", "sodium"),
    "glucose, pressure and weight": ("intensive", "bariatric", "clamp"),
}
_OTHERS = "natural history"


#: Names of the classes of treatment.
TREATMENT_CLASSES = (*_CLASSES, _OTHERS)


def treatment_class(record: Record) -> str:
    """Return the class of what a row's group was given."""
    return next((name for name, words in _CLASSES.items() if any(w in record.product for w in words)), _OTHERS)


def set_aside_families(records: Iterable[Record], share: float, seed: int) -> frozenset[str]:
    """Return the families that are kept for validation.

    Families whose rows parameters were tuned to before any fit (``uses.csv``) always speak in it: nothing can be validated on them. Of
    the others a share is set aside in every class of treatment, by a hash of seed and family.
    """
    classes: dict[str, Counter[str]] = {}
    for record in records:
        classes.setdefault(record.family, Counter())[treatment_class(record)] += 1
    tuned = {use.family for use in row_uses() if use.use == FIT}
    by_class: dict[str, list[str]] = {}
    for family, counts in classes.items():
        if family not in tuned:
            name = sorted(counts, key=lambda group: (group == _OTHERS, -counts[group], group))[0]
            by_class.setdefault(name, []).append(family)
    aside: list[str] = []
    carried = 0.0
    for name in sorted(by_class):
        families = _in_order(by_class[name], seed)
        wanted = carried + share * len(families)
        count = int(wanted + 0.5)
        carried = wanted - count
        aside += families[:count]
    return frozenset(aside)


def _in_order(families: Sequence[str], seed: int) -> list[str]:
    return sorted(families, key=lambda family: hashlib.sha256(f"{seed}:{family}".encode()).digest())
