"""Problems of PEtab: published cases, gradients, priors, periods of version 2, fits, and what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from commands import carry_out

from betapod.base.errors import BetapodError, SolverError
from betapod.exchange.petab.petab_example import write_petab_example
from betapod.exchange.petab.petab_fit import fit_petab
from betapod.exchange.petab.petab_objective import PetabObjective, _log_prior
from betapod.exchange.petab.petab_problem import PetabParameter, PetabPrior, PetabProblem
from betapod.exchange.petab.petab_reader import read_petab
from betapod.exchange.petab.petab_writer import petab_parameter_table

#: Two amounts that turn into each other, A to B at k1 and back at k2, from a0 and b0.
MODEL = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"><model id="conversion">
<listOfCompartments><compartment id="box" size="1" constant="true" spatialDimensions="3"/></listOfCompartments>
<listOfSpecies>
<species id="A" compartment="box" initialConcentration="1" hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"/>
<species id="B" compartment="box" initialConcentration="0" hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"/>
</listOfSpecies>
<listOfParameters><parameter id="k1" value="0.8" constant="true"/><parameter id="k2" value="0.6" constant="true"/></listOfParameters>
<listOfReactions>
<reaction id="there" reversible="false" fast="false"><listOfReactants><speciesReference species="A" stoichiometry="1" constant="true"/></listOfReactants>
<listOfProducts><speciesReference species="B" stoichiometry="1" constant="true"/></listOfProducts>
<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>box</ci><ci>k1</ci><ci>A</ci></apply></math></kineticLaw></reaction>
<reaction id="back" reversible="false" fast="false"><listOfReactants><speciesReference species="B" stoichiometry="1" constant="true"/></listOfReactants>
<listOfProducts><speciesReference species="A" stoichiometry="1" constant="true"/></listOfProducts>
<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>box</ci><ci>k2</ci><ci>B</ci></apply></math></kineticLaw></reaction>
</listOfReactions></model></sbml>
"""
FIRST = """format_version: 1
parameter_file: parameters.tsv
problems:
  - {sbml_files: [model.xml], condition_files: [conditions.tsv], observable_files: [observables.tsv], measurement_files: [measurements.tsv]}
"""
SECOND = """format_version: 2.0.0
parameter_files: [parameters.tsv]
model_files: {conversion: {location: model.xml, language: sbml}}
condition_files: [conditions.tsv]
experiment_files: [experiments.tsv]
observable_files: [observables.tsv]
measurement_files: [measurements.tsv]
"""


def write(folder: Path, problem: str, model: str = MODEL, **tables: str) -> PetabProblem:
    """Write a problem whose tables have blanks between cells, and read it."""
    (folder / "model.xml").write_text(model)
    (folder / "problem.yaml").write_text(problem)
    for name, text in tables.items():
        cells = [line.split() for line in text.strip().splitlines()]
        rows = ["\t".join([*row, *[""] * (len(cells[0]) - len(row))]) for row in cells]
        (folder / f"{name}.tsv").write_text("\n".join(rows) + "\n")
    return read_petab(folder / "problem.yaml")


def amount(t: float, a: float, b: float, k1: float, k2: float) -> float:
    """A of the conversion after a time."""
    return (k2 * (a + b) + (k1 * a - k2 * b) * math.exp(-(k1 + k2) * t)) / (k1 + k2)


PARAMETERS = """parameterId parameterScale lowerBound upperBound nominalValue estimate
k1 lin 0 10 0.8 1
k2 lin 0 10 0.6 1
"""


def test_a_published_case(tmp_path: Path) -> None:
    """Case 0001 of the test suite of PEtab: the values of its solution; `benchmarks/petab_suite.py` has all cases."""
    problem = write(
        tmp_path,
        FIRST,
        parameters=PARAMETERS,
        conditions="conditionId\nc0",
        observables="observableId observableFormula noiseFormula\nobs_a A 0.5",
        measurements="observableId simulationConditionId time measurement\nobs_a c0 0 0.7\nobs_a c0 10 0.1",
    )
    at = PetabObjective(problem, 1)()
    assert at.llh == pytest.approx(-0.84750169713188, abs=1e-9)
    assert at.chi2 == pytest.approx(0.79183798368486, abs=1e-9)
    assert at.simulated == pytest.approx([1.0, 0.42857190373069665], abs=1e-9)


