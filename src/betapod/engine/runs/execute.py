"""Run a plan shard by shard: on threads, processes or any executor, into a run folder that can be continued after any end."""

from __future__ import annotations

import shlex
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from ...base.cores import cores
from ...base.errors import BetapodError, ConfigError, Location, Problem, SolverError
from ...base.exports import rows_as_csv
from ...base.worker_process import begin_worker
from .disk_space import refuse_small_disk
from .interrupts import deferred_interrupts
from .manifest import EnsembleManifest as Manifest
from .run_plan import NOTE, RunPlan, identity_changes, versions
from .shard import PATIENT_COLUMNS, VISIT_COLUMNS, column_names, compute_shard, task
from .store import Receipt, Store
from .transport import pack

THREADS, PROCESSES = "threads", "processes"
#: How often a shard is tried again after the worker that computed it died.
_RETRIES = 3
#: Threads beside a card: one waits for it while another draws and writes.
_BESIDE_A_CARD = 2


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    done, total
        Patients, those of earlier sessions included in `done`.
    computed
        Patients of this session.
    failed
        Patients of this session whose integration failed.
    written
        Bytes of this session.
    """

    done: int
    total: int
    computed: int
    failed: int
    written: int
    seconds: float


@dataclass
class RunOutcome:
    """What a session of a run did.

    Attributes
    ----------
    computed
        Patients simulated in this session.
    redone
        Shards that were computed again, and what was wrong with them.
    missing
        Shards of the whole run that are still to be computed, by this or another part of it.
    """

    store: Store
    computed: int = 0
    redone: dict[int, str] = field(default_factory=dict)
    missing: list[int] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether every shard of the run is there."""
        return not self.missing


def open_store(plan: RunPlan, folder: str | Path, command: Sequence[str] = ()) -> Store:
    """Make the folder of a run, or open it if it is the same run.

    Raises
    ------
    ConfigError
        The folder holds another run: every input that differs is named.
    """
    folder = Path(folder)
    if not (folder / "manifest.json").exists():
        return Store.create(folder, manifest(plan, command), run_dictionary(plan))
    store = Store.open(folder).of(Manifest)
    differences = identity_changes(store.manifest["identity"], plan.identity)
    if differences:
        location = Location(str(folder / "manifest.json"))
        raise ConfigError(
            [
                Problem(
                    p.kind, p.message, location, p.found, p.expected, "" if n < len(differences) - 1 else _HOW_TO_GO_ON
                )
                for n, p in enumerate(differences)
            ]
        )
    return store


_HOW_TO_GO_ON = "Restore what changed to continue this run, or begin another one in a new folder."


def manifest(plan: RunPlan, command: Sequence[str] = ()) -> dict[str, Any]:
    """Return what a run folder records about a plan."""
    import platform
    from datetime import UTC, datetime
    from importlib.metadata import version

    model = plan.model
    return {
        "kind": "betapod ensemble",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(command),
        "identity": plan.identity,
        "origin": dict(plan.origin),
        "columns": {
            "visits": column_names(plan.names, VISIT_COLUMNS),
            "patients": column_names(plan.varied, PATIENT_COLUMNS),
        },
        "units": {name: model.units.get(name, "") for name in (*plan.names, *plan.varied)},
        "labels": {name: model.labels.get(name, "") for name in (*plan.names, *plan.varied)},
        "software": versions() | {"python": platform.python_version(), "duckdb": version("duckdb")},
        "note": NOTE,
    }


def run_dictionary(plan: RunPlan) -> str:
    """Return the data dictionary of the tables as CSV."""
    rows = [
        (table, column, column, unit, label)
        for table, column, unit, label in (
            ("visits", "patient", "1", "number of the virtual patient, from 0"),
            ("visits", "time", "day", "time of the visit since the start"),
            ("patients", "patient", "1", "number of the virtual patient, from 0"),
            ("patients", "status", "1", "how the simulation ended"),
            ("patients", "ended_at", "day", "time of a terminal event or failure"),
            ("patients", "event", "1", "the terminal event"),
            ("patients", "steps", "1", "accepted steps of the integrator"),
            ("patients", "rejected", "1", "rejected steps of the integrator"),
            ("failures", "patient", "1", "number of the virtual patient, from 0"),
            ("failures", "reason", "1", "why the integration failed"),
            ("failures", "time", "day", "time of the last good state"),
        )
    ]
    model = plan.model
    for table, names, reserved in (
        ("visits", plan.names, VISIT_COLUMNS),
        ("patients", plan.varied, PATIENT_COLUMNS),
    ):
        for name, column in column_names(names, reserved).items():
            rows.append((table, column, name, model.units.get(name, ""), model.labels.get(name, "")))
    return rows_as_csv(("table", "column", "name", "unit", "label"), rows)


