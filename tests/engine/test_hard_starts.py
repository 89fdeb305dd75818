"""Starts from which a course is hard to leave, and numbers that come as they are typed."""

from __future__ import annotations

import numpy as np
import pytest

from betapod import Ensemble, Parameter, ParameterTable, Submodel, assemble, simulate


class Pool(Submodel):
    """A pool that is filled and emptied."""

    equations = "dx/dt = r - k*x [mg/day] amount\nx(0) = x0 [mg] start\n"


class CubeRoot(Submodel):
    """Leaves 0 along a cube root, and has an event just after."""

    equations = (
        "dx/dt = r*(a + cbrt(x) - 2*x) [1/day] x\nx(0) = zero [1] start\ndy/dt = -r*y [1/day] y\ny(0) = one [1] start\n"
    )
    events = 'e when t > t0 then y = y + 1 "event"\n'


class SquareRoot(Submodel):
    """Leaves 0 along a square root."""

    equations = "dx/dt = r*(1 - k*sqrt(x)) [1/day] x\nx(0) = x0 [1] start\n"


class Emptied(SquareRoot):
    """An event empties it."""

    events = 'e when t > te then x = tiny "emptied"\n'


def table(**values: tuple[float, str]) -> ParameterTable:
    return ParameterTable([Parameter(name, name, value, unit) for name, (value, unit) in values.items()])


def test_whole_numbers_are_numbers() -> None:
    """Not one value of the model has a point: the program reads numbers all the same."""
    model = assemble("pool", [Pool], table(r=(1, "mg/day"), k=(1, "1/day"), x0=(0, "mg")))
    assert Ensemble(model, threads=1).run(1, [0, 1]).values[0, 1, 0] == pytest.approx(1 - np.exp(-1), abs=1e-6)


@pytest.mark.parametrize("rtol", [1e-6, 1e-8, 1e-10])
def test_event_beside_an_infinite_slope(rtol: float) -> None:
    """By `t = integral of 3 z^2/(a + z - 2 z^3)` up to `z = cbrt(x)`. Beside 0 the slope is 5e19 and growth: a long step would stand still."""
    values = {"r": (1.0, "1/day"), "a": (0.5, "1"), "zero": (0.0, "1"), "one": (1.0, "1"), "t0": (0.0, "day")}
    model = assemble("root", [CubeRoot], table(**values))
    x = Ensemble(model, ["x"], rtol=rtol, threads=1).run(1, [0.0, 0.01, 0.1]).values[0, 1:, 0]
    np.testing.assert_allclose(x, [6.305065262e-03, 7.380801291e-02], rtol=2e-7)


@pytest.mark.parametrize("start", [0.0, 1e-20, 1e-30, 1e-300])
def test_start_beside_a_root_at_0(start: float) -> None:
    """`x = z^2` with `z + log(1 - k z)/k = -k t/2`. Steps are as short as it takes to leave, whatever the distance."""
    model = assemble("sqrt", [SquareRoot], table(r=(1.0, "1/day"), k=(10.0, "1"), x0=(start, "1")))
    result = Ensemble(model, threads=1).run(1, [0.0, 0.01])
    assert result.status.tolist() == [0]
    z = np.sqrt(result.values[0, 1, 0])
    assert z + np.log1p(-10 * z) / 10 == pytest.approx(-0.05, abs=5e-8)


@pytest.mark.parametrize("tiny", [0.0, 1e-20, 1e-36, 1e-47, 1e-145])
def test_event_that_sets_a_state_beside_a_root(tiny: float) -> None:
    """Time does not resolve the first steps after it; from the event on it is the course above."""
    values = {"r": (1.0, "1/day"), "k": (10.0, "1"), "x0": (0.01, "1"), "tiny": (tiny, "1"), "te": (0.8, "day")}
    model = assemble("emptied", [Emptied], table(**values))
    days, right = [0.0, 0.5, 0.8001, 0.81, 2.0], [0.01, 0.01, 9.349893e-05, 4.876096e-03, 0.01]
    result = Ensemble(model, threads=1).run(1, days)
    assert result.status.tolist() == [0]
    np.testing.assert_allclose(result.values[0, :, 0], right, rtol=1e-5)
    for method in ("LSODA", "BDF", "Radau"):
        found = simulate(model, days, method=method).table["x"]
        np.testing.assert_allclose(found, right, rtol=1e-5, err_msg=method)
