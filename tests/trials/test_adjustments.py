"""Robust errors, rates, strata of proportions, several tests, margins, and visits completed from the reference."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.trials.analysis import estimators
from betapod.trials.analysis.event_rates import negative_binomial
from betapod.trials.analysis.mmrm import mmrm
from betapod.trials.analysis.multiplicity import adjusted_p, equivalence_p, graphical_p, margin_p
from betapod.trials.analysis.reference_imputation import STRATEGIES, reference_based


@pytest.mark.parametrize("kind", estimators.ROBUST)
def test_robust_errors_of_ancova(kind: str) -> None:
    statsmodels = pytest.importorskip("statsmodels.api")
    random = np.random.default_rng(2)
    base, treated = random.normal(50, 10, (3, 41)), (random.random((3, 41)) < 0.4) * 1.0
    y = base + treated + random.normal(size=base.shape) * (1 + 3 * treated)
    y[:, :4] = np.nan
    estimate = estimators.ancova(y, base, treated, robust=kind)
    for k in range(3):
        x = statsmodels.add_constant(np.stack([treated[k], base[k]], 1)[4:])
        fit = statsmodels.OLS(y[k][4:], x).fit().get_robustcov_results(kind, use_t=True)
        expected = [fit.params[1], fit.bse[1], fit.pvalues[1], *fit.conf_int()[1]]
        names = ("effect", "standard_error", "p", "low", "high")
        np.testing.assert_allclose([estimate.at(k)[name] for name in names], expected, rtol=1e-8)
    with pytest.raises(ConfigError, match="HC3"):
        estimators.ancova(y, base, treated, robust="HC9")


def test_negative_binomial_rates() -> None:
    discrete = pytest.importorskip("statsmodels.discrete.discrete_model")
    random = np.random.default_rng(4)
    x, treated = random.normal(size=(3, 150)), np.broadcast_to(np.arange(150) % 2.0, (3, 150))
    time = random.uniform(0.5, 2, x.shape)
    rate = np.exp(0.3 + 0.4 * x - 0.5 * treated) * random.gamma(1.5, 1 / 1.5, x.shape)
    events = random.poisson(rate * time).astype(float)
    fit = negative_binomial(events, time, [treated, x])
    for k in range(3):
        design = np.stack([np.ones(150), treated[k], x[k]], 1)
        model = discrete.NegativeBinomial(events[k], design, exposure=time[k])
        reference = model.fit(
            method="newton", start_params=[*fit.coefficients[k], fit.dispersion[k]], tol=1e-14, disp=0
        )
        np.testing.assert_allclose(fit.coefficients[k], reference.params[:3], rtol=1e-8)
        np.testing.assert_allclose(np.sqrt(np.diagonal(fit.covariance[k])), reference.bse[:3], rtol=1e-8)
        assert fit.dispersion[k] == pytest.approx(reference.params[3], rel=1e-8)
        assert fit.log_likelihood[k] == pytest.approx(reference.llf, rel=1e-10)


def test_counts_that_scatter_less_than_chance_are_poisson() -> None:
    statsmodels = pytest.importorskip("statsmodels.api")
    events, treated, time = np.tile([2.0, 3, 2, 3, 1, 2], 10), np.arange(60) % 2.0, np.linspace(1, 1.1, 60)
    fit = negative_binomial(events, time, [treated])
    reference = statsmodels.GLM(
        events, statsmodels.add_constant(treated), family=statsmodels.families.Poisson(), exposure=time
    ).fit(tol=1e-14)
    assert fit.dispersion[0] == 0
    np.testing.assert_allclose(fit.coefficients[0], reference.params, rtol=1e-8)
    np.testing.assert_allclose(np.sqrt(np.diagonal(fit.covariance[0])), reference.bse, rtol=1e-8)
    assert np.isnan(negative_binomial(np.zeros(60), time, [treated]).coefficients).all()


def test_strata_of_proportions() -> None:
    random = np.random.default_rng(5)
    response, treated, strata = (random.random(90) < 0.4) * 1.0, np.arange(90) % 2.0, np.arange(90) // 2 % 3
    estimate = estimators.stratified_risk_difference(response, treated, strata)
    weights, differences, variances = [], [], []
    for code in range(3):
        first, second = (response[(strata == code) & (treated == arm)] for arm in (1, 0))
        weights.append(len(first) * len(second) / (len(first) + len(second)))
        differences.append(first.mean() - second.mean())
        variances.append(first.var() / len(first) + second.var() / len(second))
    assert estimate.effect == pytest.approx(np.average(differences, weights=weights))
    assert estimate.standard_error == pytest.approx(np.sqrt(np.square(weights) @ variances) / np.sum(weights))
    plain = estimators.risk_difference(response, treated)
    assert estimators.stratified_risk_difference(response, treated, np.zeros(90)).effect == pytest.approx(plain.effect)


@pytest.mark.parametrize(
    ("procedure", "name"), [("Bonferroni", "bonferroni"), ("Holm", "holm"), ("Hochberg", "simes-hochberg")]
)
def test_adjusted_p_values(procedure: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    # It searches all memory for garbage at each call for Holm: a second each after some thousand tests.
    monkeypatch.setattr("gc.collect", lambda *_: 0)
    p = np.random.default_rng(6).random((20, 5)) ** 3
    expected = [multitest.multipletests(row, method=name)[1] for row in p]
    np.testing.assert_allclose(adjusted_p(p, procedure), expected, rtol=1e-12)


def closed(p: np.ndarray, weights: np.ndarray, graph: np.ndarray) -> np.ndarray:
    """Adjusted p values by the closed test: weighted Bonferroni of every intersection, whose weights the graph gives."""
    m, adjusted = len(p), np.zeros(len(p))
    for size in range(1, m + 1):
        for group in itertools.combinations(range(m), size):
            w, g = weights.copy(), graph.copy()
            for j in sorted(set(range(m)) - set(group)):
                w_next, g_next = w.copy(), np.zeros((m, m))
                others = [k for k in range(m) if w[k] >= 0 and k != j]
                for k in others:
                    w_next[k] = w[k] + w[j] * g[j, k]
                    for x in others:
                        if x != k and g[k, j] * g[j, k] < 1:
                            g_next[k, x] = (g[k, x] + g[k, j] * g[j, x]) / (1 - g[k, j] * g[j, k])
                w_next[j], w, g = -1.0, w_next, g_next
                w[w_next < 0] = -1.0
            with np.errstate(divide="ignore"):
                joint = min(min(p[k] / w[k] if w[k] > 0 else np.inf for k in group), 1.0)
            adjusted[list(group)] = np.maximum(adjusted[list(group)], joint)
    return adjusted


def test_a_graph_is_its_closed_test() -> None:
    graph = np.array([[0, 0.5, 0.5, 0], [0.5, 0, 0, 0.5], [0, 1, 0, 0], [1, 0, 0, 0]])
    weights = np.array([0.5, 0.5, 0, 0])
    p = np.random.default_rng(7).random((25, 4)) ** 2 * 0.1
    np.testing.assert_allclose(graphical_p(p, weights, graph), [closed(row, weights, graph) for row in p], rtol=1e-12)


def test_known_procedures_are_graphs() -> None:
    p = np.random.default_rng(8).random((30, 4)) ** 2
    holm = (np.ones((4, 4)) - np.eye(4)) / 3
    np.testing.assert_allclose(graphical_p(p, np.full(4, 0.25), holm), adjusted_p(p, "Holm"), rtol=1e-12)
    sequence = np.eye(4, k=1)
    np.testing.assert_allclose(graphical_p(p, [1, 0, 0, 0], sequence), adjusted_p(p, "fixed sequence"), rtol=1e-12)
    np.testing.assert_allclose(
        graphical_p(p, np.full(4, 0.25), np.zeros((4, 4))), adjusted_p(p, "Bonferroni"), rtol=1e-12
    )
    with pytest.raises(ConfigError) as error:
        graphical_p(p, [0.5, 0.5, 0.5, 0], np.eye(4))
    assert error.value.kinds == ("wrong-weights", "wrong-graph")
    with pytest.raises(ConfigError, match="wrong-p"):
        adjusted_p([0.1, 1.2])
    with pytest.raises(ConfigError, match="unknown-procedure"):
        adjusted_p([0.1], "Hommel")


def test_margins_are_what_intervals_say() -> None:
    random = np.random.default_rng(9)
    treated = np.arange(60) % 2.0
    estimate = estimators.ancova(random.normal(size=(40, 60)), None, treated)
    np.testing.assert_array_equal(margin_p(estimate, -0.4) < 0.025, estimate.low > -0.4)
    np.testing.assert_array_equal(margin_p(estimate, 0.4, better=-1) < 0.025, estimate.high < 0.4)
    inside = (estimate.low > -0.6) & (estimate.high < 0.6)
    np.testing.assert_array_equal(equivalence_p(estimate, -0.6, 0.6) < 0.025, inside)
    assert 0 < inside.sum() < 40
    one_sided = np.where(estimate.effect > 0, estimate.p / 2, 1 - estimate.p / 2)
    np.testing.assert_allclose(margin_p(estimate, 0.0), one_sided, rtol=1e-10)
    with pytest.raises(ConfigError, match="wrong-margins"):
        equivalence_p(estimate, 0.6, -0.6)


def leaving(seed: int = 3, n: int = 400) -> dict[str, np.ndarray]:
    """A trial in which a third of both arms leaves after the first of three visits."""
    random = np.random.default_rng(seed)
    treated, base = np.arange(n) % 2.0, random.normal(0, 1, n)
    course = random.normal(0, 1, (n, 1)) + random.normal(0, 0.5, (n, 3)) + 0.5 * base[:, None]
    values = course + treated[:, None] * np.array([1.0, 2.0, 3.0])
    values[random.random(n) < 1 / 3, 1:] = np.nan
    return {"values": values, "baseline": base, "treated": treated}


def test_visits_completed_from_the_reference() -> None:
    """What is assumed of the third that left: own arm 3, reference 0, increments of the reference 1, a control patient's course 1 x correlation."""
    data = leaving()
    effects = {name: reference_based(**data, strategy=name, draws=60) for name in STRATEGIES}
    assert effects["missing at random"].effect[0] == pytest.approx(float(mmrm(**data).effect[0]), abs=0.05)
    assert effects["missing at random"].standard_error[0] == pytest.approx(
        float(mmrm(**data).standard_error[0]), rel=0.1
    )
    assert effects["jump to reference"].effect[0] == pytest.approx(2.0, abs=0.25)
    assert effects["copy increments in reference"].effect[0] == pytest.approx(2.0 + 1 / 3, abs=0.25)
    assert 2.1 < effects["copy reference"].effect[0] < 2.5
    again = reference_based(**data, draws=60)
    assert again.effect[0] == effects["jump to reference"].effect[0]
    with pytest.raises(ConfigError, match="unknown-strategy"):
        reference_based(**data, strategy="J2R")


def test_nothing_to_complete_is_ancova() -> None:
    data = leaving()
    data["values"] = np.where(np.isfinite(data["values"]), data["values"], 0.5)
    plain = estimators.ancova(data["values"][:, -1], data["baseline"], data["treated"])
    for name in STRATEGIES:
        estimate = reference_based(**data, strategy=name)
        assert estimate.p[0] == pytest.approx(float(plain.p)) and estimate.effect[0] == pytest.approx(
            float(plain.effect)
        )
