"""Simulated courses of a study's virtual patients, all arms integrated at once."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.constants import CREATININE_UMOL_L, DAYS_PER_WEEK, DAYS_PER_YEAR
from ...base.errors import Location, Problem, SolverError
from ...engine.schedule import Schedule
from ...observables.expressions import of_model, of_person, value
from ...observables.table import Numbers, observables
from ...patients.lived_again import joined_people
from ...physiology import whole_body
from .arm_groups import ArmGroup, ArmGroups, batches_of
from .arm_orders import rows_of_condition, timed
from .condition import Condition as Condition
from .outcome_chances import risks_of
from .studies import StudyArm
from .study_people import PeopleUnder, people_under
from .visits import RisksOnDemand, TablesOnDemand, compared, deviation_columns, filled_courses

if TYPE_CHECKING:
    from ...engine.ensemble import Ensemble
    from ...patients.library import Library

#: Tolerances: against 1e-9 no row of 159 moves by more than 0.2 % of its standard error, and nothing that is read off 2,340 people by more than
#: 0.3 % of the SD between them (docs/background/engine.md, tolerances by use).
RTOL, ATOL = 1e-4, 1e-7
#: Tolerances at which somebody is integrated again who fails at these: one person of all studies.
FINER = (1e-6, 1e-9)
#: Share of a cohort that may be lost to failures of integration.
_MOST_LOST = 0.05


@dataclass(frozen=True)
class Courses:
    """People at weeks.

    Attributes
    ----------
    weeks
        (weeks,).
    values
        Observable -> (people, weeks), NaN from kidney failure on; see `visits.compared`. Deviations that people begin with besides.
    member
        (people,) place of everybody in the cohort.
    failed
        (people,) week of kidney failure, inf without.
    risks
        What hazards of outcomes read besides, (people, weeks) by name, see `outcome_chances.risks_of`; nobody dies without.
    """

    weeks: Numbers
    values: Mapping[str, Numbers] = field(repr=False)
    member: NDArray[np.int64]
    failed: Numbers
    risks: Mapping[str, Numbers] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.member)

    def completers(self, week: float) -> Courses:
        """Return those who did not reach kidney failure by a week, as a completer's analysis has it."""
        return self._take(self.failed > week)

    def members(self, wanted: NDArray[np.int64]) -> Courses:
        """Return those with the places asked for."""
        return self._take(np.isin(self.member, wanted))

    def filled(self) -> Courses:
        """Return everybody, after kidney failure with their last values, but with next to no filtration."""
        return replace(self, values=filled_courses(self.values))

    def _take(self, kept: NDArray[np.bool_]) -> Courses:
        values = TablesOnDemand(self.values, lambda name: self.values[name][kept])
        risks = RisksOnDemand(lambda: {name: table[kept] for name, table in self.risks.items()})
        return Courses(self.weeks, values, self.member[kept], self.failed[kept], risks)


@functools.cache
def outputs() -> tuple[str, ...]:
    """Return what is read from the coupled model."""
    return tuple(dict.fromkeys(name for observable in compared() for name in of_model(observable)))


@functools.cache
def readable_observables() -> tuple[str, ...]:
    """Return the observables that can be made of `outputs`: those that are compared, and their relatives."""
    model_outputs = set(outputs())
    return tuple(
        name
        for name, observable in observables().items()
        if observable.model and model_outputs.issuperset(of_model(name))
    )


@functools.cache
def person_columns() -> tuple[str, ...]:
    """Return the columns of a library that observables are made of besides."""
    return tuple(dict.fromkeys(name for observable in readable_observables() for name in of_person(observable)))


@functools.cache
def _ensemble(threads: int | None) -> Ensemble:
    from ...engine.ensemble import Ensemble

    return Ensemble(whole_body.named_model("reference"), outputs(), RTOL, ATOL, threads=threads)


def simulate_arms(
    arms: Sequence[StudyArm],
    weeks: Sequence[float],
    condition: Condition,
    count: int,
    seed: int,
    threads: int | None = None,
) -> list[Courses]:
    """Return the course of everybody in each arm, see `simulate_conditions`."""
    return simulate_conditions(arms, weeks, [condition], count, seed, threads)[0]


def simulate_conditions(
    arms: Sequence[StudyArm],
    weeks: Sequence[float],
    conditions: Sequence[Condition],
    count: int,
    seed: int,
    threads: int | None = None,
    people: PeopleUnder = people_under,
) -> list[list[Courses]]:
    """Return the course of everybody in each arm under each condition, see `simulate_together`."""
    return simulate_together([ArmsTogether(arms, weeks, count)], conditions, seed, threads, people)[0]


