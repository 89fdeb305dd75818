"""Who is in studies under many conditions: chosen once, and living again under every other set of parameters.

Choosing people anew for every set would let chance speak: an exchange of one person moves a prediction more than a step of a parameter. So
people are chosen under an anchor, and under other conditions the same people live again up to the day of their study. When a fit has moved,
the anchor moves with it and cohorts are balanced anew.

Their episodes of acute kidney injury stay on the days that they have under the anchor: an episode that moved onto a visit, or from it, would move
the mean of a few people more than any parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...patients.lived_again import LifeChange, PeopleAgain, live_again, with_going_care
from .chosen_people import Choice
from .condition import Condition
from .pooled_lives import PooledLives, each_once
from .study_people import people_under

if TYPE_CHECKING:
    from ...patients.library import Library

#: Sets of parameters under which people live again at once.
_AT_ONCE = 8


class KeptPeople:
    """People of cohorts under conditions, see the module; called as `study_people.PeopleUnder`.

    Parameters
    ----------
    anchor
        Under which cohorts are chosen.
    cohorts
        Cohort, count and seed of everybody who may be asked for.
    lives
        Of people of several studies, who are looked for there before they live again.
    """

    def __init__(
        self, anchor: Condition, cohorts: Iterable[tuple[str, int, int]], lives: PooledLives | None = None
    ) -> None:
        self.anchor, self._lives = anchor, lives
        self._chosen = {cohort: chosen_under(anchor, cohort) for cohort in dict.fromkeys(cohorts)}
        self._again: dict[str, PeopleAgain] = {}
        groups = list(self._chosen.values())
        self._everybody, places = each_once(groups)
        edges = np.cumsum([0, *(len(group) for group in groups)])
        self._rows = {
            cohort: places[start:stop] for cohort, start, stop in zip(self._chosen, edges[:-1], edges[1:], strict=True)
        }

    def __len__(self) -> int:
        return len(self._everybody)

    def live(self, conditions: Sequence[Condition]) -> None:
        """Let everybody live again under each condition that shapes lives, and forget the lives of others."""
        wanted: dict[str, LifeChange] = {
            change.key: change for condition in conditions if self._differs(change := condition.life_change)
        }
        self._again = {key: again for key, again in self._again.items() if key in wanted}
        if self._lives is not None:
            lived = {key: self._lives.under(self._everybody, change) for key, change in wanted.items()}
            self._again |= {key: again for key, again in lived.items() if again is not None}
        missing = [key for key in wanted if key not in self._again]
        for start in range(0, len(missing), _AT_ONCE):
            keys = missing[start : start + _AT_ONCE]
            self._again |= zip(keys, live_again(self._everybody, [wanted[key] for key in keys]), strict=True)

    def __call__(self, condition: Condition, cohort: str, count: int, seed: int) -> Library:
        """Return people of a cohort under a condition; those whose kidneys failed before the study are left out."""
        if condition.weighted != self.anchor.weighted:
            # Correlations are had by weights on the whole library: no person moves.
            return people_under(condition, cohort, count, seed)
        patients = self._chosen[cohort, count, seed]
        change = condition.life_change
        if self._differs(change):
            again = self._again[change.key]
            rows = self._rows[cohort, count, seed]
            index = np.searchsorted(again.rows, rows).clip(max=len(again.rows) - 1)
            patients = again.patients.take(index[again.rows[index] == rows])
        return with_going_care(patients, condition.care)

    def anchored(self, condition: Condition, cohort: str, count: int, seed: int) -> Library | None:
        """Return people of a cohort as they were chosen, where those of a condition are the same people living again."""
        moved = condition.weighted == self.anchor.weighted and self._differs(condition.life_change)
        return self._chosen[cohort, count, seed] if moved else None

    def _differs(self, change: LifeChange) -> bool:
        return change != self.anchor.life_change


def chosen_under(anchor: Condition, cohort: Choice) -> Library:
    """Return the people of a cohort under an anchor, without what care moves during studies, which comes to people afterwards."""
    return people_under(replace(anchor, care={}), *cohort)
