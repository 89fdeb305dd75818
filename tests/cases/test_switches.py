"""Jumps, events at the start and at rows, functions without a slope: both engines give the right value, or say by name what they refuse."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import shorthand as SHORTHAND
from programs import shared_programs

from betapod.base.errors import ParameterError, SolverError
from betapod.engine.ensemble import Ensemble
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.exchange import read_sbml
from betapod.model import Model
from betapod.model.algebra.derivative import digamma
from betapod.model.algebra.expression import evaluate, symbol


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BETAPOD_CACHE", str(shared_programs(tmp_path_factory)))


def model_of(text: str) -> Model:
    """Read a model in shorthand."""
    return read_sbml(SHORTHAND.sbml(text, 3, 2))


def both(text: str, times: list[float], name: str, rtol: float = 1e-8) -> tuple[list[float], list[float]]:
    """Return one quantity as the reference and the ensemble engine give it."""
    model = model_of(text)
    first = simulate(model, times, rtol=rtol, atol=1e-12, outputs=[name]).table[name].tolist()
    result = Ensemble(model, [name], rtol=rtol, atol=1e-12, width=1, threads=1).run(1, times)
    assert not len(result.failed), result.summary()
    return first, result.values[0, :, 0].tolist()


def test_a_number_other_than_zero_is_a_true_trigger() -> None:
    """Case 01284 of the SBML Test Suite: a trigger that is the number 3, false before the start, happens at time 0."""
    first, second = both(
        "parameter p = 5 variable\nparameter q = 0 variable\nrate q = 1\nevent E: 3 ; armed ; p = 2", [0.0, 1.0], "p"
    )
    assert first == [2.0, 2.0]
    assert second == [2.0, 2.0]


@pytest.mark.parametrize(
    ("x", "expected"), [(1.0, -0.5772156649015329), (0.5, -1.9635100260214235), (6.0, 1.7061176684318005)]
)
def test_digamma(x: float, expected: float) -> None:
    """Values: -gamma, -gamma - 2 ln 2, -gamma + 137/60."""
    assert evaluate([digamma(symbol("x"))], {"x": x})[0] == pytest.approx(expected, rel=1e-13)


def test_a_factorial_in_a_rate_is_integrated() -> None:
    """The rate is factorial(t): the integral of the gamma function from 1 to 3, by quadrature."""
    from scipy.integrate import quad
    from scipy.special import gamma

    exact = quad(lambda t: gamma(t + 1.0), 0.0, 2.0)[0]
    first, second = both("parameter x = 0 variable\nrate x = factorial(time)", [0.0, 2.0], "x")
    np.testing.assert_allclose([first[-1], second[-1]], exact, rtol=1e-7)


def test_a_run_of_nobody_in_particular_says_so() -> None:
    model = model_of("parameter x = 1 variable\nrate x = -x")
    with pytest.raises(ParameterError, match=r"run\(100, times\)"):
        Ensemble(model).run({}, [0.0, 1.0])
    assert Ensemble(model).run(3, [0.0, 1.0]).values.shape == (3, 2, 1)


#: Rates of x from 0 (other lines first), the time, and what x is then.
X = "parameter x = 0 variable\n"
COURSES = {
    "a short pulse": (X + "rate x = piecewise(10, (time >= 12) && (time < 12.001), 0)", 1000.0, 0.01),
    "a pulse in a function": (
        "function f(a, b, c) = piecewise(1, (a > b) && (a < c), 0)\n" + X + "rate x = f(time, 5, 5.25)",
        1000.0,
        0.25,
    ),
    "pulses by the remainder": (X + "rate x = piecewise(1, rem(time, 24) < 0.5, 0)", 1000.0, 21.0),
    "pulses by whole numbers": (X + "rate x = floor(time/10) - floor((time - 0.01)/10)", 1000.0, 1.0),
    "pulses by rounding up": (X + "rate x = ceil((time + 0.01)/10) - ceil(time/10)", 1000.0, 1.0),
    "pulses by a wave": (X + "rate x = piecewise(1, sin(time) > 0.999, 0)", 1000.0, 318.0 * math.acos(0.999)),
    "pulses by another wave": (X + "rate x = piecewise(1, cos(time) < -0.999, 0)", 1000.0, 318.0 * math.acos(0.999)),
    "a pulse without a jump": (X + "rate x = max(0, 1 - abs(time - 50))", 1000.0, 1.0),
    "a pulse by a square": (X + "rate x = piecewise(1, (time - 500)^2 < 0.01, 0)", 1000.0, 0.2),
    "a switch by an exponential": (X + "rate x = piecewise(1, exp(-time/100) < exp(-5), 0)", 1000.0, 500.0),
    "pieces inside pieces": (
        X + "rate x = piecewise(piecewise(1, time < 60.5, 0), time > 60, piecewise(3, time > 59.5, 0))",
        1000.0,
        2.0,
    ),
    "a threshold that jumps": (
        "parameter y = 0 variable\n" + X + "rate y = 1\nrate x = piecewise(1, y > piecewise(2000, time < 7, 3), 0)",
        10.0,
        3.0,
    ),
    "a pulse by a state that is a clock": (
        "parameter y = 0 variable\n" + X + "rate y = 1\nrate x = piecewise(1, (y > 50) && (y < 50.125), 0)",
        1000.0,
        0.125,
    ),
    "pulses by the wave of such a state": (
        "parameter y = 1 variable\n" + X + "rate y = 1\nrate x = piecewise(1, sin(y) > 0.999, 0)",
        101.0,
        32.0 * math.acos(0.999),
    ),
    "a kink in such a state": (
        "parameter y = 0 variable\n" + X + "rate y = 1\nrate x = max(0, 1 - abs(y - 50))",
        1000.0,
        1.0,
    ),
    "a state that switches itself": (X + "rate x = piecewise(1, x < 1, 1.5 - x)", 1000.0, 1.5),
    "a logarithm of what is negative at first": (X + "rate x = piecewise(1, ln(time - 5) > 0, 0)", 100.0, 94.0),
    "a number as a condition": (X + "rate x = piecewise(1, max(0, 1 - abs(time - 7)), 0)", 1000.0, 2.0),
    "a product of three": (X + "rate x = piecewise(1, (time - 3)*(time - 4)*(time - 900) > 0, 0)", 1000.0, 101.0),
    "a thing that is equal for a while": (X + "rate x = piecewise(1, quotient(time, 10) == 3, 0)", 1000.0, 10.0),
    "very short times": (X + "rate x = piecewise(1e6, (time > 1e-7) && (time < 2e-7), 0)", 1e-5, 0.1),
    "a tank that runs empty": (
        "parameter z = 1 variable\n" + X + "rate z = piecewise(-2*sqrt(z), z > 0, 0)\nrate x = z",
        50.0,
        1.0 / 3.0,
    ),
    "a power that ends at 0": (
        "parameter z = 5 variable\n" + X + "rate z = -max(0, z - 1)^0.5\nrate x = z - 1",
        50.0,
        16.0 / 3.0,
    ),
    "a state that comes to rest at a switch": (X + "rate x = piecewise(0, x >= 1, 1)", 100.0, 1.0),
    "an event in a short window": (
        X + "parameter q = 0 variable\nrate q = -q\nevent E: (time > 5) && (time < 5.001) ; x = x + 1",
        1000.0,
        1.0,
    ),
    "events by the remainder": (
        X + "parameter q = 0 variable\nrate q = -q\nevent E: rem(time, 7) >= 6.9 ; x = x + 1",
        100.0,
        14.0,
    ),
    "events at the tops of a wave": (
        X
        + "parameter a = 0 variable\nparameter b = 1 variable\nrate a = b\nrate b = -a\n"
        + "event E: a > 0.9999 ; x = x + 1",
        100.0,
        16.0,
    ),
    "an event that sets its own next time": (
        X
        + "parameter p = 5 variable\nparameter q = 0 variable\nrate q = -q\n"
        + "event E: (time > p) && (time < p + 0.001) ; p = p + 10, x = x + 1",
        100.0,
        10.0,
    ),
    "two events at once swap": (
        X
        + "parameter y = 2 variable\nparameter q = 0 variable\nrate q = -q\n"
        + "event E: time >= 5 ; x = y\nevent F: time >= 5 ; y = x",
        10.0,
        2.0,
    ),
    "an event whose trigger another one ends happens all the same": (
        X
        + "parameter y = 2 variable\nparameter q = 0 variable\nrate q = -q\n"
        + "event E: (time >= 5) && (y > 1) ; late ; x = x + 1, y = 0\n"
        + "event F: (time >= 5) && (y > 1) ; late ; x = x + 1, y = 0",
        10.0,
        2.0,
    ),
    "unless it does not persist": (
        X
        + "parameter y = 2 variable\nparameter q = 0 variable\nrate q = -q\n"
        + "event E: (time >= 5) && (y > 1) ; late ; fleeting ; x = x + 1, y = 0\n"
        + "event F: (time >= 5) && (y > 1) ; late ; fleeting ; x = x + 1, y = 0",
        10.0,
        1.0,
    ),
}


@pytest.mark.parametrize("name", COURSES)
def test_no_jump_is_stepped_over(name: str) -> None:
    """Two visits, so that nothing but the switches themselves makes a step stop; the expected values are elementary integrals."""
    text, end, expected = COURSES[name]
    first, second = both(text, [0.0, end], "x", 1e-9)
    assert first[-1] == pytest.approx(expected, rel=1e-7)
    assert second[-1] == pytest.approx(expected, rel=1e-7)


def test_each_patient_has_own_switches_whatever_the_neighbours_threads_and_width() -> None:
    text = (
        "parameter x = 0 variable\nparameter y = 0 variable\nparameter start = 3\nparameter long = 0.25\nparameter top = 1\n"
        "rate x = piecewise(1, (time > start) && (time < start + long), -x/50)\n"
        "rate y = piecewise(1, y < top, 0.1*top) + sin(time)/10\n"
        "event E: x > 0.4 ; x = 0.1\nevent F: rem(time, start) > start - 0.01 ; y = y + 0.01"
    )
    random = np.random.default_rng(3)
    who = {
        "start": random.uniform(1.0, 90.0, 21),
        "long": random.uniform(0.1, 2.0, 21),
        "top": random.uniform(0.5, 2.0, 21),
    }
    times = np.linspace(0.0, 100.0, 21)
    model = model_of(text)
    base = Ensemble(model, ["x", "y"], threads=1).run(who, times)
    assert not len(base.failed)
    for width, threads in ((1, 1), (2, 2), (16, 3)):
        other = Ensemble(model, ["x", "y"], threads=threads, width=width).run(who, times)
        np.testing.assert_array_equal(base.values.view(np.int64), other.values.view(np.int64))
        np.testing.assert_array_equal(base.steps, other.steps)
    order = random.permutation(21)
    shuffled = Ensemble(model, ["x", "y"]).run({name: column[order] for name, column in who.items()}, times)
    np.testing.assert_array_equal(base.values[order].view(np.int64), shuffled.values.view(np.int64))
    tight = Ensemble(model, ["x", "y"], rtol=1e-9, atol=1e-12, threads=1).run(who, times).values
    for i in (0, 7, 20):
        one = model.with_values({name: float(column[i]) for name, column in who.items()})
        right = simulate(one, times, rtol=1e-10, atol=1e-12, outputs=["x", "y"]).table[["x", "y"]].to_numpy()
        np.testing.assert_allclose(tight[i], right, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ("time > 22", [0.8, 0.8, 0.8, 0.2]),
        ("time >= 22", [0.8, 0.8, 0.2, 0.2]),
        ("22 < time", [0.8, 0.8, 0.8, 0.2]),
        ("!(time <= 22)", [0.8, 0.8, 0.8, 0.2]),
        ("floor(time) >= 22", [0.8, 0.8, 0.2, 0.2]),
        ("(time > 22) || (time > 500)", [0.8, 0.8, 0.8, 0.2]),
        ("time - 21 >= 1", [0.8, 0.8, 0.2, 0.2]),
        ("(time > 22) && (q > 0)", [0.8, 0.8, 0.8, 0.2]),
        ("(time >= 22) && (q > 0)", [0.8, 0.8, 0.2, 0.2]),
        ("time > 21 + a/0.8", [0.8, 0.8, 0.8, 0.2]),
    ],
)
def test_a_row_at_the_time_of_an_event_shows_what_the_trigger_says_of_that_time(
    trigger: str, expected: list[float]
) -> None:
    """A trigger `time > 22` is false at 22, so the row of 22 shows the value before, as in libRoadRunner."""
    text = f"parameter a = 0.8 variable\nparameter q = 1 variable\nrate q = -q\nevent E: {trigger} ; a = 0.2"
    first, second = both(text, [0.0, 20.0, 22.0, 23.0], "a")
    assert first == expected
    assert second == expected


def test_an_event_at_the_start_shows_in_the_row_of_the_start() -> None:
    """Only where the trigger counts as false before (case 01696 of the SBML Test Suite)."""
    text = "parameter a = 1 variable\nparameter q = 1 variable\nrate q = -q\nevent E: q > 0.5 ; {} a = 3"
    assert both(text.format("armed ;"), [0.0, 1.0], "a") == ([3.0, 3.0], [3.0, 3.0])
    assert both(text.format(""), [0.0, 1.0], "a") == ([1.0, 1.0], [1.0, 1.0])


def test_a_switch_that_goes_back_and_forth_fails_visibly() -> None:
    model = model_of("parameter x = 1 variable\nrate x = piecewise(1, x < 0, -1)")
    with pytest.raises(SolverError, match="back and forth"):
        simulate(model, [0.0, 5.0])
    result = Ensemble(model, threads=1).run(1, [0.0, 0.5, 5.0])
    assert result.summary() == "1 patient: 1 step-underflow"
    assert result.ended_at[0] == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(result.values[0, :, 0], [1.0, 0.5, np.nan], rtol=1e-6)


def test_events_that_trigger_each_other_without_end_fail_visibly() -> None:
    text = (
        "parameter y = 0 variable\nparameter q = 1 variable\nrate q = -q\n"
        "event E: (time >= 1) && (y < 1) ; y = 2\nevent F: (time >= 1) && (y > 1) ; y = 0"
    )
    with pytest.raises(SolverError, match="without end"):
        simulate(model_of(text), [0.0, 5.0])
    assert Ensemble(model_of(text), threads=1).run(1, [0.0, 5.0]).summary() == "1 patient: 1 step-underflow"


CALCIUM = Path(__file__).parents[3] / "shared" / "data" / "biomodels" / "BIOMD0000000613_url.xml"


@pytest.mark.skipif(not CALCIUM.is_file(), reason="the published models are not here")
def test_a_published_dose_by_pieces_of_time() -> None:
    """Peterson & Riggs 2010 (BIOMD0000000613): 4,857 of teriparatide under the skin at 12, and nothing in the first version."""
    model = read_sbml(CALCIUM)
    times = [0.0, 12.0, 24.0, 100.0]
    names = list(model.state_names)
    right = simulate(model, times, rtol=1e-9, atol=1e-9).table[names].to_numpy()
    found = Ensemble(model, rtol=1e-8, atol=1e-9, threads=1).run(1, times).values[0]
    assert right[1, names.index("TERISC_amount")] == pytest.approx(4857.0, rel=1e-2)
    np.testing.assert_allclose(found, right, rtol=1e-5, atol=1e-6)


def test_the_achieved_error_sees_a_jump_that_was_stepped_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that does not look for switches, as ours once was, is told that its number is wrong by all of it."""
    from betapod.engine.compiled import lower
    from betapod.engine.switches import Switches

    text = "parameter x = 0 variable\nrate x = piecewise(10, (time >= 12.5) && (time < 13), 0) - 0.01*x"
    model = model_of(text)
    times = [0.0, 24.0, 100.0]
    good = Ensemble(model, width=1, threads=1).run(2, times).achieved_error()
    assert good.worst < 1e-5 and good.compared and [*good.independent] == [0, 1]
    assert "2 of them by the reference integrator" in str(good)
    monkeypatch.setattr(lower, "find_switches", lambda rates, *_, **__: Switches(list(rates), [], [], [], []))
    blind = Ensemble(model, width=2, threads=1, cache=False).run(2, times)
    assert blind.summary() == "2 patients: 2 ok" and blind.values[0, 1, 0] == 0.0
    assert blind.achieved_error().worst > 0.99
