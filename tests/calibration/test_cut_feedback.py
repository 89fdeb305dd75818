"""Stages: what is shared goes on as a prior, nothing goes back, and draws belong together."""

from __future__ import annotations

import numpy as np
import pytest
from toy_fits import ToyObjective, rows, unknowns

from betapod.calibration.cut_feedback import StagedPosterior, StageObjective, even_draws
from betapod.calibration.objective_protocol import bounds_of

FIRST = np.array([[0.5, 0.3], [0.3, 0.4]])


def first_stage(count: int = 400) -> StagedPosterior:
    draws = np.random.default_rng(2).multivariate_normal([1.0, -1.0], FIRST, count)
    nothing = StagedPosterior.nothing(count)
    mean = np.array([1.0, -1.0])
    return nothing.after(("a", "b"), nothing.prior_of(("a", "b")), mean, mean, FIRST, draws)


def test_a_first_stage_has_the_prior_of_its_unknowns() -> None:
    prior = StagedPosterior.nothing(4).prior_of(("k0", "k1", "k2"))
    staged = StageObjective(ToyObjective(unknowns(), rows()), prior)
    u = np.random.default_rng(0).standard_normal((5, 3))
    assert staged.unknowns == unknowns()
    assert np.array_equal(staged.predict(u), staged.objective.predict(u))


def test_what_is_shared_has_the_posterior_of_the_earlier_stage_as_prior() -> None:
    known = first_stage()
    prior = known.prior_of(("c", "b"))
    assert prior.mean.tolist() == [0.0, -1.0] and prior.covariance.tolist() == [[1.0, 0.0], [0.0, 0.4]]
    v = np.random.default_rng(1).standard_normal((3, 2))
    np.testing.assert_allclose(prior.from_place(prior.to_place(v)), v)
    staged = StageObjective(ToyObjective(unknowns(2), rows(truth=(0.1, 0.2))), prior)
    assert staged.unknowns[0] == unknowns()[0] and bounds_of(staged.unknowns)[1].tolist() == [3.0, 3.0]
    np.testing.assert_allclose(staged.predict(v), staged.objective.predict(prior.to_place(v)))


def test_nothing_goes_back_and_correlations_go_on() -> None:
    known = first_stage()
    prior = known.prior_of(("b", "c"))
    mean, covariance = np.array([-2.0, 0.5]), np.array([[0.1, 0.05], [0.05, 0.8]])
    draws = np.random.default_rng(3).multivariate_normal(mean, covariance, 400)
    then = known.after(("b", "c"), prior, mean, mean, covariance, draws)
    assert then.names == ("a", "b", "c")
    assert then.mean.tolist() == [1.0, -2.0, 0.5] and then.u_map.tolist() == [1.0, -2.0, 0.5]
    # What the second stage does not have is as the first stage left it; what it has is its own.
    assert then.covariance[0, 0] == 0.5 and sorted(then.draws[:, 0]) == sorted(known.draws[:, 0])
    np.testing.assert_array_equal(then.covariance[1:, 1:], covariance)
    np.testing.assert_array_equal(then.draws[:, 1:], draws)
    assert np.linalg.eigvalsh(then.covariance).min() > 0
    # The correlation of a with b is that of the first stage, but for what c brings in; draws agree with it.
    correlation = then.covariance[0, 1] / np.sqrt(then.covariance[0, 0] * then.covariance[1, 1])
    assert correlation == pytest.approx(0.3 / np.sqrt(0.2), abs=0.03)
    assert np.corrcoef(then.draws[:, 0], then.draws[:, 1])[0, 1] == pytest.approx(correlation, abs=0.08)


def test_a_stage_that_learns_nothing_changes_nothing() -> None:
    known = first_stage()
    prior = known.prior_of(("b", "a"))
    then = known.after(("b", "a"), prior, prior.mean, prior.mean, prior.covariance, known.draws[:, ::-1])
    np.testing.assert_allclose(then.covariance, known.covariance, atol=1e-12)
    np.testing.assert_array_equal(then.draws, known.draws)


def test_stages_that_share_nothing_do_not_touch_each_other() -> None:
    known = first_stage()
    prior = known.prior_of(("c",))
    then = known.after(("c",), prior, np.zeros(1), np.zeros(1), np.full((1, 1), 0.3), np.zeros((400, 1)))
    np.testing.assert_array_equal(then.covariance[:2, :2], known.covariance)
    assert (then.covariance[2, :2] == 0).all() and np.array_equal(then.draws[:, :2], known.draws)


def test_even_draws_have_the_moments_of_weighted_ones() -> None:
    draws = np.random.default_rng(5).standard_normal((4000, 1))
    even = even_draws(draws, 1.0 * draws[:, 0], 1)
    assert even.mean() == pytest.approx(1.0, abs=0.06) and even.std() == pytest.approx(1.0, abs=0.08)
    assert np.array_equal(even, even_draws(draws, 1.0 * draws[:, 0], 1))
    np.testing.assert_array_equal(np.sort(even_draws(draws, np.zeros(4000), 1), axis=0), np.sort(draws, axis=0))
