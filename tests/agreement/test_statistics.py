"""The batched estimates equal those of statsmodels and lifelines, replicate by replicate."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from betapod.trials.analysis import estimators as analysis
from betapod.trials.analysis import survival
from betapod.trials.analysis.cox_regression import cox_regression
from betapod.trials.analysis.mmrm import mmrm
from betapod.trials.operating import power_analysis

CLOSE = {"rtol": 1e-8, "atol": 1e-10}


@pytest.fixture(scope="module")
def trials() -> dict[str, np.ndarray]:
    """Thirty small trials with missing values, unequal arms and three strata, of which some trials lack one."""
    random = np.random.default_rng(7)
    shape = (30, 61)
    base = random.normal(6.0, 1.0, shape)
    treated = (random.random(shape) < 0.4).astype(float)
    strata = (random.random(shape) < 0.5).astype(int) + (random.random(shape) < 0.02)
    outcome = 0.7 * base - 0.3 * treated + 0.2 * strata + random.normal(0, 0.6, shape)
    outcome[random.random(shape) < 0.12] = np.nan
    base[random.random(shape) < 0.03] = np.nan
    return {"base": base, "treated": treated, "strata": strata, "outcome": outcome}


def ols(y: np.ndarray, columns: list[np.ndarray]):
    statsmodels = pytest.importorskip("statsmodels.api")
    seen = np.isfinite(np.column_stack([y, *columns])).all(1)
    return statsmodels.OLS(y[seen], statsmodels.add_constant(np.column_stack(columns)[seen])).fit()


@pytest.mark.parametrize("adjusted", ["nothing", "baseline", "baseline and strata", "all"])
def test_ancova(trials: dict[str, np.ndarray], adjusted: str) -> None:
    y, base, treated, strata = (trials[name] for name in ("outcome", "base", "treated", "strata"))
    extra = np.sin(np.arange(61.0))
    found = analysis.ancova(
        y,
        None if adjusted == "nothing" else base,
        treated,
        strata if "strata" in adjusted or adjusted == "all" else None,
        [extra] if adjusted == "all" else [],
    )
    for k in range(len(y)):
        columns = [treated[k]]
        if adjusted != "nothing":
            columns.append(base[k])
        if adjusted == "all":
            columns.append(extra)
        if "strata" in adjusted or adjusted == "all":
            seen = np.isfinite(y[k]) & np.isfinite(base[k])
            columns += [(strata[k] == code) * 1.0 for code in np.unique(strata[k][seen])[1:]]
        fitted = ols(y[k], columns)
        low, high = fitted.conf_int()[1]
        mine = found.at(k)
        expected = (fitted.params[1], fitted.bse[1], fitted.pvalues[1], low, high, fitted.df_resid, fitted.nobs)
        got = [mine[name] for name in ("effect", "standard_error", "p", "low", "high", "degrees", "n")]
        np.testing.assert_allclose(got, expected, **CLOSE)


def test_ancova_of_badly_scaled_data() -> None:
    random = np.random.default_rng(1)
    base = 1e6 + random.normal(0, 1, 40)
    treated = np.arange(40) % 2.0
    y = base + 0.1 * treated + random.normal(0, 0.1, 40)
    fitted = ols(y - 1e6, [treated, base - 1e6])
    found = analysis.ancova(y, base, treated)
    assert found.effect == pytest.approx(fitted.params[1], rel=1e-7)
    assert found.standard_error == pytest.approx(fitted.bse[1], rel=1e-7)


def test_mean_change(trials: dict[str, np.ndarray]) -> None:
    stats = pytest.importorskip("statsmodels.stats.weightstats")
    change = trials["outcome"] - trials["base"]
    found = analysis.mean_change(change)
    for k, values in enumerate(change):
        described = stats.DescrStatsW(values[np.isfinite(values)])
        _, p, degrees = described.ttest_mean()
        expected = (described.mean, described.std_mean, p, *described.tconfint_mean(), degrees)
        got = [found.at(k)[name] for name in ("effect", "standard_error", "p", "low", "high", "degrees")]
        np.testing.assert_allclose(got, expected, **CLOSE)


def test_proportions(trials: dict[str, np.ndarray]) -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    response = np.where(np.isfinite(trials["outcome"]), trials["outcome"] < trials["base"] - 2, np.nan)
    found = analysis.risk_difference(response, trials["treated"])
    for k, values in enumerate(response):
        arm, seen = trials["treated"][k] > 0.5, np.isfinite(values)
        x1, n1, x0, n0 = values[arm & seen].sum(), (arm & seen).sum(), values[~arm & seen].sum(), (~arm & seen).sum()
        np.testing.assert_allclose(analysis.wilson(x1, n1), proportion.proportion_confint(x1, n1, method="wilson"))
        np.testing.assert_allclose(
            analysis.exact_interval(x1, n1), proportion.proportion_confint(x1, n1, method="beta"), rtol=1e-8
        )
        bounds = proportion.confint_proportions_2indep(x1, n1, x0, n0, method="newcomb")
        np.testing.assert_allclose([found.low[k], found.high[k]], bounds, **CLOSE)
        _, p = proportion.proportions_ztest([x1, x0], [n1, n0])
        assert found.p[k] == pytest.approx(p, rel=1e-8)


@pytest.fixture(scope="module")
def courses() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Visits every 90 days: tied times, censoring at missed last visits."""
    random = np.random.default_rng(3)
    treated = np.broadcast_to(np.arange(60) % 2.0, (12, 60))
    time = np.ceil(random.exponential(np.where(treated > 0, 900.0, 600.0)) / 90) * 90
    end = random.choice([360.0, 540.0, 720.0], (12, 60))
    return np.minimum(time, end), time <= end, treated


