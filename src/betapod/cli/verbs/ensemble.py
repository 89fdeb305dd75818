"""Verbs about many patients at once: ensemble run, resume, summary; merge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..completion import complete_folder
from ..csv_output import given_as_csv
from ..options import (
    DosesOption,
    ModelArgument,
    ParametersOption,
    SettingsOption,
    SwitchesOption,
    spelt_out,
)
from ..running import breaking
from ..shared import JsonOption, print_json
from .ensemble_moments import ensemble_moments_command
from .ensemble_options import EnsembleAccuracy, EnsembleOutputs, EnsemblePatients, ModelAndTreatment, ensemble_origin
from .ensemble_plan import plan_of, plan_of_folder, plan_or_none
from .ensemble_plot import plot_ensemble_command
from .ensemble_work import Work, moments_as_csv, print_run_summary, work

ensemble = typer.Typer(no_args_is_help=True, help="Simulate many virtual patients into a run folder.")

FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help="Run folder.", autocompletion=complete_folder)]


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.add_typer(ensemble, name="ensemble")
    ensemble.command("plot")(plot_ensemble_command)
    ensemble.command("moments")(ensemble_moments_command)
    app.command("merge")(merge_command)


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
    treatment = ModelAndTreatment(model, settings, doses, switches, parameters)
    origin = ensemble_origin(treatment, who, output_options, accuracy, accuracy.shard_size)
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
    unit = store.manifest["identity"].get("time_unit", "day")
    done = given_as_csv(moments_as_csv(document.get("outputs", {}), unit), csv, as_json, text=True)
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
