"""Lives of people of several studies under the draws of a fit, lived together: hundreds of people take hardly longer than a few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...patients.library import Library
from ...patients.life_course import WantedSnapshots
from ...patients.lived_again import LifeChange, PeopleAgain, joined_people


@dataclass(frozen=True, eq=False)
class PooledLives:
    """People after lives under changes; nobody's life depends on who lives with them.

    Attributes
    ----------
    everybody
        Each once, see `each_once`.
    again
        What has become of them, by the key of a change.
    """

    everybody: Library
    again: Mapping[str, PeopleAgain]

    def under(self, people: Library, change: LifeChange) -> PeopleAgain | None:
        """Return people after their lives under a change; None where somebody is not here, or the change is another one."""
        places = self._places(people) if change.key in self.again else None
        return None if places is None else _taken(self.again[change.key], places)

    def of(self, people: Library) -> PooledLives:
        """Return the lives of some of the people, each once."""
        places = self._places(people)
        if places is None:
            return PooledLives(people, {})
        return PooledLives(people, {key: _taken(again, places) for key, again in self.again.items()})

    def _places(self, people: Library) -> NDArray[np.int64] | None:
        """Return where people stand here, or None where somebody is not here."""
        all_keys, wanted = _keys(self.everybody), _keys(people)
        places = np.searchsorted(all_keys, wanted).clip(max=len(all_keys) - 1)
        return np.asarray(places, dtype=np.int64) if np.array_equal(all_keys[places], wanted) else None


def _taken(again: PeopleAgain, places: NDArray[np.int64]) -> PeopleAgain:
    """Return those of people who lived again who stand at some places among all; who did not reach their study is not among them."""
    rows = np.searchsorted(again.rows, places).clip(max=len(again.rows) - 1)
    reached = np.flatnonzero(again.rows[rows] == places)
    return PeopleAgain(again.patients.take(rows[reached]), reached)


def each_once(groups: Sequence[Library]) -> tuple[Library, NDArray[np.int64]]:
    """Return everybody of groups once, in order, each at the age of a study; and where those of the groups stand, one group after the other."""
    everybody = joined_people(groups)
    _, first, places = np.unique(_keys(everybody), return_index=True, return_inverse=True)
    return everybody.take(first), np.asarray(places, dtype=np.int64)


def _keys(people: Library) -> NDArray[np.int64]:
    return WantedSnapshots.keys(people.table["person"].to_numpy(), people.table["age"].to_numpy())
