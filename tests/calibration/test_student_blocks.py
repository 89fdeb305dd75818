"""The law of residuals against brute integration, closed forms and differences."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import integrate, stats

from betapod.calibration.student_blocks import StudentBlocks


def brute(r: np.ndarray, s: np.ndarray, freedom: np.ndarray, tau: float, nu: float) -> float:
    def density(b: float) -> float:
        rows = np.sum(stats.t.logpdf((r - b) / s, freedom) - np.log(s))
        return float(np.exp(stats.t.logpdf(b / tau, nu) - np.log(tau) + rows))

    steps = np.array([-300, -30, -10, -4, -1, 0, 1, 4, 10, 30, 300])
    edges = np.unique(np.concatenate([x + steps * w for x, w in zip([0.0, *r], [tau, *s], strict=True)]))
    parts = [integrate.quad(density, a, b, epsabs=0, epsrel=1e-9)[0] for a, b in itertools.pairwise(edges)]
    return float(np.log(sum(parts)))


@pytest.mark.parametrize(
    ("r", "s", "freedom", "tau"),
    [
        ([0.3], [0.1], [4.0], 0.4),
        ([5.0], [0.03], [7.0], 0.4),
        ([0.3, 0.35, -2.0], [0.1, 0.02, 0.2], [4.0, 30.0, 4.0], 0.2),
        ([3.0, -3.0], [0.05, 0.05], [4.0, 4.0], 1.0),
    ],
)
def test_log_density_is_the_integral(r: list[float], s: list[float], freedom: list[float], tau: float) -> None:
    size = len(r)
    law = StudentBlocks(np.array(s), np.array(freedom), np.full(size, tau), np.zeros(size, np.int64), 4.0)
    assert law.moments(np.array([r])).log_density[0, 0] == pytest.approx(
        brute(np.array(r), np.array(s), np.array(freedom), tau, 4.0), abs=2e-5
    )


def test_the_normal_distribution_is_exact() -> None:
    r, tau = np.array([0.4, 0.1, -0.2, 1.0]), np.array([0.3, 0.3, 0.3, 0.0])
    law = StudentBlocks(np.full(4, 0.2), np.full(4, np.inf), tau, np.array([0, 0, 0, 1]), np.inf)
    found = law.moments(r[None])
    covariance = 0.04 * np.eye(4)
    covariance[:3, :3] += 0.09
    assert found.log_density.sum() == pytest.approx(
        stats.multivariate_normal(np.zeros(4), covariance).logpdf(r), abs=1e-5
    )
    np.testing.assert_allclose(found.score[0], np.linalg.solve(covariance, r), rtol=1e-4)
    np.testing.assert_allclose(law.information(r), np.linalg.inv(covariance), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(found.row_weight, 1.0, atol=1e-6)


def test_score_and_information_are_derivatives() -> None:
    r = np.array([0.4, 0.1, -1.5])
    law = StudentBlocks(
        np.array([0.1, 0.2, 0.3]), np.array([4.0, 7.0, 4.0]), np.full(3, 0.5), np.zeros(3, np.int64), 4.0
    )
    step = 1e-3 * np.eye(3)
    log_density, score = (
        np.array([getattr(law.moments(r + sign * step), name) for sign in (1, -1)]) for name in ("log_density", "score")
    )
    np.testing.assert_allclose(law.moments(r[None]).score[0], (log_density[1] - log_density[0])[:, 0] / 2e-3, atol=1e-3)
    np.testing.assert_allclose(law.information(r), (score[0] - score[1]) / 2e-3, atol=2e-2)


def test_sets_and_scales_do_not_touch_each_other() -> None:
    """Many sets at once give what each gives alone, whatever parts they are cut into."""
    rng = np.random.default_rng(1)
    block, residual = np.sort(rng.integers(0, 30, 70)), rng.standard_normal((40, 70))
    block = np.unique(block, return_inverse=True)[1]
    scale, tau = rng.uniform(0.1, 0.3, (40, 70)), np.full(70, 0.4)
    law = StudentBlocks(scale, np.full(70, 4.0), tau, block, 4.0)
    alone = StudentBlocks(scale[17], np.full(70, 4.0), tau, block, 4.0)
    together, one = law.moments(residual), alone.moments(residual[17:18])
    assert np.array_equal(together.log_density[17], one.log_density[0])
    assert np.array_equal(together.score[17], one.score[0])


def test_far_rows_and_far_blocks_count_less() -> None:
    law = StudentBlocks(np.full(4, 0.1), np.full(4, 4.0), np.full(4, 0.1), np.array([0, 0, 0, 0]), 4.0)
    outlier = law.moments(np.array([[0.0, 0.05, -0.05, 2.0]]))
    assert outlier.row_weight[0, 3] < 0.05 < 0.8 < outlier.row_weight[0, :3].min()
    away = law.moments(np.array([[2.0, 2.05, 1.95, 2.0]]))
    assert away.block_weight[0, 0] < 0.05
    assert away.row_weight.min() > 0.8
