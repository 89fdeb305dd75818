"""Verbs about many patients at once: ensemble run, resume, summary; merge."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from ..completion import complete_folder, complete_parameter
from ..csv_output import given_as_csv
from ..options import (
    DosesOption,
    DurationOption,
    ModelArgument,
    ParametersOption,
    SettingsOption,
    SwitchesOption,
    outputs_option,
    spelt_out,
)
from ..running import breaking
from ..shared import JsonOption, assignments, is_file, names_option, print_json
from .ensemble_plan import plan_of, plan_of_folder, plan_or_none
from .ensemble_plot import plot_ensemble_command
from .ensemble_work import Work, moments_as_csv, print_run_summary, work

ensemble = typer.Typer(no_args_is_help=True, help="Simulate many virtual patients into a run folder.")

FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help="Run folder.", autocompletion=complete_folder)]


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.add_typer(ensemble, name="ensemble")
    ensemble.command("plot")(plot_ensemble_command)
    app.command("merge")(merge_command)


@dataclass(frozen=True)
class EnsemblePatients:
    """Who is simulated."""

    heading: ClassVar[str] = "Patients"

    patients: Annotated[
        str, typer.Option("--patients", "-n", metavar="N|CSV", help="Number of patients, or a table with one row each.")
    ]
    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary",
            metavar="NAMES",
            help="Parameters drawn from their distributions, comma-separated; 'all' (default) or 'none'.",
            autocompletion=complete_parameter,
        ),
    ] = None
    seed: Annotated[int, typer.Option("--seed", min=0, help="Random seed.")] = 1
    replicate: Annotated[
        int, typer.Option("--replicate", min=0, help="Index of an independent repetition with the same seed.")
    ] = 0


@dataclass(frozen=True)
class EnsembleOutputs:
    """What is reported, and when."""

    heading: ClassVar[str] = "Time and outputs"

    years: Annotated[float | None, typer.Option("--years", help="Duration in years; default: 20.")] = None
    duration: DurationOption = None
    visits: Annotated[
        str | None,
        typer.Option(
            "--visits",
            metavar="TIMES",
            help="Interval, e.g. '6 month' (the default), or times, e.g. '0,1,2,5 year'. With --duration alone: 41 visits.",
        ),
    ] = None
    outputs: Annotated[
        list[str] | None,
        outputs_option(
            "Quantities to report, comma-separated; default: all states, or all equations of a model without any."
        ),
    ] = None


@dataclass(frozen=True)
class EnsembleAccuracy:
    """How exactly patients are integrated, and in what shards."""

    heading: ClassVar[str] = "Integration"

    rtol: Annotated[float, typer.Option("--rtol", help="Relative tolerance.")] = 1e-6
    atol: Annotated[
        float | None,
        typer.Option(
            "--atol", help="Absolute tolerance in the states' units; default: 1e-9, finer for states that stay small."
        ),
    ] = None
    shard_size: Annotated[int, typer.Option("--shard-size", min=1, help="Patients per shard.")] = 10_000


@ensemble.command("run")
@spelt_out
def run_ensemble_command(
    model: ModelArgument,
    folder: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Run folder.")],
    settings: SettingsOption = None,
    doses: DosesOption = None,
    switches: SwitchesOption = None,
    parameters: ParametersOption = None,
    *,
    who: EnsemblePatients,
    output_options: EnsembleOutputs,
    accuracy: EnsembleAccuracy,
    how: Work,
) -> None:
    """Simulate virtual patients.

    In a folder that holds the same run, the run is continued.
    """
    origin = {
        "model": _absolute(model),
        "parameters": [str(path.absolute()) for path in parameters or ()],
        "set": assignments(settings or (), "--set"),
        "patients": _absolute(who.patients),
        "years": output_options.years,
        "duration": output_options.duration,
        "visits": output_options.visits,
        "seed": who.seed,
        "replicate": who.replicate,
        "vary": names_option(who.vary or ["all"]),
        "outputs": names_option(output_options.outputs or ()),
        "doses": list(doses or ()),
        "switches": list(switches or ()),
        "rtol": accuracy.rtol,
        "atol": accuracy.atol,
        "shard_size": accuracy.shard_size,
    }
    work(plan_of(origin), folder, how)


@ensemble.command("resume")
@spelt_out
def resume_ensemble_command(folder: FolderArgument, how: Work) -> None:
    """Resume a run: recompute missing or damaged shards."""
    work(plan_of_folder(folder), folder, how)


@ensemble.command("summary")
def summarise_ensemble_command(
    folder: FolderArgument,
    quantiles: Annotated[bool, typer.Option("--quantiles", help="Add exact quantiles at the last visit.")] = False,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            metavar="FILE",
            help="Write mean, SD and count of every output at every visit as CSV; '-' for standard output.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Summarise a run: how patients ended, accuracy, outputs."""
    from ...engine.runs.manifest import EnsembleManifest, Summary, read_run_file
    from ...engine.runs.store import Store
    from ...engine.runs.summary import counts
    from ...engine.runs.summary import quantiles as compute_quantiles

    store = Store.open(folder).of(EnsembleManifest)
    path = store.folder / "summary.json"
    complete, damaged = store.survey(thorough=quantiles)
    if len(complete) == store.shards and path.exists():
        document = read_run_file(path, Summary)
    else:
        done = sum(receipt.last - receipt.first for receipt in complete.values())
        document = {
            "model": store.manifest["identity"]["model"],
            "patients": store.manifest["identity"]["patients"],
            "patients_done": done,
            **counts(complete.values()),
        }
    document |= {"shards": store.shards, "shards_done": len(complete), "shards_damaged": sorted(damaged)}
    if quantiles and complete:
        last = store.manifest["identity"]["times"][-1]
        document["quantiles"] = compute_quantiles(store, [last])
    done = given_as_csv(moments_as_csv(store, document), csv, as_json, text=True)
    if as_json:
        print_json(document)
    elif not done:
        print_run_summary(store, document)


def merge_command(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER...", help="Run folders with shards of one run.", autocompletion=complete_folder),
    ],
    target: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="Folder to merge into; needed for several folders."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Merge the shards of an ensemble run.

    They are checked to be complete and intact, and the summary is written.
    """
    from ...engine.runs.summary import finish, merge

    with breaking():
        store = merge(folders, target)
        document = finish(store, plan_or_none(store))
    if as_json:
        print_json(document)
    else:
        print_run_summary(store, document)


def _absolute(name: str) -> str:
    path = Path(name)
    return str(path.absolute()) if is_file(path) else name
