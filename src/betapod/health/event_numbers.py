"""Random numbers that decide on events: the same for strategies that are compared."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from ..base.randomness import Stream
from ..hazards.event_times import hazard_thresholds
from .prepared_course import Singles

#: Occurrences of an event whose numbers are kept for everybody.
_KEPT = 4


class EventNumbers:
    """Numbers of people, each by event and occurrence; kept, for draws of rates share them."""

    def __init__(self, seed: int, replicate: int, numbers: tuple[int, ...]) -> None:
        self.seed, self.replicate = seed, replicate
        self.people = np.array(numbers, dtype=np.int64)
        self.kept: dict[tuple[str, int], Singles] = {}
        self.stacked: dict[tuple[str, tuple[str, ...]], Singles] = {}

    def exponential(self, purpose: str, item: int = 0) -> Singles:
        """Return (people,) numbers with mean 1."""
        if (purpose, item) not in self.kept:
            if not self.replicate and purpose.startswith("hazard:"):
                values = hazard_thresholds(self.seed, purpose.removeprefix("hazard:"), self.people, item)
            else:
                values = -np.log(Stream(self.seed, purpose, self.replicate).uniform(self.people, item))
            self.kept[purpose, item] = values.astype(np.float32)
        return self.kept[purpose, item]

    def uniform(self, purpose: str) -> Singles:
        """Return (people,) from 0 to 1."""
        return np.asarray(np.exp(-self.exponential(purpose)))

    def first(self, events: tuple[str, ...]) -> Singles:
        """Return (events, people) what cumulative hazards must reach."""
        return np.stack([self.exponential(f"hazard:{name}") for name in events])

    def of(
        self,
        purpose: str,
        events: tuple[str, ...],
        event: NDArray[np.int64],
        count: NDArray[np.int64],
        rows: NDArray[np.int64],
    ) -> Singles:
        """Return numbers with mean 1, each of a person, an event and an occurrence."""
        if (purpose, events) not in self.stacked:
            parts = [[self.exponential(f"{purpose}:{name}", k) for k in range(_KEPT)] for name in events]
            self.stacked[purpose, events] = np.array(parts)
        result = self.stacked[purpose, events][event, np.minimum(count, _KEPT - 1), rows]
        for number, item in {(int(event[k]), int(count[k])) for k in np.flatnonzero(count >= _KEPT)}:
            matching = (event == number) & (count == item)
            result[matching] = self.exponential(f"{purpose}:{events[number]}", item)[rows[matching]]
        return np.asarray(result)


@functools.lru_cache(maxsize=16)
def event_numbers(seed: int, replicate: int, numbers: tuple[int, ...]) -> EventNumbers:
    """Return the numbers of some people.

    Parameters
    ----------
    numbers
        Of the people.
    """
    return EventNumbers(seed, replicate, numbers)
