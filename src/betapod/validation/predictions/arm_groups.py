"""People of arms under conditions, and which of them can be integrated at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.constants import DAYS_PER_WEEK
from ...hazards.kidney_injury import KidneyInjuries
from ...observables.table import Numbers
from ...patients.life_course import WantedSnapshots
from .arm_orders import TreatedPeople, rows_of_condition
from .condition import Condition
from .kept_people import KeptPeople
from .study_arm import StudyArm
from .study_people import PeopleUnder

if TYPE_CHECKING:
    from ...patients.library import Library

#: People who are integrated at once, of several arms: so many take little memory, and more would be no sooner done.
_MOST_AT_ONCE = 3000


class ArmGroups:
    """Makes groups; people of an arm whom several conditions leave as they are get their drugs and their injuries once.

    Parameters
    ----------
    people
        Who is in a cohort under a condition.
    """

    def __init__(self, seed: int, people: PeopleUnder) -> None:
        self.seed, self.people = seed, people
        self._treated: dict[tuple[object, ...], TreatedPeople] = {}

    def group(self, study: int, arm: StudyArm, condition: Condition, count: int, weeks: Numbers) -> ArmGroup:
        """Return the people of an arm under a condition."""
        people, cohort = self.people, (arm.cohort, count, self.seed)
        treated = self._of(arm, people(condition, *cohort), condition)
        anchored = people.anchored(condition, *cohort) if isinstance(people, KeptPeople) else None
        anchor = (
            self._of(arm, anchored, people.anchor) if isinstance(people, KeptPeople) and anchored is not None else None
        )
        return ArmGroup(study, treated, condition, weeks, anchor)

    def _of(self, arm: StudyArm, who: Library, condition: Condition) -> TreatedPeople:
        new = TreatedPeople(arm, who, condition, self.seed)
        # Those kept hold their people, so that no others have the same identity meanwhile.
        return self._treated.setdefault((arm.key, id(who), condition.held_key), new)


@dataclass(frozen=True, eq=False)
class ArmGroup:
    """People of an arm under a condition, and those among whom they were chosen under another one, if `anchor` is given.

    Attributes
    ----------
    study
        Number of what was wanted together: its people are integrated by one program.
    """

    study: int
    treated: TreatedPeople
    condition: Condition
    weeks: Numbers
    anchor: TreatedPeople | None = None

    @property
    def arm(self) -> StudyArm:
        return self.treated.arm

    @property
    def people(self) -> Library:
        return self.treated.people

    @property
    def together(self) -> tuple[object, ...]:
        """What groups that can be integrated at once have in common: of frozen care the weeks, of care that goes on what holds for all lives."""
        if self.arm.care_rule == "frozen":
            return "frozen", self.weeks.tobytes()
        # Drugs, traits and errors of visits hold for all who are followed at once.
        return "followed", self.condition.held_key

    def injuries(self) -> KidneyInjuries:
        """Return episodes of acute kidney injury: those under the anchor, where there is one."""
        last = float(DAYS_PER_WEEK * self.weeks[-1])
        if self.anchor is None:
            return self.treated.injuries(last)
        return self.anchor.injuries(last).take(_places_in(self.anchor.people, self.people))

    def columns(self) -> dict[str, Numbers]:
        """Return parameters and inputs by name, (people,)."""
        return {**self.people.parameters, **rows_of_condition(self.condition, len(self.people))}


def batches_of(groups: Sequence[ArmGroup]) -> list[list[ArmGroup]]:
    """Return groups that are integrated at once: of one grid of weeks until the shorter ends, and not too many people."""
    batches: list[list[ArmGroup]] = []
    grids, sizes = list[Numbers](), list[int]()
    for group in sorted(groups, key=lambda group: -len(group.weeks)):
        size = len(group.people)
        for number, grid in enumerate(grids):
            joined = _joined_grid(grid, group.weeks)
            if joined is not None and sizes[number] + size <= _MOST_AT_ONCE:
                batches[number].append(group)
                grids[number], sizes[number] = joined, sizes[number] + size
                break
        else:
            batches.append([group])
            grids.append(group.weeks)
            sizes.append(size)
    return batches


def _joined_grid(first: Numbers, second: Numbers) -> Numbers | None:
    """Return the weeks of two grids, one of which has all weeks of the other until the shorter ends; None for other grids."""
    joined = np.union1d(first, second)
    common = int(np.sum(joined <= min(first[-1], second[-1])))
    return joined if common == max(int(np.sum(grid <= joined[common - 1])) for grid in (first, second)) else None


def _places_in(all_people: Library, some: Library) -> NDArray[np.int64]:
    """Return where some people stand among all; who stands there twice is one person at one age."""
    keys, those = (
        WantedSnapshots.keys(who.table["person"].to_numpy(), who.table["age"].to_numpy()) for who in (all_people, some)
    )
    order = np.argsort(keys, kind="stable")
    return np.asarray(order[np.searchsorted(keys[order], those)], dtype=np.int64)
