"""SED-ML and archives of other tools: small ones of our own, against closed forms."""

import io
import json
import math
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from commands import carry_out

from betapod import Dose, Schedule, load_model, run_sedml, write_archive, write_sedml_results
from betapod.base.errors import ExchangeError
from betapod.exchange.sedml.run_sedml import SedmlResults

#: A tank that is filled and emptied: A(t) = r/k + (A(0) - r/k) exp(-k t); B counts time; at 5 an event doubles `extra`.
SBML = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2">
  <model id="tank">
    <listOfCompartments><compartment id="c" size="2" constant="true" spatialDimensions="3"/></listOfCompartments>
    <listOfSpecies>
      <species id="A" compartment="c" initialConcentration="10" hasOnlySubstanceUnits="false" boundaryCondition="false"
        constant="false"/>
    </listOfSpecies>
    <listOfParameters>
      <parameter id="k" value="0.5" constant="true"/>
      <parameter id="r" value="0" constant="true"/>
      <parameter id="B" value="0" constant="false"/>
      <parameter id="extra" value="1" constant="false"/>
    </listOfParameters>
    <listOfRules>
      <rateRule variable="B"><math xmlns="http://www.w3.org/1998/Math/MathML">
        <csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">t</csymbol></math></rateRule>
    </listOfRules>
    <listOfReactions>
      <reaction id="filling" reversible="false">
        <listOfProducts><speciesReference species="A" stoichiometry="1" constant="true"/></listOfProducts>
        <kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>r</ci><ci>c</ci></apply></math></kineticLaw>
      </reaction>
      <reaction id="emptying" reversible="false">
        <listOfReactants><speciesReference species="A" stoichiometry="1" constant="true"/></listOfReactants>
        <kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML">
          <apply><times/><ci>k</ci><ci>A</ci><ci>c</ci></apply></math></kineticLaw>
      </reaction>
    </listOfReactions>
    <listOfEvents>
      <event useValuesFromTriggerTime="true">
        <trigger initialValue="true" persistent="true"><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><gt/>
          <csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">t</csymbol><cn>5</cn></apply></math></trigger>
        <listOfEventAssignments><eventAssignment variable="extra"><math xmlns="http://www.w3.org/1998/Math/MathML">
          <apply><times/><ci>extra</ci><cn>2</cn></apply></math></eventAssignment></listOfEventAssignments>
      </event>
    </listOfEvents>
  </model>
