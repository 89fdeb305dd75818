"""Models of others and our own in libRoadRunner: the same file, the same numbers."""

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


def test_the_kidney_for_twenty_years_in_roadrunner():
    model = whole_body.named_model("kidney")
    text = write_sbml(model, nested=True, outputs=["GFR"])
    names = [*model.state_names, "GFR"]
    expected = roadrunner_table(text, 20 * 365.25, 21, names, absolute=1e-13, relative=1e-10)
    found = simulate(model, expected[:, 0], rtol=1e-10, atol=1e-13, outputs=names).table
    assert 90.0 < expected[-1, -1] < expected[0, -1] - 5.0
    np.testing.assert_allclose(found, expected[:, 1:], rtol=1e-6, atol=1e-9)


def test_the_kidney_keeps_its_course_through_a_file():
    model = whole_body.named_model("kidney")
    back = read_sbml(write_sbml(model))
    times = np.linspace(0, 20 * 365, 11)
    names = list(model.state_names)
    ours = simulate(model, times, rtol=1e-10, atol=1e-13, outputs=names).table
    theirs = simulate(back, times, rtol=1e-10, atol=1e-13, outputs=names).table
    np.testing.assert_allclose(theirs, ours, rtol=1e-6, atol=1e-12)