@dataclass(frozen=True)
class ArmsTogether:
    """Arms that are simulated with the same number of people in each cohort, and the weeks to be reported, increasing, from 0 on."""

    arms: Sequence[StudyArm]
    weeks: Sequence[float]
    count: int


def simulate_together(
    wanted: Sequence[ArmsTogether],
    conditions: Sequence[Condition],
    seed: int,
    threads: int | None = None,
    people: PeopleUnder = people_under,
) -> list[list[list[Courses]]]:
    """Return the course of everybody, by what is wanted, condition and arm; as many are integrated at once as can be.

    Nobody's course depends on who is integrated with them. Arms with one cohort have the same people.

    Parameters
    ----------
    people
        Who is in a cohort under a condition.

    Raises
    ------
    SolverError
        More than one person in twenty could not be integrated.
    """
    maker = ArmGroups(seed, people)
    groups = [
        [
            [maker.group(number, arm, condition, arms.count, np.asarray(arms.weeks, dtype=float)) for arm in arms.arms]
            for condition in conditions
        ]
        for number, arms in enumerate(wanted)
    ]
    together: dict[tuple[object, ...], list[ArmGroup]] = {}
    for group in (group for of_plan in groups for of_condition in of_plan for group in of_condition):
        together.setdefault(group.together, []).append(group)
    simulated: dict[int, Courses] = {}
    for alike in together.values():
        simulate = _frozen if alike[0].arm.care_rule == "frozen" else _followed
        for batch in batches_of(alike):
            simulated |= zip(map(id, batch), simulate(batch, threads), strict=True)
    return [[[simulated[id(group)] for group in of_condition] for of_condition in of_plan] for of_plan in groups]


def _followed(groups: Sequence[ArmGroup], threads: int | None) -> list[Courses]:
    """Return the courses of people whose care goes on, each by its rule, from its year on."""
    from ...patients.follow_up import GoingCare, follow_patients

    first, sizes = groups[0], [len(group.people) for group in groups]
    weeks = functools.reduce(np.union1d, [group.weeks for group in groups])
    numbered = [
        replace(group.people, table=group.people.table.assign(group=number, place=np.arange(len(group.people))))
        for number, group in enumerate(groups)
    ]
    injuries = [group.injuries() for group in groups]

    def orders(now: Library) -> list[Schedule]:
        whose, places = now.table["group"].to_numpy(), now.table["place"].to_numpy()
        schedules: list[Schedule] = []
        # People stand in the order of their groups.
        edges = np.flatnonzero(np.diff(whose, prepend=-1, append=-1))
        for start, stop in itertools.pairwise(edges.tolist()):
            group, all_injuries = groups[whose[start]], injuries[whose[start]]
            treated = group.treated.later(now, slice(start, stop))
            schedules += all_injuries.take(places[start:stop]).added_to(treated.schedules(group.condition))
        return schedules

    starts = [group.treated.initial() for group in groups]
    values = _side_by_side(
        [rows_of_condition(group.condition, size) for group, size in zip(groups, sizes, strict=True)], sizes
    )
    care = [GoingCare(group.arm.care_rule, group.arm.year, glucose=not group.arm.sets_glucose) for group in groups]
    with first.condition.holding():
        followed = follow_patients(
            joined_people(numbered),
            DAYS_PER_WEEK * weeks,
            outputs(),
            [of_group for of_group, size in zip(care, sizes, strict=True) for _ in range(size)],
            orders,
            studies=np.repeat([group.study for group in groups], sizes),
            until=np.repeat([DAYS_PER_WEEK * group.weeks[-1] for group in groups], sizes),
            initial={name: np.concatenate([start[name] for start in starts]) for name in first.people.state_names},
            values=values,
            rtol=RTOL,
            atol=ATOL,
            threads=threads,
            finer=FINER,
        )
    return _courses_of(groups, weeks, followed.values, followed.status, followed.ended_at)


def _frozen(groups: Sequence[ArmGroup], threads: int | None) -> list[Courses]:
    """Return the courses of people who go on with what they take."""
    from ...patients.follow_up import of_one_program

    sizes = [len(group.people) for group in groups]
    schedules = [group.injuries().added_to(group.treated.schedules(group.condition)) for group in groups]
    studies, numbers = np.repeat([group.study for group in groups], sizes), np.repeat(np.arange(len(groups)), sizes)
    courses: dict[int, Courses] = {}
    for people in of_one_program(list(itertools.chain.from_iterable(schedules)), studies):
        some = np.unique(numbers[people]).tolist()
        of_some = [schedule for number in some for schedule in schedules[number]]
        courses |= zip(some, _integrated([groups[number] for number in some], of_some, threads), strict=True)
    return [courses[number] for number in range(len(groups))]


