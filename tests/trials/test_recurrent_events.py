"""Outcomes that come again: all of them are dated, counted and compared; first events and everything else stay as they are without."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import small_trials as small

import betapod
from betapod.base.errors import ConfigError
from betapod.hazards.outcome_rates import CAUSES
from betapod.trials import run_folder
from betapod.trials.analysis.controlled import analyse
from betapod.trials.analysis.endpoints import Comparison, better
from betapod.trials.analysis.recurrent_events import event_histories
from betapod.trials.conduct import conduct, drawn_design
from betapod.trials.conduct.counterfactuals import Counterfactuals
from betapod.trials.conduct.trial_data import TrialData
from betapod.trials.operating.estimands import true_estimand
from betapod.trials.operating.look_data import known_at
from betapod.trials.protocol.endpoint_keys import Endpoint
from betapod.trials.protocol.protocol_files import parse_protocol

PRIMARY = "primary: {quantity: UACR, summary: ratio, at: month 6}"
RATE = "primary: {quantity: HHF, summary: recurrent events, also: [cv_death]}"
TEXT = small.TEXT.replace("  single arm: {arms: {cells: 1}, baseline: screening}\n", "")
PAIR = Comparison("cells", "control")


def kinds(text: str) -> tuple[str, ...]:
    try:
        parse_protocol(text)
    except ConfigError as error:
        return error.kinds
    return ()


def asked(quantity: str = "HHF", **keys: Any) -> Endpoint:
    return Endpoint.model_validate({"quantity": quantity, "summary": "recurrent events", **keys})


def conducted(text: str, replicates: int = 40, **more: Any) -> TrialData:
    protocol = parse_protocol(text)
    run = conduct.conduct_trial(protocol, pool=small.sick_pool(protocol, **more), replicates=replicates, threads=1)
    return run["randomised", "seed-claims"]


@pytest.fixture(scope="module")
def data() -> TrialData:
    return conducted(TEXT.replace(PRIMARY, RATE))


def test_first_events_and_everything_else_are_those_of_a_trial_that_does_not_ask(data: TrialData) -> None:
    without = conducted(TEXT)
    assert without.later_days == {} and list(data.later_days) == ["hf_hospitalisation"]
    for name in ("member", "arm", "day", "disposition", "disposition_day", "rescued"):
        np.testing.assert_array_equal(getattr(data, name), getattr(without, name))
    for name, day in without.outcome_days.items():
        np.testing.assert_array_equal(data.outcome_days[name], day)
    for code, values in without.observed.items():
        np.testing.assert_array_equal(data.observed[code], values)


def test_later_events_follow_the_first_in_order_and_end_with_the_patient(data: TrialData) -> None:
    first, later = data.outcome_days["hf_hospitalisation"], data.later_days["hf_hospitalisation"]
    every = np.concatenate([first[..., None], later], -1)
    there = np.isfinite(every)
    assert there.sum(-1).max() >= 4 and (np.diff(there.astype(int), axis=-1) <= 0).all()
    assert (np.diff(every, axis=-1)[there[..., 1:]] > 0).all()
    gone = np.isfinite(data.disposition_day)
    assert (np.nanmax(np.where(there, every, -1), -1)[gone] <= data.disposition_day[gone]).all()


def test_their_number_is_the_cumulative_hazard_of_the_courses() -> None:
    text = TEXT.replace(PRIMARY, RATE.replace(", also: [cv_death]", "")).replace(
        "drop_out: 20 %/year", "drop_out: 0 %/year"
    )
    data = conducted(text.replace("conduct:", "conduct:\n  deaths: false"), 200, halved=False)
    pool, k = data.pool, list(CAUSES).index("hf_hospitalisation")
    histories = event_histories(data, asked())
    counts, years = histories.counts, histories.years
    at = int(np.searchsorted(pool.times, 365.0))
    expected = pool.hazards["natural"][data.member, at, k].sum(1)
    # Rates of trials scatter about those of the courses with a mean of 1.
    ratio = counts.sum(1).sum() / expected.sum()
    spread = np.std(counts.sum(1) / expected) / np.sqrt(200)
    assert abs(ratio - 1) < 4 * spread and spread < 0.05
    assert np.allclose(years, 365 / 365.25)


def test_analyses_are_those_of_the_histories(data: TrialData) -> None:
    parts = [data.outcome_days[name].astype(float)[..., None] for name in ("hf_hospitalisation", "cv_death")]
    every = np.ceil(np.concatenate([*parts, data.later_days["hf_hospitalisation"].astype(float)], -1))
    end = np.where(np.isfinite(data.disposition_day), np.ceil(np.minimum(data.disposition_day, 365)), 365.0)
    every = np.where(every <= end[..., None], every, np.nan)
    treated, age = data.arm == 0, data.pool.people["AGE"][data.member]
    counts = np.isfinite(every).sum(-1)
    expected = betapod.analyses.negative_binomial(counts, end / 365.25, [treated, age]).estimate()
    endpoint = asked(also=["cv_death"], analysis={"method": "negative binomial", "covariates": ["AGE"]})
    found = analyse(data, endpoint, PAIR)
    # Where counts scatter hardly more than Poisson's, the fit ends within 1e-7 of the maximum.
    np.testing.assert_allclose(found.effect, expected.effect, atol=1e-6)
    np.testing.assert_allclose(found.standard_error, expected.standard_error, rtol=1e-6)
    fit = betapod.analyses.recurrent_cox(every, end, [treated], data.stratum)
    lwyy = analyse(data, asked(also=["cv_death"], analysis={"method": "LWYY", "stratified": True}), PAIR)
    np.testing.assert_allclose(lwyy.effect, fit.estimate(robust=True).effect, rtol=1e-8)
    np.testing.assert_allclose(lwyy.standard_error, np.sqrt(fit.robust[:, 0, 0]), rtol=1e-8)
    assert better(endpoint) == -1 and (found.effect < 0).mean() > 0.9


@pytest.mark.parametrize("method", ["negative binomial", "LWYY"])
def test_the_truth_is_the_ratio_of_the_same_people_under_either_arm(data: TrialData, method: str) -> None:
    truth = true_estimand(Counterfactuals(data), asked(analysis=method), PAIR)
    assert truth is not None and truth.mean == pytest.approx(np.log(0.5), abs=4 * truth.error + 0.05)
    estimate = analyse(data, asked(analysis=method), PAIR)
    miss = (estimate.effect - truth.mean)[np.isfinite(estimate.effect)]
    assert len(miss) > 30
    assert abs(miss.mean()) < 4 * miss.std() / np.sqrt(len(miss))


def test_without_a_difference_few_trials_find_one() -> None:
    protocol = parse_protocol(TEXT.replace(PRIMARY, RATE).replace("patients: 40", "patients: 120"))
    trial = conduct.conduct_trial(
        protocol, pool=small.sick_pool(protocol), replicates=400, threads=1, scenarios=["none"]
    )
    for method in ("negative binomial", "LWYY"):
        share = (analyse(trial["randomised", "none"], asked(analysis=method), PAIR).p < 0.05).mean()
        # Wald tests of some dozens of events are a little liberal.
        assert abs(share - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 400) + 0.01


def test_rescue_may_end_counting(data: TrialData) -> None:
    rescued = np.isfinite(data.rescued)
    always = event_histories(data, asked()).watched
    histories = event_histories(data, asked(intercurrent={"rescue": "hypothetical"}))
    days, watched = histories.days, histories.watched
    assert rescued.any() and (watched[rescued] <= np.ceil(data.rescued[rescued])).all()
    np.testing.assert_array_equal(watched[~rescued], always[~rescued])
    assert (np.isnan(days) | (days <= watched[..., None])).all()


def test_a_look_knows_what_has_happened(data: TrialData) -> None:
    followed = np.full(data.member.shape, 200.0)
    known = known_at(data, asked(), followed)
    assert (known.member == -1).all()  # Nobody's year is over.
    later = known.later_days["hf_hospitalisation"]
    np.testing.assert_array_equal(np.isfinite(later), data.later_days["hf_hospitalisation"] <= 200)


def test_a_run_folder_keeps_them(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rates.yaml"
    path.write_text(TEXT.replace(PRIMARY, RATE))
    monkeypatch.setattr(run_folder, "pool_of", lambda trial, *_, **__: small.sick_pool(trial))
    monkeypatch.setattr(drawn_design, "SHARD", 15)
    run_folder.run_into(tmp_path / "run", run_folder.trial_plan(path, replicates=30), threads=1)
    kept = run_folder.open_trial_run(tmp_path / "run")["randomised", "seed-claims"]
    made = conducted(TEXT.replace(PRIMARY, RATE), 30)
    np.testing.assert_array_equal(kept.later_days["hf_hospitalisation"], made.later_days["hf_hospitalisation"])
    assert "later_hf_hospitalisation" in (tmp_path / "run" / "dictionary.csv").read_text()


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("{quantity: MACE, summary: recurrent events, analysis: LWYY}", ()),
        ("{quantity: HHF, summary: recurrent events, also: [cv_death, kidney failure]}", ()),
        ("{quantity: HHF, summary: recurrent events, objective: non-inferiority, margin: 1.2}", ()),
        ("{quantity: AKI, summary: recurrent events}", ("wrong-summary",)),
        ("{quantity: death, summary: recurrent events}", ("wrong-summary",)),
        ("{quantity: eGFR, summary: recurrent events}", ("wrong-summary",)),
        ("{quantity: foot ulcer, summary: recurrent events}", ("wrong-summary",)),
        ("{quantity: HHF, summary: recurrent events, also: [cancer]}", ("wrong-summary",)),
        ("{quantity: HHF, summary: recurrent events, analysis: log-rank}", ("wrong-analysis",)),
        ("{quantity: HHF, summary: recurrent events, analysis: Andersen-Gill}", ("analysis-not-run",)),
        ("{quantity: HHF, summary: recurrent events, intercurrent: {death: composite}}", ("wrong-strategy",)),
        ("{quantity: HHF, summary: recurrent events, intercurrent: {rescue: while on treatment}}", ("wrong-strategy",)),
        ("{quantity: HHF, summary: time to event, analysis: LWYY}", ("wrong-analysis",)),
    ],
)
def test_what_does_not_come_again_is_refused(endpoint: str, expected: tuple[str, ...]) -> None:
    assert kinds(TEXT.replace(PRIMARY, f"primary: {endpoint}")) == expected


def test_one_group_has_no_ratio_of_rates() -> None:
    alone = TEXT.replace("{cells: 1, control: 1}", "{cells: 1}").replace("  control: {placebo: true}\n", "")
    assert kinds(alone.replace(PRIMARY, RATE)) == ("no-control",)
