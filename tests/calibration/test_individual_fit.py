"""Fits of people: groups, errors, priors, bounds, what data leave open, and what is said of all that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from betapod.base.errors import SolverError
from betapod.calibration.individual.error_model import ErrorModel
from betapod.calibration.individual.individual_examples import write_individual_example
from betapod.calibration.individual.individual_fit import IndividualFit, fit_individuals
from betapod.calibration.individual.individual_problem import IndividualProblem, read_individual_problem
from betapod.calibration.individual.person_information import inform, inverse_information
from betapod.calibration.individual.residual_checks import check_residuals
from betapod.calibration.individual.two_stage import summarise_group


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> IndividualProblem:
    return read_individual_problem(write_individual_example(tmp_path_factory.mktemp("example"))[0])


@pytest.fixture(scope="module")
def fitted(example: IndividualProblem) -> IndividualFit:
    return fit_individuals(replace(example, pooled=True), threads=1)


def test_the_group_is_corrected_for_errors_of_estimation() -> None:
    """8 groups of 40 with known spread: the raw SD is a third too large, the corrected one right within its error."""
    rng = np.random.default_rng(1)
    covariance, mean = np.array([[0.09, 0.03], [0.03, 0.04]]), np.array([1.0, -2.0])
    rows = []
    for _ in range(8):
        truth = rng.multivariate_normal(mean, covariance, 40)
        factors = rng.normal(size=(40, 4, 2)) * 3.0
        information = np.einsum("nki,nkj->nij", factors, factors)
        errors = np.linalg.inv(information)
        estimates = np.array([rng.multivariate_normal(t, e) for t, e in zip(truth, errors, strict=True)])
        group = summarise_group(np.einsum("nij,nj->ni", information, estimates), information, estimates)
        rows.append([*group.mean, *group.spread, *group.uncorrected, group.covariance[0, 1], group.at_rest])
    means = np.mean(rows, axis=0)
    np.testing.assert_allclose(means[:2], mean, atol=0.03)
    np.testing.assert_allclose(means[2:4], [0.3, 0.2], atol=0.03)
    assert np.all(means[4:6] > [0.37, 0.29])
    assert means[6] == pytest.approx(0.03, abs=0.015) and means[7] == 1.0


def test_people_who_say_nothing_of_a_parameter_change_nothing() -> None:
    rng = np.random.default_rng(2)
    estimates = rng.normal(size=(8, 2))
    information = np.repeat(np.diag([50.0, 50.0])[None], 8, axis=0)
    said = np.einsum("nij,nj->ni", information, estimates)
    alone = summarise_group(said, information, estimates)
    silent = np.concatenate([information, np.zeros((3, 2, 2))])
    with_them = summarise_group(
        np.concatenate([said, np.zeros((3, 2))]), silent, np.concatenate([estimates, np.full((3, 2), np.nan)])
    )
    np.testing.assert_allclose(with_them.mean, alone.mean, atol=1e-4)
    np.testing.assert_allclose(with_them.covariance, alone.covariance, atol=1e-3)


def test_no_spread_is_found_where_there_is_none() -> None:
    rng = np.random.default_rng(3)
    information = np.repeat(np.diag([25.0])[None], 20, axis=0)
    estimates = np.full((20, 1), 0.7) + 0.5 * rng.normal(size=(20, 1)) * 0.2
    group = summarise_group(25.0 * estimates, information, estimates)
    assert group.spread[0] < 1e-3 and group.at_rest
    assert group.mean_error[0] == pytest.approx(0.2 / np.sqrt(20), rel=1e-3)


def test_the_example(fitted: IndividualFit) -> None:
    """The invented people were drawn with an error of 10 %; medians, spreads and correlation are those of the draw within its luck."""
    assert fitted.errors[0].proportional == pytest.approx(0.1, abs=0.03)
    assert fitted.freedom == pytest.approx(72 - 24)
    group, pooled = fitted.group, fitted.pooled
    assert group is not None and pooled is not None
    # What was drawn: medians 1.027 nmol/L and 0.570 per year, SDs 0.424 and 0.321, correlation -0.50.
    assert np.all(np.abs(group.mean - np.log([1.027, 0.570])) < 0.05)
    assert np.all(np.abs(group.spread - [0.424, 0.321]) < 0.05)
    assert group.correlation[0, 1] == pytest.approx(-0.5, abs=0.15)
    assert all(check.passed for check in fitted.checks)
    # Together people seem to be measured five times worse, and errors by person are not those by measurement.
    assert pooled.errors[0].proportional > 0.4 and pooled.arrived
    assert pooled.robust[0, 0] > pooled.covariance[0, 0]
    assert not fitted.warnings


def test_people_whose_data_say_only_that_a_rate_is_small(example: IndividualProblem) -> None:
    """With errors of 25 % some best rates are nought: two stages alone leave them out, which makes the others' median too high."""
    rng, times = np.random.default_rng(8), example.people[0].times / 365.25
    logs = rng.normal(np.log([0.8, 0.3]), [0.4, 0.5], (20, 2))
    people = [
        replace(
            example.people[0], name=str(n), values=np.exp(a - np.exp(b) * times) * (1.0 + 0.25 * rng.normal(size=6))
        )
        for n, (a, b) in enumerate(logs)
    ]
    stated = replace(example.observables[0], error=ErrorModel("proportional", 0.0, 0.25))
    problem = replace(example, people=tuple(people), observables=(stated,))
    rough, fine = (fit_individuals(replace(problem, group=way), threads=1).group for way in ("two-stage", "iterated"))
    assert rough is not None and fine is not None and fine.at_rest
    drawn = logs[:, 1].mean()
    assert rough.mean[1] - drawn > 0.25 and abs(fine.mean[1] - drawn) < 0.75 * (rough.mean[1] - drawn)


