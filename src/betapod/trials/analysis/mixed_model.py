"""Mixed model of repeated measures (MMRM) of one trial: all visits together, with an unstructured covariance within patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .estimators import Array, Estimate, as_estimate

#: Patients per parameter of the covariance below which it is not estimated; assumed.
_PATIENTS_PER_PARAMETER = 1.0


@dataclass(frozen=True)
class _Pattern:
    """Patients who attended the same visits: their number, covariates and outcomes, 0 where not attended."""

    attended: NDArray[np.intp]
    size: int
    products: Array
    outcomes: Array
    covariates: Array

    def inverse(self, covariance: Array) -> tuple[Array, float]:
        """Return the inverse of the covariance of the visits attended, 0 elsewhere, and the logarithm of its determinant."""
        part = covariance[np.ix_(self.attended, self.attended)]
        inverse = np.zeros_like(covariance)
        inverse[np.ix_(self.attended, self.attended)] = np.linalg.inv(part)
        return inverse, float(np.linalg.slogdet(part)[1])


def mmrm(
    values: ArrayLike,
    baseline: ArrayLike,
    treated: ArrayLike,
    strata: ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return the difference between arms at the last visit, from all visits after baseline, by restricted maximum likelihood.

    Visits are categories, each with its own effect of the arm, the baseline and the strata; the covariance of a patient's visits is
    unstructured. Missing visits are taken as missing at random. Degrees of freedom are Satterthwaite's, from the observed
    information. Without missing visits all of it equals the analysis of covariance at the last visit.

    Parameters
    ----------
    values
        Shape (patients, visits); NaN where a visit was missed.
    baseline, treated, strata
        Shape (patients,).

    Returns
    -------
    Estimate
        Shape (1,); NaN where the trial is too small for the model, or the fit fails.
    """
    y, base, arm = (np.asarray(column, dtype=float) for column in (values, baseline, treated))
    keep = np.isfinite(base) & np.isfinite(arm) & np.isfinite(y).any(1)
    y, base, arm = y[keep], base[keep], arm[keep]
    columns = [np.ones(len(y)), arm, base - (base.mean() if len(base) else 0.0)]
    if strata is not None:
        codes = np.asarray(strata)[keep]
        columns += [(codes == code).astype(float) for code in np.unique(codes)[1:]]
    covariates, visits = np.stack(columns, 1), y.shape[1]
    nothing = as_estimate(np.array([np.nan]), np.array([np.nan]), np.nan, float(len(y)), level)
    present = np.isfinite(y)
    if not len(y) or not visits:
        return nothing
    together = (present[:, :, None] & present[:, None, :]).sum(0)
    needed = covariates.shape[1] + _PATIENTS_PER_PARAMETER * visits * (visits + 1) / 2
    alone = [np.linalg.matrix_rank(covariates[present[:, v]]) for v in range(visits)]
    if together.min() <= needed or min(alone) < covariates.shape[1]:
        return nothing
    size = np.nanstd(y, axis=0)
    if not np.all(size > 0):
        return nothing
    patterns = _patterns(y / size, covariates)
    fit = _fit(patterns, visits, covariates.shape[1])
    if fit is None:
        return nothing
    effect, variance, degrees = fit
    return as_estimate(
        np.array([effect * size[-1]]), np.array([np.sqrt(variance) * size[-1]]), degrees, float(len(y)), level
    )


def _patterns(y: Array, covariates: Array) -> list[_Pattern]:
    present = np.isfinite(y)
    patterns = []
    for attended in np.unique(present, axis=0):
        members = (present == attended).all(1)
        z, outcomes = covariates[members], np.where(attended, y[members], 0.0)
        patterns.append(_Pattern(np.flatnonzero(attended), int(members.sum()), z.T @ z, outcomes, z))
    return patterns


