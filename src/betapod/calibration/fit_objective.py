"""The objective of a fit: sources of rows under unknowns, many sets of parameters at once, studies shared among processes."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.worker_process import begin_worker
from ..validation.predictions.condition import Condition
from .fit_rows import FitRows
from .objective_protocol import RowSource
from .published_rows import PublishedRows
from .unknown import Unknown, condition_at

Numbers = NDArray[np.float64]
#: Sets of parameters whose people are in memory at once.
_AT_ONCE = 8


class FitObjective:
    """Unknowns, and the rows of all sources: an `objective_protocol.Objective`.

    Parameters
    ----------
    unknowns
        What may change.
    sources
        Where rows come from; published rows first.
    base
        What holds where all unknowns are at their start.
    workers
        Processes among which studies are shared; 1 computes here.
    anchor
        Under which people are chosen; `base` unless given.
    """

    def __init__(
        self,
        unknowns: Sequence[Unknown],
        sources: Sequence[RowSource],
        base: Condition,
        workers: int = 1,
        anchor: Condition | None = None,
    ) -> None:
        self.unknowns = tuple(unknowns)
        self.sources = tuple(sources)
        self.base = base
        self.rows = FitRows.joined([source.rows for source in sources])
        self.anchor = base if anchor is None else anchor
        self._workers = workers
        self._pools: list[_Pool] = []

    def predict(self, u: Numbers) -> Numbers:
        """Return predictions (K, n) on the scale of the fit at places (K, d) of the prior."""
        places = np.atleast_2d(np.asarray(u, dtype=np.float64))
        conditions = [condition_at(self.unknowns, row, self.base) for row in places]
        return np.concatenate(
            [self._predicted(conditions[k : k + _AT_ONCE]) for k in range(0, len(conditions), _AT_ONCE)]
        )

    def close(self) -> None:
        """End the processes."""
        for pool in self._pools:
            pool.close()
        self._pools = []

    def _predicted(self, conditions: list[Condition]) -> Numbers:
        self._start()
        waiting = [pool.send(_predict, conditions) for pool in self._pools]
        expected = np.full((len(conditions), len(self.rows)), np.nan)
        for pool, future in zip(self._pools, waiting, strict=True):
            expected[:, pool.columns] = pool.wait(future)
        return expected

    def _start(self) -> None:
        if self._pools:
            return
        for part in _shared(self.sources, self._workers):
            self._pools.append(_Pool(part, self.anchor, apart=self._workers > 1))


@dataclass
class _Part:
    """What one process computes: parts of sources, and the columns that these fill."""

    sources: list[RowSource]
    columns: NDArray[np.int64]


def _shared(sources: Sequence[RowSource], workers: int) -> list[_Part]:
    """Return the work of each process: published rows by study, of even cost; each other source whole."""
    parts: list[list[tuple[RowSource, NDArray[np.int64]]]] = [[] for _ in range(workers)]
    load = [0.0] * workers
    start = 0
    for source in sources:
        columns = np.arange(start, start + len(source.rows))
        start += len(source.rows)
        pieces = (
            source.parts(workers) if isinstance(source, PublishedRows) else [(source, np.arange(len(columns)), 1.0)]
        )
        for part_source, rows, cost in sorted(pieces, key=lambda piece: -piece[2]):
            lightest = int(np.argmin(load))
            load[lightest] += cost
            parts[lightest].append((part_source, columns[rows]))
    return [
        _Part([source for source, _ in part], np.concatenate([columns for _, columns in part]))
        for part in parts
        if part
    ]


class _Pool:
    """A process with its part of the work, or this one."""

    def __init__(self, part: _Part, anchor: Condition, apart: bool) -> None:
        self.columns = part.columns
        self._sources = part.sources
        for source in part.sources:
            if isinstance(source, PublishedRows):
                # Chosen where they are needed, when they are.
                source.anchor = anchor
        self._executor = ProcessPoolExecutor(1, get_context("spawn"), _begin, (part.sources,)) if apart else None

        if self._executor is not None:
            # Also where nobody closes the objective.
            weakref.finalize(self, self._executor.shutdown, wait=False, cancel_futures=True)

    def send(self, work: Any, argument: Any) -> Any:
        return self._executor.submit(work, argument) if self._executor is not None else (work, argument)

    def wait(self, future: Any) -> Any:
        if self._executor is not None:
            return future.result()
        work, argument = future
        return work(argument, self._sources)

    def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)


#: Sources of this process, where it works for another.
_HERE: list[RowSource] = []


def _begin(sources: list[RowSource]) -> None:
    begin_worker()
    _HERE[:] = sources


def _predict(conditions: list[Condition], sources: Sequence[RowSource] | None = None) -> Numbers:
    return np.concatenate([source.predict(conditions) for source in sources or _HERE], axis=1)
