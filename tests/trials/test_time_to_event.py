"""Cox regression, restricted means, the hazard of the subdistribution and recurrent events, against R, lifelines, statsmodels and by hand."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from golden_files import golden_table

from betapod.base.errors import ConfigError
from betapod.trials.analysis import restricted_means, survival
from betapod.trials.analysis.cox_regression import cox_regression, fine_gray, recurrent_cox

CLOSE: dict[str, Any] = {"rtol": 1e-8, "atol": 1e-10}


@pytest.fixture(scope="module")
def kidney() -> dict[str, np.ndarray]:
    """Death, dialysis, eGFR below 15 or a fall by 57 % in the 1,500 simulated patients of the R package hce."""
    people = golden_table("kidney_hce/hce_ADSL.csv").sort_values("ID")
    events = golden_table("kidney_hce/hce_ADET.csv")
    first = events[events.PARAMCD.isin(["DTHADJ", "DIAL90", "EGFR15", "EGFR57"])].groupby("ID").AVAL.min()
    day = people.ID.map(first)
    columns = {"treated": people.TRTPN == 1, "base": people.EGFRBL, "strata": people.STRATAN}
    return {"time": day.fillna(1080).to_numpy(float), "event": day.notna().to_numpy()} | {
        name: column.to_numpy(float) for name, column in columns.items()
    }


def test_kidney_trial_in_r(kidney: dict[str, np.ndarray]) -> None:
    """R survival 3.5 (coxph with Efron's ties, survdiff, survfit) on the same data."""
    time, event, treated = kidney["time"], kidney["event"], kidney["treated"]
    fit = cox_regression(time, event, [treated])
    assert fit.coefficients[0, 0] == pytest.approx(-0.4601781074, rel=1e-9)
    assert np.sqrt(fit.covariance[0, 0, 0]) == pytest.approx(0.1481732787, rel=1e-9)
    assert fit.log_likelihood_without[0] == pytest.approx(-1384.181109, abs=5e-7)
    assert fit.log_likelihood[0] == pytest.approx(-1379.239058, abs=5e-7)
    assert cox_regression(time, event, [treated]).estimate().effect == pytest.approx(-0.4601781074, rel=1e-9)
    adjusted = cox_regression(time, event, [treated, kidney["base"]], kidney["strata"])
    np.testing.assert_allclose(adjusted.coefficients[0], [-0.4541310829, -0.04538052598], rtol=1e-9)
    errors = np.sqrt(np.diagonal(adjusted.covariance[0]))
    np.testing.assert_allclose(errors, [0.1482575054, 0.007034133684], rtol=1e-9)
    assert survival.log_rank(time, event, treated)[0] == pytest.approx(9.815928369, rel=1e-9)
    for arm, mean, error in ((1, 1023.816, 6.71598), (0, 998.413, 7.74608)):
        free, spread = restricted_means.restricted_mean(time, event, 1080.0, treated == arm)
        assert free == pytest.approx(mean, abs=5e-4) and spread == pytest.approx(error, abs=5e-6)
    curve = survival.kaplan_meier(time, event, treated > 0.5)
    assert curve.free[np.searchsorted(curve.days, 1079, side="right") - 1] == pytest.approx(0.9, abs=5e-7)


@pytest.fixture(scope="module")
def courses() -> dict[str, np.ndarray]:
    """Four trials of 90 with ties, two covariates and three strata."""
    random = np.random.default_rng(6)
    x = random.normal(size=(4, 90))
    treated = np.broadcast_to(np.arange(90) % 2.0, x.shape)
    time = np.ceil(random.exponential(20 * np.exp(0.4 * treated - 0.3 * x)))
    end = random.integers(10, 40, x.shape)
    columns = {"time": np.minimum(time, end), "event": time <= end, "treated": treated, "x": x}
    return columns | {"strata": random.integers(0, 3, x.shape)}


def test_cox_regression_with_covariates_and_strata(courses: dict[str, np.ndarray]) -> None:
    phreg = pytest.importorskip("statsmodels.duration.hazard_regression").PHReg
    covariates = [courses["treated"], courses["x"]]
    fit = cox_regression(courses["time"], courses["event"], covariates, courses["strata"])
    for k in range(4):
        x = np.stack([courses["treated"][k], courses["x"][k]], 1)
        options = {"status": courses["event"][k] * 1.0, "strata": courses["strata"][k], "ties": "efron"}
        reference = phreg(courses["time"][k], x, **options).fit(tol=1e-14)
        np.testing.assert_allclose(fit.coefficients[k], reference.params, **CLOSE)
        np.testing.assert_allclose(np.sqrt(np.diagonal(fit.covariance[k])), reference.bse, **CLOSE)
        assert fit.log_likelihood[k] == pytest.approx(reference.llf, rel=1e-10)
    alone = cox_regression(courses["time"][2], courses["event"][2], [c[2] for c in covariates], courses["strata"][2])
    np.testing.assert_allclose(alone.robust[0], fit.robust[2], rtol=1e-9)


def test_robust_errors_of_cox_regression(courses: dict[str, np.ndarray]) -> None:
    lifelines = pytest.importorskip("lifelines")
    import pandas as pd

    # Without ties, of which lifelines' scores take another view.
    time = courses["time"] + np.random.default_rng(1).random(courses["time"].shape)
    fit = cox_regression(time, courses["event"], [courses["treated"], courses["x"]])
    frame = pd.DataFrame({name: courses[name][0] for name in ("event", "treated", "x")} | {"time": time[0]})
    options = {"fit_options": {"precision": 1e-14}, "robust": True}
    reference = lifelines.CoxPHFitter().fit(frame, "time", "event", **options)
    errors = np.sqrt(np.diagonal(fit.robust[0]))
    np.testing.assert_allclose(errors, reference.standard_errors_.to_numpy(), rtol=1e-6)


def test_restricted_means_and_stratified_log_rank(courses: dict[str, np.ndarray]) -> None:
    lifelines = pytest.importorskip("lifelines")
    difference = restricted_means.restricted_mean_difference(
        courses["time"], courses["event"], courses["treated"], 30.0
    )
    means = []
    for arm in (1, 0):
        keep = courses["treated"][0] == arm
        fitted = lifelines.KaplanMeierFitter().fit(courses["time"][0][keep], courses["event"][0][keep])
        means.append(lifelines.utils.restricted_mean_survival_time(fitted, t=30.0))
    assert difference.effect[0] == pytest.approx(means[0] - means[1], rel=1e-10)
    # The score test of a Cox model in strata is the log-rank test, but for the variance of tied events: none are tied here.
    time = courses["time"] + np.random.default_rng(1).random(courses["time"].shape)
    chi, _ = survival.log_rank(time, courses["event"], courses["treated"], courses["strata"])
    whole_sample = survival.log_rank(time, courses["event"], courses["treated"], np.zeros(time.shape, dtype=int))
    np.testing.assert_allclose(whole_sample, survival.log_rank(time, courses["event"], courses["treated"]))
    logistic = []
    for k in range(4):
        excess = variance = 0.0
        for code in range(3):
            inside = courses["strata"][k] == code
            for day in time[k][inside & courses["event"][k]]:
                share = courses["treated"][k][inside & (time[k] >= day)].mean()
                excess += courses["treated"][k][inside & (time[k] == day)][0] - share
                variance += share * (1 - share)
        logistic.append(excess**2 / variance)
    np.testing.assert_allclose(chi, logistic, rtol=1e-10)


def test_without_censoring_fine_and_gray_is_cox_with_rivals_who_never_leave(courses: dict[str, np.ndarray]) -> None:
    kind = np.random.default_rng(3).choice([1, 2], courses["time"].shape)
    covariates = [courses["treated"], courses["x"]]
    fit = fine_gray(courses["time"], kind == 1, kind == 2, covariates)
    plain = cox_regression(np.where(kind == 1, courses["time"], 1e9), kind == 1, covariates)
    np.testing.assert_allclose(fit.coefficients, plain.coefficients, **CLOSE)
    np.testing.assert_allclose(fit.robust, plain.robust, **CLOSE)


def test_fine_and_gray_by_hand() -> None:
    """The weighted partial likelihood written out, with the censoring curve by its definition."""
    random = np.random.default_rng(5)
    time, kind, x = random.permutation(np.arange(1.0, 41)), random.choice([0, 1, 2], 40), random.normal(size=40)

    def uncensored(day: float) -> float:
        share = 1.0
        for u in np.sort(time[kind == 0]):
            if u < day:
                share *= 1 - 1 / (time >= u).sum()
        return share

    def slope(b: float) -> float:
        total = 0.0
        for i in np.flatnonzero(kind == 1):
            late = [uncensored(time[i]) / uncensored(time[j]) if kind[j] == 2 else 0.0 for j in range(40)]
            weight = np.where(time >= time[i], 1.0, late) * np.exp(x * b)
            total += x[i] - (weight * x).sum() / weight.sum()
        return total

    fit = fine_gray(time, kind == 1, kind == 2, [x])
    assert slope(float(fit.coefficients[0, 0])) == pytest.approx(0, abs=1e-9)


def test_recurrent_events_as_counting_processes() -> None:
    """Against lifelines' Cox model of intervals, and robust errors against scores written out."""
    lifelines = pytest.importorskip("lifelines")
    import pandas as pd

    random = np.random.default_rng(7)
    end, treated = random.uniform(1, 3, 80), np.arange(80) % 2.0
    frailty = random.gamma(2, 0.5, 80)
    gaps = random.exponential(1, (80, 12)) / (frailty * np.exp(-0.5 * treated))[:, None]
    days = gaps.cumsum(1)
    fit = recurrent_cox(days, end, [treated])
    rows = []
    for i in range(80):
        cuts = [0.0, *days[i][days[i] < end[i]], end[i]]
        rows += [(i, a, b, treated[i], b < end[i]) for a, b in itertools.pairwise(cuts)]
    frame = pd.DataFrame(rows, columns=["id", "start", "stop", "treated", "event"])
    columns = {"id_col": "id", "event_col": "event", "start_col": "start", "stop_col": "stop"}
    reference = lifelines.CoxTimeVaryingFitter().fit(frame, **columns, fit_options={"precision": 1e-12})
    assert fit.coefficients[0, 0] == pytest.approx(reference.params_["treated"], rel=1e-8)
    assert np.sqrt(fit.covariance[0, 0, 0]) == pytest.approx(reference.standard_errors_["treated"], rel=1e-8)
    # Observed events of each patient less the expected, written out.
    beta, seen_days = fit.coefficients[0, 0], np.where(days < end[:, None], days, np.nan)
    score = np.zeros(80)
    for i, day in zip(*np.nonzero(np.isfinite(seen_days)), strict=True):
        weight = np.exp(beta * treated) * (end >= seen_days[i, day])
        mean = (weight * treated).sum() / weight.sum()
        score -= weight / weight.sum() * (treated - mean)
        score[i] += treated[i] - mean
    robust = np.sqrt(fit.robust[0, 0, 0])
    assert robust == pytest.approx(float(fit.covariance[0, 0, 0] * np.sqrt((score**2).sum())), rel=1e-9)
    # People differ in their rates: errors that forget it are too small.
    assert robust > 1.1 * np.sqrt(fit.covariance[0, 0, 0])
    assert fit.estimate(0, robust=True).standard_error[0] == robust


def test_a_hazard_without_end_is_no_estimate() -> None:
    time, event = (
        np.array([[1.0, 2, 3, 4, 5, 6]] * 3),
        np.array([[1, 1, 1, 0, 0, 0], [0] * 6, [1, 0, 1, 1, 0, 1]], bool),
    )
    fit = cox_regression(time, event, [np.array([[0, 0, 0, 1, 1, 1.0]] * 2 + [[0, 1, 0, 1, 0, 1]])])
    assert np.isnan(fit.coefficients[:2]).all() and np.isfinite(fit.coefficients[2]).all()
    assert fit.events.tolist() == [3, 0, 4]
    with pytest.raises(ConfigError, match="wrong-shape"):
        cox_regression(time, event, [np.ones(5)])
