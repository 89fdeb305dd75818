"""Who is in the cohorts of the package's own studies: chosen once, when the library is made, and kept with the package.

Choosing takes a few seconds of processor time for all cohorts together. A choice holds for the library and the baseline that it was made of, which its
fingerprint tells; where either is another, people are chosen anew. `benchmarks/ship_cohorts.py` writes the file.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...patients import library
from ...patients.cohorts.cohort_target import CohortTarget
from ...patients.library_identity import library_digest

FILE = Path(__file__).parent / "cohorts" / "chosen_people.npz"
#: Cohort, how many people, and seed.
Choice = tuple[str, int, int]


@functools.cache
def _kept() -> dict[Choice, tuple[str, NDArray[np.int64]]]:
    """Return fingerprint and rows of the library of each choice."""
    with np.load(FILE) as file:
        choices, rows = json.loads(str(file["choices"])), file["rows"].astype(np.int64)
    ends = np.cumsum([count for _, count, _, _ in choices])
    return {
        (name, count, seed): (fingerprint, rows[end - count : end])
        for (name, count, seed, fingerprint), end in zip(choices, ends, strict=True)
    }


@functools.cache
def _library() -> str:
    return library_digest(library.default())


def fingerprint_of(target: CohortTarget) -> str:
    """Return a hash of the package's library and of all that a baseline says."""
    content = json.dumps(asdict(target), sort_keys=True, default=_plain)
    return hashlib.sha256(f"{_library()} {content}".encode()).hexdigest()[:32]


def _plain(number: Any) -> Any:
    return number.tolist() if isinstance(number, (np.ndarray, np.generic)) else str(number)


def chosen_before(choice: Choice, target: CohortTarget) -> NDArray[np.int64] | None:
    """Return the rows of the library that were chosen for a cohort, or None where nobody was, of this library and this baseline."""
    kept = _kept().get(choice)
    return kept[1] if kept is not None and kept[0] == fingerprint_of(target) else None


def is_up_to_date(choices: Sequence[Choice], targets: Mapping[str, CohortTarget]) -> bool:
    """Return whether all of some choices are kept, and no others."""
    return set(choices) == set(_kept()) and all(
        chosen_before(choice, targets[choice[0]]) is not None for choice in choices
    )


def write_choices(rows: Mapping[Choice, NDArray[np.int64]], targets: Mapping[str, CohortTarget]) -> None:
    """Write the rows of the library of each choice."""
    choices = [[*choice, fingerprint_of(targets[choice[0]])] for choice in sorted(rows)]
    together = np.concatenate([rows[choice] for choice in sorted(rows)]).astype(np.int32)
    np.savez_compressed(FILE, choices=np.array(json.dumps(choices)), rows=together)
    _kept.cache_clear()
