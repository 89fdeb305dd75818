"""Cost per QALY: which strategies are worth considering, and what each costs more per QALY than the next cheaper one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Standing = Literal["on the frontier", "dominated", "extendedly dominated"]


@dataclass(frozen=True)
class FrontierRow:
    """One strategy among all.

    Attributes
    ----------
    strategy
        Among the strategies as they were given.
    standing
        A dominated strategy costs no less than another and gives no more; an extendedly dominated one gives less than a mixture of two
        others for its money.
    icer
        Cost per QALY against the next cheaper strategy on the frontier; NaN for the cheapest one and for those off the frontier.
    against
        Place of that strategy; -1 without.
    """

    strategy: int
    cost: float
    qalys: float
    standing: Standing
    icer: float
    against: int


def frontier(costs: Sequence[float] | Numbers, qalys: Sequence[float] | Numbers) -> tuple[FrontierRow, ...]:
    """Return the standing of strategies, the cheapest first.

    Parameters
    ----------
    costs, qalys
        (strategies,) means.

    Raises
    ------
    ValueError
        The two have different lengths.

    Examples
    --------
    >>> from betapod.value.economics.frontier import frontier
    >>> rows = frontier([0, 10_000, 30_000, 40_000], [10.0, 10.1, 11.0, 10.9])
    >>> [(row.strategy, row.standing) for row in rows]
    [(0, 'on the frontier'), (1, 'extendedly dominated'), (2, 'on the frontier'), (3, 'dominated')]
    >>> rows[2].icer
    30000.0
    """
    cost, gain = np.asarray(costs, dtype=np.float64), np.asarray(qalys, dtype=np.float64)
    if cost.shape != gain.shape:
        raise ValueError(f"{cost.size} costs and {gain.size} numbers of QALYs")
    # Of those that cost the same, the one that gives most comes first; of equal ones, the first given.
    order = np.lexsort((np.arange(cost.size), -gain, cost))
    standing: dict[int, Standing] = {}
    hull: list[int] = []
    for number in order.tolist():
        if hull and gain[number] <= gain[hull[-1]]:
            standing[number] = "dominated"
            continue
        while len(hull) > 1 and not _steeper(cost, gain, hull[-2], hull[-1], number):
            standing[hull.pop()] = "extendedly dominated"
        hull.append(number)
        standing[number] = "on the frontier"
    before = {number: hull[k - 1] if k else -1 for k, number in enumerate(hull)}
    rows = []
    for number in order.tolist():
        against = before.get(number, -1)
        ratio = (cost[number] - cost[against]) / (gain[number] - gain[against]) if against >= 0 else np.nan
        rows.append(
            FrontierRow(number, float(cost[number]), float(gain[number]), standing[number], float(ratio), against)
        )
    return tuple(rows)


def _steeper(cost: Numbers, gain: Numbers, first: int, middle: int, last: int) -> bool:
    """Return whether a QALY costs more from the middle to the last than from the first to the middle; slopes are not divided."""
    rise = (cost[last] - cost[middle]) * (gain[middle] - gain[first])
    return bool(rise > (cost[middle] - cost[first]) * (gain[last] - gain[middle]))


def icer(cost: float, qalys: float) -> float:
    """Return the cost per QALY gained, from two differences; NaN where it means nothing.

    A ratio is a price only where more is paid for more, or less for less; one strategy that is both better and cheaper needs none.

    Examples
    --------
    >>> from betapod.value.economics.frontier import icer
    >>> icer(5000.0, 0.25), icer(-5000.0, 0.25)
    (20000.0, nan)
    """
    return cost / qalys if cost * qalys > 0 else float("nan")


def icer_error(cost: float, qalys: float, variances: tuple[float, float, float]) -> float:
    """Return the standard error of an ICER, to first order.

    Parameters
    ----------
    cost, qalys
        Mean differences.
    variances
        Of the mean difference in cost, of that in QALYs, and their covariance.

    Returns
    -------
    float
        NaN where there is no gain.

    Examples
    --------
    >>> from betapod.value.economics.frontier import icer_error
    >>> icer_error(1000.0, 0.1, (100.0, 0.0, 0.0))
    100.0
    """
    if qalys == 0:
        return float("nan")
    ratio = cost / qalys
    of_cost, of_qalys, together = variances
    return float(np.sqrt(max(of_cost - 2 * ratio * together + ratio**2 * of_qalys, 0.0)) / abs(qalys))
