"""Run a random design until the numbers that matter most are known well enough, or until no more runs may be spent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .cube_function import FIRST, CubeFunction, Progress
from .index_table import IndexTable, Numbers
from .schemes import Scheme, sobol_points
from .sobol_schemes import PairScheme, SobolScheme
from .tail_rounds import TAIL_POINTS, Net, TailRounds

#: Independent scramblings: enough that an interval of their spread is no guess, few enough that each is a net of many points.
REPETITIONS = 16
#: How many of the largest numbers have to be known.
TOP = 10
#: Half-width of an interval that is narrow enough, as a share of the variance.
PRECISION = 0.025
#: Runs that are asked for at once.
TOGETHER = 16_384


@dataclass(frozen=True)
class SequentialIndices:
    """What a design gave.

    Attributes
    ----------
    tables
        Its measures.
    measure
        The one by which players are put in order.
    runs
        Runs of the function.
    points
        Points of the design, of all repetitions.
    lost
        Share of the runs that gave no number.
    settled
        Whether the largest numbers of every output are known as well as was asked.
    mean, sd
        (outputs,) of all values.
    pairs
        What every two players decide together, where the design tells.
    """

    tables: tuple[IndexTable, ...]
    measure: str
    runs: int
    points: int
    lost: float
    settled: bool
    mean: Numbers
    sd: Numbers
    pairs: IndexTable | None = None

    @property
    def leading(self) -> IndexTable:
        """The measure by which players are put in order."""
        return next(table for table in self.tables if table.name == self.measure)


def sequential_indices(
    function: CubeFunction,
    scheme: Scheme,
    most: int,
    precision: float = PRECISION,
    seed: int = 1,
    top: int = TOP,
    first: int = FIRST,
    progress: Progress | None = None,
    together: int = TOGETHER,
    scaled: Callable[[Numbers], Numbers] | None = None,
    tails: bool = False,
) -> SequentialIndices:
    """Double a design until the intervals of the largest numbers of every output are narrow enough.

    Parameters
    ----------
    most
        Runs that may be spent. The first round is run even where it takes more.
    precision
        Half-width of the intervals that is narrow enough; 0 spends all runs.
    first
        Points of each repetition in the first round, a power of 2.
    together
        Runs that are asked for at once.
    scaled
        What is made of all values (..., outputs) before variances are taken; nothing by default.
    tails
        Whether more runs go to where outputs lie far out, if they have far tails, and to players whose indices are not yet known; of
        Sobol' indices alone, and only where `scaled` takes each value by itself.
    """
    keys = [(seed, repetition) for repetition in range(REPETITIONS)]
    values: Numbers | None = None
    count = 0
    while True:
        added = first if count == 0 else count
        rows = [
            _values(function, scheme, count, added, keys, number, progress, together) for number in range(REPETITIONS)
        ]
        fresh = np.stack(rows)
        values = fresh if values is None else np.concatenate([values, fresh], axis=1)
        count += added
        on_scale = values if scaled is None else scaled(values)
        tables = scheme.indices(on_scale, keys)
        leading = next(table for table in tables if table.name == scheme.measure)
        settled = _settled(leading, precision, top)
        if settled or 2 * values[..., 0].size > most:
            break
        if tails and type(scheme) is SobolScheme and REPETITIONS * count >= TAIL_POINTS:
            net = Net(0, 0, count, tuple(range(len(scheme.players))), values)
            design = TailRounds(scheme, [net], seed, scaled or _as_they_are)
            if design.look():
                return _in_tails(function, design, leading, most, precision, top, progress, together)
    # Summaries of the runs at points alone: the others differ from these in few columns.
    at_points = values[:, :, 0]
    return SequentialIndices(
        tuple(tables),
        scheme.measure,
        int(values[..., 0].size),
        REPETITIONS * count,
        float(np.mean(~np.isfinite(values))),
        settled,
        np.nanmean(at_points, axis=(0, 1)),
        np.nanstd(at_points, axis=(0, 1)),
        scheme.pairs(on_scale, keys) if isinstance(scheme, PairScheme) else None,
    )


def _values(
    function: CubeFunction,
    scheme: Scheme,
    first: int,
    count: int,
    keys: list[tuple[int, int]],
    repetition: int,
    progress: Progress | None,
    together: int,
) -> Numbers:
    """Return values (count, runs, outputs) of points of one repetition."""
    part = max(1, min(count, 1 << int(np.log2(max(together // scheme.runs, 1)))))
    parts = []
    for start in range(first, first + count, part):
        if progress is not None:
            before = scheme.runs * (REPETITIONS * first + repetition * count + start - first)
            progress("simulating", before, scheme.runs * REPETITIONS * (first + count))
        points = sobol_points(scheme.dimensions, start, part, keys[repetition])
        places = scheme.places(points)
        results = function(places.reshape(-1, places.shape[-1]))
        parts.append(np.asarray(results, dtype=np.float64).reshape(part, scheme.runs, -1))
    return np.concatenate(parts)


def _in_tails(
    function: CubeFunction,
    design: TailRounds,
    leading: IndexTable,
    most: int,
    precision: float,
    top: int,
    progress: Progress | None,
    together: int,
) -> SequentialIndices:
    """Go on with rounds that go where outputs lie far out."""
    done = design.runs

    def run(scheme: SobolScheme, points: Numbers) -> Numbers:
        nonlocal done
        part = max(1, together // scheme.runs)
        values = []
        for start in range(0, len(points), part):
            if progress is not None:
                progress("simulating where outputs lie far out", done, total)
            places = scheme.places(points[start : start + part])
            results = np.asarray(function(places.reshape(-1, places.shape[-1])), dtype=np.float64)
            values.append(results.reshape(len(places), scheme.runs, -1))
            done += len(results)
        return np.concatenate(values)

    tables = design.tables()
    settled = False
    while True:
        players = np.flatnonzero(np.any(leading.half > 0.5 * precision, axis=1)).tolist()
        design.look()
        planned = design.planned()
        total = done + design.repetitions * sum(count for *_, count in planned) * (len(players) + 2)
        if settled or not players or total > most:
            break
        design.add(run, planned, players)
        tables = design.tables()
        leading = next(table for table in tables if table.name == design.scheme.measure)
        settled = _settled(leading, precision, top)
    mean, sd = design.moments()
    return SequentialIndices(
        tuple(tables), design.scheme.measure, design.runs, design.points, design.lost, settled, mean, sd
    )


def _as_they_are(values: Numbers) -> Numbers:
    return values


def _settled(table: IndexTable, precision: float, top: int) -> bool:
    if precision <= 0:
        return False
    rows = np.argsort(-table.values, axis=0, kind="stable")[:top]
    return bool(np.all(np.take_along_axis(table.half, rows, axis=0) <= precision))
