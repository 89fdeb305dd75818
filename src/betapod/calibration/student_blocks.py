"""The law of residuals: rows of a block share an effect with heavy tails, each row has heavy tails of its own.

A block is a family of studies within one class of rows. Its residuals are r_i = b + e_i with b ~ tau * t(nu) and
e_i ~ s_i * t(nu_i), all independent; infinite degrees of freedom are the normal distribution. The shared b is integrated out,
in one dimension for each block: Gauss-Legendre between points around 0, around every residual and around the weighted mean
of them, so that neither narrow nor distant peaks are missed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
#: Beyond so many degrees of freedom a distribution is taken as normal.
NORMAL = 1e9
#: Points between which is integrated, in scales around each centre; beyond the last the integrand is below 1e-6 of its peak.
_OFFSETS = np.array([-40.0, -10.0, -3.0, 0.0, 3.0, 10.0, 40.0])
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)
#: Numbers held at once.
_MOST = 100_000


@dataclass(frozen=True)
class BlockMoments:
    """Log densities and expectations over what blocks share, of K sets of residuals.

    Attributes
    ----------
    log_density
        (K, B) of each block.
    score
        (K, n) what log density gains per unit by which a prediction rises.
    row_weight, block_weight
        (K, n) and (K, B): expected precision of a row and of the shared effect, in multiples of what its scale says; small where
        it lies far out.
    """

    log_density: Numbers
    score: Numbers
    row_weight: Numbers
    block_weight: Numbers


def student_log_density(x: Numbers, freedom: Numbers) -> Numbers:
    """Return the log density of Student's t at standardised numbers."""
    from scipy.special import gammaln

    bounded = np.minimum(freedom, NORMAL)
    shape = np.where(
        bounded < 1e6,
        gammaln(np.minimum(bounded, 1e6) / 2.0 + 0.5)
        - gammaln(np.minimum(bounded, 1e6) / 2.0)
        - 0.5 * np.log(bounded / 2),
        0.0,
    )
    return np.asarray(shape - 0.5 * math.log(2.0 * math.pi) - 0.5 * (bounded + 1.0) * np.log1p(x * x / bounded))


