"""Every evaluation of a fit is kept: an interrupted fit takes them from its folder and ends with the same bits.

::

    evaluations/part-1f0c….parquet    stage, evaluation, quantity (unknown or row), position, name, value
    evaluations/part-1f0c….json       its receipt, written last: keys of the evaluations, hash of the part, time it took

A part counts only with a receipt that it fits. The key of an evaluation is a digest of the place, of what the objective is made of
(problem, stage, values held, rows, people) and of the program that computed it, so that none is taken for another.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.atomic import file_hash, remove_leftovers, write_atomic, writing
from ..base.cache import program
from ..base.errors import BetapodError
from ..engine.runs.database import connect, database_error, parquet, quoted
from ..engine.runs.store import write_parquet
from .fit_rows import FitRows
from .objective_protocol import Objective
from .unknown import Unknown

Numbers = NDArray[np.float64]
#: Told after each group of evaluations: the stage, how many the fit has asked for, how many of them were computed now, and seconds.
EvaluationProgress = Callable[["EvaluationTally"], None]
#: Places that are computed together, so that little is lost when a fit is stopped.
GROUP = 8
FOLDER = "evaluations"


@dataclass
class EvaluationTally:
    """What a fit has asked for so far.

    Attributes
    ----------
    asked, computed
        Evaluations; those that were not computed were kept before.
    others
        Evaluations in the folder that this fit cannot use, as another version of the program or another problem computed them.
    processor_seconds
        By stage, of all evaluations that were used, whenever they were computed.
    """

    stage: str = ""
    asked: int = 0
    computed: int = 0
    others: int = 0
    processor_seconds: dict[str, float] = field(default_factory=dict)


class KeptEvaluations:
    """The evaluations in the folder of a fit."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder) / FOLDER
        self.tally = EvaluationTally()
        self._predicted: dict[str, Numbers] = {}
        self._seconds: dict[str, float] = {}
        self._used: set[str] = set()
        #: Digests of objectives that could be computed somewhere.
        self.finished: set[str] = set()
        remove_leftovers(self.folder)
        for receipt in _receipts(self.folder):
            self._take(receipt)

    def __len__(self) -> int:
        return len(self._predicted)

    @property
    def unused(self) -> int:
        """How many of the kept evaluations nothing has asked for."""
        return len(set(self._predicted) - self._used)

    def objective(
        self, objective: Objective, stage: str, identity: Mapping[str, Any], progress: EvaluationProgress | None = None
    ) -> KeptObjective:
        """Return an objective that computes only what is not kept.

        Parameters
        ----------
        identity
            What determines its predictions beside its unknowns, rows and program, as plain values.
        """
        return KeptObjective(self, objective, stage, identity, progress)

    def _take(self, receipt: Mapping[str, Any]) -> None:
        path = self.folder / receipt["part"]
        try:
            if file_hash(path) != receipt["sha256"]:
                return
            with connect(1) as database:
                columns = database.execute(
                    f"SELECT evaluation, value FROM {parquet([path])} WHERE quantity = 'row' ORDER BY evaluation, position"
                ).fetchnumpy()
        except (OSError, database_error()):
            return  # A damaged part is computed again.
        values = np.ma.filled(np.ma.asarray(columns["value"], dtype=np.float64), np.nan)
        numbers = np.asarray(columns["evaluation"])
        if np.isfinite(values).any():
            self.finished.add(str(receipt.get("objective", "")))
        for number, key in enumerate(receipt["keys"]):
            self._predicted[key] = values[numbers == number]
            self._seconds[key] = float(receipt["processor_seconds"]) / len(receipt["keys"])

    def has_finished(self, objective: str) -> bool:
        """Return whether an objective, by its digest, has been computed anywhere."""
        return objective in self.finished

    def predicted(self, keys: Sequence[str], stage: str) -> list[Numbers | None]:
        """Return what is kept of some evaluations, and count it."""
        self.tally.stage = stage
        for key in set(keys) - self._used:
            if key in self._predicted:
                self._count(key, stage)
        return [self._predicted.get(key) for key in keys]

    def _count(self, key: str, stage: str) -> None:
        self._used.add(key)
        spent = self.tally.processor_seconds
        spent[stage] = spent.get(stage, 0.0) + self._seconds[key]

    def keep(
        self, keys: Sequence[str], u: Numbers, predicted: Numbers, of: KeptObjective, seconds: tuple[float, float]
    ) -> None:
        """Keep new evaluations in a part of their own; the receipt comes last."""
        name = f"part-{hashlib.sha256(''.join(keys).encode()).hexdigest()[:16]}"
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}.parquet"
        part = write_parquet(path, *_part(of, u, predicted), run=of.digest)
        receipt = {
            "part": path.name,
            "sha256": part.sha256,
            "rows": part.rows,
            "stage": of.stage,
            "objective": of.digest,
            "keys": list(keys),
            "processor_seconds": round(seconds[0], 3),
            "seconds": round(seconds[1], 3),
        }
        with writing(self.folder):
            write_atomic(self.folder / f"{name}.json", (json.dumps(receipt, indent=1) + "\n").encode())
        for key, values in zip(keys, predicted, strict=True):
            self._predicted[key] = values
            self._seconds[key] = seconds[0] / len(keys)
            self._count(key, of.stage)
        self.tally.computed += len(keys)


