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


def small():
    """A model with everything that formulas may hold, an event that gives something, and one that ends."""
    table = ParameterTable(Parameter(name, f"label of {name}", value, unit) for name, value, unit in ROWS)
    return assemble("small", [Part.from_text("Small", TEXT, events=EVENTS)], table)


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


def test_equations_are_left_out_only_where_no_formula_names_them():
    with pytest.raises(ExchangeError, match="none can be left out"):
        write_sbml(chain(2), outputs=["x1"])
    with pytest.raises(ExchangeError) as failure:
        write_sbml(chain(2), nested=True, outputs=["x1", "y1", "z"])
    assert [problem.found for problem in failure.value.problems] == ["y1", "z"]


@pytest.mark.parametrize("name", ["kidney", "metabolism"])
def test_every_unit_is_known_and_fits(name):
    document = libsbml.readSBMLFromString(write_sbml(load_model(name), check=False))
    document.checkConsistency()
    assert [document.getError(k).getMessage() for k in range(document.getNumErrors())] == []
