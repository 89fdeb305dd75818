"""Sobol' indices of numbers and groups of them: by themselves, with all that they do together with others, and of every pair."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .additive_parts import additive_parts
from .far_intervals import has_far_tail, largest_share, with_far_runs
from .index_table import IndexTable, Numbers, jackknifed, ratio, sums_of_numbers
from .schemes import Players, sobol_points


@dataclass(frozen=True)
class SobolScheme:
    """Sobol' indices: a run at a, one at b, and for each player one at a with the player's columns of b.

    First-order indices as of Saltelli (2010), total ones as of Jansen (1999). A run without a number counts for nothing it takes part in.
    """

    players: Players
    columns: int
    measure: ClassVar[str] = "total"

    @property
    def dimensions(self) -> int:
        """Two points of the cube."""
        return 2 * self.columns

    @property
    def runs(self) -> int:
        """One for each player, and two."""
        return len(self.players) + 2

    def places(self, points: Numbers) -> Numbers:
        """Return a, a with the columns of each player, b."""
        a, b = points[:, : self.columns], points[:, self.columns :]
        return np.concatenate([_exchanged(a, b, self.players), b[:, None]], axis=1)

    def indices(self, values: Numbers, keys: Sequence[Sequence[int]]) -> list[IndexTable]:
        """Return first-order and total indices."""
        points = [sobol_points(self.dimensions, 0, values.shape[1], key) for key in keys]
        return sobol_indices(values, points, self.players)


def sobol_indices(values: Numbers, points: Sequence[Numbers] = (), players: Players = ()) -> list[IndexTable]:
    """Return first-order and total indices of values (repetitions, n, players + 2, outputs): at a, at a with each player of b, at b.

    Parameters
    ----------
    points, players
        Of each repetition, and the columns of each player: with them chance acts only on what is no sum of curves of single numbers.
    """
    centred = values - np.nanmean(values, axis=(0, 1, 2))
    a, b, mixed = centred[:, :, 0], centred[:, :, -1], np.moveaxis(centred[:, :, 1:-1], 2, 0)
    moved = mixed - a
    both = np.stack([a, b], axis=2)
    additive = _known_parts(points, both, players) if len(points) else _nothing_known(both, len(moved))
    # Sums of each repetition: (players, repetitions, outputs), and of everybody (repetitions, outputs).
    products, pairs = sums_of_numbers(b * moved - additive.products, axis=2)
    squares, counts = sums_of_numbers(moved**2 - additive.squares, axis=2)
    total, runs = sums_of_numbers(both, axis=(1, 2))
    second, _ = sums_of_numbers(both**2 - additive.both, axis=(1, 2))

    def variance(weights: Numbers) -> Numbers:
        number = weights @ runs
        return np.asarray(
            _mean(weights, additive.variance) + weights @ second / number - (weights @ total / number) ** 2
        )

    def first_order(weights: Numbers) -> Numbers:
        rest = np.einsum("r,prm->pm", weights, products) / np.einsum("r,prm->pm", weights, pairs)
        return ratio(_mean(weights, additive.shares) + rest, variance(weights))

    def total_order(weights: Numbers) -> Numbers:
        rest = 0.5 * np.einsum("r,prm->pm", weights, squares) / np.einsum("r,prm->pm", weights, counts)
        return ratio(_mean(weights, additive.shares) + rest, variance(weights))

    tables = (jackknifed("first", first_order, len(values)), jackknifed("total", total_order, len(values)))
    far = np.array([has_far_tail(both[..., k].ravel()) for k in range(both.shape[-1])])
    if not far.any():
        return list(tables)
    everything = variance(np.ones(len(values)))
    changes = largest_share(
        np.nanmax(0.5 * np.abs(moved**2 - additive.squares), axis=(1, 2), initial=0.0), counts.sum(axis=1), everything
    )
    # Of two points of each pair the variance is the mean, a product stands for one.
    square = largest_share(
        np.nanmax(np.abs(both**2 - additive.both), axis=(0, 1, 2), initial=0.0), runs.sum(axis=0), everything
    )
    return with_far_runs(tables, changes, 2.0 * square, square, far, len(values))


@dataclass(frozen=True)
class _Known:
    """What sums of curves give at the runs of a design, and what it is on average.

    Attributes
    ----------
    products, squares
        (players, repetitions, n, outputs) of the sum at b with its move, and of its move with itself.
    both
        (repetitions, n, 2, outputs) squares of the sum.
    shares, variance
        (repetitions, players, outputs) and (repetitions, outputs): means of products, and of squares of the sum.
    """

    products: Numbers
    squares: Numbers
    both: Numbers
    shares: Numbers
    variance: Numbers


def _nothing_known(both: Numbers, players: int) -> _Known:
    repetitions, outputs = both.shape[0], both.shape[-1]
    nothing = np.zeros(1)
    return _Known(
        nothing, nothing, nothing, np.zeros((repetitions, players, outputs)), np.zeros((repetitions, outputs))
    )


def _known_parts(points: Sequence[Numbers], both: Numbers, players: Players) -> _Known:
    products, squares, of_both, shares, variance = [], [], [], [], []
    for u, part in zip(points, additive_parts(points, both), strict=True):
        half = u.shape[1] // 2
        at_a, at_b = part.curves(u[:, :half]), part.curves(u[:, half:])
        moves = np.stack([(at_b - at_a)[:, list(columns)].sum(axis=1) for columns in players])
        sums = np.stack([at_a.sum(axis=1), at_b.sum(axis=1)], axis=1)
        products.append(sums[:, 1] * moves)
        squares.append(moves**2)
        of_both.append(sums**2)
        shares.append(np.stack([part.shares[list(columns)].sum(axis=0) for columns in players]))
        variance.append(part.shares.sum(axis=0))
    # Players come first, then repetitions.
    return _Known(
        np.stack(products, axis=1), np.stack(squares, axis=1), np.stack(of_both), np.stack(shares), np.stack(variance)
    )


def _mean(weights: Numbers, values: Numbers) -> Numbers:
    """Return the weighted mean over repetitions."""
    return np.asarray(np.tensordot(weights, values, 1) / weights.sum())


@dataclass(frozen=True)
class PairScheme(SobolScheme):
    """Sobol' indices with those of every two players: for each player besides a run at b with the player's columns of a.

    Second-order indices as of Saltelli (2002): what two players decide together beyond what each does by itself.
    """

    @property
    def runs(self) -> int:
        """Two for each player, and two."""
        return 2 * len(self.players) + 2

    def places(self, points: Numbers) -> Numbers:
        """Return a, a with the columns of each player of b, b with those of each of a, b."""
        a, b = points[:, : self.columns], points[:, self.columns :]
        return np.concatenate([_exchanged(a, b, self.players), _exchanged(b, a, self.players)[:, ::-1]], axis=1)

    def indices(self, values: Numbers, keys: Sequence[Sequence[int]]) -> list[IndexTable]:
        """Return first-order and total indices."""
        return super().indices(_of_single(values), keys)

    def pairs(self, values: Numbers, keys: Sequence[Sequence[int]]) -> IndexTable:
        """Return second-order indices, those of the pairs of `pairs_of` in its order."""
        points = [sobol_points(self.dimensions, 0, values.shape[1], key) for key in keys]
        return second_order_indices(values, points, self.players)


def pairs_of(count: int) -> list[tuple[int, int]]:
    """Return all pairs of so many players, the first of each before the second."""
    return list(itertools.combinations(range(count), 2))


def _exchanged(a: Numbers, b: Numbers, players: Players) -> Numbers:
    """Return places (n, players + 1, columns): a, and a with the columns of each player of b."""
    places = np.repeat(a[:, None, :], len(players) + 1, axis=1)
    for number, columns in enumerate(players, 1):
        places[:, number, list(columns)] = b[:, list(columns)]
    return places


def _of_single(values: Numbers) -> Numbers:
    """Return the runs (repetitions, n, players + 2, outputs) of `SobolScheme` among those of `PairScheme`."""
    half = values.shape[2] // 2
    return np.concatenate([values[:, :, :half], values[:, :, -1:]], axis=2)


def second_order_indices(values: Numbers, points: Sequence[Numbers] = (), players: Players = ()) -> IndexTable:
    """Return second-order indices (pairs, outputs) of values (repetitions, n, 2 players + 2, outputs) of `PairScheme`.

    Parameters
    ----------
    points, players
        As of `sobol_indices`: of a sum of curves every pair has 0, so that what the design makes of it is chance, and is taken off.
    """
    centred = values - np.nanmean(values, axis=(0, 1, 2))
    both = centred[:, :, [0, -1]]
    of_pairs = _pair_means(centred)
    if len(points):
        of_pairs = of_pairs - _pair_means(_sums_of_curves(points, both, players))
    total, runs = sums_of_numbers(both, axis=(1, 2))
    squares, _ = sums_of_numbers(both**2, axis=(1, 2))

    def interaction(weights: Numbers) -> Numbers:
        number = weights @ runs
        variance = weights @ squares / number - (weights @ total / number) ** 2
        return ratio(_mean(weights, of_pairs), variance)

    return jackknifed("second", interaction, len(values))


def _pair_means(centred: Numbers) -> Numbers:
    """Return for each repetition what pairs of players do together (repetitions, pairs, outputs), in units of the variance."""
    half = centred.shape[2] // 2
    a, b = centred[:, :, 0], centred[:, :, -1]
    # Those of b stand in the reverse order, as b does at the end.
    of_a, of_b = centred[:, :, 1:half], centred[:, :, -2 : half - 1 : -1]
    first, second = np.array(pairs_of(half - 1)).T.reshape(2, -1)
    products, pairs = (np.einsum("rnjm,rnkm->rjkm", x, y)[:, first, second] for x, y in _with_counts(of_b, of_a))
    alone, alone_pairs = sums_of_numbers(a * b, axis=1)
    moved, moved_pairs = sums_of_numbers(b[:, :, None] * (of_a - a[:, :, None]), axis=1)
    of_single = moved / moved_pairs
    return np.asarray(products / pairs - (alone / alone_pairs)[:, None] - of_single[:, first] - of_single[:, second])


def _sums_of_curves(points: Sequence[Numbers], both: Numbers, players: Players) -> Numbers:
    """Return sums of curves at the runs of `PairScheme`."""
    result = []
    for u, part in zip(points, additive_parts(points, both), strict=True):
        half = u.shape[1] // 2
        at_a, at_b = part.curves(u[:, :half]), part.curves(u[:, half:])
        moves = np.stack([(at_b - at_a)[:, list(columns)].sum(axis=1) for columns in players], axis=1)
        a, b = at_a.sum(axis=1)[:, None], at_b.sum(axis=1)[:, None]
        result.append(np.concatenate([a, a + moves, (b - moves)[:, ::-1], b], axis=1))
    return np.stack(result)


def _with_counts(x: Numbers, y: Numbers) -> list[tuple[Numbers, Numbers]]:
    """Return two arrays with 0 for what is no number, and 1 where each has one."""
    finite = [np.isfinite(values) for values in (x, y)]
    filled = [np.where(there, values, 0.0) for there, values in zip(finite, (x, y), strict=True)]
    return [(filled[0], filled[1]), (finite[0].astype(np.float64), finite[1].astype(np.float64))]
