"""Requests that are made up from the server's own description: no answer is an error of the program, and all have the form that was described."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from served import Served

pytest.importorskip("schemathesis", reason="schemathesis is not installed")

#: Beyond what the description can say: whether a drug, a model or a line of equations exists.
UNDESCRIBED = "positive_data_acceptance,negative_data_rejection"
#: Requests that the boundary values of the description make, at least.
LEAST = 900


def test_no_answer_is_an_error_of_the_program(served: Served, tmp_path: Path) -> None:
    """The ten thousand are in benchmarks/server_requests.py; here every key is tried at its bounds, and beyond."""
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "run",
        f"{served.address}api/openapi.json",
        "--phases",
        "coverage",
    ]
    command += ["--checks", "all", "--exclude-checks", UNDESCRIBED, "--continue-on-failure", "--no-color"]
    command += ["--generation-deterministic", "--warnings", "off", "--request-timeout", "200"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    count = re.search(r"(\d+) generated", done.stdout)
    assert count is not None and int(count[1]) > LEAST, done.stdout
    assert served.get("/api").status == 200
