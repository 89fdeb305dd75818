"""Functions of costs and QALYs: golden values by hand, laws, and agreement with an independent package."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from betapod.base.errors import ConfigError
from betapod.value.economics.acceptability import acceptability, acceptability_frontier, ellipse, net_benefit
from betapod.value.economics.frontier import frontier, icer, icer_error
from betapod.value.economics.information import chance_evppi, evpi, evppi
from betapod.value.economics.one_way import tornado
from betapod.value.economics.pricing import budget_impact, threshold_price

FEW = settings(max_examples=40)
MONEY = st.floats(0, 1e5)


def amounts(low: float, high: float, strategies: int = 4, draws: int = 50) -> st.SearchStrategy[np.ndarray]:
    return arrays(np.float64, (strategies, draws), elements=st.floats(low, high))


def draws(seed: int = 3, count: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return QALYs and costs (3, count) of strategies, and the parameter behind the second one."""
    rng = np.random.default_rng(seed)
    effect = rng.normal(0.05, 0.2, count)
    qalys = np.stack([np.full(count, 8.0), 8 + effect, 8.1 + rng.normal(0, 0.1, count)])
    costs = np.stack([np.full(count, 1e4), 1.2e4 + rng.normal(0, 500, count), 1.6e4 + rng.normal(0, 900, count)])
    return qalys, costs, effect


# -- the frontier --------------------------------------------------------------------------------------------------------


def test_the_frontier_by_hand() -> None:
    # 0 cheapest; 1 dominated by 2; 3 extendedly dominated: 2 to 3 costs 50 000 per QALY, 3 to 4 only 20 000.
    rows = {row.strategy: row for row in frontier([100, 300, 200, 700, 900], [1.0, 1.005, 1.01, 1.02, 1.03])}
    assert [rows[k].standing for k in range(5)] == [
        "on the frontier",
        "dominated",
        "on the frontier",
        "extendedly dominated",
        "on the frontier",
    ]
    assert rows[2].icer == pytest.approx(10_000) and rows[2].against == 0
    assert rows[4].icer == pytest.approx(35_000) and rows[4].against == 2
    assert np.isnan(rows[0].icer) and np.isnan(rows[3].icer)


def test_of_two_alike_one_is_enough() -> None:
    assert [row.standing for row in frontier([5, 5, 5], [1, 1, 2])] == ["on the frontier", "dominated", "dominated"]


@FEW
@given(arrays(np.float64, 6, elements=st.integers(0, 50)), arrays(np.float64, 6, elements=st.integers(0, 50)), MONEY)
def test_the_best_at_any_willingness_is_on_the_frontier(
    costs: np.ndarray, qalys: np.ndarray, willingness: float
) -> None:
    rows = frontier(costs, qalys)
    hull = [row for row in rows if row.standing == "on the frontier"]
    ratios = [row.icer for row in hull[1:]]
    assert all(a < b for a, b in itertools.pairwise(ratios))
    benefit = net_benefit(qalys, costs, willingness)
    assert max(benefit[row.strategy] for row in hull) == pytest.approx(benefit.max(), abs=1e-6)


def test_a_ratio_is_a_price_where_more_is_paid_for_more() -> None:
    assert icer(100.0, 0.01) == pytest.approx(1e4)
    assert icer(-100.0, -0.01) == pytest.approx(1e4)
    assert np.isnan(icer(-100.0, 0.01)) and np.isnan(icer(100.0, 0.0))


def test_the_error_of_a_ratio_is_that_of_repeated_samples() -> None:
    rng = np.random.default_rng(8)
    cov = np.array([[400.0, 0.03], [0.03, 2.5e-5]])
    cost, qalys = rng.multivariate_normal([1000.0, 0.2], cov, 200_000).T
    assert icer_error(1000.0, 0.2, (400.0, 2.5e-5, 0.03)) == pytest.approx(np.std(cost / qalys), rel=0.02)
    assert np.isnan(icer_error(1.0, 0.0, (1.0, 1.0, 0.0)))


# -- acceptability -------------------------------------------------------------------------------------------------------


@FEW
@given(amounts(5, 10), amounts(0, 1e5), MONEY)
def test_shares_of_draws_add_up(qalys: np.ndarray, costs: np.ndarray, willingness: float) -> None:
    shares = acceptability(qalys, costs, [0.0, willingness])
    assert shares.sum(axis=1) == pytest.approx(1.0)
    assert (shares >= 0).all()
    edge = acceptability_frontier(qalys, costs, [willingness])
    assert edge.chance[0] == pytest.approx(shares[1, edge.best[0]])


def test_equals_share_a_draw() -> None:
    assert acceptability(np.ones((2, 3)), np.ones((2, 3)), [1.0]).tolist() == [[0.5, 0.5]]


def test_an_ellipse_holds_its_share() -> None:
    rng = np.random.default_rng(2)
    qalys, costs = rng.multivariate_normal([0.1, 500], [[0.01, 20], [20, 90_000]], 20_000).T
    shape = ellipse(qalys, costs, 0.9)
    inside = np.linalg.solve(shape.axes, np.stack([qalys, costs]) - shape.centre[:, None])
    assert (np.hypot(*inside) <= 1).mean() == pytest.approx(0.9, abs=0.01)
    around = np.linalg.solve(shape.axes, shape.outline(7) - shape.centre[:, None])
    assert np.hypot(*around) == pytest.approx(1.0)


