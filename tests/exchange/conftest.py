"""Models in shorthand, simulated here and by libRoadRunner."""

import numpy as np
import pytest
import shorthand as _shorthand

from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.exchange import read_sbml


@pytest.fixture(scope="session")
def sbml():
    """Return the writer of shorthand."""
    return _shorthand.sbml


@pytest.fixture(scope="session")
def run():
    """Return a function that simulates SBML text: a table with the SBML identifiers, amounts as X, concentrations as [X]."""

    def simulated(text, times, **options):
        model = read_sbml(text)
        report = model.report
        columns = {}
        for identifier, name in report.names.items():
            if identifier in report.amounts:
                columns[identifier] = report.amount(identifier)
                if identifier in report.concentrations:
                    columns[f"[{identifier}]"] = report.concentration(identifier)
            else:
                columns[identifier] = name
        options = {"rtol": 1e-10, "atol": 1e-13, **options}
        table = simulate(model, times, outputs=list(dict.fromkeys(columns.values())), **options).table
        return table[list(columns.values())].set_axis(list(columns), axis=1)

    return simulated


@pytest.fixture(scope="session")
def same_as_roadrunner(sbml, run):
    """Return a check that a model in shorthand gives the same here and in libRoadRunner."""
    roadrunner = pytest.importorskip("roadrunner")
    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_CRITICAL)

    def check(text, end=5.0, points=51, level=3, version=2, close=1e-6):
        text = sbml(text, level, version)
        times = np.linspace(0, end, points)
        ours = run(text, times)
        theirs = roadrunner.RoadRunner(text)
        theirs.integrator.absolute_tolerance = 1e-12
        theirs.integrator.relative_tolerance = 1e-10
        theirs.timeCourseSelections = ["time", *ours.columns]
        expected = np.array(theirs.simulate(0, end, points))[:, 1:]
        assert np.ptp(expected, axis=0).max() > 0.01, "nothing happens in this model"
        for k, name in enumerate(ours.columns):
            np.testing.assert_allclose(ours[name], expected[:, k], rtol=close, atol=1e-8, err_msg=name)

    return check
