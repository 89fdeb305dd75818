"""How many claims have which verdict, what the model reaches, and how many people and trials stand behind: counted, never typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...claims.claim_verdict import VERDICTS
from .traced_numbers import NumberBook, TracedNumber

if TYPE_CHECKING:
    from ...claims.judged_claim import JudgedClaim
    from ...evidence.records.registry import Registry
    from ...evidence.records.study import Record

#: Products that are infused and not grafted, as the registry names them.
INFUSED_PRODUCTS = ("BM-MSC", "UC-MSC", "adipose MSC", "placental MSC", "BM mononuclear cells", "mixed cell products")


@dataclass(frozen=True)
class LedgerCounts:
    """What is counted.

    Attributes
    ----------
    verdicts
        Claims about cells by verdict.
    supported
        Ids of claims about cells that are supported.
    simulated, reached, silent
        Claims about cells that are simulated; of these reached within what evidence allows; and where the model cannot express it.
    trials, people
        Randomised trials of infused cells in diabetic kidney disease, and people in them.
    cases
        Published cases of serious harm.
    """

    verdicts: Mapping[str, int]
    supported: tuple[str, ...]
    simulated: int
    reached: int
    silent: int
    trials: int
    people: int
    cases: int


def count_ledger(
    entries: Sequence[JudgedClaim], registry: Registry, cases: Sequence[Record], book: NumberBook
) -> LedgerCounts:
    """Count, and enter the counts into the book."""
    cells = [entry for entry in entries if entry.claim.about == "cells"]
    verdicts = {name: sum(entry.verdict.verdict == name for entry in cells) for name in VERDICTS}
    supported = tuple(entry.claim.id for entry in cells if entry.verdict.verdict == "supported")
    simulated = [entry for entry in cells if entry.simulations]
    reached = sum(all(one_of.reached_within_evidence for one_of in entry.simulations) for entry in simulated)
    silent = sum(any(one_of.expressible is False for one_of in entry.simulations) for entry in simulated)
    sizes = trial_people(registry)
    counts = LedgerCounts(
        verdicts, supported, len(simulated), reached, silent, len(sizes), sum(sizes.values()), len(cases)
    )
    _enter(book, "claims-cells", len(cells), "claims about treatment with cells", "betapod claims")
    for name, count in verdicts.items():
        _enter(book, f"claims-{name.replace(' ', '-')}", count, f"of these {name}", f"betapod claims --status '{name}'")
    _enter(book, "claims-simulated", len(simulated), "claims about cells that the model simulates", "betapod claims")
    _enter(book, "claims-reached", reached, "of these reached within what evidence allows", "betapod claims")
    _enter(book, "claims-silent", silent, "of these where the model cannot express what is claimed", "betapod claims")
    studies = tuple(sorted(sizes))
    command = "betapod evidence show " + " ".join(studies)
    _enter(book, "trials-DKD", len(sizes), "randomised trials of infused cells in diabetic kidney disease", command)
    _enter(book, "people-DKD", sum(sizes.values()), "people in these trials, treated or not", command)
    _enter(
        book,
        "reported-cases",
        len(cases),
        "published cases of serious harm after cells",
        "betapod evidence list --rows",
    )
    return counts


def trial_people(registry: Registry) -> dict[str, int]:
    """Return the people of each randomised trial of infused cells in diabetic kidney disease: its largest printed number."""
    sizes: dict[str, int] = {}
    for record in registry:
        fits = record.design == "RCT" and record.population == "DKD" and record.product in INFUSED_PRODUCTS
        if fits and record.tag == "seen" and record.species == "human" and not record.summarises:
            sizes[record.study] = max(sizes.get(record.study, 0), record.n or 0)
    return sizes


def _enter(book: NumberBook, key: str, count: int, meaning: str, command: str) -> None:
    book.add(TracedNumber(key, str(count), float(count), meaning, "counted", command, certainty="a count"))