# -- information ---------------------------------------------------------------------------------------------------------


def test_perfect_information_by_hand() -> None:
    # Right on average is the second (mean 1 against 0); knowing, one would take (0, 4) and gain 2 instead of 1.
    assert evpi(np.array([[0.0, 0.0], [-2.0, 4.0]])) == pytest.approx(1.0)


@FEW
@given(amounts(-1e4, 1e4, draws=80), st.integers(0, 2**32 - 1))
def test_knowing_one_parameter_is_worth_something_from_nothing_to_all(benefits: np.ndarray, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=80) + benefits[1] / 1e4
    assert evpi(benefits) >= evppi(benefits, values) >= 0


def test_what_decides_nothing_is_worth_what_chance_gives() -> None:
    qalys, costs, effect = draws()
    benefits = net_benefit(qalys, costs, 30_000)
    nothing = np.random.default_rng(0).normal(size=len(effect))
    by_chance = chance_evppi(benefits, nothing)
    assert evppi(benefits, np.ones(len(effect))) == 0.0
    assert evppi(benefits, nothing) < by_chance + 0.05 * evpi(benefits)
    assert evppi(benefits, effect) > 10 * by_chance
    assert evppi(benefits, np.exp(3 * effect)) == pytest.approx(evppi(benefits, effect))  # it is the order that counts
    together = evppi(benefits, np.stack([effect, nothing], axis=1))
    assert evppi(benefits, effect) <= together + 1e-9 <= evpi(benefits) + 1e-9


def test_more_parameters_than_draws_can_tell_apart() -> None:
    with pytest.raises(ValueError, match="400 draws are enough for 39"):
        evppi(np.zeros((2, 400)), np.random.default_rng(0).normal(size=(400, 40)))


def test_an_independent_package_agrees() -> None:
    pd = pytest.importorskip("pandas")
    cea, voi = pytest.importorskip("heormodel.cea"), pytest.importorskip("heormodel.voi")
    from heormodel.models import Outcomes

    qalys, costs, effect = draws(count=2000)
    names = ["a", "b", "c"]
    index = pd.RangeIndex(2000, name="iteration")
    wide = [pd.DataFrame(values.T, columns=names, index=index) for values in (costs, qalys)]
    theirs = Outcomes.from_wide(*wide)
    grid = [0.0, 10_000.0, 30_000.0, 100_000.0]
    assert cea.ceac(theirs, grid).to_numpy() == pytest.approx(acceptability(qalys, costs, grid))
    for willingness in grid:
        benefits = net_benefit(qalys, costs, willingness)
        assert voi.evpi(theirs, willingness) == pytest.approx(evpi(benefits), abs=1e-9)
        other = voi.evppi(theirs, pd.DataFrame({"effect": effect}, index=index), "effect", willingness)
        assert other == pytest.approx(evppi(benefits, effect), rel=0.02, abs=2.0)
    rng = np.random.default_rng(5)
    for _ in range(5):
        cost, gain = rng.uniform(0, 1e5, 7), rng.uniform(5, 10, 7)
        table = pd.DataFrame({"cost": cost, "effect": gain}, index=list("abcdefg"))
        ours = ["abcdefg"[row.strategy] for row in frontier(cost, gain) if row.standing == "on the frontier"]
        assert cea.frontier(table) == ours


# -- prices and budgets --------------------------------------------------------------------------------------------------


@FEW
@given(st.floats(-1, 1), st.floats(-1e5, 1e5), st.floats(0.1, 5), MONEY)
def test_at_its_threshold_price_a_course_is_worth_its_money(q: float, c: float, courses: float, wtp: float) -> None:
    price = float(threshold_price(q, c, courses, wtp))
    assert net_benefit(q, c + courses * price, wtp) == pytest.approx(0, abs=1e-6 * (1 + abs(c) + wtp))


def test_no_course_has_no_price() -> None:
    with pytest.raises(ValueError, match="no course"):
        threshold_price(0.1, 0.0, 0.0, 20_000)


def test_a_budget_by_hand() -> None:
    # 100 begin in the first year, 100 in the second, none in the third.
    found = budget_impact([50.0, -20.0, -10.0, -5.0], 1000, [0.1, 0.2, 0.2])
    assert found.tolist() == pytest.approx([5000.0, 3000.0, -3000.0])


@pytest.mark.parametrize(
    ("more", "uptake", "kind"),
    [([1.0, 1.0], [0.2, 0.1], "bad-uptake"), ([1.0], [1.2], "bad-uptake"), ([1.0], [0.1, 0.2], "short-horizon")],
)
def test_budgets_that_cannot_be(more: list[float], uptake: list[float], kind: str) -> None:
    with pytest.raises(ConfigError) as caught:
        budget_impact(more, 10, uptake)
    assert caught.value.kinds == (kind,)


def test_the_widest_bar_comes_first() -> None:
    still, moves = np.zeros((2, 2, 2)), np.zeros((2, 2, 2))
    moves[0, 0, 1], moves[1, 0, 1], moves[1, 1, 1] = -0.1, 0.2, 1000.0
    rows = tornado({"still": still, "moves": moves}, 1, 0, 20_000)
    assert [row.parameter for row in rows] == ["moves", "still"]
    assert (rows[0].low, rows[0].high, rows[0].width) == pytest.approx((-2000, 3000, 5000))
    assert tornado({"moves": moves}, 1, 0, None)[0].high == pytest.approx(0.2)
