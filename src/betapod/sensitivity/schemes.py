"""Random designs of global sensitivity, and what is computed of them: Sobol' indices, Shapley effects, derivatives.

A scheme turns points of a scrambled Sobol' sequence into runs of a function on the unit cube, some for each point, and the values of these
runs into measures. The scrambling is a random linear one with a digital shift (Matousek 1998), whose errors have the variance of Owen's.
Repetitions with other scramblings are independent, so that they give intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from .index_table import IndexTable, Numbers, jackknifed, ratio, sums_of_numbers

#: Players of a design: the columns of each. A number alone is a player of one column.
Players = Sequence[Sequence[int]]
#: Points nearer to the edge of the unit cube than this are moved there: distribution functions have no value at 0 and 1.
_EDGE = 2.0**-33


class Scheme(Protocol):
    """A random design.

    Attributes
    ----------
    dimensions
        Of the points that it is made of.
    runs
        Of each point.
    measure
        Name of the index by which players are put in order.
    """

    @property
    def dimensions(self) -> int: ...
    @property
    def runs(self) -> int: ...
    @property
    def measure(self) -> str: ...

    def places(self, points: Numbers) -> Numbers:
        """Return places (n, runs, d) of the unit cube, of points (n, dimensions)."""
        ...

    def indices(self, values: Numbers, keys: Sequence[Sequence[int]]) -> list[IndexTable]:
        """Return measures of values (repetitions, n, runs, outputs); `keys` name the scramblings of the repetitions."""
        ...


def sobol_points(dimensions: int, first: int, count: int, key: Sequence[int]) -> Numbers:
    """Return points (count, dimensions) of a scrambled Sobol' sequence from the one with number `first` on.

    Parameters
    ----------
    count
        A power of 2; `first` is 0 or a multiple of it.
    key
        Whole numbers that name the scrambling.
    """
    from scipy.stats import qmc

    sequence = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng(list(key)))
    if first:
        sequence.fast_forward(first)
    return np.asarray(np.clip(sequence.random(count), _EDGE, 1.0 - _EDGE), dtype=np.float64)


@dataclass(frozen=True)
class ShapleyScheme:
    """Shapley effects: shares of the variance that add up to all of it, for inputs that may be correlated.

    For each point the players are put in a random order. They leave the first of two points one after the other: what is left of it is kept,
    all others are drawn anew, given what is kept. With independent inputs that is the algorithm of Goda (2021); with a Gaussian copula
    those who are drawn anew follow from the triangular factor of the correlations in that order.

    Attributes
    ----------
    correlation
        (columns, columns) of the normal scores of the columns; independent without it.
    """

    players: Players
    columns: int
    correlation: Numbers | None = None
    measure: ClassVar[str] = "Shapley"

    @property
    def dimensions(self) -> int:
        """Two points of the cube, and a number for each player."""
        return 2 * self.columns + len(self.players)

    @property
    def runs(self) -> int:
        """One more than there are players."""
        return len(self.players) + 1

    def _orders(self, points: Numbers) -> NDArray[np.int64]:
        """Return the order (n, players) in which players leave: that of their numbers."""
        return np.argsort(points[:, 2 * self.columns :], axis=1, kind="stable")

    def places(self, points: Numbers) -> Numbers:
        """Return the first point, and what it is after each player has left."""
        orders = self._orders(points)
        x, other = points[:, : self.columns], points[:, self.columns : 2 * self.columns]
        if self.correlation is None:
            return self._leaving(x, other, orders)
        from scipy.special import ndtr, ndtri

        x, other = ndtri(x), ndtri(other)
        places = np.empty((len(points), self.runs, self.columns))
        for row, order in enumerate(orders):
            # Who leaves last comes first in the factor: everybody else is drawn given those.
            sequence = np.array([column for player in order[::-1] for column in self.players[player]])
            factor = np.linalg.cholesky(self.correlation[np.ix_(sequence, sequence)])
            scores = self._leaving(x[row : row + 1], other[row : row + 1], orders[row : row + 1])[0]
            places[row][:, sequence] = scores[:, sequence] @ factor.T
        return np.asarray(np.clip(ndtr(places), _EDGE, 1.0 - _EDGE), dtype=np.float64)

    def _leaving(self, x: Numbers, other: Numbers, orders: NDArray[np.int64]) -> Numbers:
        """Return x, and x after each player's columns have become those of the other point."""
        of_column = np.empty(self.columns, dtype=np.int64)
        for player, columns in enumerate(self.players):
            of_column[list(columns)] = player
        leaves = np.argsort(orders, axis=1)[:, of_column]
        gone = leaves[:, None, :] < np.arange(self.runs)[None, :, None]
        return np.where(gone, other[:, None, :], x[:, None, :])

    def indices(self, values: Numbers, keys: Sequence[Sequence[int]]) -> list[IndexTable]:
        """Return the effects as shares of the variance."""
        points = [sobol_points(self.dimensions, 0, values.shape[1], key) for key in keys]
        return [shapley_effects(values, np.array([self._orders(of_key) for of_key in points]))]


