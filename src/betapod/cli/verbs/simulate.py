"""The verb simulate: one virtual patient, a schedule, a table, a picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from ...base.errors import BetapodError, ConfigError, Location, Problem, not_among
from ...base.exports import numbers_as_csv
from ...base.units import convert_unit
from ..completion import complete_state
from ..csv_output import Csv, WideOption, given_as_csv
from ..drawn_treatment import (
    DrawnParameters,
    DrawnSpread,
    drawn_courses,
    draws_wanted,
    implausible_before_fit,
    spread_of,
    treated_under,
)
from ..meant_quantities import unknown_quantities
from ..options import DurationOption, ModelArgument, ModelChanges, TimesOption, outputs_option, spelt_out
from ..schedules import joined_schedules, read_initial, read_schedule, read_visits
from ..shared import (
    JsonOption,
    assignments,
    gather,
    model_from,
    names_option,
    out,
    print_json,
    print_note,
    print_table,
    print_text,
    set_values,
    unfit_figure,
    warn,
    with_noun,
)
from ..treatment import Given, Treated, check_texts, treated
from ..waiting import waiting
from .simulate_beside import GivenOrSeveral, ScansOption, SharedRun, runs_beside, simulate_beside
from .simulate_data import (
    EventData,
    given_options,
    simulate_data_set,
    useless_with_data,
    without_data,
    write_event_data,
    write_simulation_archive,
)
from .simulate_document import row_without_cells, simulation_document
from .simulate_fluxes import simulate_fluxes, useless_with_fluxes

if TYPE_CHECKING:
    import pandas as pd

    from ...engine.scipy.simulation_result import Result
    from ...model import Model


#: Ways to integrate; as `betapod.engine.one_patient.METHODS`, which takes long to import.
METHODS = ("Rodas5P", "LSODA", "BDF", "Radau")


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("simulate")(simulate_patient_command)


def _complete_method(incomplete: str) -> list[str]:
    return [name for name in METHODS if name.startswith(incomplete)]


@dataclass(frozen=True)
class Span:
    """How long is simulated, and which times are reported."""

    heading: ClassVar[str] = "Time"

    years: Annotated[float | None, typer.Option("--years", help="Duration in years; without any duration: 1.")] = None
    days: Annotated[float | None, typer.Option("--days", help="Duration in days.")] = None
    duration: DurationOption = None
    step: Annotated[
        str | None,
        typer.Option("--step", metavar="TIME", help="Time between rows, e.g. '30' (days), '1 h', '0.5 year'."),
    ] = None
    times: TimesOption = None

    def visits(self, model: Model, problems: list[Problem]) -> list[float]:
        """Return the times that are reported, in the model's unit of time."""
        lengths = {"years": self.years, "days": self.days, "duration": self.duration}
        return read_visits(model, lengths, self.step, self.times, problems)


@dataclass(frozen=True)
class Integration:
    """How a model is integrated."""

    heading: ClassVar[str] = "Integration"

    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            metavar="NAME",
            help="Rodas5P (compiled; default for models of the package), LSODA (default for others), BDF or Radau.",
            autocompletion=_complete_method,
        ),
    ] = None
    rtol: Annotated[float, typer.Option("--rtol", help="Relative tolerance.")] = 1e-6
    atol: Annotated[
        float | None,
        typer.Option(
            "--atol", help="Absolute tolerance in the states' units; default: 1e-9, finer for states that stay small."
        ),
    ] = None


@dataclass(frozen=True)
class Shown:
    """What is reported, and where it goes."""

    heading: ClassVar[str] = "Results"

    outputs: Annotated[
        list[str] | None,
        outputs_option("Quantities to report, comma-separated, or 'all'; 'betapod model show MODEL' lists them."),
    ] = None
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Draw the courses (png or svg); their numbers are written beside."),
    ] = None
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write the table as CSV; '-' for standard output.")
    ] = None
    wide: WideOption = False
    as_json: JsonOption = False


