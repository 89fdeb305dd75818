"""What rows say of unknowns, on problems where it is plain."""

from __future__ import annotations

import numpy as np
import pytest
from invented_objectives import Invented, invented_rows, invented_unknowns, linear_objective

from betapod.calibration.discrepancy import Discrepancy
from betapod.calibration.fit_likelihood import Likelihood
from betapod.calibration.gauss_newton import MapResult, SameLikelihood, fit_map
from betapod.calibration.identifiability import identify, profiles, speaking_table
from betapod.calibration.posterior import laplace

#: Four unknowns: the first is seen by many rows, the sum of the second and third by some, the fourth by none.
SLOPES = np.zeros((20, 4))
SLOPES[:12, 0] = 0.5
SLOPES[12:, 1:3] = 0.4


@pytest.fixture(scope="module")
def fitted() -> tuple[Invented, MapResult]:
    rows = invented_rows(SLOPES @ [1.0, 0.5, 0.5, 0.0], families=10)
    law = Likelihood(rows, Discrepancy({"ratio": 0.1}, {"ratio": 0.1}), nu=np.inf)
    objective = linear_objective(SLOPES, rows)
    return objective, fit_map(objective, SameLikelihood(law))


def test_directions_and_contraction(fitted: tuple[Invented, MapResult]) -> None:
    objective, result = fitted
    facts = identify(result, objective.unknowns)
    assert np.all(np.diff(facts.eigenvalues) <= 0)
    assert np.sum(facts.eigenvalues > 1e-6) == 2
    np.testing.assert_allclose(facts.directions[0], [1, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(facts.directions[1], np.array([0, 1, 1, 0]) / np.sqrt(2), atol=1e-6)
    assert facts.contraction[3] == pytest.approx(0.0, abs=1e-9)
    assert facts.contraction[0] > 0.7
    assert facts.pairs() == [("p1", "p2", pytest.approx(facts.correlation[1, 2]))]
    assert facts.correlation[1, 2] < -0.9


def test_it_is_said_in_words(fitted: tuple[Invented, MapResult]) -> None:
    text = "\n".join(identify(fitted[1], fitted[0].unknowns).in_words())
    assert "Of 4 directions the rows know 2 better" in text
    assert "p1 and p2 cannot be told apart: one rises as the other falls (posterior correlation -0.9" in text
    assert "1 of 4 stayed at their prior (contraction below 0.1): p3." in text
    assert "Direction 1" in text and "+1.00 p0" in text


def test_rows_and_families_speak_in_proportion(fitted: tuple[Invented, MapResult]) -> None:
    """A row's share is what is lost when the fit is made without it."""
    objective, result = fitted
    facts = identify(result, objective.unknowns)
    assert facts.row_share[12:, 0].max() < 1e-9 < facts.row_share[:12, 0].min()
    # Six families of two rows speak of the first unknown, each for a sixth.
    np.testing.assert_allclose([facts.family_share[f"f{k}"][0] for k in range(6)], 1 / 6, rtol=1e-3)
    law = result.likelihood

    def precision(use: np.ndarray) -> float:
        inverse = np.linalg.inv(law.covariance()[np.ix_(use, use)])
        return float(1.0 / np.linalg.inv(SLOPES[use].T @ inverse @ SLOPES[use] + np.eye(4))[1, 1])

    everything = np.ones(20, dtype=bool)
    without = everything.copy()
    without[15] = False
    lost = (precision(everything) - precision(without)) / (precision(everything) - 1.0)
    assert facts.row_share[15, 1] == pytest.approx(lost, rel=1e-2)
    table = speaking_table(result, facts, most=3)
    assert table["unknown"][:3] == ["p0"] * 3
    assert "p3" not in table["unknown"]


def test_profiles_of_a_normal_posterior_are_quadratic(fitted: tuple[Invented, MapResult]) -> None:
    objective, result = fitted
    table = profiles(objective.predict, result, laplace(result), objective.unknowns, ["p0", "p1"])
    np.testing.assert_allclose(table["fall"], table["quadratic"], rtol=0.05)
    assert table["value"][3] > table["value"][0]


def test_a_profile_shows_what_bends() -> None:
    rows = invented_rows(np.array([1.0]), se=0.3)
    objective = Invented(invented_unknowns(1), rows, lambda u: np.exp(u))
    result = fit_map(objective, SameLikelihood(Likelihood(rows)), steps=0.01)
    fall = profiles(objective.predict, result, laplace(result), objective.unknowns, ["p0"])["fall"]
    assert fall[0] < 3.2 < 4.5 < fall[3]
