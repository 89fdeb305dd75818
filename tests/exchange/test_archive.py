"""COMBINE archives: the schedule inside the model, the same bytes again, other tools that find the same numbers."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from commands import carry_out

from betapod import Dose, Schedule, Switch, load_model, simulate, write_archive
from betapod.base.errors import ExchangeError
from betapod.exchange.archive.omex import FORMATS
from betapod.exchange.archive.scheduled_model import scheduled_model
from betapod.model import Model, Parameter, ParameterTable, Part, assemble

OMEX = "{http://identifiers.org/combine.specifications/omex-manifest}"
SEDML = "{http://sed-ml.org/sed-ml/level1/version4}"


@pytest.fixture(scope="module")
def tank() -> Model:
    """A drug that an input clears."""
    rows = [
        Parameter("V", "volume", 10.0, "L"),
        Parameter("flow", "flow", 5.0, "L/day", role="input"),
        Parameter("first", "amount at the start", 2.0, "mg"),
    ]
    text = "dA/dt = -flow/V*A [mg/day] drug\nA(0) = first [mg] drug\nC = A/V [mg/L] concentration"
    return assemble("tank", [Part.from_text("Tank", text, reads=("flow [L/day]",))], ParameterTable(rows))


SCHEDULES = {
    "doses": Schedule([Dose("A", 50.0, 0.0), Dose("A", 20.0, 1.0, 2.0, 2)]),
    "infusions": Schedule([Dose("A", 30.0, 0.5, 1.0, 1, duration=0.75)]),
    "steady state": Schedule([Dose("A", 30.0, ii=1.0, addl=2, ss=True)]),
    "switches": Schedule([Dose("A", 10.0, 0.25)], [Switch("flow", 8.0, 1.0), Switch("flow", 2.0, 2.0, 1.5)]),
}
TIMES = [0.1, 0.5, 0.75, 1.0, 1.5, 2.5, 3.25, 4.0]


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_a_schedule_inside_the_model_does_the_same(tank: Model, name: str) -> None:
    inside = scheduled_model(tank, SCHEDULES[name], 4.0)
    expected = simulate(tank, TIMES, SCHEDULES[name], rtol=1e-10, outputs=["A", "C", "flow"]).table
    found = simulate(inside, TIMES, rtol=1e-10, outputs=["A", "C", "flow"]).table
    np.testing.assert_allclose(found, expected, rtol=1e-7)


@pytest.fixture(scope="module")
def archive(tank: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    schedule = Schedule([*SCHEDULES["doses"].doses, *SCHEDULES["infusions"].doses], SCHEDULES["switches"].switches)
    return write_archive(tank, folder / "tank.omex", np.linspace(0.0, 4.2, 15), schedule, outputs=["A", "C"])


def inside(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as opened:
        return {name: opened.read(name).decode() for name in opened.namelist()}


def results(text: str) -> tuple[list[str], np.ndarray]:
    head, *rows = csv.reader(io.StringIO(text))
    return head, np.array(rows, dtype=float)


def test_an_archive_holds_what_its_manifest_says(archive: Path) -> None:
    files = inside(archive)
    entries = ET.fromstring(files["manifest.xml"]).findall(f"{OMEX}content")
    assert {e.get("location") for e in entries} == {".", *(f"./{name}" for name in files)}
    assert {e.get("format") for e in entries} <= {*FORMATS.values()}
    assert [e.get("location") for e in entries if e.get("master") == "true"] == ["./simulation.sedml"]
    sedml = ET.fromstring(files["simulation.sedml"])
    identifiers = {element.get("id") for element in sedml.iter() if element.get("id")}
    references = [v for e in sedml.iter() for k, v in e.attrib.items() if k.endswith("Reference")]
    assert references and {*references} <= identifiers
    targets = [v.get("target") for v in sedml.iter(f"{SEDML}variable") if v.get("target")]
    names = {p.get("id") for p in ET.fromstring(files["model.xml"]).iter() if p.tag.endswith("}parameter")}
    assert len(targets) == 2 and {str(target).split("'")[1] for target in targets} <= names


def test_the_same_simulation_gives_the_same_bytes(tank: Model, archive: Path) -> None:
    schedule = Schedule([*SCHEDULES["doses"].doses, *SCHEDULES["infusions"].doses], SCHEDULES["switches"].switches)
    again = write_archive(
        tank, archive.with_name("again.omex"), np.linspace(0.0, 4.2, 15), schedule, outputs=["A", "C"]
    )
    assert again.read_bytes() == archive.read_bytes()


def test_another_simulator_finds_the_results(archive: Path, tmp_path: Path) -> None:
    roadrunner = pytest.importorskip("roadrunner", reason="needs the package libroadrunner")
    files = inside(archive)
    head, rows = results(files["results.csv"])
    assert head == ["time [day]", "A [mg]", "C [mg/L]"]
    simulator = roadrunner.RoadRunner(files["model.xml"])
    simulator.integrator.relative_tolerance, simulator.integrator.absolute_tolerance = 1e-9, 1e-12
    course = ET.fromstring(files["simulation.sedml"]).find(f".//{SEDML}uniformTimeCourse")
    assert course is not None
    steps, end = int(str(course.get("numberOfSteps"))), float(str(course.get("outputEndTime")))
    simulator.timeCourseSelections = ["time", "A", "C"]
    np.testing.assert_allclose(np.asarray(simulator.simulate(0.0, end, steps + 1)), rows, rtol=1e-5)


def test_nested_formulas_give_the_same_results(tank: Model, archive: Path, tmp_path: Path) -> None:
    schedule = Schedule([*SCHEDULES["doses"].doses, *SCHEDULES["infusions"].doses], SCHEDULES["switches"].switches)
    model = load_model("metabolism")
    times, outputs = [0.0, 30.0, 60.0], ["HbA1c"]
    plain = inside(write_archive(model, tmp_path / "plain.omex", times, outputs=outputs))
    nested = inside(write_archive(model, tmp_path / "nested.omex", times, outputs=outputs, nested=True))
    assert "<functionDefinition" in nested["model.xml"] and "<functionDefinition" not in plain["model.xml"]
    np.testing.assert_allclose(results(nested["results.csv"])[1], results(plain["results.csv"])[1], rtol=1e-8)
    small = inside(
        write_archive(tank, tmp_path / "s.omex", np.linspace(0.0, 4.2, 15), schedule, outputs=["A", "C"], nested=True)
    )
    np.testing.assert_allclose(results(small["results.csv"])[1], results(inside(archive)["results.csv"])[1], rtol=1e-8)


def test_what_no_archive_has_a_place_for_is_refused(tank: Model, tmp_path: Path) -> None:
    with pytest.raises(ExchangeError, match="equally far apart"):
        write_archive(tank, tmp_path / "x.omex", [0.0, 1.0, 3.0])
    with pytest.raises(ExchangeError, match="cannot be reported"):
        write_archive(tank, tmp_path / "x.omex", [0.0, 1.0], outputs=["A", "B"])
    with pytest.raises(ExchangeError, match="cannot load"):
        scheduled_model(tank, Schedule([Dose("A", 1.0, 0.0, 0.001, 3000)]), 4.0)
    assert not (tmp_path / "x.omex").exists()


def test_the_command(tmp_path: Path) -> None:
    done = carry_out(
        "simulate", "topp2000", "--days", 4, "--step", 0.5, "--dose", "glucose=50 mg/dL@0.75", "-O", "glucose",
        "--omex", tmp_path / "g.omex", "--nonmem", tmp_path / "g.csv", "--csv", tmp_path / "plain.csv",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    _, rows = results(inside(tmp_path / "g.omex")["results.csv"])
    _, plain = results((tmp_path / "plain.csv").read_text())
    np.testing.assert_allclose(rows, plain, rtol=1e-4)
    done = carry_out("simulate", "topp2000", "--data", tmp_path / "g.csv", "-O", "glucose")
    assert done.returncode == 0, done.stderr
    seen = [line.split(",") for line in done.stdout.splitlines()[1:]]
    assert [row[2] for row in seen].count("1") == 1
    np.testing.assert_allclose([float(row[4]) for row in seen if row[2] == "0"], plain[:, 1], rtol=1e-4)
    done = carry_out("simulate", "topp2000", "--data", tmp_path / "g.csv", "--dose", "glucose=5 mg/dL@1", "--days", 3)
    assert done.returncode == 2 and "--dose" in done.stderr and "--days" in done.stderr
    done = carry_out("simulate", "topp2000", "--nested")
    assert done.returncode == 2 and "--nested belongs to --omex" in done.stderr
    done = carry_out("simulate", "topp2000", "--cmt", "1=glucose")
    assert done.returncode == 2 and "belongs to --data" in done.stderr


def test_large_models_have_archives() -> None:
    made = scheduled_model(load_model("kidney"), Schedule((), [Switch("e_ARB", 0.6, 100.0)]), 365.0)
    assert "e_ARB" in made.state_names and made.events
