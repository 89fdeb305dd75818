"""Estimators for one trial or thousands at once: mean change, ANCOVA, risk difference.

Every function takes arrays whose last axis is the patients; axes before it are replicates, analysed together. A missing value is
NaN and its patient is left out. The estimates equal those of statsmodels to rounding. Mixed models of
all visits are in `mixed_model`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import ConfigError, not_among

Array = NDArray[np.float64]

#: Errors of `ancova` that hold where the scatter differs between patients.
ROBUST = ("HC0", "HC1", "HC2", "HC3")


@dataclass(frozen=True)
class Estimate:
    """An effect with its uncertainty; every field has the shape of the replicates.

    Attributes
    ----------
    effect, standard_error, low, high
        In the unit of the outcome; `low` and `high` bound the confidence interval.
    degrees
        Degrees of freedom of Student's t; infinite for a normal statistic.
    p
        Two-sided.
    n
        Patients analysed.
    """

    effect: Array
    standard_error: Array
    degrees: Array
    p: Array
    low: Array
    high: Array
    n: Array

    @property
    def statistic(self) -> Array:
        """The effect in standard errors."""
        return self.effect / self.standard_error

    def at(self, replicate: int) -> dict[str, float]:
        """Return the numbers of one replicate."""
        names = ("effect", "standard_error", "degrees", "p", "low", "high", "n")
        return {name: float(np.atleast_1d(getattr(self, name))[replicate]) for name in names}


def as_estimate(
    effect: Array, standard_error: Array, degrees: ArrayLike, n: ArrayLike, level: float = 0.95
) -> Estimate:
    """Return an `Estimate` from effect, standard error and degrees of freedom (infinite: normal).

    Without scatter there is nothing to test with: where the standard error is 0, it, the interval and p are NaN.
    """
    from scipy.special import ndtri, stdtr, stdtrit

    standard_error = np.where(standard_error > 0, standard_error, np.nan)

    degrees = np.broadcast_to(np.asarray(degrees, dtype=float), effect.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = effect / standard_error
        usable = np.where(degrees > 0, degrees, np.nan)
        p = 2 * stdtr(usable, -np.abs(statistic))
        quantile = np.where(np.isinf(usable), ndtri((1 + level) / 2), stdtrit(usable, (1 + level) / 2))
    half = quantile * standard_error
    counts = np.broadcast_to(np.asarray(n, dtype=float), effect.shape)
    return Estimate(effect, standard_error, degrees, p, effect - half, effect + half, counts)


def mean_change(change: ArrayLike, level: float = 0.95) -> Estimate:
    """Return the mean change within one group, by the one-sample t test: what a study before and after reports.

    Parameters
    ----------
    change
        Shape (..., patients).
    """
    values = np.asarray(change, dtype=float)
    present = np.isfinite(values)
    n = present.sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(present, values, 0.0).sum(-1) / n
        square = (np.where(present, values - mean[..., None], 0.0) ** 2).sum(-1)
        square = np.where(square > _rounding(values, present), square, 0.0)
        error = np.sqrt(square / (n - 1) / n)
    return as_estimate(mean, error, n - 1, n, level)


def ancova(
    outcome: ArrayLike,
    baseline: ArrayLike | None,
    treated: ArrayLike,
    strata: ArrayLike | None = None,
    covariates: Sequence[ArrayLike] = (),
    level: float = 0.95,
    robust: str | None = None,
) -> Estimate:
    """Return the difference between arms, adjusted for baseline, strata and covariates by ordinary least squares.

    Parameters
    ----------
    outcome, baseline, covariates
        Shape (..., patients); without a baseline the unadjusted difference (Student's t with pooled variance).
    treated
        1 or True in the treated arm, shape (..., patients).
    strata
        Whole numbers, shape (..., patients); each level beyond the first has a column. A stratum that a replicate lacks
        costs it no degree of freedom.
    robust
        ``HC0``, ``HC1``, ``HC2`` or ``HC3``: errors that hold also where the scatter differs between patients (MacKinnon and White 1985); by default
        those of equal scatter.
    level
        Of the interval, such as 0.95.

    Returns
    -------
    Estimate
        The difference, treated less control, with Student's t; shape (...).

    Raises
    ------
    ValueError
        The shapes do not go together.

    Examples
    --------
    >>> import betapod
    >>> estimate = betapod.analyses.ancova([1.0, 2, 3, 5, 6, 8], None, [0, 0, 0, 1, 1, 1], robust="HC3")
    >>> round(float(estimate.effect), 3), round(float(estimate.standard_error), 3)
    (4.333, 1.291)
    """
    if robust is not None and robust not in ROBUST:
        raise ConfigError(not_among(ROBUST, "unknown-errors", "there are no such robust errors", robust))
    y = np.asarray(outcome, dtype=float)
    arm = np.broadcast_to(np.asarray(treated, dtype=float), y.shape)
    adjusting = [np.broadcast_to(np.asarray(column, dtype=float), y.shape) for column in covariates]
    if baseline is not None:
        adjusting.insert(0, np.broadcast_to(np.asarray(baseline, dtype=float), y.shape))
    if strata is not None:
        codes = np.broadcast_to(np.asarray(strata), y.shape)
        adjusting += [(codes == code).astype(float) for code in np.unique(codes)[1:]]
    present: NDArray[np.bool_] = np.asarray(np.isfinite(y) & np.isfinite(arm))
    for column in adjusting:
        present &= np.isfinite(column)
    n = present.sum(-1)
    # Centred and scaled columns keep the normal equations well conditioned; the coefficient of the arm does not change.
    columns = [_standard(column, present, n) for column in adjusting]
    design = np.stack([np.where(present, 1.0, 0.0), np.where(present, arm, 0.0), *columns], axis=-1)
    response = np.where(present, y, 0.0)
    # matmul runs in BLAS, einsum does not.
    turned = np.swapaxes(design, -1, -2)
    inverse, rank = _inverse(turned @ design)
    coefficients = inverse @ (turned @ response[..., None])
    residual = response[..., None] - design @ coefficients
    # One step of refinement takes the error of the normal equations away.
    correction = inverse @ (turned @ residual)
    coefficients = coefficients + correction
    residual = (residual - design @ correction)[..., 0]
    degrees = n - rank
    with np.errstate(divide="ignore", invalid="ignore"):
        square = (residual**2).sum(-1)
        square = np.where(square > _rounding(y, present), square, 0.0)
        variance = np.where(degrees > 0, square / degrees, np.nan)
        error = np.sqrt(variance * inverse[..., 1, 1])
        if robust is not None:
            enough = (degrees > 0) & (square > 0)
            error = np.where(enough, _robust_error(robust, design, inverse, residual, n, degrees), np.nan)
    effect = np.where(_both(arm, present), coefficients[..., 1, 0], np.nan)
    return as_estimate(effect, np.where(np.isfinite(effect), error, np.nan), degrees, n, level)


def _robust_error(
    kind: str, design: Array, inverse: Array, residual: Array, n: NDArray[np.int_], degrees: NDArray[np.int_]
) -> Array:
    """Return the standard error of the second coefficient by the sandwich, residuals weighted as the kind has it."""
    pull = (design @ inverse[..., 1, :, None])[..., 0]
    leverage = ((design @ inverse) * design).sum(-1)
    factor = {"HC0": 0, "HC1": 0, "HC2": 1, "HC3": 2}[kind]
    weight = np.where(leverage < 1, 1 - leverage, np.nan) ** -factor
    square = np.where(pull != 0, pull**2 * residual**2 * weight, 0.0).sum(-1)
    return np.asarray(np.sqrt(square * (n / degrees if kind == "HC1" else 1.0)))


def _rounding(values: Array, present: NDArray[np.bool_]) -> Array:
    """Return the sum of squares that rounding alone leaves of values that do not scatter."""
    size = np.where(present, np.abs(values), 0.0).max(-1, initial=0.0)
    return np.asarray(present.sum(-1) * (1e-13 * size) ** 2)


def _standard(column: Array, present: NDArray[np.bool_], n: NDArray[np.int_]) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        centred = np.where(present, column - np.where(present, column, 0.0).sum(-1, keepdims=True) / n[..., None], 0.0)
    size = np.sqrt((centred**2).sum(-1, keepdims=True) / np.maximum(n[..., None], 1))
    scaled: Array = centred / np.where(size > 0, size, 1.0)
    return scaled


def _inverse(matrix: Array) -> tuple[Array, NDArray[np.int_]]:
    """Return the pseudo-inverse and the rank of symmetric matrices."""
    values, vectors = np.linalg.eigh(matrix)
    kept = values > values[..., -1:] * 1e-11
    inverted = np.where(kept, 1.0 / np.where(kept, values, 1.0), 0.0)
    return (vectors * inverted[..., None, :]) @ np.swapaxes(vectors, -1, -2), kept.sum(-1)


def _both(arm: Array, present: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether both arms have patients."""
    return np.asarray(((arm > 0.5) & present).any(-1) & ((arm <= 0.5) & present).any(-1))


# -- proportions ---------------------------------------------------------------------------------------------------------


def wilson(count: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Array, Array]:
    """Return Wilson's score interval of a proportion."""
    from scipy.special import ndtri

    count, n = np.asarray(count, dtype=float), np.asarray(n, dtype=float)
    z = ndtri((1 + level) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = count / n
        middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # Of nobody or everybody the interval ends at 0 or 1, not a rounding beside it; nan stays nan.
    low = np.where(count == 0, 0.0 * middle, np.maximum(middle - half, 0.0))
    high = np.where(count == n, 1.0 + 0.0 * middle, np.minimum(middle + half, 1.0))
    return low, high


def exact_interval(count: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Array, Array]:
    """Return the exact interval of a proportion (Clopper and Pearson 1934), for rare events."""
    from scipy.special import betaincinv

    count, n = np.asarray(count, dtype=float), np.asarray(n, dtype=float)
    tail = (1 - level) / 2
    low = np.where(count > 0, betaincinv(np.maximum(count, 1e-300), n - count + 1, tail), 0.0)
    high = np.where(count < n, betaincinv(count + 1, np.maximum(n - count, 1e-300), 1 - tail), 1.0)
    return low, high


def risk_difference(response: ArrayLike, treated: ArrayLike, level: float = 0.95) -> Estimate:
    """Return the difference of the proportions of responders.

    The interval is Newcombe's hybrid score interval (1998, method 10); p is that of the score test with pooled variance.

    Parameters
    ----------
    response
        1, 0 or NaN, shape (..., patients).
    treated
        1 or True in the treated arm, shape (..., patients).
    level
        Of the interval, such as 0.95.

    Returns
    -------
    Estimate
        Treated less control, shape (...).

    Raises
    ------
    ValueError
        The shapes do not go together.

    Examples
    --------
    >>> import betapod
    >>> estimate = betapod.analyses.risk_difference([1, 1, 0, 1, 0, 0, 1, 0], [1, 1, 1, 1, 0, 0, 0, 0])
    >>> float(estimate.effect)
    0.5
    """
    from scipy.special import ndtr

    values = np.asarray(response, dtype=float)
    arm = np.broadcast_to(np.asarray(treated, dtype=float), values.shape) > 0.5
    present = np.isfinite(values)
    n1, n0 = (present & arm).sum(-1), (present & ~arm).sum(-1)
    x1, x0 = np.where(present & arm, values, 0.0).sum(-1), np.where(present & ~arm, values, 0.0).sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        p1, p0 = x1 / n1, x0 / n0
        pooled = (x1 + x0) / (n1 + n0)
        error = np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0))
        difference = p1 - p0
        error = np.where(np.isfinite(difference), error, np.nan)
        # Where everybody or nobody responds there is no difference to doubt; where an arm is empty there is nothing to test.
        p = np.where(error > 0, 2 * ndtr(-np.abs(difference / error)), np.where(np.isfinite(difference), 1.0, np.nan))
    (low1, high1), (low0, high0) = wilson(x1, n1, level), wilson(x0, n0, level)
    low = difference - np.sqrt((p1 - low1) ** 2 + (high0 - p0) ** 2)
    high = difference + np.sqrt((high1 - p1) ** 2 + (p0 - low0) ** 2)
    return Estimate(difference, error, np.full_like(p, np.inf), p, low, high, n1 + n0)


