"""Nobody, one or two people, no scatter, all events or none: a statistic that cannot be had is NaN, never a warning or a crash."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import small_trials as small
from hypothesis import given, settings
from hypothesis import strategies as st

from betapod.trials.analysis import estimators as analysis
from betapod.trials.analysis import survival
from betapod.trials.analysis.cox_regression import cox_regression
from betapod.trials.analysis.estimators import Estimate
from betapod.trials.analysis.mmrm import mmrm
from betapod.trials.analysis.patient_slopes import patient_slopes
from betapod.trials.conduct import conduct
from betapod.trials.operating import likelihood, power_analysis, result_tables

#: What patients may show: the same, nothing, little, or two values.
VALUE = st.sampled_from([math.nan, 0.0, 1.0, 1.0, -3.5, 1e6])
FEW = st.integers(0, 4)


def sound(found: Estimate) -> None:
    """What is finite fits together: p between 0 and 1, the effect inside its interval; nothing is known of nobody."""
    for k in range(np.size(found.effect)):
        p, effect, low, high = (float(np.ravel(x)[k]) for x in (found.p, found.effect, found.low, found.high))
        assert math.isnan(p) or 0 <= p <= 1
        assert not math.isinf(float(np.ravel(found.standard_error)[k]))
        assert math.isnan(low) == math.isnan(high)
        assert math.isnan(low) or low - 1e-6 <= effect <= high + 1e-6
        if np.ravel(found.n)[k] == 0:
            assert math.isnan(p) and math.isnan(effect) and math.isnan(low)


@given(st.data(), FEW)
@settings(max_examples=120, deadline=None)
def test_changes_of_few(data: st.DataObject, n: int) -> None:
    y, base = (np.array([data.draw(st.lists(VALUE, min_size=n, max_size=n))]) for _ in range(2))
    arm = np.array([data.draw(st.lists(st.sampled_from([0.0, 1.0]), min_size=n, max_size=n))])
    for found in (
        analysis.mean_change(y),
        analysis.ancova(y, None, arm),
        analysis.ancova(y, base, arm, (base > 0).astype(int)),
        mmrm(y.T, base[0], arm[0]),
    ):
        sound(found)
        power_analysis.operating_characteristics(found, truth=0.0, better=1)
    seen = y[np.isfinite(y)]
    if len(seen) and np.ptp(seen) == 0:
        assert np.isnan(analysis.mean_change(y).p).all()  # no scatter, no test
    response = np.where(np.isfinite(y), y > 0.5, np.nan)
    difference = analysis.risk_difference(response, arm)
    sound(difference)
    both = [(np.isfinite(y) & (arm == k)).any() for k in (0, 1)]
    assert np.isfinite(difference.p).all() == all(both)


@given(st.data(), FEW, st.sampled_from(["some", "all", "none"]))
@settings(max_examples=120, deadline=None)
def test_events_of_few(data: st.DataObject, n: int, how: str) -> None:
    time = np.array([data.draw(st.lists(st.sampled_from([math.nan, 0.0, 1.0, 2.0, 90.0]), min_size=n, max_size=n))])
    some = np.array([data.draw(st.lists(st.booleans(), min_size=n, max_size=n))], dtype=bool).reshape(1, n)
    event = {"some": some, "all": np.ones((1, n), bool), "none": np.zeros((1, n), bool)}[how]
    arm = np.array([data.draw(st.lists(st.sampled_from([0.0, 1.0]), min_size=n, max_size=n))]).reshape(1, n)
    time, event = time.reshape(1, n), event & np.isfinite(time)
    curve = survival.kaplan_meier(time, event, np.isfinite(time))
    assert ((curve.free >= 0) & (curve.free <= 1)).all()
    assert ((curve.low <= curve.free + 1e-12) & (curve.free <= curve.high + 1e-12)).all()
    fit, test = cox_regression(time, event, [arm]).estimate(), survival.hazard_ratio(time, event, arm)
    sound(fit)
    chi, p = survival.log_rank(time, event, arm)
    np.testing.assert_array_equal(np.isnan(chi), np.isnan(p))
    assert np.isnan(test.effect).all() or not np.isnan(test.p).all()
    if not event.any():
        assert np.isnan(fit.effect).all() and np.isnan(test.effect).all() and np.isnan(p).all()
    power_analysis.operating_characteristics(test, better=-1)


@given(st.data(), FEW, st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_courses_of_few(data: st.DataObject, n: int, visits: int) -> None:
    values = np.array(data.draw(st.lists(st.lists(VALUE, min_size=visits, max_size=visits), min_size=n, max_size=n)))
    values = values.reshape(n, visits)
    days = np.arange(visits) * 60.0
    found = patient_slopes(days, values, 80.0)
    assert found.total.shape == found.chronic.shape == found.acute.shape == (n,)
    if days[-1] < 80:
        assert np.isnan(found.acute).all() and np.isnan(found.chronic).all()
    time, event = survival.decline(days, values)
    assert not event.any() or (time[event] > 0).all()


def test_counts_at_risk_are_those_of_a_plain_count() -> None:
    random = np.random.default_rng(4)
    time = np.round(random.exponential(10, (5, 30)))
    event, member = random.random((5, 30)) < 0.6, random.random((5, 30)) < 0.8
    time[random.random((5, 30)) < 0.1] = np.nan
    days = np.unique(time[np.isfinite(time)])
    at, before = survival.event_counts(time, event, member, days)
    for k, day in enumerate(days):
        np.testing.assert_array_equal(at[:, k], ((time == day) & event & member).sum(-1))
        np.testing.assert_array_equal(before[:, k], ((time >= day) & member).sum(-1))


def test_a_likelihood_that_rises_without_end_has_no_ratio() -> None:
    """All treated have their event before any control: the fit ran to a hazard ratio of e^40."""
    time, arm = np.array([[1.0, 1, 1, 2, 3, 4]]), np.array([[1.0, 1, 1, 0, 0, 0]])
    event = np.ones((1, 6), dtype=bool)
    assert np.isnan(cox_regression(time, event, [arm]).estimate().effect).all()
    found = survival.hazard_ratio(time, event, arm)
    assert found.effect[0] == math.inf and found.p[0] == survival.log_rank(time, event, arm)[1][0]
    assert survival.hazard_ratio(time, event, 1 - arm).effect[0] == -math.inf


def test_nothing_is_known_of_no_replicates() -> None:
    nothing = power_analysis.rate([])
    assert math.isnan(nothing.value) and math.isnan(nothing.low) and str(nothing) == "\u2013"
    evidence = likelihood.of_report([], [1.0, 0.0])
    assert math.isnan(evidence.ratio) and evidence.words == "not estimable"
    for first, second in (([1.0], [1.0, 2.0]), ([1.0, 1.0], [1.0, 2.0]), ([], []), ([math.nan], [1.0, 2.0])):
        assert np.isnan(likelihood.of_result(1.0, first, second)).all()
    assert np.isnan(likelihood.of_result(math.nan, [1.0, 2.0], [1.0, 2.0])).all()
    assert likelihood.belief(0.0, 9.0) == 0 and likelihood.belief(1.0, 0.1) == 1
    assert likelihood.belief(0.5, math.inf) == 1 and likelihood.belief(0.5, 0.0) == 0


PRIMARY = {
    "change": "quantity: UACR, summary: ratio, at: month 6",
    "event": "quantity: eGFR, summary: time to event, percent: -40",
    "death": "quantity: eGFR, summary: time to event, percent: -40, intercurrent: {death: composite, drop_out: composite}",
    "response": "quantity: UACR, summary: responders, percent: -99, intercurrent: {death: composite}",
    "slope": "quantity: eGFR, summary: slope, analysis: t test",
}
TRIALS = {
    "no visit": (("missed_visits: 10 %", "missed_visits: 100 %"), 6),
    "two patients": (("patients: 40", "patients: 2"), 6),
    "one replicate": (("patients: 40", "patients: 12"), 1),
}


@pytest.mark.parametrize("primary", PRIMARY)
@pytest.mark.parametrize("trial", TRIALS)
def test_a_trial_that_shows_nothing_is_assessed(primary: str, trial: str) -> None:
    (old, new), replicates = TRIALS[trial]
    text = small.TEXT.replace(old, new).replace(PRIMARY["change"], PRIMARY[primary])
    protocol = small.parse_protocol(text)
    run = conduct.conduct_trial(protocol, pool=small.pool(protocol, people=200), replicates=replicates)
    made: Any = result_tables.assess(run).results
    assert np.isfinite(made["n"]).all()
    shown = made[["mean", "low", "high", "significant"]].to_numpy(dtype=float)
    assert not np.isinf(shown).any() and (np.abs(shown[np.isfinite(shown)]) < 1e4).all()
    if trial == "no visit" and primary in ("change", "event", "slope"):
        assert np.isnan(shown).all()
