"""Several runs of the verb simulate beside each other: scenarios, files that say what differs, and numbers that are scanned."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer
from pydantic import Field

from ...base.config import Settings, check_document, read_yaml
from ...base.errors import BetapodError, ConfigError, Location, Problem
from ...base.exports import table_as_csv
from ..completion import complete_scenario, complete_setting
from ..csv_output import Csv, given_as_csv
from ..schedules import read_schedule
from ..shared import (
    assignments,
    gather,
    option_quantity,
    print_json,
    print_note,
    print_table,
    print_text,
    set_values,
    with_noun,
)
from ..treatment import CellsOption, DrugOption, Given, PersonOption, check_texts, treated
from ..waiting import show_progress
from .simulate_document import simulation_document

if TYPE_CHECKING:
    import pandas as pd

    from ...engine.schedule import Schedule
    from ...engine.scipy.simulation_result import Result
    from ...model import Model

#: Runs of one command: more are an ensemble.
MOST_RUNS = 100
#: Endings of files that say what differs in a run.
_ENDINGS = (".yaml", ".yml")

ScansOption = Annotated[
    list[str] | None,
    typer.Option(
        "--scan",
        metavar="NAME=LOW:HIGH:COUNT",
        help="A run for each of so many values, e.g. 'G=5:12:8', or 'G=90 mg/dL:216 mg/dL:8:log'; several make a grid.",
        autocompletion=complete_setting,
    ),
]


@dataclass(frozen=True)
class GivenOrSeveral:
    """Who is simulated, and what they get; several scenarios are several runs."""

    heading: ClassVar[str] = "Person and treatment"

    person: PersonOption = None
    drug: DrugOption = None
    cells: CellsOption = None
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            "--scenario",
            metavar="NAME|YAML",
            help="What cells are supposed to do: none, current-evidence (the default), face-value or seed-claims; or a file that says "
            "what differs. Several are run beside each other.",
            autocompletion=complete_scenario,
        ),
    ] = None

    @property
    def several(self) -> bool:
        """Whether there is more than one run, or a file that describes one."""
        return len(self.scenario or ()) > 1 or any(_is_file(text) for text in self.scenario or ())

    @property
    def single(self) -> Given:
        """The person with what they get, in the first scenario."""
        return Given(self.person, self.drug, self.cells, self.scenario[0] if self.scenario else None)


class ScenarioFile(Settings):
    """What differs in a run."""

    label: str = ""
    person: str | None = None
    drugs: list[str] = Field(default_factory=list)
    cells: list[str] = Field(default_factory=list)
    scenario: str | None = None
    set: dict[str, str | float] = Field(default_factory=dict)
    doses: list[str] = Field(default_factory=list)
    switches: list[str] = Field(default_factory=list)


@dataclass(frozen=True)
class RunBeside:
    """One of several runs.

    Attributes
    ----------
    columns
        What tells it from the others: head of a column -> its value.
    """

    columns: Mapping[str, str | float]
    treatment: Given
    settings: tuple[str, ...] = ()
    doses: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()
    file: str = ""

    @property
    def label(self) -> str:
        """What tells it from the others, in words."""
        texts = [
            value if isinstance(value, str) else f"{head.partition(' [')[0]} {value:.4g}"
            for head, value in self.columns.items()
        ]
        return ", ".join(texts)


@dataclass(frozen=True)
class SharedRun:
    """What all runs share.

    Attributes
    ----------
    model
        With the user's values; `settings`, `doses` and `switches` are their texts.
    start
        States that start elsewhere.
    visits, outputs
        Times and quantities that are reported.
    solver
        Method, relative and absolute tolerance.
    """

    model: Model
    settings: Sequence[str]
    doses: Sequence[str]
    switches: Sequence[str]
    start: Mapping[str, float]
    visits: Sequence[float]
    outputs: Sequence[str]
    solver: tuple[str | None, float, float | None] = field(default=(None, 1e-6, None))


def runs_beside(model: Model, asked: GivenOrSeveral, scans: Sequence[str], problems: list[Problem]) -> list[RunBeside]:
    """Return the runs that scenarios and scans ask for; what cannot be used is added to `problems`."""
    runs = [_scenario_run(text, asked.single, problems) for text in asked.scenario or ()] if asked.several else []
    runs = runs or [RunBeside({}, asked.single)]
    values = [_scanned(model, text, problems) for text in scans]
    names = [text.partition("=")[0].strip() for text in scans]
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        problems += [Problem("given-twice", f"{name!r} is scanned twice", Location("--scan")) for name in twice]
        return runs
    labels = [run.label for run in runs]
    problems += [
        Problem("given-twice", f"two runs are called {label!r}", Location("--scenario"), hint="Give one another label.")
        for label in dict.fromkeys(labels)
        if labels.count(label) > 1
    ]
    count = len(runs)
    for several in values:
        count *= max(len(several), 1)
    if count > MOST_RUNS:
        hint = "For many values use 'betapod ensemble run' with a table of patients, or betapod.Ensemble."
        problems.append(Problem("too-many-runs", f"these are {count} runs", expected=f"{MOST_RUNS} at most", hint=hint))
        return runs
    units = {**model.parameters, **model.inputs}
    scanned = []
    for run, combination in itertools.product(runs, itertools.product(*values)):
        columns = {f"{name} [{units[name].unit}]": x for name, x in zip(names, combination, strict=True)}
        texts = tuple(f"{name}={x!r}" for name, x in zip(names, combination, strict=True))
        scanned.append(replace(run, columns={**run.columns, **columns}, settings=(*run.settings, *texts)))
    return scanned


def _is_file(text: str) -> bool:
    return Path(text).suffix.lower() in _ENDINGS


def _scenario_run(text: str, shared: Given, problems: list[Problem]) -> RunBeside:
    """Return the run of a scenario by name, or of a file; what a file does not say is as in the other options."""
    if not _is_file(text):
        return RunBeside({"scenario": text}, replace(shared, scenario=text))
    single = replace(shared, scenario=None)
    try:
        says = check_document(ScenarioFile, read_yaml(text))
    except BetapodError as error:
        gather(problems, error)
        return RunBeside({"scenario": Path(text).stem}, single)
    treatment = Given(
        says.person or shared.person, says.drugs or shared.drug, says.cells or shared.cells, says.scenario
    )
    settings = tuple(f"{name}={value}" for name, value in says.set.items())
    return RunBeside(
        {"scenario": says.label or Path(text).stem}, treatment, settings, tuple(says.doses), tuple(says.switches), text
    )


def _scanned(model: Model, text: str, problems: list[Problem]) -> list[float]:
    """Return the values of a scan, in the row's unit; none where they cannot be read."""
    where = Location(f"--scan {text}")
    name, _, ends = text.partition("=")
    name, parts = name.strip(), [part.strip() for part in ends.split(":")]
    rows = {**model.parameters, **model.inputs}
    if name not in rows:
        # The same words as for a value that is set.
        try:
            set_values(model, [f"{name}=1"])
        except BetapodError as error:
            problems += [replace(problem, location=where) for problem in error.problems]
        return []
    logarithmic = len(parts) == 4 and parts[3] == "log"
    if len(parts) != 3 + logarithmic or not parts[2].isdigit() or int(parts[2]) < 2:
        expected = "NAME=LOW:HIGH:COUNT, two values or more, with :log at the end for even steps of the logarithm"
        problems.append(Problem("bad-option", "this is no scan", where, expected=expected))
        return []
    try:
        low, high = (option_quantity(part, rows[name].unit, f"--scan {text}", rows[name].label) for part in parts[:2])
    except BetapodError as error:
        gather(problems, error)
        return []
    if logarithmic and min(low, high) <= 0:
        problems.append(Problem("bad-option", "a logarithm needs ends above 0", where))
        return []
    import numpy as np

    steps = np.geomspace if logarithmic else np.linspace
    return [float(value) for value in steps(low, high, int(parts[2]))]


