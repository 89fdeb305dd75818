"""The virtual patients behind a study's records: who is simulated, under which parameters, and which groups are compared."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...evidence.records.study import Record
from ...therapies.scenarios import NONE
from .condition import Condition
from .studies import StudyArm, arms, contrasts
from .study_courses import ArmsTogether, Courses, simulate_conditions, simulate_together
from .study_people import PeopleUnder, people_under
from .study_readouts import Readout, readout_of

#: Courses by what makes two arms the same.
CoursesByArm = Mapping[tuple[object, ...], Courses]
#: Virtual people behind a count of events, as a multiple of those behind other numbers.
PEOPLE_PER_EVENT = 5
#: Digits of a week: visits of two rows that differ by rounding are one.
_WEEK_DIGITS = 6


@dataclass(frozen=True)
class StudyPlan:
    """Rows of a study that are made of the same virtual people, `count` of them in each cohort."""

    records: Sequence[Record]
    readouts: Mapping[str, Readout]
    count: int

    @property
    def arms(self) -> dict[tuple[object, ...], StudyArm]:
        """Who gets what, by what makes two arms the same."""
        by_treatment: dict[tuple[object, ...], StudyArm] = {}
        for record in self.records:
            arm = arms()[record.study, record.arm]
            for group in (arm, arm.other) if contrasts(record) else (arm,):
                by_treatment[group.key] = group
        return by_treatment

    @property
    def has_cells(self) -> bool:
        """Whether any arm gets cells."""
        return any(arm.cells for arm in self.arms.values())

    @property
    def weeks(self) -> list[float]:
        """Weeks in which people are read off for any row, the start first."""
        weeks = {0.0}
        for record in self.records:
            weeks |= {round(week, _WEEK_DIGITS) for week in self.readouts[record.id].weeks(record.weeks or 0.0)}
        return sorted(weeks)

    def courses(
        self, condition: Condition, seed: int, threads: int | None, untreated: CoursesByArm | None = None
    ) -> dict[tuple[object, ...], Courses]:
        """Return the courses of every arm at the weeks of all rows.

        Parameters
        ----------
        untreated
            Courses of arms without cells, which are taken over: no scenario of cells says anything of these.
        """
        taken_over = untreated or {}
        arms = {key: arm for key, arm in self.arms.items() if key not in taken_over}
        return dict(taken_over) | self._simulated(arms, [condition], seed, threads, people_under)[0]

    def untreated(self, condition: Condition, seed: int, threads: int | None) -> dict[tuple[object, ...], Courses]:
        """Return the courses of the arms without cells, for all scenarios."""
        arms = {key: arm for key, arm in self.arms.items() if not arm.cells}
        return self._simulated(arms, [replace(condition, scenario=NONE)], seed, threads, people_under)[0]

    def courses_under(
        self,
        conditions: Sequence[Condition],
        seed: int,
        threads: int | None,
        only_cells: bool = False,
        people: PeopleUnder = people_under,
    ) -> list[dict[tuple[object, ...], Courses]]:
        """Return, for each condition, the courses of every arm, or of those with cells, at the weeks of all rows."""
        wanted = {key: arm for key, arm in self.arms.items() if arm.cells or not only_cells}
        return self._simulated(wanted, conditions, seed, threads, people)

    @property
    def visits(self) -> int:
        """Visits of all its people."""
        return self.count * len(self.arms) * len(self.weeks)

    def _simulated(
        self,
        arms: Mapping[tuple[object, ...], StudyArm],
        conditions: Sequence[Condition],
        seed: int,
        threads: int | None,
        people: PeopleUnder,
    ) -> list[dict[tuple[object, ...], Courses]]:
        if not arms:
            return [{} for _ in conditions]
        simulated = simulate_conditions(list(arms.values()), self.weeks, conditions, self.count, seed, threads, people)
        return [dict(zip(arms, courses, strict=True)) for courses in simulated]


def courses_together(
    plans: Sequence[StudyPlan],
    conditions: Sequence[Condition],
    seed: int,
    threads: int | None,
    people: PeopleUnder = people_under,
) -> list[list[CoursesByArm]]:
    """Return, for each plan and condition, the courses of every arm; people of all plans are integrated together where they can be."""
    arms_of = [plan.arms for plan in plans]
    wanted = [
        ArmsTogether(list(arms.values()), plan.weeks, plan.count) for plan, arms in zip(plans, arms_of, strict=True)
    ]
    simulated = simulate_together(wanted, conditions, seed, threads, people)
    return [
        [dict(zip(arms, of_condition, strict=True)) for of_condition in of_plan]
        for arms, of_plan in zip(arms_of, simulated, strict=True)
    ]


def readout_for(record: Record) -> Readout:
    """Return how a row that `studies.sort` lets through is made of people."""
    readout = readout_of(record)
    assert readout is not None
    return readout


def drawn(condition: Condition, draws: int, seed: int, without: Collection[str] = ()) -> list[Condition]:
    """Return scenarios whose parameters are drawn, but for some; what the condition fixes stays, and so does what each person has of their own."""
    from ...engine.draw import draw_parameters, varied
    from ...patients.population import MODEL_ROWS
    from ...therapies import cell_parameters

    if draws < 1 or condition.scenario == NONE:
        return []
    table = cell_parameters.cell_parameter_table(condition.scenario)
    shared = [name for name in varied(table) if name not in MODEL_ROWS and name not in without]
    columns = draw_parameters(table, seed, np.arange(draws), shared)
    draws_of_rows = [{name: float(values[k]) for name, values in columns.items()} for k in range(draws)]
    return [replace(condition, values={**values, **condition.values}) for values in draws_of_rows]


def groups_of(record: Record, arm: StudyArm, courses: Mapping[tuple[object, ...], Courses]) -> list[Courses]:
    """Return the groups of a row, the same people in both groups of one cohort.

    Everybody for events; for slopes people with enough visits before kidney failure; completers otherwise.
    """
    groups = [courses[side.key] for side in ((arm, arm.other) if contrasts(record) else (arm,))]
    same = paired(arm, groups)
    readout = readout_for(record)
    if readout.event is None:
        until = readout.known_until(record.weeks or 0.0)
        groups = [group.completers(until) for group in groups]
    if same:
        both = np.intersect1d(groups[0].member, groups[1].member)
        groups = [group.members(both) for group in groups]
    return groups


def paired(arm: StudyArm, groups: Sequence[Courses]) -> bool:
    """Return whether both groups of a contrast are the same people."""
    return len(groups) == 2 and arm.cohort == arm.other.cohort
