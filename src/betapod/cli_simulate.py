"""The verb simulate: one virtual patient, a schedule, a table, a picture."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .cli_common import (
    JsonOption,
    ModelArgument,
    ParametersOption,
    assignments,
    complete_input,
    complete_output,
    complete_setting,
    complete_state,
    gather,
    load_model,
    names_option,
    note,
    out,
    print_json,
    print_table,
    quantity,
    set_values,
    waiting,
    warn,
)
from .errors import BetapodError, ConfigError, Location, Problem, did_you_mean

if TYPE_CHECKING:
    from .engine.reference import Result
    from .engine.schedule import Dose, Schedule, Switch
    from .model import Model

_DOSE = re.compile(r"(\w+)=([^@]+)@([^:]+)(?::([^:]+):(\d+))?")
_SWITCH = re.compile(r"(\w+)=([^@]+)@([^/]+)(?:/(.+))?")
_DAYS_PER_YEAR = 365.25
_ROWS = 200


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("simulate")(simulate_command)


def simulate_command(
    model: ModelArgument,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Parameter or input, e.g. 'G=203 mg/dL'.",
            autocompletion=complete_setting,
        ),
    ] = None,
    initial: Annotated[
        list[str] | None,
        typer.Option(
            "--initial", metavar="STATE=VALUE", help="Start a state elsewhere.", autocompletion=complete_state
        ),
    ] = None,
    years: Annotated[float | None, typer.Option(help="Duration in years (1 without any duration).")] = None,
    days: Annotated[float | None, typer.Option(help="Duration in days.")] = None,
    step: Annotated[str | None, typer.Option(help="Time between rows, e.g. '30' (days), '1 h', '0.5 year'.")] = None,
    times: Annotated[
        str | None, typer.Option(help="Times of the rows instead: days, or e.g. '0,1,7,0.5 year'.")
    ] = None,
    outputs: Annotated[
        list[str] | None,
        typer.Option(
            "--outputs",
            "-O",
            metavar="NAMES",
            help="Quantities, comma-separated; 'all'.",
            autocompletion=complete_output,
        ),
    ] = None,
    dose: Annotated[
        list[str] | None,
        typer.Option(
            "--dose",
            metavar="STATE=AMOUNT@DAY[:EVERY:MORE]",
            help="Add an amount to a state.",
            autocompletion=complete_state,
        ),
    ] = None,
    switch: Annotated[
        list[str] | None,
        typer.Option(
            "--switch",
            metavar="INPUT=VALUE@DAY[/WIDTH]",
            help="Set an input from a day on.",
            autocompletion=complete_input,
        ),
    ] = None,
    method: Annotated[str, typer.Option(help="LSODA, BDF or Radau.")] = "LSODA",
    rtol: Annotated[float, typer.Option(help="Relative tolerance.")] = 1e-6,
    atol: Annotated[float, typer.Option(help="Absolute tolerance.")] = 1e-9,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Write a figure (png or svg) and the plotted data (csv).")
    ] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the table; '-' for the terminal.")] = None,
    tables: ParametersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate one virtual patient and report it.

    On a terminal a summary is shown; into a pipe the table goes as CSV. Days and widths take units: 'e_ARB=0.6@5 year/30'.
    """
    with waiting("assembling"):
        made = load_model(model, tables or ())
    problems: list[Problem] = []
    try:
        made = set_values(made, settings or ())
    except BetapodError as error:
        gather(problems, error)
    schedule = _schedule(made, dose or [], switch or [], problems)
    start = _initial(made, initial or [], problems)
    visits = _visits(years, days, step, times, problems)
    wanted = _wanted(made, names_option(outputs or ()), problems)
    if plot is not None and plot.suffix.lower() not in (".png", ".svg"):
        problems.append(Problem("unknown-format", "a figure is png or svg", Location(f"--plot {plot}")))
    if problems:
        raise ConfigError(problems)

    from .engine.reference import simulate

    # Said before the simulation, since such a value may be why it fails.
    implausible = [*made.parameters.implausible(), *made.inputs.implausible()]
    for warning in implausible:
        warn(warning)
    with waiting(f"simulating {visits[-1] / _DAYS_PER_YEAR:g} years"):
        result = simulate(made, visits, schedule, start, method, rtol, atol, wanted)
    for warning in result.warnings:
        if warning not in implausible:
            warn(warning)
    if result.ended is not None:
        name, when = result.ended
        warn(f"the simulation ended at {when:.1f} days ({when / _DAYS_PER_YEAR:.2f} years): {_event_label(made, name)}")
    if csv is not None:
        _write_csv(result, None if str(csv) == "-" else csv)
    if plot is not None:
        _plot(made, result, plot, with_data=csv is None)
    if as_json:
        print_json(_document(made, result, schedule))
    elif csv is None and not sys.stdout.isatty() and plot is None:
        _write_csv(result, None)
    elif str(csv) != "-":
        _summary(result)


