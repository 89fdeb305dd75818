"""SBML import: each construct against libRoadRunner, or a closed form where that one differs from the specification."""

import math

import numpy as np
import pytest

from betapod import Ensemble
from betapod.engine.scipy.reference import METHODS
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.exchange import read_sbml

MODELS = {
    "amounts in a compartment that is not 1": """
        compartment c = 2
        species A in c amount=3
        species B in c concentration=0.5
        parameter k = 0.7
        reaction J: A -> 2 B ; k*A*c""",
    "only substance units": """
        compartment c = 2
        species A in c amount=3 only_substance
        species B in c concentration=0.5 only_substance
        parameter k = 0.7
        reaction J: A -> B ; k*A""",
    "a compartment with a rate": """
        compartment c = 2 variable
        species A in c amount=3
        species B in c concentration=0.5
        species C in c concentration=2 boundary
        parameter k = 0.7
        rate c = 0.3*c
        reaction J: A + C -> B ; k*A*c*C""",
    "a compartment that events change": """
        compartment c = 2 variable
        species A in c amount=3
        species B in c concentration=0.5
        species C in c concentration=0.5 constant boundary
        parameter k = 0.7
        reaction J: A -> B ; k*A*c
        event E: time > 2.05 ; c = 5
        event F: time > 3.05 ; c = 3, B = 2
        event G: time > 4.05 ; A = A + 1, c = 4""",
    "a compartment with an equation": """
        compartment c = 0.5 variable
        compartment d = 2
        species A in c concentration=1
        species B in d concentration=1
        species C in d amount=1 only_substance
        parameter x = 3 variable
        assign c = 1 + x/4
        rate x = -0.1*x
        reaction J: A + C -> 2 B ; 0.3*A*C
        event H: A < 0.3 ; A = 1, C = 3""",
    "a point": """
        compartment c dim=0
        species A in c amount=3
        species B in c amount=1
        reaction J: A -> 2 B ; kk*A ; local kk=0.3""",
    "stoichiometries that change": """
        compartment c = 1
        species A in c amount=3
        species B in c amount=3
        parameter p = 2 variable
        assign B_sr = p*time
        initial A_sr = 2*p
        reaction J: [A_sr] A -> [B_sr] B ; 0.1*A
        event E: time > 1.23 ; A_sr = 3
        event F: time > 2.23 ; p = 0.5""",
    "initial assignments that need each other": """
        compartment c = 2
        species A in c
        species B in c amount=1
        parameter p variable
        parameter q
        parameter r
        initial A = B + p
        initial q = A*2 + time
        assign p = 3 + r
        initial r = 4
        reaction J: A -> B ; q*0.1*A""",
    "rates of change": """
        compartment c = 2 variable
        species A in c amount=3
        species B in c amount=0 only_substance
        parameter p variable
        parameter q variable
        rate c = 0.1
        assign p = rateOf(A)
        assign q = rateOf(B) + rateOf(c)
        reaction J: A -> B ; 0.1*A""",
    "a local parameter that hides a changing one": """
        compartment c = 1
        parameter k1 = 1 variable
        species A in c amount=1
        rate k1 = 2
        reaction J: -> A ; rateOf(k1) + k1 ; local k1=3""",
    "conversion factors": """
        compartment c = 2
        parameter k1 = 3
        species A in c amount=3 factor=k1
        species B in c amount=1
        reaction J: A -> 2 B ; kk*A ; local kk=0.3""",
    "piecewise, minimum, maximum, quotient, remainder": """
        parameter x = 0 variable
        parameter y = 1 variable
        rate x = piecewise(1, time < 1, -1, (time < 2.5) && (y < 6.3), 0.2)
        rate y = max(x, 0.3) + min(x, 2) + floor(time) + ceil(x) + quotient(x*10, 3) + rem(x*10, 3) + abs(x)""",
    "logic": """
        parameter x = 0 variable
        rate x = piecewise(1, xor(time > 1, time > 2), piecewise(2, !(time < 3) && (x > 0), 0.5)) + (time >= 4)
        parameter y variable
        assign y = piecewise(3, implies(time > 2, x > 1.5), 4)""",
    "functions of functions": """
        function f(x, y) = x*y + 1
        function g(x) = f(x, 2)
        parameter a variable
        assign a = g(time) + f(1, time)""",
}


