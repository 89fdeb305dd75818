"""Bring the shards of a run together: check that all are there, merge folders, report failures, accuracy and results."""

from __future__ import annotations

import math
import shlex
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.atomic import placed, writing
from ...base.errors import ConfigError, Location, Problem
from .database import connect, identifier, parquet, quoted
from .manifest import SCHEMA_VERSION
from .manifest import EnsembleManifest as Manifest
from .run_plan import RunPlan, identity_changes
from .store import Receipt, Store, write_parquet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Shards named in an error about many of them.
_SHOWN = 12
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def merge(folders: Sequence[str | Path], out: str | Path | None = None) -> Store:
    """Bring the shards of several folders of one run together.

    Parameters
    ----------
    folders
        Run folders; all the same run.
    out
        Folder to merge into; may be one of them. None: the only folder, where all tasks wrote into one.

    Raises
    ------
    ConfigError
        The folders are of different runs, disagree about a shard, or some shards are missing or damaged; all at once.
    """
    stores = [Store.open(folder).of(Manifest) for folder in folders]
    if out is None and len(stores) > 1:
        raise ConfigError(
            Problem("no-folder", "several folders need one to be merged into", hint="Name the folder to merge into.")
        )
    first = stores[0]
    problems = []
    for store in stores[1:]:
        differences = identity_changes(first.manifest["identity"], store.manifest["identity"])
        where = Location(str(store.folder))
        problems += [Problem("other-run", p.message, where, p.found, p.expected) for p in differences]
    if problems:
        raise ConfigError(problems)
    sources: dict[int, tuple[Store, Receipt]] = {}
    wrong: dict[int, str] = {}
    for store in stores:
        finished, damaged = store.survey()
        wrong |= {shard: f"in {store.folder}, {reason}" for shard, reason in damaged.items()}
        for shard, receipt in finished.items():
            other = sources.setdefault(shard, (store, receipt))[1]
            if other.parts != receipt.parts:
                problems.append(
                    Problem(
                        "shards-differ",
                        f"two folders hold different results of shard {shard}",
                        Location(str(store.folder)),
                        found=receipt.facts.get("processor", ""),
                        expected=other.facts.get("processor", ""),
                        hint="Different processors or versions may differ in the last digits: leave one of them out.",
                    )
                )
    missing = [shard for shard in range(first.shards) if shard not in sources]
    if missing:
        problems.append(incomplete(first.folder, missing, first.shards, wrong))
    if problems:
        raise ConfigError(problems)
    if out is None:
        return first
    target = Store.create(out, {k: v for k, v in first.manifest.items() if k != "schema_version"}, _dictionary(first))
    differences = identity_changes(first.manifest["identity"], target.manifest["identity"])
    if differences:
        where = Location(str(target.folder))
        raise ConfigError([Problem("other-run", p.message, where, p.found, p.expected) for p in differences])
    for shard, (store, receipt) in sources.items():
        if store.folder.resolve() == target.folder.resolve() or target.receipt(shard) is not None:
            continue
        with writing(target.folder):
            for table in receipt.parts:
                _copy(store.path(table, shard), target.path(table, shard))
        target.accept(receipt)
    return target


def incomplete(folder: Path, missing: Sequence[int], shards: int, damaged: dict[int, str]) -> Problem:
    """Return the problem of a run that lacks shards."""
    listed = ", ".join(map(str, missing[:_SHOWN])) + (", ..." if len(missing) > _SHOWN else "")
    reasons = "; ".join(
        f"{shard}: {reason}" for shard, reason in list(damaged.items())[:_SHOWN] if shard in set(missing)
    )
    return Problem(
        "incomplete",
        f"{len(missing)} of {shards} shards are not there: {listed}",
        Location(str(folder)),
        found=reasons,
        hint=f"Compute them with: {shlex.join(['betapod', 'ensemble', 'resume', str(folder)])}",
    )


def _dictionary(store: Store) -> str:
    path = store.folder / "dictionary.csv"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _copy(source: Path, target: Path) -> None:
    """Put a file into place, whole or not at all, without taking the space twice where that can be had."""
    with placed(target) as temporary:
        try:
            temporary.hardlink_to(source)
        except OSError:
            shutil.copyfile(source, temporary)


