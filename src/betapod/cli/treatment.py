"""Options that say who is simulated and what they get: a typical person, standard care, cells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ..base.errors import BetapodError, ConfigError, Problem
from ..engine.schedule import Schedule
from .completion import complete_cells, complete_drug, complete_patient, complete_scenario
from .running import command
from .shared import gather, print_note, warn
from .waiting import waiting

if TYPE_CHECKING:
    from ..model import Model

PersonOption = Annotated[
    str | None,
    typer.Option(
        "--person",
        metavar="NAME",
        help="A typical person, simulated through their history first: ngt, obese, prediabetes, t2d_early, t2d, t2d_late, "
        "t1d_new, t1d; with kidney disease t2d_micro, t2d_ckd_a2, t2d_ckd_a3, t2d_ckd, t2d_no_albuminuria, t1d_dkd.",
        autocompletion=complete_patient,
    ),
]
DrugOption = Annotated[
    list[str] | None,
    typer.Option(
        "--drug",
        metavar="DRUG",
        help="Standard care with its dose, e.g. 'metformin 2 g'; Tab lists all; may be repeated.",
        autocompletion=complete_drug,
    ),
]
CellsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--cells",
        metavar="ORDER",
        help="A course of cells: product, dose, route, repeats, e.g. 'UC-MSC 1e6/kg iv x3 q28d'; Tab lists the words.",
        autocompletion=complete_cells,
    ),
]
ScenarioOption = Annotated[
    str | None,
    typer.Option(
        "--scenario",
        metavar="NAME",
        help="What cells are supposed to do: none, current-evidence (the default), face-value or seed-claims.",
        autocompletion=complete_scenario,
    ),
]


@dataclass(frozen=True)
class Given:
    """Who is simulated, and what they get."""

    heading: ClassVar[str] = "Person and treatment"

    person: PersonOption = None
    drug: DrugOption = None
    cells: CellsOption = None
    scenario: ScenarioOption = None

    @property
    def nothing(self) -> bool:
        """Whether it is the model's own person, who gets nothing."""
        return self.person is None and self.scenario is None and not self.drug and not self.cells


@dataclass(frozen=True)
class Treated:
    """A model with someone in it and a plan for them.

    Attributes
    ----------
    without_cells
        The same plan without the cells; None where there are none.
    """

    model: Model
    state: dict[str, float]
    schedule: Schedule
    label: str = ""
    without_cells: Schedule | None = None


def known_person(person: str) -> None:
    """Refuse a person whom nobody knows."""
    from ..base.errors import not_among
    from ..person.coupled_person import person_names

    names = person_names()
    if person not in names:
        raise ConfigError(not_among(names, "unknown-person", f"there is no typical person {person!r}", person))


def check_texts(treatment: Given, problems: list[Problem]) -> None:
    """Check what is said in words, before a history is simulated: persons, drugs, orders of cells, scenarios."""
    if treatment.nothing:
        return
    from ..therapies import cell_parameters, standard_care
    from ..therapies.cell_order import read_order

    checks: list[tuple[Any, ...]] = [(known_person, treatment.person)] if treatment.person is not None else []
    checks += [(standard_care.therapy, text) for text in treatment.drug or ()]
    checks += [(read_order, text, f"cells {text!r}") for text in treatment.cells or ()]
    checks += [(cell_parameters.overlay, treatment.scenario)] if treatment.scenario is not None else []
    for check, *texts in checks:
        try:
            check(*texts)
        except BetapodError as error:
            gather(problems, error)


