"""Glucose tests of a person: oral glucose tolerance test, mixed meal, clamp."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ...base.errors import BetapodError, ConfigError
from ...base.exports import table_as_csv
from ..completion import complete_patient, complete_value
from ..csv_output import Csv, WideOption, given_as_csv
from ..options import spelt_out
from ..shared import (
    JsonOption,
    assignments,
    gather,
    print_json,
    print_note,
    print_table,
    print_text,
    set_values,
    unfit_figure,
)
from ..waiting import waiting

if TYPE_CHECKING:
    from ...model import Model
    from ...person.glucose_tests import GlucoseTest
    from ...person.typical import Person


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command("ogtt")(ogtt_command)
    app.command("mmtt")(mmtt_command)
    app.command("clamp")(clamp_command)


PersonOption = Annotated[
    str,
    typer.Option(
        "--person",
        metavar="NAME",
        help="A typical person: ngt, obese, prediabetes, t2d_early, t2d, t2d_late, t1d_new, t1d; with kidney disease t2d_micro, "
        "t2d_ckd_a2, t2d_ckd_a3, t2d_ckd, t2d_no_albuminuria, t1d_dkd.",
        autocompletion=complete_patient,
    ),
]
SettingOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Parameter, input or state of the model metabolism; may be repeated. What the person is holds for the whole history, "
        "treatments, experiments and states today.",
        autocompletion=complete_value,
    ),
]


def _minutes(activity: str) -> Any:
    return typer.Option("--minutes", help=f"Duration of {activity}, minutes.")


@dataclass(frozen=True)
class Sheet:
    """How a glucose test is sampled and reported."""

    heading: ClassVar[str] = "Results"

    step: Annotated[float, typer.Option("--step", help="Minutes between samples.")] = 30.0
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Draw the courses (png or svg); their numbers are written beside."),
    ] = None
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write the samples as CSV; '-' for standard output.")
    ] = None
    wide: WideOption = False
    as_json: JsonOption = False


@spelt_out
def ogtt_command(
    person: PersonOption = "ngt",
    settings: SettingOption = None,
    glucose: Annotated[float, typer.Option("--glucose", help="Glucose by mouth, g.")] = 75.0,
    bolus: Annotated[float, typer.Option("--bolus", help="Rapid-acting insulin injected with it, U.")] = 0.0,
    minutes: Annotated[float, _minutes("the test")] = 180.0,
    *,
    sheet: Sheet,
) -> None:
    """Oral glucose tolerance test of a typical person.

    Into a pipe or a file the samples go as CSV.
    """
    from ...person.glucose_tests import ogtt

    who = _person(person, settings, sheet)
    with waiting("simulating the test"):
        test = ogtt(who, glucose, minutes, sheet.step, bolus)
    _show(f"OGTT, {glucose:g} g: {who.label}", test, sheet, "metabolism_fast")


@spelt_out
def mmtt_command(
    person: PersonOption = "ngt",
    settings: SettingOption = None,
    carbohydrate: Annotated[
        float, typer.Option("--carbohydrate", help="Carbohydrate equivalents of the meal, g.")
    ] = 60.0,
    minutes: Annotated[float, _minutes("the test")] = 120.0,
    *,
    sheet: Sheet,
) -> None:
    """Mixed-meal tolerance test of a typical person.

    Into a pipe or a file the samples go as CSV.
    """
    from ...person.glucose_tests import mmtt

    who = _person(person, settings, sheet)
    with waiting("simulating the test"):
        test = mmtt(who, carbohydrate, minutes, sheet.step)
    _show(f"MMTT, {carbohydrate:g} g: {who.label}", test, sheet, "metabolism_fast")


@spelt_out
def clamp_command(
    person: PersonOption = "ngt",
    settings: SettingOption = None,
    rate: Annotated[float, typer.Option("--rate", help="Insulin infusion, mU/kg/min.")] = 1.0,
    glucose: Annotated[float, typer.Option("--glucose", help="Plasma glucose that is held, mmol/L.")] = 5.1,
    minutes: Annotated[float, _minutes("the clamp")] = 300.0,
    *,
    sheet: Sheet,
) -> None:
    """Hyperinsulinaemic glucose clamp of a typical person.

    Into a pipe or a file the samples go as CSV.
    """
    from ...person.glucose_tests import clamp

    who = _person(person, settings, sheet)
    with waiting("simulating the clamp"):
        test = clamp(who, rate, glucose, minutes, sheet.step)
    _show(f"clamp, {rate:g} mU/kg/min at {glucose:g} mmol/L: {who.label}", test, sheet, "metabolism_clamp")


def _person(name: str, settings: list[str] | None, sheet: Sheet) -> Person:
    """Return who is tested; changed values are checked first, then the history is simulated again with them."""
    from ...person import typical
    from ...person.metabolic_state import model_of, with_values
    from ...person.older import OLDER
    from ..treatment import known_person

    problems = unfit_figure(sheet.plot)
    values: dict[str, str] = {}
    try:
        known_person(name)
    except BetapodError as error:
        gather(problems, error)
    try:
        values = assignments(settings or (), "--set")
    except BetapodError as error:
        gather(problems, error)
    if problems:
        raise ConfigError(problems)
    if name in OLDER:
        return _with_kidney_disease(name, values)
    who = typical.person(name)
    if not values:
        return who
    states = model_of(who).state_names
    set_values(model_of(who), [f"{key}={value}" for key, value in values.items() if key not in states])
    with waiting(f"simulating the history of {name}"):
        person = with_values(who, values)
    print_note(f"{who.label}, with {', '.join(f'{key} {value}' for key, value in values.items())}")
    return person


def _with_kidney_disease(name: str, values: dict[str, str]) -> Person:
    """Return somebody with kidney disease, who lives up to today in the whole body, with changed values."""
    from ...person.coupled_person import metabolism_today
    from ...person.metabolic_state import with_values
    from ...physiology import whole_body

    model = whole_body.named_model("metabolism")
    states = {key: value for key, value in values.items() if key in model.state_names}
    others = {key: value for key, value in values.items() if key not in states}
    set_values(model, [f"{key}={value}" for key, value in others.items()])
    with waiting(f"simulating the history of {name}"):
        person = with_values(metabolism_today(name, others), states)
    changed = f", with {', '.join(f'{key} {value}' for key, value in values.items())}" if values else ""
    print_note(f"{person.label}{changed}")
    return person


def _show(title: str, test: GlucoseTest, sheet: Sheet, assembly: str) -> None:
    """Print, draw and write a test; labels and units are those of the model that was simulated."""
    from ...physiology import whole_body

    table, model = test.table, whole_body.named_model(assembly)
    units = {name: model.units[name] for name in table.columns}
    named = table.rename(columns={name: f"{name} [{unit}]" for name, unit in units.items()})
    named.index.name = "time [min]"
    csv = Csv(lambda: table_as_csv(named, index=True, float_format="%.10g"), len(named))
    done = given_as_csv(csv, sheet.csv, sheet.as_json, sheet.wide, text=bool(sheet.plot or sheet.csv))
    if sheet.plot is not None:
        _plot(title, test, sheet.plot, model, with_data=sheet.csv is None)
    if sheet.as_json:
        print_json(
            {
                "title": title,
                "time": {"unit": "min", "values": [float(minute) for minute in table.index]},
                "quantities": [
                    {"name": name, "unit": units[name], "values": [float(v) for v in table[name]]}
                    for name in table.columns
                ],
                "indices": {
                    name: {"value": value, "unit": test.units.get(name, "")} for name, value in test.indices.items()
                },
            }
        )
        return
    if done:
        return
    print_text(title, "bold")
    columns = [name for name in ("G", "insulin", "C_peptide", "GIR", "EGP") if name in table.columns]
    rows = [[f"{minute:g}", *(f"{table.loc[minute, name]:.4g}" for name in columns)] for minute in table.index]
    heads = [f"{name} [{units[name]}]" for name in columns]
    print_table(["time [min]", *heads], rows, right=("time [min]", *heads))
    print_table(
        ["index", "value", "unit"],
        [
            # An index of nothing to divide by, such as insulin per rise of glucose without one, has no value.
            [name.replace("_", " "), "-" if math.isnan(value) else f"{value:.4g}", test.units.get(name, "")]
            for name, value in test.indices.items()
        ],
        right=("value",),
    )


def _plot(title: str, test: GlucoseTest, path: Path, model: Model, with_data: bool) -> None:
    import pandas as pd

    from ...report.common.figures import save, table_figure

    rows = {name: {"label": model.labels[name], "unit": model.units[name]} for name in test.table.columns}
    figure, data = table_figure(test.table, pd.DataFrame.from_dict(rows, orient="index"), "minute", title)
    for written in save(figure, path, data if with_data else None, f"{title}: courses of {', '.join(rows)}."):
        print_note(f"wrote {written}")
