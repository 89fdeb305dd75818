"""Inference after stopping: rpact 3.3.4, an independent integral, and the laws that it is made for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from betapod import designs
from betapod.base.errors import ConfigError

ASOF = designs.group_sequential("asOF", 3)
POCOCK = designs.group_sequential("P", 3)


def test_a_trial_that_stopped_at_the_first_look() -> None:
    """Rpact 3.3.4: 40 an arm, means 1.7 and 1, SD 1.2."""
    got = designs.final_inference(POCOCK, 1, 0.7, 1.2 * np.sqrt(2 / 40), degrees=78)
    assert got.table.iloc[0].to_numpy() == pytest.approx((0.005444098418, 0.7, 0.1740864757, 1.225913524), abs=1e-9)


def test_repeated_intervals_and_p() -> None:
    """Rpact 3.3.4: the same trial, and two stages of another."""
    # All data of an arm together: the means of its two stages differ by 0.2 and 0.1.
    within = (78 * 1.44 + np.array([80 * 0.1**2, 80 * 0.05**2])) / 79
    error = np.array([1.2 * np.sqrt(2 / 40), np.sqrt(within.mean() * 2 / 80)])
    low, high = designs.repeated_interval(POCOCK, [1, 2], [0.7, 0.75], error, [78, 158])
    assert low == pytest.approx((0.07313907668, 0.31308723682), abs=1e-5)
    assert high == pytest.approx((1.326860905, 1.186912847), abs=1e-5)
    p = designs.repeated_p(ASOF, [1, 2], [2.037518469, 1.851513718])
    assert p == pytest.approx((0.18200461091, 0.08148753899), abs=1e-5)


def test_conditional_power_and_rejection() -> None:
    """Rpact 3.3.4: conditional rejection probabilities, and 40 more patients with an effect of a third of an SD."""
    assert designs.conditional_power(ASOF, 1, 2.037518469, 0.0)[0] == pytest.approx(0.1787813752, abs=1e-8)
    assert designs.conditional_power(ASOF, 2, 1.851513718, 0.0)[0] == pytest.approx(0.2022465352, abs=1e-8)
    # 40 patients are a third of the information: the drift to the end is sqrt(3) times that of the stage.
    drift = np.sqrt(3) * np.sqrt(40 / 4) / 3
    assert designs.conditional_power(ASOF, 2, 1.851513718, drift)[0] == pytest.approx(0.5872469895, abs=1e-7)


@pytest.mark.parametrize(("z", "drift"), [(1.0, 0.0), (2.0, 3.2), (-1.0, 4.0), (0.5, -2.0), (3.0, 10.0)])
def test_conditional_power_over_two_looks_by_another_integral(z: float, drift: float) -> None:
    t, b = np.array(ASOF.information), np.array(ASOF.efficacy)
    centre, step = z * np.sqrt(t[0]) + drift * (t[1] - t[0]), t[1] - t[0]
    upper = b[1] * np.sqrt(t[1])

    def later(x: float) -> float:
        density = norm.pdf(x, centre, np.sqrt(step))
        return float(density * norm.sf((b[2] - x - drift * (1 - t[1])) / np.sqrt(1 - t[1])))

    expected = norm.sf((upper - centre) / np.sqrt(step)) + quad(later, centre - 8, upper, epsabs=1e-13)[0]
    assert designs.conditional_power(ASOF, 1, z, drift)[0] == pytest.approx(expected, abs=1e-10)


def test_predictive_power_with_one_look_to_come_is_known() -> None:
    design, z = designs.group_sequential("asOF", [0.4, 1]), np.array([-1.0, 0.5, 2.5])
    expected = norm.cdf((z / np.sqrt(0.4) - design.efficacy[1]) * np.sqrt(0.4 / 0.6))
    assert designs.predictive_power(design, 1, z) == pytest.approx(expected, abs=1e-10)
    certain = designs.predictive_power(design, 1, z, 3.0, 1e-6)
    assert certain == pytest.approx(designs.conditional_power(design, 1, z, 3.0), abs=1e-6)


@pytest.mark.parametrize("futility", [None, "asOF"])
def test_p_interval_and_estimate_keep_what_they_promise(futility: str | None) -> None:
    """Simulated trials: p is uniform, intervals hold the truth in 95 %, the estimate is above it in half."""
    design = designs.group_sequential("P", [0.3, 0.7, 1], futility=futility, binding=futility is not None)
    rng, n, drift = np.random.default_rng(11), 800, 1.8
    t = np.array(design.information)
    steps = rng.normal(size=(n, 3)) * np.sqrt(np.diff(t, prepend=0))

    def stopped(drift: float) -> tuple[np.ndarray, np.ndarray]:
        z = (np.cumsum(steps, 1) + drift * t) / np.sqrt(t)
        out = (z >= design.efficacy) | (z <= design.futility)
        look = np.argmax(out, 1)
        return look + 1, z[np.arange(n), look]

    look, z = stopped(drift)
    error = 1 / np.sqrt(t[look - 1])
    got = designs.final_inference(design, look, z * error, error)
    three = 3 * np.sqrt(np.array([0.05 * 0.95, 0.25]) / n)
    assert abs(np.mean((got.low > drift) | (got.high < drift)) - 0.05) < three[0]
    assert abs(np.mean(got.estimate > drift) - 0.5) < three[1]
    look, z = stopped(0.0)
    error = 1 / np.sqrt(t[look - 1])
    p = np.sort(designs.final_inference(design, look, z * error, error).p)
    assert np.abs(p - (np.arange(n) + 0.5) / n).max() < 1.95 / np.sqrt(n)  # Kolmogorov, 0.001
    # A trial rejects if and only if its p is at most alpha.
    rejects = z >= np.array(design.efficacy)[look - 1]
    assert np.array_equal(np.sort(rejects)[::-1], p <= 0.025)


def test_a_two_sided_design_looks_both_ways() -> None:
    design = designs.group_sequential("P", 2, 0.05, sides=2)
    up, down = (designs.final_inference(design, 2, sign * 0.5, 0.2).table.iloc[0] for sign in (1, -1))
    assert up["p"] == pytest.approx(down["p"]) and up["low"] == pytest.approx(-down["high"])
    assert up["estimate"] == pytest.approx(-down["estimate"])


def test_extreme_results_have_intervals() -> None:
    got = designs.final_inference(ASOF, [1, 1, 2, 3, 3], [40.0, -40.0, 25.0, -15.0, 12.0], 1.0)
    assert np.all(np.isfinite(got.table.to_numpy()))
    assert np.all((got.low < got.estimate) & (got.estimate < got.high))


def test_what_cannot_be_inferred_is_said() -> None:
    with pytest.raises(ConfigError) as caught:
        designs.final_inference(ASOF, 4, np.nan, 0.0)
    assert list(caught.value.kinds) == ["out-of-range"] * 3
    with pytest.raises(ConfigError, match="no alpha to vary"):
        designs.repeated_p(designs.group_sequential("HP", 3), 1, 2.0)
    with pytest.raises(ConfigError, match="not the last"):
        designs.conditional_power(ASOF, 3, 1.0)
