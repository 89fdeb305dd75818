"""Net monetary benefit, and how often each strategy is the best at a willingness to pay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]


def net_benefit(qalys: ArrayLike, costs: ArrayLike, willingness: float) -> Numbers:
    """Return net monetary benefit: QALYs at what a QALY is worth, less costs.

    Parameters
    ----------
    qalys, costs
        Of one shape.
    willingness
        Money for a QALY.

    Examples
    --------
    >>> from betapod.value.economics.acceptability import net_benefit
    >>> net_benefit([10.0, 10.5], [2000.0, 9000.0], 20_000).tolist()
    [198000.0, 201000.0]
    """
    return np.asarray(qalys, dtype=np.float64) * willingness - np.asarray(costs, dtype=np.float64)


def acceptability(qalys: Numbers, costs: Numbers, willingness: ArrayLike) -> Numbers:
    """Return (willingness, strategies) the share of draws in which each strategy has the greatest net benefit.

    Strategies that are equally good share a draw.

    Parameters
    ----------
    qalys, costs
        (strategies, draws).
    willingness
        Amounts of money for a QALY.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.value.economics.acceptability import acceptability
    >>> acceptability(np.array([[0.0, 0.0], [1.0, -1.0]]), np.array([[0.0, 0.0], [10.0, 10.0]]), [100]).tolist()
    [[0.5, 0.5]]
    """
    rows = []
    for amount in np.atleast_1d(np.asarray(willingness, dtype=np.float64)):
        benefit = net_benefit(qalys, costs, float(amount))
        best = benefit == benefit.max(axis=0)
        rows.append((best / best.sum(axis=0)).mean(axis=1))
    return np.array(rows)


@dataclass(frozen=True)
class AcceptabilityFrontier:
    """The best strategy on average at each willingness to pay.

    Attributes
    ----------
    best
        (willingness,) place of the strategy with the greatest mean net benefit.
    chance
        (willingness,) share of draws in which it is the best.
    """

    willingness: Numbers
    best: NDArray[np.int64]
    chance: Numbers


def acceptability_frontier(qalys: Numbers, costs: Numbers, willingness: ArrayLike) -> AcceptabilityFrontier:
    """Return which strategy is the best on average, and how often it is the best.

    Parameters
    ----------
    qalys, costs
        (strategies, draws).
    """
    amounts = np.atleast_1d(np.asarray(willingness, dtype=np.float64))
    means = np.outer(amounts, qalys.mean(axis=1)) - costs.mean(axis=1)
    best = means.argmax(axis=1)
    chance = acceptability(qalys, costs, amounts)[np.arange(amounts.size), best]
    return AcceptabilityFrontier(amounts, best, chance)


@dataclass(frozen=True)
class Ellipse:
    """Region of the plane of gained QALYs and costs, as if draws were normal.

    Attributes
    ----------
    centre
        (2,) mean gain in QALYs, mean difference in costs.
    axes
        (2, 2) two half diameters as columns, in the units of the plane: with the cosine of an angle times the first and its sine times the
        second one goes round the outline.
    """

    centre: Numbers
    axes: Numbers

    def outline(self, points: int = 100) -> Numbers:
        """Return (2, points) of the outline, closed."""
        angle = np.linspace(0.0, 2 * np.pi, points)
        return np.asarray(self.centre[:, None] + self.axes @ np.stack([np.cos(angle), np.sin(angle)]))


def ellipse(qalys: Numbers, costs: Numbers, share: float = 0.95) -> Ellipse:
    """Return the ellipse that holds a share of draws.

    Parameters
    ----------
    qalys, costs
        (draws,) differences from the comparator.
    share
        Of a bivariate normal distribution.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.value.economics.acceptability import ellipse
    >>> draws = np.random.default_rng(1).normal(size=(2, 100_000))
    >>> shape = ellipse(draws[0], 3 * draws[1], share=0.5)
    >>> inside = np.linalg.solve(shape.axes, np.stack([draws[0], 3 * draws[1]]) - shape.centre[:, None])
    >>> bool(abs((np.hypot(*inside) < 1).mean() - 0.5) < 0.01)
    True
    """
    pairs = np.stack([qalys, costs])
    scale = pairs.std(axis=1, ddof=1)
    safe = np.where(scale > 0, scale, 1.0)
    # Money and QALYs differ by powers of ten: directions are found where both have a spread of 1.
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(pairs / safe[:, None])))
    radius = np.sqrt(-2 * np.log1p(-share))
    axes = vectors * np.sqrt(np.maximum(values, 0.0)) * radius * safe[:, None]
    return Ellipse(pairs.mean(axis=1), axes)
