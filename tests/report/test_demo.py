"""The demonstration as a command, with few trials: run, report, files, documents on the terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    folder = tmp_path_factory.mktemp("demo") / "new" / "folder"
    command = [sys.executable, "-m", "betapod", "demo", "--replicates", "40", "--quick", "--json", "--out", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


def test_files(demo: tuple[Path, dict[str, object]]) -> None:
    folder, found = demo
    assert Path(str(found["report"])) == folder / "report.html"
    assert all(Path(path).is_file() for path in found["files"])  # type: ignore[attr-defined]
    assert (folder / "run" / "manifest.json").is_file()
    assert found["trial_patients"] == 9 * 40 * 61


def test_it_answers_the_questions_of_its_trial(demo: tuple[Path, dict[str, object]]) -> None:
    questions = [each["question"] for each in demo[1]["answers"]]  # type: ignore[attr-defined]
    assert any("even if the cells did no good" in question for question in questions)
    assert any("How much evidence" in question for question in questions)
    assert any("How large must a trial be" in question for question in questions)
    assert any("early" in question for question in questions)


def test_a_study_without_controls_finds_what_is_not_there(demo: tuple[Path, dict[str, object]]) -> None:
    rows = [
        row
        for row in demo[1]["results"]  # type: ignore[attr-defined]
        if row["scenario"] == "none" and row["role"] == "primary" and row["stratum"] == "all"
    ]
    single, controlled = (next(row for row in rows if row["design"] == name) for name in ("single arm", "randomised"))
    assert abs(single["truth"]) < 1e-6 and abs(controlled["truth"]) < 1e-6
    assert single["mean"] < -0.05 and single["improved"] > 0.1
    assert abs(controlled["mean"]) < 0.15 and controlled["improved"] < 0.15


def test_the_report_of_a_finished_run(demo: tuple[Path, dict[str, object]], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "betapod", "report", str(demo[0] / "run"), "--quick", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "true effect" in done.stdout and "report.html" in done.stdout
    again = subprocess.run([*command, "--replicates", "5"], capture_output=True, text=True, timeout=300, check=False)
    assert again.returncode == 2 and "--replicates does not fit" in again.stderr
