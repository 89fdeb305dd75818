"""The run folder: nothing half-written counts, nothing damaged is trusted, a full disk loses nothing that was finished."""

import errno
import json
import os
import subprocess

import pytest
import small_runs as small

from betapod.base.atomic import StoreError, write_atomic
from betapod.base.errors import ConfigError
from betapod.engine.runs.execute import execute
from betapod.engine.runs.run_plan import identity_changes
from betapod.engine.runs.store import Receipt, Store, write_parquet


@pytest.fixture
def run(tmp_path):
    execute(small.plan(), tmp_path / "run")
    return tmp_path / "run"


def cut_short(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip_a_bit(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


DAMAGE = {
    "cut short": (lambda run: cut_short(run / "visits/part-00002.parquet"), "bytes, not"),
    "a flipped bit": (lambda run: flip_a_bit(run / "visits/part-00002.parquet"), "not what was written"),
    "emptied": (lambda run: (run / "patients/part-00002.parquet").write_bytes(b""), "has 0 bytes"),
    "deleted": (lambda run: (run / "visits/part-00002.parquet").unlink(), "is missing"),
    "another shard's part": (
        lambda run: (run / "visits/part-00002.parquet").write_bytes((run / "visits/part-00003.parquet").read_bytes()),
        "part-00002.parquet of visits",
    ),
    "receipt cut short": (lambda run: cut_short(run / "receipts/00002.json"), "cannot be read"),
    "receipt that is no receipt": (lambda run: (run / "receipts/00002.json").write_text("[1]"), "cannot be read"),
    "another shard's receipt": (
        lambda run: (run / "receipts/00002.json").write_bytes((run / "receipts/00003.json").read_bytes()),
        "another run",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_found_and_mended(run, kind):
    before = small.tables(run)
    damage, message = DAMAGE[kind]
    damage(run)
    assert small.tables(run) != before or "receipt" in kind
    outcome = execute(small.plan(), run)
    assert list(outcome.redone) == [2] and message in outcome.redone[2]
    assert outcome.computed == 10 and outcome.complete
    assert small.tables(run) == before


def test_a_part_without_a_receipt_does_not_count(run):
    before = small.tables(run)
    (run / "receipts/00004.json").unlink()
    cut_short(run / "visits/part-00004.parquet")
    assert execute(small.plan(), run).computed == 10
    assert small.tables(run) == before


def test_what_a_dead_process_left_is_removed_and_what_a_live_one_writes_is_not(run):
    import socket

    dead = subprocess.Popen(["true"])
    dead.wait()
    host = socket.gethostname()
    left = run / f"visits/part-00001.parquet.writing-{host}~{dead.pid}~00ff"
    live = run / f"visits/part-00001.parquet.writing-{host}~{os.getppid()}~00ff"
    elsewhere = run / f"visits/part-00001.parquet.writing-otherhost~{dead.pid}~00ff"
    for path in (left, live, elsewhere):
        path.write_bytes(b"half")
    execute(small.plan(), run)
    assert not left.exists() and live.exists() and elsewhere.exists()


def test_temporary_files_are_no_parquet_files_to_a_pattern(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.extend(p.name for p in tmp_path.iterdir()))
    write_parquet(tmp_path / "part-00000.parquet", "SELECT 1 AS x", {}, "run")
    assert len(seen) == 1 and not seen[0].endswith(".parquet")


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    write_atomic(tmp_path / "file", b"old")

    def fail(_):
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="input/output"):
        write_atomic(tmp_path / "file", b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["file"] and (tmp_path / "file").read_bytes() == b"old"


def test_the_first_of_two_manifests_wins(tmp_path):
    first = Store.create(tmp_path / "run", {"identity": {"patients": 1, "shard_size": 1}, "who": "first"})
    second = Store.create(tmp_path / "run", {"identity": {"patients": 1, "shard_size": 1}, "who": "second"})
    assert first.manifest["who"] == second.manifest["who"] == "first"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (None, "no-run"),
        ("{", "bad-manifest"),
        ('{"schema_version": 2}', "identity is missing"),
        ("[]", "bad-manifest"),
        ('{"schema_version": 99}', "bad-manifest"),
        ('{"schema_version": 1}', "earlier-version"),
    ],
)
def test_folders_without_a_usable_manifest(tmp_path, content, kind):
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ConfigError, match=kind):
        Store.open(tmp_path)


def test_manifest_says_how_the_run_was_made(run):
    manifest = json.loads((run / "manifest.json").read_text())
    identity = manifest["identity"]
    assert identity["cohort"]["seed"] == 1 and identity["rtol"] == 1e-6 and identity["patients"] == 60
    assert identity["equations"] == small.model().fingerprint
    assert set(identity["versions"]) == {"betapod", "numpy", "scipy", "llvmlite", "code"}
    assert manifest["software"]["duckdb"] and manifest["software"]["python"]
    assert identity_changes(identity, json.loads(json.dumps(small.plan().identity))) == []


def test_receipts_survive_their_text(run):
    receipt = Store.open(run).receipt(0)
    assert Receipt.from_json(receipt.to_json()) == receipt


def test_parts_carry_the_run_in_their_footer(run):
    store = Store.open(run)
    with store.connect() as connection:
        rows = connection.execute(
            f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{run}/visits/part-00000.parquet')"
        ).fetchall()
    assert ("betapod_run", store.run) in rows


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_results_that_cannot_fit_on_the_disk_are_refused_before_the_work(tmp_path, monkeypatch):
    import shutil
    from types import SimpleNamespace

    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(ConfigError) as caught:
        execute(small.plan(), tmp_path / "new" / "run")
    assert caught.value.kinds == ("disk-too-small",) and not (tmp_path / "new").exists()


def test_a_full_disk_is_said_clearly_and_the_run_continues_when_there_is_space(small_disk, tmp_path, monkeypatch):
    monkeypatch.setattr("betapod.engine.runs.execute.refuse_small_disk", lambda *_: None)
    plan = small.plan(patients=4000, shard_size=200, visits=10)
    with pytest.raises(StoreError) as caught:
        execute(plan, small_disk / "run")
    assert caught.value.kinds == ("disk-full",) and "Make space" in str(caught.value)
    store = Store.open(small_disk / "run")
    whole, damaged = store.survey()
    assert 0 < len(whole) < store.shards and not damaged
    assert not list(small_disk.rglob("*.writing-*"))
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    outcome = execute(plan, small_disk / "run")
    assert outcome.complete and outcome.computed == 4000 - 200 * len(whole)
    execute(plan, tmp_path / "undisturbed")
    assert small.tables(small_disk / "run") == small.tables(tmp_path / "undisturbed")


def test_a_folder_that_cannot_be_written_is_said_clearly(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises((StoreError, ConfigError)):
        execute(small.plan(), tmp_path / "file" / "run")