def test_what_nobody_tells_is_left_out_of_the_group(example: IndividualProblem) -> None:
    start, rate = example.parameters
    stated = replace(example.observables[0], error=ErrorModel("additive", 0.05, 0.0))
    first = ("times", "observable", "values", "errors", "lines")
    people = [replace(person, **{name: getattr(person, name)[:1] for name in first}) for person in example.people[:4]]
    problem = replace(example, people=tuple(people), observables=(stated,), parameters=(start, rate))
    group = fit_individuals(problem, threads=1).group
    assert group is not None and np.isfinite(group.mean[0]) and np.isnan(group.mean[1])


def test_the_same_bits_each_time_and_for_each_person_alone(example: IndividualProblem) -> None:
    stated = replace(example.observables[0], error=ErrorModel("combined", 0.02, 0.1))
    few = replace(example, observables=(stated,), people=example.people[:3])
    first, again = fit_individuals(few, threads=1), fit_individuals(few, threads=2)
    assert all(np.array_equal(a.at, b.at) for a, b in zip(first.people, again.people, strict=True))
    alone = fit_individuals(replace(few, people=few.people[1:2]), threads=1)
    assert np.array_equal(alone.people[0].at, first.people[1].at)


def test_priors_pull_and_bounds_hold(example: IndividualProblem) -> None:
    stated = replace(example.observables[0], error=ErrorModel("additive", 0.2, 0.0))
    start, rate = example.parameters
    problem = replace(
        example,
        observables=(stated,),
        people=example.people[:2],
        parameters=(replace(start, high=0.5), replace(rate, prior_low=0.99, prior_high=1.01)),
        group="none",
    )
    fit = fit_individuals(problem, threads=1)
    for person in fit.people:
        assert float(rate.natural(person.at[1])) == pytest.approx(1.0, abs=0.01)
        assert float(start.natural(person.at[0])) <= 0.5
        assert person.information.contraction[1] < 0.1
        assert person.information.untold(problem.parameters, person.at) == ["k"]
    assert any("C_start is at a bound" in warning for warning in fit.warnings)


def test_many_searches_find_the_same_place(example: IndividualProblem) -> None:
    fit = fit_individuals(replace(example, people=example.people[:2], starts=4), threads=1)
    assert [person.same for person in fit.people] == [4, 4]


