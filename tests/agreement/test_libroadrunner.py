"""Models of others and our own in libRoadRunner: the same file, the same numbers."""

import math
from pathlib import Path

import numpy as np
import pytest

from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.exchange import read_sbml, write_sbml
from betapod.physiology import whole_body

roadrunner = pytest.importorskip("roadrunner")
libsbml = pytest.importorskip("libsbml")
roadrunner.Logger.setLevel(roadrunner.Logger.LOG_CRITICAL)

PEERS = Path(__file__).parents[3] / "shared" / "peerbench" / "models"
NEEDS_PEERS = pytest.mark.skipif(not PEERS.is_dir(), reason="the models of the comparison with peers are not here")


def roadrunner_table(text, end, points, names, absolute=1e-16, relative=1e-12):
    """Simulate in libRoadRunner at tolerances near the end of double precision."""
    model = roadrunner.RoadRunner(text)
    model.integrator.absolute_tolerance, model.integrator.relative_tolerance = absolute, relative
    model.integrator.maximum_num_steps = 1_000_000
    model.timeCourseSelections = ["time", *names]
    return np.array(model.simulate(0, end, points))


@NEEDS_PEERS
@pytest.mark.parametrize(
    ("name", "end", "floor"), [("topp", 5 * 365.0, 1e-9), ("dkd", 365.0, 1e-6), ("meal", 1.0, 1e-6)]
)
def test_models_of_the_comparison(name, end, floor):
    text = (PEERS / f"{name}.xml").read_text(encoding="utf-8")
    model = read_sbml(text)
    expected = roadrunner_table(text, end, 11, model.state_names)
    found = simulate(model, expected[:, 0], rtol=1e-11, atol=1e-14, outputs=list(model.state_names)).table.to_numpy()
    # Values far below 1 carry the absolute tolerance of both sides.
    np.testing.assert_allclose(found, expected[:, 1:], rtol=1e-6, atol=floor * 1e-3)


def test_every_formula_of_the_kidney_means_the_same_in_roadrunner():
    # Loaded whole, libRoadRunner writes out each chain of equations as a tree, which for this model has no end.
    # So each formula is given the names below it as numbers, at a state inside the course of the disease.
    model = whole_body.named_model("kidney")
    document = libsbml.readSBMLFromString(write_sbml(model))
    own = read_sbml(libsbml.writeSBMLToString(document))
    visited = simulate(own, [0.0, 2500.0], rtol=1e-9, outputs=list(own.names)).table.iloc[-1]
    source = document.getModel()
    for k in reversed(range(source.getNumInitialAssignments())):
        source.removeInitialAssignment(k)
    source.getListOfEvents().clear()
    for k in range(source.getNumParameters()):
        parameter = source.getParameter(k)
        parameter.setValue(float(visited[parameter.getId()]))
    formulas, used = {}, set()
    for k in reversed(range(source.getNumRules())):
        rule = source.removeRule(k)
        if k % 3 == 0:  # a third of them, since libRoadRunner compiles slowly
            formulas["rate" if rule.isRate() else "value", rule.getVariable()] = at_time(
                rule.getMath().deepCopy(), 2500.0, used
            )
    for k in reversed(range(source.getNumParameters())):
        if source.getParameter(k).getId() not in used:
            source.removeParameter(k)
    for (kind, name), tree in formulas.items():
        twin = source.createParameter()
        twin.setId(f"{kind}_of_{name}")
        twin.setConstant(False)
        rule = source.createAssignmentRule()
        rule.setVariable(twin.getId())
        rule.setMath(tree)
    loaded = roadrunner.RoadRunner(libsbml.writeSBMLToString(document))
    rates = dict(zip(own.state_names, own_rates(own, visited), strict=True))
    assert len(formulas) > 60
    for kind, name in formulas:
        expected = rates[name] if kind == "rate" else float(visited[name])
        assert math.isclose(loaded.getValue(f"{kind}_of_{name}"), expected, rel_tol=1e-9, abs_tol=1e-13), (
            name,
            expected,
        )


def at_time(tree, time, used):
    """Return a formula with the time as a number, and note the names that it uses."""
    if tree.getType() == libsbml.AST_NAME_TIME:
        tree.setValue(time)
    elif tree.getType() == libsbml.AST_NAME:
        used.add(tree.getName())
    for k in range(tree.getNumChildren()):
        at_time(tree.getChild(k), time, used)
    return tree


def own_rates(model, values):
    """Return the rates of an imported model at given values, by the slow evaluator."""
    from betapod.model.algebra.expression import evaluate

    return evaluate([state.rate for state in model.states], {**model.values(), **dict(values), "t": 2500.0})


def test_the_kidney_keeps_its_course_through_a_file():
    model = whole_body.named_model("kidney")
    back = read_sbml(write_sbml(model))
    times = np.linspace(0, 20 * 365, 11)
    names = list(model.state_names)
    ours = simulate(model, times, rtol=1e-10, atol=1e-13, outputs=names).table
    theirs = simulate(back, times, rtol=1e-10, atol=1e-13, outputs=names).table
    np.testing.assert_allclose(theirs, ours, rtol=1e-6, atol=1e-12)