@spelt_out
def simulate_patient_command(
    model: ModelArgument,
    *,
    changes: ModelChanges,
    initial: Annotated[
        list[str] | None,
        typer.Option(
            "--initial",
            metavar="STATE=VALUE",
            help="Initial value of a state, e.g. 'V_E=16 L'; may be repeated.",
            autocompletion=complete_state,
        ),
    ] = None,
    scans: ScansOption = None,
    asked: GivenOrSeveral,
    span: Span,
    events: EventData,
    views: Shown,
    solver: Integration,
    uncertain: DrawnParameters,
) -> None:
    """Simulate one virtual patient.

    On a terminal a summary is printed; into a pipe or a file the table goes as CSV.
    """
    problems: list[Problem] = []
    settings, doses, switches = changes.settings or [], changes.doses or [], changes.switches or []
    plot, csv, given = views.plot, views.csv, asked.single
    beside = bool(asked.several or scans)
    if not beside:
        check_texts(given, problems)
    problems += unfit_figure(plot)
    try:
        with waiting("assembling"):
            loaded = model_from(model, changes.tables or (), switches)
    except BetapodError as error:
        if error.kinds == ("flux-balance",):
            groups = [asked, span, events, solver, uncertain, replace(views, csv=None, wide=False, as_json=False)]
            single = {"--set": settings, "--initial": initial, "--dose": doses, "--switch": switches, "--scan": scans}
            problems += useless_with_fluxes({**dict.fromkeys(given_options(groups), True), **single})
            simulate_fluxes(model, problems, csv, views.wide, views.as_json)
            return
        gather(problems, error)
        raise ConfigError(problems) from None
    try:
        loaded = set_values(loaded, settings)
    except BetapodError as error:
        gather(problems, error)
    if events.data is not None:
        options = {"--dose": doses, "--switch": switches, "--initial": initial, "--plot": plot, "--scan": scans}
        problems += useless_with_data([asked, span, solver, uncertain], options)
        wanted = _wanted(loaded, names_option(views.outputs or ()), problems)
        simulate_data_set(loaded, events, wanted, problems, csv, views.wide, views.as_json)
        return
    problems += without_data(events)
    schedule = read_schedule(loaded, doses, switches, problems)
    start = read_initial(loaded, initial or [], problems)
    visits = span.visits(loaded, problems)
    wanted = _wanted(loaded, names_option(views.outputs or ()), problems)
    if solver.method is not None and solver.method not in METHODS:
        message = f"there is no method {solver.method!r}"
        problems.append(not_among(METHODS, "unknown-method", message, solver.method))
    if beside:
        problems += _useless_beside(events, uncertain)
        runs = runs_beside(loaded, asked, scans or (), problems)
        accuracy = (solver.method, solver.rtol, solver.atol)
        shared = SharedRun(loaded, settings, doses, switches, start, visits, wanted, accuracy)
        simulate_beside(shared, runs, problems, plot, csv, views.wide, views.as_json)
        return
    draws, before = draws_wanted(uncertain, loaded, problems)
    if problems:
        raise ConfigError(problems)
    # Growing a person takes seconds: only now that every text is known to be good.
    said = assignments(settings, "--set")
    plan = treated(loaded, given, said) if before is None else treated_under(loaded, given, said, before)
    named, loaded = loaded, plan.model
    users_start, start = start, {**plan.state, **start}
    users_schedule, schedule = schedule, joined_schedules(plan.schedule, schedule)

    from ...front.simulations import simulate

    # Said before the simulation, since such a value may be why it fails.
    implausible = [*loaded.parameters.implausible(), *loaded.inputs.implausible()]
    for warning in implausible if before is None else implausible_before_fit(loaded):
        warn(warning)
    with waiting(f"simulating {span_text(visits[-1], loaded.time_unit)}"):
        result = simulate(loaded, visits, schedule, start, solver.method, solver.rtol, solver.atol, wanted)
    for warning in result.warnings:
        if warning not in implausible:
            warn(warning)
    if result.ended is not None:
        name, when = result.ended
        warn(f"the simulation ended at {span_text(when, loaded.time_unit)}: {_event_label(loaded, name)}")

    def follow(drawn: Treated) -> pd.DataFrame:
        state, plans = {**drawn.state, **users_start}, joined_schedules(drawn.schedule, users_schedule)
        return simulate(drawn.model, visits, plans, state, solver.method, solver.rtol, solver.atol, wanted).table

    drawn = drawn_courses(draws, named, given, said, follow)
    spread = spread_of(uncertain.named(), result.table, drawn) if drawn else None
    samples = _as_csv(loaded, result, spread)
    done = given_as_csv(samples, csv, views.as_json, views.wide, text=bool(csv or plot))
    if plot is not None:
        _plot(loaded, result, plot, with_data=csv is None)
    without = None
    if plan.without_cells is not None and not done:
        with waiting("simulating the same without cells"):
            schedules = joined_schedules(plan.without_cells, users_schedule)
            without = simulate(loaded, visits, schedules, start, solver.method, solver.rtol, solver.atol, wanted)
    trust = "" if changes.tables else _trust(plan, result, given)
    if events.written is not None:
        write_event_data(loaded, result, schedule, events.written)
    if events.omex is not None:
        write_simulation_archive(loaded, visits, schedule, start, wanted, events)
    if views.as_json:
        more = {**({"uncertainty": spread.as_dict()} if spread else {}), **({"trust": trust} if trust else {})}
        print_json({**simulation_document(loaded, result, schedule, without), **more})
    elif not done:
        _summary(loaded, result, without, views.wide, spread)
        for line in filter(None, (uncertain.how_to_draw(named), trust)):
            print_text(line, "dim")


