"""Fits run into folders: the answer of a toy, stages, stopped and killed fits that end with the same bits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from toy_fits import ToyProblem, rows

from betapod.base.errors import ConfigError, Problem
from betapod.calibration.discrepancy import Discrepancy
from betapod.calibration.evaluations import GROUP, KeptEvaluations
from betapod.calibration.finish_fit import _lacking
from betapod.calibration.run_fit import run_fit
from betapod.calibration.stage_fit import FitOptions
from betapod.physiology.installed_fits import FitRecord, read_fit_record

OPTIONS = FitOptions(draws=32, iterations=6)
#: Files of a record whose every byte is determined; ``fit.json`` and ``trace.csv`` say besides how long it took.
SAME = ("unknowns.csv", "covariance.npy", "draws.npz", "rows.csv", "row_draws.npz", "discrepancy.csv")


def content(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in SAME}


@pytest.fixture(scope="module", autouse=True)
def coarse() -> Iterator[None]:
    """Estimate discrepancies on a coarse grid: what is tried here does not depend on their accuracy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("betapod.calibration.discrepancy._GRID", 4)
        yield


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> FitRecord:
    return run_fit(ToyProblem(), tmp_path_factory.mktemp("single") / "f", OPTIONS)


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> FitRecord:
    return run_fit(ToyProblem(staged=True), tmp_path_factory.mktemp("staged") / "f", OPTIONS)


def test_the_answer_is_found(single: FitRecord) -> None:
    truth = np.array([0.8, -0.5, 0.3])
    u = np.array([np.log(unknown.map / unknown.start) / 0.4 for unknown in single.unknowns])
    sd = np.sqrt(np.diag(single.covariance))
    assert (np.abs(u - truth) < 3 * sd).all() and (sd < 0.2).all()
    assert all(unknown.contraction > 0.8 and not unknown.at_bound for unknown in single.unknowns)
    rows = single.rows
    fitted = rows["fitted"]
    assert np.abs(rows["z_after"][fitted]).mean() < 0.3 * np.abs(rows["z_before"][fitted]).mean()
    assert rows["inside_all"].mean() >= rows["inside_after"].mean() > rows["inside_before"].mean()
    assert single.identity["rows"]["fitted"] == 16 and single.identity["families"]["set aside"] == ["F2", "F5"]
    assert single.identity["stages"][0]["converged"] and single.table("trace.csv")["loss"][-1] < 100
    assert single.identity["evaluations"] == len(KeptEvaluations(single.folder))


def test_a_class_of_which_nothing_is_fitted_lacks_what_its_prior_says() -> None:
    of = replace(rows(), row_class=tuple("ratio" if fitted else "share" for fitted in rows().fitted))
    stage = SimpleNamespace(
        rows=of, discrepancy=Discrepancy({"ratio": 0.1, "share": 0.3}, {"ratio": 0.2, "share": 0.4})
    )
    family, row = _lacking(of, [stage, stage])
    np.testing.assert_allclose(family, np.where(of.fitted, 0.1, 0.3))
    np.testing.assert_allclose(row, np.where(of.fitted, 0.2, 0.4))


def test_what_is_finished_is_not_computed_again(single: FitRecord, tmp_path: Path) -> None:
    log = tmp_path / "log"
    again = run_fit(ToyProblem(log=log), single.folder, OPTIONS)
    assert not log.exists() and again.values() == single.values()


def test_a_damaged_record_is_put_together_again(single: FitRecord, tmp_path: Path) -> None:
    before = content(single.folder)
    (single.folder / "rows.csv").write_text("record\n")
    log = tmp_path / "log"
    run_fit(ToyProblem(log=log), single.folder, OPTIONS)
    assert content(single.folder) == before and not log.exists()


def test_another_fit_does_not_go_into_the_folder(single: FitRecord) -> None:
    with pytest.raises(ConfigError, match="another fit") as caught:
        run_fit(ToyProblem(), single.folder, replace(OPTIONS, draws=16))
    assert caught.value.problems[0].found == "different draws"


