"""Real processes: killed, interrupted, terminated, on a cluster that loses a worker; the result is always the same."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import small_runs as small

PATIENTS, SHARD = 480, 4
CSV_HEAD = "id,label,value,unit,low,high,distribution,role,source,locator,grade,note"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    (folder / "small.txt").write_text(small.TEXT)
    rows = [f'{name},{name},{value},{unit},,,"{shape}",assumed,,,D,' for name, value, unit, shape in small.ROWS]
    (folder / "small.csv").write_text("\n".join([CSV_HEAD, *rows]) + "\n")
    return folder


def command(files, folder, *more, patients=PATIENTS):
    options = ["--patients", str(patients), "--years", "0.05", "--visits", "3 day", "--shard-size", str(SHARD)]
    return [
        sys.executable, "-m", "betapod", "ensemble", "run", str(files / "small.txt"), *options, "--out", str(folder),
        "--fail-above", "1", *more,
    ]  # fmt: skip


def resume(folder, *more):
    return [sys.executable, "-m", "betapod", "ensemble", "resume", str(folder), "--fail-above", "1", *more]


def resume_here(folder):
    """Continue a run in this process, and return its summary."""
    from betapod.cli.verbs.ensemble_plan import plan_of_folder
    from betapod.engine.runs.execute import execute
    from betapod.engine.runs.summary import finish

    plan = plan_of_folder(folder)
    outcome = execute(plan, folder)
    assert outcome.complete
    return finish(outcome.store, plan)


def finished(folder):
    return len(list((folder / "receipts").glob("*.json"))) if folder.exists() else 0


def wait_for(folder, shards, process, patience=60.0):
    """Wait until a run has finished some shards; False if it ended before."""
    end = time.monotonic() + patience
    while finished(folder) < shards:
        if process.poll() is not None:
            return False
        assert time.monotonic() < end, "the run does not get on"
        time.sleep(0.005)
    return True


@pytest.fixture(scope="module")
def undisturbed(files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    done = subprocess.run([*command(files, folder), "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["failed"] > 0 and document["accuracy"]["reproduced"]
    return folder


def test_killed_at_random_moments_the_result_is_that_of_an_undisturbed_run(files, undisturbed, tmp_path):
    folder, luck, kills = tmp_path / "run", random.Random(20261121), 0
    order = command(files, folder)
    while kills < 3:
        process = subprocess.Popen(order, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        target = finished(folder) + luck.randrange(1, 30)
        if not wait_for(folder, min(target, PATIENTS // SHARD), process):
            break
        time.sleep(luck.random() * 0.02)
        process.kill()
        process.wait()
        kills += 1
        order = resume(folder)
    assert kills == 3, "the run ended before it could be killed often enough"
    summary = resume_here(folder)
    assert small.tables(folder) == small.tables(undisturbed)
    assert summary["digest"] == json.loads((undisturbed / "summary.json").read_text())["digest"]
    assert not list(folder.rglob("*.writing-*"))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_leaves_a_folder_that_can_be_continued(files, undisturbed, tmp_path, how):
    folder = tmp_path / "run"
    process = subprocess.Popen(
        command(files, folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests in the background may have made them deaf to an interrupt.
        preexec_fn=lambda: signal.signal(how, signal.SIG_DFL),
    )
    assert wait_for(folder, 5, process)
    process.send_signal(how)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"betapod ensemble resume {folder}" in messages and "Traceback" not in messages
    assert 5 <= finished(folder) < PATIENTS // SHARD
    assert not list(folder.rglob("*.writing-*")), "an orderly end leaves nothing half-written"
    resume_here(folder)
    assert small.tables(folder) == small.tables(undisturbed)


def test_a_killed_worker_process_is_replaced(files, undisturbed, tmp_path):
    folder = tmp_path / "run"
    process = subprocess.Popen(command(files, folder, "--processes", "2"), stderr=subprocess.PIPE, text=True)
    assert wait_for(folder, 3, process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    workers = [int(c) for c in children if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()]
    os.kill(workers[0], signal.SIGKILL)
    _, messages = process.communicate(timeout=120)
    assert process.returncode == 0, messages
    assert small.tables(folder) == small.tables(undisturbed)


def test_job_array_tasks_in_one_folder_at_once(files, undisturbed, tmp_path):
    folder = tmp_path / "run"
    tasks = [subprocess.Popen(command(files, folder, "--shard", f"{i}/2"), stderr=subprocess.PIPE) for i in (1, 2)]
    for process in tasks:
        _, messages = process.communicate(timeout=120)
        assert process.returncode == 0, messages
    merged = subprocess.run(
        [sys.executable, "-m", "betapod", "merge", str(folder), "--json"], capture_output=True, text=True
    )
    assert merged.returncode == 0, merged.stderr
    assert small.tables(folder) == small.tables(undisturbed)
    assert json.loads(merged.stdout)["accuracy"]["reproduced"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_cluster_that_loses_a_worker(files, undisturbed, tmp_path):
    pytest.importorskip("distributed")
    address = f"tcp://127.0.0.1:{free_port()}"
    quiet = {"cwd": tmp_path, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = [sys.executable, "-m", "distributed.cli"]
    scheduler = [
        f"{dask[-1]}.dask_scheduler",
        "--host",
        address.rpartition(":")[0],
        "--port",
        address.rpartition(":")[2],
    ]
    worker = [f"{dask[-1]}.dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    started = [subprocess.Popen([*dask[:-1], *scheduler, "--no-dashboard"], **quiet)]
    try:
        started += [subprocess.Popen([*dask[:-1], *worker], **quiet) for _ in range(2)]
        folder = tmp_path / "run"
        patience = {**os.environ, "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "60s"}
        process = subprocess.Popen(
            command(files, folder, "--cluster", address), stderr=subprocess.PIPE, text=True, env=patience
        )
        assert wait_for(folder, 8, process), process.communicate()[1]
        started[1].kill()
        _, messages = process.communicate(timeout=180)
        assert process.returncode == 0, messages
        assert small.tables(folder) == small.tables(undisturbed)
    finally:
        for each in reversed(started):
            each.kill()
            each.wait()


def test_no_cluster_there(files, tmp_path):
    address = f"tcp://127.0.0.1:{free_port()}"
    hurry = {**os.environ, "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "2s"}
    order = command(files, tmp_path / "run", "--cluster", address)
    done = subprocess.run(order, capture_output=True, text=True, env=hurry)
    assert done.returncode == 2 and "cannot reach a Dask scheduler" in done.stderr and "Traceback" not in done.stderr


def test_inputs_that_changed_are_refused_with_what_changed(files, tmp_path):
    folder, model = tmp_path / "run", tmp_path / "model"
    model.mkdir()
    for name in ("small.txt", "small.csv"):
        (model / name).write_bytes((files / name).read_bytes())
    assert subprocess.run(command(model, folder, patients=20), capture_output=True).returncode == 0
    (model / "small.csv").write_text(
        (files / "small.csv").read_text().replace("lognormal(1.5, 0.5)", "lognormal(1.5, 0.6)")
    )
    (model / "small.txt").write_text((files / "small.txt").read_text().replace("x - y   ", "y - x   "))
    done = subprocess.run(resume(folder), capture_output=True, text=True)
    assert done.returncode == 2
    for line in ("cohort.drawn.rate.shape", "1.5, 0.6]", "equations", "small.txt", "3 problems"):
        assert line in done.stderr


def test_every_wrong_option_has_a_clear_answer(files, tmp_path, monkeypatch, capsys):
    from betapod.cli.main import main

    base = command(files, tmp_path / "run")
    for more, message in [
        (["--visits", "6"], "such as '6 month'"),
        (["--visits", "0,1,x year"], "times with a unit"),
        (["--vary", "los"], "Did you mean 'loss'"),
        (["--outputs", "xx"], "unknown-output"),
        (["--shard", "0/4"], "counted from 1"),
        (["--shard", "half"], "such as 3/64"),
        (["--set", "loss=0.1", "--vary", "loss"], "both set and drawn"),
        (["--patients", "0"], "nobody to simulate"),
        (["--patients", "nowhere.csv"], "neither a number nor a table"),
        (["--threads", "1", "--processes", "1"], "choose one of"),
        (["--rtol", "0"], "rtol is out of range"),
    ]:
        monkeypatch.setattr(sys, "argv", ["betapod", *base[3:], *more])
        with pytest.raises(SystemExit) as end:
            main()
        messages = capsys.readouterr().err
        assert end.value.code == 2 and message in messages, (more, messages)
        assert "Traceback" not in messages
    assert not (tmp_path / "run").exists()