def test_kaplan_meier(courses: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    lifelines = pytest.importorskip("lifelines")
    time, event, treated = courses
    found = survival.kaplan_meier(time, event, treated > 0.5)
    for k in range(len(time)):
        member = treated[k] > 0.5
        fitted = lifelines.KaplanMeierFitter().fit(time[k][member], event[k][member])
        np.testing.assert_allclose(found.free[k], fitted.survival_function_at_times(found.days), **CLOSE)
        bounds = fitted.confidence_interval_survival_function_.to_numpy()
        days = fitted.confidence_interval_survival_function_.index.to_numpy()
        where = np.searchsorted(found.days, days)
        inside = (found.free[k][where] > 0) & (found.free[k][where] < 1)
        np.testing.assert_allclose(found.low[k][where][inside], bounds[inside, 0], **CLOSE)
        np.testing.assert_allclose(found.high[k][where][inside], bounds[inside, 1], **CLOSE)


def test_cumulative_incidence() -> None:
    """Against Aalen and Johansen of lifelines, which moves tied times apart: times here have no ties."""
    lifelines = pytest.importorskip("lifelines")
    random = np.random.default_rng(8)
    time = random.permutation(np.arange(1.0, 241.0)).reshape(2, 120)
    kind = random.choice([0, 1, 2], (2, 120), p=[0.4, 0.35, 0.25])
    found = survival.cumulative_incidence(time, kind == 1, kind == 2)
    for k in range(2):
        fitted = lifelines.AalenJohansenFitter(calculate_variance=False).fit(time[k], kind[k], event_of_interest=1)
        table = fitted.cumulative_density_
        where = np.searchsorted(found.days, table.index.to_numpy())
        np.testing.assert_allclose(found.share[k][where], table.iloc[:, 0], **CLOSE)
    alone = survival.cumulative_incidence(time, kind == 1, np.zeros(kind.shape, dtype=bool))
    curve = survival.kaplan_meier(time, kind == 1)
    np.testing.assert_allclose(alone.share, 1 - curve.free, **CLOSE)
    np.testing.assert_allclose(alone.error[:, :-1], curve.error[:, :-1], **CLOSE)


def test_the_error_of_the_cumulative_incidence_is_that_of_repeated_trials() -> None:
    random = np.random.default_rng(9)
    event, death, end = (random.exponential(scale, (4000, 150)) for scale in (900.0, 1200.0, 1500.0))
    time = np.ceil(np.minimum(np.minimum(event, death), np.minimum(end, 720.0)) / 30) * 30
    happened = (event <= death) & (event <= np.minimum(end, 720.0))
    rival = (death < event) & (death <= np.minimum(end, 720.0))
    found = survival.cumulative_incidence(time, happened, rival)
    assert np.mean(found.error[:, -1]) == pytest.approx(np.std(found.share[:, -1]), rel=0.05)
    inside = (found.low[:, -1] <= np.mean(found.share[:, -1])) & (np.mean(found.share[:, -1]) <= found.high[:, -1])
    assert np.mean(inside) == pytest.approx(0.95, abs=0.015)


def test_log_rank_and_cox(courses: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    lifelines = pytest.importorskip("lifelines")
    phreg = pytest.importorskip("statsmodels.duration.hazard_regression")
    import pandas as pd

    time, event, treated = courses
    chi, p = survival.log_rank(time, event, treated)
    found = cox_regression(time, event, [treated]).estimate()
    for k in range(len(time)):
        arm = treated[k] > 0.5
        expected = lifelines.statistics.logrank_test(time[k][arm], time[k][~arm], event[k][arm], event[k][~arm])
        assert chi[k] == pytest.approx(expected.test_statistic, rel=1e-8)
        assert p[k] == pytest.approx(expected.p_value, rel=1e-8)
        data = pd.DataFrame({"time": time[k], "event": event[k], "treated": treated[k]})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = lifelines.CoxPHFitter().fit(data, "time", "event", fit_options={"precision": 1e-16})
        row = fitted.summary.iloc[0]
        got = [found.effect[k], found.standard_error[k], found.p[k], found.low[k], found.high[k]]
        expected_row = [row[name] for name in ("coef", "se(coef)", "p", "coef lower 95%", "coef upper 95%")]
        # lifelines stops when the likelihood stands still, statsmodels goes on to the last digits.
        np.testing.assert_allclose(got, expected_row, rtol=1e-6)
        hazards = phreg.PHReg(time[k], treated[k][:, None], status=event[k] * 1.0, ties="efron").fit(tol=1e-14)
        close = [hazards.params[0], hazards.bse[0], hazards.pvalues[0], *hazards.conf_int()[0]]
        np.testing.assert_allclose(got, close, **CLOSE)


@pytest.mark.parametrize("effect", [0.2, 0.5, 1.0])
def test_power_and_sample_size(effect: float) -> None:
    power = pytest.importorskip("statsmodels.stats.power").TTestIndPower()
    for n in (5, 20, 200):
        expected = power.power(effect, n, 0.05)
        if np.isnan(expected):  # the noncentral t distribution of SciPy gives up far out in the tail
            assert power_analysis.analytic_power(effect, 1.0, n, n) == pytest.approx(1.0)
            continue
        assert float(power_analysis.analytic_power(effect, 1.0, n, n)) == pytest.approx(expected, rel=1e-8)
    wanted = power.solve_power(effect, power=0.8, alpha=0.05)
    assert power_analysis.sample_size(effect, 1.0, 0.8) == int(np.ceil(wanted - 1e-9))


def _published(name: str) -> dict[str, np.ndarray]:
    """Return patients x visits of a table with a row per visit, and what is known of each patient."""
    import csv
    from pathlib import Path

    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    patients, days = sorted({int(r["patient"]) for r in rows}), sorted({float(r["day"]) for r in rows})
    values = np.full((len(patients), len(days)), np.nan)
    known = {name: np.zeros(len(patients)) for name in ("treated", "base")}
    for row in rows:
        k = patients.index(int(row["patient"]))
        values[k, days.index(float(row["day"]))] = float(row["value"])
        for name in known:
            known[name][k] = float(row[name])
    return {"values": values, **known}


def test_mixed_model_of_a_trial_that_loses_bad_courses() -> None:
    """Scatter that grows with time and drop-out by the course: R's nlme gives a standard error of 4.62, a random intercept gave 2.29.

    ``gls(value ~ 0 + v + v:treated + v:base, corSymm(~ v | patient), varIdent(~ 1 | v), method = "REML")`` at the last visit.
    """
    given = _published("mmrm.csv")
    found = mmrm(given["values"], given["base"], given["treated"])
    assert found.standard_error[0] == pytest.approx(4.62, abs=0.005)
    assert 15 < found.degrees[0] < 37 and found.n[0] == 40


@pytest.mark.parametrize("visits", [1, 2, 4])
def test_mixed_model_without_missing_visits_is_ancova(visits: int) -> None:
    random = np.random.default_rng(visits)
    value = 10 + random.normal(size=(50, visits)).cumsum(1)
    base, treated, strata = random.normal(size=50), (np.arange(50) % 3 == 0) * 1.0, random.integers(0, 2, 50)
    for levels in (None, strata):
        found = mmrm(value, base, treated, levels)
        plain = analysis.ancova(value[:, -1], base, treated, levels)
        for name in ("effect", "standard_error", "degrees", "p", "low", "high", "n"):
            assert getattr(found, name)[0] == pytest.approx(float(getattr(plain, name)), rel=1e-5), name


def test_mixed_model_uses_what_patients_showed_before_they_left() -> None:
    """The worst leave at half time: those who stay are no fair sample, the mixed model finds the truth all the same."""
    random = np.random.default_rng(8)
    effects, plain = [], []
    treated = np.arange(300) % 2.0
    for _ in range(12):
        own, base = random.normal(0, 1, 300), random.normal(0, 1, 300)
        first = own + random.normal(0, 0.3, 300)
        value = np.stack([first, own + treated + random.normal(0, 0.3, 300)], 1)
        value[(first < 0) & (treated > 0), 1] = np.nan
        effects.append(mmrm(value, base, treated).effect[0])
        plain.append(float(analysis.ancova(value[:, 1], base, treated).effect))
    assert np.mean(effects) == pytest.approx(1.0, abs=0.1)
    assert np.mean(plain) > 1.5


def test_mixed_model_of_too_few_is_not_estimated() -> None:
    random = np.random.default_rng(0)
    for n in (0, 1, 2, 6):
        found = mmrm(random.normal(size=(n, 3)), random.normal(size=n), np.arange(n) % 2.0)
        assert np.isnan(found.effect[0]) and np.isnan(found.p[0])
    constant = mmrm(np.ones((40, 2)), random.normal(size=40), np.arange(40) % 2.0)
    assert np.isnan(constant.effect[0])
    nobody = random.normal(size=(40, 3))
    nobody[:, 2] = np.nan
    assert np.isnan(mmrm(nobody, random.normal(size=40), np.arange(40) % 2.0).effect[0])


@pytest.mark.parametrize(("treated", "control"), [(0.5, 0.3), (0.05, 0.15), (0.9, 0.8)])
@pytest.mark.parametrize("ratio", [1.0, 0.5, 5.0])
def test_sizes_for_shares(treated: float, control: float, ratio: float) -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    n = power_analysis.sample_size_of_shares(treated, control, 0.8, ratio=ratio)
    assert n is not None

    def power(first: float) -> float:
        # statsmodels counts the treated arm first; its power holds both tails, of which the far one is nothing here.
        found = proportion.power_proportions_2indep(treated - control, control, first, ratio=1 / ratio, alpha=0.05)
        return float(found.power)

    assert power(n * ratio) >= 0.8 - 1e-6 > power((n - 1) * ratio) - 1e-6


@pytest.mark.parametrize("ratio", [1.0, 0.5, 5.0])
def test_sizes_for_events(ratio: float) -> None:
    """Schoenfeld's formula; lifelines has Freedman's, which is the same where the hazard ratio is near 1."""
    statistics = pytest.importorskip("lifelines.statistics")
    _, control = statistics.sample_size_necessary_under_cph(0.8, ratio, 0.2, 0.3, 0.99)
    assert power_analysis.sample_size_of_events(float(np.log(0.99)), 0.2, 0.3, 0.8, ratio=ratio) == pytest.approx(
        control, rel=0.02
    )


def test_247_events_show_a_hazard_ratio_of_0_7() -> None:
    """4 (1.96 + 0.84)^2 / log(0.7)^2 = 246.8; where all have the event, 124 in each arm."""
    assert power_analysis.sample_size_of_events(float(np.log(0.7)), 1.0, 1.0, 0.8) == 124
    assert power_analysis.sample_size_of_events(float(np.log(0.7)), 0.5, 0.5, 0.8) == 247
    assert power_analysis.sample_size_of_events(float(-np.log(0.7)), 0.5, 0.5, 0.8) == 247