def test_a_later_stage_tells_an_earlier_one_nothing(single: FitRecord, staged: FitRecord, tmp_path: Path) -> None:
    class Otherwise(ToyProblem):
        """The rows of the second stage say something else."""

        def objective(self, stage, held, threads=None, around=None):  # type: ignore[no-untyped-def]
            of = super().objective(stage, held, threads, around)
            moved = of.rows.observed + np.where(np.arange(of.first, of.first + len(of.rows)) >= 12, 0.3, 0.0)
            return replace(of, rows=replace(of.rows, observed=moved))

    other = run_fit(Otherwise(staged=True), tmp_path / "f", OPTIONS)
    assert other.values()["k0"] == staged.values()["k0"] and other.values()["k2"] != staged.values()["k2"]
    assert other.covariance[0, 0] == staged.covariance[0, 0]
    assert sorted(other.draws_values[:, 0]) == sorted(staged.draws_values[:, 0])
    # The second stage knows what the first one found of k1: less is unknown than to the first.
    first = staged.identity["stages"]
    assert first[1]["held"] == {"k0": staged.values()["k0"]} and first[0]["held"] == {}
    assert set(staged.rows["stage"]) == {"A", "B"} and staged.names == ("k0", "k1", "k2")
    assert (staged.weights == 1 / 32).all()
    assert staged.covariance[1, 1] < 0.05 and abs(staged.covariance[0, 1]) > 0


def test_the_search_is_repeated_in_people_who_lived_under_the_fit(single: FitRecord, tmp_path: Path) -> None:
    told: list[str] = []
    problem = ToyProblem(rounds=3, shift=0.2)
    record = run_fit(problem, tmp_path / "f", OPTIONS, tell=told.append)
    (stage,) = record.identity["stages"]
    assert 2 <= stage["passes"] <= 4 and stage["moved in the last pass"] < 0.1 and record.identity["warnings"] == []
    assert sum("in people who lived under the fit" in text for text in told) == stage["passes"] - 1
    trace = record.table("trace.csv")
    assert sorted(set(trace["pass"])) == list(range(1, stage["passes"] + 1))
    assert (np.diff(trace["evaluations"]) > 0).all()
    # Predictions before are those of the people whom the package has, those after of people who lived again.
    assert np.array_equal(record.rows["before"], single.rows["before"])
    u = [unknown.place(record.values()[unknown.name]) for unknown in problem.stages[0].unknowns]
    around = {
        unknown.name: value for unknown, value in zip(problem.stages[0].unknowns, _last_around(record), strict=True)
    }
    again = problem.objective("A", {}, around=around).predict(np.array([u]))[0]
    np.testing.assert_allclose(record.rows["after"], again, atol=1e-9)
    # Nobody lives again where no rounds are asked for.
    assert single.identity["stages"][0]["passes"] == 1


def _last_around(record: FitRecord) -> list[float]:
    around = record.identity["stages"][0]["around"]
    return [around[name] for name in record.names]


def test_what_cannot_begin_leaves_nothing(tmp_path: Path) -> None:
    class Broken(ToyProblem):
        def objective(self, stage, held, threads=None, around=None):  # type: ignore[no-untyped-def]
            raise ConfigError(Problem("no-rows", "no row fits"))

    with pytest.raises(ConfigError, match="no row fits"):
        run_fit(Broken(), tmp_path / "f", OPTIONS)
    assert not (tmp_path / "f").exists()


def test_a_stopped_fit_goes_on_with_the_same_bits(single: FitRecord, tmp_path: Path) -> None:
    stops = 0

    def stop(text: str) -> None:
        nonlocal stops
        if "computed now" in text:
            stops += 1
            if stops in (1, 3):
                raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run_fit(ToyProblem(), tmp_path / "f", OPTIONS, tell=stop)
    assert len(KeptEvaluations(tmp_path / "f")) > 0 and not (tmp_path / "f" / "fit.json").exists()
    run_fit(ToyProblem(), tmp_path / "f", OPTIONS)
    assert content(tmp_path / "f") == content(single.folder)


_WORKER = """
import sys
from toy_fits import ToyProblem, rows
from betapod.calibration import discrepancy
from betapod.calibration.finish_fit import _lacking
from betapod.calibration.run_fit import run_fit
from betapod.calibration.stage_fit import FitOptions
discrepancy._GRID = 4
run_fit(ToyProblem(staged=True, seconds=0.01), sys.argv[1], FitOptions(draws=32, iterations=6))
"""


def test_a_killed_fit_goes_on_with_the_same_bits(staged: FitRecord, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen([sys.executable, "-c", _WORKER, str(tmp_path / "f")], env=environment)
    try:
        while len(list(tmp_path.glob("f/evaluations/*.json"))) < 4:
            assert process.poll() is None
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    finished = len(KeptEvaluations(tmp_path / "f"))
    assert finished >= GROUP
    log = tmp_path / "log"
    run_fit(ToyProblem(staged=True, log=log), tmp_path / "f", OPTIONS)
    assert content(tmp_path / "f") == content(staged.folder)
    assert len(log.read_text()) == read_fit_record(tmp_path / "f").identity["evaluations"] - finished