</sbml>"""
PARAMETER = "/sbml:sbml/sbml:model/sbml:listOfParameters/sbml:parameter[@id='{}']"
SPECIES = "/sbml:sbml/sbml:model/sbml:listOfSpecies/sbml:species[@id='{}']"
MATH = '<math xmlns="http://www.w3.org/1998/Math/MathML">{}</math>'
COURSE = '<uniformTimeCourse id="s" initialTime="0" outputStartTime="0" outputEndTime="4" numberOfSteps="8">{}</uniformTimeCourse>'
CVODE = '<algorithm kisaoID="KISAO:0000019"/>'
TASK = '<task id="t" modelReference="m" simulationReference="s"/>'
Written = Callable[..., Path]


def set_value(target: str, math_text: str, more: str = "") -> str:
    return f'<setValue modelReference="m" target="{target}" range="x">{MATH.format(math_text)}{more}</setValue>'


def data(name: str, source: str, task: str, math_text: str = "") -> str:
    where = f'target="{source}"' if "/" in source else f'symbol="{source}"'
    return (
        f'<dataGenerator id="{name}"><listOfVariables><variable id="v" {where} taskReference="{task}"/></listOfVariables>'
        f"{MATH.format(math_text or '<ci>v</ci>')}</dataGenerator>"
    )


def document(
    simulations: str = COURSE.format(CVODE), tasks: str = TASK, generators: str = "", outputs: str = "", changes: str = "",
    models: str = "", version: int = 4,
) -> str:  # fmt: skip
    made = (
        models
        or f'<model id="m" language="urn:sedml:language:sbml" source="tank.xml"><listOfChanges>{changes}</listOfChanges></model>'
    )
    usual = data("time", "urn:sedml:symbol:time", "t") + data("A", SPECIES.format("A"), "t")
    return (
        f'<sedML xmlns="http://sed-ml.org/sed-ml/level1/version{version}" xmlns:sbml="http://www.sbml.org/sbml/level3/version2/core" '
        f'level="1" version="{version}"><listOfModels>{made}</listOfModels><listOfSimulations>{simulations}</listOfSimulations>'
        f"<listOfTasks>{tasks}</listOfTasks><listOfDataGenerators>{generators or usual}</listOfDataGenerators>"
        f"<listOfOutputs>{outputs}</listOfOutputs></sedML>"
    )


@pytest.fixture
def written(tmp_path: Path) -> Written:
    def write(*texts: str, **parts: str) -> Path:
        (tmp_path / "tank.xml").write_text(SBML)
        path = tmp_path / "run.sedml"
        path.write_text(texts[0] if texts else document(**parts))
        return path

    return write


def level(t: np.ndarray | float, start: float = 10.0, k: float = 0.5, r: float = 0.0) -> np.ndarray:
    return np.asarray(r / k + (start - r / k) * np.exp(-k * np.asarray(t)))


def test_a_course(written: Written) -> None:
    results = run_sedml(written())
    table = results.reports["report"]
    assert table["time"].tolist() == np.arange(0.0, 4.5, 0.5).tolist()
    np.testing.assert_allclose(table["A"], level(table["time"]), rtol=1e-7)
    assert results.notes == ("CVODE (KISAO:0000019): LSODA stands for it, with steps as the tolerances need them.",)


def test_rows_that_begin_later_and_a_start_at_another_time(written: Written) -> None:
    course = '<uniformTimeCourse id="s" initialTime="1" outputStartTime="3" outputEndTime="7" numberOfPoints="4"/>'
    generators = data("A", SPECIES.format("A"), "t") + "".join(
        data(n, PARAMETER.format(n), "t") for n in ("B", "extra")
    )
    results = run_sedml(written(simulations=course, generators=generators, version=1))
    times = np.arange(3.0, 8.0)
    np.testing.assert_allclose(results.data["A"], level(times - 1.0), rtol=1e-7)
    np.testing.assert_allclose(results.data["B"], (times**2 - 1.0) / 2.0, rtol=1e-7)
    assert results.data["extra"].tolist() == [1.0, 1.0, 1.0, 2.0, 2.0]


def test_data_are_computed(written: Written) -> None:
    whole = '<apply><csymbol encoding="text" definitionURL="http://sed-ml.org/#{}">{}</csymbol><ci>v</ci></apply>'
    share = f"<apply><divide/><ci>v</ci>{whole.format('max', 'max')}</apply>"
    generators = data("share", SPECIES.format("A"), "t", share)
    generators += data("mean", SPECIES.format("A"), "t", whole.format("mean", "mean"))
    generators += data("fall", "/sbml:sbml/sbml:model/sbml:listOfReactions/sbml:reaction[@id='emptying']", "t")
    results = run_sedml(written(generators=generators))
    times = np.arange(0.0, 4.5, 0.5)
    np.testing.assert_allclose(results.data["share"], level(times) / 10.0, rtol=1e-7)
    np.testing.assert_allclose(results.data["mean"], level(times).mean(), rtol=1e-7)
    np.testing.assert_allclose(results.data["fall"], 0.5 * level(times) * 2.0, rtol=1e-7)


def test_models_are_changed(written: Written) -> None:
    change = '<changeAttribute target="{}/@{}" newValue="{}"/>'
    own = change.format(PARAMETER.format("k"), "value", 1) + change.format(SPECIES.format("A"), "initialAmount", 8)
    computed = (
        f'<computeChange target="{PARAMETER.format("r")}"><listOfVariables><variable id="a" target="{PARAMETER.format("k")}" '
        f'modelReference="m"/></listOfVariables>{MATH.format("<apply><times/><ci>a</ci><cn>3</cn></apply>")}</computeChange>'
    )
    added = '<addXML target="/sbml:sbml/sbml:model/sbml:listOfParameters"><newXML><parameter id="new" value="7" constant="true"/></newXML></addXML>'
    gone = "<removeXML target=\"/sbml:sbml/sbml:model/sbml:listOfReactions/sbml:reaction[@id='emptying']\"/>"
    replaced = f'<changeXML target="{PARAMETER.format("extra")}"><newXML><parameter id="extra" value="5" constant="false"/></newXML></changeXML>'
    models = (
        f'<model id="m" source="tank.xml"><listOfChanges>{own}{computed}{added}{replaced}</listOfChanges></model>'
        f'<model id="closed" source="#m"><listOfChanges>{gone}</listOfChanges></model>'
    )
    tasks = TASK + '<task id="u" modelReference="closed" simulationReference="s"/>'
    generators = data("A", SPECIES.format("A"), "t") + data("closed", SPECIES.format("A"), "u")
    generators += data("new", PARAMETER.format("new"), "t") + data("extra", PARAMETER.format("extra"), "t")
    results = run_sedml(written(models=models, tasks=tasks, generators=generators))
    times = np.arange(0.0, 4.5, 0.5)
    np.testing.assert_allclose(results.data["A"], level(times, 4.0, 1.0, 3.0), rtol=1e-7)
    np.testing.assert_allclose(results.data["closed"], 4.0 + 3.0 * times, rtol=1e-7)
    assert set(results.data["new"]) == {7.0} and set(results.data["extra"]) == {5.0}


def repeated(ranges: str, settings: str, reset: str = "true", subtasks: str = '<subTask task="t" order="1"/>') -> str:
    return (
        f'{TASK}<repeatedTask id="again" range="x" resetModel="{reset}"><listOfRanges>{ranges}</listOfRanges>'
        f"<listOfChanges>{settings}</listOfChanges><listOfSubTasks>{subtasks}</listOfSubTasks></repeatedTask>"
    )


VECTOR = '<vectorRange id="x"><value>0.5</value><value>1</value></vectorRange>'


def test_values_are_gone_through(written: Written) -> None:
    ranges = '<uniformRange id="x" start="0.1" end="10" numberOfSteps="2" type="log"/>'
    ranges += f'<functionalRange id="y" range="x">{MATH.format("<apply><times/><ci>x</ci><cn>2</cn></apply>")}</functionalRange>'
    settings = set_value(PARAMETER.format("k"), "<ci>x</ci>") + set_value(SPECIES.format("A"), "<ci>y</ci>")
    generators = data("time", "urn:sedml:symbol:time", "again") + data("A", SPECIES.format("A"), "again")
    results = run_sedml(written(tasks=repeated(ranges, settings), generators=generators))
    assert results.data["A"].shape == (3, 9)
    for row, k in zip(results.data["A"], (0.1, 1.0, 10.0), strict=True):
        np.testing.assert_allclose(row, level(np.arange(0.0, 4.5, 0.5), 2.0 * k, k), rtol=1e-6, atol=1e-9)
    assert results.reports["report"]["repeat"].tolist() == [1] * 9 + [2] * 9 + [3] * 9


def test_a_model_that_is_not_reset_goes_on(written: Written) -> None:
    step = '<oneStep id="s" step="3"/>'
    variable = (
        f'<listOfVariables><variable id="a" target="{SPECIES.format("A")}" modelReference="m"/></listOfVariables>'
    )
    settings = set_value(PARAMETER.format("k"), "<ci>x</ci>")
    settings += set_value(SPECIES.format("A"), "<apply><plus/><ci>a</ci><cn>1</cn></apply>", variable)
    names = {"time": "urn:sedml:symbol:time", "A": SPECIES.format("A")}
    names |= {name: PARAMETER.format(name) for name in ("B", "extra")}
    generators = "".join(data(name, source, "again") for name, source in names.items())
    results = run_sedml(written(simulations=step, tasks=repeated(VECTOR, settings, "false"), generators=generators))
    first = 11.0 * math.exp(-1.5)
    np.testing.assert_allclose(
        results.data["A"], [[11.0, first], [first + 1.0, (first + 1.0) * math.exp(-3.0)]], rtol=1e-7
    )
    # Time goes on, and what happens at 5 happens once.
    assert results.data["time"].tolist() == [[0.0, 3.0], [3.0, 6.0]]
    np.testing.assert_allclose(results.data["B"], [[0.0, 4.5], [4.5, 18.0]], rtol=1e-7)
    assert results.data["extra"].tolist() == [[1.0, 1.0], [1.0, 2.0]]


def test_repetitions_of_repetitions(written: Written) -> None:
    inner = repeated(VECTOR, set_value(PARAMETER.format("k"), "<ci>x</ci>"))
    outer = '<vectorRange id="x"><value>2</value><value>3</value><value>6</value></vectorRange>'
    tasks = inner + repeated(
        outer, set_value(PARAMETER.format("r"), "<ci>x</ci>"), "true", '<subTask task="again" order="1"/>'
    ).replace(TASK, "").replace('id="again"', 'id="all"')
    generators = data("A", SPECIES.format("A"), "all") + data("k", PARAMETER.format("k"), "all")
    steady = '<steadyState id="s"><algorithm kisaoID="KISAO:0000282"/></steadyState>'
    still = SBML.replace('<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">t</csymbol></math></rateRule>', "<cn>0</cn></math></rateRule>")  # fmt: skip
    path = written(simulations=steady, tasks=tasks, generators=generators)
    (path.parent / "tank.xml").write_text(still)
    results = run_sedml(path)
    np.testing.assert_allclose(results.data["A"], [[4.0, 2.0], [6.0, 3.0], [12.0, 6.0]], rtol=1e-7)
    table = results.reports["report"]
    assert list(table.columns) == ["repeat", "A", "k"]


def test_subtasks_follow_one_another(written: Written) -> None:
    subtasks = f'<subTask task="t" order="2"><listOfChanges>{set_value(PARAMETER.format("r"), "<cn>5</cn>")}</listOfChanges></subTask>'
    subtasks = '<subTask task="t" order="1"/>' + subtasks
    generators = data("A", SPECIES.format("A"), "again")
    tasks = repeated(VECTOR, set_value(PARAMETER.format("k"), "<ci>x</ci>"), "true", subtasks)
    results = run_sedml(written(tasks=tasks, generators=generators))
    times = np.arange(0.0, 4.5, 0.5)
    first = level(times)
    np.testing.assert_allclose(results.data["A"][0], [*first, *level(times, first[-1], 0.5, 5.0)], rtol=1e-7)


def test_everything_that_is_wrong_is_said_at_once(written: Written) -> None:
    gillespie = '<uniformTimeCourse id="s" initialTime="0" outputStartTime="0" outputEndTime="4" numberOfSteps="8"><algorithm kisaoID="KISAO:0000029"/></uniformTimeCourse>'
    generators = data("A", SPECIES.format("a"), "t") + data("k", PARAMETER.format("kk"), "t")
    with pytest.raises(ExchangeError) as caught:
        run_sedml(written(simulations=gillespie, generators=generators))
    text = str(caught.value)
    assert "Gillespie direct algorithm (KISAO:0000029)" in text and text.count("the model has no such element") == 2
    assert "Did you mean 'k'" in text and ":1" in text
    with pytest.raises(ExchangeError) as caught:
        run_sedml(
            written(
                tasks=TASK + '<task id="u" modelReference="n" simulationReference="q"/>',
                generators=data("A", SPECIES.format("A"), "w"),
            )
        )
    assert caught.value.kinds == ("unknown-name",) * 3
    bad = '<uniformTimeCourse id="s" initialTime="0" outputStartTime="5" outputEndTime="4" numberOfSteps="x"/>'
    with pytest.raises(ExchangeError) as caught:
        run_sedml(written(simulations=bad))
    assert caught.value.kinds == ("bad-number", "bad-times")
    with pytest.raises(ExchangeError, match="two of the name 't'"):
        run_sedml(written(tasks=TASK + TASK))


def test_pictures_in_three_dimensions_are_left_out_by_name(written: Written) -> None:
    outputs = '<plot3D id="surface"/><plot2D id="flat"><listOfCurves><curve id="c" logX="false" logY="true" xDataReference="time" yDataReference="A"/></listOfCurves></plot2D>'
    results = run_sedml(written(outputs=outputs))
    assert list(results.plots) == ["flat"] and results.plots["flat"].plot.axes["y"].logarithmic
    assert any("surface (plot3D" in note for note in results.notes)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("urn:miriam:biomodels.db:BIOMD0000000003", "remote-source"),
        ("https://example.org/model.xml", "remote-source"),
        ("../../etc/passwd", "unsafe-path"),
        ("/etc/passwd", "unsafe-path"),
        ("tanks.xml", "no-file"),
        ("run.sedml", "unsupported"),
    ],
)
def test_nothing_is_fetched_or_read_elsewhere(written: Written, source: str, kind: str) -> None:
    with pytest.raises(ExchangeError) as caught:
        run_sedml(written(models=f'<model id="m" source="{source}"/>'))
    assert caught.value.kinds == (kind,)


def archive(path: Path, files: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return path


MANIFEST = '<omexManifest xmlns="http://identifiers.org/combine.specifications/omex-manifest">{}</omexManifest>'
LISTED = '<content location="./{}" format="http://identifiers.org/combine.specifications/sed-ml.level-1.version-3"{}/>'


def test_archives_begin_with_what_they_name(tmp_path: Path) -> None:
    moved = document().replace("tank.xml", "../models/tank.xml")
    listed = LISTED.format("run/a.sedml", ' master="true"') + LISTED.format("run/b.sedml", "")
    files = {
        "manifest.xml": MANIFEST.format(listed),
        "run/a.sedml": moved,
        "run/b.sedml": "<no/>",
        "models/tank.xml": SBML,
    }
    assert list(run_sedml(archive(tmp_path / "a.omex", files)).reports) == ["report"]
    both = {**files, "manifest.xml": MANIFEST.format(listed.replace(' master="true"', "")), "run/b.sedml": moved}
    assert list(run_sedml(archive(tmp_path / "b.omex", both)).reports) == ["run_a_report", "run_b_report"]


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"../out.sedml": "x"}, "unsafe-archive"),
        ({"/out.sedml": "x"}, "unsafe-archive"),
        ({"a.sedml": b"0" * 20_000_000}, "too-large"),
        ({"model.xml": SBML}, "no-sedml"),
        ({"a.sedml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}, "unsafe-xml"),
        ({"a.sedml": "<sedML"}, "bad-xml"),
        ({"a.sedml": "<sbml/>"}, "no-sedml"),
    ],
)
def test_harmful_and_damaged_archives_are_refused(tmp_path: Path, files: dict[str, str | bytes], kind: str) -> None:
    with pytest.raises(ExchangeError) as caught:
        run_sedml(archive(tmp_path / "a.omex", files))
    assert caught.value.kinds == (kind,)
    damaged = (tmp_path / "a.omex").read_bytes()[:-30]
    (tmp_path / "a.omex").write_bytes(damaged)
    with pytest.raises(ExchangeError, match="bad-archive"):
        run_sedml(tmp_path / "a.omex")


def test_archives_of_our_own_give_their_results_again(tmp_path: Path) -> None:
    schedule = Schedule([Dose("glucose", 50.0, 1.0)])
    path = write_archive(load_model("topp2000"), tmp_path / "a.omex", [0, 1, 2, 3], schedule, outputs=["glucose"])
    with zipfile.ZipFile(path) as opened:
        expected = np.genfromtxt(io.BytesIO(opened.read("results.csv")), delimiter=",", skip_header=1)
    results = run_sedml(path)
    np.testing.assert_allclose(results.reports["report"], expected, rtol=1e-8)
    assert results.plots["plot"].curves[0].label == "glucose [mg/dL]"


def test_names_of_outputs_stay_in_the_folder(written: Written, tmp_path: Path) -> None:
    outputs = (
        '<report id="../../up"><listOfDataSets><dataSet id="d" label="=A" dataReference="A"/></listOfDataSets></report>'
    )
    results: SedmlResults = run_sedml(written(outputs=outputs))
    [made] = write_sedml_results(results, tmp_path / "out")
    assert made.parent == tmp_path / "out" and made.read_text().startswith("'=A\n")


def test_the_commands(written: Written, tmp_path: Path) -> None:
    outputs = '<plot2D id="p" name="A"><listOfCurves><curve id="c" logX="false" logY="false" xDataReference="time" yDataReference="A"/></listOfCurves></plot2D>'
    path = written(outputs=outputs)
    done = carry_out("sedml", "show", path)
    assert done.returncode == 0 and "time 0 to 4, 9 rows" in done.stdout, done.stderr
    done = carry_out("sedml", "run", path, "--out", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    assert {Path(name).name for name in json.loads(done.stdout)["files"]} == {"p.png", "p.plot.csv"}
    assert (tmp_path / "out" / "p.png").stat().st_size > 5_000
    done = carry_out("sedml", "run", tmp_path / "tank.xml", "--out", tmp_path / "none")
    assert done.returncode == 2 and "this is no SED-ML" in done.stderr and not (tmp_path / "none").exists()
    done = carry_out("sedml", "run", path, "--pictures", "pgn")
    assert done.returncode == 2 and "Did you mean 'png'" in done.stderr
