"""Rates of recurrent events by negative binomial regression, for one trial or thousands at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .estimators import Array, Estimate, as_estimate
from .newton import newton_maximum

#: Logarithm of the dispersion at and below which counts are as good as Poisson's, and above which there is no fit.
_POISSON, _WILDEST = -12.0, 8.0


@dataclass(frozen=True)
class RateFit:
    """Regressions of counts of replicates (R) on p covariates after the constant; NaN where there is no fit.

    Attributes
    ----------
    coefficients, covariance
        Constant first, then log rate ratios; shapes (R, 1 + p), (R, 1 + p, 1 + p).
    dispersion
        Variance is mean + dispersion x mean^2; 0 where counts scatter no more than Poisson's. Shape (R,).
    log_likelihood, patients
        Shape (R,).

    Examples
    --------
    >>> import betapod
    >>> fit = betapod.analyses.negative_binomial([0, 4, 1, 2, 1, 0, 0, 0], 1.0, [[0, 0, 0, 0, 1, 1, 1, 1]])
    >>> bool(fit.dispersion[0] > 0)
    True
    """

    coefficients: Array
    covariance: Array
    dispersion: Array
    log_likelihood: Array
    patients: Array

    def estimate(self, covariate: int = 0, level: float = 0.95) -> Estimate:
        """Return the log rate ratio of a covariate with Wald's test and interval, shape (R,).

        Parameters
        ----------
        covariate
            Its number, from 0, the constant not counted.
        level
            Of the interval, such as 0.95.

        Returns
        -------
        Estimate
            Effect, standard error, degrees of freedom, two-sided p, interval and number of patients; shape (R,).

        Raises
        ------
        IndexError
            There is no such covariate.

        Examples
        --------
        >>> import betapod
        >>> fit = betapod.analyses.negative_binomial([0, 4, 1, 2, 1, 0, 0, 0], 1.0, [[0, 0, 0, 0, 1, 1, 1, 1]])
        >>> round(float(fit.estimate().effect[0]), 4)
        -1.9459
        """
        k = covariate + 1
        error = np.sqrt(self.covariance[:, k, k])
        return as_estimate(self.coefficients[:, k], error, np.inf, self.patients, level)


@dataclass(frozen=True)
class _Criterion:
    """Minus the log likelihood with derivatives, as `newton.Curved` has them."""

    value: Array
    gradient: Array
    curvature: Array
    information: Array


def negative_binomial(events: ArrayLike, follow_up: ArrayLike, covariates: Sequence[ArrayLike]) -> RateFit:
    """Return regressions of numbers of events on covariates, with the logarithm of the follow-up as offset, by maximum likelihood.

    Parameters
    ----------
    events
        Number of each patient's events, shape (R, n) or (n,); a patient with NaN is left out.
    follow_up
        Time watched, above 0.
    covariates
        Each of shape (R, n) or (n,); the arm is one of them.

    Returns
    -------
    RateFit
        Log rate ratios, covariance, dispersion and likelihood of each replicate.

    Raises
    ------
    ValueError
        The shapes do not go together.

    Notes
    -----
    Coefficients and errors (observed information, that of the dispersion included) are those of `NegativeBinomial` of statsmodels.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.trials.analysis.event_rates import negative_binomial
    >>> random, treated = np.random.default_rng(1), np.arange(400) % 2.0
    >>> rate = random.gamma(2.0, 0.5, 400) * np.exp(-0.5 * treated)
    >>> fit = negative_binomial(random.poisson(2 * rate), np.full(400, 2.0), [treated])
    >>> bool(abs(fit.coefficients[0, 1] + 0.5) < 0.3)
    True
    """
    y = np.atleast_2d(np.asarray(events, dtype=float))
    time = np.broadcast_to(np.asarray(follow_up, dtype=float), y.shape)
    columns = [np.ones(y.shape), *(np.broadcast_to(np.asarray(c, dtype=float), y.shape) for c in covariates)]
    x = np.stack(columns, -1)
    with np.errstate(invalid="ignore"):
        present = np.isfinite(y) & np.isfinite(x).all(-1) & (time > 0)
    x, y = np.where(present[..., None], x, 0.0), np.where(present, y, 0.0)
    offset = np.log(np.where(present, time, 1.0))
    weight = present.astype(float)
    size = np.sqrt((x**2).sum(1) / np.maximum(weight.sum(1), 1)[:, None])
    size = np.where(size > 0, size, 1.0)
    x = x / size[:, None]
    count, p = len(y), x.shape[-1]
    start = np.zeros((count, p + 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        start[:, 0] = np.log(y.sum(1) / (np.exp(offset) * weight).sum(1))
    normal = np.swapaxes(x, -1, -2) @ x / np.maximum(weight.sum(1), 1)[:, None, None]
    able = np.isfinite(start[:, 0]) & (np.linalg.eigvalsh(normal)[:, 0] > 1e-11)
    start[~able] = np.nan

    def scattered(theta: Array, rows: NDArray[np.intp]) -> _Criterion:
        return _negative_binomial(y[rows], x[rows], offset[rows], weight[rows], theta)

    def even(theta: Array, rows: NDArray[np.intp]) -> _Criterion:
        return _poisson(y[rows], x[rows], offset[rows], weight[rows], theta)

    def inside(theta: Array, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        fine = (theta[:, -1] > _POISSON) & (theta[:, -1] < _WILDEST)
        return np.asarray(fine & (np.abs(theta[:, :p]).max(-1) < 50))

    def bounded(theta: Array, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        return np.asarray(np.abs(theta).max(-1) < 50)

    theta, reached = newton_maximum(start, scattered, inside)
    plain, plainly = newton_maximum(start[:, :p], even, bounded)
    fields = {
        "coefficients": np.full((count, p), np.nan),
        "covariance": np.full((count, p, p), np.nan),
        "dispersion": np.full(count, np.nan),
        "log_likelihood": np.full(count, np.nan),
        "patients": weight.sum(1),
    }
    for rows, at, criterion in (
        (np.flatnonzero(plainly & ~reached), plain, even),
        (np.flatnonzero(reached), theta, scattered),
    ):
        if not len(rows):
            continue
        here = criterion(at[rows], rows)
        unit = size[rows][:, :, None] * size[rows][:, None, :]
        fields["coefficients"][rows] = at[rows, :p] / size[rows]
        fields["covariance"][rows] = np.linalg.inv(here.curvature)[:, :p, :p] / unit
        fields["dispersion"][rows] = np.exp(at[rows, p]) if at.shape[-1] > p else 0.0
        fields["log_likelihood"][rows] = -here.value
    return RateFit(**fields)


def _mean(x: Array, offset: Array, weight: Array, beta: Array) -> Array:
    return np.asarray(np.exp(np.minimum((x @ beta[..., None])[..., 0] + offset, 300.0)) * weight)


def _negative_binomial(y: Array, x: Array, offset: Array, weight: Array, theta: Array) -> _Criterion:
    """Return the criterion of coefficients and the logarithm of the dispersion."""
    from scipy.special import digamma, gammaln, polygamma

    p = x.shape[-1]
    k = np.exp(-theta[:, -1])[:, None]
    mean = _mean(x, offset, weight, theta[:, :p])
    both = k + mean
    log_mean = np.log(np.where(weight > 0, mean, 1.0))
    value = gammaln(y + k) - gammaln(k) - gammaln(y + 1) + k * np.log(k / both) + y * (log_mean - np.log(both))
    by_beta = (y - mean) * k / both
    by_k = digamma(y + k) - digamma(k) + np.log(k / both) + 1 - (y + k) / both
    twice_k = polygamma(1, y + k) - polygamma(1, k) + 1 / k - 2 / both + (y + k) / both**2
    mixed = (y - mean) * mean / both**2
    count = len(y)
    gradient, curvature = np.empty((count, p + 1)), np.empty((count, p + 1, p + 1))
    turned = np.swapaxes(x, -1, -2)
    gradient[:, :p] = -(turned @ (by_beta * weight)[..., None])[..., 0]
    slope_k = (by_k * weight).sum(1)
    gradient[:, p] = k[:, 0] * slope_k
    curvature[:, :p, :p] = (turned * (mean * k * (k + y) / both**2 * weight)[:, None]) @ x
    curvature[:, :p, p] = curvature[:, p, :p] = k * (turned @ (mixed * weight)[..., None])[..., 0]
    curvature[:, p, p] = -((k[:, 0] ** 2) * (twice_k * weight).sum(1) + k[:, 0] * slope_k)
    stand_in = np.zeros_like(curvature)
    stand_in[:, :p, :p] = curvature[:, :p, :p]
    stand_in[:, p, p] = np.maximum(np.abs(curvature[:, p, p]), 1.0)
    return _Criterion(-(value * weight).sum(1), gradient, curvature, stand_in)


def _poisson(y: Array, x: Array, offset: Array, weight: Array, theta: Array) -> _Criterion:
    from scipy.special import gammaln

    mean = _mean(x, offset, weight, theta)
    log_mean = np.log(np.where(weight > 0, mean, 1.0))
    turned = np.swapaxes(x, -1, -2)
    value = ((mean - y * log_mean + gammaln(y + 1)) * weight).sum(1)
    curvature = (turned * mean[:, None]) @ x
    return _Criterion(value, -(turned @ ((y - mean) * weight)[..., None])[..., 0], curvature, curvature)
