"""Events of SBML: delays, priorities, persistence, what happens at the start, switches that no step may pass."""

import math

import numpy as np
import pytest

from betapod.base.errors import SolverError
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.exchange import read_sbml

MODELS = {
    "delays, values of the trigger's time or later": """
        parameter x = 0 variable
        parameter y = 1 variable
        rate x = 1
        event E: x > 1.03 ; delay=x/2 ; y = x
        event F: x > 2.03 ; delay=0.5 ; late ; y = x*10
        event G: (x > 3.03) && (x < 3.2) ; delay=0.5 ; fleeting ; y = 100
        event H: y > 90 ; y = 3""",
    "priorities computed as events go": """
        parameter x = 0 variable
        parameter y = 1 variable
        event E: time >= 1 ; priority=1 ; x = y + 1
        event F: time >= 1 ; priority=2 ; y = x + 5
        event G: time >= 1 ; priority=y ; x = x*2, y = x""",
    "triggers that hold at the start": """
        parameter x = 3 variable
        parameter y = 1 variable
        rate x = -1
        event E: x > 1.01 ; armed ; y = 2
        event F: x > 1.01 ; y = 3
        event G: (x > -1) && (y == 2) ; armed ; y = 4""",
    "a concentration with a delay in a growing compartment": """
        compartment c = 2 variable
        species A in c amount=3
        species B in c concentration=0.5
        parameter k = 0.7
        rate c = 0.5
        reaction J: A -> B ; k*A*c
        event E: time > 1.05 ; delay=1 ; B = A + 1
        event F: time > 2.55 ; delay=1 ; late ; B = A + 1, c = 1""",
    "an event that triggers another": """
        parameter x = 0 variable
        parameter y = 0 variable
        rate x = 1
        event E: x >= 1.01 ; x = 0, y = y + 1
        event F: y >= 3 ; y = 0""",
    "an event that undoes its own trigger again and again": """
        parameter x = 1 variable
        parameter n = 0 variable
        rate x = -x
        event E: x < 0.5 ; x = x + 0.37, n = n + 1""",
}


@pytest.mark.parametrize("name", MODELS)
def test_same_as_roadrunner(name, same_as_roadrunner):
    same_as_roadrunner(MODELS[name])


def test_a_visit_at_the_time_of_an_event_sees_what_it_made(sbml, run):
    text = sbml("""
        parameter x = 0 variable
        parameter y = 0 variable
        event E: time >= 1 ; x = 1
        event F: time > 1 ; y = 1""")
    table = run(text, [0.0, 1.0, np.nextafter(1.0, 2), 2.0])
    assert list(table["x"]) == [0, 1, 1, 1]
    assert list(table["y"]) == [0, 0, 1, 1]


def test_a_fleeting_event_happens_if_its_trigger_stays_true(sbml, run):
    text = sbml("""
        parameter x = 0 variable
        parameter y = 0 variable
        event E: time > 1 ; delay=0.5 ; fleeting ; x = 1
        event F: (time > 1) && (time < 1.25) ; delay=0.5 ; fleeting ; y = 1
        event G: time > 1.2 ; x = 0.5""")
    table = run(text, [0.0, 1.3, 1.6])
    assert list(table["x"]) == [0, 0.5, 1] and list(table["y"]) == [0, 0, 0]


def test_values_of_the_trigger_are_kept_through_a_cascade(sbml, run):
    # Raised and lowered by nine events at one instant: what persists fires five times, what does not fires once.
    levels = "\n".join(f"event L{k}: time >= 0.99 ; priority={10 - k} ; level = {0 if k % 2 else 2}" for k in range(9))
    text = sbml(
        f"""
        parameter level = 0 variable
        parameter x = 0 variable
        parameter y = 0 variable
        parameter z = 0 variable
        {levels}
        event X: level > 1 ; priority=1 ; late ; x = x + 1
        event Y: level > 1 ; priority=1 ; y = y + 1
        event Z: level > 1 ; priority=1 ; late ; fleeting ; z = z + 3"""
    )
    last = run(text, [0.0, 2.0]).iloc[-1]
    assert (last["x"], last["y"], last["z"]) == (5, 1, 3)


def test_equals_are_drawn_fairly(sbml, run):
    text = sbml("""
        parameter Q = 0 variable
        parameter R = 0 variable
        parameter last = 0 variable
        event E: time - last >= 0.01 ; priority=1 ; fleeting ; last = time, Q = Q + 1
        event F: time - last >= 0.01 ; priority=1 ; fleeting ; last = time, R = R + 1""")
    end = run(text, [0.0, 5.005]).iloc[-1]
    assert end["Q"] + end["R"] == 500
    # Binomial with 500 draws: six standard deviations.
    assert abs(end["Q"] - 250) < 6 * math.sqrt(125)


def test_a_short_pulse_is_not_stepped_over(sbml, run):
    text = sbml("""
        parameter x = 0 variable
        parameter n = 0 variable
        rate x = piecewise(1000, (time > 700.001) && (time < 700.002), 0)
        event E: (time > 30.0001) && (time < 30.0002) ; n = n + 1""")
    last = run(text, [0.0, 1000.0]).iloc[-1]
    assert last["n"] == 1
    assert last["x"] == pytest.approx(1.0, rel=1e-9)


def test_a_jump_in_a_rate_is_exact_at_loose_tolerance(sbml, run):
    text = sbml("parameter x = 0 variable\nparameter y = 1 variable\nrate x = piecewise(1, y > 0.2, -3)\nrate y = -y")
    switch = math.log(5)
    last = run(text, [0.0, 3.0], rtol=1e-9).iloc[-1]
    assert last["x"] == pytest.approx(switch - 3 * (3 - switch), abs=1e-7)


def test_events_without_end_are_an_error(sbml):
    model = read_sbml(
        sbml("parameter x = 0 variable\nevent E: (x < 1) && (time > 1) ; x = 2\nevent F: (x > 1) && (time > 1) ; x = 0")
    )
    with pytest.raises(SolverError) as caught:
        simulate(model, [0.0, 2.0])
    assert caught.value.kinds == ("endless-events",) and "E, F" in str(caught.value)


def test_a_switch_that_cannot_be_left_is_an_error(sbml):
    model = read_sbml(sbml("parameter x = 1 variable\nrate x = piecewise(-1, x > 0, 1)"))
    with pytest.raises(SolverError) as caught:
        simulate(model, [0.0, 2.0])
    assert caught.value.kinds == ("chattering",)


def test_a_negative_delay_is_an_error(sbml):
    model = read_sbml(sbml("parameter x = 0 variable\nevent E: time > 1 ; delay=-1 ; x = 2"))
    with pytest.raises(SolverError) as caught:
        simulate(model, [0.0, 2.0])
    assert caught.value.kinds == ("bad-delay",)