def test_who_cannot_be_simulated_is_named(tmp_path: Path) -> None:
    files = {
        "m.txt": 'dC/dt = -k*C [mg/day] C\nC(0) = start [mg]\n\nevents:\ngone when C < least then stop "gone"\n',
        "m.csv": "id,value,unit\nk,1,1/day\nstart,5,mg\nleast,0.1,mg\n",
        "t.csv": "id,time [day],C [mg],start [mg]\na,0,5,5\na,1,2,5\na,2,0.6,5\nb,0,0.2,0.2\nb,2,0.1,0.2\n",
        "p.yaml": "kind: individual\nmodel: m.txt\ntable: t.csv\nobservables: {C: {}}\nfit: {k: {}}\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    problem = read_individual_problem(tmp_path / "p.yaml")
    fit = fit_individuals(problem, threads=1)
    assert [person.simulated for person in fit.people] == [True, False]
    assert fit.warnings == ("b: the model cannot be simulated where the search begins",)
    assert fit.group is None
    with pytest.raises(SolverError, match="nobody can be simulated"):
        fit_individuals(replace(problem, people=problem.people[1:]), threads=1)


def test_what_one_measurement_leaves_open(example: IndividualProblem) -> None:
    """One sample cannot tell start and rate apart: both are unknown, and nobody claims else."""
    first = example.people[0]
    single = replace(first, **{n: getattr(first, n)[2:3] for n in ("times", "observable", "values", "errors", "lines")})
    stated = replace(example.observables[0], error=ErrorModel("additive", 0.05, 0.0))
    fit = fit_individuals(replace(example, observables=(stated,), people=(single,)), threads=1)
    information = fit.people[0].information
    assert np.all(np.isinf(information.standard_errors))
    assert information.untold(example.parameters, fit.people[0].at) == ["C_start", "k"]


def test_information_without_a_direction() -> None:
    covariance = inverse_information(np.array([[4.0, 0.0], [0.0, 0.0]]))
    assert covariance[0, 0] == pytest.approx(0.25) and np.isinf(covariance[1, 1])
    close = inform(np.array([[1.0, 1.0], [1.0, 1.01], [1.0, 0.99]]), np.ones(3), np.full(2, np.inf))
    assert close.correlation[0, 1] < -0.99


@pytest.mark.parametrize(("additive", "share"), [(0.5, 0.0), (0.0, 0.1), (0.5, 0.1)])
def test_sizes_of_errors_are_found(additive: float, share: float) -> None:
    rng = np.random.default_rng(4)
    predicted = np.exp(rng.normal(1.0, 1.2, 4000))
    residual = rng.normal(size=4000) * np.hypot(additive, share * predicted)
    form = "combined" if additive and share else "additive" if additive else "proportional"
    model = ErrorModel(form, estimated=True).guessed(predicted).refined(residual, predicted, np.zeros(4000))
    assert model.additive == pytest.approx(additive, rel=0.1)
    assert model.proportional == pytest.approx(share, rel=0.1)


def test_checks_see_what_is_wrong() -> None:
    rng = np.random.default_rng(5)
    person, predicted = np.repeat(np.arange(40), 5), np.tile(np.linspace(1.0, 9.0, 5), 40)
    good = rng.normal(size=200)

    def failed(residual: np.ndarray, stated: bool = True) -> set[str]:  # type: ignore[type-arg]
        return {c.check for c in check_residuals("y", residual, predicted, person, 200.0, stated) if not c.passed}

    assert failed(good) == set()
    assert "centred" in failed(good + 0.5)
    assert "as wide as stated" in failed(2.0 * good) and "as wide as stated" not in failed(2.0 * good, stated=False)
    assert "no trend with size" in failed(good + 0.3 * (predicted - 5.0))
    assert "as wide at every size" in failed(good * predicted / 5.0)
    assert "independent in time" in failed(np.repeat(rng.normal(size=40), 5) + 0.3 * good)
    assert "normal" in failed(np.where(np.arange(200) == 7, 9.0, good))


def test_nothing_predicted_has_no_proportional_error(tmp_path: Path) -> None:
    files = {
        "m.txt": "dA/dt = -ka*A [mg/day] gut\nA(0) = none [mg]\ndB/dt = ka*A - k*B [mg/day] body\nB(0) = none [mg]\n",
        "m.csv": "id,value,unit\nka,30,1/day\nk,2,1/day\nnone,0,mg\n",
        "t.csv": "id,time [day],dose A [mg],B [mg]\n1,0,10,0\n1,0.05,,7\n1,0.2,,7.5\n1,0.5,,4\n1,1,,1.4\n",
        "p.yaml": "kind: individual\nmodel: m.txt\ntable: t.csv\nobservables: {B: {error: proportional}}\nfit: {ka: {}, k: {}}\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    fit = fit_individuals(read_individual_problem(tmp_path / "p.yaml"), threads=1)
    assert fit.people[0].arrived and fit.freedom == pytest.approx(2.0)
    assert "left out, measurements: 1" in fit.warnings[0]


@pytest.mark.parametrize("form", ["additive", "proportional", "combined"])
def test_as_many_measurements_as_parameters_leave_nothing_to_estimate_errors_from(
    form: str, example: IndividualProblem
) -> None:
    names = ("times", "observable", "values", "errors", "lines")
    people = tuple(replace(person, **{n: getattr(person, n)[[0, 4]] for n in names}) for person in example.people[:3])
    unknown = replace(example.observables[0], error=ErrorModel(form, estimated=True))
    fit = fit_individuals(replace(example, people=people, observables=(unknown,), pooled=True), threads=1)
    assert any("nothing is left to estimate" in warning for warning in fit.warnings)
    assert all(np.isfinite(person.predicted).all() for person in fit.people)


def test_numbers_beyond_all_measure_end_in_words(example: IndividualProblem) -> None:
    first = example.people[0]
    absurd = replace(first, values=np.where(np.arange(6) == 2, 1e300, first.values))
    fit = fit_individuals(replace(example, people=(absurd, *example.people[1:4])), threads=1)
    assert len(fit.people) == 4
