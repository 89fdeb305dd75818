"""The verb claims as a process."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "betapod", "claims", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_list_as_json() -> None:
    done = run("--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["claims"]
    assert len(rows) == 44
    assert all(row["rule"] and row["because"] and row["leverage"] for row in rows)


def test_only_one_status() -> None:
    done = run("--status", "contradicted", "--no-model", "--json")
    rows = json.loads(done.stdout)["claims"]
    assert rows and {row["verdict"] for row in rows} == {"contradicted"}


@pytest.mark.parametrize(
    ("arguments", "words"), [(("show", "A44"), "unknown-claim"), (("--status", "true"), "unknown-status")]
)
def test_bad_input(arguments: tuple[str, ...], words: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2 and words in done.stderr


def test_show_prints_the_rule() -> None:
    done = run("show", "B20")
    assert done.returncode == 0, done.stderr
    assert "rule" in done.stdout and "vegetable_weight" in done.stdout and "SOY_NMA2023" in done.stdout