#: A problem with all that matters: a steady state first, a start by a parameter, placeholders, scales, noise that depends, a steady state at the end.
RICH = {
    "parameters": """parameterId parameterScale lowerBound upperBound nominalValue estimate objectivePriorType objectivePriorParameters
k1 log10 0.01 10 0.8 1 parameterScaleNormal -0.1;0.2
k2 lin 0 10 0.6 1 normal 0.5;0.1
start lin 0 10 1.5 1 laplace 1;0.5
scale log 0.1 10 2 1 logNormal 0.7;0.3
noise lin 0.01 1 0.2 1
fixed lin 0 1 0.3 0""",
    "conditions": "conditionId k1 A B\nbefore fixed 1 0\nafter k1_other start NaN\nalone 0.8 start 0.25",
    "observables": """observableId observableFormula observableTransformation noiseFormula noiseDistribution
share observableParameter1_share*A/(A+B) log noise normal
both observableParameter1_both*A+B^2 lin noise*(1+A) laplace""",
    "measurements": """observableId preequilibrationConditionId simulationConditionId time measurement observableParameters
share before after 0 1.2 scale
share before after 1 0.9 scale
both before after 3 1.1 2.5
both NaN alone 2 1.3 scale
share NaN alone inf 0.8 scale""",
}


def rich(folder: Path) -> PetabProblem:
    tables = {name: text.replace("k1_other", "k2") for name, text in RICH.items()}
    tables["parameters"] = tables["parameters"].replace("k1 log10", "k9 log10").replace("k2 lin", "k2 lin")
    tables["observables"] = tables["observables"].replace("B^2", "B^2*k9")
    return write(folder, FIRST, **tables)


@pytest.fixture(scope="module")
def objective(tmp_path_factory: pytest.TempPathFactory) -> PetabObjective:
    return PetabObjective(rich(tmp_path_factory.mktemp("rich")), 1)


def test_a_rich_problem_is_its_closed_form(objective: PetabObjective) -> None:
    at = objective()
    total = 1.5 + 0.3 / 0.9
    b = 1.0 * 0.3 / (0.3 + 0.6)
    total = 1.5 + b
    a1, a3 = (amount(t, 1.5, b, 0.6, 0.6) for t in (1.0, 3.0))
    alone, last = amount(2.0, 1.5, 0.25, 0.8, 0.6), 0.6 / 1.4
    expected = [
        2 * 1.5 / total, 2 * a1 / total, 2.5 * a3 + (total - a3) ** 2 * 0.8,
        2 * alone + (1.75 - alone) ** 2 * 0.8, 2 * last,
    ]  # fmt: skip
    np.testing.assert_allclose(at.simulated, expected, rtol=1e-7)
    measured = [1.2, 0.9, 1.1, 1.3, 0.8]
    noise = [0.2, 0.2, 0.2 * (1 + a3), 0.2 * (1 + alone), 0.2]
    logs = [0, 1, 4]
    residuals = [
        (math.log(m / y) if k in logs else m - y) / s
        for k, (m, y, s) in enumerate(zip(measured, expected, noise, strict=True))
    ]
    llh = sum(
        -0.5 * math.log(2 * math.pi) - math.log(s) - r * r / 2 - math.log(m) if k in logs else -math.log(2 * s) - abs(r)
        for k, (m, s, r) in enumerate(zip(measured, noise, residuals, strict=True))
    )
    assert at.llh == pytest.approx(llh, abs=1e-6) and at.chi2 == pytest.approx(sum(r * r for r in residuals), abs=1e-6)


