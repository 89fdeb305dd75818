"""Structures of the covariance of repeated measures: unstructured, compound symmetry, AR(1), Toeplitz, and their heterogeneous forms.

Parameters are those of SAS PROC MIXED, since the correction of Kenward and Roger depends on them where the covariance is not linear in its
parameters: elements of the covariance (unstructured, compound symmetry, Toeplitz), or variances and correlations (all others).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...base.errors import ConfigError, not_among
from .estimators import Array

#: Name -> whether variances differ between visits.
STRUCTURES = {
    "unstructured": True,
    "compound symmetry": False,
    "AR(1)": False,
    "Toeplitz": False,
    "heterogeneous compound symmetry": True,
    "heterogeneous AR(1)": True,
    "heterogeneous Toeplitz": True,
}
#: How far correlations between visits are drawn towards 0, in turn, until the first guess is positive definite.
_SHRINKAGE = (1.0, 0.7, 0.4, 0.15, 0.0)


@dataclass(frozen=True)
class LinearStructure:
    """A covariance that is the sum of parameters times fixed matrices `basis`, shape (parameters, visits, visits)."""

    basis: Array

    @property
    def count(self) -> int:
        """Number of parameters."""
        return len(self.basis)

    def matrix(self, theta: Array) -> Array:
        """Return (..., visits, visits) the covariance of parameters (..., parameters)."""
        return np.asarray(np.einsum("...k,kab->...ab", theta, self.basis))

    def first(self, theta: Array) -> Array:
        """Return (..., parameters, visits, visits) the derivatives."""
        return np.broadcast_to(self.basis, (*theta.shape[:-1], *self.basis.shape))

    def second(self, theta: Array) -> Array | None:
        """Return None: there are no second derivatives."""
        return None

    def guess(self, covariance: Array) -> Array:
        """Return (..., parameters) the means of a covariance over the elements of each parameter."""
        return np.asarray(np.einsum("...ab,kab->...k", covariance, self.basis) / self.basis.sum((-1, -2)))


@dataclass(frozen=True)
class ScaledStructure:
    """A covariance of variances times correlations: parameters are the variances, then those of the correlation.

    Attributes
    ----------
    shares
        How often the variance of a parameter stands in an element (0, 1 or 2), shape (variances, visits, visits).
    correlation
        Correlations, their first and second derivatives, of the parameters of the correlation (..., parameters).
    lags
        Which elements the first guess of each parameter of the correlation is averaged over, shape (parameters, visits, visits).
    """

    shares: Array
    correlation: Callable[[Array], tuple[Array, Array, Array]]
    lags: Array

    @property
    def count(self) -> int:
        """Number of parameters."""
        return len(self.shares) + len(self.lags)

    def _parts(self, theta: Array) -> tuple[Array, Array, tuple[Array, Array, Array]]:
        variances = theta[..., : len(self.shares)]
        with np.errstate(invalid="ignore", divide="ignore"):
            scale = np.exp(np.einsum("...k,kab->...ab", np.log(variances), self.shares) / 2)
        return variances, scale, self.correlation(theta[..., len(self.shares) :])

    def matrix(self, theta: Array) -> Array:
        """Return (..., visits, visits) the covariance of parameters (..., parameters); NaN where a variance is not positive."""
        _, scale, (correlation, _, _) = self._parts(theta)
        return scale * correlation

    def first(self, theta: Array) -> Array:
        """Return (..., parameters, visits, visits) the derivatives."""
        variances, scale, (correlation, slopes, _) = self._parts(theta)
        by_variance = self.shares / 2 / variances[..., None, None] * (scale * correlation)[..., None, :, :]
        return np.concatenate([by_variance, scale[..., None, :, :] * slopes], axis=-3)

    def second(self, theta: Array) -> Array:
        """Return (..., parameters, parameters, visits, visits) the second derivatives."""
        variances, scale, (correlation, slopes, bends) = self._parts(theta)
        several = len(self.shares)
        half = self.shares / 2
        relative = half / variances[..., None, None]
        both = relative[..., :, None, :, :] * relative[..., None, :, :, :]
        both[..., range(several), range(several), :, :] = half * (half - 1) / variances[..., None, None] ** 2
        result = np.empty((*theta.shape[:-1], self.count, self.count, *scale.shape[-2:]))
        result[..., :several, :several, :, :] = both * (scale * correlation)[..., None, None, :, :]
        mixed = relative[..., :, None, :, :] * (scale[..., None, :, :] * slopes)[..., None, :, :, :]
        result[..., :several, several:, :, :] = mixed
        result[..., several:, :several, :, :] = np.swapaxes(mixed, -3, -4)
        result[..., several:, several:, :, :] = scale[..., None, None, :, :] * bends
        return result

    def guess(self, covariance: Array) -> Array:
        """Return (..., parameters) variances and correlations averaged over the elements of each parameter."""
        diagonal = np.einsum("...aa->...a", covariance)
        single = np.einsum("kaa->ka", self.shares) / 2
        variances = np.einsum("...a,ka->...k", diagonal, single) / single.sum(-1)
        correlations = covariance / np.sqrt(diagonal[..., :, None] * diagonal[..., None, :])
        return np.concatenate(
            [variances, np.einsum("...ab,kab->...k", correlations, self.lags) / self.lags.sum((-1, -2))], -1
        )


Structure = LinearStructure | ScaledStructure


def structure_of(name: str, visits: int) -> Structure:
    """Return a structure of the covariance of a number of visits.

    Raises
    ------
    ConfigError
        There is no structure of this name.
    """
    if name not in STRUCTURES:
        raise ConfigError(not_among(STRUCTURES, "unknown-structure", "there is no such covariance structure", name))
    lag = np.abs(np.subtract.outer(np.arange(visits), np.arange(visits)))
    lags = np.stack([lag == k for k in range(1, visits)]).astype(float) if visits > 1 else np.zeros((0, 1, 1))
    if visits == 1:
        return LinearStructure(np.ones((1, 1, 1)))
    if name == "unstructured":
        return LinearStructure(_elements(visits))
    if name == "Toeplitz":
        return LinearStructure(np.concatenate([np.eye(visits)[None], lags]))
    if name == "compound symmetry":
        return LinearStructure(np.stack([np.eye(visits), (lag > 0).astype(float)]))
    eye = np.eye(visits)
    each_visit = eye[:, :, None] + eye[:, None, :]
    shares = each_visit if STRUCTURES[name] else np.full((1, visits, visits), 2.0)
    if name.endswith("AR(1)"):
        return ScaledStructure(shares, lambda rho: _powers(rho[..., 0], lag), lags[:1])
    basis = (lag > 0)[None].astype(float) if name.endswith("symmetry") else lags
    return ScaledStructure(shares, lambda rho: _linear(rho, basis), basis)


def _elements(visits: int) -> Array:
    """Return one matrix per element of the lower triangle, both halves set."""
    rows, columns = np.tril_indices(visits)
    basis = np.zeros((len(rows), visits, visits))
    basis[range(len(rows)), rows, columns] = basis[range(len(rows)), columns, rows] = 1.0
    return basis


def _powers(rho: Array, lag: Array) -> tuple[Array, Array, Array]:
    """Return rho to the power of the lag with its derivatives."""
    r = rho[..., None, None]
    slope = np.where(lag > 0, lag * r ** np.maximum(lag - 1, 0), 0.0)
    bend = np.where(lag > 1, lag * (lag - 1) * r ** np.maximum(lag - 2, 0), 0.0)
    return np.where(lag > 0, r ** np.maximum(lag, 1), 1.0), slope[..., None, :, :], bend[..., None, None, :, :]


def _linear(rho: Array, basis: Array) -> tuple[Array, Array, Array]:
    """Return the identity plus correlations times fixed matrices, with derivatives."""
    count, visits = basis.shape[0], basis.shape[-1]
    correlation = np.eye(visits) + np.einsum("...k,kab->...ab", rho, basis)
    return (
        correlation,
        np.broadcast_to(basis, (*rho.shape, visits, visits)),
        np.zeros((*rho.shape[:-1], count, count, visits, visits)),
    )


def positive(covariance: Array) -> np.ndarray:
    """Return (...) whether covariances are positive definite."""
    finite = np.asarray(np.isfinite(covariance).all((-1, -2)))
    values = np.linalg.eigvalsh(np.where(finite[..., None, None], covariance, np.eye(covariance.shape[-1])))
    return np.asarray(finite & (values[..., 0] > 1e-10 * np.maximum(values[..., -1], 1e-300)))


def first_guess(structure: Structure, covariance: Array) -> Array:
    """Return (..., parameters) near a covariance, its correlations drawn towards 0 until the structure is positive definite."""
    off = 1.0 - np.eye(covariance.shape[-1])
    best = np.full((*covariance.shape[:-2], structure.count), np.nan)
    done = np.zeros(covariance.shape[:-2], dtype=bool)
    for factor in _SHRINKAGE:
        theta = structure.guess(covariance * (1 - off + factor * off))
        accepted = ~done & positive(structure.matrix(theta))
        best = np.where(accepted[..., None], theta, best)
        done |= accepted
    return best
