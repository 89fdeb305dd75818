"""Compute one shard: a self-contained task that any thread, process or machine can run, always with the same result."""

from __future__ import annotations

import hashlib
import socket
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..schedule import Schedule
from .database import quoted
from .run_plan import Cohort, RunPlan, versions
from .store import Receipt, Store, StoredPart, write_parquet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..ensemble import Ensemble, EnsembleResult

#: Columns of the tables that are not outputs, parameters or states.
VISIT_COLUMNS = ("patient", "time")
PATIENT_COLUMNS = ("patient", "status", "ended_at", "event", "steps", "rejected")
FAILURE_COLUMNS = ("patient", "reason", "time")


@dataclass(frozen=True)
class Task:
    """One shard, with all that is needed to compute it.

    Attributes
    ----------
    model
        Packed by `betapod.engine.runs.transport`.
    folder
        Run folder to write into; None where the machine cannot reach it, then the parts travel back.
    threads
        Threads to integrate with.
    device
        Where to integrate, as `betapod.Ensemble` knows it.
    """

    model: bytes
    cohort: Cohort | None
    schedule: Schedule
    shard: int
    members: range
    times: tuple[float, ...]
    outputs: tuple[str, ...]
    rtol: float
    atol: float | None
    run: str
    folder: str | None
    threads: int = 1
    device: str = "cpu"


def task(
    plan: RunPlan,
    packed: bytes,
    shard: int,
    run: str,
    folder: Path | None,
    threads: int = 1,
    device: str = "cpu",
) -> Task:
    """Return the task of one shard of a plan."""
    members = plan.members(shard)
    cohort = plan.cohort.part(members) if plan.cohort is not None else None
    location = str(folder.absolute()) if folder is not None else None
    return Task(
        packed,
        cohort,
        plan.schedule,
        shard,
        members,
        plan.times,
        plan.names,
        plan.rtol,
        plan.atol,
        run,
        location,
        threads,
        device,
    )


def compute_shard(task: Task) -> tuple[Receipt, dict[str, bytes] | None]:
    """Simulate the patients of a shard and write its parts.

    Returns
    -------
    receipt
        To be stored once the parts are in place.
    files
        The parts as bytes by table, where `Task.folder` is None.
    """
    began = time.perf_counter()
    ensemble = _ensemble(task)
    values: Mapping[str, Any] | int = len(task.members)
    drawn: Mapping[str, NDArray[np.float64]] = {}
    if task.cohort is not None:
        drawn = task.cohort.values(task.members)
        values = dict(drawn) or len(task.members)
    result = ensemble.run(values, task.times, task.schedule, out=_buffer(task))
    solved = time.perf_counter()
    facts = {
        "seconds_solving": solved - began,
        **_counts(result),
        "moments": moments(result.values, task.outputs),
        "host": socket.gethostname(),
        "processor": ensemble.processor,
        "versions": versions(),
    }
    members = task.members
    if task.folder is not None:
        parts = _write(task, result, drawn, Path(task.folder))
        return Receipt(task.shard, members.start, members.stop, task.run, parts, facts), None
    with tempfile.TemporaryDirectory() as scratch:
        parts = _write(task, result, drawn, Path(scratch))
        store = Store(scratch, {})
        files = {table: store.path(table, task.shard).read_bytes() for table in parts}
    return Receipt(task.shard, members.start, members.stop, task.run, parts, facts), files


def _write(task: Task, result: EnsembleResult, drawn: Mapping[str, Any], folder: Path) -> dict[str, StoredPart]:
    import numpy as np

    from ..ensemble_result import STATUS

    store = Store(folder, {})
    patients = np.arange(task.members.start, task.members.stop)
    visits = len(task.times)
    columns: dict[str, Any] = {
        "patient": np.repeat(patients, visits),
        "time": np.tile(np.asarray(task.times), len(patients)),
    }
    named = column_names(task.outputs, VISIT_COLUMNS)
    for index, name in enumerate(task.outputs):
        columns[named[name]] = np.ascontiguousarray(result.values[:, :, index]).reshape(-1)
    parts = {"visits": _part(store, "visits", task, "SELECT * FROM visits", {"visits": columns})}
    columns = {
        "patient": patients,
        "status": result.status,
        "ended_at": result.ended_at,
        "event": result.event,
        "steps": result.steps,
        "rejected": result.rejected,
    }
    named = column_names(drawn, PATIENT_COLUMNS)
    columns |= {named[name]: column for name, column in drawn.items()}
    select = f"""
        SELECT * REPLACE ({_named("status", STATUS)} AS status, {_named("event", result.event_names)} AS event)
        FROM patients"""
    parts["patients"] = _part(store, "patients", task, select, {"patients": columns})
    failures = _failures(task, result)
    if failures is not None:
        select = f"SELECT * REPLACE ({_named('reason', STATUS)} AS reason) FROM failures"
        parts["failures"] = _part(store, "failures", task, select, {"failures": failures})
    return parts


