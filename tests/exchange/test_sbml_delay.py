"""Quantities as they were some time ago: against solutions in closed form."""

import math

import numpy as np
import pytest

import betapod
from betapod.base.errors import ConfigError, ExchangeError, SolverError
from betapod.engine.ensemble import Ensemble
from betapod.engine.schedule import Dose, Schedule, Switch
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.exchange import read_sbml, write_sbml


def steps_of_minus(t):
    """Return the solution of x' = -x(t - 1) with x = 1 before the start, by the method of steps."""
    return sum((-1) ** k * max(t - (k - 1), 0.0) ** k / math.factorial(k) for k in range(1, int(t) + 2)) + 1.0


def test_the_equation_that_pulls_by_its_value_a_unit_ago(run, sbml):
    times = np.linspace(0, 6, 61)
    table = run(sbml("parameter x = 1 variable\nrate x = -delay(x, 1)"), times)
    np.testing.assert_allclose(table["x"], [steps_of_minus(t) for t in times], atol=1e-8)


def test_a_delay_that_grows_from_nothing(run, sbml):
    """The pantograph, x' = -x(t/2), is solved by the sum of (-1)^n t^n / (n! 2^(n(n-1)/2))."""
    times = np.linspace(0, 4, 41)
    table = run(sbml("parameter x = 1 variable\nrate x = -delay(x, time/2)"), times)
    series = [sum((-1) ** n * t**n / (math.factorial(n) * 2 ** (n * (n - 1) / 2)) for n in range(40)) for t in times]
    np.testing.assert_allclose(table["x"], series, atol=2e-7)


def test_before_the_start_rules_and_initial_assignments_hold_at_that_time(run, sbml):
    text = sbml(
        """
        parameter x variable
        parameter y variable
        parameter z variable
        initial x = sin(10*time)
        rate x = 1
        assign y = delay(x, 0.2)
        assign z = delay(y + time, 0.1)"""
    )
    times = np.linspace(0, 1, 21)
    table = run(text, times)
    y = np.where(times < 0.2, np.sin(10 * (times - 0.2)), times - 0.2)
    np.testing.assert_allclose(table["y"], y, atol=1e-9)
    before = np.where(times < 0.3, np.sin(10 * (times - 0.3)), times - 0.3)
    np.testing.assert_allclose(table["z"], before + times - 0.1, atol=1e-9)


def test_what_jumps_comes_back_a_delay_later(run, sbml):
    text = sbml(
        """
        parameter x = 0 variable
        parameter y = 0 variable
        parameter n = 0 variable
        event E: time >= 1 ; x = 1
        event F: delay(x, 0.5) > 0.5 ; n = 1
        rate y = delay(x, 0.75)"""
    )
    times = np.linspace(0, 3, 31)
    table = run(text, times)
    np.testing.assert_allclose(table["y"], np.maximum(times - 1.75, 0.0), atol=1e-9)
    assert table["n"].iloc[14] == 0 and table["n"].iloc[16] == 1


def test_doses_and_switched_inputs_are_seen_a_delay_later(sbml):
    text = sbml(
        "parameter k = 0\nparameter x = 0 variable\nparameter y = 0 variable\nrate x = 0*k\nrate y = delay(x + k, 2)"
    )
    model = read_sbml(text, inputs=["k"])
    schedule = Schedule([Dose("x", 3.0, time=1.0)], [Switch("k", 5.0, 2.0)])
    times = np.linspace(0, 6, 13)
    table = simulate(model, times, schedule, rtol=1e-10, atol=1e-13).table
    expected = 3.0 * np.maximum(times - 3.0, 0.0) + 5.0 * np.maximum(times - 4.0, 0.0)
    np.testing.assert_allclose(table["y"], expected, atol=1e-9)


def test_a_delayed_value_of_a_delayed_value(run, sbml):
    text = sbml(
        "parameter x = 0 variable\nparameter y variable\nparameter z variable\nrate x = 1\nassign y = delay(x, 1)\nassign z = delay(y, 1)"
    )
    times = np.linspace(0, 4, 9)
    np.testing.assert_allclose(run(text, times)["z"], np.maximum(times - 2.0, 0.0), atol=1e-9)


def test_it_is_written_and_read_again(run, sbml):
    text = sbml(
        "parameter x = 1 variable\nparameter d = 1\nparameter s = 0 variable\nrate x = -delay(x*x, d)\nrate s = delay(x, 0.5*d)"
    )
    times = np.linspace(0, 3, 16)
    again = write_sbml(read_sbml(text))
    assert again.count("symbols/delay") == 2
    np.testing.assert_array_equal(run(again, times)[["x", "s"]], run(text, times)[["x", "s"]])


def test_a_start_that_needs_the_past_is_refused(sbml):
    text = "parameter x = 1 variable\nparameter y variable\ninitial y = delay(x, 1)\nrate x = 1\nrate y = 1"
    with pytest.raises(ExchangeError, match="'y' starts from") as caught:
        read_sbml(sbml(text))
    assert caught.value.kinds == ("unsupported",)


def test_a_delay_that_becomes_negative_is_named(sbml):
    with pytest.raises(SolverError, match="past_x") as caught:
        simulate(read_sbml(sbml("parameter x = 1 variable\nrate x = -delay(x, 1 - time)")), [0.0, 2.0])
    assert caught.value.kinds == ("bad-delay",)


def test_the_ensemble_engine_names_what_it_does_not_do(sbml):
    model = read_sbml(sbml("parameter x = 1 variable\nrate x = -delay(x, 1)"))
    with pytest.raises(ConfigError, match="past_x") as caught:
        Ensemble(model).run(1, [0.0, 1.0])
    assert caught.value.kinds == ("unsupported-model",)


def test_values_at_one_moment_need_the_past(sbml):
    model = read_sbml(sbml("parameter x = 1 variable\nparameter y variable\nrate x = 1\nassign y = delay(x, 1)"))
    assert betapod.render(model)
    assert model.initial_values() == {"x": 1.0}
