"""Events with delays and priorities in the ensemble engine: the same as in the reference engine."""

import numpy as np
import pytest

from betapod.engine.compiled.workspace import SLOTS, UNDERFLOW
from betapod.engine.ensemble import Ensemble
from betapod.engine.schedule import Dose, Schedule
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.exchange import read_sbml

MODELS = {
    "delays, values of the trigger's time or later, one called off": """
        parameter x = 0 variable
        parameter y = 1 variable
        rate x = 1
        event E: x > 1.03 ; delay=x/2 ; y = x
        event F: x > 2.03 ; delay=0.5 ; late ; y = x*10
        event G: (x > 3.03) && (x < 3.2) ; delay=0.5 ; fleeting ; y = 100
        event H: y > 90 ; y = 3""",
    "priorities": """
        parameter x = 0 variable
        parameter y = 1 variable
        parameter z = 0 variable
        rate z = 1
        event E: time >= 1 ; priority=1 ; x = y + 1
        event F: time >= 1 ; priority=2 ; y = x + 5
        event G: time >= 1 ; priority=1.5 ; x = x*2, y = x
        event H: time >= 1 ; priority=-1 ; x = x + 0.125""",
    "raised and lowered at one instant: what persists fires for each time it rose": """
        parameter level = 0 variable
        parameter x = 0 variable
        parameter y = 0 variable
        parameter z = 0 variable
        parameter clock = 0 variable
        rate clock = 1
        event A: time >= 1 ; priority=9 ; level = 2
        event B: time >= 1 ; priority=8 ; level = 0
        event C: time >= 1 ; priority=7 ; level = 2
        event D: time >= 1 ; priority=6 ; level = 0
        event E: time >= 1 ; priority=5 ; level = 2
        event X: level > 1 ; priority=3 ; late ; x = x + 1
        event Y: level > 1 ; priority=2 ; y = y + 1
        event Z: level > 1 ; priority=1 ; late ; fleeting ; z = z + 3""",
    "the same event waits many times at once": """
        parameter x = 0 variable
        parameter n = 0 variable
        parameter y = 0 variable
        rate x = 1
        event E: sin(6*x) > 0 ; delay=3.3 ; n = n + 1, y = x""",
    "due with another, by priority": """
        parameter x = 1 variable
        parameter y = 1 variable
        rate x = 1
        event E: time >= 0.5 ; delay=1 ; priority=1 ; y = y + 1
        event F: time >= 1.5 ; priority=2 ; y = y*10
        event G: time >= 1 ; delay=0.5 ; priority=3 ; y = y + 3""",
    "delays in a growing compartment": """
        compartment c = 2 variable
        species A in c amount=3
        species B in c concentration=0.5
        parameter k = 0.7
        rate c = 0.5
        reaction J: A -> B ; k*A*c
        event E: time > 1.05 ; delay=1 ; B = A + 1
        event F: time > 2.55 ; delay=1 ; late ; B = A + 1, c = 1""",
    "at the start": """
        parameter x = 3 variable
        parameter y = 1 variable
        rate x = -1
        event E: x > 1.01 ; armed ; delay=0.25 ; y = y + x
        event F: x > 1.01 ; armed ; delay=0 ; y = 7""",
}


@pytest.mark.parametrize("name", MODELS)
def test_same_as_the_reference(name, sbml):
    model = read_sbml(sbml(MODELS[name]))
    times, states = np.linspace(0, 6, 25), list(model.state_names)
    expected = simulate(model, times, rtol=1e-10, atol=1e-12, outputs=states).table.to_numpy()
    assert np.ptp(expected, axis=0).max() > 0.5
    result = Ensemble(model, states, rtol=1e-9, atol=1e-12).run(5, times)
    assert not len(result.failed)
    for patient in range(5):
        np.testing.assert_allclose(result.values[patient], expected, rtol=1e-6, atol=1e-9)


def test_a_dose_at_the_moment_comes_after_the_event(sbml):
    text = "parameter x = 1 variable\nparameter y = 1 variable\nrate x = 0*y\nrate y = 1\nevent E: time >= 1 ; delay=1 ; late ; x = 2*x"
    model = read_sbml(sbml(text))
    schedule = Schedule([Dose("x", 10.0, time=2.0)])
    times = [0.0, 1.9, 2.1]
    expected = simulate(model, times, schedule, outputs=["x"]).table["x"]
    assert expected.tolist() == [1.0, 1.0, 12.0]
    np.testing.assert_array_equal(Ensemble(model, ["x"]).run(1, times, schedule).values[0, :, 0], expected)


