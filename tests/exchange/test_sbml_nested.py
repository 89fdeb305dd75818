"""SBML whose formulas are nested functions: the same model, for tools that write every equation out; and units that every formula states."""

import numpy as np
import pytest

from betapod import load_model
from betapod.base.errors import ExchangeError
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.exchange import read_sbml, write_sbml
from betapod.model import Parameter, ParameterTable, Part, assemble

libsbml = pytest.importorskip("libsbml")


TEXT = """
excess  = softplus0(A, A0, w, A_ref)            [mmol/L]     excess above the threshold
seen    = hill(A, A0, m) + A/A0                [1]          response
V solves V*A + V^3*A0 = A0 from seen in 4 steps [1]          implicit relation
slow    = tanh(V)*cbrt(seen)*smooth_min(A, A0, th) [mmol/L]  small things
dA/dt   = -(V + seen)*c*A + c*slow + c*excess/m [mmol/L/day] eliminated
A(0)    = A0*(1 + th)                           [mmol/L]     substance A
total   = A*seen/V + A + slow*V                 [mmol/L]     total
"""
EVENTS = """
rescue when A < A_low then A = A + A0*seen "given again"
end when total > A_end then stop "too much"
"""
ROWS = (
    ("A0", 3.0, "mmol/L"),
    ("w", 0.05, "mmol/L"),
    ("A_ref", 1.0, "mmol/L"),
    ("m", 4.0, "1"),
    ("c", 0.3, "1/day"),
    ("th", 0.9, "1"),
    ("A_low", 4.0, "mmol/L"),
    ("A_end", 200.0, "mmol/L"),
)


def table(**values):
    return ParameterTable(Parameter(name, f"label of {name}", values.get(name, x), unit) for name, x, unit in ROWS)


def small():
    """A model with everything that formulas may hold, an event that gives something, and one that ends."""
    return assemble("small", [Part.from_text("Small", TEXT, events=EVENTS)], table())


def chain(length):
    """Return a model of equations that each use the one before three times: a tree of all has 3^length leaves."""
    lines = [f"x{k + 1} = x{k}*x{k}*half + x{k}*most [1] x" for k in range(length)]
    lines += [f"dx0/dt = rate*x{length} [1/day] x", "x0(0) = start [1] x"]
    rows = [
        Parameter("half", "half", 0.1, "1"),
        Parameter("most", "most", 0.6, "1"),
        Parameter("rate", "rate", -0.3, "1/day"),
        Parameter("start", "start", 3.5, "1"),
    ]
    return assemble("chain", [Part.from_text("Chain", "\n".join(lines))], ParameterTable(rows))


def test_nested_formulas_say_the_same():
    model = small()
    text = write_sbml(model, nested=True)
    back = read_sbml(text)
    times = np.linspace(0, 6.3, 7)
    names = [*model.state_names, *model.assignments]
    expected = simulate(model, times, rtol=1e-10, atol=1e-13, outputs=names).table
    found = simulate(back, times, rtol=1e-10, atol=1e-13, outputs=names).table
    assert "nested_1" in text and found["A"].iloc[-1] > 3.9  # the event has given more
    assert np.isfinite(expected.to_numpy()).all()
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize("outputs", [None, ["x0", "x30"]])
def test_a_long_chain_of_equations_loads_in_roadrunner(outputs):
    roadrunner = pytest.importorskip("roadrunner", reason="needs the package libroadrunner")
    model = chain(30)
    text = write_sbml(model, nested=True, outputs=outputs)
    assert ("x29" in text) == (outputs is None)
    other = roadrunner.RoadRunner(text)
    other.integrator.relative_tolerance, other.integrator.absolute_tolerance = 1e-10, 1e-13
    other.timeCourseSelections = ["time", "x0", "x30"]
    found = np.asarray(other.simulate(0.0, 5.0, 6))
    expected = simulate(model, found[:, 0], rtol=1e-11, atol=1e-14, outputs=["x0", "x30"]).table
    np.testing.assert_allclose(found[:, 1:], expected, rtol=1e-6, atol=1e-9)


