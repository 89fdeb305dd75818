"""Half-written files of processes that have ended are removed, those of others stay."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from betapod.base import atomic


@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="processes that nobody has asked for are told on Linux"
)
def test_what_a_process_left_that_nobody_has_asked_for_is_removed(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read()
    # It has ended, and is still in the table of processes.
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    left, own = (tmp_path / f"part.writing-{atomic._host()}~{pid}~ab" for pid in (process.pid, os.getpid()))
    for path in (left, own):
        path.write_bytes(b"half")
    atomic.remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [own.name]
    process.stdout.close()
    process.wait()