def test_the_gradient_is_that_of_central_differences(objective: PetabObjective) -> None:
    problem, exact = objective.problem, objective(slopes=True)
    assert exact.gradient is not None and exact.prior_gradient is not None
    for name in problem.estimated:
        row = problem.parameters[name]
        at, step = row.scaled(row.nominal), 1e-4
        ends = [objective({name: row.natural(at + sign * step)}) for sign in (1, -1)]
        assert exact.gradient[name] == pytest.approx((ends[0].llh - ends[1].llh) / (2 * step), rel=1e-5, abs=1e-6)
        by_prior = (ends[0].log_prior - ends[1].log_prior) / (2 * step)
        assert exact.prior_gradient[name] == pytest.approx(by_prior, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("kind", ["normal", "laplace", "uniform", "log-normal", "log-laplace", "log-uniform"])
def test_priors_are_densities(kind: str) -> None:
    first, second = (0.5, 2.5) if kind.endswith("uniform") else (0.4, 0.3)
    parameter = PetabParameter("p", 1.0, prior=PetabPrior(kind, first, second))
    places = np.geomspace(1e-6, 400.0, 40_001) if kind.startswith("log") else np.linspace(-8.0, 9.0, 40_001)
    density = [math.exp(_log_prior(parameter, float(x))[0]) for x in places]
    assert np.trapezoid(density, places) == pytest.approx(1.0, abs=2e-3)


def test_periods_of_version_2_hold_doses_and_changes(tmp_path: Path) -> None:
    problem = write(
        tmp_path,
        SECOND,
        parameters="parameterId lowerBound upperBound nominalValue estimate\nk1 0 10 0.8 true\ndose 0 10 2 true",
        conditions="conditionId targetId targetValue\nfirst A A+dose\nslow k1 0.1\nmore A A+2*dose\nmore B 0",
        experiments="experimentId time conditionId\ne 0 first\ne 1 slow\ne 2 more\nplain 0 NaN",
        observables="observableId observableFormula noiseFormula noiseDistribution noisePlaceholders\na A s log-normal s",
        measurements="observableId experimentId time measurement noiseParameters\na e 0 2.5 0.1\na e 1.5 1 0.1\na e 2 5 0.1\na e 3 4 0.2\na plain 1 0.6 0.1",
    )
    objective = PetabObjective(problem, 1)
    at = objective(slopes=True)
    one = amount(1.0, 3.0, 0.0, 0.8, 0.6)
    half, two = (amount(t, one, 3.0 - one, 0.1, 0.6) for t in (0.5, 1.0))
    expected = [3.0, half, two + 4.0, amount(1.0, two + 4.0, 0.0, 0.1, 0.6), amount(1.0, 1.0, 0.0, 0.8, 0.6)]
    np.testing.assert_allclose(at.simulated, expected, rtol=1e-7)
    assert at.gradient is not None
    for name in ("k1", "dose"):
        value, step = problem.parameters[name].nominal, 1e-4
        ends = [objective({name: value + sign * step}).llh for sign in (1, -1)]
        assert at.gradient[name] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-5, abs=1e-6)


def test_a_model_that_tells_the_time_keeps_its_clock_through_periods(tmp_path: Path) -> None:
    # A' = k*time, so that A grows by k*(t2^2 - t1^2)/2; the rate k is another one from time 2 on.
    sbml = (
        '<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model><listOfParameters>'
        '<parameter id="A" value="1" constant="false"/><parameter id="k" value="1" constant="true"/></listOfParameters>'
        '<listOfRules><rateRule variable="A"><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>k</ci>'
        '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">t</csymbol></apply></math></rateRule>'
        "</listOfRules></model></sbml>"
    )
    problem = write(
        tmp_path,
        SECOND,
        parameters="parameterId lowerBound upperBound nominalValue estimate\nfast 0 10 3 true",
        conditions="conditionId targetId targetValue\nslow k 1\nlater k fast",
        experiments="experimentId time conditionId\ne 0 slow\ne 2 later\nlate 4 later",
        observables="observableId observableFormula noiseFormula noiseDistribution\na A 1 normal",
        measurements="observableId experimentId time measurement\na e 1 1\na e 2 1\na e 5 1\na late 4 1\na late 6 1",
        model=sbml,
    )
    at = PetabObjective(problem, 1)(slopes=True)
    np.testing.assert_allclose(at.simulated, [1.5, 3.0, 3.0 + 1.5 * 21.0, 1.0, 1.0 + 1.5 * 20.0], rtol=1e-8)
    slopes = [0.0, 0.0, 10.5, 0.0, 10.0]
    expected = sum((1.0 - y) * slope for y, slope in zip(at.simulated, slopes, strict=True))
    assert at.gradient is not None and at.gradient["fast"] == pytest.approx(expected, rel=1e-7)


