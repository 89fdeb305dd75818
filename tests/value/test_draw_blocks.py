"""Blocks of draws in processes of their own give what this process gives."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from betapod.value import draw_blocks
from betapod.value.value_run import run_value_file

RUN = """\
title: a short one
people: {library: type 2 and UACR > 300 mg/g and eGFR < 60 mL/min/1.73m2, size: 20}
comparator: care
strategies:
  care: {}
  SGLT2 inhibitor: {therapies: [SGLT2 inhibitor]}
horizon: 1
draws: 30
cell_draws: 0
care: frozen
one_way: false
"""


def test_other_processes_compute_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run.yaml").write_text(RUN)
    here = run_value_file(tmp_path / "run.yaml", threads=1)
    monkeypatch.setattr(draw_blocks, "WORTH_PROCESSES", 0)
    there = run_value_file(tmp_path / "run.yaml", threads=2)
    for name in ("years", "life_years", "qalys"):
        assert getattr(there, name)["own"].tolist() == getattr(here, name)["own"].tolist()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
def test_killed_it_leaves_nobody_behind(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(RUN.replace("draws: 30", "draws: 20000"))
    (tmp_path / "run.py").write_text(SCRIPT)
    run = subprocess.Popen([sys.executable, str(tmp_path / "run.py")], cwd=tmp_path)
    try:
        workers = waited(lambda: children(run.pid))
        run.kill()
        run.wait()
        assert waited(lambda: [] if any(alive(pid) for pid in workers) else ["gone"])
    finally:
        run.kill()


SCRIPT = """\
from betapod.value import draw_blocks
from betapod.value.value_run import run_value_file

if __name__ == "__main__":
    draw_blocks.WORTH_PROCESSES = 0
    run_value_file("run.yaml", threads=2)
"""


def waited(found: Callable[[], list[Any]]) -> list[Any]:
    """Return what is found within two minutes."""
    for _ in range(600):
        if result := found():
            return result
        time.sleep(0.2)
    return []


def children(pid: int) -> list[int]:
    """Return the workers of a process, once there are two."""
    own = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "stat").read_text().rpartition(")")[2].split()
            if int(words[1]) == pid and b"spawn_main" in (path / "cmdline").read_bytes():
                own.append(int(path.name))
        except OSError:
            continue
    return own if len(own) == 2 else []


def alive(pid: int) -> bool:
    """Whether a process goes on."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
