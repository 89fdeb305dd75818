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
from ...observables.ckd_epi import creatinine_of
from ...observables.quantities import Numbers, code_of, known_codes, quantities, unit_of
from .candidates import Candidates, characteristics, choose, confirmed
from .eligibility import CANDIDATES_PER_PLACE, eligible, judged_codes, screen
from .patient_pool import Pool

if TYPE_CHECKING:
    from ...patients.library import Library
    from ..protocol.protocol import Criterion, Protocol

#: Simulated screenings per person, and simulated trials for the number of distinct people.
_DRAWS, _TRIALS = 48, 20
#: A note is shown below this share of distinct people among the patients of one trial, or from this share of the most frequent person.
#: Assumed: in a trial of 60 from a pool of 1000 about 57 are different.
FEW_DIFFERENT, HEAVY = 0.6, 0.1


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
    """Return who stands behind the patients of trials.

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


def concerns(protocol: Protocol, design: str, people: Behind) -> list[str]:
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
    """

    library: int
    pool: int
    eligible: int
    filled: Mapping[str, float]
    behind: Mapping[str, Behind]

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
        return [*sentences, *(f"{design}: {text}" for text, design in told.items())]

    def as_dict(self) -> dict[str, object]:
        """Return plain values for JSON."""
        people = {design: sources.as_dict() for design, sources in self.behind.items()}
        numbers = {"library": self.library, "pool": self.pool, "eligible": self.eligible}
        return {**numbers, "filled": dict(self.filled), "behind": people}


def feasible(protocol: Protocol, library: Library) -> Feasible:
    """Return the feasibility of a protocol with the patients of a library.

    Raises
    ------
    ConfigError
        Nobody is eligible: the nearest criterion is named.
    """
    candidates = choose(protocol, library, protocol.seed)
    chances = enrolled_chances(protocol, still(candidates))
    filled, people = {}, {}
    for design in protocol.designs:
        filled[design], people[design] = _foreseen(protocol, design, candidates.weights, chances)
    may = int((chances.sum(axis=1) > 0).sum())
    return Feasible(len(library), len(candidates.weights), may, filled, people)


def still(candidates: Candidates) -> Pool:
    """Return a pool of constant courses: the true values on the day of the library."""
    return _still(candidates.library, candidates.weights)


def _still(library: Library, weights: Numbers) -> Pool:
    table = library.table
    codes = tuple(quantities())
    values = np.full((len(library), 1, len(codes)), np.nan)
    for i, item in enumerate(quantities().values()):
        if item.library:
            values[:, 0, i] = table[item.library].to_numpy(dtype=np.float64)
    people = characteristics(library)
    egfr = values[:, 0, codes.index("EGFR")]
    values[:, 0, codes.index("CREAT")] = creatinine_of(egfr, people["AGE"], people["FEMALE"])
    failed = {"natural": np.full(len(library), np.inf)}
    return Pool(np.zeros(1), codes, {"natural": values}, failed, {("", "run-in", ""): "natural"}, people, weights)


def enrolled_chances(protocol: Protocol, pool: Pool, draws: int = _DRAWS) -> Numbers:
    """Return (people, strata) probability of being found eligible at screening, by stratum.

    Criteria on quantities without any value in the pool count as met.
    """
    judgeable = _known(protocol, pool)
    who = np.broadcast_to(np.arange(len(pool), dtype=np.int32), (draws, len(pool)))
    measured = screen(judgeable, pool, who, judged_codes(judgeable), protocol.seed, range(draws), 0)
    ok, stratum = eligible(judgeable, pool, who, measured)
    strata = max(1, len(protocol.strata))
    return np.stack([(ok & (stratum == s)).mean(axis=0) for s in range(strata)], axis=1)


