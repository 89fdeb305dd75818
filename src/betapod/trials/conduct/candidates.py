"""Candidates for screening: pre-screened library patients, sampled and weighted to a cohort."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...base.errors import ConfigError
from ...base.randomness import Stream
from ...observables.quantities import Numbers
from ...patients.library_identity import snapshot_number
from .enrolment_chances import enrolled_chances, nobody, still
from .prescreening import confirmed, may_be_eligible

if TYPE_CHECKING:
    from ...patients.library import Library
    from ..protocol.protocol import Protocol

#: Effective number of people that a pool must rest on, as a share of them.
_LEAST_EFFECTIVE = 0.25


@dataclass(frozen=True)
class Candidates:
    """Candidates for screening.

    Attributes
    ----------
    library
        Who they are.
    weights
        (people,) chance to be the next candidate; sum 1.
    facts
        How many there were, their effective number, and the share of the cohort's weights in the mixture (1: nothing else).
    """

    library: Library
    weights: Numbers
    facts: dict[str, float]


def choose(protocol: Protocol, library: Library, seed: int) -> Candidates:
    """Return the candidates of a trial.

    Weights of a cohort that would rest on too few people are mixed with even ones until the effective number is a quarter of them.
    Who is likely to come is kept for sure, others by chance with a larger weight instead.

    Raises
    ------
    ConfigError
        Nobody in the library may be eligible.
    """
    weights = _weights(protocol, library)
    allowed = may_be_eligible(protocol, library) & confirmed(protocol, library, seed) & (weights > 0)
    rows = np.flatnonzero(allowed)
    if not rows.size:
        raise ConfigError(nobody(protocol, library)[0])
    size = min(protocol.population.size, rows.size)
    share, mixed = _mixed(weights[rows], max(1.0, _LEAST_EFFECTIVE * size))
    chance = _inclusion(mixed, size)
    number = snapshot_number(library.table)[rows]
    kept = Stream(seed, "trial:pool").uniform(number) < chance
    if not kept.any():
        kept[np.argmax(chance)] = True
    left = mixed[kept] / chance[kept]
    left = left / left.sum()
    facts = {
        "people that may be eligible": float(rows.size),
        "people in the pool": float(kept.sum()),
        "effective number of people": float(1.0 / np.sum(left**2)),
        "share of the cohort's weights": share,
    }
    candidates = Candidates(library.take(rows[kept]), left, facts)
    # What a run-in does before screening is known only when it was simulated.
    if protocol.run_in is None and not enrolled_chances(protocol, still(candidates.library, candidates.weights)).any():
        raise ConfigError(nobody(protocol, library)[0])
    return candidates


def _mixed(weights: Numbers, least: float) -> tuple[float, Numbers]:
    """Return weights mixed with even ones such that their effective number is at least `least`, and the share left of them."""
    normalised, even = weights / weights.sum(), np.full(len(weights), 1.0 / len(weights))

    def effective(share: float) -> float:
        return float(1.0 / np.sum((share * normalised + (1.0 - share) * even) ** 2))

    low, high = 0.0, 1.0
    if effective(1.0) >= least:
        return 1.0, normalised
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if effective(middle) >= least else (low, middle)
    return low, low * normalised + (1.0 - low) * even


def _inclusion(weights: Numbers, size: int) -> Numbers:
    """Return chances proportional to weights, at most 1, whose sum is `size`."""
    if size >= len(weights):
        return np.ones(len(weights))
    chance = np.minimum(1.0, weights * size)
    for _ in range(100):
        free = chance < 1.0
        room = size - np.sum(~free)
        again = np.where(free, weights * room / weights[free].sum(), 1.0)
        again = np.minimum(1.0, again)
        if np.allclose(again, chance):
            break
        chance = again
    return np.maximum(chance, 1e-12)


def _weights(protocol: Protocol, library: Library) -> Numbers:
    name = protocol.population.cohort
    if not name:
        return np.full(len(library), 1.0 / len(library))
    from ...patients.cohorts import cohort_catalogue
    from ...patients.cohorts.reweight import weigh

    eligible, fit = weigh(library, cohort_catalogue.load_target(name))
    weights = np.zeros(len(library))
    weights[eligible] = fit.weights
    return weights
