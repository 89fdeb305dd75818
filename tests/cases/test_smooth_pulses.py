"""Pulses that jump nowhere are not stepped over either: two sigmoids, bell curves, opened again and again, in text and in SBML."""

import math

import numpy as np
import pytest

from betapod import Parameter, ParameterTable, Submodel, assemble, simulate
from betapod.engine.compiled.lower import lower
from betapod.engine.ensemble import Ensemble
from betapod.engine.schedule import Schedule
from betapod.engine.switches import gates
from betapod.engine.tolerance import absolute
from betapod.model.algebra.expression import ONE, TIME, add, const, div, exp, mul, neg, sub, unary
from betapod.physiology import whole_body

K = 0.1


def pulsed(rate, **parameters):
    class Pulsed(Submodel):
        """One compartment that is filled for a short time."""

        equations = f"""
        dA/dt = R*{rate} - k*A   [mg/day]  amount
        A(0)  = A0               [mg]      nothing
        """

    rows = [("R", 100.0, "mg/day"), ("k", K, "1/day"), ("A0", 0.0, "mg")]
    rows += [(name, *pair) for name, pair in parameters.items()]
    return assemble("pulsed", [Pulsed], ParameterTable([Parameter(name, name, *pair) for name, *pair in rows]))


def both(model, times, name):
    slow = simulate(model, times, outputs=[name]).table[name].to_numpy()
    fast = Ensemble(model, outputs=[name], threads=1).run(1, np.array(times, dtype=float))
    return slow, fast.values[0, :, 0]


DAYS = {"a": (120.0, "day"), "b": (121.0, "day"), "w": (0.01, "day")}


@pytest.mark.parametrize(
    ("rate", "area"),
    [
        ("logistic((t - a)/w)*logistic((b - t)/w)", 1000.0 * (math.exp(K * 121) - math.exp(K * 120))),
        ("(tanh((t - a)/w) - tanh((t - b)/w))/2", 1000.0 * (math.exp(K * 121) - math.exp(K * 120))),
        ("exp(-((t - a)/w)^2)*(b - a)/w", 100.0 * math.sqrt(math.pi) * math.exp(K * 120)),
    ],
)
def test_a_smooth_pulse_of_a_day_in_ten_years_is_seen(rate, area):
    times = [0.0, 100.0, 130.0, 200.0, 3650.0]
    expected = [0.0 if time < 120 else area * math.exp(-K * time) for time in times]
    for found in both(pulsed(rate, **DAYS), times, "A"):
        np.testing.assert_allclose(found, expected, rtol=3e-5, atol=1e-7)


def test_a_gate_that_opens_every_day_for_an_hour_is_seen_every_day():
    model = pulsed("logistic((sin(f*t) - c)/w)", f=(2 * math.pi, "1/day"), c=(0.99, "1"), w=(0.001, "1"))
    times = np.arange(4000) / 4000
    rates = 100.0 / (1.0 + np.exp(-np.clip((np.sin(2 * np.pi * times) - 0.99) / 0.001, -700, 700)))
    one = float(np.mean(rates * np.exp(-K * (1.0 - times))))
    expected = [one * sum(math.exp(-K * day) for day in range(days)) for days in (1, 5, 100)]
    for found in both(model, [0.0, 1.0, 5.0, 100.0], "A"):
        np.testing.assert_allclose(found[1:], expected, rtol=1e-4)


def test_a_bell_curve_has_one_moment_to_stop_at_and_a_sigmoid_written_out_its_middle():
    """Where a bell's argument touches 0, rounding makes a stretch of time of it that is searched for nothing."""
    bell = exp(mul(const(-50.0), sub(ONE, unary("cos", TIME))))
    assert len(gates([bell], [])) == 1
    assert len(gates([mul(const(3.0), add(bell, exp(neg(TIME))))], [])) == 2
    assert len(gates([div(ONE, add(ONE, bell))], [])) == 2
    assert len(gates([div(ONE, add(exp(TIME), exp(neg(TIME))))], [])) == 2