def finish(store: Store, plan: RunPlan | None, sample: int = 32) -> dict[str, Any]:
    """Write ``failures.parquet`` and ``summary.json`` of a complete run and return the summary.

    Parameters
    ----------
    plan
        What was run; None where the model cannot be made again, then accuracy is not reported.
    sample
        Patients that are integrated again at a much tighter tolerance.

    Raises
    ------
    ConfigError
        The run is not complete.
    """
    finished, damaged = store.survey(thorough=False)
    missing = [shard for shard in range(store.shards) if shard not in finished]
    if missing:
        raise ConfigError(incomplete(store.folder, missing, store.shards, damaged))
    _merge_failures(store, finished)
    identity = store.manifest["identity"]
    summary = {
        "schema_version": SCHEMA_VERSION,
        "run": store.run,
        "model": identity["model"],
        "patients": identity["patients"],
        "visits": len(identity["times"]),
        "seed": identity["cohort"].get("seed"),
        "rtol": identity["rtol"],
        "atol": identity["atol"],
        **counts(finished.values()),
        "accuracy": accuracy(store, plan, sample) if plan is not None else None,
        "outputs": _outputs(store, finished),
        "digest": digest(finished),
        "note": store.manifest["note"],
    }
    store.write_json("summary.json", summary)
    return summary


def counts(receipts: Any) -> dict[str, Any]:
    """Return how many patients ended in which way, and the work it took."""
    status: Counter[str] = Counter()
    events: Counter[str] = Counter()
    total: Counter[str] = Counter()
    processors: set[str] = set()
    for receipt in receipts:
        facts = receipt.facts
        status.update(facts["status"])
        events.update(facts["events"])
        processors.add(facts["processor"])
        total["bytes"] += sum(part.bytes for part in receipt.parts.values())
        for name in ("steps", "rejected", "seconds_solving"):
            total[name] += facts[name]
    return {
        "status": dict(status),
        "failed": sum(n for name, n in status.items() if name not in ("ok", "ended")),
        "events": dict(events),
        "processors": sorted(processors),
        **{name: round(value, 3) for name, value in total.items()},
    }


