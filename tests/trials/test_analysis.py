"""Laws of the estimates: what must hold whatever the data."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betapod.base.errors import ConfigError
from betapod.trials.analysis import estimators as analysis
from betapod.trials.analysis import survival
from betapod.trials.analysis.cox_regression import cox_regression
from betapod.trials.analysis.patient_slopes import patient_slopes
from betapod.trials.operating import likelihood, power_analysis, shapley


def data(seed: int, replicates: int = 4, patients: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    base = random.normal(5, 1, (replicates, patients))
    treated = np.broadcast_to(np.arange(patients) % 2.0, base.shape)
    return base + random.normal(0, 0.5, base.shape) - 0.2 * treated, base, treated


@given(st.integers(0, 1000), st.floats(-5, 5), st.floats(0.1, 10))
@settings(max_examples=25, deadline=None)
def test_ancova_moves_with_its_unit(seed: int, shift: float, scale: float) -> None:
    y, base, treated = data(seed)
    plain = analysis.ancova(y, base, treated)
    moved = analysis.ancova(scale * y + shift, base * 3 - 1, treated)
    np.testing.assert_allclose(moved.effect, scale * plain.effect, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(moved.p, plain.p, rtol=1e-7)
    swapped = analysis.ancova(y, base, 1 - treated)
    np.testing.assert_allclose(swapped.effect, -plain.effect, rtol=1e-8, atol=1e-12)


def test_a_replicate_does_not_depend_on_its_neighbours() -> None:
    y, base, treated = data(3, replicates=7)
    strata = np.random.default_rng(0).integers(0, 3, y.shape)
    whole = analysis.ancova(y, base, treated, strata)
    for k in range(7):
        # A stratum that this replicate lacks costs nothing.
        alone = analysis.ancova(y[k], base[k], treated[k], strata[k])
        np.testing.assert_allclose(whole.at(k)["effect"], float(alone.effect), rtol=1e-10)
        assert whole.at(k)["degrees"] == float(alone.degrees)


def test_an_arm_without_patients_has_no_estimate() -> None:
    y, base, treated = data(1)
    y = y.copy()
    y[0, treated[0] > 0.5] = np.nan
    found = analysis.ancova(y, base, treated)
    assert math.isnan(found.effect[0]) and math.isnan(found.p[0])
    assert np.isfinite(found.effect[1:]).all()


def test_slopes_of_straight_lines() -> None:
    days = np.array([0.0, 30, 90, 180, 365])
    values = 50 - 4.0 * days / 365.25 + np.zeros((3, 1))
    values[1, 3:] = np.nan  # followed for 90 of 365 days: no slope
    values[2, 1] = np.nan
    found = patient_slopes(days, values, acute_until=80)
    np.testing.assert_allclose(found.total[[0, 2]], -4.0)
    np.testing.assert_allclose(found.chronic[[0, 2]], -4.0)
    np.testing.assert_allclose(found.acute, -4.0 * 90 / 365.25)
    assert math.isnan(found.total[1]) and math.isnan(found.chronic[1])


def test_a_fall_counts_when_the_next_visit_confirms_it() -> None:
    days = [0.0, 90, 180, 270, 360]
    egfr = np.array(
        [
            [60.0, 55, 35, 34, 33],  # confirmed
            [60, 55, 35, 58, 57],  # not confirmed
            [60, 55, 35, np.nan, 30],  # confirmed by the next visit attended
            [60, 59, 58, 57, 30],  # at the last visit: not confirmed
            [60, 55, np.nan, np.nan, np.nan],  # lost
            [20, 18, 14, 13, 12],  # kidney failure before 40 %
        ]
    )
    day, event = survival.decline(days, egfr)
    assert event.tolist() == [True, False, True, False, False, True]
    assert day.tolist() == [180, 360, 180, 360, 90, 180]


def test_no_event_in_an_arm_gives_no_hazard_ratio() -> None:
    time = np.array([1.0, 2, 3, 4, 5, 6])
    found = cox_regression(time, [1, 1, 1, 0, 0, 0], [[0, 0, 0, 1, 1, 1]]).estimate()
    assert np.isnan(found.effect)
    assert np.isnan(
        cox_regression(time, np.zeros(6, bool), [np.arange(6) % 2.0]).estimate().effect
    )  # nor no event at all
    assert np.isnan(survival.log_rank(time, np.zeros(6, bool), np.arange(6) % 2.0)[1])
    free = survival.kaplan_meier(time, np.zeros(6, bool))
    assert (free.free == 1).all() and free.at_risk[0] == 6


@given(st.integers(1, 5), st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_shapley_shares(count: int, seed: int) -> None:
    """Shares are averages over all orders, and sum to the whole."""
    names = [f"m{k}" for k in range(count)]
    random = np.random.default_rng(seed)
    worth = {group: random.normal(size=3) for group in shapley.coalitions(names)}
    shares = shapley.shapley(worth, names)
    np.testing.assert_allclose(
        sum(shares.values()), worth[frozenset(names)] - worth[frozenset()], rtol=1e-9, atol=1e-12
    )
    orders = list(itertools.permutations(names))
    for name in names:
        added = [
            worth[frozenset(order[: order.index(name) + 1])] - worth[frozenset(order[: order.index(name)])]
            for order in orders
        ]
        np.testing.assert_allclose(shares[name], np.mean(added, axis=0), rtol=1e-9, atol=1e-12)


def test_a_mechanism_that_does_nothing_has_no_share() -> None:
    names = ["a", "b", "idle"]
    worth = {group: np.array([2.0 * ("a" in group) * (1 + ("b" in group))]) for group in shapley.coalitions(names)}
    shares = shapley.shapley(worth, names)
    assert shares["idle"] == 0
    assert shares["a"] == pytest.approx(3.0) and shares["b"] == pytest.approx(1.0)
    alone, without = shapley.alone_and_without(worth, names)["b"]
    assert alone == 0 and without == 2.0


def test_power_rises_with_size_and_effect() -> None:
    n = np.arange(4, 400)
    power = power_analysis.analytic_power(0.4, 1.0, n, n)
    assert (np.diff(power) > 0).all()
    assert (np.diff([power_analysis.analytic_power(d, 1.0, 50, 50) for d in (0.0, 0.1, 0.3, 0.9)]) > 0).all()
    assert power_analysis.analytic_power(0.0, 1.0, 50, 50) == pytest.approx(0.05)
    assert power_analysis.analytic_power(0.0, 1.0, 50, 50, directed=True) == pytest.approx(0.025)
    needed = [power_analysis.sample_size(0.4, 1.0, power) for power in (0.5, 0.8, 0.9, 0.99)]
    assert needed == sorted(needed)
    assert power_analysis.sample_size(0.4, 1.0, 0.8, lost=0.2) == pytest.approx(
        power_analysis.sample_size(0.4, 1.0, 0.8) / 0.8, abs=1
    )
    assert power_analysis.sample_size(0.0, 1.0, 0.8) is None
    assert power_analysis.sample_size(1e-6, 1.0, 0.8) is None


def test_simulated_power_agrees_with_the_curve() -> None:
    random = np.random.default_rng(11)
    base = random.normal(0, 1, (1500, 120))
    treated = np.broadcast_to(np.arange(120) % 2.0, base.shape)
    y = 0.5 * base + 0.5 * treated + random.normal(0, 1, base.shape)
    curve = power_analysis.power_curve(y, base, treated, [20, 40, 80, 120], better=1)
    assert curve.effect == pytest.approx(0.5, abs=0.02) and curve.sd == pytest.approx(1.0, abs=0.02)
    assert list(curve.smooth) == sorted(curve.smooth)
    for simulated, smooth in zip(curve.simulated, curve.smooth, strict=True):
        assert simulated.value == pytest.approx(smooth, abs=0.04)


def test_type_one_error_of_ancova_under_skewed_noise() -> None:
    random = np.random.default_rng(5)
    base = random.lognormal(0, 0.5, (10_000, 61))
    treated = np.broadcast_to(np.arange(61) % 2.0, base.shape)
    found = analysis.ancova(base + random.lognormal(0, 0.5, base.shape), base, treated)
    assert 0.04 < power_analysis.rate(power_analysis.significant(found)).value < 0.06


def test_likelihood_ratios() -> None:
    always, half, never = np.ones(400), np.arange(400) % 2.0, np.zeros(400)
    assert likelihood.of_report(half, half).ratio == pytest.approx(1.0)
    assert likelihood.of_report(always, half).ratio == pytest.approx(2.0, rel=0.01)
    strong = likelihood.of_report(always, never)
    assert strong.low < strong.ratio < strong.high and strong.ratio > 100 and "for" in strong.words
    assert likelihood.of_report(never, always).words.endswith("against")
    random = np.random.default_rng(2)
    first, second = random.normal(1, 1, 20_000), random.normal(0, 1, 20_000)
    # Two normal densities a standard deviation apart: exp(x - 1/2).
    np.testing.assert_allclose(likelihood.of_result([0.0, 0.5, 1.0], first, second), np.exp([-0.5, 0, 0.5]), rtol=0.08)
    assert likelihood.belief(0.5, 3.0) == pytest.approx(0.75)


def test_assurance() -> None:
    assert power_analysis.assurance([0.05, 0.8], [3, 1]) == pytest.approx(0.2375)
    with pytest.raises(ConfigError) as caught:
        power_analysis.assurance([0.05, 0.8], [1, -1])
    assert caught.value.kinds == ("bad-weights",)


def test_the_control_is_what_trials_call_control() -> None:
    from betapod.trials.analysis.endpoints import comparisons
    from betapod.trials.protocol.protocol_files import find_protocol, protocol_catalogue

    for name in protocol_catalogue():
        protocol = find_protocol(name)
        for design in protocol.designs:
            for each in comparisons(protocol, design):
                if each.control is None:
                    continue
                treated, control = protocol.arms[each.treated], protocol.arms[each.control]
                assert control.cells is None or treated.cells is not None, (name, design)
                if (control.cells is None) == (treated.cells is None):
                    mine = len(treated.therapies) + len(treated.inputs)
                    assert control.placebo or len(control.therapies) + len(control.inputs) <= mine, (name, design)


def test_events_go_where_their_percentage_says() -> None:
    from betapod.trials.analysis import endpoints
    from betapod.trials.protocol.endpoint_keys import Endpoint

    def event(quantity: str, percent: float | None, better: str | None = None) -> int:
        asked = Endpoint(quantity=quantity, summary="time to event", percent=percent, better=better)
        return endpoints.better(asked)

    assert event("eGFR", -40) == -1 and event("eGFR", -40, "higher") == -1  # fewer falls are better, however it is put
    assert event("eGFR", None) == -1
    assert event("UACR", 30) == -1 and event("UACR", -30) == 1