def stratified_risk_difference(
    response: ArrayLike, treated: ArrayLike, strata: ArrayLike, level: float = 0.95
) -> Estimate:
    """Return the difference of the proportions of responders within strata, weighted as Mantel and Haenszel weight tables.

    Parameters
    ----------
    response, treated, strata
        1, 0 or NaN; the arm; whole numbers. Shape (..., patients).
    level
        Of the interval, such as 0.95.

    Returns
    -------
    Estimate
        Treated less control, by the normal distribution; shape (...).

    Raises
    ------
    ValueError
        The shapes do not go together.

    Notes
    -----
    Weights n1 n0 / (n1 + n0), as the minimum of the variance for one difference has them; the variance is that of binomials in each stratum
    (Greenland and Robins 1985). A stratum with one arm says nothing.

    Examples
    --------
    >>> import betapod
    >>> response, treated, strata = [1, 0, 1, 1, 0, 0, 1, 0], [1, 0, 1, 0, 1, 0, 1, 0], [0, 0, 0, 0, 1, 1, 1, 1]
    >>> float(betapod.analyses.stratified_risk_difference(response, treated, strata).effect)
    0.5
    """
    values = np.asarray(response, dtype=float)
    arm = np.broadcast_to(np.asarray(treated, dtype=float), values.shape) > 0.5
    codes = np.broadcast_to(np.asarray(strata), values.shape)
    present = np.isfinite(values)
    total, top, square = (np.zeros(values.shape[:-1]) for _ in range(3))
    for code in np.unique(codes):
        inside = present & (codes == code)
        n1, n0 = (inside & arm).sum(-1), (inside & ~arm).sum(-1)
        x1, x0 = np.where(inside & arm, values, 0.0).sum(-1), np.where(inside & ~arm, values, 0.0).sum(-1)
        both = (n1 > 0) & (n0 > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            p1, p0, weight = x1 / n1, x0 / n0, n1 * n0 / (n1 + n0)
            total += np.where(both, weight, 0.0)
            top += np.where(both, weight * (p1 - p0), 0.0)
            square += np.where(both, weight**2 * (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return as_estimate(top / total, np.sqrt(square) / total, np.inf, present.sum(-1), level)
