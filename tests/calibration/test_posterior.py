"""The posterior: exact where it is normal, corrected where it is not."""

from __future__ import annotations

import numpy as np
import pytest
from invented_objectives import Invented, invented_rows, invented_unknowns, linear_objective
from scipy import stats

from betapod.calibration.discrepancy import Discrepancy
from betapod.calibration.emulator import fit_emulator
from betapod.calibration.fit_likelihood import Likelihood
from betapod.calibration.gauss_newton import MapResult, SameLikelihood, fit_map
from betapod.calibration.pareto_smoothing import effective_draws, pareto_smoothed
from betapod.calibration.posterior import (
    Draws,
    Gaussian,
    draw_gaussian,
    importance_weights,
    laplace,
    noise_of_rows,
    sample_posterior,
)

SLOPES = np.random.default_rng(1).standard_normal((30, 4)) * 0.2


def bent_fit() -> tuple[Invented, MapResult]:
    """A ridge that bends: only a product and a sum of squares are seen, and one of the unknowns a little."""

    def formula(u: np.ndarray) -> np.ndarray:
        return np.stack([u[:, 0] * u[:, 1], u[:, 0] ** 2 + 0.5 * u[:, 1], 0.3 * u[:, 0]], axis=1)

    rows = invented_rows(np.array([0.6, 1.2, 0.5]), se=np.array([0.3, 0.3, 0.15]))
    objective = Invented(invented_unknowns(2), rows, formula)
    return objective, fit_map(objective, SameLikelihood(Likelihood(rows)), start=np.array([0.5, 0.5]), steps=0.05)


@pytest.fixture(scope="module")
def bent() -> tuple[Invented, MapResult]:
    return bent_fit()


def test_a_linear_normal_posterior_is_exact() -> None:
    rows = invented_rows(SLOPES @ [1.0, -0.5, 0.0, 0.3], families=10)
    law = Likelihood(rows, Discrepancy({"ratio": 0.2}, {"ratio": 0.1}), nu=np.inf)
    objective = linear_objective(SLOPES, rows)
    result = fit_map(objective, SameLikelihood(law))
    exact = np.linalg.inv(SLOPES.T @ np.linalg.inv(law.covariance()) @ SLOPES + np.eye(4))
    np.testing.assert_allclose(laplace(result).covariance, exact, rtol=0.02, atol=2e-3)
    weighted = sample_posterior(objective, result, count=64)
    assert weighted.ess > 60
    assert weighted.rounds == (weighted.ess,)
    mean, sd = weighted.moments()
    np.testing.assert_allclose(mean, SLOPES @ result.u, atol=0.02)
    np.testing.assert_allclose(sd, np.sqrt(np.einsum("id,de,ie->i", SLOPES, exact, SLOPES)), rtol=0.2)


def test_weights_of_a_bent_posterior_give_its_moments(bent: tuple[Invented, MapResult]) -> None:
    """Against integration on a grid."""
    objective, result = bent
    axis = np.linspace(-3, 3, 151)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    log_mass = result.likelihood.log_density(objective.predict(grid)) - 0.5 * np.sum(grid**2, axis=1)
    mass = np.exp(log_mass - log_mass.max())
    mass /= mass.sum()
    mean = mass @ grid
    sd = np.sqrt(mass @ (grid - mean) ** 2)
    weighted = sample_posterior(objective, result, count=256, rounds=3, enough=0.9)
    found = weighted.weights @ weighted.u
    assert np.abs((found - mean) / sd).max() < 0.2
    np.testing.assert_allclose(np.sqrt(weighted.weights @ (weighted.u - found) ** 2), sd, rtol=0.15)
    # The normal approximation alone is off by more.
    assert np.abs((result.u - mean) / sd).max() > 0.25


def test_later_rounds_are_worth_more_draws(bent: tuple[Invented, MapResult]) -> None:
    weighted = sample_posterior(*bent, count=64, rounds=3, enough=0.99)
    assert len(weighted.rounds) > 1
    assert weighted.ess == max(weighted.rounds) > 1.2 * weighted.rounds[0]


