"""Run folders of trials: same seed, same bytes; nothing damaged is trusted; a killed run is completed."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import small_trials as small

from betapod.base.errors import ConfigError
from betapod.engine.runs.manifest import SCHEMA_VERSION
from betapod.trials import run_folder
from betapod.trials.conduct import drawn_design


@pytest.fixture(autouse=True)
def known_pool(monkeypatch):
    monkeypatch.setattr(run_folder, "pool_of", lambda trial, *_, **__: small.pool(trial, people=300))
    monkeypatch.setattr(drawn_design, "SHARD", 15)


@pytest.fixture
def protocol_file(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(small.TEXT)
    return path


def digests(place):
    files = [path for path in Path(place).rglob("*") if path.is_file()]
    return {str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def equal(a, b):
    for name in (
        "member",
        "arm",
        "stratum",
        "day",
        "disposition",
        "disposition_day",
        "rescued",
        "rescue_rule",
        "screened",
    ):
        assert np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True), name
    for name in ("observed", "base", "effect_draws", "events"):
        one, other = getattr(a, name), getattr(b, name)
        assert list(one) == list(other), name
        assert all(np.array_equal(one[key], other[key], equal_nan=True) for key in one), name


def test_same_bytes_whatever_the_threads(tmp_path, protocol_file):
    what = run_folder.trial_plan(protocol_file)
    run_folder.run_into(tmp_path / "a", what, threads=1)
    run_folder.run_into(tmp_path / "b", what, threads=3)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert len(list((tmp_path / "a" / "visits").iterdir())) == 4


def test_what_is_read_is_what_was_run(tmp_path, protocol_file):
    made = run_folder.run_into(tmp_path / "a", run_folder.trial_plan(protocol_file))
    again = run_folder.open_trial_run(tmp_path / "a")
    assert list(made) == list(again)
    for key in made:
        equal(made[key], again[key])
        for name, part in made[key].parts("UACR").items():
            assert np.array_equal(part, again[key].parts("UACR")[name], equal_nan=True)
    assert run_folder.is_trial(tmp_path / "a")
    assert not run_folder.is_trial(tmp_path)


def test_damage_is_found_and_mended(tmp_path, protocol_file):
    place = tmp_path / "a"
    run_folder.run_into(place, run_folder.trial_plan(protocol_file))
    before = digests(place)
    part = place / "visits" / "part-00001.parquet"
    part.write_bytes(part.read_bytes()[:-100])
    (place / "receipts" / "00002.json").unlink()
    (place / "pool.npz").write_bytes(b"nothing")
    with pytest.raises(ConfigError, match="betapod resume"):
        run_folder.open_trial_run(place)
    run_folder.resume(place)
    assert digests(place) == before


def test_a_killed_run_is_completed(tmp_path, protocol_file):
    """A process that dies after its second part leaves a folder from which the same run comes."""
    place = tmp_path / "killed"
    program = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(small.__file__).parent)!r})
import small_trials as small
from betapod.trials import run_folder
from betapod.trials.conduct import conduct, drawn_design
run_folder.pool_of = lambda trial, *_, **__: small.pool(trial, people=300)
drawn_design.SHARD = 15
done = []
def progress(what, now, whole):
    if now == 2:
        os.kill(os.getpid(), signal.SIGKILL)
run_folder.run_into({str(place)!r}, run_folder.trial_plan({str(protocol_file)!r}), threads=1, progress=progress)
"""
    died = subprocess.run([sys.executable, "-c", program], capture_output=True, env=dict(os.environ), check=False)
    assert died.returncode == -9, died.stderr.decode()
    left = len(list((place / "receipts").glob("*.json")))
    assert 2 <= left < 4
    assert not (place / "summary.json").exists()
    run_folder.resume(place)
    run_folder.run_into(tmp_path / "whole", run_folder.trial_plan(protocol_file))
    killed, whole = digests(place), digests(tmp_path / "whole")
    assert killed == whole


def test_another_run_is_refused(tmp_path, protocol_file):
    run_folder.run_into(tmp_path / "a", run_folder.trial_plan(protocol_file, replicates=15))
    with pytest.raises(ConfigError) as caught:
        run_folder.run_into(tmp_path / "a", run_folder.trial_plan(protocol_file, replicates=15, seed=9))
    assert caught.value.kinds == ("other-run",)
    assert "seed" in str(caught.value)
    (tmp_path / "b").mkdir()
    identity = {"kind": "ensemble", "patients": 1, "shard_size": 1}
    (tmp_path / "b" / "manifest.json").write_text(json.dumps({"schema_version": SCHEMA_VERSION, "identity": identity}))
    with pytest.raises(ConfigError, match="no trial"):
        run_folder.resume(tmp_path / "b")


def test_folders_of_an_earlier_version_are_refused_with_their_command(tmp_path, protocol_file):
    place = tmp_path / "a"
    plan = run_folder.trial_plan(protocol_file, replicates=15)
    run_folder.run_into(place, plan, command=["betapod", "run", "my trial.yaml"])
    written = json.loads((place / "manifest.json").read_text())
    assert written["schema_version"] == SCHEMA_VERSION
    (place / "manifest.json").write_text(json.dumps(written | {"schema_version": SCHEMA_VERSION - 1}))
    before = digests(place)
    for use in (run_folder.open_trial_run, run_folder.resume, lambda folder: run_folder.run_into(folder, plan)):
        with pytest.raises(ConfigError, match=r"earlier version.*\n.*\n.*\n.*betapod run 'my trial.yaml'") as caught:
            use(place)
        assert caught.value.kinds == ("earlier-version",)
    assert digests(place) == before


def test_the_dictionary_names_every_column(tmp_path, protocol_file):
    import duckdb

    place = tmp_path / "a"
    run_folder.run_into(place, run_folder.trial_plan(protocol_file, replicates=15))
    told = {line.split(",")[0] for line in (place / "dictionary.csv").read_text().splitlines()[1:]}
    with duckdb.connect() as connection:
        for table in ("visits", "patients"):
            path = place / table / "part-00000.parquet"
            columns = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()}
            assert columns <= told
        arms = connection.execute(f"SELECT DISTINCT arm FROM '{path}' ORDER BY arm").fetchall()
    assert arms == [("cells",), ("control",)]
    stored = json.loads((place / "summary.json").read_text())
    assert len(stored["rows"]) == 6
