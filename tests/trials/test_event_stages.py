"""Adaptations at times to an event: stages are gains of the log-rank statistic; looks by events of those still watched; error is kept."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import small_trials as small
from scipy.special import ndtr

from betapod import designs
from betapod.base.errors import ConfigError
from betapod.trials.analysis import endpoints, survival
from betapod.trials.conduct import conduct
from betapod.trials.conduct.trial_data import TrialData
from betapod.trials.operating.look_data import days_of_events, enrolment_days, known_at
from betapod.trials.operating.stage_decisions import Decisions
from betapod.trials.operating.staged_characteristics import adapted_trials, staged_row
from betapod.trials.operating.staged_trials import everybody_alike
from betapod.trials.protocol.protocol_files import parse_protocol

TWO, THREE = "{cells: 1, control: 1}", "{cells: 1, more: 1, control: 1}"


def text(looks: str, arms: str = TWO, patients: int = 160, replicates: int = 200, analysis: str = "log-rank") -> str:
    primary = f"primary: {{quantity: HHF, summary: time to event, analysis: {analysis}}}"
    got = small.TEXT.replace("primary: {quantity: UACR, summary: ratio, at: month 6}", primary)
    got = got.replace("patients: 40", f"patients: {patients}").replace("replicates: 60", f"replicates: {replicates}")
    got = got.replace(f"randomised: {{arms: {TWO}}}", f"randomised: {{arms: {arms}, recruitment: 12 month, looks: {looks}}}")  # fmt: skip
    if arms != TWO:
        got = got.replace("  cells: {cells", "  more: {cells: UC-MSC 2e6/kg iv}\n  cells: {cells", 1)
    begin, end = got.index("conduct:"), got.index("endpoints:")
    return got[:begin] + "conduct: {deaths: false, drop_out: 5 %/year}\n" + got[end:]


def run_of(protocol_text: str, times: float = 500.0) -> TrialData:
    protocol = parse_protocol(protocol_text)
    pool = small.sick_pool(protocol, times=times)
    return conduct.conduct_trial(protocol, ["randomised"], ["seed-claims"], pool=pool, threads=1)["randomised", "seed-claims"]  # fmt: skip


def test_a_stage_is_what_the_log_rank_statistic_gains() -> None:
    data = run_of(text("{combine: inverse normal, events: 40}", replicates=40))
    trials = adapted_trials(data)
    endpoint = data.protocol.endpoints.primary
    enrolment = enrolment_days(data)
    reported = enrolment + days_of_events(data, endpoint)
    design, scores = designs.group_sequential("asOF", 2, 0.025), []
    for k, count in enumerate((20, 40)):
        day = np.sort(reported, axis=1)[:, count - 1]
        reached = np.isfinite(day)
        np.testing.assert_allclose(trials.day[reached, k], day[reached])
        known = known_at(data, endpoint, trials.day[:, k, None] - enrolment + 1e-6)
        time, event = endpoints.times(known, endpoint)
        scores.append(survival.log_rank_score(time, event, (data.arm == data.arms.index("cells")).astype(float)))
        assert (trials.events[reached, k] == count).all()
    (u1, v1), (u2, v2) = scores
    z = np.stack([-u1 / np.sqrt(v1), -(u2 - u1) / np.sqrt(v2 - v1)], axis=1)
    combined = designs.combined_inverse_normal(ndtr(-z), design.information)
    expected = (combined >= np.array(design.efficacy)).any(1)
    np.testing.assert_array_equal(trials.rejected[:, 0], expected)
    # Equal weights of equal numbers of events: nearly the log-rank test itself.
    np.testing.assert_allclose(combined[:, 1], -u2 / np.sqrt(v2), atol=0.35)
    assert 0.3 < expected.mean() < 1


@pytest.mark.parametrize(
    ("looks", "arms"),
    [
        ("{combine: inverse normal, events: 40}", TWO),
        ("{combine: Fisher, events: 40}", TWO),
        ("{select: {rule: best}, intersections: Dunnett, events: 50}", THREE),
        ("{enrich: {stratum: late}, events: 40}", TWO),
    ],
)
def test_error_is_kept_and_intervals_hold(looks: str, arms: str) -> None:
    data = run_of(text(looks, arms, replicates=400))
    null = adapted_trials(everybody_alike(data))
    # The log-rank test of some dozens of events is a little liberal.
    assert null.rejected.any(-1).mean() <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / 400) + 0.005
    trials, row = adapted_trials(data), staged_row(data)
    assert trials.rejected.any(-1).mean() > 0.2
    assert all(claim["coverage_repeated"] > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 400) - 0.01 for claim in row["claims"])
    assert (np.diff(trials.day, axis=1) >= 0).all()
    if "combine: inverse" in looks:
        (claim,) = row["claims"]
        assert claim["coverage_adjusted"] == pytest.approx(0.95, abs=0.04)
        # A hazard ratio of people who differ is farther from 1 by the 40th event than over the whole year, which the truth is of.
        assert claim["above_truth_median_unbiased"] == pytest.approx(0.45, abs=0.1)


def test_an_arm_that_is_dropped_is_not_waited_for() -> None:
    trials = adapted_trials(run_of(text("{select: {rule: best}, events: 60}", THREE, replicates=60)))
    on = trials.went_on[:, 1].any(-1)
    assert on.any() and (trials.went_on[on, 1].sum(-1) == 1).all()
    # Two of three arms are left, of whom two thirds of the thirty further events are waited for.
    left = trials.events[on, 1]
    assert 30 <= np.median(left) <= 42 and (left <= 20 + 30).all()
    assert (trials.enrolled[on, 1] <= 160).all()


@pytest.mark.parametrize(
    ("looks", "arms", "analysis", "kinds"),
    [
        ("{select: {}, events: 40}", THREE, "Cox", ()),
        ("{select: {}}", THREE, "log-rank", ("missing-key",)),
        ("{resize: {rule: conditional power, planned: 50}, events: 40}", TWO, "log-rank", ("not-supported",)),
        ("{allocate: {blocks: 4}, events: 40}", TWO, "log-rank", ("not-supported",)),
        ("{combine: inverse normal, events: 40}", TWO, "Fine-Gray", ("not-supported",)),
        ("{combine: inverse normal, events: 40}", TWO, "{method: Cox, covariates: [AGE]}", ("not-supported",)),
    ],
)
def test_what_has_no_independent_stages_is_refused(
    looks: str, arms: str, analysis: str, kinds: tuple[str, ...]
) -> None:
    try:
        parse_protocol(text(looks, arms, analysis=analysis))
    except ConfigError as error:
        assert error.kinds == kinds
    else:
        assert kinds == ()


def test_strata_without_an_event_in_one_group_say_nothing_of_one_alone() -> None:
    looks = SimpleNamespace(enrich=SimpleNamespace(margin=0.0), select=None)
    decisions = Decisions.of(None, looks, (3, 2, 2), 0.5)  # type: ignore[arg-type]
    gain = np.array([[np.inf, np.inf], [0.1, 0.5], [-np.inf, np.inf]])
    assert decisions._following(gain).tolist() == [[True, True], [False, True], [False, True]]