def chosen(shards: int, part: tuple[int, int]) -> range:
    """Return the shards of part ``i`` of ``n``, counted from 1: every n-th, so that all parts take as long.

    Raises
    ------
    ConfigError
        The part does not exist.
    """
    number, of = part
    if not 1 <= number <= of:
        raise ConfigError(
            Problem(
                "bad-part",
                "there is no such part of the run",
                Location(f"part {number}/{of}"),
                found=f"{number}/{of}",
                expected=f"1/{max(of, 1)} to {max(of, 1)}/{max(of, 1)}",
                hint="Parts are counted from 1; where a cluster counts from 0, add 1.",
            )
        )
    return range(number - 1, shards, of)


def execute(
    plan: RunPlan,
    folder: str | Path,
    workers: str = THREADS,
    count: int | None = None,
    executor: Executor | None = None,
    shared_folder: bool = True,
    part: tuple[int, int] = (1, 1),
    command: Sequence[str] = (),
    progress: Callable[[Progress], None] | None = None,
    order: Callable[[list[int]], Iterable[int]] = sorted,
    device: str = "cpu",
) -> RunOutcome:
    """Compute every shard of a plan that its folder does not hold yet.

    Parameters
    ----------
    workers
        ``threads`` or ``processes`` of this machine, where no `executor` is given.
    count
        Number of workers; None: one per core, or eight with an executor.
    executor
        Any other, such as that of a Dask client. It is not shut down.
    shared_folder
        Whether the executor's workers can write into the folder; otherwise the parts travel back to this process.
    part
        ``(i, n)``: only part i of n, so that n processes can share the work without knowing of each other.
    order
        In which order shards are computed; the result does not depend on it.
    device
        Where patients are integrated, as `betapod.Ensemble` knows it. A card takes shard after shard.

    Raises
    ------
    ConfigError
        The folder holds another run.
    StoreError
        The disk is full or cannot be written; what is finished is kept.
    SolverError
        Workers died again and again.
    KeyboardInterrupt
        After the shards in hand were finished and kept.
    """
    requested = chosen(plan.shards, part)
    if not (Path(folder) / "manifest.json").exists():
        refuse_small_disk(plan, Path(folder), requested)
    store = open_store(plan, folder, command)
    store.clean()
    finished, damaged = store.survey(requested)
    todo = list(order([shard for shard in requested if shard not in finished]))
    refuse_small_disk(plan, store.folder, todo)
    done = sum(len(plan.members(s)) for s in finished)
    session = _Session(plan, store, progress, damaged, done, requested, device)
    began = session.began
    if todo:
        if executor is not None:
            session.work(todo, executor, count or 8, store.folder if shared_folder else None, 1)
        elif device != "cpu":
            session.work_in_threads(todo, _BESIDE_A_CARD)
        elif workers == PROCESSES:
            session.work_in_processes(todo, count or cores())
        else:
            session.work_in_threads(todo, count or cores())
    present, _ = store.survey(thorough=False)
    missing = [shard for shard in range(plan.shards) if shard not in present]
    return RunOutcome(store, session.computed, damaged, missing, time.perf_counter() - began)


