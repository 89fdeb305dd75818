"""Typical people on the command line: who is simulated, what they are given, and the glucose tests."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...base.errors import BetapodError, ConfigError, Problem
from ...base.exports import table_as_csv
from ...engine.schedule import Schedule
from ..options import spelt_out
from ..shared import JsonOption, gather, note, out, print_json, print_table, waiting, warn

if TYPE_CHECKING:
    from ...model import Model
    from ...person.glucose_tests import GlucoseTest
    from ...person.typical import Person


def complete_person(incomplete: str) -> list[str]:
    """Complete the name of a typical person."""
    from ...person import typical as people

    return [name for name in people.names() if name.startswith(incomplete)]


def complete_drug(incomplete: str) -> list[str]:
    """Complete a therapy with its dose."""
    from ...therapies import standard_care

    found = (f"{name} {dose}" for name, doses in standard_care.catalogue().items() for dose in doses)
    return [text for text in found if text.lower().startswith(incomplete.lower())]


def complete_scenario(incomplete: str) -> list[str]:
    """Complete the name of a scenario of cell therapy."""
    from ...therapies.scenarios import SCENARIOS

    return [name for name in SCENARIOS if name.startswith(incomplete)]


PersonOption = Annotated[
    str | None,
    typer.Option(
        "--person",
        help="A typical person, grown through their history first: t2d, t1d_new, ...",
        autocompletion=complete_person,
    ),
]
DrugOption = Annotated[
    list[str] | None,
    typer.Option("--drug", metavar="TEXT", help="Standard care, e.g. 'metformin 2 g'.", autocompletion=complete_drug),
]
CellsOption = Annotated[
    list[str] | None,
    typer.Option("--cells", metavar="TEXT", help="A course of cells, e.g. 'UC-MSC 1e6/kg iv x3 q28d'."),
]
ScenarioOption = Annotated[
    str | None,
    typer.Option(
        "--scenario",
        help="What cells are taken to do: none, current-evidence, face-value, seed-claims.",
        autocompletion=complete_scenario,
    ),
]


@dataclass(frozen=True)
class Treated:
    """A model with someone in it and a plan for them."""

    model: Model
    state: dict[str, float]
    schedule: Schedule
    label: str = ""


def check_texts(
    person: str | None, drugs: list[str], cells: list[str], scenario: str | None, problems: list[Problem]
) -> None:
    """Check what is said in words, before anybody is grown: persons, drugs, orders of cells, sets of scenario."""
    from ...person import typical as people
    from ...therapies import cell_parameters, standard_care
    from ...therapies.cell_order import read_order

    checks: list[tuple[Any, ...]] = [(people.person, person)] if person is not None else []
    checks += [(standard_care.therapy, text) for text in drugs]
    checks += [(read_order, text, f"cells {text!r}") for text in cells]
    checks += [(cell_parameters.overlay, scenario)] if scenario is not None else []
    for check, *given in checks:
        try:
            check(*given)
        except BetapodError as error:
            gather(problems, error)


def _understood(course: Any) -> str:
    """Return how an order of cells was understood."""
    order = course.order
    cells = f"{course.given:.4g} million {order.product.name}" if order.unit != "IEQ" else f"{course.given:.4g} IEQ"
    days = ", ".join(f"{time:g}" for time in order.times[:6]) + (", ..." if order.count > 6 else "")
    many = "1 infusion" if order.count == 1 else f"{order.count} infusions"
    return f"{many} of {cells}, {order.route.name}, on day{'s' if order.count > 1 else ''} {days}"


def treated(model: Model, person: str | None, drugs: list[str], cells: list[str], scenario: str | None) -> Treated:
    """Put a typical person into a named model and prescribe.

    Raises
    ------
    ConfigError
        Everything wrong with person, drugs and cells.
    """
    from warnings import catch_warnings, simplefilter

    from ...person.coupled_person import Patient, patient, treat
    from ...therapies.scenarios import DEFAULT

    problems: list[Problem] = []
    who = Patient("", "", model, {}, 0.0)
    if person is not None:
        try:
            with waiting(f"growing {person}"):
                who = patient(person, model.name, _changes(model))
            note(f"{who.label}: {who.history:.1f} years of history simulated")
        except BetapodError as error:
            gather(problems, error)
    plan = None
    with catch_warnings(record=True) as caught:
        simplefilter("always")
        try:
            if drugs or cells or scenario:
                plan = treat(_with_state(who), drugs, cells, scenario)
        except BetapodError as error:
            gather(problems, error)
    if problems:
        raise ConfigError(problems)
    if plan is None:
        return Treated(who.model, dict(who.state), Schedule(), who.label)
    for course in plan.courses:
        given = "" if scenario else " (nothing else was asked for; see --scenario)"
        note(f"cells: {_understood(course)}; their effects: {scenario or DEFAULT}{given}")
    for text in [*(str(each.message) for each in caught), *(w for course in plan.courses for w in course.warnings)]:
        warn(text)
    return Treated(plan.model, dict(who.state), plan.schedule, who.label)


def _with_state(who: Any) -> Any:
    """Give someone who has no history the initial state of their model."""
    from dataclasses import replace

    return who if who.state else replace(who, state=who.model.initial_values())


def _changes(model: Model) -> dict[str, float | str]:
    """Return what the user has changed in a named model."""
    from ...physiology import whole_body

    if model.name not in whole_body.NAMES:
        return {}
    base = whole_body.model(model.name)
    shipped = {**base.parameters, **base.inputs}
    return {
        key: row.value for key, row in {**model.parameters, **model.inputs}.items() if row.value != shipped[key].value
    }


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command("ogtt")(ogtt_command)
    app.command("mmtt")(mmtt_command)
    app.command("clamp")(clamp_command)


TestedOption = Annotated[
    str,
    typer.Option(
        "--person", help="A typical person: ngt, obese, prediabetes, t2d, ...", autocompletion=complete_person
    ),
]


@dataclass(frozen=True)
class Sheet:
    """How the samples of a glucose test are taken and reported."""

    step: Annotated[float, typer.Option(help="Minutes between samples.")] = 30.0
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the table.")] = None
    as_json: JsonOption = False


@spelt_out
def ogtt_command(
    person: TestedOption = "ngt",
    glucose: Annotated[float, typer.Option(help="Glucose, g.")] = 75.0,
    bolus: Annotated[float, typer.Option(help="Rapid insulin injected with it, U.")] = 0.0,
    minutes: Annotated[float, typer.Option(help="How long to sample.")] = 180.0,
    *,
    sheet: Sheet,
) -> None:
    """Oral glucose tolerance test of a typical person."""
    from ...person.glucose_tests import ogtt

    who = _person(person)
    with waiting("testing"):
        test = ogtt(who, glucose, minutes, sheet.step, bolus)
    _show(f"OGTT, {glucose:g} g: {who.label}", test, sheet)


@spelt_out
def mmtt_command(
    person: TestedOption = "ngt",
    carbohydrate: Annotated[float, typer.Option(help="Carbohydrate equivalents, g.")] = 60.0,
    minutes: Annotated[float, typer.Option(help="How long to sample.")] = 120.0,
    *,
    sheet: Sheet,
) -> None:
    """Mixed-meal tolerance test of a typical person."""
    from ...person.glucose_tests import mmtt

    who = _person(person)
    with waiting("testing"):
        test = mmtt(who, carbohydrate, minutes, sheet.step)
    _show(f"MMTT, {carbohydrate:g} g: {who.label}", test, sheet)


@spelt_out
def clamp_command(
    person: TestedOption = "ngt",
    rate: Annotated[float, typer.Option(help="Insulin, mU/kg/min.")] = 1.0,
    glucose: Annotated[float, typer.Option(help="Glucose held at, mmol/L.")] = 5.1,
    minutes: Annotated[float, typer.Option(help="How long to clamp.")] = 300.0,
    *,
    sheet: Sheet,
) -> None:
    """Hyperinsulinaemic-euglycaemic clamp of a typical person."""
    from ...person.glucose_tests import clamp

    who = _person(person)
    with waiting("clamping"):
        test = clamp(who, rate, glucose, minutes, sheet.step)
    _show(f"clamp, {rate:g} mU/kg/min at {glucose:g} mmol/L: {who.label}", test, sheet)


def _person(name: str) -> Person:
    from ...person import typical as people

    return people.person(name)


_COLUMN_UNITS = {
    "G": "mmol/L",
    "insulin": "pmol/L",
    "C_peptide": "nmol/L",
    "GIR": "mg/kg/min",
    "EGP": "umol/kg/min",
    "Ra_meal": "umol/kg/min",
    "GLUT4_uptake": "umol/kg/min",
    "renal_glucose": "mmol/min",
    "secretion": "pmol/min",
}


def _show(title: str, test: GlucoseTest, sheet: Sheet) -> None:
    table = test.table
    if sheet.csv is not None:
        from ...base.files import write_text

        named = table.rename(columns={name: f"{name} [{unit}]" for name, unit in _COLUMN_UNITS.items()})
        named.index.name = "time [min]"
        write_text(sheet.csv, table_as_csv(named, index=True, float_format="%.10g"))
        note(f"wrote {sheet.csv}")
    if sheet.as_json:
        print_json(
            {
                "title": title,
                "time": {"unit": "min", "values": [float(minute) for minute in table.index]},
                "quantities": [
                    {"name": name, "unit": _COLUMN_UNITS.get(name, ""), "values": [float(v) for v in table[name]]}
                    for name in table.columns
                ],
                "indices": {
                    name: {"value": value, "unit": test.units.get(name, "")} for name, value in test.indices.items()
                },
            }
        )
        return
    out().print(title, style="bold", markup=False)
    shown = [name for name in ("G", "insulin", "C_peptide", "GIR", "EGP") if name in table.columns]
    rows = [[f"{minute:g}", *(f"{table.loc[minute, name]:.4g}" for name in shown)] for minute in table.index]
    print_table(["min", *(f"{name} [{_COLUMN_UNITS[name]}]" for name in shown)], rows, right=("min",))
    print_table(
        ["index", "value", "unit"],
        [
            # An index of nothing to divide by, such as insulin per rise of glucose without one, has no value.
            [name.replace("_", " "), "-" if math.isnan(value) else f"{value:.4g}", test.units.get(name, "")]
            for name, value in test.indices.items()
        ],
        right=("value",),
    )