def simulate_beside(
    shared: SharedRun,
    runs: Sequence[RunBeside],
    problems: list[Problem],
    plot: Path | None,
    csv: Path | None,
    wide: bool,
    as_json: bool,
) -> None:
    """Carry out several runs and report them beside each other.

    Raises
    ------
    ConfigError
        Everything that is wrong with any of them, before the first is simulated.
    """
    for run in runs:
        problems += _unfit(shared, run)
    if problems:
        unique = {(p.kind, p.message, p.location): p for p in problems}
        raise ConfigError(list(unique.values()))
    results = []
    with show_progress(False) as progress:
        for number, run in enumerate(runs):
            if progress is not None:
                progress(f"simulating {run.label}", number, len(runs))
            results.append(_carried_out(shared, run))
    table = _together(runs, [result for _, result, _ in results])
    units = results[0][1].dictionary["unit"]
    if plot is not None:
        _draw(shared, runs, [result for _, result, _ in results], plot, csv is None)
    named = table.rename(columns={name: f"{name} [{units[name]}]" for name in shared.outputs})
    named = named.rename(columns={"time": f"time [{shared.model.time_unit}]"})
    text = Csv(lambda: table_as_csv(named, index=False, float_format="%.10g"), len(named))
    done = given_as_csv(text, csv, as_json, wide, text=bool(csv or plot))
    if as_json:
        documents = [
            {"label": run.label, "differs": dict(run.columns), **simulation_document(model, result, schedule)}
            for run, (model, result, schedule) in zip(runs, results, strict=True)
        ]
        print_json({"runs": documents})
    elif not done:
        _print(shared, runs, [result for _, result, _ in results], units, wide)