def test_rows_that_jump_speak_as_little_as_they_are_smooth() -> None:
    """A few people more or less with an event move a number by more than any parameter does: weights would be those of chance."""
    rows = invented_rows(SLOPES @ [1.0, -0.5, 0.0, 0.3])
    jumps = np.where(np.arange(30) < 15, 0.3, 0.0)

    def formula(u: np.ndarray) -> np.ndarray:
        # The same at the same place, as luck in a simulation is.
        cell = np.floor(40.0 * u @ np.array([1.0, 2.0, 3.0, 5.0])).astype(int)[:, None]
        luck = np.sin(12.9898 * (cell + 31 * np.arange(30)) % 7.0)
        return np.asarray(u @ SLOPES.T + jumps * luck)

    smooth = fit_map(linear_objective(SLOPES, rows), SameLikelihood(Likelihood(rows, nu=np.inf)))
    objective = Invented(invented_unknowns(4), rows, formula)
    weighted = sample_posterior(objective, smooth, count=64, enough=0.9)
    assert weighted.linear and weighted.ess == 64 and weighted.rounds[0] < 20
    draws = draw_gaussian(laplace(smooth), 64, 1)
    noise = noise_of_rows(smooth, draws.u, formula(draws.u))
    assert noise[:15].min() > 0.15 and noise[15:].max() < 1e-9
    slopes = SLOPES / np.hypot(rows.se, noise)[:, None]
    exact = np.linalg.inv(slopes.T @ slopes + np.eye(4))
    assert weighted.covariance is not None and weighted.mean is not None
    np.testing.assert_allclose(np.sqrt(np.diag(weighted.covariance)), np.sqrt(np.diag(exact)), rtol=0.15)
    np.testing.assert_allclose(weighted.predicted, formula(weighted.u))
    assert abs(float(np.sum(weighted.weights)) - 1.0) < 1e-12


def test_draws_stay_within_bounds_and_repeat(bent: tuple[Invented, MapResult]) -> None:
    gaussian = laplace(bent[1])
    first, again, other = (draw_gaussian(gaussian, 50, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.u, again.u)
    assert not np.array_equal(first.u, other.u)
    assert len(first.u) == 50
    assert np.abs(first.u).max() <= 3.0


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_bounds_that_cut_most_draws_leave_as_many_as_are_asked_for(share: float) -> None:
    high = float(stats.norm.ppf(share))
    draws = draw_gaussian(Gaussian(np.zeros(1), np.eye(1), np.array([-8.0]), np.array([high])), 64).u[:, 0]
    assert len(draws) == 64 and draws.max() <= high
    # The mean of a normal distribution below a bound.
    assert draws.mean() == pytest.approx(-stats.norm.pdf(high) / share, abs=0.03)


def test_draws_that_fail_are_refused_and_rows_that_fail_do_not_speak() -> None:
    rows = invented_rows(np.zeros(20))
    law = Likelihood(rows)

    def evaluate(u: np.ndarray) -> np.ndarray:
        predicted = 0.1 * u[:, :1] * np.ones((1, 20))
        predicted[3] = np.nan
        predicted[5, 7] = np.nan
        return predicted

    u = np.linspace(-1, 1, 16)[:, None]
    weighted = importance_weights(evaluate, law, Draws(u, np.zeros(16)))
    assert weighted.log_weights[3] == -np.inf
    assert np.isfinite(np.delete(weighted.log_weights, 3)).all()
    assert weighted.left_out == 1
    mean, sd = weighted.moments()
    assert np.isfinite(mean).all() and np.isfinite(sd).all()
    nobody = importance_weights(lambda u: np.full((16, 20), np.nan), law, Draws(u, np.zeros(16)))
    assert nobody.ess == 0.0


def test_quantiles_are_weighted(bent: tuple[Invented, MapResult]) -> None:
    weighted = sample_posterior(*bent, count=64, rounds=1)
    low, middle, high = weighted.quantiles(np.array([0.05, 0.5, 0.95]))
    assert np.all((low < middle) & (middle < high))


@pytest.mark.parametrize("shape", [-0.2, 0.2, 0.7])
def test_the_tail_of_weights_is_recognised(shape: float) -> None:
    weights = np.concatenate([np.full(1600, 1.0), 1.0 + stats.genpareto(shape).rvs(400, random_state=1)])
    assert pareto_smoothed(np.log(weights))[1] == pytest.approx(shape, abs=0.15)


def test_equal_weights_count_in_full() -> None:
    smoothed, shape = pareto_smoothed(np.zeros(64))
    assert effective_draws(smoothed) == pytest.approx(64.0)
    assert shape == -np.inf
    assert np.isnan(pareto_smoothed(np.zeros(8))[1])


def test_an_emulator_knows_what_bends_and_leaves_noise_alone() -> None:
    rng = np.random.default_rng(2)
    visited = rng.standard_normal((60, 4))
    bends = visited[:, 0] * visited[:, 1] - 0.3 * visited[:, 2] ** 2
    outcomes = np.stack([bends, rng.standard_normal(60), visited[:, 3]], axis=1)
    jacobian = np.array([[0, 0, 0, 0.0], [0, 0, 0, 0], [0, 0, 0, 1]])
    emulator = fit_emulator(np.zeros(4), np.zeros(3), jacobian, visited, outcomes)
    u = rng.standard_normal((5, 4))
    predicted = emulator.predict(u)
    np.testing.assert_allclose(predicted[:, 0], u[:, 0] * u[:, 1] - 0.3 * u[:, 2] ** 2, atol=0.01)
    np.testing.assert_allclose(predicted[:, 2], u[:, 3], atol=1e-9)
    assert emulator.gain[0] > 0.99
    assert emulator.gain[1] == 0.0
    assert not predicted[:, 1].any()
