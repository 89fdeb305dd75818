"""Plan the solution of sparse linear systems whose pattern never changes: elimination order, fill, and where each entry is kept.

Pivots are taken on the diagonal, as Rosenbrock matrices ``I/(h gamma) - J`` allow at the step sizes that the error control accepts,
in the order of least fill: the next is always one whose elimination makes fewest new entries (Tinney & Walker 1967, their third scheme).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Factorisation:
    """A plan for ``A = L U``.

    Attributes
    ----------
    slots
        Where each entry of L and U is kept, by row and column.
    steps
        For each pivot in order: its number, the rows below it, the columns right of it.
    """

    size: int
    slots: dict[tuple[int, int], int]
    steps: tuple[tuple[int, tuple[int, ...], tuple[int, ...]], ...]

    @property
    def operations(self) -> tuple[int, int]:
        """Multiplications and additions of one factorisation and of one solution."""
        factor = sum(len(low) * (1 + 2 * len(up)) + 1 for _, low, up in self.steps)
        solve = sum(2 * len(low) + 2 * len(up) + 1 for _, low, up in self.steps)
        return factor, solve


def factorise(size: int, pattern: Sequence[tuple[int, int]]) -> Factorisation:
    """Return the plan for a pattern of entries (row, column); the diagonal always counts as present."""
    rows: list[set[int]] = [{i} for i in range(size)]
    columns: list[set[int]] = [{i} for i in range(size)]
    for i, j in pattern:
        rows[i].add(j)
        columns[j].add(i)

    def cost(q: int) -> tuple[int, int, int, int]:
        low, up = columns[q] - {q}, rows[q] - {q}
        return sum(len(up - rows[i]) for i in low), len(low) * len(up), len(low) + len(up), q

    waiting = [cost(q) for q in range(size)]
    heapq.heapify(waiting)
    left = set(range(size))
    slots: dict[tuple[int, int], int] = {}
    steps = []
    while left:
        told = heapq.heappop(waiting)
        pivot = told[-1]
        if pivot not in left:
            continue
        if (present := cost(pivot)) > told:
            heapq.heappush(waiting, present)
            continue
        left.remove(pivot)
        low = tuple(sorted(columns[pivot] - {pivot}))
        up = tuple(sorted(rows[pivot] - {pivot}))
        for entry in ((pivot, pivot), *((pivot, j) for j in up), *((i, pivot) for i in low)):
            slots[entry] = len(slots)
        for i in low:
            rows[i].discard(pivot)
            for j in up:
                rows[i].add(j)
                columns[j].add(i)
        for j in up:
            columns[j].discard(pivot)
        for q in {*low, *up}:
            heapq.heappush(waiting, cost(q))
        steps.append((pivot, low, up))
    return Factorisation(size, slots, tuple(steps))
