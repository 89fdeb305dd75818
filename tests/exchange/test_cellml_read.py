"""CellML import: versions, imports, units and operators against closed forms and libcellml's own program."""

import math
import types

import cellml_text as text
import libcellml
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import betapod
from betapod.engine.ensemble import Ensemble
from betapod.engine.schedule import Schedule, Switch
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.exchange.cellml.cellml_analysis import analyse_cellml
from betapod.exchange.cellml.cellml_files import open_files

VERSIONS = ("1.0", "1.1", "2.0")
UNITS = """<units name="minute"><unit units="second" multiplier="60"/></units>
<units name="per_minute"><unit units="minute" exponent="-1"/></units>
<units name="mM"><unit units="mole" prefix="milli"/><unit units="litre" exponent="-1"/></units>
<units name="uM"><unit units="mole" prefix="micro"/><unit units="litre" exponent="-1"/></units>"""
PLASMA = "t minute out\ndrug mM = 2 out\nk per_minute = 0.1"
TISSUE = "t second in\ndrug uM in\nexcess uM\nseen uM = 0"


def two_components(version):
    """Return a drug that one component clears and another follows in other units of amount and time."""
    plasma = text.component("plasma", PLASMA, "drug' = -k*drug", version=version)
    tissue = text.component("tissue", TISSUE, "excess = drug - 100", "seen' = drug", version=version)
    return text.model(
        UNITS, plasma, tissue, text.connection("plasma", "tissue", "t", "drug", version=version), version=version
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_connected_components_in_other_units(version):
    model = betapod.read_cellml(two_components(version))
    assert f"{model.report.level}.{model.report.version}" == version
    assert model.time_unit == "min" and (model.units["drug"], model.units["excess"]) == ("mM", "uM")
    assert model.report.name("tissue.drug") == "drug" and model.report.name("plasma.t") == "t"
    times = np.linspace(0, 30, 7)
    table = simulate(model, times, outputs=["drug", "excess", "seen"], rtol=1e-10, atol=1e-13).table
    drug = 2 * np.exp(-0.1 * times)
    np.testing.assert_allclose(table["drug"], drug, rtol=1e-8)
    np.testing.assert_allclose(table["excess"], 1000 * drug - 100, rtol=1e-7)
    # The rate is that of a second, and time runs in minutes.
    np.testing.assert_allclose(table["seen"], 60 * 1000 * (2 - drug) / 0.1, rtol=1e-7)
    assert model.parameters["k"].role == "imported" and not model.parameters["k"].source


def test_both_engines_agree_with_the_program_that_libcellml_writes():
    source = text.model(
        text.component(
            "cell",
            "t second\nx dimensionless = -1.5\ny dimensionless = 0.1\nstimulus dimensionless\ncurrent dimensionless",
            "stimulus = piecewise(0.8, ((t >= 5) && (t < 8)) || (t > 20), 0.1, x > 1, 0.3)",
            "current = x - x^3/3 - y + stimulus",
            "x' = current",
            "y' = 0.08*(x + 0.7 - 0.8*y)",
        )
    )
    model = betapod.read_cellml(source)
    result = analyse_cellml(open_files(source)).result
    profile = libcellml.GeneratorProfile(libcellml.GeneratorProfile.Profile.PYTHON)
    program = types.ModuleType("program")
    exec(libcellml.Generator().implementationCode(result, profile), program.__dict__)  # noqa: S102
    start, rates = program.create_states_array(), program.create_states_array()
    rest = (program.create_constants_array(), program.create_computed_constants_array())
    algebraic = program.create_algebraic_variables_array()
    program.initialise_arrays(start, rates, *rest, algebraic)

    def change(time, states):
        program.compute_rates(time, states, rates, *rest, algebraic)
        return list(rates)

    times, states = [0.0], [list(start)]
    for low, high in ((0.0, 5.0), (5.0, 8.0), (8.0, 20.0), (20.0, 40.0)):
        inside = np.linspace(low, high, 9)[1:]
        # A step before the jump is not one after it.
        solution = solve_ivp(
            change, (low, high - 1e-9), states[-1], t_eval=np.minimum(inside, high - 1e-9), rtol=1e-10, atol=1e-12
        )
        times += list(inside)
        states += solution.y.T.tolist()
    names = [f"{info['component']}.{info['name']}" for info in program.STATE_INFO]
    columns = [model.report.name(name) for name in names]
    table = simulate(model, times, outputs=columns, rtol=1e-10, atol=1e-12).table
    np.testing.assert_allclose(table[columns], states, rtol=1e-6, atol=1e-7)
    values = Ensemble(model, columns, width=1, threads=1, rtol=1e-9, atol=1e-12).run(1, times).values[0]
    np.testing.assert_allclose(values, states, rtol=1e-6, atol=1e-7)


OPERATORS = {
    "x + y - 2*x*y/3": 0.4 + 0.7 - 2 * 0.4 * 0.7 / 3,
    "-x^y": -(0.4**0.7),
    "sqrt(x) + root(3, y)": math.sqrt(0.4) + 0.7 ** (1 / 3),
    "exp(x) + ln(y) + log10(y) + log(2, x)": math.exp(0.4) + math.log(0.7) + math.log10(0.7) + math.log2(0.4),
    "abs(-x) + floor(7*x) + ceil(7*x)": 0.4 + 2 + 3,
    "sin(x) + cos(x) + tan(x)": math.sin(0.4) + math.cos(0.4) + math.tan(0.4),
    "sec(x) + csc(x) + cot(x)": 1 / math.cos(0.4) + 1 / math.sin(0.4) + 1 / math.tan(0.4),
    "sinh(x) + cosh(x) + tanh(x)": math.sinh(0.4) + math.cosh(0.4) + math.tanh(0.4),
    "sech(x) + csch(x) + coth(x)": 1 / math.cosh(0.4) + 1 / math.sinh(0.4) + 1 / math.tanh(0.4),
    "arcsin(x) + arccos(x) + arctan(x)": math.asin(0.4) + math.acos(0.4) + math.atan(0.4),
    "arcsinh(x) + arccosh(1 + x) + arctanh(x)": math.asinh(0.4) + math.acosh(1.4) + math.atanh(0.4),
    "arcsec(1/x) + arccsc(1/x) + arccot(1/x)": math.acos(0.4) + math.asin(0.4) + math.atan(0.4),
    "arcsech(x) + arccsch(1/x) + arccoth(1/x)": math.acosh(2.5) + math.asinh(0.4) + math.atanh(0.4),
    "min(x, y, 0.5) + max(x, y, 0.5)": 0.4 + 0.7,
    "rem(7*y, x)": math.fmod(4.9, 0.4),
    "piecewise(1, x > y, 2, x == 0.4, 3)": 2.0,
    "piecewise(1, (x < y) && !(x >= y), 3)": 1.0,
    "piecewise(1, xor(x <= y, y != x), 3)": 3.0,
    "pi + exponentiale": math.pi + math.e,
    "1.5e-3 + 2E+2": 200.0015,
}


def test_every_operator():
    names = [f"v{k}" for k in range(len(OPERATORS))]
    variables = "t second\ns dimensionless = 1\nx dimensionless = 0.4\ny dimensionless\n"
    equations = [f"{name} = {formula} + 0*s" for name, formula in zip(names, OPERATORS, strict=True)]
    source = text.component(
        "all",
        variables + "\n".join(f"{name} dimensionless" for name in names),
        "y = 0.7",
        "s' = 1",
        *equations,
    )
    table = simulate(betapod.read_cellml(text.model(source)), [0.0, 1.0], outputs=names).table
    np.testing.assert_allclose(table.iloc[0][names].to_numpy(float), list(OPERATORS.values()), rtol=1e-12)


def test_initial_values_that_other_variables_give_in_other_units():
    start = text.component(
        "start", "amount uM = 5000 out\nhalf mM\ndrug uM = amount out\nt second out", "half = amount/2"
    )
    follow = text.component("follow", "t second in\ndrug mM in\namount mM in", "drug' = -amount/10")
    model = betapod.read_cellml(
        text.model(UNITS, start, follow, text.connection("start", "follow", "t", "drug", "amount"))
    )
    table = simulate(model, [0.0, 4.0], outputs=["drug"], rtol=1e-10, atol=1e-13).table
    scale = 1000.0 if model.units["drug"] == "uM" else 1.0
    np.testing.assert_allclose(table["drug"] / scale, [5.0, 5.0 - 4.0 * 5.0 / 10], rtol=1e-9)


def test_what_equations_make_constant_is_a_parameter_and_parameters_become_inputs():
    source = text.model(text.component("a", "t second\nx dimensionless = 0\nk dimensionless", "k = 2", "x' = k"))
    model = betapod.read_cellml(source)
    assert model.parameters["k"].value == 2.0 and not model.inputs
    switched = model.with_values({"k": 3.0}).with_inputs(["k"])
    table = simulate(switched, [0.0, 1.0, 3.0], Schedule((), [Switch("k", 5.0, 1.0)])).table
    np.testing.assert_allclose(table["x"], [0.0, 3.0, 13.0], rtol=1e-6)
    assert betapod.read_cellml(source, inputs=["k"]).inputs["k"].value == 2.0


def test_relations_are_solved_for_the_one_variable_in_which_they_are_linear():
    rate = "<apply><diff/><bvar><ci>t</ci></bvar><ci>z</ci></apply>"
    linear = text.component(
        "a", "t second\nx dimensionless = 1\ny dimensionless\nz dimensionless = 4", "2*y + x = 7", "x' = 1"
    )
    linear = linear.replace("</math>", f"<apply><eq/><apply><plus/>{rate}<ci>y</ci></apply><ci>x</ci></apply></math>")
    table = simulate(betapod.read_cellml(text.model(linear)), [0.0, 2.0], outputs=["y", "z"], rtol=1e-10).table
    # y = (7 - x)/2 with x = 1 + t, and dz/dt = x - y
    np.testing.assert_allclose(table["y"], [3.0, 2.0], rtol=1e-9)
    np.testing.assert_allclose(table["z"], [4.0, 4.0 - 2 * 2.0 + 1.5 * 2.0**2 / 2], rtol=1e-8)


def test_names_of_several_components_have_their_component_before_them():
    parts = [
        text.component(
            name, f"t second {way}\nx dimensionless = {k}\nonly_{name} dimensionless", "x' = 1", f"only_{name} = x"
        )
        for k, (name, way) in enumerate((("a", "out"), ("b", "in")))
    ]
    model = betapod.read_cellml(text.model(*parts, text.connection("a", "b", "t")))
    assert model.state_names == ("a_x", "b_x") and set(model.assignments) == {"only_a", "only_b"}
    assert model.report.name("b.x") == "b_x"
    with pytest.raises(betapod.errors.ExchangeError, match=r"'b\.y'"):
        model.report.name("b.y")


@pytest.mark.parametrize("version", ["1.1", "2.0"])
def test_imports_from_files_beside(tmp_path, version):
    units = text.model(UNITS, version=version)
    plasma = text.model(
        '<import xlink:href="../units.cellml"><units name="minute" units_ref="minute"/><units name="mM" units_ref="mM"/>'
        '<units name="per_minute" units_ref="per_minute"/></import>',
        text.component("central", PLASMA, "drug' = -k*drug", version=version),
        version=version,
    )
    main = text.model(
        '<import xlink:href="parts/plasma.cellml"><component name="plasma" component_ref="central"/></import>',
        '<import xlink:href="units.cellml"><units name="uM" units_ref="uM"/></import>',
        text.component("tissue", TISSUE, "excess = drug - 100", "seen' = drug", version=version),
        text.connection("plasma", "tissue", "t", "drug", version=version),
        version=version,
    )
    (tmp_path / "parts").mkdir()
    (tmp_path / "units.cellml").write_text(units)
    (tmp_path / "parts" / "plasma.cellml").write_text(plasma)
    (tmp_path / "main.cellml").write_text(main)
    model = betapod.read_cellml(tmp_path / "main.cellml")
    flat = betapod.read_cellml(two_components(version))
    times = [0.0, 10.0, 20.0]
    names = ["drug", "excess", "seen"]
    assert model.units["drug"] == "mM"
    np.testing.assert_array_equal(
        simulate(model, times, outputs=names).table, simulate(flat, times, outputs=names).table
    )
    assert model.with_inputs(["k"]).inputs["k"].value == 0.1


def test_details_of_older_files_that_say_nothing_of_the_mathematics():
    source = """<model name="old" cmeta:id="old" xmlns="http://www.cellml.org/cellml/1.1#"
        xmlns:cmeta="http://www.cellml.org/metadata/1.0#" xmlns:cellml="http://www.cellml.org/cellml/1.0#">
      <documentation xmlns="http://cellml.org/tmp-documentation"><title>Decay</title></documentation>
      <component name="environment"><units name="ms"><unit units="second" prefix="milli"/></units>
        <variable name="t" units="ms" initial_value="1" public_interface="out"/></component>
      <component name="a"><units name="ms"><unit units="second" prefix="milli"/></units>
        <units name="rate"><unit units="ms" exponent="-1"/></units>
        <variable name="t" units="ms" public_interface="in"/><variable name="idle" units="ms"/>
        <variable name="x" units="dimensionless" initial_value="1"/>
        <math xmlns="http://www.w3.org/1998/Math/MathML" cmeta:id="m"><apply cmeta:id="e"><eq/>
          <apply><diff/><bvar><ci>t</ci></bvar><ci> x </ci></apply>
          <apply><times/><cn cellml:units="rate"> -2e-1 </cn><ci>x</ci></apply></apply></math></component>
      <connection><map_components component_1="environment" component_2="a"/>
        <map_variables variable_1="t" variable_2="t"/></connection>
    </model>"""
    model = betapod.read_cellml(source)
    assert model.report.ignored == ("The variable idle of a has no value, and nothing uses it.",)
    assert model.report.notes == ("Time starts from 0, not from the 1 that the file gives t.",)
    table = simulate(model, [0.0, 5.0], rtol=1e-10).table
    np.testing.assert_allclose(table["x"], [1.0, math.exp(-1.0)], rtol=1e-8)


def test_units_of_components_that_mean_different_things():
    definition = '<units name="u"><unit units="mole" prefix="{}"/></units>'
    parts = [
        text.component(name, f"t second {way}\n{name}x u = 1", f"{name}x' = 0", version="1.0").replace(
            "<variable", definition.format(prefix) + "<variable", 1
        )
        for name, way, prefix in (("a", "out", "milli"), ("b", "in", "micro"))
    ]
    model = betapod.read_cellml(text.model(*parts, text.connection("a", "b", "t", version="1.0"), version="1.0"))
    assert (model.units["ax"], model.units["bx"]) == ("mmol", "umol")


def test_units_that_disagree_or_cannot_be_expressed_are_told():
    units = '<units name="beat" base_units="yes"/><units name="odd"><unit units="metre" multiplier="0.7"/></units>'
    source = text.component("a", "t second\nx odd = 1\ny beat", "x' = x", "y = x", version="1.1")
    model = betapod.read_cellml(text.model(units, source, version="1.1"))
    disagree, unnamed = model.report.notes
    assert "Units do not agree in 2 formulas" in disagree and unnamed.endswith("file's: odd, beat.")
    assert model.units["x"] == model.units["y"] == "1"


@pytest.mark.parametrize("ending", [".cellml", ".xml"])
def test_the_command_line_takes_a_file_wherever_a_model_goes(tmp_path, monkeypatch, capsys, ending):
    from betapod.cli.main import main

    def output(*words):
        monkeypatch.setattr("sys.argv", ["betapod", *words])
        with pytest.raises(SystemExit) as stopped:
            main()
        printed = capsys.readouterr()
        assert not stopped.value.code, printed.err
        return printed.out

    path = tmp_path / f"model{ending}"
    path.write_text(two_components("2.0"))
    assert "2 states, " in output("model", "check", str(path))
    lines = output("simulate", str(path), "--times", "0,10,20", "--switch", "k=0@10", "-O", "drug").splitlines()
    assert lines[0] == "time [min],drug [mM]"
    drug = [float(line.partition(",")[2]) for line in lines[1:]]
    np.testing.assert_allclose(drug, [2.0, 2 * math.exp(-1), 2 * math.exp(-1)], rtol=1e-5)
