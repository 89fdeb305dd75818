"""Random numbers for events that are due together with equal priority: the same in both engines, which so give the same course."""

from __future__ import annotations

#: The first state: any number does; this one is the golden ratio in 63 bits.
SEED = 0x4F1BBCDCBFA53E0B
#: The next state is the last one times `FACTOR` plus `STEP`, in 64 bits (Knuth's constants).
FACTOR, STEP = 6364136223846793005, 1442695040888963407
#: So many lower bits of a state, which are the least random, are no part of the number.
LOWER_BITS = 12


class EventDraws:
    """Numbers from 0 to below 1, from a seed on."""

    def __init__(self, seed: int = SEED) -> None:
        self._state = seed

    def number(self) -> float:
        """Return the next number."""
        self._state = (self._state * FACTOR + STEP) % 2**64
        return float((self._state >> LOWER_BITS) / 2 ** (64 - LOWER_BITS))