def _known(protocol: Protocol, pool: Pool) -> Protocol:
    """Return the protocol without criteria of quantities that the pool does not have."""
    course = pool.values[pool.keys["", "run-in", ""]]
    absent = {code for k, code in enumerate(pool.codes) if not np.isfinite(course[:, :, k]).any()}

    def kept(criteria: Mapping[str, Criterion]) -> dict[str, Criterion]:
        return {name: criterion for name, criterion in criteria.items() if code_of(name) not in absent}

    strata = {
        name: stratum.model_copy(update={"where": kept(stratum.where)}) for name, stratum in protocol.strata.items()
    }
    return protocol.model_copy(update={"eligibility": kept(protocol.eligibility), "strata": strata})


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


def nobody(protocol: Protocol, library: Library) -> tuple[Problem, tuple[str, ...]]:
    """Return the problem that nobody is eligible, and the key of the protocol that is nearest to be the reason.

    The nearest criterion is the one without which most people could be enrolled.
    """
    masks = _masks(protocol, library)
    alone = {where: int(mask.sum()) for where, mask in masks.items()}
    without = {
        where: int(np.all([mask for other, mask in masks.items() if other != where], axis=0).sum())
        if len(masks) > 1
        else len(library)
        for where in masks
    }
    nearest = max(without, key=lambda where: (without[where], -alone[where]), default=())
    if nearest and not without[nearest]:
        nearest = min(alone, key=lambda where: alone[where])
    text = f"nobody of the {len(library)} people in the library is eligible for {protocol.name}"
    if not nearest:
        return Problem("nobody-eligible", text, Location(protocol.name)), nearest
    name = _criterion_words(protocol, nearest)
    more = (
        f"without it {without[nearest]} people would be eligible"
        if without[nearest]
        else "other criteria exclude people, too"
    )
    problem = Problem(
        "nobody-eligible",
        f"{text}; the nearest criterion is {name}",
        Location(protocol.name),
        found=f"{alone[nearest]} people meet it; {more}",
        hint="Widen the eligibility, or grow a larger library with: betapod patients grow",
    )
    return problem, nearest


def _masks(protocol: Protocol, library: Library) -> dict[tuple[str, ...], NDArray[np.bool_]]:
    """Return key of the protocol -> who in the library could meet it when measured."""
    pool = _still(library, np.full(len(library), 1.0 / len(library)))
    masks: dict[tuple[str, ...], NDArray[np.bool_]] = {}
    kind = protocol.population.diabetes
    if kind != "any":
        masks["population", "diabetes"] = (pool.people["TYPE1"] > 0) == (kind == "type 1")
    for name in protocol.population.confirmed:
        only = protocol.population.model_copy(update={"confirmed": {name: protocol.population.confirmed[name]}})
        mask = confirmed(protocol.model_copy(update={"population": only}), library, protocol.seed)
        masks["population", "confirmed", name] = mask
    bare = protocol.model_copy(update={"eligibility": {}, "strata": {}})
    for name, criterion in protocol.eligibility.items():
        single = bare.model_copy(update={"eligibility": {name: criterion}})
        masks["eligibility", name] = enrolled_chances(single, pool, 8).sum(axis=1) > 0
    if protocol.strata:
        strata = bare.model_copy(update={"strata": protocol.strata})
        masks["strata",] = enrolled_chances(strata, pool, 8).sum(axis=1) > 0
    return masks


def _criterion_words(protocol: Protocol, where: tuple[str, ...]) -> str:
    if where == ("population", "diabetes"):
        return f"diabetes: {protocol.population.diabetes}"
    if where == ("strata",):
        return "to fit one of the strata"
    criteria = protocol.eligibility if where[0] == "eligibility" else protocol.population.confirmed
    name = where[-1]
    low, high = criteria[name].bounds(code_of(name))
    unit = unit_of(code_of(name)) if code_of(name) in known_codes() else ""
    unit_text = "" if unit == "1" else f" {unit}"
    if np.isinf(low):
        return f"{name} at most {high:g}{unit_text}"
    if np.isinf(high):
        return f"{name} from {low:g}{unit_text}"
    return f"{name} {low:g} to {high:g}{unit_text}"
