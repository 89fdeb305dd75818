"""Verbs about many patients at once: ensemble run, resume, summary; merge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..options import (
    DosesOption,
    ModelArgument,
    ParametersOption,
    SettingsOption,
    SwitchesOption,
    complete_output,
    complete_parameter,
    spelt_out,
)
from ..running import breaking
from ..shared import JsonOption, assignments, is_file, names_option, print_json
from .ensemble_plan import plan_of, plan_of_folder, plan_or_none
from .ensemble_work import Work, show, work

ensemble = typer.Typer(no_args_is_help=True, help="Simulate many virtual patients into a run folder.")

FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help="Run folder.")]


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.add_typer(ensemble, name="ensemble")
    app.command("merge")(merge_command)


@ensemble.command("run")
@spelt_out
def run(
    model: ModelArgument,
    folder: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Run folder.")],
    patients: Annotated[str, typer.Option("--patients", "-n", metavar="N|CSV", help="How many, or a table of them.")],
    years: Annotated[float | None, typer.Option("--years", help="How long, in years; 20 by default.")] = None,
    duration: Annotated[
        str | None,
        typer.Option("--duration", help="How long, with a unit; a bare number is in the model's unit of time."),
    ] = None,
    visits: Annotated[
        str | None,
        typer.Option(
            "--visits",
            help="Between visits, such as '6 month' (the default); or times, such as '0,1,2,5 year'. With --duration alone: 41 visits.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of all random numbers.")] = 1,
    replicate: Annotated[int, typer.Option("--replicate", min=0, help="Number of the repetition.")] = 0,
    settings: SettingsOption = None,
    parameters: ParametersOption = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary",
            help="Parameters to draw; default: all that have a distribution; or none.",
            autocompletion=complete_parameter,
        ),
    ] = None,
    outputs: Annotated[
        list[str] | None,
        typer.Option("--outputs", help="What to report; default: all states.", autocompletion=complete_output),
    ] = None,
    doses: DosesOption = None,
    switches: SwitchesOption = None,
    rtol: Annotated[float, typer.Option("--rtol", help="Relative tolerance.")] = 1e-6,
    atol: Annotated[
        float | None,
        typer.Option(
            "--atol", help="Absolute tolerance in the states' units; default: 1e-9, finer for states that stay small."
        ),
    ] = None,
    shard_size: Annotated[int, typer.Option("--shard-size", min=1, help="Patients per part.")] = 10_000,
    *,
    how: Work,
) -> None:
    """Simulate virtual patients; in a folder that holds the same run, continue it."""
    origin = {
        "model": _absolute(model),
        "parameters": [str(path.absolute()) for path in parameters or ()],
        "set": assignments(settings or (), "--set"),
        "patients": _absolute(patients),
        "years": years,
        "duration": duration,
        "visits": visits,
        "seed": seed,
        "replicate": replicate,
        "vary": names_option(vary or ["all"]),
        "outputs": names_option(outputs or ()),
        "doses": list(doses or ()),
        "switches": list(switches or ()),
        "rtol": rtol,
        "atol": atol,
        "shard_size": shard_size,
    }
    work(plan_of(origin), folder, how)


@ensemble.command("resume")
@spelt_out
def resume(folder: FolderArgument, how: Work) -> None:
    """Compute what a run folder lacks: what was never finished, is damaged or was deleted."""
    work(plan_of_folder(folder), folder, how)


@ensemble.command("summary")
def summary(
    folder: FolderArgument,
    quantiles: Annotated[bool, typer.Option("--quantiles", help="Exact quantiles at the last visit.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what is in a run folder: how patients ended, how exact the numbers are, the outputs over time."""
    from ...engine.runs.manifest import Ensemble, Summary, read
    from ...engine.runs.store import Store
    from ...engine.runs.summary import counts
    from ...engine.runs.summary import quantiles as compute_quantiles

    store = Store.open(folder).of(Ensemble)
    path = store.folder / "summary.json"
    whole, damaged = store.survey(thorough=quantiles)
    if len(whole) == store.shards and path.exists():
        document = read(path, Summary)
    else:
        done = sum(receipt.last - receipt.first for receipt in whole.values())
        document = {
            "model": store.manifest["identity"]["model"],
            "patients": store.manifest["identity"]["patients"],
            "patients_done": done,
            **counts(whole.values()),
        }
    document |= {"shards": store.shards, "shards_done": len(whole), "shards_damaged": sorted(damaged)}
    if quantiles and whole:
        last = store.manifest["identity"]["times"][-1]
        document["quantiles"] = compute_quantiles(store, [last])
    if as_json:
        print_json(document)
    else:
        show(store, document)


def merge_command(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Run folders of one run.")],
    target: Annotated[Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Folder to merge into.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Bring the parts of one run together, check that all are there and whole, and write the summary."""
    from ...engine.runs.summary import finish, merge

    with breaking():
        store = merge(folders, target)
        document = finish(store, plan_or_none(store))
    if as_json:
        print_json(document)
    else:
        show(store, document)


def _absolute(name: str) -> str:
    path = Path(name)
    return str(path.absolute()) if is_file(path) else name