def test_an_event_happens_as_often_as_it_rose_before_others_let_it(sbml):
    model = read_sbml(sbml(MODELS["raised and lowered at one instant: what persists fires for each time it rose"]))
    values = Ensemble(model, ["x", "y", "z"]).run(3, [0.0, 2.0]).values[:, 1]
    np.testing.assert_array_equal(values, [[3.0, 1.0, 3.0]] * 3)


EQUALS = """
    parameter x = 0 variable
    parameter taken = 0 variable
    parameter a = 0 variable
    parameter b = 0 variable
    parameter c = 0 variable
    rate x = 1
    event A: x > 0.5 ; priority=1 ; late ; a = a + 1 - taken, taken = 1
    event B: x > 0.5 ; priority=1 ; late ; b = b + 1 - taken, taken = 1
    event C: x > 0.5 ; priority=1 ; late ; c = c + 1 - taken, taken = 1
    event D: x >= 1 ; x = 0, taken = 0"""


def test_each_of_three_equal_events_is_first_as_often(sbml):
    model, names = read_sbml(sbml(EQUALS)), ["a", "b", "c"]
    result = Ensemble(model, names, width=4).run(3, [300.25])
    first = result.values[0, 0]
    assert first.sum() == 300.0
    assert np.all(np.abs(first - 100.0) < 30.0)  # 3.7 SD of a third of 300
    np.testing.assert_array_equal(result.values, result.values[:1].repeat(3, axis=0))
    np.testing.assert_array_equal(Ensemble(model, names, width=1).run(1, [300.25]).values, result.values[:1])
    assert simulate(model, [300.25], outputs=names).table.to_numpy().tolist() == [first.tolist()]


def test_priorities_may_vary_or_be_missing(sbml):
    model = read_sbml(
        sbml("""
        parameter z = 0 variable
        parameter x = 1 variable
        parameter y = 1 variable
        rate z = 1
        event E: time >= 1 ; priority=y ; x = 3*x
        event F: time >= 1 ; priority=2 ; y = y + 5
        event G: time >= 1 ; x = x + 1
        event H: time >= 1 ; priority=x ; late ; x = x*x, y = 10*y""")
    )
    expected = simulate(model, [2.0], outputs=["x", "y"]).table.to_numpy()
    np.testing.assert_array_equal(Ensemble(model, ["x", "y"]).run(1, [2.0]).values[0], expected)


def test_a_priority_of_the_only_event_may_be_anything(sbml):
    model = read_sbml(sbml("parameter x = 0 variable\nrate x = 1\nevent E: time >= 1 ; priority=x ; x = 5"))
    assert Ensemble(model, ["x"]).run(1, [0.0, 2.0]).values[0, 1, 0] == pytest.approx(6.0)


def test_people_differ_in_their_delays(sbml):
    model = read_sbml(sbml("parameter d = 1\nparameter x = 0 variable\nrate x = 1\nevent E: x > 0.5 ; delay=d ; x = 0"))
    delays = np.linspace(0.1, 1.0, 11)
    times = np.array([2.0])
    values = Ensemble(model, ["x"], rtol=1e-9).run({"d": delays}, times).values[:, 0, 0]
    for delay, value in zip(delays, values, strict=True):
        alone = simulate(model.with_values({"d": delay}), times, rtol=1e-10, atol=1e-12).table["x"].iloc[0]
        assert value == pytest.approx(alone, abs=1e-7)


@pytest.mark.parametrize(
    "event", [f"sin({8 * SLOTS}*x) > 0 ; delay=10", "x > 0.5 ; delay=-1", "x > 0.5 ; delay=log(-x)"]
)
def test_what_cannot_wait_ends_the_patient(sbml, event):
    model = read_sbml(
        sbml(f"parameter x = 0 variable\nparameter n = 0 variable\nrate x = 1\nevent E: {event} ; n = n + 1")
    )
    result = Ensemble(model, ["n"]).run(2, [0.0, 2.0])
    assert result.status.tolist() == [UNDERFLOW] * 2


def test_equations_of_time_alone_need_no_state(sbml):
    text = """
    parameter k = 2
    parameter x = 0 variable
    parameter y = 0 variable
    assign x = k*time + piecewise(1, time > 2, 0)
    assign y = k*k"""
    model = read_sbml(sbml(text))
    assert model.states == ()
    result = Ensemble(model).run({"k": [2.0, 3.0]}, [0.0, 2.0, 3.0])
    assert result.names == ("x", "y") and result.last.shape == (2, 0) and result.state_names == ()
    assert result.values.tolist() == [[[0, 4], [4, 4], [7, 4]], [[0, 9], [6, 9], [10, 9]]]
    assert result.summary() == "2 patients: 2 ok"
