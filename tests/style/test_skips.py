"""What a build machine lacks is a failure, said with its count and reason; elsewhere it is a test left out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("strict", "code"), [(True, 1), (False, 0)])
def test_a_build_machine_without_a_program_fails(strict: bool, code: int, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "BETAPOD_NO"))}
    environment["PATH"] = str(tmp_path)  # no browser, no Graphviz, no TeX
    if strict:
        environment["BETAPOD_NO_SKIPS"] = "1"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            "0",
            "-p",
            "no:cacheprovider",
            "tests/model/test_render.py",
            "-k",
            "graphviz",
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stdout
    assert "2 tests skipped" in done.stdout
    assert ("a build machine must not skip these: Graphviz" in done.stdout) == strict