def treated(model: Model, treatment: Given, said: Iterable[str] = ()) -> Treated:
    """Put a typical person into a named model and prescribe.

    Parameters
    ----------
    said
        Names that were given a value, which holds even where it is the model's own and the person has another.

    Raises
    ------
    ConfigError
        Everything wrong with person, drugs and cells.
    """
    if treatment.nothing:
        return Treated(model, {}, Schedule())
    from warnings import catch_warnings, simplefilter

    from ..person.coupled_person import Patient, treat_patient, typical_patient
    from ..therapies.scenarios import DEFAULT

    problems: list[Problem] = []
    person, drugs, cells, scenario = treatment.person, treatment.drug or [], treatment.cells or [], treatment.scenario
    who = Patient("", "", model, {}, 0.0)
    if (cells or scenario) and "N_L" not in model.state_names:
        treat_patient(who, (), cells, scenario)  # refuses a model without cells, before a history is simulated
    if person is not None:
        try:
            with waiting(f"simulating the history of {person}"):
                changes = _changes(model, said)
                who = typical_patient(person, model.name, changes)
            print_note(f"{who.label}: {who.history:.1f} years of history simulated")
            _say_when(changes)
        except BetapodError as error:
            gather(problems, error)
    plan, without = None, None
    with catch_warnings(record=True) as caught:
        simplefilter("always")
        try:
            if drugs or cells or scenario:
                plan = treat_patient(_with_state(who), drugs, cells, scenario)
                without = treat_patient(_with_state(who), drugs, (), scenario).schedule if cells else None
        except BetapodError as error:
            gather(problems, error)
    if problems:
        raise ConfigError(problems)
    if plan is None:
        return Treated(who.model, dict(who.state), Schedule(), who.label)
    for line in plan.insulin_lines:
        print_note(line)
    for course in plan.courses[0]:
        default = "" if scenario else " (nothing else was asked for; see --scenario)"
        print_note(f"cells: {course.words}; their effects: {scenario or DEFAULT}{default}")
        print_note(f"what they may do to somebody: {command('harms', course.order.text)}")
    for text in dict.fromkeys(
        [*(str(warning.message) for warning in caught), *(w for course in plan.courses[0] for w in course.warnings)]
    ):
        warn(text)
    return Treated(plan.model, dict(who.state), plan.schedule, who.label, without)


def treated_quietly(model: Model, treatment: Given, said: Iterable[str] = ()) -> Treated:
    """Return the same as `treated` without a note or a warning: what is said of somebody is said once, whatever their parameters.

    Raises
    ------
    ConfigError
        As of `treated`.
    """
    from warnings import catch_warnings, simplefilter

    from ..person.coupled_person import Patient, treat_patient, typical_patient

    who = Patient("", "", model, {}, 0.0)
    with catch_warnings():
        simplefilter("ignore")
        if treatment.person is not None:
            who = typical_patient(treatment.person, model.name, _changes(model, said))
        if not (treatment.drug or treatment.cells or treatment.scenario):
            return Treated(who.model, dict(who.state), Schedule(), who.label)
        plan = treat_patient(_with_state(who), treatment.drug or [], treatment.cells or [], treatment.scenario)
        without = (
            treat_patient(_with_state(who), treatment.drug or [], (), treatment.scenario).schedule
            if treatment.cells
            else None
        )
    return Treated(plan.model, dict(who.state), plan.schedule, who.label, without)


def _with_state(who: Any) -> Any:
    """Give someone who has no history the initial state of their model."""
    from dataclasses import replace

    return who if who.state else replace(who, state=who.model.initial_values())


def _say_when(changes: dict[str, float | str]) -> None:
    """Say which values hold for the whole life, and which begin today."""
    from ..person.begins_today import lifelong_and_today

    for names, when in zip(lifelong_and_today(changes), ("in the whole life", "from today on"), strict=True):
        if names:
            print_note(f"{when}: {', '.join(f'{name} {value:.6g}' for name, value in names.items())}")


def _changes(model: Model, said: Iterable[str]) -> dict[str, float | str]:
    """Return what the user has changed in a named model, or has said."""
    from ..physiology import whole_body

    if model.name not in whole_body.NAMES:
        return {}
    base = whole_body.named_model(model.name)
    shipped = {**base.parameters, **base.inputs}
    rows = {**model.parameters, **model.inputs}
    names = {*said}
    return {key: row.value for key, row in rows.items() if key in names or row.value != shipped[key].value}
