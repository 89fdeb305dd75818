"""How the command line carries out a run of many patients: workers, progress, exit codes, the summary."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ...base.errors import ConfigError, Location, MissingExtraError, Problem
from ...base.nouns import bytes_text
from ...base.units import convert_unit
from ..csv_output import Csv
from ..running import QuietOption, ThreadsOption, breaking, command
from ..shared import JsonOption, err, print_json, print_note, print_table, print_text, warn, with_noun
from ..waiting import show_progress
from .ensemble_options import DeviceOption, FailAboveOption

if TYPE_CHECKING:
    from ...engine.runs.execute import Progress, RunOutcome
    from ...engine.runs.run_plan import RunPlan
    from ...engine.runs.store import Store

#: More patients failed than allowed.
_TOO_MANY_FAILURES = 4
#: A standard deviation below this share of its mean is one of rounding errors.
_ROUNDING = 1e-12
#: An achieved error above this is warned of.
_LARGE_ERROR = 0.01


@dataclass(frozen=True)
class Work:
    """Options of every verb that computes patients."""

    heading: ClassVar[str] = "Computation"

    part: Annotated[
        str | None,
        typer.Option(
            "--shard", metavar="I/N", help="Only part I of N, counted from 1, for job arrays; then 'betapod merge'."
        ),
    ] = None
    threads: ThreadsOption = None
    processes: Annotated[
        int | None, typer.Option("--processes", min=1, help="Number of processes, instead of threads.")
    ] = None
    cluster: Annotated[
        str | None, typer.Option("--cluster", metavar="ADDRESS", help="Dask scheduler, e.g. tcp://head:8786.")
    ] = None
    device: DeviceOption = "cpu"
    fail_above: FailAboveOption = 0.05
    quiet: QuietOption = False
    as_json: JsonOption = False


def work(plan: RunPlan, folder: Path, how: Work) -> None:
    """Compute what a run folder lacks of a plan, and report it.

    Raises
    ------
    ConfigError
        Options that exclude each other, or no part I/N; a cluster that cannot be reached or is of another version; no such device.
    typer.Exit
        The disk or the workers broke, the user interrupted, or more patients failed than allowed.
    """
    from ...engine.gpu.graphics_card import device_number, graphics_card
    from ...engine.runs.execute import PROCESSES, THREADS, execute
    from ...engine.runs.summary import finish

    part = _part(how.part)
    on_card = device_number(how.device)
    if sum(choice is not None for choice in (how.threads, how.processes, how.cluster, on_card)) > 1:
        raise ConfigError(Problem("bad-option", "choose one of --threads, --processes, --cluster and --device cuda"))
    if on_card is not None:
        graphics_card(on_card)
    command = ["betapod", *sys.argv[1:]]
    with breaking("ensemble", "resume", folder=folder), _terminable(), _bar(how.quiet, folder) as progress:
        if how.cluster is not None:
            with _client(how.cluster) as (executor, count):
                outcome = execute(
                    plan, folder, executor=executor, count=count, shared_folder=False, part=part, command=command,
                    progress=progress,
                )  # fmt: skip
        else:
            workers = PROCESSES if how.processes else THREADS
            outcome = execute(
                plan, folder, workers, how.processes or how.threads, part=part, command=command, progress=progress,
                device=how.device,
            )  # fmt: skip
        document = finish(outcome.store, plan) if outcome.complete else None
    if not how.quiet:
        _report(outcome, folder)
    if how.as_json:
        print_json(document or {"patients": plan.patients, "shards_missing": outcome.missing})
    elif document is not None:
        print_run_summary(outcome.store, document)
    if document is not None:
        exit_on_failures(document, how.fail_above, f"; see {folder / 'failures.parquet'}")


def exit_on_failures(document: Mapping[str, Any], fail_above: float, where: str = "") -> None:
    """End with the exit code of too many failures, if there are more than allowed.

    Parameters
    ----------
    fail_above
        The share that is allowed.
    where
        What is said behind their number.

    Raises
    ------
    typer.Exit
        There are more.
    """
    if document["failed"] > fail_above * document["patients"]:
        warn(f"{document['failed']} of {document['patients']} patients failed{where}")
        raise typer.Exit(_TOO_MANY_FAILURES)


def _report(outcome: RunOutcome, folder: Path) -> None:
    for shard, reason in outcome.redone.items():
        warn(f"shard {shard} was computed again: {reason}")
    rate = f", {outcome.computed / outcome.seconds:,.0f} patients/s" if outcome.computed and outcome.seconds else ""
    print_note(
        f"{with_noun(outcome.computed, 'patient')} computed in {outcome.seconds:.1f} s{rate}; results in {folder}"
    )
    if outcome.missing:
        print_note(
            f"{with_noun(len(outcome.missing), 'shard is', 'shards are')} left to other parts of the run; then: {command('merge', folder)}"
        )


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
    with Bar(*columns, console=err(), disable=not sys.stderr.isatty(), transient=True) as shown, _log() as told:
        line = shown.add_task("patients", total=None, rate="", failed="")
        warned = False

        def progress(now: Progress) -> None:
            nonlocal warned
            rate = f"{now.computed / now.seconds:,.0f} patients/s" if now.computed else ""
            failed = f"{now.failed} failed" if now.failed else ""
            told("patients", now.done, now.total)
            shown.update(line, completed=now.done, total=now.total, rate=rate, failed=failed)
            if now.computed and not warned:
                warned = _warn_of_space(now, folder)

        yield progress


@contextmanager
def _log() -> Iterator[Callable[[str, int, int], None]]:
    """Tell a log how far the run is; a terminal has its bar."""
    if sys.stderr.isatty():
        yield lambda what, done, total: None
        return
    with show_progress(False) as told:
        assert told is not None
        yield told


def _warn_of_space(now: Progress, folder: Path) -> bool:
    import shutil

    needed = now.written / now.computed * (now.total - now.done)
    free = shutil.disk_usage(folder).free
    if needed > free:
        warn(f"about {bytes_text(needed)} are still to be written, {bytes_text(free)} are free in {folder}")
    return needed > free


@contextmanager
def _client(address: str) -> Iterator[tuple[Any, int]]:
    """Connect to a Dask scheduler; gives an executor and how many shards to keep in hand."""
    try:
        import distributed
    except ImportError:
        raise MissingExtraError("distributed", "cluster", "--cluster") from None
    from ...engine.runs.run_plan import versions

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
                    f"{with_noun(len(foreign), 'worker of the cluster has', 'workers of the cluster have')} other versions than this process",
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


# -- reports ---------------------------------------------------------------------------------------------------------


def print_run_summary(store: Store, document: Mapping[str, Any]) -> None:
    """Print the summary of a run folder for people."""
    done = document.get("patients_done", document["patients"])
    print_text(f"{document['model']}: {done:,} of {document['patients']:,} virtual patients")
    if done < document["patients"]:
        print_note(f"the rest is computed by: {command('ensemble', 'resume', store.folder)}")
    for status, count in document["status"].items():
        print_text(f"  {count:>12,}  {status}")
    for event, count in document["events"].items():
        print_text(f"  {count:>12,}  ended by {event}")
    accuracy = document.get("accuracy")
    if accuracy and None not in (accuracy["median"], accuracy["worst"]):
        print_text(
            f"achieved error: median {accuracy['median']:.1e}, worst {accuracy['worst']:.1e} in {len(accuracy['patients'])} "
            f"patients integrated again at rtol {accuracy['compared_at_rtol']:g}, {len(accuracy.get('by_reference', ()))} of them by "
            "the reference integrator too",
            hanging=2,
        )
        if not accuracy.get("same_endings", True):
            warn("not every patient ended in the same way when integrated again; take a smaller --rtol or --atol")
        if accuracy["worst"] > _LARGE_ERROR:
            where = f"{accuracy['worst_output']} of patient {accuracy['worst_patient']}"
            warn(
                f"the achieved error is large: {100 * accuracy['worst']:.2g} % ({where}); take a smaller --rtol or --atol"
            )
    if accuracy:
        again = "come out again bit by bit" if accuracy["reproduced"] else "do NOT come out again: another processor?"
        print_text(f"stored values {again}")
    unit = store.manifest["identity"].get("time_unit", "day")
    print_outputs(document.get("outputs", {}), document.get("quantiles", {}), unit)
    print_text(store.manifest["note"], "dim")


def print_outputs(outputs: Mapping[str, Any], quantiles: Mapping[str, Any], unit: str) -> None:
    """Print mean and standard deviation of outputs at their first and last visits, and quantiles.

    Parameters
    ----------
    outputs, quantiles
        As ``summary.json`` has them.
    unit
        Of the times.
    """
    rows = []
    for name, entry in outputs.items():
        first, last = entry["visits"][0], entry["visits"][-1]
        rows.append((name, entry["unit"], *map(_moments, (first, last)), f"{last['count']:,}"))
    if rows:
        begin, end = (_when(row["time"], unit, last["time"]) for row in (first, last))
        print_table(("name", "unit", f"mean (SD), {begin}", f"mean (SD), {end}", "alive and reported"), rows)
    for name, at in quantiles.items():
        for values in at.values():
            print_text(f"{name}: 5, 25, 50, 75, 95 % quantile " + ", ".join(map(_number, values)), hanging=2)


def moments_as_csv(outputs: Mapping[str, Any], unit: str) -> Csv:
    """Return mean, SD and count of every output at every visit.

    Parameters
    ----------
    outputs, unit
        As in `print_outputs`.
    """
    rows = [
        [name, entry["unit"], row["time"], row["mean"], _spread(row), row["count"]]
        for name, entry in outputs.items()
        for row in entry["visits"]
    ]
    return Csv.of(("name", "unit", f"time [{unit}]", "mean", "sd", "patients"), rows)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _when(time: float, unit: str, last: float) -> str:
    """Return a time for reading: in years where a run takes years, else in the model's unit."""
    if unit == "1":
        return f"time {time:g}"
    years = convert_unit(last, unit, "year")
    return f"year {convert_unit(time, unit, 'year'):g}" if years >= 0.5 else f"{time:g} {unit}"


def _moments(row: Mapping[str, Any]) -> str:
    if row["mean"] is None:
        return "-"
    if row["sd"] is None:
        return f"{row['mean']:.4g}"
    return f"{row['mean']:.4g} ({_spread(row):.2g})"


def _spread(row: Mapping[str, Any]) -> float | None:
    """Return the standard deviation; what all patients share has one of rounding errors, which is none."""
    sd: float | None = row["sd"]
    return 0.0 if sd is not None and sd < _ROUNDING * abs(row["mean"]) else sd