class KeptObjective:
    """An objective whose evaluations are kept in a folder; see `KeptEvaluations`.

    Attributes
    ----------
    digest
        Of everything that determines a prediction but the place.
    """

    def __init__(
        self,
        kept: KeptEvaluations,
        objective: Objective,
        stage: str,
        identity: Mapping[str, Any],
        progress: EvaluationProgress | None = None,
    ) -> None:
        self.unknowns: tuple[Unknown, ...] = tuple(objective.unknowns)
        self.rows: FitRows = objective.rows
        self.stage = stage
        self.digest = _digest_of(objective, identity)
        self._kept, self._objective, self._progress = kept, objective, progress

    def predict(self, u: Numbers) -> Numbers:
        """Return predictions (K, n) at places (K, d), computed in groups of `GROUP`, each kept as it is finished."""
        places = np.atleast_2d(np.asarray(u, dtype=np.float64))
        result = np.empty((len(places), len(self.rows)))
        for first in range(0, len(places), GROUP):
            result[first : first + GROUP] = self._group(places[first : first + GROUP])
        return result

    def _group(self, places: Numbers) -> Numbers:
        keys = [self.key(at) for at in places]
        values = dict(zip(keys, self._kept.predicted(keys, self.stage), strict=True))
        # A place that is asked for twice is computed once.
        todo = {key: at for key, at in zip(keys, places, strict=True) if values[key] is None}
        if todo:
            u = np.array(list(todo.values()))
            began = _spent(), time.perf_counter()
            predicted = self._computed(u)
            seconds = _spent() - began[0], time.perf_counter() - began[1]
            self._kept.keep(list(todo), u, predicted, self, seconds)
            values.update(zip(todo, predicted, strict=True))
        self._kept.tally.asked += len(places)
        if self._progress is not None:
            self._progress(self._kept.tally)
        return np.array([values[key] for key in keys])

    def _computed(self, u: Numbers) -> Numbers:
        """Return predictions; NaN at places that the model cannot be computed at, once it could be computed somewhere.

        A draw or a trial step may ask for what cannot be, such as an inhibition above 1; that is no reason to end a fit.
        """
        try:
            predicted = np.asarray(self._objective.predict(u), dtype=np.float64)
        except BetapodError:
            if len(u) > 1:
                return np.concatenate([self._computed(at[None]) for at in u])
            if not self._kept.has_finished(self.digest):
                raise
            return np.full((1, len(self.rows)), np.nan)
        self._kept.finished.add(self.digest)
        return predicted

    def close(self) -> None:
        """End what the objective has running, such as processes that work for it."""
        end = getattr(self._objective, "close", None)
        if end is not None:
            end()

    def key(self, u: Numbers) -> str:
        """Return the key of one evaluation."""
        # -0 and 0 are one place.
        content = (np.asarray(u, dtype="<f8") + 0.0).tobytes()
        return hashlib.sha256(self.digest.encode() + content).hexdigest()[:32]


def rows_digest(rows: FitRows) -> str:
    """Return a digest of rows: what they are, and every number of theirs."""
    digest = hashlib.sha256()
    for name in ("record", "study", "family", "endpoint", "unit", "row_class", "scale"):
        digest.update(json.dumps([name, list(getattr(rows, name))]).encode())
    for name in ("fitted", "observed", "se", "freedom"):
        digest.update(np.ascontiguousarray(getattr(rows, name), dtype="<f8").tobytes())
    return digest.hexdigest()


def _digest_of(objective: Objective, identity: Mapping[str, Any]) -> str:
    unknowns = [
        [getattr(unknown, name) for name in ("name", "kind", "start", "transform", "sd", "low", "high")]
        for unknown in objective.unknowns
    ]
    module = type(objective).__module__
    content = {
        "identity": identity,
        "unknowns": unknowns,
        "rows": rows_digest(objective.rows),
        "program": program(module) if module.startswith("betapod.") else module,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=repr).encode()).hexdigest()


def _spent() -> float:
    """Return seconds of processor time of this process and of those that work for it, where the system tells."""
    total = sum(os.times()[:4])  # those that have ended
    for child in active_children():
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields_after_name = Path(f"/proc/{child.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            total += sum(map(int, fields_after_name[11:13])) / os.sysconf("SC_CLK_TCK")
    return total


def _receipts(folder: Path) -> list[dict[str, Any]]:
    """Return the receipts of a folder that can be read; a damaged one is as good as none."""
    receipts = []
    for path in sorted(folder.glob("part-*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if (
            isinstance(content, dict)
            and {"part", "sha256", "keys", "processor_seconds"} <= set(content)
            and content["keys"]
        ):
            receipts.append(content)
    return receipts


def _part(of: KeptObjective, u: Numbers, predicted: Numbers) -> tuple[str, dict[str, dict[str, Any]]]:
    """Return the query and the columns of a part: one line per evaluation and unknown, and per evaluation and row."""
    names = [unknown.name for unknown in of.unknowns] + list(of.rows.record)
    d, n, count = len(of.unknowns), len(of.rows), len(u)
    columns = {
        "evaluation": np.repeat(np.arange(count, dtype=np.int32), d + n),
        "is_row": np.tile(np.repeat([False, True], [d, n]), count),
        "position": np.tile(np.concatenate([np.arange(d), np.arange(n)]).astype(np.int32), count),
        "number": np.tile(np.arange(d + n, dtype=np.int32), count),
        "value": np.concatenate([u, predicted], axis=1).reshape(-1),
    }
    select = (
        f"SELECT {quoted(of.stage)} AS stage, evaluation, if(is_row, 'row', 'unknown') AS quantity, position, "
        f"[{', '.join(map(quoted, names))}][number + 1] AS name, value FROM data"
    )
    return select, {"data": columns}
