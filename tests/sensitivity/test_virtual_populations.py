"""Ways of making a virtual population: where the target is known, each comes to it, and the rules do what they say."""

from __future__ import annotations

import json

import numpy as np
import pytest
from commands import carry_out
from scipy.special import ndtr
from scipy.stats import kstest, spearmanr, truncnorm

from betapod.base.errors import ConfigError
from betapod.patients.cohorts.cohort_catalogue import load_target
from betapod.sensitivity.limited_bell import limited_bell
from betapod.sensitivity.virtual_populations import (
    _distance,
    _rank_correlation,
    accepted,
    compared_ways,
    density_ratio,
    simulations_needed,
    target_margins,
    walked,
)


@pytest.fixture(scope="module")
def pool():
    """A pool that is wider than the target and lies beside it."""
    return 1.6 * np.random.default_rng(5).standard_normal((4000, 2)) + [0.5, -0.5]


def test_the_ratio_is_that_of_the_densities(pool) -> None:
    ratio = density_ratio(pool, np.eye(2))
    centre = np.abs(pool).max(axis=1) < 1.0
    distance = np.sum((pool - [0.5, -0.5]) ** 2, axis=1) / 1.6**2
    exact = np.exp(-0.5 * np.sum(pool**2, axis=1)) / (np.exp(-0.5 * distance) / 1.6**2)
    assert np.median(ratio[centre] / exact[centre]) == pytest.approx(1.0, abs=0.15)
    assert np.corrcoef(np.log(ratio), np.log(exact))[0, 1] > 0.9


@pytest.mark.parametrize("way", ["Allen", "Rieger"])
def test_what_is_made_has_the_target_as_distribution(pool, way: str) -> None:
    correlation = np.array([[1.0, 0.5], [0.5, 1.0]])
    ratio = density_ratio(pool, correlation)
    weights = accepted(ratio, pool, 1) if way == "Allen" else walked(ratio, 1)
    assert weights.sum() == pytest.approx(1.0)
    before = max(_distance(pool[:, k], np.full(len(pool), 1 / len(pool)), ndtr) for k in range(2))
    after = max(_distance(pool[:, k], weights, ndtr) for k in range(2))
    assert before > 0.15 > 0.09 > after
    assert _rank_correlation(*pool.T, weights) == pytest.approx(6 / np.pi * np.arcsin(0.25), abs=0.12)


def test_distance_and_rank_correlation_are_the_usual_ones() -> None:
    random = np.random.default_rng(2)
    x = np.round(random.standard_normal(300), 1)
    y = x + random.standard_normal(300)
    even = np.full(300, 1 / 300)
    assert _distance(x, even, ndtr) == pytest.approx(kstest(x, "norm").statistic, abs=0.05)
    smooth = random.standard_normal(300)
    assert _distance(smooth, even, ndtr) == pytest.approx(kstest(smooth, "norm").statistic, abs=1e-12)
    assert _rank_correlation(x, y, even) == pytest.approx(spearmanr(x, y).statistic, abs=1e-9)
    # Weights of two are the same as two people.
    weights = np.where(np.arange(300) < 100, 2.0, 1.0)
    twice = np.concatenate([smooth[:100], smooth])
    assert _distance(smooth, weights / weights.sum(), ndtr) == pytest.approx(kstest(twice, "norm").statistic, abs=1e-12)


def test_a_bell_within_a_range_has_the_mean_and_the_sd_that_were_asked_for() -> None:
    x = np.linspace(-4.0, 4.0, 41)
    np.testing.assert_allclose(limited_bell(0.0, 1.0, -np.inf, np.inf)(x), ndtr(x), atol=1e-6)
    # A bell cut off at both ends is the one of largest entropy with its own mean and SD.
    cut = truncnorm(-1.0, 2.0, loc=5.0, scale=2.0)
    x = np.linspace(3.0, 9.0, 25)
    np.testing.assert_allclose(limited_bell(cut.mean(), cut.std(), 3.0, 9.0)(x), cut.cdf(x), atol=1e-6)
    # Years with diabetes are not below 0: mean 10.1 and SD 6 stay so without the part of a bell that would be.
    at = np.linspace(0.0, 80.0, 200_001)
    within = limited_bell(10.1, 6.0, 0.0, 80.0)(at)
    mean = np.trapezoid(1.0 - within, at)
    second = 2.0 * np.trapezoid(at * (1.0 - within), at)
    assert mean == pytest.approx(10.1, abs=1e-3) and np.sqrt(second - mean**2) == pytest.approx(6.0, abs=1e-3)
    # Nothing between 0 and 1 has an SD of 0.6, and nothing a mean outside.
    assert limited_bell(0.5, 0.6, 0.0, 1.0) is None and limited_bell(1.5, 0.1, 0.0, 1.0) is None


def test_weights_are_told_the_bell_behind_a_mean_and_an_sd() -> None:
    import betapod

    made = {item.way: item for item in compared_ways(betapod.load_library(), load_target("Skyler"))}
    assert max(made["weights"].distances.values()) <= 0.05
    assert made["weights"].effective > 2.0 * made["Allen"].effective


def test_ways_on_the_library() -> None:
    import betapod

    made = {item.way: item for item in compared_ways(betapod.load_library(), load_target("FLOW"))}
    assert set(made) == {"weights", "Allen", "Rieger"}
    assert all(max(item.distances.values()) < 0.08 for item in made.values())
    for item in made.values():
        assert item.weights.sum() == pytest.approx(1.0) and item.weights.min() >= 0.0
        assert item.simulations == pytest.approx(1000 * len(item.weights) / item.effective)
        assert set(item.distances) == set(made["weights"].distances)
    # Balanced weights keep more of the pool than accepting or walking does.
    assert made["weights"].effective > 1.2 * max(made["Allen"].effective, made["Rieger"].effective)


def test_how_many_simulations_a_distance_takes() -> None:
    import betapod

    library, target = betapod.load_library(), load_target("NHANES")
    needed = simulations_needed(library, target, 0.1)
    # A real cohort with seven distributions: acceptance takes more than twice as many, a chain more still.
    assert needed["weights"] >= 32 and 2 * needed["weights"] < needed["Allen"] <= needed["Rieger"] < 5000
    # Nobody comes nearer than to what the target itself is counted by.
    assert all(np.isinf(number) for number in simulations_needed(library.take(range(200)), target, 0.001).values())
    with pytest.raises(ConfigError, match="out-of-range"):
        simulations_needed(library, target, 1.0)


def test_what_a_target_does_not_say_is_refused() -> None:
    names = [margin.name for margin in target_margins(load_target("FLOW"))]
    assert len(names) >= 1
    with pytest.raises(ConfigError, match="unknown-quantity"):
        target_margins(load_target("FLOW"), ["shoe_size"])


def test_the_verb() -> None:
    done = carry_out("patients", "selections", "FLOW", "--json")
    assert done.returncode == 0, done.stderr
    ways = json.loads(done.stdout)["ways"]
    assert [row["way"] for row in ways] == ["weights", "Allen", "Rieger"]
    text = carry_out("patients", "selections", "FLOW", "--wide").stdout
    assert "simulations" in text and "Rieger" in text
    near = json.loads(carry_out("patients", "selections", "FLOW", "--distance", "0.1", "--json").stdout)["ways"]
    assert 0 < near[0]["simulations_for_distance"] < near[2]["simulations_for_distance"]
    assert "for KS 0.1" in carry_out("patients", "selections", "FLOW", "--distance", "0.1", "--wide").stdout
    done = carry_out("patients", "selections", "FLOWW")
    assert done.returncode == 2 and "FLOW" in done.stderr
