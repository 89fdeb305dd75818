"""The order of the method: the error of one step, of dense output within it, and of the moment of an event, as the step is halved.

One step is taken at will by tolerances that accept anything. A wrong digit of a coefficient takes an order away.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from betapod import load_model
from betapod.engine.ensemble import Ensemble
from betapod.engine.ensemble_result import EnsembleResult
from betapod.model import Model, ParameterTable, Part, assemble
from betapod.model.parameters.table import Parameter

#: y = exp(sin t), z = 1/(1 + cos t), w = y z: coupled, not linear, time explicit.
EQUATIONS = """
dy/dt = y*cos(t/tau)/tau                               [1/day]  y
y(0) = 1                                               [1]      y
dz/dt = z^2*sin(t/tau)/tau                             [1/day]  z
z(0) = 1/2                                             [1]      z
dw/dt = (w*cos(t/tau) + w*z*sin(t/tau) + k*(w - y*z))/tau  [1/day]  w
w(0) = 1/2                                             [1]      w
dmark/dt = zero*mark                                   [1/day]  moment
mark(0) = 0                                            [1]      moment
"""
LENGTHS = (0.8, 0.4, 0.2, 0.1)


def exact(t: NDArray[np.float64]) -> NDArray[np.float64]:
    y, z = np.exp(np.sin(t)), 1.0 / (1.0 + np.cos(t))
    return np.stack([y, z, y * z], axis=-1)


def model(k: float = -1.0, events: str = "", level: float = 1.0) -> Model:
    rows = [("tau", 1.0, "day"), ("k", k, "1"), ("zero", 0.0, "1/day"), ("level", level, "1")]
    table = ParameterTable([Parameter(n, n, v, u, -1e9, 1e9, "fixed", "assumed", "", "", "D", "") for n, v, u in rows])
    return assemble("order", [Part.from_text("order", EQUATIONS, events=events)], table)


def van_der_pol() -> Model:
    """Return the oscillator of van der Pol (Philosophical Magazine 2:978, 1926), a little stiff."""
    equations = """
    dx/dt = v/tau                          [1/day]  place
    x(0) = 2                               [1]      place
    dv/dt = (mu*(1 - x^2)*v - x)/tau       [1/day]  speed
    v(0) = 0                               [1]      speed
    """
    rows = [("tau", 1.0, "day"), ("mu", 3.0, "1")]
    table = ParameterTable([Parameter(n, n, v, u, -1e9, 1e9, "fixed", "assumed", "", "", "D", "") for n, v, u in rows])
    return assemble("van_der_pol", [Part.from_text("van_der_pol", equations)], table)


def one_step(which: Model, outputs: list[str], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the outputs at times within one step to the last of them."""
    ensemble = Ensemble(which, outputs, rtol=0.5, atol=1e6, width=1, threads=1)
    ensemble.first_step = 1e9
    result = ensemble.run(1, times)
    assert result.rejected[0] == 0
    return result.values[0]


def orders(errors: list[float]) -> NDArray[np.float64]:
    return np.log2(np.array(errors[:-1]) / np.array(errors[1:]))


@pytest.mark.parametrize("k", [-1.0, -3.0])
def test_a_step_is_of_order_five(k: float) -> None:
    """The error of one step falls with the sixth power of its length."""
    errors = []
    for length in LENGTHS:
        times = np.array([0.0, length])
        found = one_step(model(k), ["y", "z", "w"], times)
        errors.append(float(np.max(np.abs(found - exact(times)))))
    assert np.all(orders(errors)[1:] > 5.3), errors


def test_dense_output_is_of_order_four() -> None:
    """The error within one step falls with the fifth power of its length."""
    errors = []
    for length in LENGTHS:
        times = np.linspace(0.0, length, 21)
        found = one_step(model(), ["y", "z", "w"], times)
        errors.append(float(np.max(np.abs(found - exact(times)))))
    assert np.all(orders(errors)[1:] > 4.6), errors
    assert errors[-1] < 1e-7


def test_the_moment_of_an_event_is_of_order_four() -> None:
    """The trigger turns true at three tenths of the step; what it marks is the moment."""
    errors = []
    for length in LENGTHS:
        moment = 0.3 * length
        which = model(events="pass when y > level then mark = t/tau", level=float(np.exp(np.sin(moment))))
        ensemble = Ensemble(which, ["mark"], rtol=0.5, atol=1e6, width=1, threads=1)
        ensemble.first_step = 1e9
        errors.append(abs(float(ensemble.run(1, [0.0, length]).values[0, -1, 0]) - moment))
    assert orders(errors)[-1] > 4.5, errors


def test_steps_with_events_and_switches_keep_the_order_of_the_tolerance() -> None:
    """What follows an event is as exact as what precedes it: two decades of the tolerance are more than one decade of the error."""
    which = model(events="pass when y > level then w = w + 1", level=1.5)
    right = Ensemble(which, ["w"], rtol=1e-11, atol=1e-13, width=1, threads=1).run(1, [2.0]).values[0, 0, 0]
    errors = [
        abs(
            Ensemble(which, ["w"], rtol=rtol, atol=1e-3 * rtol, width=1, threads=1).run(1, [2.0]).values[0, 0, 0]
            - right
        )
        for rtol in (1e-3, 1e-5, 1e-7)
    ]
    assert errors[0] > 10 * errors[1] > 100 * errors[2] and errors[2] < 1e-5


@pytest.mark.parametrize(
    ("which", "starts", "end"),
    [(model(), {}, 3.0), (load_model("topp2000"), {"glucose": 250.0, "insulin": 3.0}, 1.0), (van_der_pol(), {}, 12.0)],
    ids=["coupled", "topp2000", "van der Pol"],
)
def test_the_error_falls_with_the_fifth_power_of_the_steps(which: Model, starts: dict[str, float], end: float) -> None:
    """Over steps chosen by tolerances from 1e-6 to 1e-10; visits within steps see dense output, whose order is 4."""
    times = np.linspace(0.0, end, 61)

    def run(rtol: float) -> EnsembleResult:
        ensemble = Ensemble(which, rtol=rtol, atol=1e-3 * rtol, width=1, threads=1)
        return ensemble.run(1, times, initial=starts)

    exact = run(1e-13).values[0]
    found = [run(10.0**-digits) for digits in (6, 7, 8, 9, 10)]
    steps = [int(one.steps[0] + one.rejected[0]) for one in found]
    size = np.maximum(np.abs(exact).max(axis=0), 1e-300)
    errors = [float(np.sqrt(np.mean(((one.values[0] - exact) / size) ** 2))) for one in found]
    order = -np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert 4.3 < order < 5.9, (order, steps, errors)