def test_a_fit_finds_the_truth(tmp_path: Path) -> None:
    seen = "\n".join(f"obs_a c0 {t} {amount(t, 1.0, 0.0, 1.3, 0.4)!r}" for t in (0.3, 1.0, 2.0, 5.0))
    problem = write(
        tmp_path,
        FIRST,
        parameters=PARAMETERS.replace("k1 lin 0 10", "k1 log10 0.01 10"),
        conditions="conditionId\nc0",
        observables="observableId observableFormula noiseFormula\nobs_a A 0.05",
        measurements=f"observableId simulationConditionId time measurement\n{seen}",
    )
    found = fit_petab(problem, starts=2, threads=1)
    assert found.best.values["k1"] == pytest.approx(1.3, rel=1e-4)
    assert found.best.values["k2"] == pytest.approx(0.4, rel=1e-4)
    assert found.agreeing == 2 and found.at_bounds == ()
    (tmp_path / "parameters.tsv").write_text(petab_parameter_table(problem, found.best.values))
    again = read_petab(tmp_path / "problem.yaml")
    assert again.nominal() == found.best.values and again.parameters["k1"].scale == "log10"


def test_what_grows_for_ever_has_no_steady_state(tmp_path: Path) -> None:
    problem = write(
        tmp_path,
        FIRST,
        parameters="parameterId parameterScale lowerBound upperBound nominalValue estimate\nk2 lin 0 10 0.6 1",
        conditions="conditionId k1\nc0 -0.7",
        observables="observableId observableFormula noiseFormula\nobs_a A 0.5",
        measurements="observableId simulationConditionId time measurement\nobs_a c0 inf 0.7",
    )
    with pytest.raises(SolverError):
        PetabObjective(problem, 1)()


@pytest.mark.parametrize(
    ("table", "old", "new", "words"),
    [
        ("measurements", "obs_a c0 1", "obs_b c0 1", "no observable 'obs_b'"),
        ("measurements", "obs_a c0 1", "obs_a c9 1", "no condition 'c9'"),
        ("measurements", "0.7", "high", "measurement is not a number"),
        ("observables", "A 0.5", "C 0.5", "the name C"),
        ("observables", "A 0.5", "A*( 0.5", "cannot be read"),
        ("observables", "A 0.5", "A noiseParameter1_obs_a", "noiseParameters of obs_a"),
        ("conditions", "conditionId", "conditionId k7", "no such parameter, species or compartment"),
        ("parameters", "k1 lin", "k1 ln", "no such scale"),
        ("parameters", "lin 0 10 0.8 1", "lin 10 0 0.8 1", "no range"),
    ],
)
def test_what_is_refused(tmp_path: Path, table: str, old: str, new: str, words: str) -> None:
    tables = {
        "parameters": PARAMETERS,
        "conditions": "conditionId\nc0",
        "observables": "observableId observableFormula noiseFormula\nobs_a A 0.5",
        "measurements": "observableId simulationConditionId time measurement\nobs_a c0 1 0.7",
    }
    tables[table] = tables[table].replace(old, new) + (" 1" if new.endswith("k7") else "")
    with pytest.raises(BetapodError, match=words):
        write(tmp_path, FIRST, **tables)


@pytest.mark.parametrize("more", ["extensions: {x: {version: '1', required: true}}\n", "mapping_files: [m.tsv]\n"])
def test_what_version_2_has_besides_is_refused(tmp_path: Path, more: str) -> None:
    with pytest.raises(BetapodError, match="not supported"):
        write(tmp_path, SECOND + more)


def test_the_command(tmp_path: Path) -> None:
    done = carry_out("petab", "new", tmp_path / "new")
    assert done.returncode == 0, done.stderr
    done = carry_out("petab", "evaluate", tmp_path / "new" / "problem.yaml", "--set", "k=0.5", "--gradient", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["chi2"] == pytest.approx(1.05232482903689, abs=1e-8)
    done = carry_out("petab", "fit", tmp_path / "new" / "problem.yaml", "--out", tmp_path / "found.tsv", "--quiet")
    assert done.returncode == 0 and "0.504894" in done.stdout, done.stdout + done.stderr
    assert "0.50489" in (tmp_path / "found.tsv").read_text()
    done = carry_out("petab", "evaluate", tmp_path / "new" / "problem.yaml", "--set", "kk=0.5")
    assert done.returncode == 2 and "'k'" in done.stderr
    with pytest.raises(BetapodError, match="not empty"):
        write_petab_example(tmp_path / "new")
