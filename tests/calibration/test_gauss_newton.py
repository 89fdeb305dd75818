"""The most probable unknowns: exact where the answer is known, robust, within bounds, and counted."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from invented_objectives import Invented, invented_rows, invented_unknowns, linear_objective

from betapod.base.errors import ConfigError
from betapod.calibration.discrepancy import Discrepancy
from betapod.calibration.fit_likelihood import Likelihood
from betapod.calibration.gauss_newton import NEAR, EstimatedDiscrepancy, SameLikelihood, fit_map
from betapod.calibration.left_out import leave_families_out

SLOPES = np.random.default_rng(1).standard_normal((30, 4)) * 0.2


def test_a_linear_normal_problem_is_solved_exactly() -> None:
    rows = invented_rows(SLOPES @ [1.0, -0.5, 0.0, 0.3] + 0.05, families=10)
    law = Likelihood(rows, Discrepancy({"ratio": 0.2}, {"ratio": 0.1}), nu=np.inf)
    result = fit_map(linear_objective(SLOPES, rows), SameLikelihood(law))
    inverse = np.linalg.inv(law.covariance())
    exact = np.linalg.solve(SLOPES.T @ inverse @ SLOPES + np.eye(4), SLOPES.T @ inverse @ rows.observed)
    np.testing.assert_allclose(result.u, exact, atol=2e-3)
    np.testing.assert_allclose(result.jacobian, SLOPES, atol=1e-10)
    assert result.converged
    assert result.evaluations <= 24


def test_all_columns_and_all_trials_are_one_call_each() -> None:
    rows = invented_rows(SLOPES[:, 0], families=10)
    objective = linear_objective(SLOPES, rows)
    result = fit_map(objective, SameLikelihood(Likelihood(rows, Discrepancy({}, {"ratio": 0.2}))))
    # The start, and slopes and trials of each iteration; slopes at the end if the last step was taken.
    assert objective.calls <= 2 + 2 * len(result.trace)
    moved = result.trace[-1].accepted and result.trace[-1].step >= NEAR
    assert result.evaluations == result.trace[-1].evaluations + (4 if moved else 0)


def test_slopes_that_are_known_already_are_not_taken_again() -> None:
    rows = invented_rows(SLOPES @ [1.0, -0.5, 0.0, 0.3] + 0.05, families=10)
    law = SameLikelihood(Likelihood(rows, Discrepancy({"ratio": 0.2}, {"ratio": 0.1}), nu=np.inf))
    first = fit_map(linear_objective(SLOPES, rows), law)
    again = fit_map(linear_objective(SLOPES, rows), law, start=first.u, slopes=first.jacobian)
    assert again.converged and again.evaluations <= 8 + 4 < first.evaluations
    np.testing.assert_allclose(again.u, first.u, atol=0.02)
    # Slopes that lead nowhere do not end the search; of others than these rows there are none.
    wrong = fit_map(linear_objective(SLOPES, rows), law, slopes=-SLOPES)
    np.testing.assert_allclose(wrong.u, first.u, atol=0.05)
    assert fit_map(linear_objective(SLOPES, rows), law, slopes=SLOPES[:5]).evaluations == first.evaluations


def test_a_bent_problem_converges_to_where_nothing_is_gained() -> None:
    def formula(u: np.ndarray) -> np.ndarray:
        return np.stack([np.exp(u[:, 0]), u[:, 0] * u[:, 1], np.sinh(u[:, 1])], axis=1)

    rows = invented_rows(formula(np.array([[1.2, -0.8]]))[0], se=0.02)
    result = fit_map(Invented(invented_unknowns(2), rows, formula), SameLikelihood(Likelihood(rows)), steps=0.01)
    np.testing.assert_allclose(result.u, [1.2, -0.8], atol=0.02)
    losses = [step.loss_before for step in result.trace] + [result.trace[-1].loss]
    assert all(later <= earlier + 1e-6 for earlier, later in itertools.pairwise(losses))
    assert result.loss == pytest.approx(losses[-1], abs=0.05)


def test_an_outlying_study_moves_little() -> None:
    u = np.array([0.5, -0.5, 0.2, 0.0])
    clean = SLOPES @ u
    spoiled = clean.copy()
    spoiled[:3] += 3.0
    fits = {}
    for name, nu in (("heavy", 4.0), ("normal", np.inf)):
        rows = invented_rows(spoiled, families=10)
        law = Likelihood(rows, Discrepancy({"ratio": 0.1}, {"ratio": 0.1}), nu)
        fits[name] = fit_map(linear_objective(SLOPES, rows), SameLikelihood(law)).u
    assert np.abs(fits["heavy"] - u).max() < 0.3 < np.abs(fits["normal"] - u).max()


def test_nobody_leaves_the_bounds() -> None:
    rows = invented_rows(SLOPES @ [30.0, -30.0, 0.0, 0.0], se=0.01)
    unknowns = list(invented_unknowns(4))
    unknowns[0] = replace(unknowns[0], high=1.1)
    objective = replace(linear_objective(SLOPES, rows), unknowns=tuple(unknowns))
    asked = []

    def evaluate(u: np.ndarray) -> np.ndarray:
        asked.append(u)
        return objective.predict(u)

    result = fit_map(objective, SameLikelihood(Likelihood(rows)), evaluate=evaluate)
    assert result.u[0] == pytest.approx(np.log(1.1) / 0.3)
    assert result.u[1] == pytest.approx(-3.0)
    everything = np.concatenate(asked)
    assert np.abs(everything).max() <= 3.0
    assert unknowns[0].value(everything[:, 0]).max() <= 1.1
    assert np.array_equal(everything, result.visited)


def test_rows_without_a_prediction_are_left_out_and_counted() -> None:
    def formula(u: np.ndarray) -> np.ndarray:
        predicted = u @ SLOPES.T
        predicted[:, 0] = np.nan
        predicted[u[:, 1] > 0.2, 1] = np.nan  # only where the second slope is taken
        return predicted

    rows = invented_rows(SLOPES @ [1.0, 0.1, 0.0, 0.0], families=30)
    objective = Invented(invented_unknowns(4), rows, formula)
    result = fit_map(objective, SameLikelihood(Likelihood(rows)))
    assert result.trace[0].left_out == 2
    assert not result.use[0]
    np.testing.assert_allclose(result.u, [1.0, 0.1, 0.0, 0.0], atol=0.15)


def test_rows_without_a_number_or_an_error_do_not_speak() -> None:
    rows = invented_rows(SLOPES[:6] @ [1.0, 0.1, 0.0, 0.0])
    spoiled = replace(rows, observed=np.where(np.arange(6) == 2, -np.inf, rows.observed))
    spoiled = replace(spoiled, se=np.where(np.arange(6) == 4, 0.0, rows.se))
    result = fit_map(linear_objective(SLOPES[:6], spoiled), EstimatedDiscrepancy(spoiled, {"ratio": 0.1}))
    assert result.use.tolist() == [True, True, False, True, False, True]
    assert np.isfinite(result.loss)


def test_a_trial_that_loses_rows_is_refused() -> None:
    def formula(u: np.ndarray) -> np.ndarray:
        return np.where(u[:, :1] > 0.5, np.nan, u @ SLOPES.T)

    rows = invented_rows(SLOPES @ [1.0, 0.0, 0.0, 0.0], families=30)
    result = fit_map(Invented(invented_unknowns(4), rows, formula), SameLikelihood(Likelihood(rows)))
    assert np.isfinite(result.predicted).all()
    assert result.u[0] <= 0.5


def test_nothing_to_fit_is_an_error() -> None:
    rows = invented_rows(np.zeros(3))
    nothing = Invented(invented_unknowns(2), rows, lambda u: np.full((len(u), 3), np.nan))
    with pytest.raises(ConfigError, match="no fitted row has a prediction"):
        fit_map(nothing, SameLikelihood(Likelihood(rows)))
    with pytest.raises(ConfigError, match="finite number for each unknown"):
        fit_map(nothing, SameLikelihood(Likelihood(rows)), start=np.zeros(3))


def test_the_discrepancy_is_estimated_on_the_way() -> None:
    rng = np.random.default_rng(5)
    slopes = rng.standard_normal((60, 3)) * 0.3
    truth = np.array([1.0, -1.0, 0.5])
    effects = np.repeat(0.3 * rng.standard_t(4, 20), 3) + 0.1 * rng.standard_normal(60)
    rows = invented_rows(slopes @ truth + effects, se=0.05, families=20)
    result = fit_map(linear_objective(slopes, rows), EstimatedDiscrepancy(rows, {"ratio": 0.3}))
    at_truth = EstimatedDiscrepancy(rows, {"ratio": 0.3})(slopes @ truth).discrepancy
    assert result.likelihood.discrepancy.family["ratio"] == pytest.approx(at_truth.family["ratio"], rel=0.25)
    assert result.likelihood.discrepancy.row["ratio"] == pytest.approx(at_truth.row["ratio"], rel=0.25)
    assert np.abs(result.u - truth).max() < 0.4
    assert result.converged


def test_the_same_question_has_the_same_answer() -> None:
    rows = invented_rows(SLOPES[:12] @ [1.0, 0.0, -1.0, 0.0] + 0.1, families=4)
    first, second = (
        fit_map(linear_objective(SLOPES[:12], rows), EstimatedDiscrepancy(rows, {"ratio": 0.2})) for _ in range(2)
    )
    assert np.array_equal(first.visited, second.visited)


def test_numbers_that_are_set_aside_tell_the_fit_nothing() -> None:
    """Neither the unknowns nor what the model lacks, nor what families left out are predicted by."""
    noise = 0.1 * np.random.default_rng(0).standard_normal(30)
    rows = invented_rows(SLOPES @ [1.0, -0.5, 0.0, 0.3] + noise, families=10)
    fitted = np.arange(30) < 12
    first, second = (
        replace(rows, fitted=fitted, observed=np.where(fitted, rows.observed, rows.observed + shift))
        for shift in (0.0, 50.0)
    )
    one, other = (fit_map(linear_objective(SLOPES, of), EstimatedDiscrepancy(of)) for of in (first, second))
    np.testing.assert_array_equal(one.u, other.u)
    assert one.likelihood.discrepancy == other.likelihood.discrepancy
    left, again = (leave_families_out(of, EstimatedDiscrepancy, ["f0"]) for of in (one, other))
    np.testing.assert_array_equal(left.predicted, again.predicted)
    assert np.isfinite(left.predicted).sum() == 3
