"""Flux balance of SBML: optima that a pencil gives, ranges of fluxes, bounds of both versions and from rules, what is refused."""

import json
import math

import pytest
from commands import carry_out

from betapod import read_sbml, solve_flux_balance
from betapod.base.errors import ExchangeError, SolverError

V1, V2 = (f"http://www.sbml.org/sbml/level3/version1/fbc/version{k}" for k in (1, 2))
BOUNDS = {"zero": 0.0, "ten": 10.0, "four": 4.0, "free": math.inf}


def network(fluxes, goal="maximize", weights={"out": 1.0}, version=2, more="", bounds=BOUNDS, strict="true"):  # noqa: B006
    """Write a network; each flux is name: (made, taken, lower, upper) with stoichiometries by species."""
    species = dict.fromkeys(name for made, taken, *_ in fluxes.values() for name in (*made, *taken))
    number = lambda value: "INF" if value == math.inf else value  # noqa: E731
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?><sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"'
    ]
    parts += [f' xmlns:fbc="{V1 if version == 1 else V2}" fbc:required="false">']
    parts += [f"<model{' fbc:strict=' + chr(34) + strict + chr(34) if version == 2 else ''}>"]
    parts += ['<listOfCompartments><compartment id="c" constant="true" size="1"/></listOfCompartments><listOfSpecies>']
    line = '<species id="{}" compartment="c" hasOnlySubstanceUnits="false" boundaryCondition="{}" constant="false"/>'
    parts += [line.format(name, str(name.startswith("X")).lower()) for name in species]
    parts += ["</listOfSpecies><listOfParameters>"]
    parts += [
        f'<parameter id="{name}" value="{number(value)}" constant="{str(strict).lower()}"/>'
        for name, value in bounds.items()
    ]
    parts += [f"</listOfParameters>{more}<listOfReactions>"]
    for name, (made, taken, low, high) in fluxes.items():
        own = f' fbc:lowerFluxBound="{low}" fbc:upperFluxBound="{high}"' if version == 2 else ""
        parts += [f'<reaction id="{name}" reversible="false" fast="false"{own}>']
        for kind, side in (("Reactants", taken), ("Products", made)):
            refs = [f'<speciesReference species="{s}" stoichiometry="{v}" constant="true"/>' for s, v in side.items()]
            parts += [f"<listOf{kind}>{''.join(refs)}</listOf{kind}>"] if refs else []
        parts += ["</reaction>"]
    parts += ["</listOfReactions>"]
    if version == 1:
        limits = (
            (n, way, end)
            for n, flux in fluxes.items()
            for way, end in zip(("greaterEqual", "lessEqual"), flux[2:], strict=True)
        )
        rows = [
            f'<fbc:fluxBound fbc:reaction="{n}" fbc:operation="{way}" fbc:value="{number(bounds[end])}"/>'
            for n, way, end in limits
        ]
        parts += [f"<fbc:listOfFluxBounds>{''.join(rows)}</fbc:listOfFluxBounds>"]
    terms = [f'<fbc:fluxObjective fbc:reaction="{n}" fbc:coefficient="{w}"/>' for n, w in weights.items()]
    parts += [
        f'<fbc:listOfObjectives fbc:activeObjective="best"><fbc:objective fbc:id="best" fbc:type="{goal}"><fbc:listOfFluxObjectives>'
    ]
    parts += [*terms, "</fbc:listOfFluxObjectives></fbc:objective></fbc:listOfObjectives></model></sbml>"]
    return "".join(parts)


#: Ten come in, two ways lead to B, one of them for two B from an A and no more than four; a B goes out, X may be had for nothing.
TWO_WAYS = {
    "in": ({"A": 1}, {}, "zero", "ten"),
    "rich": ({"B": 2}, {"A": 1, "X": 1}, "zero", "four"),
    "poor": ({"B": 1}, {"A": 1}, "zero", "free"),
    "out": ({}, {"B": 1}, "zero", "free"),
}


