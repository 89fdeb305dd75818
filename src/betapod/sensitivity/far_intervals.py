"""Intervals of indices of outputs that few runs lie far out in: wide enough for one more run as far out as the farthest.

Independent repetitions tell how far an index strays by what they met. Where a handful of runs decides it, their number is as good as one more or
one less, and some repetitions meet none: intervals by their spread alone hold a jump that one run in thirty meets in half of the cases.
"""

from __future__ import annotations

import numpy as np

from .index_table import CONTENT, IndexTable, Numbers, ratio

#: Kurtosis from which an output has far tails: a normal distribution has 3. A choice.
FAR = 10.0


def has_far_tail(values: Numbers, weights: Numbers | None = None) -> bool:
    """Return whether the kurtosis of values (n,), by weights if there are any, is that of an output with far tails."""
    there = np.isfinite(values)
    y, w = values[there], np.ones(int(there.sum())) if weights is None else weights[there]
    if not len(y):
        return False
    squares = (y - np.average(y, weights=w)) ** 2
    variance = np.average(squares, weights=w)
    return bool(variance > 0 and np.average(squares**2, weights=w) > FAR * variance**2)


def with_far_runs(
    tables: tuple[IndexTable, IndexTable],
    changes: Numbers,
    product: Numbers,
    square: Numbers,
    far: Numbers,
    repetitions: int,
) -> list[IndexTable]:
    """Return first-order and total indices with wider intervals of outputs with far tails.

    Parameters
    ----------
    tables
        First-order and total indices with intervals by repetitions.
    changes
        (players, outputs) the largest addend of each total index, as a share of the variance.
    product
        (outputs,) the largest that an addend of a first-order index can be, as a share of the variance.
    square
        (outputs,) the largest addend of the variance, as a share of it.
    far
        (outputs,) true where an output has far tails; others stay as they are.
    """
    from scipy.stats import t

    first, total = tables
    content = float(t.ppf(0.5 + CONTENT / 2, repetitions - 1))
    of_total = np.hypot(content * np.hypot(changes, total.values * square), total.half)
    of_first = np.hypot(content * np.hypot(product, first.values * square), first.half)
    # By itself a number decides no more than together with others.
    of_first = np.maximum(first.half, np.minimum(of_first, np.maximum(total.values + of_total - first.values, 0.0)))
    return [
        IndexTable(table.name, table.values, np.where(far, half, table.half))
        for table, half in ((first, of_first), (total, of_total))
    ]


def largest_share(addends: Numbers, count: Numbers, variance: Numbers) -> Numbers:
    """Return the largest of addends as a share of a variance that is a mean of so many."""
    return ratio(addends, count * variance)