def _part(store: Store, table: str, task: Task, select: str, tables: dict[str, dict[str, Any]]) -> StoredPart:
    path = store.path(table, task.shard)
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_parquet(path, select, tables, task.run)


def _named(column: str, names: Iterable[str]) -> str:
    """Return SQL that turns a code from 0 on into its name, and other codes into NULL."""
    listed = ", ".join(map(quoted, names))
    return f"CASE WHEN {column} >= 0 THEN list_extract([{listed}]::VARCHAR[], {column} + 1) END"


def _failures(task: Task, result: EnsembleResult) -> dict[str, Any] | None:
    """Return patient, reason, time and last state of everyone whose integration failed; None if all went well."""
    failed = result.failed
    if not len(failed):
        return None
    named = column_names(result.state_names, FAILURE_COLUMNS)
    columns: dict[str, Any] = {
        "patient": failed + task.members.start,
        "reason": result.status[failed],
        "time": result.ended_at[failed],
    }
    return columns | {named[name]: result.last[failed, index] for index, name in enumerate(result.state_names)}


def _counts(result: EnsembleResult) -> dict[str, Any]:
    import numpy as np

    from ..ensemble_result import STATUS

    codes = np.bincount(result.status, minlength=len(STATUS))
    events = np.bincount(result.event[result.event >= 0], minlength=len(result.event_names))
    return {
        "status": {name: int(n) for name, n in zip(STATUS, codes, strict=True) if n},
        "events": {name: int(n) for name, n in zip(result.event_names, events, strict=True) if n},
        "steps": int(np.sum(result.steps)),
        "rejected": int(np.sum(result.rejected)),
        "width": result.width,
    }


def moments(values: NDArray[np.float64], names: Iterable[str]) -> dict[str, dict[str, list[float | None]]]:
    """Return count, mean, sum of squared deviations, lowest and highest of each output at each visit, finite values only.

    Parameters
    ----------
    values
        Shape (patients, visits, outputs).
    """
    import numpy as np

    by_output = {}
    for index, name in enumerate(names):
        column = values[:, :, index]
        finite = np.isfinite(column)
        count = finite.sum(axis=0)
        with np.errstate(all="ignore"):
            mean = np.where(finite, column, 0.0).sum(axis=0) / count
            squares = (np.where(finite, column - mean, 0.0) ** 2).sum(axis=0)
        low = np.where(finite, column, np.inf).min(axis=0)
        high = np.where(finite, column, -np.inf).max(axis=0)
        by_output[name] = {"count": count.tolist()} | {
            key: [float(x) if np.isfinite(x) else None for x in numbers]
            for key, numbers in {"mean": mean, "squares": squares, "low": low, "high": high}.items()
        }
    return by_output


def column_names(names: Iterable[str], reserved: Iterable[str]) -> dict[str, str]:
    """Return a column for each name: the name, or with a number behind it where SQL, which ignores case, could not tell them apart."""
    used = {name.lower() for name in reserved}
    columns = {}
    for name in names:
        column, number = name, 2
        while column.lower() in used:
            column, number = f"{name}_{number}", number + 1
        used.add(column.lower())
        columns[name] = column
    return columns


class _Local(threading.local):
    """What a thread keeps between shards: the buffer of outputs."""

    buffer: Any = None


_local = _Local()
_lock = threading.Lock()
_ensembles: dict[object, Ensemble] = {}


def _ensemble(task: Task) -> Ensemble:
    """Return the compiled model; all threads of a process share one, and only the last one is kept."""
    from ..ensemble import Ensemble
    from ..timeline import ramped_inputs
    from .transport import unpack

    key = (hashlib.sha256(task.model).hexdigest(), task.outputs, task.rtol, task.atol, task.threads, task.device)
    with _lock:
        if key not in _ensembles:
            _ensembles.clear()
            ensemble = Ensemble(
                unpack(task.model),
                outputs=task.outputs,
                rtol=task.rtol,
                atol=task.atol,
                threads=task.threads,
                device=task.device,
            )
            ensemble.kernel(ramped_inputs(ensemble.model, [task.schedule]))
            _ensembles[key] = ensemble
        return _ensembles[key]


def _buffer(task: Task) -> NDArray[np.float64]:
    """Return an array for the outputs, the same for every shard of the same size: fresh pages cost more than they look."""
    import numpy as np

    shape = (len(task.members), len(task.times), len(task.outputs))
    if _local.buffer is None or _local.buffer.shape != shape:
        _local.buffer = np.empty(shape)
    buffer: NDArray[np.float64] = _local.buffer
    return buffer
