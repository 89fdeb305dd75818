"""What the law says of treatment with cells: facts with date and source that stand on the cards of claims and decide nothing.

======= ==================================================================
column  meaning
======= ==================================================================
id      as claims name it under ``legal``
country whose law, or that of a union of countries
date    ISO date, or year and month
fact    in one sentence
source  where it was read, and by whom it was said
locator address of what was read
======= ==================================================================
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TABLE = Path(__file__).with_name("legal_status.csv")


@dataclass(frozen=True)
class LegalFact:
    """One fact, in the columns of the table."""

    id: str
    country: str
    date: str
    fact: str
    source: str
    locator: str

    @property
    def sentence(self) -> str:
        """The fact with country, date and source."""
        return f"{self.country}, {self.date}: {self.fact} ({self.source})"


@functools.cache
def legal_facts() -> dict[str, LegalFact]:
    """Return the facts by id, in the order of the table."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return {row["id"]: LegalFact(**row) for row in csv.DictReader(file)}


def legal_sentences(ids: Iterable[str]) -> list[str]:
    """Return the named facts as sentences."""
    return [legal_facts()[name].sentence for name in ids]
