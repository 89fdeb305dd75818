"""Slopes of eGFR whose courses end with an event that the slope itself brings: one model of course and event (shared parameters).

A mixed model takes missing values as missing at random. Kidney failure and death are not: who falls fastest, by a slope that nobody sees whole, is lost
first. Here the logarithm of the day of the event depends on a patient's own intercept and slope, as in
Piccorelli and Schluchter (2012, doi 10.1002/sim.5469); all is normal, so that the likelihood needs no integration, and patients without an event by their last day are censored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .estimators import Array, Estimate, as_estimate
from .random_slopes import CourseBlocks, course_blocks
from .slope_contrasts import SlopeContrasts, named_weights
from .slope_model import course_design, slope_model

#: Steps of differences, in units of parameters that are near 1.
_STEP = 1e-4
_MOST_STEPS = 15


@dataclass(frozen=True)
class SharedSlopes(SlopeContrasts):
    """Shared-parameter models of replicates (R) with p coefficients of the course; NaN where there is no fit.

    Attributes
    ----------
    names, knot
        As in `SlopeFit`.
    coefficients, covariance
        Of the course, shapes (R, p), (R, p, p); by maximum likelihood.
    link, link_error
        What the logarithm of the day of the event changes by per unit of a patient's own intercept and slope, shape (R, 2). A link of 0 is an event that tells
        nothing.
    log_likelihood, patients
        Shape (R,).
    """

    names: tuple[str, ...]
    coefficients: Array
    covariance: Array
    link: Array
    link_error: Array
    log_likelihood: Array
    patients: Array
    knot: float | None

    def estimate(self, contrast: dict[str, float], level: float = 0.95) -> Estimate:
        """Return a combination of coefficients by name, by the normal distribution; shape (R,).

        Parameters
        ----------
        contrast
            Weights of coefficients by name; those not named have 0.
        level
            Of the interval, such as 0.95.

        Returns
        -------
        Estimate
            Effect, standard error, degrees of freedom, two-sided p, interval and number of patients; shape (R,).

        Raises
        ------
        ConfigError
            There is no coefficient of that name.
        """
        weights = named_weights(contrast, self.names)
        error = np.sqrt(np.einsum("p,rpq,q->r", weights, self.covariance, weights))
        return as_estimate(self.coefficients @ weights, error, np.inf, self.patients, level)


@dataclass(frozen=True)
class _Data:
    """One trial: blocks of the course, what is left of it, and the event."""

    blocks: CourseBlocks
    root: Array
    log_end: Array
    ended: NDArray[np.bool_]
    cause: Array


def shared_slopes(
    years: ArrayLike,
    values: ArrayLike,
    baseline: ArrayLike,
    treated: ArrayLike,
    end: ArrayLike,
    ended: ArrayLike,
    knot: float | None = None,
    *,
    treated_at_start: bool = True,
    covariates: Sequence[ArrayLike] = (),
) -> SharedSlopes:
    """Fit course and event together by maximum likelihood, trial by trial.

    Parameters
    ----------
    years, values, baseline, treated, knot, treated_at_start, covariates
        As in `slope_model`.
    end, ended
        Years until the event, or until a patient was last watched, above 0; and whether it was the event. Shape (R, n) or (n,).

    Returns
    -------
    SharedSlopes
        Coefficients of the course, what binds the event to it, and the likelihood of each replicate.

    Raises
    ------
    ValueError
        The shapes do not go together.

    Notes
    -----
    The logarithm of the day of the event has a mean by arm and baseline, plus `link` times a patient's own intercept and slope, and normal scatter. Errors are those of
    the observed information, with derivatives by differences; NaN where a scatter runs to 0, so that there is no maximum. A trial of 500 takes about a second: for
    thousands of replicates `slope_model` is the fast choice, and this one shows its bias on some of them.

    Examples
    --------
    >>> import numpy as np
    >>> import betapod
    >>> random, years, treated = np.random.default_rng(3), np.array([0.5, 1, 1.5, 2]), np.arange(150) % 2.0
    >>> base, own = random.normal(45, 8, 150), random.normal(0, 3, 150)
    >>> egfr = (base + random.normal(0, 3, 150))[:, None] + (own - 4)[:, None] * years + random.normal(0, 2, (150, 4))
    >>> day = 2 * np.exp(0.3 * own + random.normal(0, 0.3, 150))
    >>> egfr[years >= np.minimum(day, 2.5)[:, None]] = np.nan
    >>> fit = betapod.analyses.shared_slopes(years, egfr, base, treated, np.minimum(day, 2.5), day < 2.5)
    >>> bool(fit.link[0, 1] > 2 * fit.link_error[0, 1])
    True
    """
    y = np.asarray(values, dtype=float)
    y = y[None] if y.ndim == 2 else y
    t = np.broadcast_to(np.asarray(years, dtype=float), y.shape)
    arm = np.broadcast_to(np.asarray(treated, dtype=float), y.shape[:2])
    others = [np.broadcast_to(np.asarray(column, dtype=float), y.shape[:2]) for column in (baseline, *covariates)]
    last = np.broadcast_to(np.asarray(end, dtype=float), y.shape[:2])
    event = np.broadcast_to(np.asarray(ended, dtype=bool), y.shape[:2])
    usable = np.isfinite(arm) & np.all([np.isfinite(column) for column in others], axis=0) & (last > 0)
    y = np.where(usable[..., None] & np.isfinite(t), y, np.nan)
    plain = slope_model(t, y, others[0], arm, knot, treated_at_start=treated_at_start, covariates=others[1:])
    names, design = course_design(t, arm, others, knot, treated_at_start)
    parts = []
    for r in range(len(y)):
        # Who had the event before any visit tells of it all the same.
        keep = usable[r]
        cause = np.stack([np.ones(keep.sum()), arm[r, keep], _scaled(others[0][r, keep])], 1)
        start = plain.coefficients[r], plain.variances[r]
        parts.append(_fit_trial(t[r, keep], y[r, keep], design[r, keep], last[r, keep], event[r, keep], cause, start))
    coefficients, covariance, link, error, likelihood = (np.stack(column) for column in zip(*parts, strict=True))
    return SharedSlopes(names, coefficients, covariance, link, error, likelihood, plain.patients, knot)


def _scaled(column: Array) -> Array:
    size = column.std() if len(column) else 0.0
    return np.asarray((column - column.mean()) / (size if size > 0 else 1.0)) if len(column) else column


def _fit_trial(
    t: Array,
    y: Array,
    design: Array,
    last: Array,
    event: NDArray[np.bool_],
    cause: Array,
    start: tuple[Array, Array],
) -> tuple[Array, Array, Array, Array, Array]:
    from scipy.optimize import minimize

    beta, variances = start
    p = len(beta)
    nothing = np.full(p, np.nan), np.full((p, p), np.nan), np.full(2, np.nan), np.full(2, np.nan), np.array(np.nan)
    if not np.isfinite(beta).all() or event.sum() < 3:
        return nothing
    sigma = np.sqrt(variances[0])
    spreads = np.sqrt(np.maximum(variances[[1, 3]], 0.05 * variances[0]))
    # Parameters are distances from the mixed model in its own units, so that all are near 1 in size.
    unit = np.sqrt((design**2 * np.isfinite(y)[..., None]).sum((0, 1)) / np.isfinite(y).sum())
    residual = np.where(np.isfinite(y), y - design @ beta, np.nan) / sigma
    blocks = course_blocks(t[None], residual[None], (design / unit)[None], np.zeros((1, len(y)), dtype=int))
    root = _loadings(t, np.isfinite(y)) * (spreads / sigma)
    data = _Data(blocks, root, np.log(last), event, cause)
    first = np.zeros(p + 1 + 3 + cause.shape[1] + 2 + 1)
    mean = data.log_end.mean()
    first[p + 4] = mean + 0.5
    first[-1] = 0.0

    def value(theta: Array) -> float:
        return float(_minus_log(theta[None], data)[0])

    def slope(theta: Array) -> Array:
        return np.asarray(_gradient(theta[None], data)[0])

    fit = minimize(value, first, jac=slope, method="BFGS", options={"gtol": 1e-4, "maxiter": 500})
    theta = fit.x
    for _ in range(_MOST_STEPS):
        curvature = _curvature(theta, data)
        if np.linalg.eigvalsh(curvature)[0] <= 0:
            return nothing
        gradient = slope(theta)
        step = np.linalg.solve(curvature, gradient)
        theta = theta - step
        if gradient @ step < 1e-8:
            break
    else:
        return nothing
    spread = np.linalg.inv(_curvature(theta, data))
    size = sigma / unit
    k = p + 4 + cause.shape[1]
    links = slice(k, k + 2)
    # In parameters the link belongs to intercepts and slopes in units of their first guess.
    covariance = spread[:p, :p] * size[:, None] * size
    errors = np.sqrt(np.diagonal(spread)[links]) / spreads
    likelihood = -value(theta) - np.isfinite(y).sum() * np.log(sigma)
    return beta + theta[:p] * size, covariance, theta[links] / spreads, errors, np.array(likelihood)


def _loadings(t: Array, measured: NDArray[np.bool_]) -> Array:
    """Return (n, 2, 2) what intercept and slope of a patient do to the two numbers of the course."""
    count = measured.sum(-1)
    root = np.sqrt(count)
    middle = np.where(measured, t, 0.0).sum(-1) / np.maximum(count, 1)
    spread = np.sqrt((np.where(measured, t - middle[:, None], 0.0) ** 2).sum(-1))
    zero = np.zeros(len(t))
    return np.stack(
        [np.stack([root, root * middle], -1), np.stack([zero, np.where(spread > 1e-9, spread, 0.0)], -1)], 1
    )


def _minus_log(theta: Array, data: _Data) -> Array:
    """Return minus the log likelihood of parameter sets (B, k), shape (B,)."""
    from scipy.special import log_ndtr

    p, q = data.blocks.x.shape[-1], data.cause.shape[1]
    beta, residual = theta[:, :p], np.exp(2 * theta[:, p])
    lower = np.zeros((len(theta), 2, 2))
    lower[:, 0, 0], lower[:, 1, 0] = np.exp(theta[:, p + 1]), theta[:, p + 2]
    lower[:, 1, 1] = np.exp(theta[:, p + 3])
    loading = data.root[None] @ lower[:, None]
    present = data.blocks.present[0]
    covariance = (
        loading @ np.swapaxes(loading, -1, -2) + residual[:, None, None, None] * np.eye(2) * present[:, None, :]
    )
    covariance = covariance + np.eye(2) * (1 - present)[:, None, :]
    a, b, d = covariance[..., 0, 0], covariance[..., 0, 1], covariance[..., 1, 1]
    determinant = a * d - b**2
    miss = data.blocks.y - (data.blocks.x[0] @ beta[:, None, :, None])[..., 0]
    pull = (
        np.stack([d * miss[..., 0] - b * miss[..., 1], a * miss[..., 1] - b * miss[..., 0]], -1)
        / determinant[..., None]
    )
    total = 0.5 * (np.log(determinant) + (pull * miss).sum(-1)).sum(-1)
    xx, xy, yy = data.blocks.xx[0], data.blocks.xy[0], data.blocks.yy[0]
    rest = yy - 2 * beta @ xy + np.einsum("bp,pq,bq->b", beta, xx, beta)
    total += 0.5 * (data.blocks.freedom[0] * np.log(residual) + rest / residual)
    total += 0.5 * (data.blocks.freedom[0] + present.sum()) * np.log(2 * np.pi)
    # The link on the scale of the standard normal effects behind intercept and slope.
    link = (np.swapaxes(lower, -1, -2) @ theta[:, p + 4 + q : p + 6 + q, None])[..., 0]
    through = (loading @ link[:, None, :, None])[..., 0]
    mean = theta[:, p + 4 : p + 4 + q] @ data.cause.T + (pull * through).sum(-1)
    solved = (
        np.stack([d * through[..., 0] - b * through[..., 1], a * through[..., 1] - b * through[..., 0]], -1)
        / determinant[..., None]
    )
    variance = np.exp(2 * theta[:, -1:]) + (link**2).sum(-1, keepdims=True) - (solved * through).sum(-1)
    scale = np.sqrt(np.maximum(variance, 1e-300))
    z = (data.log_end - mean) / scale
    density = -0.5 * z**2 - np.log(scale) - 0.5 * np.log(2 * np.pi) - data.log_end
    return np.asarray(total - np.where(data.ended, density, log_ndtr(-z)).sum(-1))


def _gradient(theta: Array, data: _Data) -> Array:
    """Return (B, k) the derivatives at parameter sets by central differences."""
    k = theta.shape[1]
    steps = _STEP * np.concatenate([np.eye(k), -np.eye(k)])
    values = _minus_log((theta[:, None] + steps).reshape(-1, k), data).reshape(len(theta), 2, k)
    return (values[:, 0] - values[:, 1]) / (2 * _STEP)


def _curvature(theta: Array, data: _Data) -> Array:
    k = len(theta)
    step = 10 * _STEP
    more, less = (
        np.concatenate([_gradient((theta + sign * step * row)[None], data) for row in np.eye(k)]) for sign in (1, -1)
    )
    curvature = (more - less) / (2 * step)
    return np.asarray((curvature + curvature.T) / 2)
