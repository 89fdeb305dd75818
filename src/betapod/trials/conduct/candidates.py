"""Pre-screened patients of a library: weighted to a cohort, with true values near or within the eligibility bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConfigError
from ...base.randomness import Stream
from ...observables.ckd_epi import STEEPEST
from ...observables.quantities import CHARACTERISTICS, Numbers, code_of, quantities

if TYPE_CHECKING:
    import pandas as pd

    from ...patients.library import Library
    from ..protocol.protocol import Protocol

#: Library columns with the true value of what is judged at screening.
TRUE = {code: item.library for code, item in quantities().items() if item.library and item.is_relative}
#: A person farther outside a bound than this many SDs of a measurement is never called to screening.
_FAR = 4.0
#: Effective number of people that a pool must rest on, as a share of them.
_LEAST_EFFECTIVE = 0.25
#: Samples that make a diagnosis (KDIGO: two of three).
_SAMPLES, _NEEDED = 3, 2


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
    from . import feasibility

    weights = _weights(protocol, library)
    allowed = may_be_eligible(protocol, library) & confirmed(protocol, library, seed) & (weights > 0)
    rows = np.flatnonzero(allowed)
    if not rows.size:
        raise ConfigError(feasibility.nobody(protocol, library)[0])
    size = min(protocol.population.size, rows.size)
    share, mixed = _mixed(weights[rows], max(1.0, _LEAST_EFFECTIVE * size))
    chance = _inclusion(mixed, size)
    number = _number(library.table)[rows]
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
    if protocol.run_in is None and not feasibility.enrolled_chances(protocol, feasibility.still(candidates)).any():
        raise ConfigError(feasibility.nobody(protocol, library)[0])
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


def _number(table: pd.DataFrame) -> NDArray[np.int64]:
    """Return a number for each row: a person may be in the library at several ages, each with its own draws."""
    months = np.floor(table["age"].to_numpy(dtype=np.float64) * 12).astype(np.int64)
    number: NDArray[np.int64] = table["person"].to_numpy(dtype=np.int64) * 4096 + months
    return number


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


def characteristics(library: Library) -> dict[str, Numbers]:
    """Return fixed patient characteristics by their protocol names."""
    table = library.table
    columns: dict[str, Numbers] = {}
    for name, characteristic in CHARACTERISTICS.items():
        if characteristic.id == "rasi":
            either = (table["acei"] > 0) | (table["arb"] > 0)
            columns[name] = np.asarray(either, dtype=np.float64)
        else:
            columns[name] = np.asarray(table[characteristic.cohort], dtype=np.float64)
    return columns


def may_be_eligible(protocol: Protocol, library: Library) -> NDArray[np.bool_]:
    """Return who may be eligible: characteristics within bounds, true values within or near them."""
    fixed = characteristics(library)
    allowed: NDArray[np.bool_] = np.ones(len(library), dtype=bool)
    if protocol.population.diabetes != "any":
        allowed &= (fixed["TYPE1"] > 0) == (protocol.population.diabetes == "type 1")
    for name, criterion in protocol.eligibility.items():
        code = code_of(name)
        low, high = criterion.bounds(code)
        if code in CHARACTERISTICS:
            with np.errstate(invalid="ignore"):
                allowed &= (fixed[code] >= low) & (fixed[code] <= high)
        elif code in TRUE:
            room = np.exp(_FAR * _screening_error(code))
            true = library.table[TRUE[code]].to_numpy(dtype=np.float64)
            allowed &= (true >= low / room) & (true <= high * room)
    return allowed


def _screening_error(code: str) -> float:
    """Return the SD of the logarithm of what is measured at screening; eGFR at its largest, where it is made of a high creatinine."""
    return quantities()["CREAT"].relative_error * STEEPEST if code == "EGFR" else quantities()[code].relative_error


def confirmed(protocol: Protocol, library: Library, seed: int) -> NDArray[np.bool_]:
    """Return who carries the diagnosis: two of three earlier samples were within bounds, measured with the usual error."""
    allowed: NDArray[np.bool_] = np.ones(len(library), dtype=bool)
    table = library.table
    number = _number(table)
    for name, criterion in protocol.population.confirmed.items():
        code = code_of(name)
        low, high = criterion.bounds(code)
        if code in CHARACTERISTICS:
            value: Numbers = characteristics(library)[code]
            with np.errstate(invalid="ignore"):
                allowed &= (value >= low) & (value <= high)
            continue
        true = table[TRUE[code]].to_numpy(dtype=np.float64)
        sd = quantities()[code].relative_error
        draws = np.stack([Stream(seed, f"trial:confirmed:{code}").normal(number, k) for k in range(_SAMPLES)])
        measured = true * np.exp(sd * draws)
        allowed &= np.asarray(np.sum((measured >= low) & (measured <= high), axis=0) >= _NEEDED)
    return allowed
