"""Sizes and power against rpact 3.3.4 (R; LGPL-3), and laws of the score test and of follow-up."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from betapod import designs
from betapod.base.errors import ConfigError
from betapod.trials.designs.fixed_sizes import null_shares
from betapod.trials.designs.follow_up_events import FollowedArms

DESIGN = designs.group_sequential("asOF", 3)


def test_size_for_means() -> None:
    size = designs.means_size(0.3, 1.0, DESIGN)
    assert size.fixed == pytest.approx(468.925647, rel=1e-8)
    assert size.by_look == pytest.approx((158.1612372, 316.3224745, 474.4837117), rel=1e-8)
    assert (size.expected_h1, size.expected_h0) == pytest.approx((380.5201024, 473.51072), rel=1e-8)
    assert size.efficacy == pytest.approx((0.6042991065, 0.2840640245, 0.1834767419), rel=1e-7)
    assert designs.means_size(0.3, 1.0, DESIGN, normal=True).fixed == pytest.approx(466.9965805, rel=1e-8)


def test_size_for_shares() -> None:
    size = designs.rates_size(0.25, 0.4, DESIGN)
    assert (size.total, size.expected_h1) == pytest.approx((410.4267252, 329.1485369), rel=1e-7)
    assert size.efficacy[0] < size.efficacy[2] < 0


def test_size_for_times_to_events() -> None:
    by_time = designs.survival_size(0.7, DESIGN, control_share=0.3, by=36, accrual=24, follow_up=24)
    assert by_time.by_look == pytest.approx((111.4312684, 222.8625368, 334.2938052), rel=1e-7)
    assert by_time.patients == pytest.approx(1289.728243, rel=1e-7)
    assert by_time.times[-1] == pytest.approx(48, abs=1e-6)
    # 600 patients with a median of 60 months, of whom 5 % a year are lost.
    by_size = designs.survival_size(
        0.7, DESIGN, control_share=0.5, by=60, accrual=12, patients=600, loss=0.05, loss_by=12
    )
    assert by_size.times == pytest.approx((28.15896226, 60.62566717, 122.75873007), rel=1e-6)


def test_power_of_a_size() -> None:
    chances = designs.means_power([0.0, 0.2, 0.3, 0.4], 1.0, 400, DESIGN)
    assert np.abs(chances.power - (0.0249999997, 0.5081484626, 0.8448022395, 0.9777566344)).max() < 1e-8
    assert chances.information * 400 == pytest.approx((399.1797470, 374.0866505, 333.7302489, 286.3493348), rel=1e-8)
    early = chances.rejected[:, :2].sum(-1)
    assert np.abs(early - (0.00604839104, 0.18909220547, 0.47330789751, 0.77258988930)).max() < 1e-7


@pytest.mark.parametrize("ratio", [0.5, 1.0, 3.0])
def test_a_size_has_the_power_that_it_was_made_for(ratio: float) -> None:
    design = designs.group_sequential("P", [0.4, 1], 0.05, sides=2, power=0.8)
    means = designs.means_size(4.0, 10.0, design, ratio=ratio)
    assert designs.means_power(4.0, 10.0, means.total, design, ratio=ratio).power[0] == pytest.approx(0.8, abs=1e-3)
    rates = designs.rates_size(0.5, 0.6, design, ratio=ratio, null=-0.2)
    power = designs.rates_power(
        0.5, 0.6, rates.fixed, designs.group_sequential("OF", 1, 0.05, 2, 0.8), ratio=ratio, null=-0.2
    )
    assert power.power[0] == pytest.approx(0.8, abs=1e-9)
    events = designs.survival_size(0.8, design, ratio=ratio, null=1.3)
    assert designs.survival_power(0.8, events.total, design, ratio=ratio, null=1.3).power[0] == pytest.approx(
        0.8, abs=1e-9
    )


def test_unequal_arms_cost_as_they_should() -> None:
    even, skewed = (designs.means_size(1.0, 2.0, DESIGN, ratio=ratio, normal=True).total for ratio in (1.0, 3.0))
    assert skewed / even == pytest.approx((1 + 3) ** 2 / 3 / 4, rel=1e-9)


@pytest.mark.parametrize(
    ("treated", "control", "ratio", "null"), [(0.6, 0.7, 1.0, -0.1), (0.3, 0.25, 2.0, 0.1), (0.5, 0.5, 0.5, -0.15)]
)
def test_shares_of_the_null_are_the_likeliest(treated: float, control: float, ratio: float, null: float) -> None:
    def minus_log_likelihood(share: float) -> float:
        other = share - null
        first = ratio * (treated * math.log(share) + (1 - treated) * math.log(1 - share))
        return -first - control * math.log(other) - (1 - control) * math.log(1 - other)

    ends = (max(0.0, null) + 1e-9, min(1.0, 1.0 + null) - 1e-9)
    best = minimize_scalar(minus_log_likelihood, bounds=ends, method="bounded", options={"xatol": 1e-11})
    first, second = null_shares(treated, control, ratio, null)
    assert float(first) == pytest.approx(best.x, abs=1e-6)
    assert float(first - second) == pytest.approx(null, abs=1e-12)


def test_events_of_follow_up_are_those_of_many_people() -> None:
    arms = FollowedArms(0.03, 0.05, 2.0, 10.0, 0.02)
    rng = np.random.default_rng(5)
    n = 200_000
    hazard = np.where(rng.random(n) < 2 / 3, 0.03, 0.05)
    entered, event, lost = rng.uniform(0, 10, n), rng.exponential(1 / hazard), rng.exponential(1 / 0.02, n)
    for time in (6.0, 25.0):
        seen_share = float(np.mean((event < lost) & (entered + event < time)))
        assert abs(float(arms.share(time)) - seen_share) < 4 * math.sqrt(seen_share / n)
    assert arms.time_of(float(arms.share(17.0))) == pytest.approx(17.0, abs=1e-8)


def test_what_has_no_size_is_refused() -> None:
    for call, words in (
        (lambda: designs.means_size(0.0, 1.0, DESIGN), "that of the null"),
        (lambda: designs.means_size(1.0, -1.0, DESIGN, ratio=0.0), "sd cannot be this"),
        (lambda: designs.rates_size(1.2, 0.4, DESIGN), "treated is a share"),
        (lambda: designs.survival_size(0.7, DESIGN, control_share=0.3), "the course of a trial"),
        (lambda: designs.survival_size(0.7, DESIGN, control_share=0.3, accrual=6, follow_up=6, patients=9), "either"),
        (
            lambda: designs.survival_size(0.7, DESIGN, control_share=0.5, by=60, accrual=12, patients=300),
            "never happen",
        ),
    ):
        with pytest.raises(ConfigError, match=words):
            call()
