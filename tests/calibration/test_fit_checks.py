"""Checks of a fit: coverage, families left out, truths that are known."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from invented_objectives import Invented, invented_rows, linear_objective
from scipy import stats

from betapod.base.intervals import joint_deviation
from betapod.calibration.coverage_curve import (
    RowPredictions,
    coverage_curve,
    coverage_table,
    interval_half_width,
    interval_widths,
    predictive_deviation,
)
from betapod.calibration.cut_feedback import StagedPosterior
from betapod.calibration.discrepancy import Discrepancy
from betapod.calibration.fit_likelihood import Likelihood
from betapod.calibration.gauss_newton import EstimatedDiscrepancy, MapResult, SameLikelihood, fit_map
from betapod.calibration.hidden_choices import choices_in_words, choices_table
from betapod.calibration.left_out import leave_families_out, left_out_table, refit_without_families
from betapod.calibration.posterior import laplace
from betapod.calibration.simulated_truth import InventedData, LinearObjective, invent_rows, simulate_truth

SLOPES = np.random.default_rng(1).standard_normal((30, 3)) * 0.2
SDS = Discrepancy({"ratio": 0.2}, {"ratio": 0.1})


@pytest.fixture(scope="module")
def fitted() -> tuple[Invented, MapResult]:
    rows = invented_rows(SLOPES @ [1.0, -0.5, 0.3], families=10)
    observed = rows.observed + np.repeat(np.random.default_rng(2).standard_t(4, 10), 3) * 0.14
    rows = replace(rows, observed=observed)
    objective = linear_objective(SLOPES, rows)
    return objective, fit_map(objective, SameLikelihood(Likelihood(rows, SDS)))


@pytest.mark.parametrize("tau", [0.3, 1.0, 3.0])
def test_the_joint_deviation_is_as_wide_as_the_sum(tau: float) -> None:
    rng = np.random.default_rng(1)
    total = rng.standard_normal(100_000) + tau * rng.standard_t(4, 100_000) / np.sqrt(2.0)
    scale, freedom = joint_deviation((np.array([1.0]), np.inf), (tau**2, 4.0))
    for nominal in (0.5, 0.8, 0.9, 0.95):
        half = interval_half_width(scale, freedom, nominal)[0]
        assert np.mean(np.abs(total) <= half) == pytest.approx(nominal, abs=0.02)


def test_printed_errors_alone_keep_their_freedom() -> None:
    rows = replace(invented_rows(np.zeros(2)), freedom=np.array([7.0, np.inf]))
    scale, freedom = predictive_deviation(rows)
    np.testing.assert_allclose(scale, 0.1)
    np.testing.assert_allclose(freedom, [7.0, np.inf])
    np.testing.assert_allclose(interval_half_width(scale, freedom, 0.9)[0], 0.1 * stats.t.ppf(0.95, 7))


def test_coverage_counts_rows_and_families() -> None:
    rows = invented_rows(np.array([0.0, 0.0, 0.0, 5.0, 5.0, 0.1]), families=2)
    curve = coverage_curve(rows, RowPredictions(np.array([0.0, 0.0, 0.0, 0.0, 0.0, np.nan])))
    point = next(point for point in curve if point.nominal == 0.9)
    assert (point.rows, point.families) == (3 / 5, (1.0 + 0.0) / 2)
    assert (point.row_count, point.family_count) == (5, 2)
    nobody = coverage_curve(rows, RowPredictions(np.zeros(6)), np.zeros(6, dtype=bool))
    assert nobody[0].row_count == 0 and np.isnan(nobody[0].rows)


def test_wider_errors_hold_more(fitted: tuple[Invented, MapResult]) -> None:
    objective, result = fitted
    rows = replace(objective.rows, fitted=np.arange(30) < 24)
    before = RowPredictions(result.predicted_start, None, SDS)
    after = RowPredictions(result.predicted, np.full(30, 0.05), SDS)
    table = coverage_table(rows, before, after)
    lines = [dict(zip(table, line, strict=True)) for line in zip(*table.values(), strict=True)]
    # Two sets, by rows and families, at four widths: 2 states before the fit, 4 after it.
    assert len(lines) == 2 * 2 * 4 * (2 + 4)
    actual = {
        (line["parameters"], line["discrepancy"]): (line["actual"], line["median_width"])
        for line in lines
        if (line["set"], line["by"], line["when"], line["nominal"]) == ("fitted", "rows", "after", 0.9)
    }
    assert actual[True, True] >= actual[False, True] >= actual[False, False]
    assert {line["count"] for line in lines if line["set"] == "set aside"} == {2, 6}


def test_widths_are_given_as_people_read_them() -> None:
    rows = invented_rows(np.zeros(6), classes=3)
    predicted = np.array([np.pi / 2, np.pi / 2, 0, 0, 3, 3.0])
    lacking = Discrepancy({"slope 1 invented": 0.3}, {"slope 1 invented": 0.1})
    share, ratio, slope = (
        interval_widths(rows, RowPredictions(predicted, np.full(6, 0.1), lacking))[k] for k in (1, 0, 2)
    )
    half = 0.1 * stats.norm.ppf(0.95)
    assert (share.row_class, share.rows, share.alone) == ("share", 2, pytest.approx(100 * half, rel=0.01))
    assert (ratio.row_class, ratio.rows, ratio.alone) == ("ratio", 2, pytest.approx(np.exp(2 * half)))
    assert (slope.row_class, slope.rows, slope.alone) == ("slope 1 invented", 2, pytest.approx(2 * half))
    assert slope.parameters == pytest.approx(np.sqrt(2) * slope.alone)
    assert slope.all > 2 * slope.parameters
    assert ratio.all == ratio.parameters


def test_a_family_left_out_is_predicted_by_the_others(fitted: tuple[Invented, MapResult]) -> None:
    """One linear step is the whole fit where the model is linear."""
    objective, result = fitted
    left = leave_families_out(result, families=["f0", "f4"])
    without = np.array([family != "f4" for family in objective.rows.family])
    alone = replace(objective, rows=replace(objective.rows, fitted=without))
    law = Likelihood(alone.rows, SDS)
    again = fit_map(alone, SameLikelihood(law))
    np.testing.assert_allclose(left.places["f4"], again.u, atol=5e-3)
    np.testing.assert_allclose(left.predicted[~without], again.predicted[~without], atol=5e-3)
    assert np.isnan(left.predicted[3])
    assert left.sd_parameters[12] > 0.0
    table = left_out_table(left, result)
    assert table["family"] == ["f0", "f4"]
    assert table["rows"] == [3, 3]
    assert table["loss_after"] == [
        pytest.approx(-result.likelihood.log_density(left.predicted, ~without)[0]) if family == "f4" else loss
        for family, loss in zip(table["family"], table["loss_after"], strict=True)
    ]


def test_the_discrepancy_does_not_know_the_family_that_is_left_out(fitted: tuple[Invented, MapResult]) -> None:
    objective, result = fitted
    observed = objective.rows.observed.copy()
    observed[:3] += 4.0
    rows = replace(objective.rows, observed=observed)
    spoiled = replace(result, likelihood=Likelihood(rows, Discrepancy({"ratio": 1.0}, {"ratio": 0.1})))
    left = leave_families_out(spoiled, lambda of: EstimatedDiscrepancy(of, {"ratio": 0.3}), ["f0"])
    assert left.tau_family[0] < 0.4


def test_whole_fits_agree_with_linear_steps_where_the_model_is_linear(fitted: tuple[Invented, MapResult]) -> None:
    objective, result = fitted
    linear = leave_families_out(result, lambda of: EstimatedDiscrepancy(of, {"ratio": 0.2}), ["f2"])
    evaluated = refit_without_families(objective, result, ["f2"], {"ratio": 0.2})
    np.testing.assert_allclose(evaluated.places["f2"], linear.places["f2"], atol=0.03)
    np.testing.assert_allclose(evaluated.predicted[6:9], linear.predicted[6:9], atol=0.02)


def test_invented_rows_have_the_deviations_that_they_are_given() -> None:
    rows = invented_rows(np.zeros(3000), families=1000)
    observed = invent_rows(rows, np.ones(3000), SDS, 8.0, np.random.default_rng(1)).observed.reshape(1000, 3) - 1.0
    assert observed.std() == pytest.approx(np.sqrt(0.2**2 + 0.1**2 + 0.1**2), rel=0.06)
    covariance = np.cov(observed.T)
    assert covariance[0, 1] == pytest.approx(0.2**2, rel=0.2)


def test_intervals_hold_the_truth_and_only_with_study_effects() -> None:
    """Heavy-tailed effects of studies: honest where they are part of the likelihood, wrong and sure of it where not."""
    slopes = SLOPES[:18, :2] * 2.0
    rows = replace(invented_rows(np.zeros(18), families=6), fitted=np.arange(18) < 15)
    objective = LinearObjective(linear_objective(slopes, rows).unknowns, rows, np.zeros(2), np.zeros(18), slopes)
    data = InventedData(Discrepancy({"ratio": 0.5}, {"ratio": 0.15}), nu=3.0, estimate=False)
    honest = simulate_truth(objective, data, datasets=40)
    assert 0.84 <= honest.inside[2].mean() <= 0.97
    assert 0.4 <= honest.inside[0].mean() <= 0.63
    assert 0.8 <= honest.set_aside[2] <= 1.0
    assert honest.ranks.mean() == pytest.approx(0.5, abs=0.1)
    told_nothing = simulate_truth(objective, replace(data, discrepancy=Discrepancy()), datasets=2)
    assert told_nothing.ranks.shape == (2, 2)
    assert "90 % intervals hold the truth in" in " ".join(honest.in_words())


def test_printed_errors_alone_are_sure_and_wrong() -> None:
    rows = invented_rows(np.zeros(30), families=10)
    u, wrong = np.zeros(3), 0
    rng = np.random.default_rng(4)
    for _ in range(6):
        invented = invent_rows(rows, np.zeros(30), Discrepancy({"ratio": 0.6}), 3.0, rng)
        result = fit_map(linear_objective(SLOPES, invented), SameLikelihood(Likelihood(invented)))
        sd = np.sqrt(np.diag(np.linalg.inv(SLOPES.T @ SLOPES / 0.01 + np.eye(3))))
        wrong += int(np.sum(np.abs(result.u - u) > stats.norm.ppf(0.95) * sd))
    assert wrong > 9


def test_weights_and_estimated_discrepancy_can_be_asked_for() -> None:
    slopes = SLOPES[:12, :2] * 2.0
    rows = invented_rows(np.zeros(12), families=4)
    objective = LinearObjective(linear_objective(slopes, rows).unknowns, rows, np.zeros(2), np.zeros(12), slopes)
    data = InventedData(SDS, estimate=True, prior_scale={"ratio": 0.2}, weights=True)
    calls: list[int] = []
    found = simulate_truth(objective, data, datasets=2, progress=calls.append)
    assert calls == [1, 2]
    assert np.all((found.ranks >= 0) & (found.ranks <= 1))
    assert np.isnan(found.set_aside).all()


def test_other_choices_of_the_likelihood_are_solved_as_on_paper() -> None:
    """Normal throughout, the most probable place is that of generalised least squares."""
    rows = replace(invented_rows(SLOPES @ [1.0, -0.5, 0.3], families=10), freedom=np.full(30, np.inf))
    rows = replace(rows, observed=rows.observed + np.random.default_rng(3).standard_normal(30) * 0.2)
    objective = linear_objective(SLOPES, rows)
    result = fit_map(objective, SameLikelihood(Likelihood(rows, SDS, math.inf)))
    prior = StagedPosterior.nothing(4).prior_of([unknown.name for unknown in objective.unknowns])
    stage = SimpleNamespace(
        name="A", map=result, unknowns=objective.unknowns, prior=prior, covariance=laplace(result).covariance
    )
    table = choices_table([stage])  # type: ignore[list-item]
    same = np.equal.outer(np.array(rows.family), np.array(rows.family))

    def on_paper(family: float, row: float) -> list[float]:
        precision = np.linalg.inv(np.diag(rows.se**2 + row**2) + same * family**2)
        u = np.linalg.solve(np.eye(3) + SLOPES.T @ precision @ SLOPES, SLOPES.T @ precision @ rows.observed)
        return [float(unknown.value(x)) for unknown, x in zip(objective.unknowns, u, strict=True)]

    for name, sds in {
        "fitted": (0.2, 0.1), "half the discrepancy": (0.1, 0.05), "twice the discrepancy": (0.4, 0.2), "no heavy tails": (0.2, 0.1),
        "rows of a family independent": (0.0, math.hypot(0.2, 0.1)),
    }.items():  # fmt: skip
        assert table[name] == pytest.approx(on_paper(*sds), rel=2e-3), name
    assert "of 3 unknowns" in choices_in_words(table)[0] and "p0 (A) 1.4" in choices_in_words(table)[1]
