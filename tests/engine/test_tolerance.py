"""The absolute tolerance fits the size of each state: hormones in mol/L are computed as well as glucose in mmol/L."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest

from betapod import Dose, Ensemble, Schedule, simulate
from betapod.base.errors import ConfigError
from betapod.engine.tolerance import ATOL, absolute
from betapod.model import Model, Parameter, ParameterTable, Part, assemble
from betapod.physiology import whole_body


@cache
def chase(size: float) -> Model:
    """Predator and prey near a size: nonlinear, so that an error of the size of the states makes nonsense."""
    rows = [
        Parameter("s", "size", size, "mol/L"),
        Parameter("r", "rate", 1.0, "1/day"),
        Parameter("few", "share", 1e-6, "1"),
    ]
    text = """
    dX/dt = r*X - r*X*Y/s [mol/L/day] prey
    X(0) = s [mol/L] prey
    dY/dt = r*X*Y/s - r*Y [mol/L/day] predator
    Y(0) = s/2 [mol/L] predator
    dZ/dt = r*X*Y/s*X/s*few - r*Z [mol/L/day] complex, from nothing
    Z(0) = 0 [mol/L] complex
    """
    return assemble("chase", [Part.from_text("Chase", text)], ParameterTable(rows))


@pytest.mark.parametrize("size", [1.0, 1e-3, 1e-6, 1e-10, 1e-14, 1e-40])
def test_a_model_of_any_size_has_the_same_course(size: float) -> None:
    times = np.linspace(0.0, 30.0, 31)
    one = simulate(chase(1.0), times, rtol=1e-10, atol=1e-18).table[["X", "Y", "Z"]].to_numpy()
    slow = simulate(chase(size), times).table[["X", "Y", "Z"]].to_numpy()
    quick = Ensemble(chase(size), threads=1).run(2, times).values
    for found in (slow, quick[0], quick[1]):
        assert np.all(found >= 0.0)
        assert np.max(np.abs(found / size - one) / np.max(one, axis=0)) < 1e-4


def test_a_dose_says_how_large_a_state_is() -> None:
    rows = [Parameter("k", "elimination", 0.5, "1/day")]
    text = "dA/dt = -k*A [mol/L/day] drug\nA(0) = 0 [mol/L] drug"
    model = assemble("drug", [Part.from_text("Drug", text)], ParameterTable(rows))
    schedule = Schedule([Dose("A", 1e-10, 0.0, 1.0, 3), Dose("A", 2e-10, 1.5, duration=0.5)])
    times = [0.0, 1.0, 5.0]
    slow = simulate(model, times, schedule).table["A"].to_numpy()
    quick = Ensemble(model, threads=1).run(1, times, schedule).values[0, :, 0]
    right = 1e-10 * sum(math.exp(-0.5 * (5.0 - k)) for k in range(4))
    right += 2e-10 / 0.5 / 0.5 * -math.expm1(-0.25) * math.exp(-0.5 * 3.0)
    assert slow[2] == pytest.approx(right, rel=1e-5)
    assert quick[2] == pytest.approx(right, rel=1e-5)


@pytest.mark.parametrize("name", ["kidney", "metabolism", "reference", "cells"])
def test_the_shipped_models_keep_their_tolerance_over_years(name: str) -> None:
    model = whole_body.named_model(name)
    assert np.all(absolute(model, Schedule(), 3652.5) == ATOL)


def test_a_tolerance_by_size_is_the_same_in_any_unit() -> None:
    """Units that differ by a power of two change no step and no digit."""
    times = np.linspace(0.0, 30.0, 4)
    results = [Ensemble(chase(2.0**k), atol="by size", threads=1).run(2, times) for k in (0, 24, -40)]
    for result, k in zip(results, (0, 24, -40), strict=True):
        np.testing.assert_array_equal(result.steps, results[0].steps)
        np.testing.assert_array_equal(result.values / 2.0**k, results[0].values)
        np.testing.assert_array_equal(result.atol / 2.0**k, results[0].atol)
    np.testing.assert_allclose(results[0].atol[:2], [2e-9, 1e-9])
    assert results[0].achieved_error(2, independent=1).worst < 1e-4


def test_a_tolerance_by_size_goes_with_the_relative_one() -> None:
    coarse, fine = (
        Ensemble(chase(1.0), rtol=rtol, atol="by size", threads=1).run(1, [0.0, 9.0]) for rtol in (1e-5, 1e-8)
    )
    np.testing.assert_allclose(coarse.atol, 1000.0 * fine.atol, rtol=1e-12)
    with pytest.raises(ConfigError, match="by size"):
        Ensemble(chase(1.0), atol="by sizes")


def test_a_tolerance_that_is_given_keeps_its_meaning() -> None:
    result = simulate(chase(1e-10), [0.0, 1.0], atol=1e-3)
    assert result.atol.tolist() == [1e-3] * 3
    assert Ensemble(chase(1.0), atol=1e-5, threads=1).run(1, [0.0, 1.0]).atol.tolist() == [1e-5] * 3


def test_tolerances_depend_on_the_own_schedule_alone() -> None:
    small, large = Schedule([Dose("Z", 1e-13)]), Schedule([Dose("Z", 1.0)])
    ensemble, times = Ensemble(chase(1e-10), threads=1), [0.0, 1.0, 9.0]
    alone = [ensemble.run(1, times, [one]).values[0] for one in (small, large)]
    together = ensemble.run(2, times, [small, large]).values
    assert np.array_equal(together, np.array(alone))


@pytest.mark.parametrize(
    ("rtol", "atol", "count"),
    [
        (math.nan, None, 1),
        (0.0, None, 1),
        (-1.0, -1.0, 2),
        (math.inf, -math.inf, 2),
        (1.0, 0.0, 2),
        (1e-6, math.nan, 1),
        (1e-6, [1e-9, -1e-9, 1e-9], 1),
        (1e-6, [1e-9], 1),
        (1e-6, "1e-9", 1),
    ],
)
def test_impossible_tolerances_are_refused(rtol: float, atol: Any, count: int) -> None:
    for run in (
        lambda: simulate(chase(1.0), [0.0, 1.0], rtol=rtol, atol=atol),
        lambda: Ensemble(chase(1.0), rtol=rtol, atol=atol, threads=1),
    ):
        with pytest.raises(ConfigError) as caught:
            run()
        assert caught.value.kinds == ("bad-tolerance",) * count


def test_a_state_lost_in_the_tolerance_is_told() -> None:
    result = simulate(chase(1e-10), [0.0, 1.0], atol=1e-9)
    assert [warning.partition(" = ")[0] for warning in result.warnings] == ["X", "Y"]
    assert "lost in the absolute tolerance of 1e-09" in result.warnings[0]
    assert simulate(chase(1e-10), [0.0, 1.0]).warnings == []


def test_a_state_at_the_least_that_a_double_holds_overflows_nothing() -> None:
    """Errors are squared in units of the tolerance: with one of 1e-209 the norm of BDF was infinite."""
    start = {"graft_functional": 1.1125369292536007e-308}
    table = simulate(whole_body.named_model("metabolism"), [0.0, 30.0], initial=start, method="BDF").table
    assert np.all(np.isfinite(table)) and 0.0 <= table["graft_functional"].iloc[-1] < 1e-300


@pytest.mark.parametrize("size", [1e-60, 1e-30, 1e-20])
def test_a_state_of_almost_nothing_costs_no_steps(size: float) -> None:
    """Rounding that a linear system leaves in it is not followed: the Jacobian's pivots mix states of size 1 into one of 1e-60."""
    metabolism, days = whole_body.named_model("metabolism"), np.linspace(0.0, 3650.0, 11)
    start = {"graft_functional": size}
    coarse = simulate(metabolism, days, initial=start, method="BDF", atol=ATOL).evaluations
    assert simulate(metabolism, days, initial=start, method="BDF").evaluations < 1.2 * coarse
    assert np.max(absolute(metabolism, Schedule(), 3650.0, start)) == ATOL