class StudentBlocks:
    """The law of residuals of n rows in B blocks.

    Parameters
    ----------
    scale, freedom
        (n,) or (K, n) of each row's own deviation.
    tau
        (n,) or (K, n) scale of what the rows of a block share: the same for all rows of a block; 0 shares nothing.
    block
        (n,) numbers of blocks, 0 to B - 1.
    nu
        Degrees of freedom of what blocks share.
    """

    def __init__(self, scale: Numbers, freedom: Numbers, tau: Numbers, block: NDArray[np.int64], nu: float) -> None:
        self.scale, self.freedom, self.tau, self.block, self.nu = scale, np.minimum(freedom, NORMAL), tau, block, nu
        members = [np.flatnonzero(block == number) for number in range(int(block.max(initial=-1)) + 1)]
        self.count = len(members)
        sizes = sorted({len(index) for index in members} - {0})
        #: Numbers of blocks of one size (B',), and their rows (B', size).
        self.groups = [
            (
                np.array([number for number, index in enumerate(members) if len(index) == size]),
                np.stack([index for index in members if len(index) == size]),
            )
            for size in sizes
        ]

    def log_density(self, residual: Numbers) -> Numbers:
        """Return log densities (K, B) of blocks at residuals (K, n): observed less predicted."""
        result = np.zeros((len(residual), self.count))
        for numbers, index, parts in self._parts(len(residual)):
            _, log_weight = self._shared(*self._of(residual, index, parts))
            top = log_weight.max(axis=-1, keepdims=True)
            result[parts, numbers] = top[..., 0] + np.log(np.exp(log_weight - top).sum(axis=-1))
        return result

    def moments(self, residual: Numbers) -> BlockMoments:
        """Return log densities and expectations at residuals (K, n): observed less predicted."""
        many = len(residual)
        log_density, block_weight = np.zeros((many, self.count)), np.ones((many, self.count))
        score, row_weight = np.zeros(residual.shape), np.ones(residual.shape)
        for numbers, index, parts in self._parts(many):
            r, s, freedom, tau = self._of(residual, index, parts)
            shared, log_weight = self._shared(r, s, freedom, tau)
            x = (r[..., None] - shared[..., None, :]) / s[..., None]
            top = log_weight.max(axis=-1, keepdims=True)
            share = np.exp(log_weight - top)
            total = share.sum(axis=-1, keepdims=True)
            share /= total
            log_density[parts, numbers] = (top + np.log(total))[..., 0]
            precision = (freedom[..., None] + 1.0) / (freedom[..., None] + x * x)
            rows = (parts[..., None], index[None])
            row_weight[rows] = np.einsum("kbmq,kbq->kbm", precision, share)
            score[rows] = np.einsum("kbmq,kbq->kbm", precision * x, share) / s
            nu = min(self.nu, NORMAL)
            safe = np.where(tau > 0.0, tau, 1.0)[..., None]
            block_weight[parts, numbers] = np.sum(share * (nu + 1.0) / (nu + (shared / safe) ** 2), axis=-1)
        return BlockMoments(log_density, score, row_weight, block_weight)

    def information(self, residual: Numbers) -> Numbers:
        """Return minus the second derivative (n, n) of the log density at residuals (n,); it may have negative directions."""
        result = np.zeros((len(residual), len(residual)))
        for _, index, parts in self._parts(1):
            r, s, freedom, tau = self._of(residual[None], index, parts)
            shared, log_weight = self._shared(r, s, freedom, tau)
            share = np.exp(log_weight - log_weight.max(axis=-1, keepdims=True))
            share /= share.sum(axis=-1, keepdims=True)
            x = (r[..., None] - shared[..., None, :]) / s[..., None]
            square = freedom[..., None] + x * x
            slope = (freedom[..., None] + 1.0) * x / square / s[..., None]
            bend = (freedom[..., None] + 1.0) * (freedom[..., None] - x * x) / square**2 / s[..., None] ** 2
            mean = np.einsum("kbmq,kbq->kbm", slope, share)
            apart = slope - mean[..., None]
            bent = np.einsum("kbmq,kbq->kbm", bend, share)[0]
            together = np.einsum("kbmq,kblq,kbq->kbml", apart, apart, share)[0]
            for rows, single, joint in zip(index, bent, together, strict=True):
                result[np.ix_(rows, rows)] = np.diag(single) - joint
        return result

    def _parts(self, many: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
        """Yield numbers of blocks, their rows, and numbers (K', 1) of the sets of residuals, in parts that fit into memory."""
        for numbers, index in self.groups:
            size = index.shape[1]
            cost = len(_OFFSETS) * (size + 2) * len(_NODES) * (size + 1)
            blocks = max(1, min(len(numbers), _MOST // cost))
            sets = max(1, _MOST // (cost * blocks))
            for first in range(0, len(numbers), blocks):
                for begin in range(0, many, sets):
                    parts = np.arange(begin, min(begin + sets, many))[:, None]
                    yield numbers[first : first + blocks], index[first : first + blocks], parts

    def _of(
        self, residual: Numbers, index: NDArray[np.int64], parts: NDArray[np.int64]
    ) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        """Return residuals, scales and freedoms (K', B', m), and the scale of what is shared (K', B')."""

        def taken(column: Numbers) -> Numbers:
            column = column[parts[:, 0]] if column.ndim == 2 else column[None]
            return np.broadcast_to(column[:, index], (len(parts), *index.shape))

        return residual[parts[..., None], index[None]], taken(self.scale), taken(self.freedom), taken(self.tau)[..., 0]

    def _shared(self, r: Numbers, s: Numbers, freedom: Numbers, tau: Numbers) -> tuple[Numbers, Numbers]:
        """Return points (K', B', Q) of what is shared and the log of density times weight at each."""
        nu = np.array(min(self.nu, NORMAL))
        safe = np.where(tau > 0.0, tau, 1.0)
        middle, width = _middle(r, s, freedom, safe)
        centres = np.concatenate([r, np.zeros((*tau.shape, 1)), middle[..., None]], axis=-1)
        widths = np.concatenate([s, safe[..., None], width[..., None]], axis=-1)
        edges = (centres[..., None] + widths[..., None] * _OFFSETS).reshape(*tau.shape, -1)
        edges.sort(axis=-1)
        half, centre = 0.5 * np.diff(edges, axis=-1), 0.5 * (edges[..., 1:] + edges[..., :-1])
        points = (centre[..., None] + half[..., None] * _NODES).reshape(*tau.shape, -1)
        with np.errstate(divide="ignore"):
            log_weight = np.log(half[..., None] * _WEIGHTS).reshape(*tau.shape, -1)
        log_weight += student_log_density(points / safe[..., None], nu) - np.log(safe)[..., None]
        # Where nothing is shared all weight lies on the first point, which is 0.
        nothing = tau <= 0.0
        points[nothing] = 0.0
        log_weight[nothing] = -np.inf
        log_weight[nothing, 0] = 0.0
        x = (r[..., None] - points[..., None, :]) / s[..., None]
        rows = student_log_density(x, freedom[..., None]) - np.log(s)[..., None]
        return points, log_weight + rows.sum(axis=-2)


def _middle(r: Numbers, s: Numbers, freedom: Numbers, tau: Numbers) -> tuple[Numbers, Numbers]:
    """Return the weighted mean of residuals of each block, far ones counting less, and its error."""
    middle = np.median(r, axis=-1)
    for _ in range(20):
        x = (r - middle[..., None]) / s
        weight = (freedom + 1.0) / (freedom + x * x) / s**2
        total = weight.sum(axis=-1) + tau**-2.0
        middle = (weight * r).sum(axis=-1) / total
    return middle, total**-0.5