class _Session:
    """Hands out shards and collects receipts."""

    def __init__(
        self,
        plan: RunPlan,
        store: Store,
        progress: Callable[[Progress], None] | None,
        damaged: dict[int, str],
        done: int,
        requested: range,
        device: str,
    ) -> None:
        self.plan, self.store, self.progress, self.damaged = plan, store, progress, damaged
        self.device = device
        self.done, self.total = done, sum(len(plan.members(shard)) for shard in requested)
        self.computed = self.failed = self.written = 0
        self.packed = pack(plan.model)
        self.deaths: Counter[int] = Counter()
        self.began = time.perf_counter()
        self._tell()

    def work_in_threads(self, todo: list[int], count: int) -> None:
        # Shards are the unit of work; where there are fewer of them than cores, each uses several.
        inner = max(1, count // len(todo))
        with ThreadPoolExecutor(min(count, len(todo)), thread_name_prefix="betapod") as pool:
            self.work(todo, pool, count, self.store.folder, inner)

    def work_in_processes(self, todo: list[int], count: int) -> None:
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        while todo:
            # Forking a process that has threads is not safe; a fresh one is.
            pool = ProcessPoolExecutor(min(count, len(todo)), get_context("spawn"), begin_worker)
            with pool:
                todo = self.work(todo, pool, count, self.store.folder, 1)

    def work(self, todo: Iterable[int], pool: Executor, count: int, folder: Path | None, threads: int) -> list[int]:
        """Compute shards; return those that are left because the pool broke."""
        waiting = deque(todo)
        running: dict[Future[Any], int] = {}
        broken: list[int] = []
        done: SimpleQueue[Future[Any] | None] = SimpleQueue()
        try:
            with deferred_interrupts(lambda: done.put(None)):
                while waiting or running:
                    # A few shards ahead keep every worker busy; more would only hold memory.
                    while waiting and len(running) < count + 2 and not broken:
                        shard = waiting.popleft()
                        item = task(self.plan, self.packed, shard, self.store.run, folder, threads, self.device)
                        try:
                            future = pool.submit(compute_shard, item)
                        except BrokenProcessPool:
                            broken.append(shard)
                        else:
                            running[future] = shard
                            future.add_done_callback(done.put)
                    if not running:
                        break
                    finished = done.get()
                    if finished is None:
                        raise KeyboardInterrupt
                    shard = running.pop(finished)
                    try:
                        self._accept(*finished.result())
                    except BrokenProcessPool:
                        broken.append(shard)
                    except BetapodError:
                        raise
                    except (Exception, CancelledError) as error:
                        if not _worker_died(error):
                            raise
                        self._count_death(shard, error)
                        waiting.append(shard)
                # Nothing runs any more: what is still there is an interrupt that came with the last shard.
                if not done.empty():
                    raise KeyboardInterrupt
        except BaseException:
            for future in running:
                future.cancel()
            self._collect(running)
            raise
        if broken:
            # Nobody knows which of the shards in hand killed the worker.
            for shard in broken:
                self._count_death(shard, None)
            broken.extend(waiting)
        return sorted(broken)

    def _collect(self, running: dict[Future[Any], int]) -> None:
        """Keep what workers finish after an interrupt or an error, without hiding that."""
        for future in running:
            if future.cancelled():
                continue
            try:
                self._accept(*future.result(timeout=60))
            except Exception:
                continue
            except CancelledError:
                continue

    def _accept(self, receipt: Receipt, files: dict[str, bytes] | None) -> None:
        self.store.accept(receipt, files)
        patients = receipt.last - receipt.first
        self.done += patients
        self.computed += patients
        self.written += sum(part.bytes for part in receipt.parts.values())
        self.failed += sum(n for status, n in receipt.facts["status"].items() if status not in ("ok", "ended"))
        self._tell()

    def _tell(self) -> None:
        if self.progress is not None:
            seconds = time.perf_counter() - self.began
            self.progress(Progress(self.done, self.total, self.computed, self.failed, self.written, seconds))

    def _count_death(self, shard: int, error: BaseException | None) -> None:
        self.deaths[shard] += 1
        if self.deaths[shard] > _RETRIES:
            raise SolverError(
                Problem(
                    "workers-died",
                    f"workers died {self.deaths[shard]} times while shard {shard} was in hand",
                    Location(str(self.store.folder)),
                    found=repr(error) if error is not None else "a process that ended without an answer",
                    hint="Often this is memory: use fewer workers, or smaller shards in a new folder. "
                    "What is finished is kept.",
                )
            ) from error


def _worker_died(error: BaseException) -> bool:
    """Whether an error tells of a lost worker rather than of the work."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & {"KilledWorker", "CancelledError", "FutureCancelledError", "CommClosedError"})
