"""Drawing patients: right distributions, truncated to the plausible range, independent of sharding."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from betapod.base.errors import ConfigError, ParameterError
from betapod.engine.draw import draw_parameters, varied
from betapod.model.parameters.table import Parameter, ParameterTable


def row(name, distribution, value=1.0, low=-math.inf, high=math.inf):
    return Parameter(name, name, value, "1", low, high, distribution)


TABLE = ParameterTable(
    [
        row("fixed_one", "fixed", 3.0),
        row("weight", "normal(80, 15)", 80, 40, 150),
        row("factor", "lognormal(0.9, 1.0)", 0.9),
        row("implicit", "lognormal", 2.0, 1.0, 4.0),
        row("bounds", "uniform", 0.5, 0.2, 0.7),
        row("share", "logitnormal(0.3, 0.8)", 0.3, 0.05, 0.9),
        row("tail", "normal(0, 1)", 0, 6.0, 9.0),
    ]
)
EXPECTED = {
    "weight": stats.truncnorm((40 - 80) / 15, (150 - 80) / 15, loc=80, scale=15),
    "factor": stats.lognorm(1.0, scale=0.9),
    "bounds": stats.uniform(0.2, 0.5),
    "tail": stats.truncnorm(6.0, 9.0),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_distribution(name):
    values = draw_parameters(TABLE, 7, range(50_000), [name])[name]
    assert stats.kstest(values, EXPECTED[name].cdf).pvalue > 1e-3


def test_implicit_lognormal_is_its_central_95_percent_cut_at_the_range():
    values = draw_parameters(TABLE, 7, range(50_000), ["implicit"])["implicit"]
    spread = math.log(4.0) / (2 * 1.959963984540054)
    expected = stats.truncnorm(-1.959963984540054, 1.959963984540054, loc=math.log(2.0), scale=spread)
    assert stats.kstest(np.log(values), expected.cdf).pvalue > 1e-3
    assert values.min() >= 1.0 and values.max() <= 4.0


def test_logitnormal_is_normal_on_the_logit_scale_within_its_range():
    values = draw_parameters(TABLE, 7, range(50_000), ["share"])["share"]
    logit = np.log(values / (1 - values))
    centre = math.log(0.3 / 0.7)
    cuts = [(math.log(p / (1 - p)) - centre) / 0.8 for p in (0.05, 0.9)]
    assert stats.kstest(logit, stats.truncnorm(*cuts, loc=centre, scale=0.8).cdf).pvalue > 1e-3


def test_bernoulli_is_1_with_its_chance_and_0_otherwise():
    table = ParameterTable([row("acts", "bernoulli(0.85)", 1.0, 0.0, 1.0)])
    values = draw_parameters(table, 7, range(50_000))["acts"]
    assert set(values) == {0.0, 1.0}
    assert stats.binomtest(int(values.sum()), len(values), 0.85).pvalue > 1e-3
    assert table["acts"].shape == ("bernoulli", 0.85, 1.0)


def test_rows_are_drawn_independently():
    values = draw_parameters(TABLE, 7, range(20_000))
    assert list(values) == ["weight", "factor", "implicit", "bounds", "share", "tail"]
    correlation = np.corrcoef([stats.rankdata(v) for v in values.values()])
    assert np.abs(correlation - np.eye(6)).max() < 0.03


@settings(max_examples=40)
@given(st.integers(0, 10**9), st.integers(1, 300), st.data())
def test_bitwise_independent_of_sharding_order_and_company(first, count, data):
    whole = draw_parameters(TABLE, 11, range(first, first + count))
    cuts = sorted(data.draw(st.lists(st.integers(0, count), max_size=4)))
    edges = [0, *cuts, count]
    shards = [draw_parameters(TABLE, 11, range(first + a, first + b)) for a, b in itertools.pairwise(edges)]
    order = np.array(data.draw(st.permutations(range(count))))
    shuffled = draw_parameters(TABLE, 11, first + order)
    for name, values in whole.items():
        assert np.array_equal(np.concatenate([shard[name] for shard in shards]), values)
        assert np.array_equal(shuffled[name], values[order])
        assert np.array_equal(draw_parameters(TABLE, 11, range(first, first + count), [name])[name], values)


def test_seed_and_replicate_give_other_patients():
    a, b, c = (
        draw_parameters(TABLE, *args, ["weight"], r)["weight"]
        for args, r in [((1, range(9)), 0), ((2, range(9)), 0), ((1, range(9)), 1)]
    )
    assert not np.any(a == b) and not np.any(a == c)


def test_what_varies_is_named_in_table_order():
    assert varied(TABLE, "share, weight") == ("weight", "share")
    assert varied(TABLE, "none") == ()
    with pytest.raises(ConfigError) as caught:
        varied(TABLE, "weigth,fixed_one,bounds")
    assert caught.value.kinds == ("unknown-parameter", "no-distribution")
    assert "Did you mean 'weight'" in str(caught.value)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row("x", "lognormal", 1.0), "no finite spread"),
        (row("x", "lognormal", 1.0, -1.0, 2.0), "no finite spread"),
        (row("x", "normal(0, 0)"), "spread is not above 0"),
        (row("x", "uniform"), "no finite spread"),
        (row("x", "uniform(0, 1)", 0, 2, 3), "leave nothing"),
        (row("x", "lognormal(-1, 0.2)"), "outside the domain"),
        (row("x", "logitnormal(1.5, 0.2)"), "outside the domain"),
        (row("x", "lognormal(1, 0.2)", 1, -5, 0), "leaves nothing"),
        (row("x", "normal(0, 1)", 0, 60, 70), "too far out"),
        (row("x", "bernoulli(1.2)", 1, 0, 1), "between 0 and 1"),
        (row("x", "bernoulli(0.5)", 1, 0.5, 1), "both 0 and 1"),
        (row("x", "bernoulli", 1, 0, 1), "no finite spread"),
        (row("x", "normal(0)", 0, -1, 1), "no finite spread"),
    ],
)
def test_rows_that_cannot_be_drawn_are_refused(bad, message):
    with pytest.raises(ParameterError, match=message):
        draw_parameters(ParameterTable([bad]), 0, range(3))


def test_every_bad_row_is_reported_at_once():
    bad = [replace(row("x", "normal(0, 0)"), id=name) for name in ("a", "b")]
    with pytest.raises(ParameterError) as caught:
        draw_parameters(ParameterTable(bad), 0, range(3))
    assert len(caught.value.problems) == 2
