"""SBML export: valid, complete with units and sources, the same numbers after the journey."""

import math
from pathlib import Path

import numpy as np
import pytest

from betapod.base.errors import ExchangeError
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.exchange import read_sbml, write_sbml
from betapod.exchange.sbml.inlined_functions import INLINED
from betapod.exchange.sbml.mathml_writer import expand_roots
from betapod.model import Parameter, ParameterTable, Part, assemble
from betapod.model.algebra.expression import evaluate, symbol, topological, unary
from betapod.model.algebra.operations import wright_omega
from betapod.model.bibliography import BibliographyEntry

libsbml = pytest.importorskip("libsbml")

TEXT = """
f(x) = x^2/(k^2 + x^2)                             [1]
excess  = softplus0(A, A0, w, A_ref)               [mmol/L]     excess above the threshold
seen    = hill(A, A0, m) + f(A) + lambert_w(A/A0)  [1]          response
V solves V*A + V^3*A0 = A0 from seen in 4 steps    [1]          implicit relation
slow    = tanh(V)*cbrt(seen)*smooth_min(A, A0, th) [mmol/L]     small things
dA/dt   = -(V + seen)*c*A + c*slow                 [mmol/L/day] eliminated
A(0)    = A_start*(1 + V_start)                    [mmol/L]     substance A
dB/dt   = c*excess - d*B/day_per_year              [mmol/L/day] made
B(0)    = A_start                                  [mmol/L]     substance B
total   = A + B                                    [mmol/L]     total
"""
EVENTS = """
rescue when A < A_low then A = A + A_start, B = B/(1 + th) "given again"
end when total < A_end then stop "nothing left"
"""
ROWS = (
    ("k", 2.0, "mmol/L"),
    ("A0", 3.0, "mmol/L"),
    ("w", 0.05, "mmol/L"),
    ("A_ref", 1.0, "mmol/L"),
    ("m", 4.0, "1"),
    ("c", 0.3, "1/day"),
    ("d", 4.0, "1/year"),
    ("A_start", 5.0, "mmol/L"),
    ("V_start", 0.2, "1"),
    ("th", 0.9, "1"),
    ("A_low", 0.5, "mmol/L"),
    ("A_end", 2.2, "mmol/L"),
)


def built(terminal=True):
    rows = [Parameter(name, f"label of {name} <&>", value, unit) for name, value, unit in ROWS]
    rows[0] = Parameter("k", "k", 2.0, "mmol/L", 1, 3, "lognormal", "literature", "doe2001", "table 2", "A", "see text")
    events = EVENTS if terminal else EVENTS.splitlines()[1]
    return assemble("small model", [Part.from_text("Small", TEXT, events=events)], ParameterTable(rows))


WORKS = {"doe2001": BibliographyEntry("article", "doe2001", {"author": "Doe, J.", "doi": "10.1000/1", "pmid": "1"})}


def test_the_document_is_valid_and_almost_all_units_are_known():
    document = libsbml.readSBMLFromString(write_sbml(built(), bibliography=WORKS))
    assert document.checkConsistency() >= 0
    errors = [document.getError(k) for k in range(document.getNumErrors())]
    assert [e.getMessage() for e in errors if e.getSeverity() >= libsbml.LIBSBML_SEV_ERROR] == []
    mismatched = [e for e in errors if 10501 <= e.getErrorId() <= 10599]
    assert mismatched == []


def test_the_journey_keeps_every_number():
    model = built()
    back = read_sbml(write_sbml(model, bibliography=WORKS))
    times = np.linspace(0, 60, 61)
    names = [*model.state_names, *model.assignments]
    ours = simulate(model, times, rtol=1e-10, atol=1e-13, outputs=names)
    theirs = simulate(back, times, rtol=1e-10, atol=1e-13, outputs=[*names, "running"])
    assert [name for _, name in ours.events][:2] == ["rescue", "rescue"] and ours.ended is not None
    before = times < ours.ended[1]
    assert 5 < before.sum() < 60
    np.testing.assert_allclose(theirs.table[names][before], ours.table[before], rtol=1e-7, atol=1e-11)
    # After a terminal event nothing moves in SBML; here the patient has left.
    after = theirs.table[~before]
    assert np.all(after["running"] == 0) and np.ptp(after["A"]) == 0 and ours.table[~before].isna().all().all()
    assert back.time_unit == "day" and back.labels["excess"] == "excess above the threshold"


def test_sources_travel():
    document = libsbml.readSBMLFromString(write_sbml(built(), bibliography=WORKS))
    k = document.getModel().getParameter("k")
    resources = [k.getCVTerm(0).getResourceURI(i) for i in range(k.getCVTerm(0).getNumResources())]
    assert resources == ["https://identifiers.org/doi:10.1000/1", "https://identifiers.org/pubmed:1"]
    assert k.getCVTerm(0).getBiologicalQualifierType() == libsbml.BQB_IS_DESCRIBED_BY
    for part in (
        "role: literature",
        "grade: A",
        "Doe, J.",
        "where: table 2",
        "note: see text",
        "plausible: 1 to 3 mmol/L",
    ):
        assert part in k.getNotesString()


