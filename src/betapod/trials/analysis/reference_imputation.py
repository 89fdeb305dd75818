"""Reference-based multiple imputation: what if those who stopped had gone on as the control group (Carpenter, Roger and Kenward 2013).

A mixed model of all visits (means by arm, visit and baseline, one unstructured covariance) says how visits go together. Draws of its parameters complete the
visits after a patient's last one; each completed trial is analysed by analysis of covariance at the last visit, and Rubin's rules join the results.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import ConfigError, not_among
from .estimators import Array, Estimate, ancova, as_estimate
from .mixed_model import fit_mmrm

#: How visits after a treated patient's last one are completed.
STRATEGIES = ("missing at random", "jump to reference", "copy increments in reference", "copy reference")


@dataclass(frozen=True)
class _Model:
    """Draws (M) of means by arm and visit at the mean baseline, slopes of the baseline, and covariances: (2, M, V), (M, V), (M, V, V)."""

    means: Array
    slopes: Array
    covariance: Array


def reference_based(
    values: ArrayLike,
    baseline: ArrayLike,
    treated: ArrayLike,
    strategy: str = "jump to reference",
    *,
    draws: int = 50,
    seed: int = 1,
    level: float = 0.95,
    shift: float = 0.0,
) -> Estimate:
    """Return the difference between arms at the last visit after reference-based multiple imputation, shape (R,).

    Parameters
    ----------
    values
        After baseline, shape (R, n, V) or (n, V); NaN where missing. All patients with a baseline count.
    baseline, treated
        Shape (R, n) or (n,).
    strategy
        ``missing at random``: all go on as their own arm. ``jump to reference``: treated patients have the mean of the control arm at once; ``copy increments
        in reference``: they keep what they had gained and change as the control arm does; ``copy reference``: they always were like the control arm.
        Gaps before a last visit are missing at random.
    draws, seed
        Imputations, and the seed of their random numbers; a replicate has its own stream.
    level
        Of the interval, such as 0.95.
    shift
        What treated patients fare better by, at all visits after they left, than the strategy takes them to: with shifts for the worse the effect tips over at one of
        them.

    Returns
    -------
    Estimate
        Effect, standard error, degrees of freedom, two-sided p, interval and number of patients; shape (R,).

    Raises
    ------
    ConfigError
        There is no such strategy.

    Notes
    -----
    Coefficients are drawn from the normal, covariances from the inverse Wishart distribution around the restricted maximum, with as many degrees of freedom
    as patients less coefficients per visit: an approximation to the posterior of a flat prior. Degrees of freedom after Barnard and Rubin (1999). Rubin's variance treats what the
    strategy assumes as known information about those who left, so that it does not shrink when they are many (Cro and others 2019, doi 10.1111/rssa.12423).

    Examples
    --------
    >>> import numpy as np
    >>> import betapod
    >>> random, treated = np.random.default_rng(1), np.arange(200) % 2.0
    >>> course = random.normal(size=(200, 1)) + random.normal(0, 0.5, (200, 2)) + 2 * treated[:, None]
    >>> course[random.random(200) < 0.3, 1] = np.nan
    >>> like_control, like_own = (
    ...     betapod.analyses.reference_based(course, np.zeros(200) + random.normal(size=200), treated, strategy=name)
    ...     for name in ("jump to reference", "missing at random")
    ... )
    >>> bool(like_control.effect[0] < like_own.effect[0])
    True
    """
    trials = _completed_trials(values, baseline, treated, strategy, draws, seed)
    return _together((trial.estimate(shift) for trial in trials), level)


def completed_trials(
    values: ArrayLike, baseline: ArrayLike, treated: ArrayLike, strategy: str, *, draws: int, seed: int
) -> CompletedTrials:
    """Return trials whose missing visits are drawn; see `reference_based`.

    Raises
    ------
    ConfigError
        There is no such strategy.
    """
    return CompletedTrials(tuple(_completed_trials(values, baseline, treated, strategy, draws, seed)))


def _completed_trials(
    values: ArrayLike, baseline: ArrayLike, treated: ArrayLike, strategy: str, draws: int, seed: int
) -> Iterator[_CompletedTrial]:
    if strategy not in STRATEGIES:
        raise ConfigError(
            not_among(STRATEGIES, "unknown-strategy", "there is no such way to complete visits", strategy)
        )
    y = np.asarray(values, dtype=float)
    y = y[None] if y.ndim == 2 else y
    base = np.broadcast_to(np.asarray(baseline, dtype=float), y.shape[:2])
    arm = np.broadcast_to(np.asarray(treated, dtype=float), y.shape[:2])
    return (_one_trial(y[r], base[r], arm[r], strategy, draws, [seed, r]) for r in range(len(y)))


def _together(results: Iterable[tuple[float, float, float, float]], level: float) -> Estimate:
    effect, error, degrees, n = (np.array(column) for column in zip(*results, strict=True))
    return as_estimate(effect, error, degrees, n, level)


@dataclass(frozen=True)
class _CompletedTrial:
    """Last visits (M, n) of one trial, as they were drawn, or (n,) where none is missing; None where no model could be fitted."""

    last: Array | None
    base: Array
    in_arm: NDArray[np.bool_]
    left: NDArray[np.bool_]

    def estimate(self, shift: float) -> tuple[float, float, float, float]:
        """Return effect, standard error, degrees of freedom and patients."""
        patients = float(len(self.base))
        if self.last is None:
            return np.nan, np.nan, np.nan, patients
        if self.last.ndim == 1:
            plain = ancova(self.last, self.base, self.in_arm)
            return float(plain.effect), float(plain.standard_error), float(plain.degrees), patients
        return *_rubin(ancova(self.last + shift * self.left, self.base, self.in_arm)), patients


@dataclass(frozen=True)
class CompletedTrials:
    """Trials whose missing visits are drawn: they can be asked again and again with other shifts of those who left."""

    trials: tuple[_CompletedTrial, ...]

    def estimate(self, level: float = 0.95, shift: float = 0.0) -> Estimate:
        """Return the difference between arms at the last visit, shape (R,); see `reference_based`."""
        return _together((trial.estimate(shift) for trial in self.trials), level)


def _one_trial(y: Array, base: Array, arm: Array, strategy: str, draws: int, seed: list[int]) -> _CompletedTrial:
    keep = np.isfinite(base) & np.isfinite(arm)
    y, base, in_arm = y[keep], base[keep], arm[keep] > 0.5
    left = in_arm & np.isnan(y[:, -1])
    centred = base - (base.mean() if len(base) else 0.0)
    if np.isfinite(y).all():
        return _CompletedTrial(y[:, -1], base, in_arm, left)
    fit = fit_mmrm(y, [np.ones(len(y)), in_arm.astype(float), centred])
    if not np.isfinite(fit.coefficients).all():
        return _CompletedTrial(None, base, in_arm, left)
    random = np.random.default_rng(seed)
    model = _drawn(fit.coefficients[0], fit.covariance[0], fit.visits[0], int(fit.patients[0]) - 3, draws, random)
    return _CompletedTrial(_completed(y, centred, in_arm, strategy, model, random)[..., -1], base, in_arm, left)


def _drawn(
    beta: Array, spread: Array, covariance: Array, freedom: int, draws: int, random: np.random.Generator
) -> _Model:
    visits = len(covariance)
    coefficients = random.multivariate_normal(beta, spread, draws, method="cholesky").reshape(draws, visits, 3)
    # Bartlett's decomposition of Wishart matrices with mean 1, turned around.
    lower = np.tril(random.normal(size=(draws, visits, visits)), -1)
    diagonal = np.sqrt(random.chisquare(freedom - np.arange(visits), (draws, visits)))
    lower[:, range(visits), range(visits)] = diagonal
    root = np.linalg.cholesky(covariance)
    half = root @ np.swapaxes(np.linalg.inv(lower), -1, -2) * np.sqrt(freedom)
    control = coefficients[..., 0]
    return _Model(
        np.stack([control, control + coefficients[..., 1]]), coefficients[..., 2], half @ np.swapaxes(half, -1, -2)
    )


def _completed(
    y: Array, centred: Array, arm: np.ndarray, strategy: str, model: _Model, random: np.random.Generator
) -> Array:
    """Return (M, n, V) the visits with the missing ones drawn, given those that were attended."""
    present = np.isfinite(y)
    draws, visits = model.slopes.shape
    number = np.arange(visits)
    last = np.where(present.any(1), visits - 1 - present[:, ::-1].argmax(1), -1)
    after = number > last[:, None]
    control, treated = model.means[0][:, None], model.means[1][:, None]
    mean = np.where(arm[:, None], treated, control)
    mean = np.broadcast_to(mean, (draws, *y.shape)).copy()
    moved = after & arm[:, None]
    if strategy == "jump to reference":
        mean = np.where(moved, control, mean)
    elif strategy == "copy reference":
        # Who has left is taken as a control patient throughout.
        left = (moved.any(1))[:, None]
        mean = np.where(left, control, mean)
    elif strategy == "copy increments in reference":
        gained = np.where(last >= 0, (model.means[1] - model.means[0])[:, np.maximum(last, 0)], 0.0)
        mean = np.where(moved, control + gained[..., None], mean)
    mean = mean + centred[:, None] * model.slopes[:, None]
    result = np.broadcast_to(np.where(present, y, 0.0), mean.shape).copy()
    for pattern in np.unique(present, axis=0):
        if pattern.all():
            continue
        rows = np.flatnonzero((present == pattern).all(1))
        missing, attended = np.flatnonzero(~pattern), np.flatnonzero(pattern)
        block = model.covariance[:, missing[:, None], missing]
        centre = mean[:, rows][..., missing]
        if len(attended):
            cross = model.covariance[:, missing[:, None], attended]
            pull = cross @ np.linalg.inv(model.covariance[:, attended[:, None], attended])
            away = y[rows][:, attended] - mean[:, rows][..., attended]
            centre = centre + away @ np.swapaxes(pull, -1, -2)
            block = block - pull @ np.swapaxes(cross, -1, -2)
        root = np.linalg.cholesky(block)
        noise = random.normal(size=(draws, len(rows), len(missing))) @ np.swapaxes(root, -1, -2)
        result[:, rows[:, None], missing] = centre + noise
    return result


def _rubin(estimates: Estimate) -> tuple[float, float, float]:
    """Return effect, standard error and degrees of freedom of completed trials together."""
    m = len(estimates.effect)
    within, between = float(np.mean(estimates.standard_error**2)), float(np.var(estimates.effect, ddof=1))
    total = within + (1 + 1 / m) * between
    share = (1 + 1 / m) * between / total
    complete = float(estimates.degrees[0])
    observed = (complete + 1) / (complete + 3) * complete * (1 - share)
    degrees = observed if share == 0 else 1 / (share**2 / (m - 1) + 1 / observed)
    return float(np.mean(estimates.effect)), float(np.sqrt(total)), float(degrees)
