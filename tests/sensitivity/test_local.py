"""One number at a time, and what measurements would tell of several, against solutions by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from betapod import ParameterTable, Part, assemble
from betapod.base.constants import Z95
from betapod.base.errors import ConfigError
from betapod.model import Parameter
from betapod.sensitivity.factors import select_factors
from betapod.sensitivity.local_sensitivity import local_rows, local_sensitivities
from betapod.sensitivity.measured_numbers import from_slopes, measured_numbers
from betapod.sensitivity.model_function import ModelFunction
from betapod.sensitivity.number_profiles import PLACES, misfit_profiles, number_profiles

EQUATIONS = """
A(0)  = A0               [mg]      amount
dA/dt = -(k + extra)*A   [mg/day]  loss
seen  = scale*A          [mg]      what is measured of it
"""


def row(name: str, value: float, unit: str, low: float, high: float) -> Parameter:
    return Parameter(name, f"the number {name}", value, unit, low=low, high=high, role="assumed", grade="D")


@pytest.fixture(scope="module")
def model():
    rows = [
        row("A0", 10.0, "mg", 5.0, 15.0),
        row("k", 0.1, "1/day", 0.05, 0.15),
        row("extra", 0.02, "1/day", 0.0, 0.04),
        row("scale", 1.0, "1", 0.5, 1.5),
    ]
    return assemble("loss", [Part.from_text("Loss", EQUATIONS)], ParameterTable(rows))


def test_slopes_and_ends(model) -> None:
    function = ModelFunction(model, select_factors(model, ["all"]), ["seen"], [0.0, 5.0], rtol=1e-9)
    result = local_sensitivities(function)
    exact = 10.0 * np.exp(-0.12 * 5.0)
    assert_allclose(result.base, [exact], rtol=1e-6)
    names = [factor.name for factor in result.factors]
    elasticity = dict(zip(names, result.elasticity[:, 0], strict=True))
    assert_allclose([elasticity[n] for n in ("A0", "k", "extra", "scale")], [1.0, -0.5, -0.1, 1.0], rtol=1e-3)
    assert_allclose(result.low[names.index("k"), 0], 10.0 * np.exp(-0.07 * 5.0), rtol=1e-5)
    assert_allclose(result.high[names.index("A0"), 0], 15.0 * np.exp(-0.12 * 5.0), rtol=1e-5)
    # Half of the amount and half of the scale weigh the same; the loss less.
    assert {names[k] for k in result.order(0)[:2]} == {"A0", "scale"}
    rows = local_rows(result)
    assert rows[0]["number"] in ("A0", "scale") and rows[-1]["number"] == "extra"


def test_what_measurements_tell_apart(model) -> None:
    function = ModelFunction(model, select_factors(model, ["all"]), ["seen"], list(np.linspace(0.0, 20.0, 9)))
    told = measured_numbers(function, [0.05])
    times = np.linspace(0.0, 20.0, 9)
    sd = {"A0": 10.0 / (2 * Z95) / 10.0, "k": 0.1 / (2 * Z95), "extra": 0.04 / (2 * Z95), "scale": 1.0 / (2 * Z95)}
    # Relative slopes: of the amount and the scale 1, of both rates the time; over an error of 5 %.
    exact = (
        np.column_stack([np.full(9, sd["A0"]), -times * sd["k"], -times * sd["extra"], np.full(9, sd["scale"])]) / 0.05
    )
    order = [factor.name for factor in told.factors]
    assert_allclose(told.slopes, exact[:, [["A0", "k", "extra", "scale"].index(name) for name in order]], rtol=2e-3)
    assert np.sum(told.eigenvalues > 1e-6) == 2
    pairs = {frozenset(pair[:2]) for pair in told.alike(0.999)}
    assert pairs == {frozenset(("A0", "scale")), frozenset(("k", "extra"))}
    names = [name for name, _ in told.told]
    assert len(names) == 2 and len({"A0", "scale"} & set(names)) == 1 and len({"k", "extra"} & set(names)) == 1
    words = " ".join(told.in_words())
    assert "2 better" in words and "cannot be told apart" in words


def test_contraction_is_that_of_a_normal_posterior(model) -> None:
    factors = select_factors(model, ["k", "A0"])
    slopes = np.array([[1.0, 0.0], [0.0, 3.0], [1.0, 0.0]])
    told = from_slopes(factors, slopes)
    assert_allclose(told.contraction, 1.0 - 1.0 / np.sqrt([3.0, 10.0]), rtol=1e-12)
    assert_allclose(told.eigenvalues, [9.0, 2.0], rtol=1e-12)
    assert_allclose(told.importance, np.sqrt([2.0 / 3.0, 3.0]))


# -- profile likelihood ----------------------------------------------------------------------------------------------


def test_the_profile_of_a_plane_is_the_parabola_of_its_information() -> None:
    slopes = np.random.default_rng(4).normal(size=(6, 3))
    bounds = np.array([[-2.0, 2.0]] * 3)
    (places, misfit), (_, of_last) = misfit_profiles(lambda z: z @ slopes.T, 5 * bounds, [0, 2])
    covariance = np.linalg.inv(slopes.T @ slopes)
    assert len(places) == 2 * PLACES + 1 and places[PLACES] == 0.0
    assert_allclose(misfit, places**2 / covariance[0, 0], rtol=1e-3, atol=1e-3)
    assert_allclose(of_last, places**2 / covariance[2, 2], rtol=1e-3, atol=1e-3)


def test_profiles_tell_what_measurements_tell(model) -> None:
    times = list(np.linspace(0.0, 20.0, 9))
    function = ModelFunction(model, select_factors(model, ["all"]), ["seen"], times)
    told = {profile.factor.name: profile for profile in number_profiles(function, [0.05], ["A0", "extra", "k"])}
    # The two rates undo each other within the range of the narrower one; half of the amount would take twice the scale, which is out of range.
    assert told["extra"].in_words == "cannot be told from the evidence" and told["extra"].misfit.max() < 0.1
    assert told["A0"].in_words == "told from below alone" and told["A0"].low == pytest.approx(10.0 / 1.5, rel=0.1)
    # With the scale and the other rate known, both are told, from both sides; the amount by hand: 5 % over the root of 9 and the loss.
    alone = ModelFunction(model, select_factors(model, ["A0", "k"]), ["seen"], times)
    first, second = number_profiles(alone, [0.05], ["A0", "k"])
    slopes = np.column_stack([np.ones(9), times]) / 0.05
    sds = np.sqrt(np.diag(np.linalg.inv(slopes.T @ slopes)))
    assert first.in_words == second.in_words == "told from both sides"
    # Errors are a share of what was measured, so that the curve is that of the amount, not of its logarithm.
    assert first.high - first.low == pytest.approx(2 * Z95 * 10.0 * sds[0], rel=0.1)
    assert second.high - second.low == pytest.approx(2 * Z95 * sds[1], rel=0.1)
    with pytest.raises(ConfigError, match="unknown-parameter"):
        number_profiles(alone, [0.05], ["A1"])
