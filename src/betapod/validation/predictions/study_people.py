"""Who is in a study: virtual patients with the baseline that was published, under a condition."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .condition import Condition
from .studies import baseline_cohorts
from .study_tables import own_tables

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...patients.library import Library

#: People of a cohort under a condition: called with condition, cohort, count and seed.
PeopleUnder = Callable[[Condition, str, int, int], "Library"]
#: Libraries of people who lived again that are kept in memory.
_LIBRARIES = 2


def people(cohort: str, count: int, seed: int) -> Library:
    """Return virtual patients with the baseline of a cohort."""
    return _people(cohort, count, seed, own_tables().digest if cohort in own_tables().cohorts else "")


@functools.cache
def _people(cohort: str, count: int, seed: int, digest: str) -> Library:
    """Return the people of `people`; the digest of a user's own tables tells her cohorts from others of the same name."""
    from ...patients import library
    from ...patients.cohorts import reweight

    everybody = library.default()
    return reweight.select_patients(everybody, baseline_cohorts()[cohort], count, seed).patients


def people_under(condition: Condition, cohort: str, count: int, seed: int) -> Library:
    """Return virtual patients with the baseline of a cohort, as a condition has them: lived under it where it says so, and chosen anew.

    Raises
    ------
    ConfigError
        Too few people of the library are as the condition wants them.
    """
    from ...patients.cohorts import reweight

    if not condition.people and not condition.lived:
        return with_going_care(people(cohort, count, seed), condition)
    lived = (
        replace(Condition(), values=condition.values, drugs=condition.drugs, lived=True)
        if condition.lived
        else Condition()
    )
    key = replace(lived, people=dict(condition.life_change.traits)).key
    everybody = _everybody(key)
    base = _weights(key, tuple(sorted(condition.weighted.items()))) if condition.weighted else None
    selected = reweight.select_patients(everybody, baseline_cohorts()[cohort], count, seed, base=base).patients
    return with_going_care(selected, condition)


def joined_people(groups: Sequence[Library]) -> Library:
    """Return people of one library, one group after the other."""
    import pandas as pd

    first = groups[0]
    if len(groups) == 1:
        return first
    return replace(
        first,
        table=pd.concat([group.table for group in groups], ignore_index=True),
        parameters={name: np.concatenate([group.parameters[name] for group in groups]) for name in first.parameters},
        states=np.concatenate([group.states for group in groups]),
    )


def with_going_care(patients: Library, condition: Condition) -> Library:
    """Return patients whose inputs care moves as a condition says."""
    if not condition.care:
        return patients
    from ...physiology import whole_body

    inputs = whole_body.named_model("reference").inputs
    moved = {
        name: patients.parameters.get(name, np.full(len(patients), inputs[name].value)) + change
        for name, change in condition.care.items()
    }
    return replace(patients, parameters={**patients.parameters, **moved})


@functools.lru_cache(maxsize=_LIBRARIES)
def _everybody(key: str) -> Library:
    """Return the library, its people lived again under a condition that is written as its key."""
    import json

    from ...base import cache
    from ...patients import library
    from ...patients.library_identity import library_digest
    from ...patients.lived_again import live_again

    change = Condition(**json.loads(key)).life_change
    everybody = library.default()
    if not (change.values or change.drugs or change.traits):
        return everybody
    name = f"patients/again-{cache.key(live_again.__module__, key, library_digest(everybody))}.npz"
    kept = cache.read_entry(name)
    if kept is not None:
        return library.of_bytes(kept, name)
    again = live_again(everybody, [change])[0].patients.to_bytes()
    cache.write_entry(name, again)
    # As it will be read the next time, in single precision.
    return library.of_bytes(again, name)


@functools.lru_cache(maxsize=4)
def _weights(key: str, people: tuple[tuple[str, float], ...]) -> NDArray[np.float64]:
    from ...patients.reweighting import weights

    return weights(_everybody(key), dict(people))
