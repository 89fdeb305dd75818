"""What is known of the unknowns after a fit: normal approximation, draws, and weights that correct them.

The normal approximation at the most probable place is only a proposal. Every draw is evaluated in truth, and weighted by how much more
or less probable it is than the proposal thought. Where too few draws carry the weight, further rounds draw from an emulator of all that
was evaluated (`emulator`), and are weighted in the same way: the emulator costs accuracy of the draws, never of the answer.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .emulator import draw_on_emulator, fit_emulator
from .fit_likelihood import Likelihood
from .gauss_newton import MapResult
from .linear_fit import posterior_loss
from .objective_protocol import Evaluate, Objective
from .pareto_smoothing import effective_draws, pareto_smoothed

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
#: Draws that a fit keeps.
DRAWS = 64
#: Effective draws with which rounds end, as a share of all: 16 of 64, which is what intervals are made of.
ENOUGH = 0.25
#: SD of the log posterior about its emulator above which chance decides on weights: with normal errors of this size a third of the draws still counts.
_FORETOLD = 1.0
#: Draws without which an emulator is not put to the test, and draws of the linear model behind means and SDs.
_FEWEST, _FOR_MOMENTS = 8, 512
#: Share of rows without a prediction above which a draw is refused.
_MOST_LOST = 0.1
#: Share of draws that may have to be thrown away for lying beyond the bounds before it is an error of the caller.
_MOST_TRIES = 200


@dataclass(frozen=True)
class Gaussian:
    """A normal distribution of the unknowns in SDs of the prior, cut at bounds.

    Attributes
    ----------
    mean, covariance
        (d,) and (d, d), before it is cut.
    low, high
        (d,) bounds.
    """

    mean: Numbers
    covariance: Numbers
    low: Numbers
    high: Numbers


@dataclass(frozen=True)
class Draws:
    """Draws (n, d) of a proposal, and its log density at each, but for a constant."""

    u: Numbers
    log_density: Numbers


@dataclass(frozen=True)
class WeightedDraws:
    """Draws of the posterior.

    Attributes
    ----------
    u, predicted
        (n, d) and (n, rows).
    log_weights
        (n,) smoothed; the weights add up to 1. Minus infinity where a draw could not be evaluated.
    ess
        Effective draws: how many equally weighted ones these are worth.
    khat
        Shape of the tail of the weights, see `pareto_smoothed`: above 0.7 they cannot be trusted.
    left_out
        Fitted rows without a prediction at some draw, which did not speak.
    rounds
        Effective draws after each round.
    linear
        Whether these are draws of the linear model whose rows err by their noise, all of one weight, see `sample_posterior`.
    mean, covariance
        (d,) and (d, d) of the posterior where they are known better than from these draws.
    """

    u: Numbers
    predicted: Numbers
    log_weights: Numbers
    ess: float
    khat: float
    left_out: int = 0
    rounds: tuple[float, ...] = ()
    linear: bool = False
    mean: Numbers | None = None
    covariance: Numbers | None = None

    @property
    def weights(self) -> Numbers:
        """(n,) adding up to 1."""
        return np.exp(self.log_weights)

    def moments(self) -> tuple[Numbers, Numbers]:
        """Return mean and SD (rows,) of predictions; draws without one do not count."""
        weights = np.where(np.isfinite(self.predicted), self.weights[:, None], 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            weights = weights / weights.sum(axis=0)
            values = np.nan_to_num(self.predicted)
            mean = np.sum(weights * values, axis=0)
            # A weighted variance without bias towards 0.
            variance = np.sum(weights * (values - mean) ** 2, axis=0) / (1.0 - np.sum(weights**2, axis=0))
        return mean, np.sqrt(variance)

    def quantiles(self, levels: Numbers) -> Numbers:
        """Return weighted quantiles (levels, d) of the unknowns."""
        result = np.empty((len(levels), self.u.shape[1]))
        for k, column in enumerate(self.u.T):
            order = np.argsort(column, kind="stable")
            weights = self.weights[order]
            result[:, k] = np.interp(levels, np.cumsum(weights) - 0.5 * weights, column[order])
        return result


def laplace(result: MapResult, likelihood: Likelihood | None = None) -> Gaussian:
    """Return the normal approximation at the most probable place: the inverse of prior and data information.

    Data information is the second derivative of the log density of the rows that spoke, through the slopes; directions in which outlying
    rows would make it negative count as 0.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.calibration.posterior import information_of
    >>> information_of(np.eye(2), np.array([[2.0, 0.0], [0.0, -1.0]])).tolist()
    [[2.0, 0.0], [0.0, 0.0]]
    """
    law = likelihood or result.likelihood
    information = information_of(result.jacobian, law.information(result.predicted, result.use))
    covariance = np.linalg.inv(information + np.eye(len(result.u)))
    low, high = result.bounds
    return Gaussian(result.u, 0.5 * (covariance + covariance.T), low, high)


def information_of(jacobian: Numbers, precision: Numbers) -> Numbers:
    """Return data information (d, d) in units of the prior: slopes (n, d) and precision (n, n); negative directions count as 0."""
    speaks = np.abs(precision).sum(axis=1) > 0.0
    slopes = jacobian[speaks]
    values, vectors = np.linalg.eigh(slopes.T @ precision[np.ix_(speaks, speaks)] @ slopes)
    return np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T, dtype=np.float64)


def draw_gaussian(gaussian: Gaussian, count: int = DRAWS, seed: int = 1) -> Draws:
    """Return draws within bounds: scrambled Sobol points, those beyond the bounds passed over.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.calibration.posterior import Gaussian, draw_gaussian
    >>> draws = draw_gaussian(Gaussian(np.zeros(2), np.eye(2), np.full(2, -3.0), np.full(2, 3.0)), 64)
    >>> draws.u.shape, bool(np.abs(draws.u.mean(axis=0)).max() < 0.1)
    ((64, 2), True)
    """
    from scipy.stats import norm, qmc

    size = len(gaussian.mean)
    factor = np.linalg.cholesky(gaussian.covariance)
    sobol = qmc.Sobol(size, scramble=True, rng=np.random.default_rng(seed))
    kept: list[Numbers] = []
    for _ in range(_MOST_TRIES):
        # Batches of one size, a power of 2; `random_base2` refuses the third of them.
        points = sobol.random(2 ** math.ceil(math.log2(max(count, 2))))
        normal = norm.ppf(np.clip(points, 1e-12, 1 - 1e-12))
        u = gaussian.mean + normal @ factor.T
        inside = np.all((u >= gaussian.low) & (u <= gaussian.high), axis=1)
        kept.append(np.hstack([u, normal])[inside])
        if sum(map(len, kept)) >= count:
            break
    both = np.concatenate(kept)[:count]
    return Draws(both[:, :size], -0.5 * np.sum(np.square(both[:, size:]), axis=1))


def importance_weights(
    evaluate: Evaluate, likelihood: Likelihood, draws: Draws, use: Flags | None = None
) -> WeightedDraws:
    """Evaluate draws and weight them by posterior over proposal, smoothed.

    A draw at which more than a tenth of the fitted rows has no prediction is refused; rows without one at any other draw do not speak
    at all, so that draws stay comparable, and are counted.
    """
    predicted = evaluate(draws.u)
    speaking = likelihood.rows.fitted if use is None else use
    lost = np.mean(~np.isfinite(predicted[:, speaking]), axis=1)
    refused = lost > _MOST_LOST
    usable = speaking & np.isfinite(predicted[~refused]).all(axis=0)
    log_weights = np.full(len(draws.u), -np.inf)
    loss = posterior_loss(likelihood, predicted[~refused], draws.u[~refused], usable)
    log_weights[~refused] = -loss - draws.log_density[~refused]
    if not np.isfinite(log_weights).any():
        return WeightedDraws(draws.u, predicted, log_weights, 0.0, math.nan, int(np.sum(speaking & ~usable)))
    smoothed, khat = pareto_smoothed(log_weights)
    left_out = int(np.sum(speaking & ~usable))
    return WeightedDraws(draws.u, predicted, smoothed, effective_draws(smoothed), khat, left_out)


def sample_posterior(
    objective: Objective,
    result: MapResult,
    count: int = DRAWS,
    seed: int = 1,
    rounds: int = 3,
    enough: float = ENOUGH,
    evaluate: Evaluate | None = None,
    progress: Callable[[WeightedDraws], None] | None = None,
    simulated: bool = True,
) -> WeightedDraws:
    """Return draws of the posterior, weighted by true evaluations: `count` evaluations a round.

    The first round draws from the normal approximation; each later one from the posterior on an emulator of everything that was evaluated so
    far. It ends when the effective draws are `enough` of all, or after `rounds`; the best round is returned.

    Predictions of a few people are not smooth: somebody more or less reaches an event, and the log posterior jumps. Weights would then be those of
    chance. Where an emulator, taught by half of the draws, foretells the log posterior of the others no better than to `_FORETOLD`, draws are
    those of the linear model, each row of which errs besides by what it missed at the draws; they have one weight. With `simulated` they are evaluated
    in truth, else their predictions are those of the linear model.
    """
    asked = evaluate or objective.predict
    visited, outcomes = result.visited, result.visited_predicted
    best: WeightedDraws | None = None
    reached: list[float] = []
    gaussian = laplace(result)
    draws = draw_gaussian(gaussian, count, seed)
    for number in range(rounds):
        if number:
            emulator = fit_emulator(result.u, result.predicted, result.jacobian, visited, outcomes)
            draws = _draws_of(emulator.predict, result, gaussian, count, seed + number)
        weighted = importance_weights(asked, result.likelihood, draws, result.use)
        reached.append(weighted.ess)
        best = weighted if best is None or weighted.ess > best.ess else best
        if progress:
            progress(weighted)
        if weighted.ess >= enough * count:
            break
        if number == 0 and rounds > 1 and _error_of_emulator(result, weighted) > _FORETOLD:
            return _draws_of_noisy(result, weighted, asked if simulated else None, count, seed)
        visited, outcomes = np.concatenate([visited, weighted.u]), np.concatenate([outcomes, weighted.predicted])
    assert best is not None
    return replace(best, rounds=tuple(reached))


def _error_of_emulator(result: MapResult, weighted: WeightedDraws) -> float:
    """Return the SD by which the log posterior of one half of the draws lies from what an emulator foretells that the other half has taught."""
    sound = np.flatnonzero(np.isfinite(weighted.log_weights))
    taught, asked = sound[::2], sound[1::2]
    if len(asked) < _FEWEST:
        return 0.0
    visited = np.concatenate([result.visited, weighted.u[taught]])
    outcomes = np.concatenate([result.visited_predicted, weighted.predicted[taught]])
    emulator = fit_emulator(result.u, result.predicted, result.jacobian, visited, outcomes)
    u, predicted = weighted.u[asked], weighted.predicted[asked]
    use = result.use & np.isfinite(predicted).all(axis=0)
    foretold = posterior_loss(result.likelihood, emulator.predict(u), u, use)
    return float(np.std(posterior_loss(result.likelihood, predicted, u, use) - foretold))


def _linear(result: MapResult, u: Numbers) -> Numbers:
    return np.asarray(result.predicted + (u - result.u) @ result.jacobian.T)


def noise_of_rows(result: MapResult, u: Numbers, predicted: Numbers) -> Numbers:
    """Return the root mean square (n,) by which predictions (k, n) at places (k, d) miss the linear model; 0 where there are none."""
    missed = predicted - _linear(result, u)
    finite = np.isfinite(missed)
    total = np.square(np.where(finite, missed, 0.0)).sum(axis=0)
    return np.asarray(np.sqrt(total / np.maximum(finite.sum(axis=0), 1)), dtype=np.float64)


def _draws_of_noisy(
    result: MapResult, weighted: WeightedDraws, evaluate: Evaluate | None, count: int, seed: int
) -> WeightedDraws:
    """Return draws of the linear model whose rows err by their noise besides, see `sample_posterior`."""
    rows, law = result.likelihood.rows, result.likelihood
    noise = noise_of_rows(result, weighted.u, weighted.predicted)
    widened = replace(law, rows=replace(rows, se=np.hypot(rows.se, noise)))
    noisy = replace(result, likelihood=widened)

    linear = functools.partial(_linear, result)
    gaussian = laplace(noisy)
    many = _draws_of(linear, noisy, gaussian, _FOR_MOMENTS, seed + 1).u
    draws = _draws_of(linear, noisy, gaussian, count, seed + 2).u
    predicted = linear(draws) if evaluate is None else evaluate(draws)
    even = np.full(count, -math.log(count))
    drawn = WeightedDraws(draws, predicted, even, float(count), weighted.khat, weighted.left_out, (weighted.ess,))
    return replace(drawn, linear=True, mean=many.mean(axis=0), covariance=np.cov(many.T).reshape(len(result.u), -1))


def _draws_of(predict: Evaluate, result: MapResult, gaussian: Gaussian, count: int, seed: int) -> Draws:
    """Return draws of the posterior of a model that costs nothing."""

    def log_posterior(u: Numbers) -> Numbers:
        return -posterior_loss(result.likelihood, predict(u), u, result.use)

    u = draw_on_emulator(log_posterior, gaussian, count, seed)
    return Draws(u, log_posterior(u))
