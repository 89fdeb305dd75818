"""The ensemble smoother: the exact posterior of a linear problem, outliers, members that fail."""

from __future__ import annotations

import numpy as np
import pytest
from invented_objectives import Invented, invented_rows, invented_unknowns, linear_objective

from betapod.base.errors import ConfigError
from betapod.calibration.discrepancy import Discrepancy
from betapod.calibration.fit_likelihood import Likelihood
from betapod.calibration.gauss_newton import SameLikelihood, fit_map
from betapod.calibration.posterior import Gaussian
from betapod.calibration.smoother import check_with_smoother, esmda

SLOPES = np.random.default_rng(1).standard_normal((30, 4)) * 0.2


def test_a_linear_posterior_is_reached() -> None:
    rows = invented_rows(SLOPES @ [1.0, -0.5, 0.0, 0.3], families=10)
    law = Likelihood(rows, Discrepancy({"ratio": 0.2}, {"ratio": 0.1}), nu=np.inf)
    losses = []
    members = esmda(linear_objective(SLOPES, rows), law, 200, 4, progress=lambda _, loss: losses.append(loss.mean()))
    inverse = np.linalg.inv(law.covariance())
    covariance = np.linalg.inv(SLOPES.T @ inverse @ SLOPES + np.eye(4))
    mean, sd = covariance @ SLOPES.T @ inverse @ rows.observed, np.sqrt(np.diag(covariance))
    assert np.abs((members.mean(axis=0) - mean) / sd).max() < 0.35
    np.testing.assert_allclose(members.std(axis=0), sd, rtol=0.25)
    assert losses[0] > losses[-1]


def test_it_agrees_with_gauss_newton_where_studies_lie_far_out() -> None:
    observed = SLOPES @ [1.0, -0.5, 0.0, 0.3]
    observed[:3] += 3.0
    rows = invented_rows(observed, families=10)
    law = Likelihood(rows, Discrepancy({"ratio": 0.1}, {"ratio": 0.1}))
    objective = linear_objective(SLOPES, rows)
    members = esmda(objective, law, 150, 4)
    assert np.abs(members.mean(axis=0) - fit_map(objective, SameLikelihood(law)).u).max() < 0.25


def test_members_that_fail_are_replaced() -> None:
    def formula(u: np.ndarray) -> np.ndarray:
        return np.where(u[:, :1] > 1.5, np.nan, u @ SLOPES.T)

    rows = invented_rows(SLOPES @ [1.0, 0.0, 0.0, 0.0])
    members = esmda(Invented(invented_unknowns(4), rows, formula), Likelihood(rows), 60, 2)
    assert np.isfinite(members).all()
    nothing = Invented(invented_unknowns(4), rows, lambda u: np.full((len(u), 30), np.nan))
    with pytest.raises(ConfigError, match="most members"):
        esmda(nothing, Likelihood(rows), 20, 1)


def test_the_same_seed_gives_the_same_members() -> None:
    rows = invented_rows(SLOPES @ [1.0, 0.0, 0.0, 0.0])
    first, again, other = (esmda(linear_objective(SLOPES, rows), Likelihood(rows), 20, 2, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_fit_is_compared_with_it_in_words() -> None:
    rows = invented_rows(SLOPES @ [1.0, -0.5, 0.0, 0.3])
    law = Likelihood(rows, nu=np.inf)
    covariance = np.linalg.inv(SLOPES.T @ SLOPES / 0.01 + np.eye(4))
    mean = covariance @ SLOPES.T @ rows.observed / 0.01
    elsewhere = mean + np.array([0.0, 5.0, 0.0, 0.0]) * np.sqrt(np.diag(covariance))
    bounds = (np.full(4, -3.0), np.full(4, 3.0))
    check = check_with_smoother(linear_objective(SLOPES, rows), law, Gaussian(elsewhere, covariance, *bounds), 80)
    first, second = check.in_words()
    assert "80 members agrees within 1 posterior SD on 3 of 4 unknowns" in first
    assert "elsewhere with p1 (-" in second
