"""Fits of people against certified values, published estimates and SciPy's own search on closed forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from betapod.calibration.individual.individual_examples import write_individual_example
from betapod.calibration.individual.individual_fit import IndividualFit, fit_individuals
from betapod.calibration.individual.individual_problem import read_individual_problem

THEOPHYLLINE = Path(__file__).with_name("theophylline.csv")

#: NIST/ITL Statistical Reference Datasets, nonlinear regression (public domain): Misra1a and BoxBOD, both y = b1*(1 - exp(-b2*x)).
#: Data, certified parameters, their standard deviations, and the residual standard deviation.
NIST = {
    "Misra1a": (
        [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0],
        [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78],
        (500.0, 1e-4),
        (2.3894212918e02, 5.5015643181e-04),
        (2.7070075241e00, 7.2668688436e-06),
        1.0187876330e-01,
    ),
    "BoxBOD": (
        [1.0, 2.0, 3.0, 5.0, 7.0, 10.0],
        [109.0, 149.0, 149.0, 191.0, 213.0, 224.0],
        (100.0, 0.75),
        (2.1380940889e02, 5.4723748542e-01),
        (1.2354515176e01, 1.0455993237e-01),
        1.7088072423e01,
    ),
}


def problem_file(folder: Path, model: str, values: str, table: str, problem: str) -> Path:
    for name, text in (("m.txt", model), ("m.csv", values), ("t.csv", table), ("p.yaml", problem)):
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "p.yaml"


@pytest.mark.parametrize("name", NIST)
@pytest.mark.parametrize("transform", ["log", "linear"])
def test_certified_values_of_nist(name: str, transform: str, tmp_path: Path) -> None:
    x, y, start, certified, deviations, residual = NIST[name]
    if transform == "linear" and name == "Misra1a":
        start = (250.0, 5e-4)
    path = problem_file(
        tmp_path,
        "dy/dt = b2*(b1 - y) [1/day] response\ny(0) = nothing [1]\n",
        f"id,value,unit\nb1,{start[0]},1\nb2,{start[1]},1/day\nnothing,0,1\n",
        "id,time [day],y\n" + "".join(f"1,{a},{b}\n" for a, b in zip(x, y, strict=True)),
        "kind: individual\nmodel: m.txt\ntable: t.csv\nobservables: {y: {error: additive}}\n"
        f"fit: {{b1: {{transform: {transform}}}, b2: {{transform: {transform}}}}}\n",
    )
    fit = fit_individuals(read_individual_problem(path), threads=1)
    person, parameters = fit.people[0], fit.problem.parameters
    values = [float(p.natural(at)) for p, at in zip(parameters, person.at, strict=True)]
    errors = [
        float(p.slope(at)) * se
        for p, at, se in zip(parameters, person.at, person.information.standard_errors, strict=True)
    ]
    assert person.arrived and fit.group is None
    np.testing.assert_allclose(values, certified, rtol=1e-6)
    np.testing.assert_allclose(errors, deviations, rtol=2e-4)
    assert fit.errors[0].additive == pytest.approx(residual, rel=1e-6)
    assert fit.freedom == pytest.approx(len(x) - 2)


@pytest.fixture(scope="module")
def theophylline(tmp_path_factory: pytest.TempPathFactory) -> IndividualFit:
    """Oral theophylline in 12 people: data set Theoph of R (Upton; Boeckmann, Sheiner and Beal 1994), dose and clearance per kg."""
    path = problem_file(
        tmp_path_factory.mktemp("theophylline"),
        "dA/dt = -ka*A [mg/kg/day] in the gut\nA(0) = nothing [mg/kg]\n"
        "dC/dt = ka*A*ke/Cl - ke*C [mg/L/day] concentration\nC(0) = nothing*ke/Cl [mg/L]\n",
        "id,value,unit\nka,36,1/day\nke,2.4,1/day\nCl,0.96,L/kg/day\nnothing,0,mg/kg\n",
        THEOPHYLLINE.read_text(encoding="utf-8"),
        "kind: individual\nmodel: m.txt\ntable: t.csv\nobservables: {C: {error: additive}}\n"
        "fit: {ke: {start: 0.1 1/h}, ka: {start: 1.5 1/h}, Cl: {start: 0.04 L/kg/h}}\n",
    )
    return fit_individuals(read_individual_problem(path), threads=1)


def first_order(dose: float, hours: NDArray[np.float64], logs: NDArray[np.float64]) -> NDArray[np.float64]:
    ke, ka, clearance = np.exp(logs)
    return np.asarray(dose * ke * ka / clearance * (np.exp(-ke * hours) - np.exp(-ka * hours)) / (ka - ke))


def test_theophylline_agrees_with_scipy_on_the_closed_form(theophylline: IndividualFit) -> None:
    """Every estimate and standard error of 12 people, to 5 digits and more."""
    from scipy.optimize import least_squares

    log24 = np.log(24.0)
    squares, expected = 0.0, []
    for person, fit in zip(theophylline.problem.people, theophylline.people, strict=True):
        dose = person.schedule.doses[0].amount

        def residual(logs: NDArray[np.float64], person=person, dose=dose) -> NDArray[np.float64]:  # type: ignore[no-untyped-def]
            return first_order(dose, person.times * 24.0, logs) - person.values

        best = least_squares(residual, np.log([0.1, 1.5, 0.04]), "3-point", xtol=1e-14, ftol=1e-14, gtol=1e-14)
        squares += 2.0 * float(best.cost)
        expected.append((best.x, np.linalg.inv(best.jac.T @ best.jac)))
        np.testing.assert_allclose(fit.at - log24, best.x, rtol=0, atol=1e-6)
    sigma = np.sqrt(squares / (132 - 36))
    assert theophylline.errors[0].additive == pytest.approx(sigma, rel=1e-6)
    for fit, (_, covariance) in zip(theophylline.people, expected, strict=True):
        np.testing.assert_allclose(fit.information.standard_errors, sigma * np.sqrt(np.diag(covariance)), rtol=1e-4)


def test_theophylline_has_the_published_estimates(theophylline: IndividualFit) -> None:
    """Subject 4 as R prints it in the example of Theoph; the group as Pinheiro and Bates's mixed model has it (-2.43, 0.45, -3.21)."""
    subject = theophylline.people[3]
    assert subject.name == "4"
    np.testing.assert_allclose(subject.at - np.log(24.0), [-2.4365, 0.1583, -3.2861], atol=6e-5)
    group = theophylline.group
    assert group is not None and group.at_rest
    # The same alternating algorithm, here by restricted likelihood: every printed digit.
    np.testing.assert_array_equal(np.round(group.mean - np.log(24.0), 2), [-2.43, 0.45, -3.21])


def test_the_example_agrees_with_scipy(tmp_path: Path) -> None:
    """The invented people of the documents, with the closed form of the example and the weights of the fit."""
    from scipy.optimize import least_squares

    fit = fit_individuals(read_individual_problem(write_individual_example(tmp_path)[0]), threads=1)
    for person, found in zip(fit.problem.people, fit.people, strict=True):

        def residual(logs: NDArray[np.float64], person=person, found=found) -> NDArray[np.float64]:  # type: ignore[no-untyped-def]
            predicted = np.exp(logs[0] - np.exp(logs[1]) * person.times / 365.25)
            return np.asarray((predicted - person.values) / found.spread)

        best = least_squares(residual, np.log([0.8, 0.5]), "3-point", xtol=1e-14, ftol=1e-14, gtol=1e-14)
        np.testing.assert_allclose(found.at, best.x, rtol=0, atol=1e-6)
        # Weights are those of the predictions: both are at rest.
        np.testing.assert_allclose(found.spread, fit.errors[0].proportional * found.predicted, rtol=1e-4)
