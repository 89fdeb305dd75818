"""Folders of fits of people: written whole, read again, refused when changed; pictures and verbs read them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commands import carry_out

from betapod.base.errors import ConfigError
from betapod.calibration.individual.individual_examples import write_individual_example
from betapod.calibration.individual.individual_fit import IndividualFit, fit_individuals
from betapod.calibration.individual.individual_folder import (
    check_individual_target,
    is_individual,
    read_individual_folder,
    write_individual_folder,
)
from betapod.calibration.individual.individual_problem import read_individual_problem
from betapod.cli.verbs import fit_individual
from betapod.report.individual.individual_figures import write_individual_figures


@pytest.fixture(scope="module")
def fit(tmp_path_factory: pytest.TempPathFactory) -> IndividualFit:
    problem = read_individual_problem(write_individual_example(tmp_path_factory.mktemp("example"))[0])
    return fit_individuals(replace(problem, pooled=True, people=problem.people[:4]), threads=1)


def test_what_is_written_is_read(fit: IndividualFit, tmp_path: Path) -> None:
    record = read_individual_folder(write_individual_folder(fit, tmp_path / "fit"))
    people = record.tables["people"]
    assert [(row["person"], row["parameter"]) for row in people[:3]] == [
        ("P01", "C_start"),
        ("P01", "k"),
        ("P02", "C_start"),
    ]
    assert people[1]["estimate"] == pytest.approx(float(np.exp(fit.people[0].at[1])), rel=1e-15)
    assert people[1]["low"] < people[1]["estimate"] < people[1]["high"] and people[1]["told"] is True
    group = record.tables["group"]
    assert fit.group is not None
    assert group[0]["median"] == pytest.approx(float(np.exp(fit.group.mean[0]))) and group[0]["told_in"] == 4
    assert {"pooled", "pooled_low", "pooled_high"} <= set(group[0])
    assert len(record.tables["measurements"]) == 24 and len(record.tables["courses"]) == 4 * 101
    # The course at the times of measurement is the prediction.
    first = record.tables["measurements"][0]
    start = next(row for row in record.tables["courses"] if row["person"] == first["person"] and row["time"] == 0.0)
    assert start["predicted"] == pytest.approx(first["predicted"], rel=1e-6)
    assert record.identity["identifiability"][0] == "C_start is told by the data of everybody."
    assert is_individual(tmp_path / "fit") and not is_individual(tmp_path)


def test_a_changed_folder_is_refused(fit: IndividualFit, tmp_path: Path) -> None:
    folder = write_individual_folder(fit, tmp_path / "fit")
    (folder / "people.csv").write_text("person,estimate\nP01,1\n", encoding="utf-8")
    (folder / "checks.csv").unlink()
    with pytest.raises(ConfigError) as caught:
        read_individual_folder(folder)
    assert len(caught.value.problems) == 2 and "was changed" in str(caught.value) and "is missing" in str(caught.value)
    write_individual_folder(fit, folder)
    assert read_individual_folder(folder).identity["people"] == 4


def test_a_folder_with_something_else_stays(fit: IndividualFit, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("kept", encoding="utf-8")
    with pytest.raises(ConfigError, match="something else"):
        write_individual_folder(fit, tmp_path)
    with pytest.raises(ConfigError, match="no finished fit"):
        read_individual_folder(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt"]


def test_pictures_have_their_numbers_beside(fit: IndividualFit, tmp_path: Path) -> None:
    record = read_individual_folder(write_individual_folder(fit, tmp_path / "fit"))
    written = write_individual_figures(record, tmp_path / "fit.svg")
    assert [path.name for path in written] == ["fit.svg", "fit-residuals.svg", "fit-estimates.svg", "fit.plot.csv"]
    assert 'role="img"' in written[0].read_text(encoding="utf-8")
    lines = written[-1].read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("what,person,quantity") and len(lines) == 1 + 24 + 404 + 8
    with pytest.raises(ConfigError):
        write_individual_figures(record, tmp_path / "fit.gif")


def test_the_verbs_say_what_was_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit_individual.new_individual(tmp_path)
    problem = tmp_path / "decline.yaml"
    fit_individual.plan_individual(problem, threads=1)
    fit_individual.run_individual(problem, tmp_path / "out", threads=1, quiet=True)
    printed = capsys.readouterr().out
    for words in (
        "12 people, 72 measurements, 6 of each person",
        "above 0",
        "10.23 % (estimated)",
        "How people differ",
    ):
        assert words in printed
    fit_individual.show_individual(tmp_path / "out", as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert (
        document["kind"] == "individual" and len(document["people"]) == 24 and document["group"][0]["told_in"] == 12.0
    )
    fit_individual.check_individual(tmp_path / "out", as_json=True)
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert all(check["passed"] for check in checks) and len(checks) == 5
    fit_individual.plan_individual(problem, threads=1, as_json=True)
    assert json.loads(capsys.readouterr().out)["untold"] == {"C_start": 0, "k": 0}


def test_a_folder_that_cannot_be_made_is_refused_before_the_fit(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for target in (tmp_path / "file", tmp_path / "file" / "fit"):
        with pytest.raises(ConfigError, match="not-a-folder"):
            check_individual_target(target)


@pytest.mark.parametrize(
    "arguments",
    [
        ("screen", "mine/decline.yaml"),
        ("install", "fit", "2026.9"),
        ("compare", "fit", "fit"),
        ("run", "mine/decline.yaml", "--draws", "3"),
    ],
)
def test_what_fits_of_people_have_not(
    arguments: tuple[str, ...], fit: IndividualFit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_individual_folder(fit, "fit")
    write_individual_example("mine")
    done = carry_out("fit", *arguments)
    assert done.returncode == 2 and "people" in done.stderr and "damaged" not in done.stderr


def test_an_exact_fit_has_no_errors_to_estimate(tmp_path: Path) -> None:
    problem_file, _, _, table = write_individual_example(tmp_path)
    table.write_text("\n".join(table.read_text(encoding="utf-8").splitlines()[:2]) + "\n", encoding="utf-8")
    found = fit_individuals(read_individual_problem(problem_file), threads=1)
    assert any("goes through every measurement" in warning for warning in found.warnings) and not found.checks
