"""The most probable unknowns of a linear model of the rows: reweighted, damped, within bounds; costs no evaluation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .fit_likelihood import Likelihood, LocalLikelihood

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
#: A linear model is solved when a step moves no unknown by so many SDs of the prior, or gains so little.
_SMALL_STEP, _SMALL_GAIN = 1e-3, 1e-4
_HALVINGS = 5


def posterior_loss(likelihood: Likelihood, predicted: Numbers, u: Numbers, use: Flags) -> Numbers:
    """Return minus log posterior (K,) but for a constant: minus log likelihood and half the square of the distance from the prior."""
    return np.asarray(0.5 * np.sum(np.square(u), axis=1) - likelihood.log_density(predicted, use), dtype=np.float64)


def solve_linear(
    likelihood: Likelihood,
    u: Numbers,
    predicted: Numbers,
    jacobian: Numbers,
    use: Flags,
    bounds: tuple[Numbers, Numbers],
    damping: float = 0.0,
    most: int = 30,
) -> Numbers:
    """Return the most probable unknowns (d,) of the linear model around u, within bounds; `damping` holds them back.

    Rows are reweighted until nothing changes; a step that would raise the loss of the linear model is halved.
    """
    at = u.copy()
    slopes = np.where(use[:, None], jacobian, 0.0)
    base = np.where(use, predicted, np.nan)
    local = likelihood.around(base, use)
    hold = damping * (np.einsum("nd,nm,md->d", slopes, local.curvature, slopes) + 1.0)
    loss = _loss(local, u, at, hold)
    for _ in range(most):
        curvature = slopes.T @ local.curvature @ slopes
        gradient = slopes.T @ local.score - at - hold * (at - u)
        step = _bounded_step(curvature + np.diag(1.0 + hold), gradient, bounds[0] - at, bounds[1] - at)
        for _ in range(_HALVINGS):
            reached = likelihood.around(base + slopes @ (at + step - u), use)
            trial = _loss(reached, u, at + step, hold)
            if trial <= loss + 1e-9:
                break
            step = step / 2.0
        else:
            break
        at, gain, loss, local = at + step, loss - trial, trial, reached
        if float(np.abs(step).max(initial=0.0)) < _SMALL_STEP or gain < _SMALL_GAIN:
            break
    return np.clip(at, *bounds)


def leverage_of(likelihood: Likelihood, predicted: Numbers, jacobian: Numbers, use: Flags) -> Numbers:
    """Return (n,) share of each row's variance that unknowns take up when they are fitted to it."""
    slopes = np.where(use[:, None], jacobian, 0.0)
    if not slopes.shape[1]:
        return np.zeros(len(use))
    precision = slopes.T @ likelihood.curvature(predicted, use) @ slopes + np.eye(slopes.shape[1])
    variance = np.einsum("id,de,ie->i", slopes, np.linalg.inv(precision), slopes)
    return np.asarray(variance / np.diag(likelihood.covariance()), dtype=np.float64)


def _loss(local: LocalLikelihood, u: Numbers, at: Numbers, hold: Numbers) -> float:
    return float(0.5 * np.sum(np.square(at)) + 0.5 * np.sum(hold * np.square(at - u)) - local.log_density)


def _bounded_step(matrix: Numbers, gradient: Numbers, low: Numbers, high: Numbers) -> Numbers:
    """Return the step that is best for a quadratic model within bounds."""
    from scipy.optimize import lsq_linear

    step = np.linalg.solve(matrix, gradient)
    if np.all((step >= low) & (step <= high)):
        return np.asarray(step, dtype=np.float64)
    factor = np.linalg.cholesky(matrix)
    # A place on a bound needs room of some width.
    room = np.maximum(high, 1e-12), np.minimum(low, -1e-12)
    solution = lsq_linear(factor.T, np.linalg.solve(factor, gradient), (room[1], room[0]), method="bvls")
    return np.asarray(solution.x, dtype=np.float64)