@pytest.mark.parametrize("version", [1, 2])
def test_optimum_of_two_ways(version):
    balance = solve_flux_balance(network(TWO_WAYS, version=version))
    assert (balance.objective, balance.goal, balance.open) == ("best", "maximize", [])
    assert balance.value == pytest.approx(14.0)
    assert balance.table["flux"].tolist() == pytest.approx([10.0, 4.0, 6.0, 14.0])
    assert balance.table["upper"].tolist() == [10.0, 4.0, math.inf, math.inf]


def test_what_an_optimum_leaves_open_has_a_range():
    ways = {**TWO_WAYS, "rich": ({"B": 1}, {"A": 1}, "zero", "four")}
    table = solve_flux_balance(network(ways)).table
    assert table.loc["rich", ["least", "most"]].tolist() == pytest.approx([0.0, 4.0])
    assert table.loc["poor", ["least", "most"]].tolist() == pytest.approx([6.0, 10.0])
    assert table.loc["out", ["least", "most"]].tolist() == pytest.approx([10.0, 10.0])
    round_about = {**TWO_WAYS, "back": ({"A": 1}, {"B": 1}, "zero", "free")}
    balance = solve_flux_balance(network(round_about))
    assert balance.open == ["poor", "back"] and balance.table.loc["back", "most"] == math.inf


def test_bounds_of_the_start_come_from_rules():
    rule = """<listOfInitialAssignments><initialAssignment symbol="four"><math xmlns="http://www.w3.org/1998/Math/MathML">
    <apply><plus/><ci>ten</ci><cn>-8</cn></apply></math></initialAssignment></listOfInitialAssignments>"""
    assert solve_flux_balance(network(TWO_WAYS, more=rule, strict="false")).value == pytest.approx(12.0)


def test_least_of_a_cost():
    needed = {**TWO_WAYS, "out": ({}, {"B": 1}, "four", "free")}
    balance = solve_flux_balance(network(needed, "minimize", {"rich": 3.0, "poor": 1.0}))
    assert balance.value == pytest.approx(4.0) and balance.table["flux"]["poor"] == pytest.approx(4.0)


def test_no_optimum_is_said():
    starved = {**TWO_WAYS, "out": ({}, {"B": 1}, "ten", "free"), "in": ({"A": 1}, {}, "zero", "zero")}
    with pytest.raises(SolverError, match="no fluxes lie within all bounds") as caught:
        solve_flux_balance(network(starved))
    assert caught.value.kinds == ("no-fluxes",)
    with pytest.raises(SolverError, match="nothing bounds the objective best"):
        solve_flux_balance(network({**TWO_WAYS, "in": ({"A": 1}, {}, "zero", "free")}))


def test_read_sbml_names_the_way_out():
    with pytest.raises(ExchangeError, match="no course in time") as caught:
        read_sbml(network(TWO_WAYS))
    assert "solve_flux_balance" in caught.value.problems[0].hint
    with pytest.raises(ExchangeError, match="the bounds of the flux in leave nothing between them"):
        solve_flux_balance(network({**TWO_WAYS, "in": ({"A": 1}, {}, "ten", "zero")}, strict="false"))


def test_the_command_prints_the_optimum(tmp_path):
    file = tmp_path / "ways.xml"
    file.write_text(network(TWO_WAYS), encoding="utf-8")
    document = json.loads(carry_out("simulate", file, "--json").stdout)["flux_balance"]
    assert document["value"] == pytest.approx(14.0) and document["reactions"][1]["flux"] == pytest.approx(4.0)
    assert document["reactions"][2]["upper"] is None
    lines = carry_out("simulate", file, "--wide").stdout.splitlines()
    assert next(line for line in lines if line.startswith("in ")).split() == ["in", "10", "10", "10", "0", "10"]
    assert lines[-1] == "best = 14, the largest that the bounds allow; fluxes in 1"
    wrong = carry_out("simulate", file, "--years", 3, "--set", "a=1")
    assert wrong.returncode == 2 and "--years has no place" in wrong.stderr and "--set has no place" in wrong.stderr
