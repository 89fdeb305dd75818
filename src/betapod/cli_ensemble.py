"""Verbs about many patients at once: ensemble run, resume, summary; merge."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .cli_common import (
    JsonOption,
    ModelArgument,
    ParametersOption,
    assignments,
    complete_output,
    complete_parameter,
    complete_setting,
    err,
    names_option,
    note,
    out,
    print_json,
    print_table,
    warn,
)
from .cli_ensemble_plan import plan_of, plan_of_folder, plan_or_none
from .errors import ConfigError, Location, MissingExtraError, Problem

if TYPE_CHECKING:
    from .engine.execute import Outcome, Progress
    from .engine.plan import Plan
    from .engine.store import Store

ensemble = typer.Typer(no_args_is_help=True, help="Simulate many virtual patients into a run folder.")

#: Exit codes of their own: the disk or the workers failed; more patients failed than allowed.
_BROKEN, _TOO_MANY_FAILURES, _INTERRUPTED = 1, 4, 130

ThreadsOption = Annotated[int | None, typer.Option("--threads", min=1, help="Threads; default: one per core.")]
ProcessesOption = Annotated[int | None, typer.Option("--processes", min=1, help="Processes instead of threads.")]
ClusterOption = Annotated[
    str | None, typer.Option("--cluster", metavar="ADDRESS", help="A Dask scheduler, such as tcp://head:8786.")
]
PartOption = Annotated[
    str | None,
    typer.Option(
        "--shard", metavar="I/N", help="Only part I of N, counted from 1, for job arrays; see 'betapod merge'."
    ),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no remarks on stderr.")]
LimitOption = Annotated[
    float, typer.Option("--fail-above", min=0, max=1, help="Share of failed patients above which the exit code is 4.")
]


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.add_typer(ensemble, name="ensemble")
    app.command("merge")(merge_command)


@ensemble.command("run")
def run(
    model: ModelArgument,
    folder: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Run folder.")],
    patients: Annotated[str, typer.Option("--patients", "-n", metavar="N|CSV", help="How many, or a table of them.")],
    years: Annotated[float, typer.Option("--years", min=0, help="How long, in years.")] = 20.0,
    visits: Annotated[
        str, typer.Option("--visits", help="Between visits, such as '6 month'; or times, such as '0,1,2,5 year'.")
    ] = "6 month",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of all random numbers.")] = 1,
    replicate: Annotated[int, typer.Option("--replicate", min=0, help="Number of the repetition.")] = 0,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter or input.", autocompletion=complete_setting),
    ] = None,
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
    doses: Annotated[
        list[str] | None,
        typer.Option("--dose", metavar="STATE=AMOUNT@DAY[:EVERY:MORE]", help="A dose, repeated or not."),
    ] = None,
    switches: Annotated[
        list[str] | None, typer.Option("--switch", metavar="INPUT=VALUE@DAY[/WIDTH]", help="A new value of an input.")
    ] = None,
    rtol: Annotated[float, typer.Option("--rtol", help="Relative tolerance.")] = 1e-6,
    atol: Annotated[float, typer.Option("--atol", help="Absolute tolerance, in the states' units.")] = 1e-9,
    shard_size: Annotated[int, typer.Option("--shard-size", min=1, help="Patients per part.")] = 10_000,
    part: PartOption = None,
    threads: ThreadsOption = None,
    processes: ProcessesOption = None,
    cluster: ClusterOption = None,
    fail_above: LimitOption = 0.05,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Simulate virtual patients; in a folder that holds the same run, continue it."""
    origin = {
        "model": _absolute(model),
        "parameters": [str(path.absolute()) for path in parameters or ()],
        "set": assignments(settings or (), "--set"),
        "patients": _absolute(patients),
        "years": years,
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
    _work(plan_of(origin), folder, _part(part), threads, processes, cluster, fail_above, quiet, as_json)


@ensemble.command("resume")
def resume(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Run folder.")],
    part: PartOption = None,
    threads: ThreadsOption = None,
    processes: ProcessesOption = None,
    cluster: ClusterOption = None,
    fail_above: LimitOption = 0.05,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compute what a run folder lacks: what was never finished, is damaged or was deleted."""
    plan = plan_of_folder(folder)
    _work(plan, folder, _part(part), threads, processes, cluster, fail_above, quiet, as_json)


@ensemble.command("summary")
def summary(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Run folder.")],
    quantiles: Annotated[bool, typer.Option("--quantiles", help="Exact quantiles at the last visit.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what is in a run folder: how patients ended, how exact the numbers are, the outputs over time."""
    import json

    from .engine.store import Store
    from .engine.summary import counts
    from .engine.summary import quantiles as compute_quantiles

    store = Store.open(folder)
    path = store.folder / "summary.json"
    whole, damaged = store.survey(thorough=False)
    if len(whole) == store.shards and path.exists():
        document = json.loads(path.read_text(encoding="utf-8"))
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
        _show(store, document)


def merge_command(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Run folders of one run.")],
    target: Annotated[Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Folder to merge into.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Bring the parts of one run together, check that all are there and whole, and write the summary."""
    from .engine.summary import finish, merge

    with _breaking():
        store = merge(folders, target)
        document = finish(store, plan_or_none(store))
    if as_json:
        print_json(document)
    else:
        _show(store, document)


# -- work ------------------------------------------------------------------------------------------------------------


def _work(
    plan: Plan,
    folder: Path,
    part: tuple[int, int],
    threads: int | None,
    processes: int | None,
    cluster: str | None,
    fail_above: float,
    quiet: bool,
    as_json: bool,
) -> None:
    from .engine.execute import PROCESSES, THREADS, execute
    from .engine.summary import finish

    if sum(choice is not None for choice in (threads, processes, cluster)) > 1:
        raise ConfigError(Problem("bad-option", "choose one of --threads, --processes and --cluster"))
    command = ["betapod", *sys.argv[1:]]
    with _breaking(folder), _terminable(), _bar(quiet, folder) as progress:
        if cluster is not None:
            with _client(cluster) as (executor, count):
                outcome = execute(
                    plan, folder, executor=executor, count=count, shared_folder=False, part=part, command=command,
                    progress=progress,
                )  # fmt: skip
        else:
            workers = PROCESSES if processes else THREADS
            outcome = execute(
                plan, folder, workers, processes or threads, part=part, command=command, progress=progress
            )
        document = finish(outcome.store, plan) if outcome.complete else None
    if not quiet:
        _report(outcome, folder)
    if as_json:
        print_json(document or {"patients": plan.patients, "shards_missing": outcome.missing})
    elif document is not None:
        _show(outcome.store, document)
    if document is not None and document["failed"] > fail_above * document["patients"]:
        warn(f"{document['failed']} of {document['patients']} patients failed; see {folder / 'failures.parquet'}")
        raise typer.Exit(_TOO_MANY_FAILURES)


def _report(outcome: Outcome, folder: Path) -> None:
    for shard, reason in outcome.redone.items():
        warn(f"shard {shard} was computed again: {reason}")
    rate = f", {outcome.computed / outcome.seconds:,.0f} patients/s" if outcome.computed and outcome.seconds else ""
    note(f"{outcome.computed:,} patients computed in {outcome.seconds:.1f} s{rate}; results in {folder}")
    if outcome.missing:
        note(f"{len(outcome.missing)} shards are left to other parts of the run; then: betapod merge {folder}")


@contextmanager
def _breaking(folder: Path | None = None) -> Iterator[None]:
    """Turn a broken disk or broken workers, and an interrupt, into their exit codes."""
    from .cli import show_problems
    from .engine.store import StoreError
    from .errors import SolverError

    try:
        yield
    except (StoreError, SolverError) as error:
        show_problems(error)
        raise typer.Exit(_BROKEN) from None
    except KeyboardInterrupt:
        hint = f"; continue with: betapod ensemble resume {folder}" if folder is not None else ""
        err().print(f"interrupted{hint}", style="yellow", markup=False)
        raise typer.Exit(_INTERRUPTED) from None


@contextmanager
def _terminable() -> Iterator[None]:
    """Let a request to terminate, as job schedulers send it, end the run as tidily as Ctrl-C does."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _bar(quiet: bool, folder: Path) -> Iterator[Callable[[Progress], None] | None]:
    """Show on stderr, where that is a terminal, how far the run is and how fast; warn in time of a disk too small."""
    if quiet:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn(),
        TextColumn("{task.fields[failed]}"),
    )  # fmt: skip
    with Bar(*columns, console=err(), disable=not sys.stderr.isatty(), transient=True) as bar:
        line = bar.add_task("patients", total=None, rate="", failed="")
        warned = False

        def progress(now: Progress) -> None:
            nonlocal warned
            rate = f"{now.computed / now.seconds:,.0f} patients/s" if now.computed else ""
            failed = f"{now.failed} failed" if now.failed else ""
            bar.update(line, completed=now.done, total=now.total, rate=rate, failed=failed)
            if now.computed and not warned:
                warned = _warn_of_space(now, folder)

        yield progress


def _warn_of_space(now: Progress, folder: Path) -> bool:
    import shutil

    needed = now.written / now.computed * (now.total - now.done)
    free = shutil.disk_usage(folder).free
    if needed > free:
        warn(f"about {needed / 1e9:.1f} GB are still to be written, {free / 1e9:.1f} GB are free in {folder}")
    return needed > free


@contextmanager
def _client(address: str) -> Iterator[tuple[Any, int]]:
    """Connect to a Dask scheduler; gives an executor and how many shards to keep in hand."""
    try:
        import distributed
    except ImportError:
        raise MissingExtraError("distributed", "cluster", "--cluster") from None
    from .engine.plan import versions

    try:
        connect: Any = distributed.Client
        client = connect(address, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConfigError(
            Problem("no-cluster", f"cannot reach a Dask scheduler: {error}", Location(f"--cluster {address}"))
        ) from None
    with client:
        foreign = {name: other for name, other in client.run(versions).items() if other != versions()}
        if foreign:
            name, other = next(iter(foreign.items()))
            raise ConfigError(
                Problem(
                    "other-versions",
                    f"{len(foreign)} workers of the cluster have other versions than this process",
                    Location(f"--cluster {address}"),
                    found=f"{name}: {other}",
                    expected=str(versions()),
                )
            )
        threads = sum(client.nthreads().values())
        if not threads:
            warn("the cluster has no workers yet; waiting for them")
        yield client.get_executor(), max(2, threads)


def _part(text: str | None) -> tuple[int, int]:
    if text is None:
        return 1, 1
    number, slash, of = text.partition("/")
    if not (slash and number.strip().isdecimal() and of.strip().isdecimal()):
        raise ConfigError(Problem("bad-part", "this is not I/N", Location(f"--shard {text}"), expected="such as 3/64"))
    return int(number), int(of)


def _absolute(name: str) -> str:
    path = Path(name)
    return str(path.absolute()) if path.is_file() else name


# -- reports ---------------------------------------------------------------------------------------------------------


def _show(store: Store, document: Mapping[str, Any]) -> None:
    """Print a summary for people."""
    console = out()
    done = document.get("patients_done", document["patients"])
    console.print(f"{document['model']}: {done:,} of {document['patients']:,} virtual patients", markup=False)
    for status, count in document["status"].items():
        console.print(f"  {count:>12,}  {status}", markup=False)
    for event, count in document["events"].items():
        console.print(f"  {count:>12,}  ended by {event}", markup=False)
    accuracy = document.get("accuracy")
    if accuracy and accuracy["worst"] is not None:
        console.print(
            f"achieved error: median {accuracy['median']:.1e}, worst {accuracy['worst']:.1e} in {len(accuracy['patients'])} "
            f"patients integrated again at rtol {accuracy['compared_at_rtol']:g}",
            markup=False,
        )
    if accuracy:
        again = "come out again bit by bit" if accuracy["reproduced"] else "do NOT come out again: another processor?"
        console.print(f"stored values {again}", markup=False)
    if "outputs" in document:
        rows = []
        for name, entry in document["outputs"].items():
            first, last = entry["visits"][0], entry["visits"][-1]
            rows.append((name, entry["unit"], *map(_moments, (first, last)), f"{last['count']:,}"))
        begin, end = (row["time"] / 365.25 for row in (first, last))
        print_table(("name", "unit", f"mean (SD), year {begin:g}", f"year {end:g}", "alive and reported"), rows)
    for name, at in document.get("quantiles", {}).items():
        for _, values in at.items():
            console.print(
                f"{name}: 5, 25, 50, 75, 95 % quantile " + ", ".join(f"{v:.4g}" for v in values), markup=False
            )
    console.print(store.manifest["note"], style="dim", markup=False)


def _moments(row: Mapping[str, Any]) -> str:
    if row["mean"] is None:
        return "-"
    return f"{row['mean']:.4g} ({row['sd']:.2g})" if row["sd"] is not None else f"{row['mean']:.4g}"
