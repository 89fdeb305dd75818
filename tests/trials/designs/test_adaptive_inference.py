"""Inference after adaptations: numbers of rpact, what it is without an adaptation, and coverage where sizes and arms follow the data."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from betapod import designs
from betapod.base.errors import ConfigError

ASOF = designs.group_sequential("asOF", 3)


def test_repeated_intervals_of_stages_are_those_of_rpact() -> None:
    """Inverse normal, means of two stages, as `getAnalysisResults` of rpact 3.3.4 prints them."""
    n, means, sd = [(22, 22), (11, 13)], [(1.7, 1.0), (1.5, 1.1)], [(1.0, 1.2), (2.0, 1.3)]
    degrees = np.array([a + b - 2.0 for a, b in n])
    pooled = [((a - 1) * s**2 + (b - 1) * t**2) / (a + b - 2) for (a, b), (s, t) in zip(n, sd, strict=True)]
    error = np.sqrt([v * (1 / a + 1 / b) for v, (a, b) in zip(pooled, n, strict=True)])
    effect = np.array([a - b for a, b in means])
    low, high = designs.combination_bounds(ASOF, effect[None, :, None], error[None, :, None], degrees=degrees[None, :, None])  # fmt: skip
    assert low[0, 0] == pytest.approx(-0.2258187465, abs=1e-6)
    assert high[0, 0] == pytest.approx(1.421906395, abs=1e-6)


@pytest.mark.parametrize("family", ["P", "asOF"])
def test_without_an_adaptation_it_is_the_inference_of_the_looks(family: str) -> None:
    design = designs.group_sequential(family, [0.4, 0.7, 1.0])
    random = np.random.default_rng(3)
    steps = np.diff(design.information, prepend=0.0)
    error = np.broadcast_to(0.3 / np.sqrt(steps), (40, 3)).copy()
    stage = 0.5 + error * random.normal(size=(40, 3))
    looks = random.integers(1, 4, 40)
    over = np.arange(3) >= looks[:, None]
    stage[over], error[over] = np.nan, np.nan
    pooled = np.nansum(stage / error**2, 1) / np.nansum(error**-2, 1)
    expected = designs.final_inference(design, looks, pooled, np.nansum(error**-2, 1) ** -0.5)
    found = designs.adaptive_inference(design, stage, error)
    for name in ("p", "estimate", "low", "high"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=2e-8)
    low, high = designs.combination_bounds(design, stage[..., None], error[..., None])
    wide = designs.repeated_interval(design, looks, pooled, np.nansum(error**-2, 1) ** -0.5)
    np.testing.assert_allclose(low[:, 0], wide[0], atol=1e-8)
    np.testing.assert_allclose(high[:, 0], wide[1], atol=1e-8)


def resized(design: designs.SequentialDesign, effect: float, trials: int = 6000) -> tuple[np.ndarray, np.ndarray]:
    """Stages of trials whose second one is up to six times as large, or half as large, by what the first has shown."""
    random = np.random.default_rng(11)
    first = effect + 0.2 * random.normal(size=trials)
    z = first / 0.2
    size = np.where(z < 1.0, 6.0, np.where(z < 1.6, 3.0, 0.5))
    error = np.stack([np.full(trials, 0.2), 0.2 / np.sqrt(size)], 1)
    second = effect + error[:, 1] * random.normal(size=trials)
    stage = np.stack([first, second], 1)
    early = z >= design.efficacy[0]
    stage[early, 1], error[early, 1] = np.nan, np.nan
    return stage, error


@pytest.mark.parametrize("effect", [0.0, 0.2, 0.4])
def test_after_a_size_was_set_anew_intervals_hold_and_half_of_estimates_are_too_high(effect: float) -> None:
    design = designs.group_sequential("P", 2)
    stage, error = resized(design, effect)
    trials = len(stage)
    found = designs.adaptive_inference(design, stage, error)
    margin = 3 / np.sqrt(trials)
    assert abs(np.mean((found.low <= effect) & (effect <= found.high)) - 0.95) < margin * np.sqrt(0.95 * 0.05)
    assert abs(np.mean(found.estimate > effect) - 0.5) < margin / 2
    assert abs(np.mean(found.low > effect) - 0.025) < margin * np.sqrt(0.025 * 0.975)
    if effect == 0:
        assert abs(np.mean(found.p <= 0.025) - 0.025) < margin * np.sqrt(0.025 * 0.975)
    # The combined test at 0 and the interval say the same of trials that went on.
    combined = designs.combined_inverse_normal(ndtr(-stage / error), design.information)
    reached = np.isfinite(stage[:, 1])
    assert np.array_equal(found.low[reached] > 0, combined[reached, 1] >= design.efficacy[1])
    low, high = designs.combination_bounds(design, stage[..., None], error[..., None])
    assert np.mean((low[:, 0] <= effect) & (effect <= high[:, 0])) > 0.95 - margin * np.sqrt(0.95 * 0.05)
    # All patients as if the size had been fixed: too often too high, or not often enough.
    pooled = np.nansum(stage / error**2, 1) / np.nansum(error**-2, 1)
    if effect == 0.2:
        assert abs(np.mean(pooled > effect) - 0.5) > margin


@pytest.mark.parametrize("test", ["Simes", "Bonferroni", "Sidak", "Dunnett"])
def test_intervals_of_selected_arms_hold_together(test: str) -> None:
    design, random, trials = designs.group_sequential("OF", 2), np.random.default_rng(5), 4000
    true = np.array([0.3, 0.1, 0.3])
    noise = random.normal(size=(2, trials, 4))
    arms = np.stack([true + 0.2 * (noise[k, :, 1:] + noise[k, :, :1]) / np.sqrt(2) for k in range(2)], 1)
    best = arms[:, 0].argmax(1)
    arms[:, 1] = np.where(np.arange(3) == best[:, None], arms[:, 1], np.nan)
    error = np.where(np.isfinite(arms), 0.2, np.nan)
    low, high = designs.combination_bounds(design, arms, error, test=test)
    below, above = (low <= true).all(1).mean(), (true <= high).all(1).mean()
    room = 3 * np.sqrt(0.025 * 0.975 / trials)
    assert below > 0.975 - room and above > 0.975 - room
    # A bound above 0 is a claim of the closed test.
    claims = designs.closed_test(ndtr(-arms / error), design, test)[:, -1]
    chosen = np.arange(3) == best[:, None]
    assert claims[chosen & (low > 0)].all() and (low[chosen] > 0).mean() > 0.2


def test_bounds_of_fishers_combination_say_what_it_tests() -> None:
    design = designs.fisher_design(2)
    stage, error = resized(designs.group_sequential("OF", 2), 0.25, 500)
    reached = np.isfinite(stage[:, 1])
    low, _ = designs.combination_bounds(design, stage[..., None], error[..., None])
    product = np.prod(ndtr(-stage[reached] / error[reached]), 1)
    assert np.array_equal(low[reached, 0] > 0, product <= design.critical[1])
    first = stage[~reached, 0] + 0.2 * ndtri(design.critical[0])
    np.testing.assert_allclose(low[~reached, 0], first, atol=1e-8)


def test_one_look_combines_blocks_with_equal_weights() -> None:
    design = designs.group_sequential("OF", 1)
    stage, error = np.array([[0.4, 0.1, 0.3]]), np.array([[0.2, 0.1, 0.4]])
    found = designs.adaptive_inference(design, stage, error)
    weight = 1 / error
    middle = (stage * weight).sum() / weight.sum()
    half = 1.959963985 * np.sqrt(3) / weight.sum()
    np.testing.assert_allclose([found.estimate[0], found.low[0], found.high[0]], [middle, middle - half, middle + half], rtol=1e-8)  # fmt: skip
    low, high = designs.combination_bounds(design, stage[..., None], error[..., None])
    np.testing.assert_allclose([low[0, 0], high[0, 0]], [found.low[0], found.high[0]], rtol=1e-8)


def test_what_is_no_trial_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        designs.adaptive_inference(designs.group_sequential("OF", 2, sides=2, alpha=0.05), [[0.1]], [[0.1]])
    assert caught.value.kinds == ("not-supported",)
    with pytest.raises(ConfigError) as caught:
        designs.combination_bounds(ASOF, [[0.1, 0.2]], [[0.1, 0.2]])
    assert caught.value.kinds == ("bad-shape",)
    with pytest.raises(ConfigError) as caught:
        designs.adaptive_inference(ASOF, [[np.nan, 0.2]], [[0.1, 0.0]])
    assert caught.value.kinds == ("out-of-range", "out-of-range")
    with pytest.raises(ConfigError) as caught:
        designs.combination_bounds(designs.group_sequential("OF", 2), np.zeros((1, 3, 1)), np.ones((1, 3, 1)))
    assert caught.value.kinds == ("bad-shape",)
