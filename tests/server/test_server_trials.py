"""Trials of the server: run, watched, cancelled, killed, resumed; their numbers are those of the package."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from served import SMALL, Served

import betapod

#: Trials that are run in many parts, so that there is something to interrupt.
MANY = {"text": SMALL, "replicates": 4000}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """The summary of the same trial by the package alone, never interrupted."""
    folder = tmp_path_factory.mktemp("expected")
    (folder / "small.yaml").write_text(SMALL, encoding="utf-8")
    betapod.run_trial(folder / "small.yaml", folder / "run", replicates=MANY["replicates"], threads=1)
    return dict(json.loads((folder / "run" / "summary.json").read_text(encoding="utf-8")))


def test_a_trial_is_run_watched_and_fetched(served: Served, tmp_path: Path) -> None:
    assert served.post("/api/trials/check", {"text": SMALL}).json["feasibility"]["pool"] > 50
    answer = served.post("/api/trials", {"text": SMALL, "seed": 7})
    name = answer.json["name"]
    assert answer.status == 202 and answer.headers["location"] == f"/api/trials/{name}"
    states = list(served.events(name))
    assert states[-1]["state"] == "complete" and states[-1]["done"] == states[-1]["total"] > 0
    assert all(state["state"] in ("waiting", "running", "complete") for state in states)
    summary = served.get(f"/api/trials/{name}/summary").json
    archive = zipfile.ZipFile(io.BytesIO(served.get(f"/api/trials/{name}/folder").body))
    archive.extractall(tmp_path)
    run = betapod.open_trial(tmp_path / name)
    assert json.loads((tmp_path / name / "summary.json").read_text()) == summary
    assert run.protocol.seed == 7
    # The same once more is there already.
    again = served.post("/api/trials", {"text": SMALL, "seed": 7})
    assert (again.status, again.json["name"], again.json["state"]) == (200, name, "complete")
    assert served.post(f"/api/trials/{name}/cancel").problems[0]["kind"] == "not-at-work"
    assert served.post(f"/api/trials/{name}/resume").json["state"] == "complete"
    assert name in {trial["name"] for trial in served.get("/api/trials").json["trials"]}


def test_cancelled_killed_and_resumed_gives_the_same_numbers(tmp_path: Path, expected: dict[str, object]) -> None:
    runs = tmp_path / "runs"
    server = Served(runs, "--threads", "1")
    name = server.post("/api/trials", MANY).json["name"]
    second = server.post("/api/trials", {"text": SMALL, "seed": 9}).json
    assert second["state"] == "waiting"
    for state in server.events(name):
        if state["activity"] == "running the trial" and state["done"] >= 2:
            break
    cancelled = server.post(f"/api/trials/{name}/cancel").json
    cancelled = server.until(name, "cancelled")
    assert 2 <= cancelled["done"] < cancelled["total"]
    assert server.get(f"/api/trials/{name}/summary").problems[0]["kind"] == "incomplete-run"
    # The one that waited has its turn; the first is gone on with, and the server loses its power.
    server.until(second["name"], "complete")
    server.post(f"/api/trials/{name}/resume")
    for state in server.events(name):
        if state["activity"] == "running the trial" and state["done"] > cancelled["done"]:
            break
    server.killed()

    server = Served(runs, "--threads", "1")
    states = {trial["name"]: trial["state"] for trial in server.get("/api/trials").json["trials"]}
    assert states == {name: "interrupted", second["name"]: "complete"}
    assert server.post(f"/api/trials/{name}/resume").json["state"] in ("waiting", "running")
    assert server.until(name, "complete", "failed")["problems"] == []
    assert server.get(f"/api/trials/{name}/summary").json == expected
    code, errors = server.stop()
    assert code == 0 and "can be resumed" in errors
    assert not list(runs.rglob("*.writing-*")) and not list(runs.glob(".making-*"))


def test_a_process_that_dies_is_told(tmp_path: Path) -> None:
    """A trial whose folder was spoilt fails with its problems, and leaves the server as it was."""
    runs = tmp_path / "runs"
    server = Served(runs, "--threads", "1")
    name = server.post("/api/trials", {"text": SMALL, "seed": 11}).json["name"]
    server.until(name, "complete")
    assert server.stop()[0] == 0
    manifest = runs / name / "run" / "manifest.json"
    (runs / name / "run" / "summary.json").unlink()
    manifest.write_text("{", encoding="utf-8")
    server = Served(runs, "--threads", "1")
    assert server.get(f"/api/trials/{name}").json["state"] == "interrupted"
    server.post(f"/api/trials/{name}/resume")
    failed = server.until(name, "failed")
    assert failed["problems"] and "manifest.json" in failed["problems"][0]["file"]
    assert server.get("/api").status == 200
    assert server.stop()[0] == 0
