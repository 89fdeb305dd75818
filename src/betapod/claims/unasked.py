"""Studies of the registry that no claim asks, each with the reason; every other is asked by some question."""

from __future__ import annotations

import csv
import functools
from pathlib import Path

_TABLE = Path(__file__).with_name("unasked.csv")


@functools.cache
def unasked_studies() -> dict[str, str]:
    """Return the reason of each study that no claim asks, in the order of the registry (columns ``study``, ``reason``)."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return {row["study"]: row["reason"] for row in csv.DictReader(file)}