def test_units_have_the_right_size():
    document = libsbml.readSBMLFromString(write_sbml(built(), bibliography=WORKS))
    model = document.getModel()
    definition = model.getUnitDefinition(model.getParameter("A").getUnits())
    size = 1.0
    for k in range(definition.getNumUnits()):
        unit = definition.getUnit(k)
        base = {"litre": 1e-3, "gram": 1.0}.get(libsbml.UnitKind_toString(unit.getKind()), 1.0)
        size *= (unit.getMultiplier() * 10.0 ** unit.getScale() * base) ** unit.getExponentAsDouble()
    assert size == pytest.approx(1.0)  # 1 mmol/L is 1 mol/m3
    assert model.getTimeUnits() == "day"


def test_a_shared_part_is_written_once():
    # Forty squarings of one another: a tree would have 2^40 leaves.
    lines = ["x1 = p*p + p [1] x1", *(f"x{k + 1} = x{k}*x{k}*half + x{k}*half [1] x" for k in range(1, 40))]
    lines += ["dy/dt = rate*x40 [1/day] y", "y(0) = p [1] y"]
    rows = [Parameter("p", "p", 0.5, "1"), Parameter("half", "half", 0.5, "1"), Parameter("rate", "rate", 1.0, "1/day")]
    text = write_sbml(assemble("deep", [Part.from_text("Deep", "\n".join(lines))], ParameterTable(rows)))
    assert len(text) < 100_000
    deep = assemble(
        "deeper",
        [
            Part.from_text(
                "Deeper",
                "z solves z + p = p*exp(-z) from p in 20 steps [1] z\ndy/dt = rate*z [1/day] y\ny(0) = p [1] y",
            )
        ],
        ParameterTable(rows),
    )
    assert len(write_sbml(deep)) < 100_000


@pytest.mark.parametrize("op", ["softplus", "logistic", "cbrt"])
def test_functions_that_mathml_lacks_are_accurate_and_do_not_overflow(op):
    x = symbol("x")
    for point in [-1000.0, -700.0, -40.0, -36.5, -20.0, -3.0, -1e-3, 0.0, 1e-9, 0.5, 2.0, 30.0, 36.8, 700.0, 1000.0]:
        expected, found = evaluate([unary(op, x), INLINED[op](x)], {"x": point})
        assert math.isclose(found, expected, rel_tol=1e-14, abs_tol=1e-307), point


@pytest.mark.parametrize("y", [-2.0, -1e-9, 0.0, 0.5, 3.0])
@pytest.mark.parametrize("x", [-4.0, -1e-9, 0.0, 0.5, 2.0])
def test_the_angle_of_a_point_is_right_in_every_quadrant(y, x):
    found = evaluate([INLINED["atan2"](symbol("y"), symbol("x"))], {"x": x, "y": y})[0]
    assert math.isclose(found, math.atan2(y, x), rel_tol=1e-14)


def test_what_was_written_out_is_recognised():
    text = write_sbml(built(), bibliography=WORKS)
    ops = {node.op for a in read_sbml(text).assignments.values() for node in topological([a.expr])}
    assert "softplus" in ops and "abs" not in ops and "functionDefinition" not in text


def test_wright_omega_is_written_out_accurately():
    points = np.concatenate([np.linspace(-745, 800, 4001), np.linspace(-5, 5, 2001)])
    graph = expand_roots([unary("wright_omega", symbol("x"))])
    found = [evaluate(graph, {"x": float(x)})[0] for x in points]
    np.testing.assert_allclose(found, [wright_omega(float(x)) for x in points], rtol=2e-14, atol=1e-307)


def test_a_file_is_written(tmp_path):
    path = tmp_path / "model.xml"
    text = write_sbml(built(terminal=False), path, bibliography=WORKS)
    assert Path(path).read_text(encoding="utf-8") == text
    assert "running" not in text


def test_an_imported_model_is_exported_again(sbml, run):
    text = sbml("""
        compartment c = 2 variable
        species A in c amount=3
        species B in c amount=1
        rate c = 0.3
        reaction J: A -> B ; 0.3*A*c
        event E: time > 1 ; priority=2 ; B = 5
        event F: time > 2 ; delay=0.5 ; late ; fleeting ; c = 2*c""")
    again = write_sbml(read_sbml(text))
    times = np.linspace(0, 4, 21)
    first, second = run(text, times), run(again, times)
    np.testing.assert_allclose(second["A_amount"], first["A"], rtol=1e-8)
    np.testing.assert_allclose(second["B"], first["[B]"], rtol=1e-8)


def test_what_sbml_cannot_say_is_refused(sbml):
    text = sbml("""
        compartment c = 2 variable
        species B in c amount=1
        rate c = 0.3
        reaction J: B -> ; 0.3*B*c
        event E: time > 1 ; delay=1 ; B = 5""")
    with pytest.raises(ExchangeError, match="delayed event 'E'"):
        write_sbml(read_sbml(text))


def test_topp_2000_for_twenty_years_in_roadrunner():
    roadrunner = pytest.importorskip("roadrunner")
    from betapod.physiology import whole_body

    model = whole_body.named_model("topp2000").with_values(
        {"glucose_start": 230, "insulin_start": 6, "beta_mass_start": 220}
    )
    other = roadrunner.RoadRunner(write_sbml(model))
    other.integrator.absolute_tolerance, other.integrator.relative_tolerance = 1e-14, 1e-12
    other.timeCourseSelections = ["time", *model.state_names]
    expected = np.array(other.simulate(0, 20 * 365, 21))
    found = simulate(model, expected[:, 0], rtol=1e-11, atol=1e-14, outputs=list(model.state_names)).table
    assert math.isclose(expected[1, 1], 100, rel_tol=0.1)
    np.testing.assert_allclose(found, expected[:, 1:], rtol=1e-6)