def test_sigmoids_written_out_are_seen(sbml_model):
    model = sbml_model("100/(1 + exp(-(time - 12)/0.001))/(1 + exp((time - 12.5)/0.001)) - 0.1*x")
    expected = [
        0.0 if time < 12 else 1000.0 * (1 - math.exp(-0.05)) * math.exp(-K * (time - 12.5)) for time in (0, 24, 900)
    ]
    for found in both(model, [0.0, 24.0, 900.0], "x"):
        np.testing.assert_allclose(found, expected, rtol=3e-5, atol=1e-7)


def test_no_model_of_betapod_stops_for_a_gate_of_time():
    for name in ("kidney", "metabolism", "reference", "topp2000"):
        model = whole_body.named_model(name)
        assert not gates([state.rate for state in model.states], [*model.state_names, *model.inputs])


def test_the_tolerance_knows_what_events_set(sbml_model):
    model = sbml_model("-0.1*x", "time >= 10", "1e-12")
    assert absolute(model, Schedule(), 60.0)[0] < 1e-18
    expected = [1e-12 * math.exp(-K * (time - 10)) for time in (20, 60)]
    for found in both(model, [0.0, 20.0, 60.0], "x"):
        np.testing.assert_allclose(found[1:], expected, rtol=1e-5)


@pytest.mark.parametrize("trigger", ["time == 50", "time - 20 == 30", "0.1*time == 5"])
def test_an_event_at_one_instant_of_time_happens_without_a_row_there(sbml_model, trigger):
    model = sbml_model("-0.1*x", trigger, "x + 10")
    expected = [0.0, 10.0 * math.exp(-5.0), 10.0 * math.exp(-15.0)]
    for found in both(model, [0.0, 100.0, 200.0], "x"):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-9)


def test_a_row_at_an_event_of_states_sees_what_it_made_in_both_engines(sbml_model):
    model = sbml_model("-0.1*x", "c >= 8", "x + 10", extra={"c": ("1", "0")})
    times = [0.0, 8.0, 80.0]
    expected = [10.0 * sum(math.exp(-K * (time - 8 * k)) for k in range(1, 11) if 8 * k <= time) for time in times]
    for found in both(model, times, "x"):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_an_event_that_undoes_itself_next_to_the_start_ends_the_patient(sbml_model):
    """It once went a million steps of rounding, in which no interrupt was heard."""
    model = sbml_model("-1.5*x", "x < 1", "1", start=1.0)
    result = Ensemble(model, outputs=["x"], threads=1).run(1, np.array([0.0, 0.5, 1.0]))
    assert "step-underflow" in result.summary()


@pytest.fixture
def sbml_model():
    libsbml = pytest.importorskip("libsbml")
    from betapod import read_sbml

    def make(rate, trigger="", value="", extra=None, start=0.0):
        document = libsbml.SBMLDocument(3, 2)
        model = document.createModel()
        for name, (growth, _) in {"x": (rate, ""), **(extra or {})}.items():
            parameter = model.createParameter()
            parameter.setId(name)
            parameter.setConstant(False)
            parameter.setValue(start if name == "x" else 0.0)
            rule = model.createRateRule()
            rule.setVariable(name)
            rule.setMath(libsbml.parseL3Formula(growth))
        if trigger:
            event = model.createEvent()
            event.setUseValuesFromTriggerTime(True)
            made = event.createTrigger()
            made.setInitialValue(False)
            made.setPersistent(True)
            made.setMath(libsbml.parseL3Formula(trigger))
            for name, text in {"x": value, **{key: reset for key, (_, reset) in (extra or {}).items()}}.items():
                assignment = event.createEventAssignment()
                assignment.setVariable(name)
                assignment.setMath(libsbml.parseL3Formula(text))
        return read_sbml(libsbml.writeSBMLToString(document))

    return make


@pytest.mark.parametrize("name", ["kidney", "metabolism", "reference"])
def test_models_of_the_package_have_nothing_that_time_opens_or_closes(name: str) -> None:
    """Their slow bends in age are an input's, and no pulses: a stop there would cost every patient a step."""
    assert not lower(whole_body.named_model(name)).switches.clocks.results
