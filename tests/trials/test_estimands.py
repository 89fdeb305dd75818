"""Truths of estimands against people whose effects are known, what estimators make of them, and trials without a difference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import small_trials as small

from betapod.trials.analysis import endpoints
from betapod.trials.analysis.controlled import analyse
from betapod.trials.analysis.endpoints import Comparison
from betapod.trials.analysis.estimators import Estimate
from betapod.trials.conduct import conduct
from betapod.trials.conduct.counterfactuals import Counterfactuals, side_by_side
from betapod.trials.conduct.trial_data import TrialData
from betapod.trials.operating.estimands import (
    TrueEstimand,
    estimator_errors,
    false_positives,
    true_estimand,
    why_no_truth,
)
from betapod.trials.operating.run_summary import run_summary
from betapod.trials.protocol.endpoint_keys import Endpoint

PAIR = Comparison("cells", "control")


@pytest.fixture(scope="module")
def data() -> TrialData:
    """Forty trials in which cells halve albuminuria, and rescue lowers HbA1c by a point."""
    protocol = small.protocol(replicates=40)
    run = conduct.conduct_trial(protocol, pool=small.pool(protocol, people=500), threads=1, scenarios=["seed-claims"])
    return run["randomised", "seed-claims"]


@pytest.fixture(scope="module")
def behind(data: TrialData) -> Counterfactuals:
    return Counterfactuals(data)


def asked(summary: str, quantity: str = "UACR", **more: object) -> Endpoint:
    return Endpoint.model_validate({"quantity": quantity, "summary": summary, **more})


def test_everybody_gets_the_treatment_and_is_watched(data: TrialData, behind: Counterfactuals) -> None:
    everybody = behind.everybody("cells")
    np.testing.assert_array_equal(everybody.member, data.member[: behind.replicates])
    assert (everybody.disposition != 1).all() and np.isfinite(everybody.day[everybody.disposition == 0]).all()
    # Whoever is in the arm is the same patient with the same measurements, where these took place in the trial too.
    own = (data.arm == data.arms.index("cells"))[: behind.replicates, :, None] & np.isfinite(
        data.observed["UACR"][: behind.replicates]
    )
    np.testing.assert_array_equal(everybody.observed["UACR"][own], data.observed["UACR"][: behind.replicates][own])
    nobody = behind.everybody("control")
    other = (data.arm == data.arms.index("control"))[: behind.replicates, :, None] & np.isfinite(
        data.observed["UACR"][: behind.replicates]
    )
    np.testing.assert_array_equal(nobody.observed["UACR"][other], data.observed["UACR"][: behind.replicates][other])
    assert not np.array_equal(everybody.observed["UACR"], nobody.observed["UACR"])


def test_the_true_ratio_is_what_cells_do(behind: Counterfactuals) -> None:
    truth = true_estimand(behind, asked("ratio"), PAIR)
    assert truth is not None and truth.mean == pytest.approx(np.log(0.5), abs=1e-6)
    # The same by any analysis of the same estimand.
    for analysis in ("MMRM", "t test", {"method": "ANCOVA", "robust": "HC3"}):
        assert true_estimand(behind, asked("ratio", analysis=analysis), PAIR) == truth


def test_strategies_for_rescue_are_different_estimands(data: TrialData) -> None:
    # Cells that lower HbA1c by half a point spare rescue, which lowers it by one.
    values = dict(data.pool.values)
    lower = values["cells"].copy()
    lower[:, data.pool.times > 0, data.pool.codes.index("HBA1C")] -= 0.5
    pool = replace(data.pool, values=values | {"cells": lower})
    behind = Counterfactuals(replace(data, pool=pool))
    policy, hypothetical, stratum = (
        true_estimand(behind, asked("change", "HbA1c", intercurrent={"rescue": rescue}), PAIR)
        for rescue in ("treatment policy", "hypothetical", "principal stratum")
    )
    assert policy is not None and hypothetical is not None and stratum is not None
    # Nobody is rescued: cells do all that they do, but for errors in proportion to the value. Those whom neither arm sees rescued have it too.
    assert hypothetical.mean == pytest.approx(-0.5, abs=0.002)
    assert stratum.mean == pytest.approx(-0.5, abs=0.002)
    assert -0.5 < policy.mean < -0.1


def test_responders_events_and_wins_have_truths(behind: Counterfactuals) -> None:
    first, second = behind.everybody("cells"), behind.everybody("control")
    shares = [np.nanmean(endpoints.outcome(group, asked("responders", percent=-30))) for group in (first, second)]
    truth = true_estimand(behind, asked("responders", percent=-30), PAIR)
    assert truth is not None and truth.mean == pytest.approx(shares[0] - shares[1], abs=0.01)
    wins = true_estimand(behind, asked("ratio", analysis="net benefit"), PAIR)
    assert wins is not None and 0.2 < wins.mean < 0.9
    hazard = true_estimand(behind, asked("time to event", percent=-30, analysis="Cox"), PAIR)
    assert hazard is not None and hazard.mean > 0.5
    both = side_by_side(first, second, "cells", "control")
    assert both.member.shape == (1, 2 * first.member.size)
    assert hazard.mean == pytest.approx(
        float(analyse(both, asked("time to event", percent=-30, analysis="Cox"), PAIR).effect[0])
    )


def test_what_has_no_truth_says_why(behind: Counterfactuals) -> None:
    worst = asked("ratio", intercurrent={"death": "composite"})
    assert true_estimand(behind, worst, PAIR) is None and "worst outcome" in why_no_truth(worst)
    failing = asked("responders", percent=-30, intercurrent={"drop_out": "composite"})
    truth, plain = (true_estimand(behind, item, PAIR) for item in (failing, asked("responders", percent=-30)))
    assert truth is not None and plain is not None and truth.mean < plain.mean
    assert true_estimand(behind, asked("ratio"), Comparison("cells", None)) is None


def test_the_right_estimator_covers_and_a_wrong_one_does_not(data: TrialData, behind: Counterfactuals) -> None:
    truth = true_estimand(behind, asked("ratio"), PAIR)
    assert truth is not None
    errors = estimator_errors(analyse(data, asked("ratio"), PAIR), truth)
    assert abs(errors.bias) < 4 * errors.error and errors.coverage.high > 0.95
    wrong = estimator_errors(analyse(data, asked("ratio"), PAIR), TrueEstimand(np.array([np.log(1.5)]), 0.0))
    assert wrong.bias == pytest.approx(np.log(0.5) - np.log(1.5), abs=0.15) and wrong.coverage.high < 0.5


def test_each_replicate_is_held_against_its_own_set_of_parameters() -> None:
    effect = np.array([1.0, 5.0, 1.2, 5.2])
    one = np.ones(4)
    estimate = Estimate(effect, one, np.inf * one, one, effect - 0.5, effect + 0.5, one)
    errors = estimator_errors(estimate, TrueEstimand(np.array([1.0, 5.0]), 0.0))
    assert errors.bias == pytest.approx(0.1) and errors.coverage.value == 1.0


def test_without_a_difference_the_test_keeps_its_level(data: TrialData, behind: Counterfactuals) -> None:
    null = behind.without_difference("cells", "control")
    np.testing.assert_array_equal(null.arm, data.arm)
    control = data.arm == data.arms.index("control")
    np.testing.assert_array_equal(null.observed["UACR"][control], data.observed["UACR"][control])
    got = false_positives(behind, asked("ratio"), PAIR)
    assert got is not None and got.low <= 0.05 <= got.high
    assert false_positives(behind, asked("ratio"), PAIR, first=False) is None
    margin = asked("ratio", objective="non-inferiority", margin=1.2)
    assert false_positives(behind, margin, PAIR) is None


def test_a_run_tells_them(data: TrialData) -> None:
    document = run_summary(data.protocol, {("randomised", "seed-claims"): data}, {})
    (row,) = document["comparisons"]
    assert row["estimand"] == pytest.approx(np.log(0.5), abs=1e-6)
    assert row["coverage_low"] <= row["coverage"] <= row["coverage_high"]
    assert row["false_positives"] is not None and document["test"] == "two-sided p below 0.05"
