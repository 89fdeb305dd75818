"""Plan the solution of sparse linear systems whose pattern never changes: elimination order, fill, and where each entry is kept.

Pivots are taken on the diagonal, as Rosenbrock matrices ``I/(h gamma) - J`` allow at the step sizes that the error control accepts,
in the order of least fill (Markowitz 1957).
"""

from __future__ import annotations

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
    left = set(range(size))
    slots: dict[tuple[int, int], int] = {}
    steps = []
    while left:
        pivot = min(left, key=lambda q: ((len(rows[q]) - 1) * (len(columns[q]) - 1), len(rows[q]) + len(columns[q]), q))
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
        steps.append((pivot, low, up))
    return Factorisation(size, slots, tuple(steps))
