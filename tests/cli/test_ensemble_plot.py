"""The picture of a run: quantiles of all patients, courses of some, measurements beside them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import carry_out


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "many"
    words = (
        "-n",
        "30",
        "--years",
        "2",
        "--visits",
        "1 year",
        "-O",
        "GFR,MAP",
        "--shard-size",
        "11",
        "--vary",
        "GFR0,MAP0",
    )
    done = carry_out("ensemble", "run", "kidney", *words, "--out", folder, "--threads", "1", "--quiet")
    assert done.returncode == 0, done.stderr
    return folder


def test_bands_are_quantiles_of_everybody(run: Path, tmp_path: Path) -> None:
    from betapod.engine.runs.store import Store

    done = carry_out("ensemble", "plot", run, "--out", tmp_path / "bands.svg", "--courses", "7")
    assert done.returncode == 0, done.stderr
    assert "7 courses of 30 patients" in done.stderr
    numbers = pd.read_csv(tmp_path / "bands.plot.csv")
    everybody = np.concatenate([Store.open(run).values(shard) for shard in range(3)])
    assert everybody.shape == (30, 3, 2)
    for column, name in enumerate(("GFR", "MAP")):
        rows = numbers[numbers["output"] == name]
        for probability in (0.05, 0.5, 0.95):
            exact = np.quantile(everybody[:, :, column], probability, axis=0)
            assert rows[f"q{probability:g}"].tolist() == pytest.approx(exact.tolist(), rel=1e-6)
    text = (tmp_path / "bands.svg").read_text(encoding="utf-8")
    assert "<title" in text and "median" in text and "90 % of patients" in text


def test_courses_alone_and_measurements(run: Path, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("time,output,value\n0,GFR,100\n365.25,GFR,98\n", encoding="utf-8")
    out = tmp_path / "all.svg"
    done = carry_out("ensemble", "plot", run, "-o", out, "-O", "GFR", "--no-bands", "--courses", "30", "--data", data)
    assert done.returncode == 0, done.stderr
    text = out.read_text(encoding="utf-8")
    assert "measured" in text and "median" not in text
    # Thirty thin grey lines.
    assert len(re.findall(r"stroke: #6b7280; stroke-opacity: 0.45", text)) == 30


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-O", "GRF"), "GFR"),
        (("--no-bands", "--courses", "0"), "nothing to draw"),
        (("--data", "nowhere.csv"), "unreadable-file"),
    ],
)
def test_what_cannot_be_drawn_is_refused(run: Path, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = carry_out("ensemble", "plot", run, "-o", tmp_path / "x.png", *words)
    assert done.returncode == 2 and said in done.stderr
    assert not (tmp_path / "x.png").exists()


def test_bad_measurements_are_told_line_by_line(run: Path, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("time,output,value\n0,GRF,100\n1,GFR,many\n", encoding="utf-8")
    done = carry_out("ensemble", "plot", run, "-o", tmp_path / "x.png", "--data", data)
    assert done.returncode == 2 and "data.csv:2" in done.stderr and "data.csv:3" in done.stderr
    data.write_text("time,value\n0,100\n", encoding="utf-8")
    done = carry_out("ensemble", "plot", run, "-o", tmp_path / "x.png", "--data", data)
    assert done.returncode == 2 and "bad-table" in done.stderr and "output" in done.stderr