def shapley_effects(values: Numbers, orders: NDArray[np.int64]) -> IndexTable:
    """Return Shapley effects of values (repetitions, n, players + 1, outputs) along orders (repetitions, n, players) of leaving."""
    before, after = values[:, :, :-1], values[:, :, 1:]
    steps = (values[:, :, :1] - 0.5 * (before + after)) * (before - after)
    gains = np.empty_like(steps)
    np.put_along_axis(gains, np.broadcast_to(orders[..., None], steps.shape), steps, axis=2)
    # A path without one of its numbers says nothing.
    gains = np.where(np.isfinite(gains).all(axis=2, keepdims=True), gains, 0.0)
    sums = gains.sum(axis=1)

    def shares(weights: Numbers) -> Numbers:
        effects = np.einsum("r,rpm->pm", weights, sums)
        return ratio(effects, effects.sum(axis=0))

    return jackknifed("Shapley", shares, len(values))


@dataclass(frozen=True)
class DerivativeScheme:
    """Derivative-based measures (DGSM): the mean squared slope, and the bound on the total index that it is (Sobol' and Kucherenko 2009).

    Slopes are differences over `step` of the unit cube, on which every input is uniform, so that the bound holds for any distribution.
    """

    columns: int
    step: float = 0.01
    measure: ClassVar[str] = "bound"

    @property
    def dimensions(self) -> int:
        """One point of the cube."""
        return self.columns

    @property
    def runs(self) -> int:
        """One for each column, and one."""
        return self.columns + 1

    def places(self, points: Numbers) -> Numbers:
        """Return the point, and the point with one column after the other moved."""
        places = np.repeat(points[:, None, :], self.runs, axis=1)
        for column in range(self.columns):
            moved = points[:, column] + np.where(points[:, column] < 0.5, self.step, -self.step)
            places[:, column + 1, column] = moved
        return places

    def indices(self, values: Numbers, keys: Sequence[Sequence[int]]) -> list[IndexTable]:
        """Return the mean squared slope, and the bound on the total index."""
        return derivative_measures(values, self.step)


def derivative_measures(values: Numbers, step: float | Numbers) -> list[IndexTable]:
    """Return measures of values (repetitions, n, columns + 1, outputs): at points, and with each column moved by a step.

    Parameters
    ----------
    step
        One, or one for each (repetitions, n, columns, 1).
    """
    base = values[:, :, 0]
    squares, counts = sums_of_numbers(((values[:, :, 1:] - base[:, :, None]) / step) ** 2, axis=1)
    centred = base - np.nanmean(base, axis=(0, 1))
    total, runs = sums_of_numbers(centred, axis=1)
    second, _ = sums_of_numbers(centred**2, axis=1)

    def slope(weights: Numbers) -> Numbers:
        return np.asarray(np.einsum("r,rpm->pm", weights, squares) / np.einsum("r,rpm->pm", weights, counts))

    def bound(weights: Numbers) -> Numbers:
        number = weights @ runs
        variance = weights @ second / number - (weights @ total / number) ** 2
        return ratio(slope(weights) / np.pi**2, variance)

    return [jackknifed("squared slope", slope, len(values)), jackknifed("bound", bound, len(values))]
