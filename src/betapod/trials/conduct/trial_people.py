"""The people of a trial's protocol, for comparisons that go on after the trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...health.course_people import CoursePeople
from ...observables.quantities import Numbers
from .candidates import Candidates, choose
from .enrolment_chances import enrolled_chances, still

if TYPE_CHECKING:
    from ...patients.library import Library
    from ..protocol.protocol import Protocol


def protocol_people(
    protocol: Protocol, size: int | None = None, library: Library | None = None, seed: int | None = None
) -> CoursePeople:
    """Return people as a protocol enrols them: by their chance to come, to pass screening by measurement, and the sizes of its strata.

    What a run-in changes is not part of it.

    Parameters
    ----------
    size
        How many; the size of the protocol's population by default.
    library
        Patients; those of the package by default.
    seed
        That of the protocol by default.

    Raises
    ------
    ConfigError
        Nobody may be eligible, or a size out of range.

    Examples
    --------
    >>> from betapod.trials.conduct.trial_people import protocol_people
    >>> from betapod.trials.protocol.protocol_files import find_protocol
    >>> people = protocol_people(find_protocol("dn61"), 500)
    >>> len(people), bool((people.library.table["true_uacr"] > 10).all())
    (500, True)
    """
    if library is None:
        from ...patients.library import default

        library = default()
    number = protocol.seed if seed is None else seed
    candidates = choose(protocol, library, number)
    count = protocol.population.size if size is None else size
    return CoursePeople.drawn(candidates.library, count, _enrolled(protocol, candidates), number)


def _enrolled(protocol: Protocol, candidates: Candidates) -> Numbers:
    """Return (patients,) shares among those enrolled."""
    chances = enrolled_chances(protocol, still(candidates.library, candidates.weights))
    by_stratum = candidates.weights[:, None] * chances
    sizes = np.array([item.patients or 0 for item in protocol.strata.values()] or [1], dtype=np.float64)
    if not sizes.sum():
        sizes = by_stratum.sum(axis=0)
    all_of_stratum = by_stratum.sum(axis=0)
    shares = np.divide(by_stratum, all_of_stratum, out=np.zeros_like(by_stratum), where=all_of_stratum > 0)
    return np.asarray(shares @ sizes)
