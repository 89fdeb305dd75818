"""The verb patients, as users run it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from commands import Done, carry_out

from betapod.patients import library


def run(*arguments: str) -> Done:
    return carry_out("patients", *arguments)


def test_like_a_trial_with_files(tmp_path: Path) -> None:
    done = run("like", "Skyler", "-n", "60", "--out", str(tmp_path / "some.npz"))
    assert done.returncode == 0, done.stderr
    assert "60 patients like Skyler" in done.stdout
    assert "not matched" in done.stdout
    chosen = library.read_library(tmp_path / "some.npz")
    assert len(chosen) == 60
    assert (chosen.table["metformin"] == 1).all()


def test_like_prints_one_json_document() -> None:
    done = run("like", "FLOW", "-n", "50", "--json")
    document = json.loads(done.stdout)
    assert len(document["index"]) == 50
    assert document["report"]["target"] == "FLOW"
    assert document["report"]["effective"] > 50


def test_bad_input_is_exit_code_2(tmp_path: Path) -> None:
    done = run("like", "FLOWW")
    assert done.returncode == 2
    assert "Did you mean 'FLOW'?" in done.stderr
    path = tmp_path / "people.csv"
    path.write_text("id,age,hba1c\n1,60,62\n", encoding="utf-8")
    done = run("check", str(path))
    assert done.returncode == 2
    assert "people.csv:1:3: missing-unit" in done.stderr


def test_grow_and_show(tmp_path: Path) -> None:
    done = run("grow", str(tmp_path / "mine.npz"), "--lives", "12", "--seed", "3")
    assert done.returncode == 0, done.stderr
    mine = library.read_library(tmp_path / "mine.npz")
    assert mine.origin["lives"] == 12
    document = json.loads(run("show", "--library", str(tmp_path / "mine.npz"), "--json").stdout)
    assert document["patients"] == len(mine)
    assert np.isfinite(document["quantiles"]["egfr"]).all()


def test_files_that_cannot_be_written_are_refused_before_the_work(tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    rows = "".join(f"p{i},{45 + i},{6.5 + i / 10:.1f}\n" for i in range(30))
    people.write_text(f"id,age,hba1c\n{rows}", encoding="utf-8")
    before = people.read_bytes()
    done = run("like", str(people), "-n", "20", "-o", str(people))
    assert done.returncode == 2
    assert people.read_bytes() == before
    done = run("like", str(people), "-n", "20", "-o", str(tmp_path / "some.xlsx"))
    assert done.returncode == 2
    assert "some.xlsx" in done.stderr and ".npz" in done.stderr
    done = run("grow", str(tmp_path / "mine.csv"), "-n", "5000")
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == [people]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "chosen.csv"
    assert run("like", "Skyler", "-n", "40", "-o", str(path)).returncode == 0
    done = run("check", str(path))
    assert done.returncode == 0, done.stderr
    assert "40 people" in done.stdout
