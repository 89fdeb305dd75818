"""Evaluations of a fit are kept, found again bit by bit, and not taken for others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toy_fits import ToyObjective, rows, toy_predictions, unknowns

from betapod.base.errors import SolverError
from betapod.calibration.evaluations import GROUP, KeptEvaluations, rows_digest


def toy(log: Path | None = None) -> ToyObjective:
    return ToyObjective(unknowns(), rows(), log)


def test_what_was_computed_is_never_computed_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    u = np.random.default_rng(0).standard_normal((2 * GROUP + 3, 3))
    tallies = []
    kept = KeptEvaluations(tmp_path)
    first = kept.objective(toy(log), "A", {}, lambda tally: tallies.append(tally.asked))
    predicted = first.predict(u)
    assert np.array_equal(predicted, toy_predictions(u, 24))
    assert tallies == [GROUP, 2 * GROUP, 2 * GROUP + 3]
    first.predict(u[:2])
    assert len(log.read_text()) == len(u)
    again = KeptEvaluations(tmp_path)
    assert len(again) == len(u)
    assert again.objective(toy(log), "A", {}).predict(u).tobytes() == predicted.tobytes()
    assert len(log.read_text()) == len(u) and again.tally.computed == 0 and again.unused == 0


def test_a_place_that_is_asked_for_twice_is_computed_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    u = np.zeros((3, 3))
    u[2] = -0.0
    KeptEvaluations(tmp_path).objective(toy(log), "A", {}).predict(u)
    assert log.read_text() == "x"


def test_rows_that_cannot_be_computed_stay_unknown(tmp_path: Path) -> None:
    class Halting(ToyObjective):
        def predict(self, u: np.ndarray) -> np.ndarray:
            return np.where(np.arange(len(self.rows)) % 2, np.nan, super().predict(u))

    objective = Halting(unknowns(), rows())
    u = np.ones((2, 3))
    before = KeptEvaluations(tmp_path).objective(objective, "A", {}).predict(u)
    after = KeptEvaluations(tmp_path).objective(objective, "A", {}).predict(u)
    assert np.array_equal(before, after, equal_nan=True) and np.isnan(after[:, 1::2]).all()


def test_another_problem_takes_nothing(tmp_path: Path) -> None:
    u = np.zeros((1, 3))
    kept = KeptEvaluations(tmp_path)
    kept.objective(toy(), "A", {"held": {}}).predict(u)
    moved = replace(rows(), se=rows().se * 2)
    for objective, identity in (
        (toy(), {"held": {"k9": 1.0}}),
        (ToyObjective(unknowns(), moved), {"held": {}}),
        (ToyObjective((*unknowns(2), replace(unknowns()[2], sd=0.5)), rows()), {"held": {}}),
    ):
        keys = kept.objective(objective, "A", identity)
        assert kept.predicted([keys.key(u[0])], "A") == [None]
    assert rows_digest(moved) != rows_digest(rows())


@pytest.mark.parametrize("harm", ["cut", "removed", "no receipt", "receipt cut"])
def test_a_damaged_part_is_computed_again(tmp_path: Path, harm: str) -> None:
    u = np.eye(3)
    predicted = KeptEvaluations(tmp_path).objective(toy(), "A", {}).predict(u)
    (part,) = tmp_path.glob("evaluations/*.parquet")
    receipt = part.with_suffix(".json")
    if harm == "cut":
        part.write_bytes(part.read_bytes()[:-10])
    elif harm == "removed":
        part.unlink()
    elif harm == "no receipt":
        receipt.unlink()
    else:
        receipt.write_text(receipt.read_text()[:50])
    log = tmp_path / "log"
    again = KeptEvaluations(tmp_path)
    assert len(again) == 0
    assert np.array_equal(again.objective(toy(log), "A", {}).predict(u), predicted)
    assert log.read_text() == "xxx" and len(KeptEvaluations(tmp_path)) == 3


_WORKER = """
import sys, numpy as np
from pathlib import Path
from toy_fits import ToyObjective, rows, unknowns
from betapod.base.errors import SolverError
from betapod.calibration.evaluations import KeptEvaluations
folder = Path(sys.argv[1])
u = np.random.default_rng(1).standard_normal((400, 3))
KeptEvaluations(folder).objective(ToyObjective(unknowns(), rows(), folder / "log", 0.002), "A", {}).predict(u)
"""


def test_a_process_that_is_killed_leaves_what_it_finished(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen([sys.executable, "-c", _WORKER, str(tmp_path)], env=environment)
    try:
        while len(list(tmp_path.glob("evaluations/*.json"))) < 3:
            assert process.poll() is None
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    kept = KeptEvaluations(tmp_path)
    finished = len(kept)
    assert 3 * GROUP <= finished < 400 and not list(tmp_path.glob("evaluations/*writing*"))
    u = np.random.default_rng(1).standard_normal((400, 3))
    log = tmp_path / "log"
    log.unlink()
    assert np.array_equal(kept.objective(toy(log), "A", {}).predict(u), toy_predictions(u, 24))
    # The last group may have been predicted and not yet written.
    assert len(log.read_text()) == 400 - finished


def test_places_that_cannot_be_computed_do_not_end_a_fit(tmp_path: Path) -> None:
    class Limited(ToyObjective):
        def predict(self, u: np.ndarray) -> np.ndarray:
            if (u > 2).any():
                raise SolverError("an inhibition above 1")
            return super().predict(u)

    objective = Limited(unknowns(), rows())
    u = np.zeros((4, 3))
    u[2, 1] = 2.5
    with pytest.raises(SolverError):
        KeptEvaluations(tmp_path / "a").objective(objective, "A", {}).predict(u[2:3])
    predicted = KeptEvaluations(tmp_path / "b").objective(objective, "A", {}).predict(u)
    assert np.isnan(predicted[2]).all() and np.array_equal(predicted[[0, 1, 3]], toy_predictions(u, 24)[[0, 1, 3]])
    again = KeptEvaluations(tmp_path / "b").objective(objective, "A", {})
    assert np.array_equal(again.predict(u), predicted, equal_nan=True)
    assert np.isnan(again.predict(u[2:3] + 0.1)).all()


def test_processor_time_of_workers_counts(tmp_path: Path) -> None:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    if not Path("/proc/self/stat").exists():
        pytest.skip("the system does not tell what other processes spend")
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:

        class Shared(ToyObjective):
            def predict(self, u: np.ndarray) -> np.ndarray:
                pool.submit(sum, range(20_000_000)).result()
                return super().predict(u)

        kept = KeptEvaluations(tmp_path)
        kept.objective(Shared(unknowns(), rows()), "A", {}).predict(np.zeros((1, 3)))
        assert kept.tally.processor_seconds["A"] > 0.1