def _event_label(model: Model, name: str) -> str:
    return next((event.label or event.name for event in model.events if event.name == name), name)


def _wanted(model: Model, names: list[str], problems: list[Problem]) -> list[str]:
    """Return what is reported: what was asked for, else what a reader of this model looks at first."""
    everything = [*model.state_names, *model.assignments, *model.inputs]
    if names == ["all"]:
        return everything
    for name in names:
        if name not in model.names:
            problems.append(
                Problem(
                    "unknown-name",
                    f"{model.name} has no quantity {name!r}",
                    Location("--outputs"),
                    hint=did_you_mean(name, model.names),
                )
            )
    if names:
        return names
    from .report.headlines import headlines

    return headlines(model)


def _initial(model: Model, texts: list[str], problems: list[Problem]) -> dict[str, float]:
    found: dict[str, float] = {}
    try:
        given = assignments(texts, "--initial")
    except BetapodError as error:
        gather(problems, error)
        return found
    for name, text in given.items():
        if name not in model.state_names:
            hint = did_you_mean(name, model.state_names)
            problems.append(Problem("unknown-state", f"{name!r} is not a state", Location("--initial"), hint=hint))
            continue
        _collect(problems, found, name, text, model.units[name], f"--initial {name}={text}", model.labels[name])
    return found


def _collect(
    problems: list[Problem], found: dict[str, float], key: str, text: str, unit: str, where: str, label: str = ""
) -> None:
    try:
        found[key] = quantity(text, unit, where, label)
    except BetapodError as error:
        gather(problems, error)


def _schedule(model: Model, doses: list[str], switches: list[str], problems: list[Problem]) -> Schedule:
    from .engine.schedule import Schedule

    made_doses = [dose for text in doses if (dose := _dose(model, text, problems)) is not None]
    made_switches = [change for text in switches if (change := _switch(model, text, problems)) is not None]
    schedule = Schedule(tuple(made_doses), tuple(made_switches))
    try:
        schedule.check(model)
    except BetapodError as error:
        gather(problems, error)
    return schedule


def _dose(model: Model, text: str, problems: list[Problem]) -> Dose | None:
    from .engine.schedule import Dose

    where = f"--dose {text}"
    match = _DOSE.fullmatch(text.strip())
    if match is None:
        expected = "STATE=AMOUNT@DAY or STATE=AMOUNT@DAY:EVERY:MORE"
        problems.append(Problem("bad-option", "this is not a dose", Location(where), expected=expected))
        return None
    name, amount, day, every, more = match.groups()
    if name not in model.state_names:
        hint = did_you_mean(name, model.state_names)
        problems.append(Problem("unknown-state", f"{name!r} is not a state", Location(where), hint=hint))
        return None
    found: dict[str, float] = {"every": 0.0}
    _collect(problems, found, "amount", amount, model.units[name], where, model.labels[name])
    _collect(problems, found, "day", day, "day", where)
    if every is not None:
        _collect(problems, found, "every", every, "day", where)
    if {"amount", "day"} - set(found):
        return None
    return Dose(name, found["amount"], found["day"], found["every"], int(more or 0))


def _switch(model: Model, text: str, problems: list[Problem]) -> Switch | None:
    from .engine.schedule import Switch

    where = f"--switch {text}"
    match = _SWITCH.fullmatch(text.strip())
    if match is None:
        expected = "INPUT=VALUE@DAY or INPUT=VALUE@DAY/WIDTH"
        problems.append(Problem("bad-option", "this is not a switch", Location(where), expected=expected))
        return None
    name, value, day, width = match.groups()
    if name not in model.inputs:
        hint = did_you_mean(name, model.inputs)
        if name in model.parameters:
            hint = f"{name!r} is a parameter, which does not change with time: use --set."
        problems.append(Problem("unknown-input", f"{name!r} is not an input", Location(where), hint=hint))
        return None
    found: dict[str, float] = {"width": 0.0}
    _collect(problems, found, "value", value, model.units[name], where, model.labels[name])
    _collect(problems, found, "day", day, "day", where)
    if width is not None:
        _collect(problems, found, "width", width, "day", where)
    if {"value", "day"} - set(found):
        return None
    row = model.inputs[name]
    if not row.low <= found["value"] <= row.high:
        warn(
            f"{name} = {found['value']:g} {row.unit} is outside its plausible range {row.low:g} to {row.high:g} {row.unit}"
        )
    return Switch(name, found["value"], found["day"], found["width"])


