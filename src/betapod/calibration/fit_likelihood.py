"""The likelihood of a fit: errors of studies, effects that the rows of a family share, and what the model lacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..base.intervals import joint_deviation
from .discrepancy import TAILS, Discrepancy, discrepancy_blocks, printed_variance, scale_of
from .fit_rows import FitRows
from .student_blocks import BlockMoments, StudentBlocks

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class LocalLikelihood:
    """The likelihood around predictions: log density, score (n,) and curvature (n, n); see `Likelihood`."""

    log_density: float
    score: Numbers
    curvature: Numbers


@dataclass(frozen=True)
class Likelihood:
    """How likely rows are, given predictions.

    observed_i = predicted_i + b_block + e_i. What a family and class share, b, is Student's t with `nu` degrees of freedom and the class's
    family SD. A row's own deviation e has the variance of its printed error and of the class's row SD together, and degrees
    of freedom after Welch and Satterthwaite (`joint_deviation`). b is integrated out exactly.

    Attributes
    ----------
    rows
        n rows. `use` in the methods says which speak; by default those that are fitted.
    discrepancy
        SDs by class.
    nu
        Degrees of freedom of effects and discrepancy; infinite is normal.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.calibration.discrepancy import Discrepancy
    >>> from betapod.calibration.fit_likelihood import Likelihood
    >>> from betapod.calibration.fit_rows import FitRows
    >>> rows = FitRows(("a", "b"), ("s", "s"), ("f", "f"), ("UACR", "UACR"), ("1", "1"), ("ratio", "ratio"), ("log", "log"),
    ...                np.ones(2, bool), np.zeros(2), np.full(2, 0.1), np.full(2, np.inf))
    >>> law = Likelihood(rows, Discrepancy({"ratio": 0.3}, {"ratio": 0.1}))
    >>> together, apart = law.log_density(np.array([[0.4, 0.4], [0.4, -0.4]]))
    >>> bool(together > apart)
    True
    """

    rows: FitRows
    discrepancy: Discrepancy = field(default_factory=Discrepancy)
    nu: float = TAILS

    @cached_property
    def deviation(self) -> tuple[Numbers, Numbers, Numbers]:
        """(n,) scale and degrees of freedom of each row's own deviation, and scale of what it shares with its block."""
        family, row = self.discrepancy.at(self.rows)
        scale, freedom = joint_deviation(printed_variance(self.rows), (row**2, self.nu))
        return scale, freedom, scale_of(family, self.nu)

    @cached_property
    def block(self) -> NDArray[np.int64]:
        """(n,) number of the family and class that each row shares an effect with."""
        return discrepancy_blocks(self.rows)

    def log_density(self, predicted: Numbers, use: Flags | None = None) -> Numbers:
        """Return log densities (K,) of the rows in use at predictions (K, n); minus infinity where one of them has none."""
        at = np.atleast_2d(predicted)
        use = self.rows.fitted if use is None else use
        usable = np.isfinite(at[:, use]).all(axis=1)
        result = np.full(len(at), -np.inf)
        if usable.any():
            result[usable] = (
                self._blocks(use)[0].log_density(self._residual(at[usable], np.flatnonzero(use))).sum(axis=1)
            )
        return result

    def score(self, predicted: Numbers, use: Flags | None = None) -> Numbers:
        """Return what the log density gains per unit by which each prediction (n,) rises; 0 for rows that are not in use."""
        return self.around(predicted, use).score

    def curvature(self, predicted: Numbers, use: Flags | None = None) -> Numbers:
        """Return a positive matrix (n, n) that bends as the log density does: precision with every deviation at its weight."""
        return self.around(predicted, use).curvature

    def around(self, predicted: Numbers, use: Flags | None = None) -> LocalLikelihood:
        """Return log density, score and curvature at predictions (n,), in one computation; rows without one do not speak."""
        law, index, number = self._blocks(self._usable(predicted, use))
        moments = law.moments(self._residual(predicted, index))
        scale, _, tau = (column[index] for column in self.deviation)
        precision = moments.row_weight[0] / scale**2
        shared = tau**2 / moments.block_weight[0][number]
        # The inverse of diag(1/precision) + shared * (ones within a block).
        total = np.bincount(number, precision)[number]
        factor = np.sqrt(shared / (1.0 + shared * total)) * precision
        score, curvature = np.zeros(len(self.rows)), np.zeros((len(self.rows), len(self.rows)))
        score[index] = moments.score[0]
        curvature[np.ix_(index, index)] = np.diag(precision) - np.where(
            np.equal.outer(number, number), np.outer(factor, factor), 0.0
        )
        return LocalLikelihood(float(moments.log_density.sum()), score, curvature)

    def information(self, predicted: Numbers, use: Flags | None = None) -> Numbers:
        """Return minus the second derivative (n, n) of the log density; rows far out have negative directions."""
        law, index, _ = self._blocks(self._usable(predicted, use))
        result = np.zeros((len(self.rows), len(self.rows)))
        result[np.ix_(index, index)] = law.information(self._residual(predicted, index)[0])
        return result

    def covariance(self) -> Numbers:
        """Return scales as a matrix (n, n): own deviations on the diagonal, what is shared within blocks."""
        scale, _, tau = self.deviation
        same = np.equal.outer(self.block, self.block)
        return np.asarray(np.diag(scale**2) + np.where(same, np.outer(tau, tau), 0.0), dtype=np.float64)

    def _usable(self, predicted: Numbers, use: Flags | None) -> Flags:
        return np.asarray((self.rows.fitted if use is None else use) & np.isfinite(predicted), dtype=np.bool_)

    def _residual(self, predicted: Numbers, index: NDArray[np.int64]) -> Numbers:
        return np.asarray(self.rows.observed[index] - np.atleast_2d(predicted)[:, index], dtype=np.float64)

    def _moments(self, predicted: Numbers, use: Flags) -> BlockMoments:
        law, index = self._blocks(use)[:2]
        return law.moments(self._residual(predicted, index))

    def _blocks(self, use: Flags) -> tuple[StudentBlocks, NDArray[np.int64], NDArray[np.int64]]:
        """Return the law of the rows in use, their numbers, and the number of the block of each."""
        index = np.flatnonzero(use)
        _, number = np.unique(self.block[index], return_inverse=True)
        number = np.asarray(number.reshape(-1), dtype=np.int64)
        scale, freedom, tau = (column[index] for column in self.deviation)
        return StudentBlocks(scale, freedom, tau, number, self.nu), index, number
