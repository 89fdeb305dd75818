"""The demonstration, from the command to its files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    folder = tmp_path_factory.mktemp("demo") / "new" / "folder"
    done = subprocess.run(
        [sys.executable, "-m", "betapod", "demo", "--out", str(folder), "--json"],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


def test_files(demo: tuple[Path, dict[str, object]]) -> None:
    folder, found = demo
    names = {"kidney.png", "kidney.svg", "kidney.csv", "summary.csv", "summary.md", "index.html"}
    assert {path.name for path in folder.iterdir()} == names
    assert {Path(str(path)).name for path in found["files"]} == names  # type: ignore[attr-defined]


def test_the_reference_people_are_those_of_the_specification(demo: tuple[Path, dict[str, object]]) -> None:
    """G1 (interpolated), G2 and G3 at twenty years, untreated."""
    table = {(row["person"], row["treatment from year 5"]): row for row in demo[1]["table"]}  # type: ignore[attr-defined]
    assert table["T1D", "untreated"]["GFR at 20 y (mL/min)"] == pytest.approx(94.8, rel=0.005)
    assert table["T1D", "untreated"]["P_GC at 20 y (mmHg)"] == pytest.approx(63.1, rel=0.005)
    assert table["T2D", "untreated"]["GFR at 20 y (mL/min)"] == pytest.approx(90.81, rel=0.005)
    assert table["T2D", "untreated"]["MAP at 20 y (mmHg)"] == pytest.approx(105.5, rel=0.005)
    assert 82.91 < table["healthy", "untreated"]["GFR at 20 y (mL/min)"] < 97.05
    assert len(table) == 9


def test_the_page_is_whole_and_offline(demo: tuple[Path, dict[str, object]]) -> None:
    text = (demo[0] / "index.html").read_text(encoding="utf-8")
    assert "<svg" in text and "no evidence that a treatment works" in text
    assert "<script" not in text and "src=" not in text
    assert "untreated GFR" in text  # the alternative text
    body = text[text.index('<div class="scroll">') : text.index("</div>", text.index('<div class="scroll">')) + 6]
    ElementTree.fromstring(body)
