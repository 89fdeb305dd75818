"""Fits in the form of PEtab: another simulator finds the same predictions; what is not held is said."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from commands import carry_out
from toy_fits import finished

from betapod.calibration.fit_folder import write_fit_record


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("petab")
    assert carry_out("fit", "new", home / "mine", "--individual").returncode == 0
    done = carry_out("fit", "run", home / "mine" / "decline.yaml", "--out", home / "f", "--threads", 1, "--quiet")
    assert done.returncode == 0, done.stderr
    done = carry_out("fit", "export", home / "mine" / "decline.yaml", "--petab", home / "p", "--at", home / "f")
    assert done.returncode == 0, done.stderr
    assert "The group of people" in done.stdout
    return home


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text()), delimiter="\t"))


def test_another_simulator_finds_the_same_predictions(example: Path) -> None:
    roadrunner = pytest.importorskip("roadrunner", reason="needs the package libroadrunner")
    nominal = {row["parameterId"]: float(row["nominalValue"]) for row in table(example / "p" / "parameters.tsv")}
    (observable,) = table(example / "p" / "observables.tsv")
    rows = table(example / "p" / "measurements.tsv")
    fitted = list(csv.DictReader(io.StringIO((example / "f" / "measurements.csv").read_text())))
    simulator = roadrunner.RoadRunner(str(example / "p" / "model.xml"))
    predicted = []
    for condition in table(example / "p" / "conditions.tsv")[:3]:
        simulator.resetAll()
        for name, value in condition.items():
            if not name.startswith("condition"):
                simulator.setValue(name, nominal[value])
        simulator.reset()  # States that begin at a parameter begin at its new value.
        times = [float(row["time"]) for row in rows if row["simulationConditionId"] == condition["conditionId"]]
        simulator.timeCourseSelections = ["time", observable["observableFormula"]]
        predicted += list(np.asarray(simulator.simulate(times=times))[:, 1])
    expected = [float(row["predicted"]) for row in fitted[: len(predicted)]]
    np.testing.assert_allclose(predicted, expected, rtol=1e-4)


def test_every_reference_is_to_something_that_is_there(example: Path) -> None:
    parameters = {row["parameterId"] for row in table(example / "p" / "parameters.tsv")}
    conditions = table(example / "p" / "conditions.tsv")
    assert len(conditions) == 12 and len(parameters) == 25
    overrides = {value for row in conditions for name, value in row.items() if not name.startswith("condition")}
    rows = table(example / "p" / "measurements.tsv")
    assert len(rows) == 72
    assert overrides | {row["noiseParameters"] for row in rows} == parameters
    assert {row["simulationConditionId"] for row in rows} == {row["conditionId"] for row in conditions}
    assert (example / "p" / "problem.yaml").read_text().startswith("format_version: 1")


def test_courses_go_on_after_what_ends_a_patient(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,time [year],MAP [mmHg],error MAP [mmHg]\na,0,93,2\na,2,95,2\n")
    (tmp_path / "fit.yaml").write_text(
        "kind: individual\nmodel: kidney\ntable: people.csv\nobservables: {MAP: {error: {additive: 2 mmHg}}}\n"
        "columns: {'error MAP [mmHg]': ignore}\nfit: {MAP0: {}}\ngroup: none\n"
    )
    done = carry_out("fit", "export", tmp_path / "fit.yaml", "--petab", tmp_path / "p")
    assert done.returncode == 0, done.stderr
    assert "kidney_failure" in done.stdout and "<event" not in (tmp_path / "p" / "model.xml").read_text()


def test_of_published_rows_only_unknowns_are_held(tmp_path: Path) -> None:
    write_fit_record(tmp_path / "f", finished())
    done = carry_out("fit", "export", tmp_path / "f", "--petab", tmp_path / "p")
    assert done.returncode == 0 and "statistic of a cohort" in done.stdout
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == ["not-held.txt", "parameters.tsv"]
    first = table(tmp_path / "p" / "parameters.tsv")[0]
    assert first["parameterScale"] == "log" and float(first["lowerBound"]) == pytest.approx(0.1 * np.exp(-1.2))
    mean, sd = map(float, first["objectivePriorParameters"].split(";"))
    assert mean == pytest.approx(np.log(0.1)) and sd == pytest.approx(0.4)


def test_what_petab_cannot_hold_is_refused(example: Path, tmp_path: Path) -> None:
    text = (example / "mine" / "decline.yaml").read_text()
    mine = tmp_path / "mine"
    mine.mkdir()
    for path in (example / "mine").iterdir():
        (mine / path.name).write_bytes(path.read_bytes())
    (mine / "decline.yaml").write_text(f"{text}\nschedule:\n  doses: [{{state: C, amount: 1 nmol/L, time: 1 day}}]\n")
    done = carry_out("fit", "export", mine / "decline.yaml", "--petab", tmp_path / "p")
    assert done.returncode == 2 and "no-petab" in done.stderr and not (tmp_path / "p").exists()
    done = carry_out("fit", "export", example / "f", "--petab", example / "p")
    assert done.returncode == 2 and "folder-in-use" in done.stderr