def _unfit(shared: SharedRun, run: RunBeside) -> list[Problem]:
    problems: list[Problem] = []
    check_texts(run.treatment, problems)
    try:
        model = set_values(shared.model, run.settings)
        read_schedule(model, list(run.doses), list(run.switches), problems)
    except BetapodError as error:
        gather(problems, error)
    # A problem of a file says which.
    return [replace(p, location=Location(run.file)) if run.file else p for p in problems]


def _carried_out(shared: SharedRun, run: RunBeside) -> tuple[Model, Result, Schedule]:
    from ...engine.schedule import Schedule
    from ...front.simulations import simulate

    settings = [*shared.settings, *run.settings]
    model = set_values(shared.model, run.settings)
    plan = treated(model, run.treatment, assignments([*_last_of_each(settings)], "--set"))
    problems: list[Problem] = []
    users = read_schedule(plan.model, [*shared.doses, *run.doses], [*shared.switches, *run.switches], problems)
    schedule = Schedule((*plan.schedule.doses, *users.doses), (*plan.schedule.switches, *users.switches))
    start = {**plan.state, **shared.start}
    method, rtol, atol = shared.solver
    result = simulate(plan.model, list(shared.visits), schedule, start, method, rtol, atol, list(shared.outputs))
    return plan.model, result, schedule


def _last_of_each(settings: Sequence[str]) -> list[str]:
    """Return settings in which a value that was scanned, or that a file says, takes the place of one that all runs have."""
    return list({text.partition("=")[0].strip(): text for text in settings}.values())


def _together(runs: Sequence[RunBeside], results: Sequence[Result]) -> pd.DataFrame:
    """Return the tables of all runs below each other, with what tells them apart in front."""
    import pandas as pd

    tables = []
    for run, result in zip(runs, results, strict=True):
        table = result.table.rename_axis("time").reset_index()
        for position, (head, value) in enumerate(run.columns.items()):
            table.insert(position, head, value)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _draw(shared: SharedRun, runs: Sequence[RunBeside], results: Sequence[Result], path: Path, with_data: bool) -> None:
    from ...report.common.figures import save
    from ...report.sensitivity.run_figures import beside_figure

    tables = {run.label: result.table for run, result in zip(runs, results, strict=True)}
    figure, data = beside_figure(tables, results[0].dictionary, shared.model.time_unit)
    about = f"Courses of {', '.join(shared.outputs)} in {with_noun(len(runs), 'run')} of the model {shared.model.name}."
    for written in save(figure, path, data if with_data else None, about):
        print_note(f"wrote {written}")


def _print(shared: SharedRun, runs: Sequence[RunBeside], results: Sequence[Result], units: Any, wide: bool) -> None:
    """Print what each run ends with."""
    heads = [f"{name} ({units[name]})" if units[name] not in ("", "1") else name for name in shared.outputs]
    cells = []
    for run, result in zip(runs, results, strict=True):
        last = result.table.dropna(how="all").iloc[-1]
        cells.append([run.label, *(f"{last[name]:.4g}" for name in shared.outputs)])
    print_table(["run", *heads], cells, right=heads, wide=wide)
    end = float(results[0].table.index[-1])
    print_text(
        f"values at {end:g} {shared.model.time_unit}, or at the end of the last that was reached; --csv has the courses",
        "dim",
    )
