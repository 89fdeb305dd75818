"""The people of a comparison: patients of a library, each as often as their weight says, with random numbers of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConfigError, Problem
from ..base.randomness import Stream
from ..hazards.risk import Numbers
from ..patients.library_identity import snapshot_number

if TYPE_CHECKING:
    from ..patients.library import Library

#: Most people of a comparison, and copies of one patient.
MOST_PEOPLE, _MOST_COPIES = 1_000_000, 4096


@dataclass(frozen=True)
class CoursePeople:
    """People who share courses with others like them: a patient of the library may stand for several, each with random numbers of their own.

    Attributes
    ----------
    library
        The patients, each once; a course is simulated for each.
    rows
        (people,) place of each person in the library, in increasing order.

    Examples
    --------
    >>> import betapod
    >>> from betapod.health.course_people import CoursePeople
    >>> people = CoursePeople.drawn(betapod.load_library().take(range(40)), size=100, seed=1)
    >>> len(people), len(people.library)
    (100, 40)
    """

    library: Library
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def drawn(
        cls, library: Library, size: int | None = None, weights: Numbers | None = None, seed: int = 1
    ) -> CoursePeople:
        """Return people drawn systematically from a library, so that everybody comes as often as their weight says, to within one.

        Parameters
        ----------
        size
            How many; as many as the library has by default.
        weights
            (patients,) of any sum; even ones by default.

        Raises
        ------
        ConfigError
            A size below 1 or above `MOST_PEOPLE`, or weights that are negative or all 0.
        """
        count = len(library) if size is None else int(size)
        if not 1 <= count <= MOST_PEOPLE:
            expected = f"from 1 to {MOST_PEOPLE}"
            raise ConfigError(
                Problem("bad-number", "the number of people is out of range", found=str(count), expected=expected)
            )
        shares = np.ones(len(library)) if weights is None else np.asarray(weights, dtype=np.float64)
        if not (np.all(shares >= 0.0) and np.all(np.isfinite(shares)) and shares.sum() > 0.0):
            raise ConfigError(Problem("bad-weights", "weights of people are not negative, and not all 0"))
        edges = count * np.concatenate([[0.0], np.cumsum(shares / shares.sum())])
        edges[-1] = count
        begin = float(Stream(seed, "health:people").uniform([0])[0])
        copies = np.diff(np.floor(edges + begin)).astype(np.int64)
        if copies.max() > _MOST_COPIES:
            message = "one patient would stand for too many people"
            raise ConfigError(
                Problem("few-people", message, found=str(copies.max()), expected=f"at most {_MOST_COPIES}")
            )
        kept = np.flatnonzero(copies)
        return cls(library.take(kept), np.repeat(np.arange(len(kept)), copies[kept]))

    @property
    def numbers(self) -> NDArray[np.int64]:
        """(people,) a number for each, by which random numbers are drawn; it stays the same whatever else is in the library."""
        first = np.searchsorted(self.rows, self.rows)
        copy = np.arange(len(self.rows)) - first
        return np.asarray(snapshot_number(self.library.table)[self.rows] * _MOST_COPIES + copy)

    def without(self, lost: NDArray[np.bool_]) -> CoursePeople:
        """Return the people without some of the patients of the library."""
        kept = np.flatnonzero(~lost)
        new_rows = np.cumsum(~lost) - 1
        return CoursePeople(self.library.take(kept), np.asarray(new_rows[self.rows[~lost[self.rows]]]))
