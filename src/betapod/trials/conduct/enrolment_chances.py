"""Enrolment chances from true values and measurement error, and the criterion that excludes most patients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.errors import Location, Problem
from ...observables.ckd_epi import creatinine_of
from ...observables.quantities import Numbers, code_of, known_codes, observable_unit, visit_observables
from .eligibility import eligible, judged_codes, screen
from .patient_pool import Pool
from .prescreening import confirmed, fixed_characteristics

if TYPE_CHECKING:
    from ...patients.library import Library
    from ..protocol.group_keys import Criterion
    from ..protocol.protocol import Protocol

#: Simulated screenings per person.
_DRAWS = 48


def still(library: Library, weights: Numbers) -> Pool:
    table = library.table
    codes = tuple(visit_observables())
    values = np.full((len(library), 1, len(codes)), np.nan)
    for i, item in enumerate(visit_observables().values()):
        if item.library:
            values[:, 0, i] = table[item.library].to_numpy(dtype=np.float64)
    people = fixed_characteristics(library)
    egfr = values[:, 0, codes.index("EGFR")]
    values[:, 0, codes.index("CREAT")] = creatinine_of(egfr, people["AGE"], people["FEMALE"])
    failed = {"natural": np.full(len(library), np.inf)}
    return Pool(
        np.zeros(1), codes, {"natural": values}, failed, {}, {}, {("", "run-in", ""): "natural"}, people, weights
    )


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
    pool = still(library, np.full(len(library), 1.0 / len(library)))
    masks: dict[tuple[str, ...], NDArray[np.bool_]] = {}
    kind = protocol.population.diabetes
    if kind != "any":
        of_kind = (pool.people["TYPE1"] > 0) == (kind == "type 1") if kind != "none" else True
        masks["population", "diabetes"] = ((pool.people["DIABETES"] > 0) == (kind != "none")) & of_kind
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
    unit = observable_unit(code_of(name)) if code_of(name) in known_codes() else ""
    unit_text = "" if unit == "1" else f" {unit}"
    if np.isinf(low):
        return f"{name} at most {high:g}{unit_text}"
    if np.isinf(high):
        return f"{name} from {low:g}{unit_text}"
    return f"{name} {low:g} to {high:g}{unit_text}"
