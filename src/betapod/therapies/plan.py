"""Treatment plans: drugs, cells and held inputs become one dosing schedule per person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..base.arguments import instance, several
from ..base.errors import BetapodError, ConfigError, Problem
from ..engine.schedule import Schedule, Switch
from ..model import Model
from . import cell_parameters
from .cell_dosing import Regimen, regimen
from .cell_population import regimens
from .drug_limits import Withheld, allowed_drugs, limit_edges
from .drug_switches import care, switches_of
from .input_courses import InputCourses
from .insulin_rules import other_rules, rule_of_insulin
from .scenarios import DEFAULT
from .standard_care import Therapy, therapy

if TYPE_CHECKING:
    Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Recipients:
    """People who are given something.

    Attributes
    ----------
    parameters
        Parameters and inputs that differ from the model's, and numbers of cell products that differ from the tables': name ->
        (people,), in the rows' units.
    states
        Everybody's state at the start: name -> (people,).
    takes
        Drug or class of drugs -> (people,) whether somebody takes it already.
    filtration
        (people,) GFR, mL/min/1.73 m2, for contraindications.
    """

    parameters: Mapping[str, Numbers]
    states: Mapping[str, Numbers]
    takes: Mapping[str, NDArray[np.bool_]]
    filtration: Numbers

    def __len__(self) -> int:
        return len(self.filtration)

    def accepted(self, person: int, drugs: Iterable[Therapy], as_ordered: bool = False) -> tuple[Therapy, ...]:
        """Return the drugs that a person is given: see `judged`."""
        return self.judged(person, drugs, as_ordered)[0]

    def all_accepted(self, drugs: Iterable[Therapy], as_ordered: bool = False) -> list[tuple[Therapy, ...]]:
        """Return the drugs that everybody is given of what is ordered for all: see `judged`."""
        return [allowed for allowed, _ in self.all_judged(drugs, as_ordered)]

    def judged(
        self, person: int, drugs: Iterable[Therapy], as_ordered: bool = False
    ) -> tuple[tuple[Therapy, ...], tuple[Withheld, ...]]:
        """Return the drugs that a person is given, and those that are withheld: taken already, of a class that is, or contraindicated.

        Parameters
        ----------
        person
            Place in the columns.
        as_ordered
            See `drug_limits.allowed_drugs`.
        """
        already = [name for name, takers in self.takes.items() if takers[person]]
        return allowed_drugs(drugs, already, {"GFR": float(self.filtration[person])}, as_ordered)

    def all_judged(
        self, drugs: Iterable[Therapy], as_ordered: bool = False
    ) -> list[tuple[tuple[Therapy, ...], tuple[Withheld, ...]]]:
        """Return what `judged` says of everybody; people are alike who take the same and whose filtration crosses the same limits."""
        ordered, edges = tuple(drugs), limit_edges("GFR")
        sides = [np.searchsorted(edges, self.filtration, side) for side in ("left", "right")]
        alike = np.column_stack([*self.takes.values(), *sides, np.isnan(self.filtration)])
        _, first, which = np.unique(alike, axis=0, return_index=True, return_inverse=True)
        verdicts = [self.judged(int(person), ordered, as_ordered) for person in first]
        return [verdicts[kind] for kind in which.ravel()]


@runtime_checkable
class HasRecipients(Protocol):
    """Patients of a library, who say how they are given something."""

    def recipients(self) -> Recipients:
        """Return them as recipients."""
        ...


@dataclass(frozen=True)
class Plan:
    """What is given to whom.

    Attributes
    ----------
    model
        The model under the scenario.
    scenario
        Of what cells do; empty for a model without cells.
    schedules
        One per person; people who are given the same share one.
    drugs
        What each person is given, after what does not fit was left out.
    courses
        Each person's courses of cells, with what is unusual about them.
    withheld
        What was ordered for each person and is not given, each with the reason; empty where everything is given.
    insulin
        The rule by which each person's insulin dose changes, in words; empty for who injects none.

    Examples
    --------
    >>> import betapod
    >>> person = betapod.load_person("t2d", model="metabolism")
    >>> treated = betapod.plan(person.model, person.state, drugs=["metformin 2 g"])
    >>> result = betapod.simulate(treated.model, [0, 180], treated.schedule, person.state, outputs=["HbA1c"])
    >>> bool(result.table["HbA1c"].iloc[-1] < person.state["HbA1c"])
    True
    """

    model: Model
    scenario: str
    schedules: tuple[Schedule, ...]
    drugs: tuple[tuple[Therapy, ...], ...]
    courses: tuple[tuple[Regimen, ...], ...] = field(default_factory=tuple)
    withheld: tuple[tuple[Withheld, ...], ...] = field(default_factory=tuple)
    insulin: tuple[str, ...] = ()

    def __repr__(self) -> str:
        many = f", {len(self.schedules)} people" if len(self.schedules) != 1 else ""
        return f"<Plan {self.model.name}{many}: {'; '.join(self.understood) or 'nothing given'}>"

    @property
    def schedule(self) -> Schedule:
        """The schedule of a plan for one person."""
        (schedule,) = self.schedules
        return schedule

    @property
    def understood(self) -> list[str]:
        """What was understood, in words: drugs with how many get them, who goes without and why, courses of cells of the first person."""
        many = len(self.schedules)
        counts = Counter(drug.words for person in self.drugs for drug in person)
        lines = [f"{words}: {n} of {many} people" if many > 1 else words for words, n in counts.items()]
        without = Counter((item.drug.label, item.reason) for person in self.withheld for item in person)
        lines += [f"{label} not given to {n} of {many} people: {reason}" for (label, reason), n in without.items()]
        lines += self.insulin_lines
        return lines + [course.words for course in (self.courses[0] if self.courses else ())]

    @property
    def insulin_lines(self) -> list[str]:
        """Which rule acts on insulin, and for how many people; nothing where nothing else is given or nobody injects insulin."""
        if not (any(self.drugs) or any(self.courses)):
            return []
        many = len(self.schedules)
        counts = Counter(rule for rule in self.insulin if rule)
        lines = [f"{rule}: {n} of {many} people" if many > 1 else rule for rule, n in counts.items()]
        titrated = any("titrated" in rule for rule in counts)
        return [f"{line}; {other_rules()}" if titrated and "titrated" in line else line for line in lines]


def plan(
    model: Model,
    people: Recipients | HasRecipients | Mapping[str, float] | None = None,
    drugs: Iterable[Therapy | str] = (),
    cells: str | Iterable[str] = (),
    scenario: str | None = None,
    *,
    start: float = 0.0,
    held: Mapping[str, float] | None = None,
    own_drugs: Sequence[Sequence[Therapy]] | None = None,
    as_ordered: bool = False,
    where: str = "cells",
) -> Plan:
    """Return what one person, or each of many, is given.

    Parameters
    ----------
    model
        With one person's own values, or what is common to many.
    people
        One person's states (the model's initial values by default), or many people: a `Library`, such as the patients of
        `select_cohort`. One person's contraindicated drug is an error; of many, those whom it does not fit go without. A person gets one
        drug of a class.
    drugs
        Such as ``"metformin 2 g"``, from day 0 on unless they say otherwise.
    cells
        Orders such as ``"UC-MSC 1e6/kg iv x3 q28d"``; each person's dose, first pass and product are their own.
    scenario
        What cells do, one of `scenarios.SCENARIOS`; ``current-evidence`` by default.
    start
        Day that orders for cells count from, and on which inputs are set.
    held
        Inputs of the model that are set for everybody, in the rows' units.
    own_drugs
        What each of many is given, where it is not the same for all; taken as it is.
    as_ordered
        Give several drugs of a class, and classes that exclude each other, where it is so ordered, as a published study may have done.
    where
        How errors name the place of an order for many.

    Returns
    -------
    Plan
        ``model`` under the scenario and ``schedule`` (one person) or ``schedules`` (one each), for `simulate` and
        `Ensemble.run`.

    Raises
    ------
    ConfigError
        Everything wrong with drugs and cells at once.

    Warns
    -----
    CautionWarning
        One person's drug is given with caution, or takes an input out of its plausible range.

    Examples
    --------
    >>> import betapod
    >>> treatment = betapod.plan(betapod.load_model("reference"), drugs=["metformin 2 g"], cells=["UC-MSC 80e6 iv x2 q28d"])
    >>> print(*treatment.understood, sep="; ")
    metformin 2 g/day from day 0; 2 infusions of 80 million UC-MSC, iv, on days 0, 28
    >>> patients = betapod.load_library().take(range(3))
    >>> many = betapod.plan(betapod.load_model("reference"), patients, cells="UC-MSC 1e6/kg iv")
    >>> len(many.schedules)
    3
    """
    orders = (cells,) if isinstance(cells, str) and cells else tuple(cells)
    drug_orders = several("drugs", drugs, (str, Therapy))
    for drug in drug_orders:
        instance("drugs", drug, (str, Therapy), "a drug with its dose, such as 'metformin 2 g', or a Therapy")
    inputs = tuple(Switch(name, value, start) for name, value in (held or {}).items())
    if isinstance(people, HasRecipients):
        people = people.recipients()
    if isinstance(people, Recipients):
        if own_drugs is not None:
            return _for_many(model, people, own_drugs, orders, scenario, start, inputs, where)
        common = [_read(drug) for drug in drug_orders]
        judged = people.all_judged(common, as_ordered)
        planned = _for_many(model, people, [allowed for allowed, _ in judged], orders, scenario, start, inputs, where)
        return replace(planned, withheld=tuple(withheld for _, withheld in judged))
    return _for_one(model, people, drug_orders, orders, scenario, start, inputs, as_ordered)


def _read(drug: Therapy | str) -> Therapy:
    return therapy(drug) if isinstance(drug, str) else drug


def _under(model: Model, scenario: str | None, orders: Sequence[str]) -> tuple[Model, str]:
    """Return the model under a scenario, and which; a model without cells takes neither."""
    if "N_L" in model.state_names:
        name = scenario or DEFAULT
        return cell_parameters.parameterise(model, name), name
    if scenario is not None or orders:
        raise ConfigError(
            Problem(
                "no-cells", f"the model {model.name!r} has no cell therapy", hint="Use the models reference or cells."
            )
        )
    return model, ""


def _for_one(
    model: Model,
    state: Mapping[str, float] | None,
    drugs: Sequence[Therapy | str],
    orders: Sequence[str],
    scenario: str | None,
    start: float,
    inputs: tuple[Switch, ...],
    as_ordered: bool = False,
) -> Plan:
    under, name = _under(model, scenario, orders)
    states = model.initial_values() if state is None else state
    problems: list[Problem] = []
    schedule, prescribed = Schedule(), tuple[Therapy, ...]()
    try:
        filtration = {"GFR": float(model.evaluate(["GFR"], states)["GFR"])} if "GFR" in model.names else None
        schedule = care(drugs, under, filtration, as_ordered)
        prescribed = tuple(_read(drug) for drug in drugs)
    except BetapodError as error:
        problems.extend(error.problems)
    ordered = []
    for order in orders:
        try:
            ordered.append(regimen(order, states.get("BW"), under, name, states, where=f"cells {order!r}"))
        except BetapodError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(problems)
    moved = [_moved(course.schedule, start) for course in ordered]
    doses = tuple(dose for course in moved for dose in course.doses)
    switches = (*inputs, *schedule.switches, *(switch for course in moved for switch in course.switches))
    titrates = "insulin_titration" in under.inputs and under.inputs["insulin_titration"].value > 0
    rule = rule_of_insulin(prescribed, titrates, any(map(_is_graft, ordered)))
    return Plan(under, name, (Schedule(doses, switches),), (prescribed,), (tuple(ordered),), insulin=(rule,))


def _for_many(
    model: Model,
    people: Recipients,
    drugs: Sequence[Sequence[Therapy]],
    orders: Sequence[str],
    scenario: str | None,
    start: float,
    inputs: tuple[Switch, ...],
    where: str,
) -> Plan:
    under, name = _under(model, scenario, orders)
    schedules = _drug_schedules(model, people, drugs, inputs)
    by_order = [
        regimens(order, people.parameters, people.states["BW"], None, under, name, people.states, where=where)
        for order in orders
    ]
    courses_of_people = tuple(zip(*by_order, strict=True)) if by_order else ((),) * len(people)
    if by_order:
        for person, ordered in enumerate(courses_of_people):
            moved = [_moved(course.schedule, start) for course in ordered]
            doses = tuple(dose for course in moved for dose in course.doses)
            switches = (switch for course in moved for switch in course.switches)
            schedules[person] = Schedule(doses, (*schedules[person].switches, *switches))
    titrate = people.parameters.get("insulin_titration", np.zeros(len(people)))
    grafted = any(map(_is_graft, courses_of_people[0])) if len(people) else False
    rules = tuple(
        rule_of_insulin(person, titrates > 0, grafted) for person, titrates in zip(drugs, titrate, strict=True)
    )
    prescribed = tuple(tuple(person) for person in drugs)
    return Plan(under, name, tuple(schedules), prescribed, courses_of_people, insulin=rules)


def _is_graft(course: Regimen) -> bool:
    return course.order.product.kind == "graft"


def _drug_schedules(
    model: Model, people: Recipients, drugs: Sequence[Sequence[Therapy]], inputs: tuple[Switch, ...]
) -> list[Schedule]:
    """Return everybody's schedule without cells; the same drugs on the same own values are one schedule."""
    alike: dict[tuple[Therapy, ...], list[int]] = {}
    for same, persons in _same_objects(drugs):
        alike.setdefault(tuple(same), []).extend(persons)
    schedules = [Schedule()] * len(drugs)
    for prescribed, persons in alike.items():
        courses = InputCourses(prescribed, model.inputs)
        columns = [
            np.asarray(people.parameters[name], dtype=np.float64)[persons].tolist()
            if name in people.parameters
            else [model.inputs[name].value] * len(persons)
            for name in courses.inputs
        ]
        shared: dict[tuple[float, ...], Schedule] = {}
        for person, *base in zip(persons, *columns, strict=True):
            key = tuple(base)
            if key not in shared:
                steps = courses.steps(dict(zip(courses.inputs, base, strict=True)))
                moved = (switch for name, course in steps.items() for switch in switches_of(name, course))
                shared[key] = Schedule((), (*inputs, *moved))
            schedules[person] = shared[key]
    return schedules


def _same_objects(drugs: Sequence[Sequence[Therapy]]) -> Iterator[tuple[Sequence[Therapy], list[int]]]:
    """Give the places of people whose drugs are the same objects: thousands of people are given what a few are."""
    places: dict[tuple[int, ...], list[int]] = {}
    for person, prescribed in enumerate(drugs):
        places.setdefault(tuple(map(id, prescribed)), []).append(person)
    for persons in places.values():
        yield drugs[persons[0]], persons


def _moved(schedule: Schedule, days: float) -> Schedule:
    if days == 0:
        return schedule
    return Schedule(
        tuple(replace(dose, time=dose.time + days) for dose in schedule.doses),
        tuple(replace(switch, time=switch.time + days) for switch in schedule.switches),
    )