@pytest.mark.parametrize("name", MODELS)
def test_same_as_roadrunner(name, same_as_roadrunner):
    same_as_roadrunner(MODELS[name])


@pytest.mark.parametrize(("level", "version"), [(1, 2), (2, 1), (2, 2), (2, 3), (2, 4), (2, 5), (3, 1)])
@pytest.mark.parametrize(
    "name", ["amounts in a compartment that is not 1", "a compartment with a rate", "conversion factors"]
)
def test_older_levels(name, level, version, same_as_roadrunner):
    same_as_roadrunner(MODELS[name], level=level, version=version)


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_computed_stoichiometries_of_level_2(version, sbml, same_as_roadrunner):
    text = """
        compartment c = 1
        species A in c amount=3
        species B in c amount=3
        parameter p = 2 variable
        rate p = 0.3
        assign B_sr = p*0.5 + A
        reaction J: 2 A -> [B_sr] B ; 0.1*A"""
    assert "<stoichiometryMath>" in sbml(text, 2, version)
    same_as_roadrunner(text, level=2, version=version)


def test_every_function(sbml, run):
    closed = {
        "sin(0.4)": math.sin(0.4),
        "tan(0.1)": math.tan(0.1),
        "sec(0.3)": 1 / math.cos(0.3),
        "csc(0.3)": 1 / math.sin(0.3),
        "cot(0.4)": 1 / math.tan(0.4),
        "arcsin(0.3)": math.asin(0.3),
        "arccos(0.3)": math.acos(0.3),
        "arctan(3)": math.atan(3),
        "sinh(1)": math.sinh(1),
        "cosh(1)": math.cosh(1),
        "sech(1)": 1 / math.cosh(1),
        "csch(1)": 1 / math.sinh(1),
        "coth(1)": 1 / math.tanh(1),
        "arcsec(1.5)": math.acos(1 / 1.5),
        "arccsc(1.5)": math.asin(1 / 1.5),
        "arccot(-0.1)": math.atan(-10),
        "arcsinh(99)": math.asinh(99),
        "arccosh(1.4)": math.acosh(1.4),
        "arctanh(-0.7)": math.atanh(-0.7),
        "arcsech(0.42)": math.acosh(1 / 0.42),
        "arccsch(0.01)": math.asinh(100),
        "arccoth(8.2)": math.atanh(1 / 8.2),
        "factorial(4)": 24.0,
        "ln(3)": math.log(3),
        "log10(50)": math.log10(50),
        "log(2, 8)": 3.0,
        "root(3, 5)": 5 ** (1 / 3),
        "root(4, 5)": 5**0.25,
        "sqr(3)": 9.0,
        "2^0.5": math.sqrt(2),
        "exponentiale": math.e,
        "pi": math.pi,
        "avogadro": 6.02214179e23,
        "quotient(-7, 2)": -3.0,
        "rem(-7, 2)": -1.0,
        "max(1, 5, 3)": 5.0,
        "min(4, 2, 3)": 2.0,
        "piecewise(1, 3 < 2, 2, 2 < 3, 3)": 2.0,
        "piecewise(1, gt(2, 1, 2), 3)": 3.0,
        "plus()": 0.0,
        "times()": 1.0,
        "and()": 1.0,
        "or()": 0.0,
        "1/0": math.inf,
        "0/0": math.nan,
        "3e-5": 3e-5,
        "(1/3)": 1 / 3,
    }
    lines = [f"parameter p{k}\ninitial p{k} = {text}" for k, text in enumerate(closed)]
    row = run(sbml("\n".join(lines)), [0.0]).iloc[0]
    np.testing.assert_allclose(row, list(closed.values()), rtol=2e-15)


