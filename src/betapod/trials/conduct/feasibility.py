"""Feasibility of a trial: eligible patients in the library, distinct virtual patients per trial, expected enrolment.

Enrolment probabilities follow from true values and measurement error, before anything is simulated; a run-in,
which changes values before screening, is not included. The simulated pool replaces this estimate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConfigError, Location, Problem
from ...base.randomness import Stream
from ...observables.quantities import Numbers
from ...physiology import whole_body
from .arm_schedules import Planner
from .candidates import choose
from .eligibility import CANDIDATES_PER_PLACE
from .enrolment_chances import enrolled_chances, still
from .patient_pool import Pool
from .replicate_parameters import trial_start

if TYPE_CHECKING:
    from ...patients.library import Library
    from ..protocol.protocol import Protocol

#: Simulated trials for the number of distinct people.
_TRIALS = 20
#: A note is shown below this share of distinct people among the patients of one trial, or from this share of the most frequent person.
#: Assumed: in a trial of 60 from a pool of 1000 about 57 are different.
FEW_DIFFERENT, HEAVY = 0.6, 0.1
#: Share of patients from which it is said that a drug is withheld from them.
_WORTH_SAYING = 0.005


@dataclass(frozen=True)
class Behind:
    """Distinct virtual people among the patients of one trial, mean over replicates.

    Attributes
    ----------
    patients
        Enrolled.
    people
        Different virtual people among them.
    heaviest
        Share of the patients who are the one person taken most often.
    """

    patients: float
    people: float
    heaviest: float

    @property
    def few(self) -> bool:
        """Whether there are so few distinct people that a note is needed."""
        often = self.heaviest * self.patients
        return self.patients > 0 and (
            self.people < FEW_DIFFERENT * self.patients or (self.heaviest >= HEAVY and often >= 3)
        )

    @property
    def words(self) -> str:
        """As a sentence for people."""
        return (
            f"{self.patients:.0f} patients are drawn from {self.people:.0f} virtual people, the heaviest gives "
            f"{100 * self.heaviest:.0f} %: widen the eligibility, enlarge population.size, or grow a larger library."
        )

    def as_dict(self) -> dict[str, float | bool]:
        """Return plain values for JSON."""
        return {"patients": self.patients, "people": self.people, "heaviest": self.heaviest, "few": self.few}


def behind(member: NDArray[np.integer]) -> Behind:
    """Return the distinct virtual people among the patients of trials.

    Parameters
    ----------
    member
        (R, n) the virtual person of every place, below 0 where it is empty.
    """
    counts = []
    for row in member:
        people = row[row >= 0]
        if people.size:
            often = np.unique(people, return_counts=True)[1]
            counts.append((people.size, often.size, often.max() / people.size))
    if not counts:
        return Behind(0.0, 0.0, 0.0)
    patients, people, heaviest = np.mean(counts, axis=0)
    return Behind(float(patients), float(people), float(heaviest))


def feasibility_notes(protocol: Protocol, design: str, people: Behind) -> list[str]:
    """Return notes on the patients of a design: unfilled places, few distinct people among many patients."""
    sentences = []
    size = protocol.size(design)
    if people.patients < 0.995 * size:
        sentences.append(
            f"Only {people.patients:.3g} of {size} places are filled: too few people in the pool are eligible."
        )
    if people.few:
        sentences.append(people.words[:1].upper() + people.words[1:])
    return sentences


@dataclass(frozen=True)
class Feasible:
    """Feasibility of a trial before it is run.

    Attributes
    ----------
    library, pool, eligible
        People in the library, in the pool, and of the pool who may be found eligible at screening.
    filled
        Design -> share of its places that can be filled.
    behind
        Design -> the people behind its patients.
    withheld
        What arms order and some patients are not given, with the share of patients and the reason, as sentences.
    """

    library: int
    pool: int
    eligible: int
    filled: Mapping[str, float]
    behind: Mapping[str, Behind]
    withheld: tuple[str, ...] = ()

    @property
    def sentences(self) -> list[str]:
        """As sentences, problems last."""
        sentences = [
            f"{self.pool} of the library's {self.library} people may come to screening; {self.eligible} of them may be eligible."
        ]
        for design, share in self.filled.items():
            if share < 1:
                sentences.append(f"{design}: only {100 * share:.0f} % of the places can be filled.")
        told: dict[str, str] = {}
        for design, people in self.behind.items():
            if people.few:
                told.setdefault(people.words, design)
        return [*sentences, *self.withheld, *(f"{design}: {text}" for text, design in told.items())]

    def as_dict(self) -> dict[str, object]:
        """Return plain values for JSON."""
        people = {design: sources.as_dict() for design, sources in self.behind.items()}
        numbers = {"library": self.library, "pool": self.pool, "eligible": self.eligible}
        return {**numbers, "filled": dict(self.filled), "behind": people, "withheld": list(self.withheld)}


def feasible(protocol: Protocol, library: Library) -> Feasible:
    """Return the feasibility of a protocol with the patients of a library.

    Raises
    ------
    ConfigError
        Nobody is eligible: the nearest criterion is named.
    """
    with trial_start(protocol, library) as everybody:
        candidates = choose(protocol, everybody, protocol.seed)
        chances = enrolled_chances(protocol, still(candidates.library, candidates.weights))
    filled, people = {}, {}
    for design in protocol.designs:
        filled[design], people[design] = _foreseen(protocol, design, candidates.weights, chances)
    may = int((chances.sum(axis=1) > 0).sum())
    withheld = _withheld(protocol, candidates.library, candidates.weights * chances.sum(axis=1))
    return Feasible(len(library), len(candidates.weights), may, filled, people, withheld)


def _withheld(protocol: Protocol, library: Library, chances: Numbers) -> tuple[str, ...]:
    """Say what is ordered and not given to some patients: to which share, and what blocks it."""
    planner = Planner(protocol, library, whole_body.named_model("reference"), protocol.seed)
    arms: dict[str, list[str]] = {}
    for name, arm in protocol.arms.items():
        shares: dict[tuple[str, str], float] = {}
        for chance, items in zip(chances / chances.sum(), planner.withheld(arm), strict=True):
            for item in items:
                key = item.drug.label, item.reason
                shares[key] = shares.get(key, 0.0) + float(chance)
        for (label, reason), share in shares.items():
            if share >= _WORTH_SAYING:
                arms.setdefault(f"{label} is not given to {100 * share:.0f} % of patients: {reason}.", []).append(name)
    every = len(protocol.arms)
    return tuple(
        f"{'every arm' if len(names) == every > 1 else ', '.join(names)}: {text}" for text, names in arms.items()
    )


def _foreseen(protocol: Protocol, design: str, weights: Numbers, chances: Numbers) -> tuple[float, Behind]:
    """Return the share of places that can be filled, and the people behind the patients, from chances to be enrolled."""
    size, quotas = protocol.size(design), protocol.quotas(design)
    by_stratum = chances if quotas else chances.sum(axis=1, keepdims=True)
    member = np.full((_TRIALS, size), -1, dtype=np.int32)
    first = 0
    for s, places in enumerate(quotas or [size]):
        share = np.cumsum(weights * by_stratum[:, s])
        fillable = int(min(places, CANDIDATES_PER_PLACE * size * share[-1]))
        draws = Stream(protocol.seed, "trial:foreseen").uniform(range(_TRIALS * fillable), s).reshape(_TRIALS, fillable)
        member[:, first : first + fillable] = np.searchsorted(share, draws * share[-1], side="right")
        first += fillable
    return first / size, behind(np.minimum(member, len(weights) - 1))


def refuse_nobody(protocol: Protocol, pool: Pool) -> None:
    """Refuse a trial that finds nobody in its pool.

    Raises
    ------
    ConfigError
        Nobody in the pool is ever found eligible.
    """
    if not (pool.weights[:, None] * enrolled_chances(protocol, pool)).any():
        raise ConfigError(
            Problem(
                "nobody-eligible",
                f"nobody of the {len(pool)} people in the pool is found eligible for {protocol.name} at screening",
                Location(protocol.name),
                hint="Widen the eligibility, or grow a larger library with: betapod patients grow",
            )
        )
