"""Indices of outputs that few runs lie far out in: closed forms, coverage, and nothing changed where there are no far tails."""

from __future__ import annotations

import numpy as np
import pytest
from known_indices import ISHIGAMI_TOTAL, ishigami
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import ndtri

from betapod.sensitivity.far_intervals import has_far_tail
from betapod.sensitivity.schemes import sobol_points
from betapod.sensitivity.sequential_indices import sequential_indices
from betapod.sensitivity.sobol_schemes import SobolScheme
from betapod.sensitivity.tail_rounds import Net, TailRounds
from betapod.sensitivity.tail_shifts import PointLaw, shifted, tail_shift

#: SDs of the logarithms of independent lognormal factors.
SPREADS = np.array([1.1, 0.8, 0.5, 0.1, 0.0, 0.0])
SCHEME = SobolScheme([(k,) for k in range(6)], 6)


def product(u: np.ndarray) -> np.ndarray:
    """A product of lognormal factors, whose kurtosis is above a thousand, and a sum of two normal numbers."""
    z = ndtri(u)
    return np.column_stack([np.exp(z @ SPREADS), z[:, 3] + z[:, 4]])


def product_indices() -> tuple[np.ndarray, np.ndarray]:
    """First-order and total indices of the product: of E(f^2) = prod e^(2 s^2) and E(f)^2 = prod e^(s^2), over the latter."""
    squares = np.exp(SPREADS**2)
    everything = squares.prod() - 1.0
    return (squares - 1.0) / everything, (squares - 1.0) * squares.prod() / squares / everything


def indices(tails: bool, seed: int = 1, runs: int = 60_000):
    return sequential_indices(product, SCHEME, runs, precision=0.01, seed=seed, tails=tails)


def test_a_product_of_lognormal_factors() -> None:
    first, total = product_indices()
    there, plain = indices(True), indices(False, runs=140_000)
    assert there.runs < 60_000 and plain.runs == 131_072
    assert plain.leading.half[:, 0].max() > 0.1 > 4.0 * there.leading.half[:, 0].max()
    assert_allclose(there.tables[0].values[:, 0], first, atol=0.02)
    assert_allclose(there.tables[1].values[:, 0], total, atol=0.03)
    # What has no tail is still known, and what does nothing has exactly no share.
    assert_allclose(there.tables[1].values[:, 1], [0, 0, 0, 0.5, 0.5, 0], atol=0.02)
    assert not there.tables[1].values[4:, 0].any()
    mean, variance = np.exp(SPREADS @ SPREADS / 2), np.exp(SPREADS @ SPREADS) * np.expm1(SPREADS @ SPREADS)
    assert there.mean[0] == pytest.approx(mean, rel=0.02) and there.sd[0] ** 2 == pytest.approx(variance, rel=0.05)


def test_intervals_hold_the_right_number() -> None:
    exact = np.array(product_indices())[:, :4]
    inside = []
    for seed in range(2, 10):
        tables = indices(True, seed, 30_000).tables
        values, half = (np.array([getattr(table, name)[:4, 0] for table in tables]) for name in ("values", "half"))
        inside.append(np.abs(values - exact) <= half)
    assert np.mean(inside) >= 0.88


def test_without_far_tails_nothing_is_different() -> None:
    scheme = SobolScheme([(0,), (1,), (2,)], 3)
    plain, there = (sequential_indices(ishigami, scheme, 40_000, 0.0, tails=tails) for tails in (False, True))
    assert_array_equal(plain.leading.values, there.leading.values)
    assert_allclose(there.leading.values[:, 0], ISHIGAMI_TOTAL, atol=0.04)


def test_runs_without_a_number_are_left_out() -> None:
    def holed(u):
        values = product(u)
        values[u[:, 5] > 0.98] = np.nan
        return values

    result = sequential_indices(holed, SCHEME, 60_000, 0.01, tails=True)
    assert 0.005 < result.lost < 0.05
    assert_allclose(result.leading.values[:, 0], product_indices()[1], atol=0.05)


def test_weights_are_one_on_average_and_never_above_the_share_of_even_points() -> None:
    shift = np.array([1.5, -0.7, 0.0])
    u = np.concatenate([sobol_points(3, 0, 4096, (1,)), shifted(sobol_points(3, 0, 4096, (2,)), shift)])
    density = PointLaw(shift, both=False).densities(u, u).of_a
    weights = 1.0 / (0.5 + 0.5 * density)
    assert weights.max() <= 2.0 and weights.mean() == pytest.approx(1.0, abs=2e-3)
    # The fourth moment of a normal score, of points half of which lie elsewhere.
    assert np.mean(weights * ndtri(u[:, 0]) ** 4) == pytest.approx(3.0, abs=0.05)
    a, b = u[:10], u[-10:]
    changed_a, changed_b = a.copy(), b.copy()
    changed_a[:, 0], changed_b[:, 0] = b[:, 0], a[:, 0]
    for both in (False, True):
        law = PointLaw(shift, both)
        # Whichever point was drawn first: two that change places have the same density.
        there, back = law.densities(a, b), law.densities(changed_a, changed_b)
        assert_allclose(there.of_player([0])[0], back.of_player([0])[0])
        assert_allclose(there.of_two(), law.densities(b, a).of_two())
        # The third is not shifted.
        assert_allclose(there.of_player([2])[0], there.of_a)


def test_shifts_point_to_where_values_lie_far_out() -> None:
    u = np.stack([sobol_points(6, 0, 256, (1, k)) for k in range(16)])
    y = np.exp(ndtri(u) @ (0.6 * SPREADS))
    even = np.ones(y.shape)
    shift = tail_shift(u, y, even)
    # Weighted by its square, the score of a lognormal factor has the mean of twice its SD.
    assert_allclose(shift[:2], 2 * 0.6 * SPREADS[:2], atol=0.3)
    assert not shift[3:].any()
    assert has_far_tail(y.ravel(), even.ravel()) and not has_far_tail(ndtri(u[..., 0]).ravel(), even.ravel())


def test_players_that_are_known_have_no_more_runs() -> None:
    keys = [(1, k) for k in range(16)]
    values = np.stack(
        [product(SCHEME.places(sobol_points(12, 0, 64, key)).reshape(-1, 6)).reshape(64, 8, 2) for key in keys]
    )
    design = TailRounds(SCHEME, [Net(0, 0, 64, tuple(range(6)), values)], 1, lambda x: x)
    assert design.look() and len(design.laws) == 3
    before = design.tables()[1]

    def run(scheme, points):
        return product(scheme.places(points).reshape(-1, 6)).reshape(len(points), scheme.runs, 2)

    design.add(run, design.planned(), [0, 1])
    assert design.runs == 16 * (64 * 8 + 128 * 4) and design.points == 16 * 192
    after = design.tables()[1]
    assert after.half[0, 0] < 0.5 * before.half[0, 0]
    # The even points of the next round go on where the first ended.
    assert [(law, first) for law, first, _ in design.planned()] == [(0, 128), (1, 32), (2, 32)]