def _fit(patterns: list[_Pattern], visits: int, count: int) -> tuple[float, float, float] | None:
    """Return the effect of the arm at the last visit, its variance and degrees of freedom; None where the fit fails."""
    from scipy.optimize import minimize

    low = np.tril_indices(visits)
    diagonal = low[0] == low[1]

    def root(theta: Array) -> Array:
        factor = np.zeros((visits, visits))
        factor[low] = np.where(diagonal, np.exp(np.where(diagonal, theta, 0.0)), theta)
        return factor

    def objective(theta: Array) -> tuple[float, Array]:
        factor = root(theta)
        value, slope = _criterion(patterns, factor @ factor.T, count)
        by_root = (2 * slope @ factor)[low]
        return value, np.where(diagonal, by_root * factor[low], by_root)

    start = np.zeros(len(low[0]))
    try:
        with np.errstate(all="ignore"):
            fit = minimize(objective, start, jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": 500})
            if not np.all(np.isfinite(fit.x)) or np.abs(fit.jac).max() > 1e-3:
                return None
            factor = root(fit.x)
            return _contrast(patterns, factor @ factor.T, count)
    except np.linalg.LinAlgError:
        return None


def _normal(patterns: list[_Pattern], covariance: Array, count: int) -> tuple[list[Array], float, Array, Array]:
    """Return inverses, sum of log determinants, matrix and right side of the normal equations of the fixed effects."""
    inverses, logs = [], 0.0
    matrix, right = np.zeros((len(covariance) * count,) * 2), np.zeros((len(covariance), count))
    for pattern in patterns:
        inverse, log = pattern.inverse(covariance)
        inverses.append(inverse)
        logs += pattern.size * log
        matrix += np.kron(inverse, pattern.products)
        right += inverse @ pattern.outcomes.T @ pattern.covariates
    return inverses, logs, matrix, right.reshape(-1)


def _criterion(patterns: list[_Pattern], covariance: Array, count: int) -> tuple[float, Array]:
    """Return minus twice the restricted log likelihood (but for a constant) and its derivative by the covariance."""
    visits = len(covariance)
    inverses, logs, matrix, right = _normal(patterns, covariance, count)
    spread = np.linalg.inv(matrix)
    effects = (spread @ right).reshape(visits, count)
    blocks = spread.reshape(visits, count, visits, count)
    value, slope = logs + float(np.linalg.slogdet(matrix)[1]), np.zeros_like(covariance)
    for pattern, inverse in zip(patterns, inverses, strict=True):
        residual = pattern.outcomes - pattern.covariates @ effects.T
        around = residual.T @ residual
        value += float((inverse * around).sum())
        more = np.einsum("acbd,dc->ab", blocks, pattern.products)
        slope += pattern.size * inverse - inverse @ (around + more) @ inverse
    return value, slope


def _contrast(patterns: list[_Pattern], covariance: Array, count: int) -> tuple[float, float, float]:
    """Return the effect of the arm at the last visit, its variance, and Satterthwaite's degrees of freedom."""
    visits = len(covariance)
    inverses, _, matrix, right = _normal(patterns, covariance, count)
    spread = np.linalg.inv(matrix)
    index = (visits - 1) * count + 1
    effect, variance = float((spread @ right)[index]), float(spread[index, index])
    row = spread[index]
    pairs = list(zip(*np.tril_indices(visits), strict=True))
    steps = []
    for a, b in pairs:
        step = np.zeros((visits, visits))
        step[a, b] = step[b, a] = 1.0
        steps.append(step)
    gradient = np.array(
        [
            row @ sum(np.kron(s @ step @ s, p.products) for s, p in zip(inverses, patterns, strict=True)) @ row
            for step in steps
        ]
    )
    curvature = np.empty((len(pairs), len(pairs)))
    for k, step in enumerate(steps):
        h = 1e-5 * np.sqrt(covariance[pairs[k][0], pairs[k][0]] * covariance[pairs[k][1], pairs[k][1]])
        more, less = (_criterion(patterns, covariance + sign * h * step, count)[1] for sign in (1, -1))
        curvature[k] = [((more - less) * other).sum() / (2 * h) for other in steps]
    curvature = (curvature + curvature.T) / 2
    uncertainty = float(gradient @ np.linalg.solve(curvature / 2, gradient))
    return effect, variance, 2 * variance**2 / uncertainty if uncertainty > 0 else np.nan
