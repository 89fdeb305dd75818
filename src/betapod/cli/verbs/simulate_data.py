"""The verb simulate with --data: the people of an event data set."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ...base.errors import BetapodError, ConfigError, Location, Problem
from ...base.exports import table_as_csv
from ..csv_output import Csv, given_as_csv
from ..shared import assignments, gather, print_json, print_note, print_table, with_noun
from ..waiting import waiting

if TYPE_CHECKING:
    import pandas as pd

    from ...engine.nonmem.event_record import NonmemSettings
    from ...engine.nonmem.nonmem_reader import NonmemTable
    from ...engine.schedule import Schedule
    from ...engine.scipy.simulation_result import Result
    from ...model import Model

#: Rows that are printed; the table as CSV has all.
_SHOWN = 40


@dataclass(frozen=True)
class EventData:
    """Whose doses and covariates are simulated."""

    heading: ClassVar[str] = "Other tools"

    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="FILE",
            help="Simulate the people of an event data set in the form of NONMEM: ID, TIME, AMT, RATE or DUR, II, ADDL, SS, EVID, CMT, DV, "
            "covariates by names of the model. A row for each of its rows comes out.",
        ),
    ] = None
    compartments: Annotated[
        list[str] | None,
        typer.Option(
            "--cmt",
            metavar="CMT=STATE",
            help="Which state a compartment of --data is; by default they are numbered as the states.",
        ),
    ] = None
    covariates: Annotated[
        str,
        typer.Option(
            "--covariates", help="Covariates of --data between rows: backward (NONMEM's way), forward or linear."
        ),
    ] = "backward"
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="HEADING=MEANING",
            help="What a column of --data is, e.g. 'TAFD=TIME [h]' or 'LNDV=ignore'.",
        ),
    ] = None

    omex: Annotated[
        Path | None,
        typer.Option(
            "--omex",
            metavar="FILE",
            help="Write this simulation as a COMBINE archive: SBML with what is given, SED-ML, results.",
        ),
    ] = None
    nested: Annotated[
        bool,
        typer.Option(
            "--nested", help="With --omex: formulas as nested functions, so that large models load in Tellurium."
        ),
    ] = False
    written: Annotated[
        Path | None,
        typer.Option(
            "--nonmem", metavar="FILE", help="Write doses and reported values of this simulation as such a data set."
        ),
    ] = None

    def settings(self, problems: list[Problem]) -> NonmemSettings:
        """Return what the options say of the table."""
        from ...engine.nonmem.event_record import NonmemSettings

        said = []
        for texts, option in ((self.compartments, "--cmt"), (self.columns, "--column")):
            try:
                said.append(assignments(texts or (), option))
            except BetapodError as error:
                gather(problems, error)
                said.append({})
        return NonmemSettings(said[0], self.covariates, said[1])


def without_data(events: EventData) -> list[Problem]:
    """Return the options that say something of a data set where there is none."""
    options = {
        "--cmt": events.compartments,
        "--column": events.columns,
        "--covariates": events.covariates != "backward",
    }
    useless = [
        Problem("useless-option", f"{option} belongs to --data", Location(option))
        for option, value in options.items()
        if value
    ]
    if events.nested and events.omex is None:
        useless.append(Problem("useless-option", "--nested belongs to --omex", Location("--nested")))
    return useless


def write_simulation_archive(
    model: Model,
    visits: list[float],
    schedule: Schedule,
    start: Mapping[str, float],
    outputs: list[str],
    events: EventData,
) -> None:
    """Write a simulation as an archive for other tools."""
    from ...exchange.archive.write_archive import write_archive

    assert events.omex is not None
    reported = [name for name in outputs if name not in model.inputs]
    with waiting("writing the archive"):
        write_archive(model, events.omex, visits, schedule, start, reported, nested=events.nested)
    print_note(f"wrote {events.omex}")


def useless_with_data(groups: list[Any], others: Mapping[str, object]) -> list[Problem]:
    """Return the options that say what the data set says, or that it leaves no place for."""
    options = given_options(groups)
    options += [option for option, value in others.items() if value]
    return [
        Problem(
            "useless-option", f"{option} has no place beside --data, whose rows say what is done when", Location(option)
        )
        for option in options
    ]


def given_options(groups: list[Any]) -> list[str]:
    """Return the options of groups that were given values of their own."""
    return [name for group in groups for field in fields(group) if (name := _given(group, field))]


def _given(group: Any, field: Any) -> str:
    """Return the option of a field that was given a value of its own."""
    if getattr(group, field.name) == field.default:
        return ""
    return f"--{field.name.removeprefix('as_').replace('_', '-')}"


def simulate_data_set(
    model: Model,
    events: EventData,
    outputs: list[str],
    problems: list[Problem],
    csv: Path | None,
    wide: bool,
    as_json: bool,
) -> None:
    """Simulate everybody of a data set, and print a row for each of its rows."""
    from ...engine.nonmem.nonmem_reader import read_nonmem_table
    from ...engine.nonmem.simulated_subjects import simulate_subjects

    settings = events.settings(problems)
    for option, path in (("--nonmem", events.written), ("--omex", events.omex), ("--nested", events.nested or None)):
        if path is not None:
            problems.append(Problem("useless-option", f"{option} has no place beside --data", Location(option)))
    if problems:
        raise ConfigError(problems)
    assert events.data is not None
    table = read_nonmem_table(events.data, model, settings)
    for note in table.notes:
        print_note(note)
    with waiting(f"simulating {with_noun(len(table.subjects), 'person', 'people')}"):
        predicted = simulate_subjects(model, table, outputs)
    if as_json:
        print_json(_document(model, table, predicted))
        return
    units = {"time": model.time_unit, **{name: model.units[name] for name in predicted.columns[4:]}}
    headed = predicted.rename(columns={name: f"{name} [{unit}]" for name, unit in units.items()})
    samples = Csv(lambda: table_as_csv(headed, float_format="%.10g"), len(headed))
    if not given_as_csv(samples, csv, as_json, wide, text=bool(csv)):
        _print(headed, wide)


def write_event_data(model: Model, result: Result, schedule: Schedule, path: Path) -> None:
    """Write a simulation as an event data set, and say what its numbers stand for."""
    from ...front.data_sets import write_nonmem

    write_nonmem(model, path, result, schedule)
    values = [name for name in result.table.columns if name not in model.inputs]
    states = {model.state_names.index(dose.state) + 1: dose.state for dose in schedule.doses}
    dosed = ", ".join(f"CMT {number} {name} [{model.units[name]}]" for number, name in sorted(states.items()))
    measured = ", ".join(f"DVID {number} {name} [{model.units[name]}]" for number, name in enumerate(values, start=1))
    print_note(f"wrote {path}: TIME [{model.time_unit}]; {'; '.join(text for text in (dosed, measured) if text)}")


def _print(headed: pd.DataFrame, wide: bool) -> None:
    rows = [[_cell(value) for value in row] for row in headed.head(_SHOWN).itertuples(index=False)]
    print_table(list(headed.columns), rows, right=list(headed.columns)[1:], wide=wide)
    if len(headed) > _SHOWN:
        print_note(f"and {len(headed) - _SHOWN} more rows; --csv FILE writes all")


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.5g}"
    return str(value)


def _document(model: Model, table: NonmemTable, predicted: pd.DataFrame) -> dict[str, Any]:
    from ... import __version__

    return {
        "betapod_version": __version__,
        "model": model.name,
        "fingerprint": model.fingerprint,
        "data": table.file,
        "notes": list(table.notes),
        "time_unit": model.time_unit,
        "units": {name: model.units[name] for name in predicted.columns[4:]},
        "rows": predicted.to_dict("records"),
    }