def test_equations_that_nothing_names_may_be_left_out():
    model = small()
    back = read_sbml(write_sbml(model, outputs=["seen"]))
    assert {"seen", "excess", "V", "slow"} <= {*back.assignments} and "total" not in back.assignments
    times = np.linspace(0, 2.4, 4)  # with events, one of which looks at the total
    expected = simulate(model, times, rtol=1e-10, atol=1e-13, outputs=["A", "seen"]).table
    found = simulate(back, times, rtol=1e-10, atol=1e-13, outputs=["A", "seen"]).table
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize("nested", [False, True])
def test_equations_that_are_kept_must_be_there(nested):
    with pytest.raises(ExchangeError) as failure:
        write_sbml(chain(2), nested=nested, outputs=["x1", "y1", "z"])
    assert [problem.found for problem in failure.value.problems] == ["y1", "z"]


def test_the_plain_form_has_no_event_no_unit_of_a_number_and_few_functions():
    text = TEXT.replace("(V + seen)*c*A", "(V + seen)*c*A + c*th*sqrt(A*A_ref)")
    model = assemble("small", [Part.from_text("Small", text, events="end when A < A_end then stop")], table(A_end=4.5))
    plain = write_sbml(model, plain=True)
    for mark in ("sbml:units", "<max/>", "<min/>", "<root/>", "<event", "running", "<functionDefinition"):
        assert mark not in plain, mark
    assert "<root/>" in write_sbml(model) and "<max/>" in write_sbml(model)
    times = np.linspace(0, 1, 21)
    names = [*model.state_names, *model.assignments]
    expected = simulate(model, times, rtol=1e-10, atol=1e-13, outputs=names)
    found = simulate(read_sbml(plain), times, rtol=1e-10, atol=1e-13, outputs=names).table
    before = times < expected.ended[1]
    assert 1 < before.sum() < len(times) and np.isfinite(found.to_numpy()).all()  # it goes on after the end
    np.testing.assert_allclose(found[before], expected.table[before], rtol=1e-8)


def test_the_plain_form_has_its_limits():
    with pytest.raises(ExchangeError, match="rescue"):
        write_sbml(small(), plain=True)
    with pytest.raises(ExchangeError, match="nested"):
        write_sbml(chain(2), plain=True, nested=True)


def test_a_file_of_nested_functions_is_checked_as_quickly_as_another_one():
    # Each function calls the one before three times: written out, as libsbml does, the last one has 3^30 calls.
    functions = ["<lambda><bvar><ci>x</ci></bvar><ci>x</ci></lambda>"]
    call = "<apply><ci>f{k}</ci><ci>x</ci></apply>"
    functions += [
        f"<lambda><bvar><ci>x</ci></bvar><apply><plus/>{3 * call.format(k=k)}</apply></lambda>" for k in range(30)
    ]
    definitions = "".join(
        f'<functionDefinition id="f{k}"><math xmlns="http://www.w3.org/1998/Math/MathML">{body}</math></functionDefinition>'
        for k, body in enumerate(functions)
    )
    text = (
        '<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model>'
        f"<listOfFunctionDefinitions>{definitions}</listOfFunctionDefinitions><listOfParameters>"
        '<parameter id="a" value="1" constant="true"/><parameter id="a" value="2" constant="true"/>'
        "</listOfParameters></model></sbml>"
    )
    with pytest.raises(ExchangeError, match=r"Duplicate|unique"):
        read_sbml(text)


@pytest.mark.parametrize("name", ["kidney", "metabolism"])
def test_every_unit_is_known_and_fits(name):
    document = libsbml.readSBMLFromString(write_sbml(load_model(name), check=False))
    document.checkConsistency()
    assert [document.getError(k).getMessage() for k in range(document.getNumErrors())] == []
