"""What a published number is about: the topic of an endpoint, and of a quantity of the models."""

from __future__ import annotations

import csv
import functools
import re
from pathlib import Path

_PATH = Path(__file__).with_name("topics.csv")
#: The topic of what no line of the table fits.
OTHER = "other"


@functools.cache
def _lines() -> tuple[tuple[str, re.Pattern[str], tuple[str, ...]], ...]:
    with _PATH.open(encoding="utf-8", newline="") as file:
        return tuple(
            (row["topic"], re.compile(row["endpoints"]), tuple(row["quantities"].split(";")))
            for row in csv.DictReader(file)
        )


def topics() -> tuple[str, ...]:
    """Return every topic, in the order of the table."""
    return (*(topic for topic, _, _ in _lines()), OTHER)


@functools.cache
def topic_of(endpoint: str) -> str:
    """Return what an endpoint of the registry, or an observable, is about: the first line of the table that fits.

    Examples
    --------
    >>> from betapod.trust.trust_topics import topic_of
    >>> topic_of("transition:micro->macro"), topic_of("eGFR_slope")
    ('albuminuria', 'filtration')
    """
    return next((topic for topic, pattern, _ in _lines() if pattern.search(endpoint)), OTHER)


@functools.cache
def topic_of_quantity(name: str) -> str:
    """Return what a quantity of a model is about: by its own name, or as an endpoint; ``other`` where no published number speaks of it."""
    return next((topic for topic, _, quantities in _lines() if name in quantities), topic_of(name))