def digest(receipts: dict[int, Receipt]) -> str:
    """Return one hash over all parts: equal for two runs exactly if every table is bitwise the same."""
    import hashlib

    text = "".join(
        f"{shard}:{table}:{receipt.parts[table].sha256}\n"
        for shard, receipt in sorted(receipts.items())
        for table in sorted(receipt.parts)
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _merge_failures(store: Store, receipts: dict[int, Receipt]) -> None:
    path = store.folder / "failures.parquet"
    paths = [store.path("failures", shard) for shard, r in sorted(receipts.items()) if "failures" in r.parts]
    if paths:
        select = f"SELECT * FROM {parquet(paths)}"
    else:
        select = "SELECT 0::BIGINT AS patient, ''::VARCHAR AS reason, 0.0::DOUBLE AS time WHERE false"
    write_parquet(path, select, {}, store.run)


def accuracy(store: Store, plan: RunPlan, sample: int) -> dict[str, Any]:
    """Integrate a few of the run's own patients again: as before, to see that the same comes out, and much tighter, to see the error.

    Returns
    -------
    dict
        ``patients`` that were compared, evenly spread over the run; ``median`` and ``worst`` error of a patient as
        `EnsembleResult.achieved_error` measures it, and where; ``by_reference``: who was integrated by the reference integrator too;
        ``same_endings``: whether all ended in the same way each time; ``reproduced``: whether the stored values came out again bit by bit.
    """
    import numpy as np

    from ..ensemble import Ensemble

    patients = np.unique(np.linspace(0, plan.patients - 1, min(sample, plan.patients)).round().astype(np.int64))
    values: Any = len(patients)
    if plan.cohort is not None:
        values = dict(plan.cohort.values(patients)) or len(patients)
    ensemble = Ensemble(plan.model, outputs=plan.names, rtol=plan.rtol, atol=plan.atol)
    result = ensemble.run(values, plan.times, plan.schedule)
    same = all(
        np.array_equal(result.values[row], _stored(store, plan, int(patient)), equal_nan=True)
        for row, patient in enumerate(patients)
    )
    error = result.achieved_error(sample=len(patients))
    return {
        "patients": [int(patients[row]) for row in error.patients],
        "median": error.median if math.isfinite(error.median) else None,
        "worst": error.worst if math.isfinite(error.worst) else None,
        "worst_output": error.output,
        "worst_patient": int(patients[error.patient]) if error.output else None,
        "worst_time": error.time if math.isfinite(error.time) else None,
        "compared_at_rtol": error.tight,
        "by_reference": [int(patients[row]) for row in error.independent],
        "same_endings": error.compared,
        "reproduced": same,
    }


def _stored(store: Store, plan: RunPlan, patient: int) -> NDArray[np.float64]:
    import numpy as np

    shard = patient // plan.shard_size
    columns = store.manifest["columns"]["visits"]
    with connect(1) as connection:
        stored = connection.execute(
            f"SELECT * FROM {parquet([store.path('visits', shard)])} WHERE patient = {patient}"
        ).fetchnumpy()
    stacked = [np.ma.filled(np.ma.asarray(stored[columns[name]], np.float64), np.nan) for name in plan.names]
    return np.stack(stacked, axis=-1)


def _outputs(store: Store, finished: dict[int, Receipt]) -> dict[str, Any]:
    """Combine count, mean, standard deviation and range of each output at each visit."""
    identity, units = store.manifest["identity"], store.manifest["units"]
    receipts = [finished[shard] for shard in sorted(finished)]
    return {
        name: {
            "unit": units.get(name, ""),
            "visits": [
                {"time": time, **_pooled([receipt.facts["moments"][name] for receipt in receipts], visit)}
                for visit, time in enumerate(identity["times"])
            ],
        }
        for name in identity["outputs"]
    }


def _pooled(parts: Sequence[Mapping[str, Any]], visit: int) -> dict[str, float | None]:
    """Combine the moments of shards at a visit (Chan et al. 1983, pairwise update); None where numbers overflow or are missing."""
    present = [part for part in parts if part["count"][visit]]
    count, mean, squares = 0, 0.0, 0.0
    for part in present:
        n, part_mean, part_squares = part["count"][visit], part["mean"][visit], part["squares"][visit]
        shift = (math.nan if part_mean is None else part_mean) - mean
        mean += shift * n / (count + n)
        squares += (math.nan if part_squares is None else part_squares) + shift * shift * count * n / (count + n)
        count += n
    return {
        "count": count,
        "mean": mean if present and math.isfinite(mean) else None,
        "sd": math.sqrt(squares / (count - 1)) if count > 1 and math.isfinite(squares) else None,
        "low": min((part["low"][visit] for part in present), default=None),
        "high": max((part["high"][visit] for part in present), default=None),
    }


def quantiles(store: Store, times: Sequence[float], memory: str = "500MB") -> dict[str, dict[str, list[float | None]]]:
    """Return quantiles of every output at some visits, exact, reading the whole run once per output.

    Parameters
    ----------
    times
        Visits in days.

    Returns
    -------
    dict
        By output and time: the quantiles `QUANTILES`.
    """
    columns = store.manifest["columns"]["visits"]
    visits = ", ".join(repr(float(t)) for t in times)
    quantiles_of: dict[str, dict[str, list[float | None]]] = {}
    with store.connect() as connection:
        connection.execute(f"SET memory_limit = {quoted(memory)}")
        for output in store.manifest["identity"]["outputs"]:
            column = identifier(columns[output])
            rows = connection.execute(
                f"SELECT time, quantile_cont({column}, {list(QUANTILES)}) FROM visits "
                f"WHERE time IN ({visits}) AND isfinite({column}) GROUP BY time ORDER BY time"
            ).fetchall()
            quantiles_of[output] = {repr(time): list(values) for time, values in rows}
    return quantiles_of
