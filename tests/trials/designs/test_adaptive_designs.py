"""Adaptive designs: combination tests against rpact 3.3.4 (R; LGPL-3), closed tests against their definition, errors and power by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm, ttest_ind_from_stats

from betapod import designs
from betapod.base.errors import ConfigError

OF = designs.group_sequential("OF", 2)
NAN = float("nan")


def test_critical_products_are_those_of_rpact() -> None:
    assert designs.fisher_design(2).critical == pytest.approx((0.015788073152, 0.002220543754), abs=1e-11)
    assert designs.fisher_design(2, method="full").critical == pytest.approx((0.003804223466,) * 2, abs=1e-11)


@pytest.mark.parametrize("method", ["equal", "full"])
def test_critical_products_keep_alpha(method: str) -> None:
    design = designs.fisher_design(4, 0.05, method)
    assert design.spent[-1] == pytest.approx(0.05, abs=1e-12)
    products = designs.combined_fisher(np.random.default_rng(3).random((200_000, 4)))
    rejected = np.logical_or.accumulate(products <= design.critical, -1).mean(0)
    assert np.abs(rejected - design.spent).max() < 4 * np.sqrt(0.05 / 200_000)


def test_products_that_spend_as_given() -> None:
    design = designs.fisher_design(3, method="spent", spent=[0.01, 0.018, 0.025])
    assert design.spent == pytest.approx((0.01, 0.018, 0.025), abs=1e-14) and design.critical[0] == pytest.approx(0.01)
    with pytest.raises(ConfigError, match="no critical products"):
        designs.fisher_design(3, method="spent", spent=[1e-6, 0.02, 0.025])


def test_two_stages_of_a_trial_combined() -> None:
    """Rpact 3.3.4: two stages of means, n 22 and 11 against 22 and 13."""
    first = ttest_ind_from_stats(1.7, 1, 22, 1, 1.2, 22, alternative="greater").pvalue
    second = ttest_ind_from_stats(1.5, 2, 11, 1.1, 1.3, 13, alternative="greater").pvalue
    assert (first, second) == pytest.approx((0.02079905653, 0.28064808204), abs=1e-10)
    z = designs.combined_inverse_normal([first, second, NAN], [1 / 3, 2 / 3, 1])
    assert z[:2] == pytest.approx((2.037518469, 1.851513718), abs=1e-8) and np.isnan(z[2])


def test_tests_of_an_intersection() -> None:
    p = np.array([[0.01, 0.03, 0.02], [0.2, NAN, 0.04], [NAN, NAN, NAN]])
    assert designs.intersection_p(p, "Bonferroni") == pytest.approx((0.03, 0.08, 1.0))
    assert designs.intersection_p(p, "Sidak") == pytest.approx((1 - 0.99**3, 1 - 0.96**2, 1.0))
    assert designs.intersection_p(p, "Simes") == pytest.approx((0.03, 0.08, 1.0))
    law = multivariate_normal(np.zeros(3), 0.5 + 0.5 * np.eye(3), maxpts=200_000, abseps=1e-8, releps=1e-8)
    expected = 1 - law.cdf(np.full(3, norm.isf(0.01)), rng=np.random.default_rng(1))
    assert designs.intersection_p(p, "Dunnett")[0] == pytest.approx(expected, abs=1e-6)


def test_a_closed_test_by_hand() -> None:
    """Three claims, the second goes on: it needs all four intersections that hold it."""
    p = np.array([[0.30, 0.02, 0.04], [NAN, 0.01, NAN]])
    combined = {}
    for members in ((1,), (0, 1), (1, 2), (0, 1, 2)):
        first = designs.intersection_p(p[0, list(members)], "Simes")
        combined[members] = (norm.isf(first) + norm.isf(0.01)) / np.sqrt(2)
    expected = all(z >= OF.efficacy[1] for z in combined.values())
    assert designs.closed_test(p, OF).tolist() == [[False] * 3, [False, expected, False]]
    assert expected
    # What was not taken on can no longer be claimed, however small its p was.
    assert not designs.closed_test([[0.004, 0.02], [NAN, 0.001]], OF)[1, 0]


def test_who_goes_on() -> None:
    estimates, active = np.array([[0.1, 0.3, 0.25], [0.4, 0.2, 0.9]]), np.array([[True] * 3, [True, True, False]])
    go_on = designs.selected_arms
    assert go_on(estimates, active).tolist() == [[False, True, False], [True, False, False]]
    assert go_on(estimates, active, "best", count=2).tolist() == [[False, True, True], [True, True, False]]
    assert go_on(estimates, active, "within", 0.06).tolist() == [[False, True, True], [True, False, False]]
    assert go_on(estimates, active, "above", 0.3).tolist() == [[False, True, False], [True, False, False]]


NULLS = {
    "multi-arm, best, Simes": lambda n: designs.simulate_multi_arm(OF, [0, 0], per_arm=40, replicates=n, seed=5),
    "multi-arm, within, Dunnett, Fisher": lambda n: designs.simulate_multi_arm(
        designs.fisher_design(2), [0, 0, 0], per_arm=40, rule="within", margin=0.1, test="Dunnett", replicates=n, seed=5
    ),
    "enrichment": lambda n: designs.simulate_enrichment(
        OF, 0, 0, share=0.4, per_arm=60, test="Dunnett", replicates=n, seed=5
    ),
    "sizes anew": lambda n: designs.simulate_reestimation(OF, 0, planned=(120, 120), most=360, replicates=n, seed=5),
    "promising zone": lambda n: designs.simulate_reestimation(
        OF, 0, planned=(120, 120), most=360, rule="promising zone", replicates=n, seed=5
    ),
    "adaptive randomisation": lambda n: designs.simulate_adaptive_randomisation([0], drift=1.0, replicates=n, seed=5),
}


@pytest.mark.parametrize("name", NULLS)
def test_no_effect_is_claimed_too_often(name: str) -> None:
    trials = NULLS[name](8000)
    assert trials.any_rejected < 0.025 + 3 * np.sqrt(0.025 * 0.975 / 8000)
    assert trials.any_rejected > 0.015


def test_tests_that_ignore_the_adaptation_claim_too_often() -> None:
    """What the valid tests are for: a drift over time biases pooled arms, a size set anew the plain z."""
    pooled = NULLS["adaptive randomisation"](4000).compared["pooled"].mean()
    assert pooled > 0.1
    naive = designs.simulate_reestimation(OF, 0, planned=(120, 120), least=20, most=2000, replicates=20_000, seed=5)
    assert naive.compared["naive"].mean() > 0.03 > naive.any_rejected


def test_power_of_other_tools() -> None:
    """Rpact 3.3.4: 2,000 trials with doses of effects 0.25 and 0.5, and 20,000 with conditional power 0.9."""
    arms = designs.simulate_multi_arm(OF, [0.25, 0.5], per_arm=40, stop="all", replicates=20_000, seed=5)
    assert arms.any_rejected == pytest.approx(0.82, abs=3 * np.sqrt(0.82 * 0.18 / 2000))
    assert arms.patients.mean() == pytest.approx(197.56, abs=3 * 13.6 / np.sqrt(2000))
    sized = designs.simulate_reestimation(
        OF, 0.3, planned=(120, 120), assumed=0.3, least=60, most=360, replicates=20_000, seed=5
    )
    assert sized.any_rejected == pytest.approx(0.84835, abs=3 * np.sqrt(2 * 0.848 * 0.152 / 20_000))
    assert sized.patients.mean() == pytest.approx(354.52, abs=3 * 126 * np.sqrt(2 / 20_000))


def test_sizes_have_the_conditional_power_that_they_were_made_for() -> None:
    z = np.array([0.6, 1.3, 2.2])
    size = designs.second_stage_size(z, OF, planned=(100, 100), effect=0.35, power=0.85, least=0, most=1e6)
    needed = (OF.efficacy[1] - np.sqrt(0.5) * z) / np.sqrt(0.5)
    assert norm.cdf(0.35 * np.sqrt(size) / 2 - needed) == pytest.approx(np.full(3, 0.85))
    zone = designs.second_stage_size(z, OF, planned=(100, 100), effect=0.35, rule="promising zone", most=1e6)
    chance = norm.cdf(0.35 * np.sqrt(100) / 2 - needed)
    assert np.array_equal(zone > 100, (chance >= 0.36) & (chance < 0.9))


def test_blinded_sizes_learn_the_scatter() -> None:
    rng = np.random.default_rng(2)
    arm = np.repeat([0.0, 0.8], 5000)
    outcomes = rng.normal(arm, 2.0, (4, 10_000))
    one_look = designs.group_sequential("OF", 1)
    true = designs.means_size(0.8, 2.0, one_look, normal=True).total
    assert designs.blinded_size(outcomes, 0.8, one_look, assumed=True) == pytest.approx(np.full(4, true), rel=0.05)
    assert np.all(designs.blinded_size(outcomes, 0.8, one_look) > true)
    assert np.all(designs.blinded_size(outcomes, 0.8, one_look, most=100) == 100)


def test_chances_to_be_best_are_those_of_draws() -> None:
    mean, sd = np.array([0.0, 0.3, 0.2]), np.array([0.2, 0.3, 0.1])
    draws = np.random.default_rng(1).normal(mean, sd, (100_000, 3))
    share = np.bincount(draws.argmax(-1), minlength=3) / 100_000
    assert designs.chances_to_be_best(mean, sd) == pytest.approx(share, abs=0.006)


def test_blocks_are_full_and_the_better_arm_gets_more() -> None:
    trials = designs.simulate_adaptive_randomisation([0.0, 0.8], blocks=6, per_block=31, replicates=500, seed=3)
    assert np.all(trials.patients == 6 * 31)
    assert trials.went_on[:, 1].mean() > 0.9


def test_assurance_of_a_normal_prior_is_known() -> None:
    """Rpact 3.3.4, and the closed form: N(0.25, 0.15) with 240 patients."""
    x, w = np.polynomial.hermite_e.hermegauss(60)
    got = designs.design_assurance(designs.group_sequential("OF", 1), 0.25 + 0.15 * x, 2 / np.sqrt(240), w)
    assert got.value == pytest.approx(0.493891775, abs=1e-8)
    looks = designs.design_assurance(designs.group_sequential("P", 3), 0.25 + 0.15 * x, 2 / np.sqrt(240), w)
    assert sum(looks.by_look) == pytest.approx(looks.value) and looks.information < 1


def test_what_cannot_be_simulated_is_said_at_once() -> None:
    for call, count in (
        (lambda: designs.simulate_multi_arm(OF, [], per_arm=0, replicates=0, stop="no"), 4),
        (lambda: designs.simulate_enrichment(designs.group_sequential("OF", 3), 0, 0, share=2, per_arm=9), 2),
        (lambda: designs.second_stage_size(1.0, designs.group_sequential("P", 3), planned=(1, 9), most=5, rule="x"), 3),
        (lambda: designs.simulate_adaptive_randomisation([0.0], per_block=3, cap=0.2), 2),
        (lambda: designs.closed_test([0.1], OF), 1),
        (lambda: designs.intersection_p([0.1], "Holm", 2.0), 2),
        (lambda: designs.design_assurance(OF, [NAN], -1.0, [1.0, 2.0]), 3),
    ):
        with pytest.raises(ConfigError) as caught:
            call()
        assert len(caught.value.problems) == count, caught.value


def test_what_is_no_number_is_refused() -> None:
    for call in (
        lambda: designs.group_sequential("user", 2, efficacy=[NAN, 2.0]),
        lambda: designs.group_sequential("asUser", 2, spent=["a", "b"]),
        lambda: designs.group_sequential("asOF", 2, futility=[NAN]),
        lambda: designs.stopping_chances(OF, [NAN]),
        lambda: designs.final_inference(OF, [1, 2], [1.0, 2.0, 3.0], 1.0),
        lambda: designs.conditional_power(OF, 1, NAN),
        lambda: designs.closed_test([["a"]], OF),
        lambda: designs.simulate_multi_arm(OF, [0.0], per_arm=[40, 40, 40]),
    ):
        with pytest.raises(ConfigError):
            call()
