"""Who is in a study: virtual patients with the baseline that was published, under a condition."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base import cache
from ...patients.lived_again import LifeChange, library_again, with_going_care
from .chosen_people import chosen_before
from .condition import Condition
from .studies import baseline_cohorts
from .study_tables import own_tables

if TYPE_CHECKING:
    from ...patients.library import Library
    from ...patients.population import Numbers

#: People of a cohort under a condition: called with condition, cohort, count and seed.
PeopleUnder = Callable[[Condition, str, int, int], "Library"]
#: How a row of the library is kept.
_ROW = "<i8"
#: Libraries of people who lived again that are kept in memory.
_LIBRARIES = 2


def people(cohort: str, count: int, seed: int) -> Library:
    """Return virtual patients with the baseline of a cohort."""
    return _people(cohort, count, seed, own_tables().digest if cohort in own_tables().cohorts else "")


@functools.cache
def _people(cohort: str, count: int, seed: int, digest: str) -> Library:
    """Return the people of `people`; the digest of a user's own tables tells her cohorts from others of the same name."""
    from ...patients import library

    return library.default().take(_chosen(cohort, count, seed, digest))


def _chosen(cohort: str, count: int, seed: int, digest: str) -> NDArray[np.int64]:
    """Return which rows of the library are in a cohort: from the package, or from the cache, where they were chosen before."""
    from ...patients import library
    from ...patients.cohorts import reweight

    if not digest:
        before = chosen_before((cohort, count, seed), baseline_cohorts()[cohort])
        if before is not None:
            return before
    everybody = library.default()
    name = f"cohorts/{cache.key(__name__, cohort, count, seed, digest)}"
    kept = cache.read_entry(name)
    if kept is not None and len(kept) == count * np.dtype(_ROW).itemsize:
        index = np.frombuffer(kept, _ROW).astype(np.int64)
        if index.max(initial=0) < len(everybody):
            return index
    index = reweight.select_patients(everybody, baseline_cohorts()[cohort], count, seed).index
    cache.write_entry(name, index.astype(_ROW).tobytes())
    return index


def people_under(condition: Condition, cohort: str, count: int, seed: int) -> Library:
    """Return virtual patients with the baseline of a cohort, as a condition has them: lived under it where it says so, and chosen anew.

    Raises
    ------
    ConfigError
        Too few people of the library are as the condition wants them.
    """
    from ...patients.cohorts import reweight

    if not condition.people and not condition.lived:
        return with_going_care(people(cohort, count, seed), condition.care)
    key = condition.life_change.key
    everybody = _everybody(key)
    base = _weights(key, tuple(sorted(condition.weighted.items()))) if condition.weighted else None
    selected = reweight.select_patients(everybody, baseline_cohorts()[cohort], count, seed, base=base).patients
    return with_going_care(selected, condition.care)


@functools.lru_cache(maxsize=_LIBRARIES)
def _everybody(key: str) -> Library:
    """Return the library, its people lived again under a change that is written as its key."""
    return library_again(LifeChange.of_key(key))


@functools.lru_cache(maxsize=4)
def _weights(key: str, people: tuple[tuple[str, float], ...]) -> Numbers:
    from ...patients.reweighting import weights

    return weights(_everybody(key), dict(people))
