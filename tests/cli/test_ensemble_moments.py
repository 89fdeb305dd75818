"""Moments of many patients from the command line: those of the same patients in a run folder, and nothing is written."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from commands import carry_out

from betapod import load_model
from betapod.engine.runs.run_moments import run_moments
from betapod.engine.runs.run_plan import ListedPatients, RunPlan

WHO = ("topp2000", "--set", "S_I=0.5", "-n", "patients.csv", "--visits", "0,90,365 day", "--outputs", "glucose,insulin")


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Write a table of patients into the folder that is worked in."""
    monkeypatch.chdir(tmp_path)
    sizes = np.random.default_rng(2).uniform(700.0, 1000.0, 600)
    Path("patients.csv").write_text("R_0\n" + "\n".join(map(repr, sizes.tolist())), encoding="utf-8")
    return sizes


def test_moments_are_those_of_a_run_folder(table: np.ndarray) -> None:
    moments = json.loads(carry_out("ensemble", "moments", *WHO, "--json", "--quantiles").stdout)
    assert carry_out("ensemble", "run", *WHO, "-o", "run", "-q").returncode == 0
    folder = json.loads(carry_out("ensemble", "summary", "run", "--json", "--quantiles").stdout)
    assert (moments["patients"], moments["status"], moments["failed"]) == (600, {"ok": 600}, 0)
    for name in ("steps", "rejected", "visits", "events"):
        assert moments[name] == folder[name]
    for output in ("glucose", "insulin"):
        for row, other in zip(moments["outputs"][output]["visits"], folder["outputs"][output]["visits"], strict=True):
            assert (row["time"], row["count"], row["low"], row["high"]) == tuple(
                other[name] for name in ("time", "count", "low", "high")
            )
            np.testing.assert_allclose(row["mean"], other["mean"], rtol=1e-13)
            np.testing.assert_allclose(row["sd"], other["sd"], rtol=1e-9, atol=1e-12)
        (found,), (exact,) = moments["quantiles"][output].values(), folder["quantiles"][output].values()
        np.testing.assert_allclose(found, exact, rtol=0.01)
    assert {path.name for path in Path().iterdir()} == {"patients.csv", "run"}


def test_moments_as_text_and_as_csv(table: np.ndarray) -> None:
    said = carry_out("ensemble", "moments", *WHO, "--quiet").stdout
    assert "600 virtual patients" in said and "600  ok" in said and "mean (SD), year 0.999316" in said
    rows = list(csv.DictReader(io.StringIO(carry_out("ensemble", "moments", *WHO, "--csv", "-").stdout)))
    assert [row["time [day]"] for row in rows] == ["0", "90", "365"] * 2
    assert {row["patients"] for row in rows} == {"600"} and max(map(len, said.splitlines())) <= 80


def test_too_many_failures_have_an_exit_code_of_their_own(table: np.ndarray) -> None:
    said = carry_out("ensemble", "moments", *WHO, "--set", "k_I=1e307", "--set", "sigma_max=1e308", "-q")
    assert said.returncode == 4 and "600 of 600 patients failed" in said.stderr


def test_what_is_wrong_is_said_before_anything_is_computed(table: np.ndarray) -> None:
    for options, words in (
        (("--device", "gpu"), "no such device"),
        (("--outputs", "glucos"), "glucos"),
        (("--csv", "-", "--json"), "both print to standard output"),
    ):
        done = carry_out("ensemble", "moments", *WHO, *options)
        assert done.returncode == 2 and words in " ".join(done.stderr.split())


def test_the_bits_do_not_depend_on_how_many_are_drawn_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    who = ListedPatients({"R_0": np.random.default_rng(4).uniform(700.0, 1000.0, 700)})
    plan = RunPlan(load_model("topp2000"), 700, (0.0, 1.0, 50.0), ("glucose", "insulin"), who)
    told: list[tuple[str, int, int]] = []
    whole = run_moments(plan, threads=1, progress=lambda *now: told.append(now))
    monkeypatch.setattr("betapod.engine.runs.run_moments._BLOCKS", 1)
    parts = run_moments(plan, threads=2, progress=lambda *now: told.append(now))
    assert told == [("patients", done, 700) for done in (700, 256, 512, 700)]
    for name in ("count", "mean", "squares", "low", "high", "endings", "steps"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))
