"""Cohorts: balanced weights, chosen patients, and how they compare with NHANES and with published trials."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betapod.base.errors import ConfigError
from betapod.patients import library
from betapod.patients.cohorts import cohort_catalogue, comparison, nhanes, reweight
from betapod.patients.cohorts.cohort_target import CohortTarget, Moment
from betapod.patients.cohorts.entropy_balancing import balance


@pytest.fixture(scope="module")
def like_nhanes() -> reweight.SelectedCohort:
    return reweight.select_patients(library.default(), cohort_catalogue.load_target("NHANES"), 2000, seed=1)


def test_balance_has_the_exact_solution() -> None:
    """For one binary column the answer is known: even weights within each group."""
    x = np.array([0.0] * 80 + [1.0] * 20)[:, None]
    found = balance(x, np.array([0.5]), np.array([1e-9]))
    assert found.converged
    np.testing.assert_allclose(found.weights, np.where(x[:, 0] == 1, 0.5 / 20, 0.5 / 80), rtol=1e-6)
    assert found.effective == pytest.approx(1 / (0.25 / 20 + 0.25 / 80))


def test_balance_is_an_exponential_tilt() -> None:
    generator = np.random.default_rng(3)
    x = generator.normal(size=(500, 3))
    goal = np.array([0.3, -0.2, 0.1])
    found = balance(x, goal, np.full(3, 1e-8))
    np.testing.assert_allclose(found.means, goal, atol=1e-6)
    log = np.log(found.weights)
    fitted = (
        np.column_stack([np.ones(500), x]) @ np.linalg.lstsq(np.column_stack([np.ones(500), x]), log, rcond=None)[0]
    )
    np.testing.assert_allclose(log, fitted, atol=1e-8)


def test_what_cannot_be_balanced_shows() -> None:
    x = np.random.default_rng(1).uniform(size=(200, 1))
    found = balance(x, np.array([2.0]), np.array([0.05]))
    assert found.converged
    assert found.means[0] < 1.0
    constant = balance(np.ones((50, 1)), np.array([0.0]), np.array([0.01]))
    assert constant.means[0] == 1.0
    np.testing.assert_allclose(constant.weights, 1 / 50)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.1, 100.0))
def test_more_slack_never_costs_effective_size(seed: int, slack: float) -> None:
    x = np.random.default_rng(seed).normal(size=(300, 4))
    goal, tolerance = np.full(4, 0.3), np.full(4, 0.02)
    tight, loose = (balance(x, goal, tolerance, s) for s in (slack, 2 * slack))
    assert loose.effective >= tight.effective * (1 - 1e-6)
    assert tight.weights.sum() == pytest.approx(1.0)


def medians_hold(found: pd.DataFrame) -> bool:
    """Within 5 %; years since diagnosis, reported as whole years, within one of them."""
    allowed = np.where(found["quantity"] == "duration", 100.0 / found["target_median"], 5.0)
    return bool((found["miss_percent"].abs() <= allowed).all())


def test_nhanes_medians_and_distributions(like_nhanes: reweight.SelectedCohort) -> None:
    found = like_nhanes.report.distributions
    assert set(found["quantity"]) == {"age", "duration", "bmi", "hba1c", "fpg", "sbp", "egfr", "uacr"}
    assert medians_hold(found)
    assert found["ks"].max() < 0.08


def test_nhanes_rank_correlations_and_grid(like_nhanes: reweight.SelectedCohort) -> None:
    report = like_nhanes.report
    assert len(report.correlations) == 28
    assert report.correlations["miss"].abs().max() < 0.08
    assert report.cells["miss"].abs().max() < 3.0
    assert report.effective_share > 0.2
    assert report.repeats == 0
    assert len(np.unique(like_nhanes.index)) == 2000


def test_nhanes_half_that_nothing_was_fitted_to(like_nhanes: reweight.SelectedCohort) -> None:
    """Medians, distributions and grid hold there too; one rank correlation misses, as the halves differ among themselves."""
    test = nhanes.nhanes_target("test")
    table = library.default().table.iloc[like_nhanes.index]
    even = np.full(len(table), 1 / len(table))
    distributions = comparison.compared_distributions(table, even, test)
    assert medians_hold(distributions)
    assert distributions["ks"].max() < 0.08
    assert comparison.compared_cells(table, even, test)["miss"].abs().max() < 3.0
    misses = comparison.compared_correlations(table, even, test)
    far = misses[misses["miss"].abs() > 0.08]
    assert set(far["pair"]) <= {"uacr age"}
    assert misses["miss"].abs().max() < 0.12


@pytest.mark.parametrize(("name", "n"), [("FLOW", 500), ("Packham", 90), ("Skyler", 183)])
def test_trials_are_matched_on_every_moment(name: str, n: int) -> None:
    ready, target = library.default(), cohort_catalogue.load_target(name)
    cohort = reweight.select_patients(ready, target, n)
    report = cohort.report
    assert report.repeats == 0
    patients = ready.table.iloc[cohort.index]
    assert target.eligible(patients).all()
    # Within half a percent of a standard deviation in the weighted library, three in the chosen few; shares within 0.5 and 1 %.
    for moment, row in zip(target.moments, report.moments.itertuples(), strict=True):
        scale = 1.0 if moment.kind == "quantile" else float(row.tolerance) / moment.tolerance
        assert abs(row.weighted - row.target) < 0.005 * scale, row.moment
        assert abs(row.miss) < (0.01 if moment.kind == "quantile" else 0.03) * scale, row.moment


def test_same_seed_same_cohort() -> None:
    ready, target = library.default(), cohort_catalogue.load_target("Skyler")
    first, again, other = (reweight.select_patients(ready, target, 60, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.index, again.index)
    assert set(first.index) != set(other.index)


def test_more_patients_than_people_are_repeated_and_reported() -> None:
    ready = library.default().take(np.arange(50))
    target = CohortTarget("all", "", (Moment("mean", ("age",), float(ready.table["age"].mean())),))
    cohort = reweight.select_patients(ready, target, 120)
    assert len(cohort.index) == 120
    assert cohort.report.repeats == 120 - ready.table.iloc[cohort.index]["person"].nunique() > 0


def test_eligibility_alone_is_a_target() -> None:
    target = CohortTarget("low", "", (), ranges={"egfr": (20.0, 45.0)})
    cohort = reweight.select_patients(library.default(), target, 50)
    assert library.default().table["egfr"].iloc[cohort.index].between(20, 45).all()
    assert cohort.report.effective_share == pytest.approx(1.0)


def test_nobody_eligible_and_bad_numbers_are_errors() -> None:
    target = CohortTarget("none", "", (), ranges={"egfr": (500.0, 600.0)})
    with pytest.raises(ConfigError, match="nobody in the library fits none"):
        reweight.select_patients(library.default(), target, 10)
    with pytest.raises(ConfigError, match="at least one patient"):
        reweight.select_patients(library.default(), cohort_catalogue.load_target("FLOW"), 0)


def test_what_the_library_cannot_give_is_said() -> None:
    ready = library.default().take(np.arange(400))
    target = CohortTarget("giants", "", (Moment("mean", ("height",), 215.0),))
    report = reweight.select_patients(ready, target, 20).report
    assert any("height mean" in text and "too few such patients" in text for text in report.unmatched)


def test_weighted_statistics_agree_with_repeated_rows() -> None:
    from scipy import stats

    generator = np.random.default_rng(2)
    x, y = generator.integers(0, 20, 200).astype(float), generator.normal(size=200)
    counts = generator.integers(1, 5, 200)
    mine = comparison.spearman(x, y, counts.astype(float))
    theirs = stats.spearmanr(np.repeat(x, counts), np.repeat(y, counts)).statistic
    assert mine == pytest.approx(theirs, abs=1e-12)
    values = comparison.weighted_quantile(y, np.ones(200), np.array([0.5]))
    assert values[0] == pytest.approx(np.median(y), abs=0.02)


@given(st.integers(0, 2**32 - 1), st.integers(1, 3000))
@settings(max_examples=30, deadline=None)
def test_places_are_those_of_a_search(seed: int, count: int) -> None:
    generator = np.random.default_rng(seed)
    chances = generator.uniform(size=count) ** generator.integers(1, 12)
    increasing = np.cumsum(chances) / chances.sum()
    numbers = np.concatenate([generator.uniform(size=500), [0.0, 1.0 - 2**-53], increasing[increasing < 1.0]])
    np.testing.assert_array_equal(reweight._Places(increasing).of(numbers), np.searchsorted(increasing, numbers))
