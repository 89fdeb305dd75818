"""Simulated courses of a study's virtual patients, all arms integrated at once."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.constants import CREATININE_UMOL_L, DAYS_PER_WEEK, DAYS_PER_YEAR
from ...base.errors import Location, Problem, SolverError
from ...engine.schedule import Schedule
from ...hazards.kidney_injury import KidneyInjuries, injuries_of
from ...observables.expressions import of_model, of_person, value
from ...observables.table import Numbers, observables
from ...patients.life_course import WantedSnapshots
from ...patients.lived_again import joined_people
from ...patients.population import population_table
from ...physiology import whole_body
from ...therapies import cell_parameters
from ...therapies.plan import plan
from ...therapies.standard_care import Therapy, therapy
from .condition import Condition as Condition
from .kept_people import KeptPeople
from .outcome_chances import accepted_care, risks_of
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
#: A therapy, and the weeks in which it begins and ends.
_TIMED = re.compile(r"(?P<what>.+?)(?:\s+from week (?P<start>[\d.]+))?(?:\s+until week (?P<stop>[\d.]+))?")


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
    """Return the course of everybody in each arm under each condition, those whose care is frozen integrated at once.

    Parameters
    ----------
    weeks
        To be reported, increasing, from 0 on.
    count
        People per cohort; arms with one cohort have the same people.
    people
        Who is in a cohort under a condition.

    Raises
    ------
    SolverError
        More than one person in twenty could not be integrated.
    """
    grid = np.asarray(weeks, dtype=float)
    groups = [[_group(arm, condition, count, seed, people) for arm in arms] for condition in conditions]
    frozen = [group for of_condition in groups for group in of_condition if group.arm.care_rule == "frozen"]
    cared_for = [group for of_condition in groups for group in of_condition if group.arm.care_rule != "frozen"]
    simulated = dict(zip(map(id, frozen), _frozen(frozen, grid, threads), strict=True))
    simulated |= zip(map(id, cared_for), _followed(cared_for, grid, threads), strict=True)
    return [[simulated[id(group)] for group in of_condition] for of_condition in groups]


def _group(arm: StudyArm, condition: Condition, count: int, seed: int, people: PeopleUnder) -> _Group:
    who = people(condition, arm.cohort, count, seed)
    anchored = people.anchored(condition, arm.cohort, count, seed) if isinstance(people, KeptPeople) else None
    anchor = (anchored, people.anchor) if isinstance(people, KeptPeople) and anchored is not None else None
    return _Group(arm, who, condition, seed, anchor)


@dataclass(frozen=True, eq=False)
class _Group:
    """People of an arm under a condition; under another one they were chosen, if `anchor` is given."""

    arm: StudyArm
    people: Library
    condition: Condition
    seed: int
    anchor: tuple[Library, Condition] | None = None

    def injuries(self, last: float) -> KidneyInjuries:
        """Return episodes of acute kidney injury until a day: those under the anchor, where there is one."""
        who, condition = self.anchor or (self.people, self.condition)
        with condition.holding():
            episodes = _injuries(self.arm, who, self.seed, last)
        return episodes if self.anchor is None else episodes.take(_places_in(who, self.people))

    def schedules(self, injuries: KidneyInjuries) -> tuple[Schedule, ...]:
        """Return one schedule per person: inputs that are held, drugs that fit, cells cut to the person, injuries of the kidney."""
        with self.condition.holding():
            return injuries.added_to(_schedules(self.arm, self.people, self.condition))

    def columns(self) -> dict[str, Numbers]:
        """Return parameters and inputs by name, (people,)."""
        return {**self.people.parameters, **_values_of(self.condition, len(self.people))}


def _followed(groups: Sequence[_Group], weeks: Numbers, threads: int | None) -> list[Courses]:
    """Return the courses of people whose care goes on, those of one rule, year and drugs together."""
    together: dict[tuple[object, ...], list[int]] = {}
    for index, group in enumerate(groups):
        arm, condition = group.arm, group.condition
        # Drugs, traits and errors of visits hold for all who are followed at once.
        change = condition.life_change
        parts = (condition.drugs, change.traits, change.of_people, condition.visits)
        held = [sorted(part.items()) for part in parts]
        together.setdefault((arm.care_rule, arm.year, arm.sets_glucose, repr(held)), []).append(index)
    courses: dict[int, Courses] = {}
    for indices in together.values():
        of_care = [groups[index] for index in indices]
        courses |= zip(indices, _followed_together(of_care, weeks, threads), strict=True)
    return [courses[index] for index in range(len(groups))]


def _followed_together(groups: Sequence[_Group], weeks: Numbers, threads: int | None) -> list[Courses]:
    from ...patients.follow_up import GoingCare, follow_patients

    first = groups[0]
    days = DAYS_PER_WEEK * weeks
    sizes = [len(group.people) for group in groups]
    numbered = [
        replace(group.people, table=group.people.table.assign(group=number, place=np.arange(len(group.people))))
        for number, group in enumerate(groups)
    ]
    injuries = [group.injuries(float(days[-1])) for group in groups]

    def orders(now: Library) -> list[Schedule]:
        whose, places = now.table["group"].to_numpy(), now.table["place"].to_numpy()
        schedules: list[Schedule] = []
        # People stand in the order of their groups.
        for number in np.unique(whose):
            rows = np.flatnonzero(whose == number)
            group, all_injuries = groups[number], injuries[number]
            index = places[rows]
            people_now = now if len(rows) == len(now) else now.take(rows)
            schedules += all_injuries.take(index).added_to(_schedules(group.arm, people_now, group.condition))
        return schedules

    starts = [_initial(group.arm, group.people) for group in groups]
    values = _side_by_side([_values_of(group.condition, len(group.people)) for group in groups], sizes)
    with first.condition.holding():
        followed = follow_patients(
            joined_people(numbered),
            days,
            outputs(),
            GoingCare(first.arm.care_rule, first.arm.year, glucose=not first.arm.sets_glucose),
            orders,
            initial={name: np.concatenate([start[name] for start in starts]) for name in first.people.state_names},
            values=values,
            rtol=RTOL,
            atol=ATOL,
            threads=threads,
            finer=FINER,
        )
    return _courses_of(groups, weeks, followed.values, followed.status, followed.ended_at)


def _frozen(groups: Sequence[_Group], weeks: Numbers, threads: int | None) -> list[Courses]:
    """Return the courses of people who go on with what they take, all groups integrated at once."""
    from ...patients.follow_up import integrate_failures_again

    if not groups:
        return []
    days = DAYS_PER_WEEK * weeks
    schedules = [schedule for group in groups for schedule in group.schedules(group.injuries(days[-1]))]
    starts = [_initial(group.arm, group.people) for group in groups]
    initial = {name: np.concatenate([start[name] for start in starts]) for name in groups[0].people.state_names}
    columns = _side_by_side([group.columns() for group in groups], [len(group.people) for group in groups])
    result = _ensemble(threads).run(columns, days, schedules, initial)
    integrate_failures_again(result, *FINER)
    return _courses_of(groups, weeks, result.values, result.status, result.ended_at)


def _courses_of(
    groups: Sequence[_Group], weeks: Numbers, values: Numbers, status: NDArray[np.int64], ended_at: Numbers
) -> list[Courses]:
    """Return the courses of groups that stand one after the other."""
    courses, start = [], 0
    for group in groups:
        rows = slice(start, start + len(group.people))
        start += len(group.people)
        courses.append(_courses(group.arm, group.people, weeks, values[rows], status[rows], ended_at[rows]))
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


def _places_in(all_people: Library, some: Library) -> NDArray[np.int64]:
    """Return where some people stand among all; who stands there twice is one person at one age."""
    keys, those = (
        WantedSnapshots.keys(who.table["person"].to_numpy(), who.table["age"].to_numpy()) for who in (all_people, some)
    )
    order = np.argsort(keys, kind="stable")
    return np.asarray(order[np.searchsorted(keys[order], those)], dtype=np.int64)


def _injuries(arm: StudyArm, who: Library, seed: int, last: float) -> KidneyInjuries:
    """Return episodes of acute kidney injury; a person has the same random numbers in every arm."""
    recipients = who.recipients()
    added = accepted_care(recipients, [timed(text) for text in arm.care])
    return injuries_of(who.table, recipients.takes, added, seed, 0.0, last)


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


def _initial(arm: StudyArm, who: Library) -> dict[str, Numbers]:
    """Return everybody's state at the start: people who begin to titrate insulin have a first dose, as in their lives before."""
    from ...patients.life_course import FIRST_INSULIN

    care = [timed(text) for text in arm.care]
    begins = any(drug.name == "titrated insulin" and drug.start == 0.0 for drug in care)
    if not (begins or dict(arm.inputs).get("insulin_titration")):
        return who.initial
    new = who.parameters["insulin_titration"] == 0
    dose = np.where(new, math.log(FIRST_INSULIN), who.initial["ln_insulin_dose"])
    return {**who.initial, "ln_insulin_dose": np.asarray(dose, dtype=np.float64)}