def _integrated(groups: Sequence[ArmGroup], schedules: Sequence[Schedule], threads: int | None) -> list[Courses]:
    """Return the courses of people in groups under schedules, all at once."""
    from ...patients.follow_up import integrate_failures_again

    weeks = groups[0].weeks
    starts = [group.treated.initial() for group in groups]
    initial = {name: np.concatenate([start[name] for start in starts]) for name in groups[0].people.state_names}
    columns = _side_by_side([group.columns() for group in groups], [len(group.people) for group in groups])
    result = _ensemble(threads).run(columns, DAYS_PER_WEEK * weeks, schedules, initial)
    integrate_failures_again(result, *FINER)
    return _courses_of(groups, weeks, result.values, result.status, result.ended_at)


def _courses_of(
    groups: Sequence[ArmGroup], weeks: Numbers, values: Numbers, status: NDArray[np.int64], ended_at: Numbers
) -> list[Courses]:
    """Return the courses of groups that stand one after the other, each in its own weeks."""
    courses, start = [], 0
    for group in groups:
        rows = slice(start, start + len(group.people))
        start += len(group.people)
        in_weeks = np.searchsorted(weeks, group.weeks)
        of_group = values[rows][:, in_weeks] if len(in_weeks) < len(weeks) else values[rows]
        courses.append(_courses(group.arm, group.people, group.weeks, of_group, status[rows], ended_at[rows]))
    return courses


def _side_by_side(columns: Sequence[Mapping[str, Numbers]], sizes: Sequence[int]) -> dict[str, Numbers]:
    """Return the columns of groups one after the other; those that lack a row have the table's value."""
    model = whole_body.named_model("reference")
    names = sorted({name for of_group in columns for name in of_group})

    def of(group: Mapping[str, Numbers], size: int, name: str) -> Numbers:
        if name in group:
            return group[name]
        row = model.parameters[name] if name in model.parameters else model.inputs[name]
        return np.full(size, row.value)

    return {
        name: np.concatenate([of(group, size, name) for group, size in zip(columns, sizes, strict=True)])
        for name in names
    }


def _courses(
    arm: StudyArm, who: Library, weeks: Numbers, values: Numbers, status: NDArray[np.int64], ended_at: Numbers
) -> Courses:
    """Return what is seen of an arm whose people were integrated; those who could not be are left out."""
    from ...engine.ensemble_result import ENDED

    lost = int(np.sum(status > ENDED))
    if lost > _MOST_LOST * len(who):
        message = f"{lost} of {len(who)} people of the arm {arm.arm!r} could not be integrated"
        raise SolverError(Problem("many-failures", message, Location(arm.study)))
    sound = np.flatnonzero(status <= ENDED)
    if lost:
        who, values, ended_at = who.take(sound), values[sound], ended_at[sound]
    ended = ended_at / DAYS_PER_WEEK
    failed = np.where(np.isfinite(ended), ended, np.inf)
    year = 0.0 if math.isnan(arm.year) else arm.year
    risks = RisksOnDemand(lambda: risks_of(who, weeks, [timed(text) for text in arm.care], year))
    return Courses(weeks, _observed(values, weeks, who), sound, failed, risks)


def _observed(values: Numbers, weeks: Numbers, who: Library) -> TablesOnDemand:
    """Return what a clinic sees, by observable; creatinine in the registry's unit, umol/L."""
    model = {name: values[:, :, i] for i, name in enumerate(outputs())}

    def personal(name: str) -> Numbers:
        column = who.table[name].to_numpy(dtype=np.float64)[:, None]
        return column + weeks[None, :] * DAYS_PER_WEEK / DAYS_PER_YEAR if name == "age" else column

    person = TablesOnDemand(person_columns(), personal)

    def observed(name: str) -> Numbers:
        if name in deviation_columns():
            return np.repeat(personal(name), len(weeks), axis=1)
        course = value(name, model, person)
        return CREATININE_UMOL_L * course if name == "creatinine" else course

    deviations = (name for name in deviation_columns() if name in who.table)
    return TablesOnDemand((*readable_observables(), *deviations), observed)