def test_a_rate_of_concentration_in_a_growing_compartment(sbml, run):
    # The rule gives the concentration's rate; the amount grows with the compartment as well.
    text = sbml("""
        compartment c = 0.5 variable
        species S in c concentration=0 boundary
        parameter x variable
        rate S = 0.4
        rate c = 0.2
        assign x = S""")
    table = run(text, np.linspace(0, 1, 11))
    t = table.index.to_numpy()
    np.testing.assert_allclose(table["x"], 0.4 * t, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(table["S"], 0.4 * t * (0.5 + 0.2 * t), rtol=1e-9, atol=1e-12)


def test_an_equation_of_time_makes_the_compartment_grow_under_a_rate(sbml, run):
    text = sbml("""
        compartment c variable
        species S in c concentration=2 boundary
        assign c = 1 + time^2
        rate S = -S""")
    table = run(text, [0.0, 1.0, 2.0])
    np.testing.assert_allclose(table["[S]"], 2 * np.exp(-table.index.to_numpy()), rtol=1e-8)


def test_a_constant_species_keeps_its_amount(sbml, run):
    table = run(
        sbml("compartment C = 1 variable\nspecies S in C concentration=1 constant\nrate C = 1"), [0.0, 1.0, 3.0]
    )
    np.testing.assert_allclose(table["S"], 1.0)
    np.testing.assert_allclose(table["[S]"], [1, 0.5, 0.25])


def test_an_amount_needs_no_size(sbml, run):
    table = run(
        sbml("compartment c\nspecies S in c amount=1\nspecies B in c amount=1 only_substance\nreaction J: B -> ; B"),
        [0.0, 1.0],
    )
    assert list(table["S"]) == [1.0, 1.0]
    assert table["[S]"].isna().all()
    np.testing.assert_allclose(table["B"], [1, math.exp(-1)], rtol=1e-8)


def test_a_model_without_anything_that_moves(sbml, run):
    table = run(sbml("parameter p = 3\nparameter q variable\nparameter u\nassign q = p*time"), [0.0, 1.0, 2.0])
    assert list(table["q"]) == [0, 3, 6] and table["u"].isna().all()


def test_the_report_says_what_to_read(sbml):
    report = read_sbml(
        sbml("""
        compartment c = 2
        species A in c amount=3
        species B in c amount=3 only_substance
        species S_amount in c amount=1
        species S in c amount=1
        parameter t = 5
        reaction J: A + S -> B + S_amount ; A*t""")
    ).report
    assert (report.name("A"), report.amount("A"), report.concentration("A")) == ("A", "A_amount", "A")
    assert (report.name("B"), report.amount("B"), report.concentration("B")) == ("B", "B", "B_concentration")
    assert report.amount("S") == "S_amount_" and report.concentration("S_amount") == "S_amount"
    assert report.name("t") == "t_"
    assert (report.level, report.version) == (3, 2)


def test_parameters_can_be_changed(sbml):
    text = "compartment c = 2\nspecies A in c amount=3\nparameter k = 0.5\nreaction J: A -> ; k*A*c*f ; local f=1"
    model = read_sbml(sbml(text))
    changed = simulate(model.with_values({"k": 1.0, "J_f": 2.0}), [0.0, 1.0], rtol=1e-10, outputs=["A_amount"]).table
    np.testing.assert_allclose(changed["A_amount"], [3, 3 * math.exp(-2)], rtol=1e-8)
    assert model.parameters["k"].value == 0.5 and model.report.level == 3


def test_units_are_read(sbml):
    text = sbml("parameter k = 1").replace(
        "<listOfParameters>",
        '<listOfUnitDefinitions><unitDefinition id="u"><listOfUnits>'
        '<unit kind="mole" exponent="1" scale="-3" multiplier="1"/><unit kind="litre" exponent="-1" scale="0" multiplier="1"/>'
        '<unit kind="second" exponent="-1" scale="0" multiplier="60"/></listOfUnits></unitDefinition></listOfUnitDefinitions>'
        "<listOfParameters>",
    )
    model = read_sbml(
        text.replace('id="k"', 'id="k" units="u"').replace('<model id="m"', '<model id="m" timeUnits="second"')
    )
    assert model.parameters["k"].unit == "mmol/L/min"
    assert model.time_unit == "s"


def test_missing_mathematics_is_left_out(sbml, run):
    text = sbml("parameter p = 3 variable\nparameter q = 1 variable\nassign p = 7\nevent E: time > 0.5 ; q = 2")
    text = text.replace(
        '<math xmlns="http://www.w3.org/1998/Math/MathML">\n          <cn type="integer"> 7 </cn>\n        </math>', ""
    )
    assert "7" not in text
    table = run(text, [0.0, 1.0])
    assert list(table["p"]) == [3.0, 3.0] and list(table["q"]) == [1.0, 2.0]
    assert "has no mathematics" in read_sbml(text).report.ignored[0]


def test_algebraic_rules_that_are_linear_in_what_they_determine(sbml, run):
    text = sbml("""
        compartment c = 2
        species A in c concentration=3
        species B in c boundary
        parameter k = 0.5
        parameter x variable
        parameter y variable
        algebraic A + 2*B - 4
        algebraic x*k - y + time
        algebraic 3*y - B
        reaction J: A -> ; k*A*c""")
    table = run(text, [0.0, 1.0, 2.0])
    t = table.index.to_numpy()
    B = (4 - 3 * np.exp(-0.5 * t)) / 2
    np.testing.assert_allclose(table["[B]"], B, rtol=1e-8)
    np.testing.assert_allclose(table["y"], B / 3, rtol=1e-8)
    np.testing.assert_allclose(table["x"], (B / 3 - t) / 0.5, rtol=1e-8)


COMP = """<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"
  xmlns:comp="http://www.sbml.org/sbml/level3/version1/comp/version1" comp:required="true">
<model id="top"><listOfParameters><parameter id="tc" value="60" constant="true"/><parameter id="k" value="3" constant="true">
<comp:listOfReplacedElements><comp:replacedElement comp:idRef="k" comp:submodelRef="A"/></comp:listOfReplacedElements>
</parameter></listOfParameters><comp:listOfSubmodels>
<comp:submodel comp:id="A" comp:modelRef="M" comp:timeConversionFactor="tc"/><comp:submodel comp:id="B" comp:modelRef="M"/>
</comp:listOfSubmodels></model><comp:listOfModelDefinitions><comp:modelDefinition id="M">
<listOfParameters><parameter id="x" value="4" constant="false"/><parameter id="k" value="0.1" constant="true"/></listOfParameters>
<listOfRules><rateRule variable="x"><math xmlns="http://www.w3.org/1998/Math/MathML">
<apply><times/><cn> -1 </cn><ci>k</ci><ci>x</ci></apply></math></rateRule></listOfRules>
</comp:modelDefinition></comp:listOfModelDefinitions></sbml>"""


def test_a_hierarchical_model_is_flattened(run):
    table = run(COMP, [0.0, 1.0])
    np.testing.assert_allclose(table.loc[1.0, ["A__x", "B__x"]], [4 * math.exp(-3 / 60), 4 * math.exp(-0.1)], rtol=1e-8)


def test_a_rounded_quotient_is_that_of_the_division_in_both_engines(sbml) -> None:
    """3 divided by 3 is 1, and 3 times a third of a cycle may be less (a cycle of 2.1: 6.3 / 2.1)."""
    model = read_sbml(
        sbml(
            "parameter c = 2.1\nparameter y = 0 variable\nparameter n = 0 variable\nrate y = c - 1\nassign n = floor(time/c)"
        )
    )
    times = np.array([0.0, *(2.1 * k for k in range(1, 40))])
    ours = Ensemble(model, ["n"], threads=1, cache=False).run(1, times).values[0, :, 0]
    assert list(ours) == list(np.floor(times / 2.1))


@pytest.mark.parametrize("rate", ["1 - sqrt(x)", "1 - x^k", "1 - (x + y)^k"])
def test_courses_leave_a_point_where_their_slope_is_infinite(sbml, rate):
    """The derivative of a root is infinite at 0; of x' = 1 - sqrt(x) from 0 it is known that t = -2 (sqrt(x) + ln(1 - sqrt(x)))."""
    model = read_sbml(sbml(f"parameter x = 0 variable\nparameter y = 0\nparameter k = 0.5\nrate x = {rate}"))
    times = [0.0, 0.01, 1.0, 5.0]
    courses = [simulate(model, times, method=method, rtol=1e-8, atol=1e-11).table["x"] for method in METHODS]
    courses.append(Ensemble(model, ["x"], rtol=1e-8, atol=1e-11).run({"k": [0.5]}, times).values[0, :, 0])
    for course in courses:
        root = np.sqrt(course)
        np.testing.assert_allclose(-2 * (root + np.log1p(-root)), times, rtol=1e-5)