def _values_of(condition: Condition, count: int) -> dict[str, Numbers]:
    model = whole_body.named_model("reference")
    values = cell_parameters.scenario_values(model, condition.scenario)
    values |= {key: value for key, value in _of_the_study(condition).items() if key in model.parameters}
    return {key: np.full(count, value) for key, value in values.items()}


def _of_the_study(condition: Condition) -> dict[str, float]:
    """Return values that everybody has during a study: not rows of the table of people, which make lives and are people's own afterwards."""
    return {name: value for name, value in condition.values.items() if name not in population_table()}


def _schedules(arm: StudyArm, who: Library, condition: Condition) -> tuple[Schedule, ...]:
    """Return one schedule per person: inputs that are held, drugs that fit, cells cut to the person."""
    people = who.recipients()
    varied = {name: np.full(len(who), value) for name, value in _of_the_study(condition).items()}
    people = replace(people, parameters={**people.parameters, **varied})
    return plan(
        whole_body.named_model("reference"),
        people,
        [timed(text) for text in arm.care],
        arm.cells,
        condition.scenario,
        held=dict(arm.inputs),
        # What nobody is given need not be judged for everybody.
        own_drugs=None if arm.care else [()] * len(who),
        as_ordered=True,
        where=arm.study,
    ).schedules


def timed(text: str) -> Therapy:
    """Read a therapy that may begin and end during the study: ``ARB until week 104``, ``sodium intake 85 mmol/day from week 2``."""
    match = _TIMED.fullmatch(text)
    assert match is not None
    return therapy(
        match["what"],
        start=7.0 * float(match["start"] or 0.0),
        stop=7.0 * float(match["stop"]) if match["stop"] else math.inf,
    )


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
