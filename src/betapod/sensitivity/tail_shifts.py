"""Where few runs lie far out: inputs are drawn nearer to there, and weights make that good.

An input is moved by a shift of its normal score. Shifts are those of the cross-entropy method (Rubinstein and Kroese 2004): the mean score of runs that
are weighted by the square of their distance from the mean output. Points that come from several shifts, and from none, are weighted as if
each had come from all of them (the balance heuristic of Veach and Guibas 1995), so that no weight is above the inverse of the share of points
without a shift.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .index_table import Numbers

#: A mean score counts from so many of its standard errors on, and from this size on. Choices.
_CLEAR, _LEAST = 4.0, 0.15
#: Places nearer to the edge of the unit cube than this are moved there.
_EDGE = 2.0**-33


def tail_shift(u: Numbers, values: Numbers, weights: Numbers) -> Numbers:
    """Return the shift (columns,) of the normal scores towards where values lie far out; 0 where that is not clear.

    Parameters
    ----------
    u
        (repetitions, n, columns) places of the unit cube.
    values, weights
        (repetitions, n) of the output.
    """
    from scipy.special import ndtri

    there = np.isfinite(values)
    y, w = np.where(there, values, 0.0), np.where(there, weights, 0.0)
    far = w * (y - np.average(y, weights=w)) ** 2
    scores = ndtri(np.clip(u, _EDGE, 1.0 - _EDGE))
    sums, total = np.einsum("rn,rnd->rd", far, scores), far.sum(axis=1)
    mean = sums.sum(axis=0) / total.sum()
    without = (sums.sum(axis=0) - sums) / (total.sum() - total)[:, None]
    count = len(u)
    error = np.sqrt((count - 1) / count * np.sum((without - without.mean(axis=0)) ** 2, axis=0))
    clear = (np.abs(mean) > _CLEAR * error) & (np.abs(mean) > _LEAST)
    return np.asarray(np.where(clear, mean, 0.0))


def shifted(u: Numbers, shift: Numbers) -> Numbers:
    """Return places (..., columns) with their normal scores shifted."""
    from scipy.special import ndtr, ndtri

    moves = shift != 0.0
    if not moves.any():
        return u
    result = u.copy()
    result[..., moves] = np.clip(ndtr(ndtri(u[..., moves]) + shift[moves]), _EDGE, 1.0 - _EDGE)
    return result


@dataclass(frozen=True)
class PointLaw:
    """How the two points of a pair are drawn.

    Attributes
    ----------
    shift
        (columns,) of the normal scores of a.
    both
        Whether b has the same shift, or none.
    """

    shift: Numbers
    both: bool

    def densities(self, a: Numbers, b: Numbers) -> PairDensities:
        """Return the densities of points (..., columns) under it."""
        moves = np.flatnonzero(self.shift)
        at_a, at_b = (log_ratios(points[..., moves], self.shift[moves]) for points in (a, b))
        return PairDensities(tuple(moves.tolist()), at_a, at_b, self.both)


def log_ratios(u: Numbers, shift: Numbers) -> Numbers:
    """Return by column the logarithm (..., columns) of the density of shifted places over that of even ones."""
    from scipy.special import ndtri

    return np.asarray(shift * ndtri(u) - 0.5 * shift**2)


@dataclass(frozen=True)
class PairDensities:
    """Densities of pairs of points under a law, over those of even points.

    Attributes
    ----------
    columns
        Those that are shifted.
    at_a, at_b
        (..., columns) logarithms of the densities of a and b.
    both
        Whether b was drawn with the shift, as a was.
    """

    columns: tuple[int, ...]
    at_a: Numbers
    at_b: Numbers
    both: bool

    @cached_property
    def of_a(self) -> Numbers:
        """The density of a."""
        return np.asarray(np.exp(self.at_a.sum(axis=-1)))

    @cached_property
    def _of_b(self) -> Numbers:
        return np.asarray(np.exp(self.at_b.sum(axis=-1)))

    def of_two(self) -> Numbers:
        """Return the density of a and b, whichever of them was drawn as which."""
        return np.asarray(self.of_a * self._of_b if self.both else 0.5 * (self.of_a + self._of_b))

    def of_player(self, members: Sequence[int]) -> tuple[Numbers, Numbers]:
        """Return the densities of the pair that differs in a player's columns, and of the pair that has these alone in common."""
        moved = [position for position, column in enumerate(self.columns) if column in members]
        a, b = self.of_a, self._of_b
        if not moved:
            return (a, a * b) if self.both else (a, 0.5 * (a + b))
        own_a, own_b = (np.exp(at[..., moved].sum(axis=-1)) for at in (self.at_a, self.at_b))
        if self.both:
            return a * own_b, a / own_a * b
        return 0.5 * (a + a / own_a * own_b), 0.5 * (a / own_a + b / own_b)
