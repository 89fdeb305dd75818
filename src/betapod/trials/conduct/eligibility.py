"""Screening and enrolment: candidates in random order, measured with error, enrolled until recruitment is complete.

Patients who qualify by measurement error are enrolled too, which causes regression to the mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.constants import DAYS_PER_YEAR
from ...base.randomness import Stream
from ...observables.ckd_epi import ckd_epi_2021
from ...observables.quantities import CHARACTERISTICS, Numbers, code_of, visit_observables
from .measurement import measure_at_visit

if TYPE_CHECKING:
    from ..protocol.group_keys import Criterion
    from ..protocol.protocol import Protocol
    from .patient_pool import Pool

#: Candidates per place and round of screening, and rounds after which places stay empty.
_PER_PLACE, _ROUNDS = 4, 100
#: Candidates per place after which a trial stops to screen.
CANDIDATES_PER_PLACE = _PER_PLACE * _ROUNDS


@dataclass(frozen=True)
class Recruited:
    """Enrolled patients of all replicates.

    Attributes
    ----------
    member, stratum
        (R, n), in the order of recruitment; member -1 where the place stayed empty.
    measured
        PARAMCD -> (R, n, screening visits) what was measured for eligibility.
    screened
        (R,) candidates screened until the last place was filled.
    """

    member: NDArray[np.int32]
    stratum: NDArray[np.int8]
    measured: dict[str, Numbers]
    screened: NDArray[np.int32]


def judged_codes(protocol: Protocol) -> list[str]:
    """Return the PARAMCDs that eligibility or strata ask for, creatinine too where eGFR is among them."""
    names = [*protocol.eligibility, *(name for stratum in protocol.strata.values() for name in stratum.where)]
    codes = list(dict.fromkeys(code_of(name) for name in names))
    codes = [code for code in codes if code in visit_observables()]
    return ["CREAT", *(code for code in codes if code != "CREAT")] if "EGFR" in codes else codes


def recruit(protocol: Protocol, pool: Pool, design: str, seed: int, replicates: range) -> Recruited:
    """Screen candidates until the places of a design are filled, in each replicate.

    Returns
    -------
    Recruited
        The same for a replicate whichever others are computed with it, and whatever the cells do.
    """
    places, quotas = protocol.size(design), protocol.quotas(design)
    count, codes, visits = len(replicates), judged_codes(protocol), len(protocol.screening_visits)
    member = np.full((count, places), -1, dtype=np.int32)
    stratum = np.zeros((count, places), dtype=np.int8)
    measured = {code: np.full((count, places, visits), np.nan) for code in codes}
    screened = np.zeros(count, dtype=np.int32)
    filled = np.zeros((count, max(1, len(quotas))), dtype=np.int64)
    limits = np.array(quotas or [places])
    size = _PER_PLACE * places
    first = pool.first_of(replicates)[:, None]
    for turn in range(_ROUNDS):
        who = _candidates(pool, replicates, _uniform(seed, "trial:candidate", replicates, size, turn)) + first
        values = screen(protocol, pool, who, codes, seed, replicates, turn)
        ok, group = eligible(protocol, pool, who, values)
        part = group if quotas else np.zeros_like(group)
        enrolled = np.zeros_like(ok)
        for s, limit in enumerate(limits):
            qualified = ok & (part == s)
            order = np.cumsum(qualified, axis=1) + filled[:, s, None]
            enrolled |= qualified & (order <= limit)
        position = np.cumsum(enrolled, axis=1) - 1 + filled.sum(axis=1)[:, None]
        row, column = np.nonzero(enrolled)
        where = position[row, column]
        member[row, where] = who[row, column]
        stratum[row, where] = group[row, column]
        for code in codes:
            measured[code][row, where] = values[code][row, column]
        open_before = filled.sum(axis=1) < places
        for s in range(len(limits)):
            filled[:, s] += np.sum(enrolled & (part == s), axis=1)
        done = filled.sum(axis=1) >= places
        last = np.where(enrolled.any(axis=1), size - np.argmax(enrolled[:, ::-1], axis=1), 0)
        screened += np.where(open_before, np.where(done, last, size), 0).astype(np.int32)
        if done.all():
            break
    return Recruited(member, stratum, measured, screened)


def _candidates(pool: Pool, replicates: range, uniform: Numbers) -> NDArray[np.int32]:
    """Return (R, candidates) who comes to screening, by place among the people of the replicate's set of parameters."""
    people = pool.people_of_draw
    which = pool.first_of(replicates) // people
    who = np.zeros(uniform.shape, dtype=np.int32)
    for number in np.unique(which):
        edges = np.cumsum(pool.weights[number * people : (number + 1) * people])
        rows = which == number
        who[rows] = np.minimum(np.searchsorted(edges, uniform[rows] * edges[-1], side="right"), people - 1)
    return who


