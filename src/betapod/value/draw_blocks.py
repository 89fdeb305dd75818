"""Blocks of draws of a part of the people: computed here, or in processes of their own where there is much to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from types import TracebackType
from typing import Self

import numpy as np

from ..base.errors import Problem, SolverError
from ..base.worker_process import begin_worker
from ..hazards.risk import Numbers
from .value_part import ComparedPeople, ValuePart

#: Sums by piece: strategy -> ``section/name`` -> (draws of the block,).
Block = list[dict[str, Numbers]]
#: Lives (people times draws times strategies) from which processes are worth their start.
WORTH_PROCESSES = 2_000_000


def drawn_block(part: ValuePart, structure: str, first: int, last: int) -> Block:
    """Return the sums over a part of the people in the draws from `first` to before `last`."""
    by_draw = [part.drawn(structure, draw) for draw in range(first, last)]
    return [
        {key: np.array([rows[strategy].get(key, 0.0) for rows in by_draw]) for key in _keys(by_draw, strategy)}
        for strategy in range(len(part.settings.strategies))
    ]


def _keys(by_draw: Sequence[Sequence[Mapping[str, float]]], strategy: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for rows in by_draw for key in rows[strategy]))


class BlockWorkers:
    """Who computes blocks: this process, or others that have the same people.

    NumPy holds the lock of the interpreter for much of a life, so that threads gain little.
    """

    def __init__(self, compared: ComparedPeople, workers: int) -> None:
        settings = compared.settings
        lives = len(compared.courses.people) * settings.draws * len(settings.strategies)
        self._before = set(active_children())
        self._pool: ProcessPoolExecutor | None = None
        if workers > 1 and lives >= WORTH_PROCESSES:
            # Forking a process that has threads is not safe; a fresh one is.
            self._pool = ProcessPoolExecutor(workers, get_context("spawn"), _begin, (compared,))

    @property
    def apart(self) -> bool:
        """Whether other processes compute."""
        return self._pool is not None

    def block(self, part: ValuePart, structure: str, first: int, last: int) -> Block:
        """Return `drawn_block`, waiting for it.

        Raises
        ------
        SolverError
            A process was ended from outside.
        """
        if self._pool is None:
            return drawn_block(part, structure, first, last)
        try:
            return self._pool.submit(_in_process, part.rows, structure, first, last).result()
        except BrokenProcessPool:
            hint = "Start it again: finished pieces are kept; with one thread it needs less memory."
            raise SolverError(Problem("worker-died", "a process that computed draws was ended", hint=hint)) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is None:
            return
        if kind is not None:
            # People who interrupt do not want to wait for the draws under way.
            for process in set(active_children()) - self._before:
                process.terminate()
        self._pool.shutdown(cancel_futures=True)


_people: dict[str, ComparedPeople] = {}
_parts: dict[tuple[int, int], ValuePart] = {}


def _begin(compared: ComparedPeople) -> None:
    begin_worker()
    _people["all"] = compared


def _in_process(rows: slice, structure: str, first: int, last: int) -> Block:
    """Compute a block; the part of the people that was worked on last is kept ready."""
    at = (rows.start, rows.stop)
    if at not in _parts:
        _parts.clear()
        _parts[at] = ValuePart(_people["all"], rows)
    return drawn_block(_parts[at], structure, first, last)