def _visits(
    years: float | None, days: float | None, step: str | None, times: str | None, problems: list[Problem]
) -> list[float]:
    """Return the days that are reported."""
    given = [name for name, value in (("--years", years), ("--days", days), ("--times", times)) if value is not None]
    if len(given) > 1:
        problems.append(Problem("bad-option", f"{' and '.join(given)} exclude each other", Location(given[-1])))
        return [0.0]
    if times is not None:
        found: dict[str, float] = {}
        for number, text in enumerate(times.split(",")):
            _collect(problems, found, str(number), text, "day", f"--times {text}")
        return list(found.values()) or [0.0]
    end = days if days is not None else (1.0 if years is None else years) * _DAYS_PER_YEAR
    if not 0 < end < float("inf"):
        problems.append(
            Problem("bad-option", "the duration must be above 0", Location(given[0]), found=f"{end:g} days")
        )
        return [0.0]
    found = {"step": end / _ROWS}
    if step is not None:
        _collect(problems, found, "step", step, "day", f"--step {step}")
        if not 0 < found["step"] <= end:
            problems.append(
                Problem("bad-option", "the step must be above 0 and within the duration", Location(f"--step {step}"))
            )
            return [0.0]
        if end / found["step"] > 1e6:
            problems.append(Problem("bad-option", "that is more than a million rows", Location(f"--step {step}")))
            return [0.0]
    count = round(end / found["step"], 9)
    visits = [k * found["step"] for k in range(int(count) + 1)]
    if visits[-1] < end * (1 - 1e-9):
        visits.append(end)
    visits[-1] = end
    return visits


def _write_csv(result: Result, path: Path | None) -> None:
    """Write the table as CSV, units in the header; to stdout without a path."""
    table = result.table.copy()
    units = result.dictionary["unit"]
    table.columns = [f"{name} [{units[name]}]" for name in table.columns]
    table.index.name = "time [day]"
    text = table.to_csv(float_format="%.10g", lineterminator="\n")
    if path is None:
        sys.stdout.write(text)
        return
    from .files import write_text

    write_text(path, text)
    note(f"wrote {path}: {len(table)} rows, {len(table.columns)} quantities")


def _plot(model: Model, result: Result, path: Path, with_data: bool) -> None:
    from .report.figures import result_figure, save

    figure, data = result_figure(result, title=model.name)
    about = f"Simulated courses of {', '.join(result.table.columns)} in the model {model.name}."
    for written in save(figure, path, data if with_data else None, about):
        note(f"wrote {written}")


def _summary(result: Result) -> None:
    from .report.tables import sparkline

    # A narrow terminal shows less, but nothing cut.
    width = out().width
    columns = ["name", "unit", "start", "end"] + ["least", "most"] * (width >= 100) + ["course"]
    columns += ["meaning"] * (width >= 120)
    rows: list[list[str]] = []
    for name in result.table.columns:
        column = result.table[name].dropna()
        entry = result.dictionary.loc[name]
        numbers = (column.iloc[0], column.iloc[-1], column.min(), column.max()) if len(column) else ()
        start, last, least, most = [f"{number:.4g}" for number in numbers] or [""] * 4
        cells = {"name": name, "unit": str(entry["unit"]), "start": start, "end": last, "least": least, "most": most}
        cells |= {"course": sparkline(column.to_numpy(), 24 if width >= 100 else 16), "meaning": str(entry["label"])}
        rows.append([cells[key] for key in columns])
    print_table(columns, rows, right=("start", "end", "least", "most"))
    end = float(result.table.index[-1])
    out().print(
        f"{end:g} days ({end / _DAYS_PER_YEAR:.2f} years), {len(result.table)} rows; {result.method}, rtol {result.rtol:g}, "
        f"{result.evaluations} evaluations",
        style="dim",
    )


def _document(model: Model, result: Result, schedule: Schedule) -> dict[str, Any]:
    from dataclasses import asdict

    from . import __version__

    return {
        "betapod_version": __version__,
        "model": model.name,
        "fingerprint": model.fingerprint,
        "inputs": {name: {"value": row.value, "unit": row.unit} for name, row in model.inputs.items()},
        "schedule": {
            "doses": [asdict(dose) for dose in schedule.doses],
            "switches": [asdict(change) for change in schedule.switches],
        },
        "solver": {
            "method": result.method,
            "rtol": result.rtol,
            "atol": result.atol,
            "evaluations": result.evaluations,
        },
        "time": {"unit": "day", "values": [float(time) for time in result.table.index]},
        "quantities": [
            {
                "name": name,
                "label": result.dictionary.loc[name, "label"],
                "unit": result.dictionary.loc[name, "unit"],
                "kind": result.dictionary.loc[name, "kind"],
                "values": [float(value) for value in result.table[name]],
            }
            for name in result.table.columns
        ],
        "events": [{"time": time, "name": name} for time, name in result.events],
        "ended": None if result.ended is None else {"name": result.ended[0], "time": result.ended[1]},
        "warnings": list(result.warnings),
    }