def _useless_beside(events: EventData, uncertain: DrawnParameters) -> list[Problem]:
    """Return the options that only one run has."""
    options = {
        "--nonmem": events.written,
        "--omex": events.omex,
        "--fit": uncertain.fit,
        "--fit-draws": uncertain.fit_draws,
    }
    message = "is of one run, and several are asked for"
    return [
        Problem("useless-option", f"{option} {message}", Location(option)) for option, value in options.items() if value
    ]


def _trust(plan: Treated, result: Result, treatment: Given) -> str:
    """Say how far published numbers bear out what was simulated; nothing of models that were not compared with any."""
    from ...trust.trust_answer import trust_sentence
    from ...trust.trust_lines import COMPARED_MODEL, question_of_simulation

    if plan.model.name != COMPARED_MODEL:
        return ""
    diabetes = next((name for name in ("type 1", "type 2") if f"{name} diabetes" in plan.label), "")
    return trust_sentence(
        question_of_simulation(
            result.courses.values, treatment.drug or (), treatment.cells or (), treatment.scenario or "", diabetes
        )
    )


def span_text(span: float, unit: str) -> str:
    """Return a time for reading: in the model's unit, and in years where it is long."""
    if unit == "1":
        return f"{span:.6g} (the model names no unit of time)"
    years = convert_unit(span, unit, "year")
    from ...model.printing.document_layout import plural

    return f"{span:.6g} {unit if span == 1 else plural(unit)}" + (f" ({years:.2f} years)" if years >= 1 else "")


def _event_label(model: Model, name: str) -> str:
    return next((event.label or event.name for event in model.events if event.name == name), name)


def _wanted(model: Model, names: list[str], problems: list[Problem]) -> list[str]:
    """Return what is reported: what was asked for, else what a reader of this model looks at first."""
    everything = [*model.state_names, *model.assignments, *model.inputs]
    if names == ["all"]:
        return everything
    problems += unknown_quantities(model, names, "--outputs")
    if names:
        return names
    from ...report.common.headline_quantities import headlines

    return headlines(model)


def _as_csv(model: Model, result: Result, spread: DrawnSpread | None = None) -> Csv:
    """Return the table as CSV, units in the header; ends of intervals by parameters behind, where there are any."""
    courses, unit = result.courses, result.units
    columns = {f"time [{model.time_unit}]": courses.times, **{f"{n} [{unit[n]}]": v for n, v in courses.values.items()}}
    for name in courses.values if spread else ():
        assert spread is not None
        columns[f"{name} low [{unit[name]}]"] = spread.low[name]
        columns[f"{name} high [{unit[name]}]"] = spread.high[name]
    return Csv(lambda: numbers_as_csv({head: column.tolist() for head, column in columns.items()}), len(courses.times))


def _plot(model: Model, result: Result, path: Path, with_data: bool) -> None:
    from ...report.common.figures import result_figure, save

    figure, data = result_figure(result, model.time_unit, model.name)
    about = f"Simulated courses of {', '.join(result.table.columns)} in the model {model.name}."
    for written in save(figure, path, data if with_data else None, about):
        print_note(f"wrote {written}")


def _summary(
    model: Model,
    result: Result,
    without: Result | None = None,
    wide: bool = False,
    spread: DrawnSpread | None = None,
) -> None:
    import numpy as np

    from ...report.common.terminal_tables import sparkline

    alone = row_without_cells(result, without) if without is not None else None
    ends = ["95 % by parameters"] if spread else []
    numeric = ["start", "end", *ends, *(["without cells"] if alone is not None else []), "least", "most"]
    columns = ["name", "unit", *numeric, "course", "meaning"]
    rows: list[list[str]] = []
    for name, values in result.courses.values.items():
        label, unit, _ = result.courses.meanings[name]
        reached = values[~np.isnan(values)]
        numbers = [reached[0], reached[-1], reached.min(), reached.max()] if len(reached) else []
        texts = [f"{number:.4g}" for number in numbers] or [""] * 4
        if alone is not None:
            texts.insert(2, f"{alone[name]:.4g}")
        if spread is not None:
            last = len(reached) - 1
            texts.insert(2, f"{spread.low[name][last]:.4g} to {spread.high[name][last]:.4g}" if last >= 0 else "")
        course = sparkline(reached, 24 if out().width >= 120 or wide else 16)
        rows.append([name, unit, *texts, course, label])
    print_table(columns, rows, right=numeric, spare=("meaning", "least", "most", "course"), wide=wide)
    times = result.courses.times
    print_text(
        f"{span_text(float(times[-1]), model.time_unit)}, {with_noun(len(times), 'row')}; {result.method}, rtol {result.rtol:g}, "
        f"{result.evaluations} evaluations",
        "dim",
    )
    if spread is not None:
        print_text(
            f"The interval holds parameters alone ({spread.sets} draws of the fit {spread.fit}, each with its own history): one typical person has no "
            "chance in it, and what studies differ by is of groups.",
            "dim",
        )
