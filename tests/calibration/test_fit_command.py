"""The verb fit on a toy problem: what it prints, what it keeps, how it ends."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from commands import Done, carry_out
from ruamel.yaml import YAML
from toy_fits import ToyProblem, rows

from betapod.base.errors import ConfigError, Location, Problem
from betapod.physiology import installed_fits


class Written(ToyProblem):
    """A toy problem whose text is that of a file."""

    file = ""

    @property
    def text(self) -> str:
        return Path(self.file).read_text(encoding="utf-8")


def read(path: Path) -> ToyProblem:
    if not Path(path).is_file():
        raise ConfigError(Problem("unreadable-file", "there is no such file", Location(str(path))))
    content = YAML(typ="safe").load(Path(path).read_text(encoding="utf-8"))
    problem = Written(**content)
    object.__setattr__(problem, "file", str(path))
    return problem


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("betapod.calibration.fit_problem")
    module.FitProblem = type("FitProblem", (), {"read": staticmethod(read)})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "betapod.calibration.fit_problem", module)


@pytest.fixture(scope="module", autouse=True)
def coarse() -> Iterator[None]:
    """Estimate discrepancies on a coarse grid: what is tried here does not depend on their accuracy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("betapod.calibration.discrepancy._GRID", 4)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a problem and its fit."""
    with pytest.MonkeyPatch.context() as patch:
        module = types.ModuleType("betapod.calibration.fit_problem")
        module.FitProblem = type("FitProblem", (), {"read": staticmethod(read)})  # type: ignore[attr-defined]
        patch.setitem(sys.modules, "betapod.calibration.fit_problem", module)
        home = tmp_path_factory.mktemp("fit")
        (home / "toy.yaml").write_text("name: toy\n")
        done = carry_out("fit", "run", home / "toy.yaml", "--out", home / "f", "--draws", 32, "--iterations", 4)
        assert done.returncode == 0, done.stderr
        (home / "printed").write_text(done.stdout)
        (home / "told").write_text(done.stderr)
    return home


def fit(*arguments: object) -> Done:
    return carry_out("fit", *arguments)


def content(*arguments: object) -> dict[str, object]:
    done = fit(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    document: dict[str, object] = json.loads(done.stdout)
    return document


def test_a_plan_says_what_a_fit_will_do(folder: Path) -> None:
    text = fit("plan", folder / "toy.yaml").stdout
    assert "Stage A: 3 unknowns, 16 rows fitted, 8 set aside" in text
    assert "F2" in text and "of processor time" in text
    (stage,) = content("plan", folder / "toy.yaml", "--no-cost")["stages"]  # type: ignore[misc]
    assert stage["processor_seconds_of_one"] is None and stage["rows"] == [
        {"class": "ratio", "fitted": 16, "set_aside": 8}
    ]
    table = fit("plan", folder / "toy.yaml", "--csv", "-").stdout
    assert next(csv.reader(io.StringIO(table)))[:3] == ["stage", "name", "kind"]


def test_a_family_on_both_sides_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = rows()
    fitted = good.fitted.copy()
    fitted[0] = False
    monkeypatch.setattr("toy_fits.rows", lambda: replace(good, fitted=fitted))
    done = fit("plan", folder / "toy.yaml", "--no-cost")
    assert done.returncode == 2 and "split-family" in done.stderr and "F0" in done.stderr


def test_a_screen_proposes_unknowns(folder: Path) -> None:
    text = fit("screen", folder / "toy.yaml", "--most", 2).stdout
    assert "Eigenvalues of the information" in text and "3 candidates" in text
    (stage,) = content("screen", folder / "toy.yaml", "--most", 2, "--out", folder / "s")["stages"]  # type: ignore[misc]
    assert [row["proposed"] for row in stage["candidates"]] == [1, 2, None]
    assert (folder / "s" / "evaluations").is_dir()
    done = fit("screen", folder / "toy.yaml", "--stage", "B")
    assert done.returncode == 2 and "unknown-stage" in done.stderr


def test_a_run_tells_how_far_it_is_and_what_it_found(folder: Path) -> None:
    told, printed = (folder / "told").read_text(), (folder / "printed").read_text()
    assert "A: evaluation 1, 1 computed now" in told and "A: iteration 1, loss" in told
    assert "draws are worth" in told and "look closer with: betapod fit check" in told
    assert "Fit toy" in printed and "converged" in printed and "set aside" in printed and "k0" in printed


def test_a_finished_fit_is_shown(folder: Path) -> None:
    assert fit("show", folder / "f").stdout == (folder / "printed").read_text()
    shown = content("show", folder / "f")
    assert {unknown["name"] for unknown in shown["unknowns"]} == {"k0", "k1", "k2"}  # type: ignore[attr-defined]
    assert [line["set"] for line in shown["coverage"]] == ["fitted", "set aside"]  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(fit("show", folder / "f", "--rows", "--csv", "-").stdout)))
    assert len(rows) == 24 and rows[0]["record"] == "TOY-0"
    assert content("run", folder / "toy.yaml", "--out", folder / "f", "--draws", 32, "--iterations", 4)["name"] == "toy"


def test_a_stopped_fit_is_resumed_with_its_own_options(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "f"
    with monkeypatch.context() as patch:
        patch.setattr("betapod.calibration.evaluations.KeptEvaluations.keep", stop)
        done = fit("run", folder / "toy.yaml", "--out", out, "--draws", 32, "--iterations", 4)
    assert done.returncode == 130 and f"betapod fit resume {out}" in done.stderr
    assert fit("show", out).returncode == 2
    done = fit("resume", out)
    assert done.returncode == 0 and done.stdout == (folder / "printed").read_text()
    # The problem as it was read, where its file has changed or gone.
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["problem_file"] == str(folder / "toy.yaml") and (out / "problem.yaml").read_text() == "name: toy\n"


def test_a_folder_that_holds_no_fit(folder: Path, tmp_path: Path) -> None:
    for verb in ("resume", "show"):
        done = fit(verb, tmp_path)
        assert done.returncode == 2 and "no-fit" in done.stderr, verb
    assert fit("show", "2099.1").returncode == 2
    done = fit("run", folder / "toy.yaml", "--out", folder / "f", "--json")
    assert done.returncode == 2 and json.loads(done.stdout)["error"]["problems"][0]["kind"] == "other-run"


def test_two_fits_are_compared(folder: Path) -> None:
    text = fit("compare", folder / "f", folder / "f").stdout
    assert "From f to f" in text and "TOY-" in text
    compared = content("compare", folder / "f", folder / "f")
    assert compared["classes"] == [{"class": "ratio", "rows": 24, "nearer": 0, "farther": 0}]
    assert compared["verdicts"] is None


def test_a_fit_is_installed(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed_fits, "FITS", tmp_path / "fits")
    verdicts = tmp_path / "claims.json"
    verdicts.write_text(json.dumps({"claims": [{"id": "B20", "verdict": "untested"}]}))
    done = fit("install", folder / "f", "2026.1", "--verdicts", verdicts)
    assert done.returncode == 0, done.stderr
    assert fit("show", "2026.1").returncode == 0
    assert installed_fits.load_fit("2026.1").identity["verdicts"] == {"B20": "untested"}
    verdicts.write_text("{}")
    done = fit("install", folder / "f", "2026.2", "--verdicts", verdicts)
    assert done.returncode == 2 and "bad-verdicts" in done.stderr
    done = fit("install", folder / "f", "2026.1")
    assert done.returncode == 2 and "name-taken" in done.stderr
    done = fit("install", folder / "f", "2026.3", "--tables")
    assert done.returncode == 2 and "no-row" in done.stderr and "2026.3" not in installed_fits.list_fits()
    shutil.rmtree(tmp_path / "fits")


def test_a_finished_fit_is_checked(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "f"
    shutil.copytree(folder / "f", out)
    done = fit("check", out, "--sbc", 3, "--profile", "k0,k2")
    assert done.returncode == 0, done.stderr
    assert "Of 3 directions the rows know 3 better" in done.stdout and "Families left out" in done.stdout
    assert "intervals hold the truth in" in done.stdout and "if it were normal" in done.stdout
    assert "A: without F0" in done.stderr and "invented data set 3 of 3" in done.stderr
    record = installed_fits.read_fit_record(out)
    assert record.table("profiles.csv")["unknown"].tolist() == ["k0"] * 4 + ["k2"] * 4
    assert record.table("left_out.csv")["family"].tolist() == ["F0", "F1", "F3", "F4"]
    assert set(record.table("coverage.csv")["set"]) == {"fitted", "set aside", "left out"}
    assert set(record.identity["checks"]) == {"left out", "invented data", "other choices"}
    # Of a mildly bent model the fall is nearly that of a normal distribution.
    profile = record.table("profiles.csv")
    assert (abs(profile["fall"] - profile["quadratic"]) < 1).all()
    choices = record.table("choices.csv")
    assert choices["fitted"].tolist() == pytest.approx([unknown.map for unknown in record.unknowns], rel=1e-6)
    assert "rows of a family share nothing" in done.stderr and (choices["moved"] >= 0).all()
    done = fit("check", out, "--no-left-out", "--no-choices", "--refit", "F1", "--smoother", 8, "--json")
    (words,) = json.loads(done.stdout)["words"].values()
    (smoothed,) = json.loads(done.stdout)["ensemble_smoother"].values()
    assert len(smoothed["apart"]) == 3 and "8 members" in smoothed["words"][0]
    assert {of["row_class"] for of in json.loads(done.stdout)["widths"]} == {"ratio"}
    assert words and json.loads(done.stdout)["refitted"][2]["nominal"] == 0.9
    done = fit("check", out, "--profile", "k9", "--refit", "F2")
    assert done.returncode == 2 and "unknown-name" in done.stderr and "unknown-family" in done.stderr


def test_the_problem_of_the_page_can_be_read() -> None:
    from betapod.base.config import check_document, parse_yaml
    from betapod.calibration.fit_settings import FitSettings
    from betapod.calibration.named_unknowns import unknown_named

    page = (Path(__file__).parents[2] / "docs" / "how-to" / "fit-published.md").read_text(encoding="utf-8")
    text = page.partition("```yaml\n")[2].partition("```")[0]
    settings = check_document(FitSettings, parse_yaml(text))
    for name, of_file in settings.unknowns.items():
        assert unknown_named(name, of_file, settings.scenario).name == name
    assert {name for stage in settings.stages for name in stage.unknowns} == set(settings.unknowns)