def _uniform(seed: int, purpose: str, replicates: range, size: int, item: int) -> Numbers:
    numbers = Stream(seed, purpose).uniform(range(replicates.start * size, replicates.stop * size), item)
    return numbers.reshape(len(replicates), size)


def screen(
    protocol: Protocol, pool: Pool, who: NDArray[np.int32], codes: list[str], seed: int, replicates: range, turn: int
) -> dict[str, Numbers]:
    """Return code -> (R, candidates, screening visits) measurements."""
    visits = protocol.screening_visits
    days = np.array([protocol.days[v] for v in visits])
    flat = who.reshape(-1)
    when = np.broadcast_to(days, (flat.size, len(days)))
    key = pool.keys["", "run-in", ""]
    measured: dict[str, Numbers] = {}
    for code in codes:
        if code == "EGFR":
            age = pool.people["AGE"][flat, None] + when / DAYS_PER_YEAR
            value = ckd_epi_2021(measured["CREAT"].reshape(flat.size, -1), age, pool.people["FEMALE"][flat, None])
        else:
            true = visit_observables()[code].backward(pool.at(key, code, flat, when))
            size = who.shape[1]
            stream = Stream(seed, f"trial:screen:{code}")
            people = range(replicates.start * size, replicates.stop * size)
            draws = np.stack([stream.normal(people, turn * len(days) + k) for k in range(len(days))], axis=1)
            value = measure_at_visit(protocol, pool, code, true, draws, flat)
        measured[code] = value.reshape(*who.shape, len(days))
    return measured


def eligible(
    protocol: Protocol, pool: Pool, who: NDArray[np.int32], values: Mapping[str, Numbers]
) -> tuple[NDArray[np.bool_], NDArray[np.int8]]:
    """Return who is eligible, and the stratum; patients in no stratum are excluded."""
    mean = {
        code: visit_observables()[code].backward(visit_observables()[code].forward(v).mean(axis=2))
        for code, v in values.items()
    }
    ok = np.ones(who.shape, dtype=bool)
    for name, criterion in protocol.eligibility.items():
        ok &= _fits(pool, who, mean, name, criterion)
    group = np.full(who.shape, -1, dtype=np.int8)
    for s, stratum in enumerate(protocol.strata.values()):
        in_stratum = ok & (group < 0)
        for name, criterion in stratum.where.items():
            in_stratum &= _fits(pool, who, mean, name, criterion)
        group[in_stratum] = s
    if protocol.strata:
        return ok & (group >= 0), np.maximum(group, 0).astype(np.int8)
    return ok, np.zeros(who.shape, dtype=np.int8)


def _fits(
    pool: Pool, who: NDArray[np.int32], mean: Mapping[str, Numbers], name: str, criterion: Criterion
) -> NDArray[np.bool_]:
    code = code_of(name)
    low, high = criterion.bounds(code)
    value = pool.people[code][who] if code in CHARACTERISTICS else mean[code]
    with np.errstate(invalid="ignore"):
        fits: NDArray[np.bool_] = (value >= low) & (value <= high)
    return fits
