"""The verb evidence, as a user runs it: tables, JSON, forest plots, a table of one's own, exit codes."""

from __future__ import annotations

import json
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from betapod.cli.main import main

pytest.importorskip("pymare")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["betapod", "evidence", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def test_check_and_list(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(monkeypatch, "check") == 0
    assert "1376 of 1376 rows are records" in capsys.readouterr().out
    assert (
        run(monkeypatch, "list", "--population", "DKD", "--product", "BM-MSC", "--csv", str(tmp_path / "rows.csv")) == 0
    )
    # What goes to a file is not printed, too.
    told = capsys.readouterr()
    assert told.out == "" and "rows.csv: 27 rows" in told.err
    assert run(monkeypatch, "list", "--population", "DKD", "--product", "BM-MSC") == 0
    assert capsys.readouterr().out == (tmp_path / "rows.csv").read_text(encoding="utf-8")
    assert run(monkeypatch, "list", "--search", "Packham INFUSION", "--wide") == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == ["PACKHAM2016", "DKD", "RCT", "BM-MSC", "2", "B"]
    assert (tmp_path / "rows.csv").read_text(encoding="utf-8").startswith("id,study,family")
    assert run(monkeypatch, "list", "--study", "ZANG2022", "--rows", "--json") == 0
    # 17 of the trial, one finding about its mechanism.
    assert len(json.loads(capsys.readouterr().out)["records"]) == 18
    assert run(monkeypatch, "show", "BHANSALI2009") == 0
    assert "very likely the same ten patients" in capsys.readouterr().out
    assert run(monkeypatch, "show", "BHANSALI2010") == 2
    assert "Did you mean" in capsys.readouterr().err


def test_pool_and_plot(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    question = ["--product", "SGLT2 inhibitor", "--endpoint", "composite_kidney", "--measure", "hazard_ratio"]
    assert run(monkeypatch, "pool", *question) == 2
    assert "mixed-population" in capsys.readouterr().err
    assert run(monkeypatch, "pool", *question, "--across", "population", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["k"] == 4 and answer["estimate"] == pytest.approx(0.68982, abs=1e-5)
    assert answer["certainty"]["level"] == "moderate" and answer["certainty"]["downgrades"][0]["reason"]
    pytest.importorskip("matplotlib")
    picture = tmp_path / "forest.png"
    assert run(monkeypatch, "plot", str(picture), *question, "--across", "population") == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "CREDENCE_abs" in next(tmp_path.glob("*.csv")).read_text(encoding="utf-8")


def test_add_and_overlay(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    cells = [
        "study_id=NEW2026", "citation=A trial", "population=T2D; adults", "design=RCT; double-blind", "arm=UC-MSC", "product=UC-MSC",
        "n=200", "endpoint=HbA1c", "timepoint_weeks=52", "statistic=diff_vs_control", "value=-0.5", "dispersion=0.15",
        "dispersion_type=SE", "unit=%", "quote=difference", "tag=seen",
    ]  # fmt: skip
    assert run(monkeypatch, "add", str(mine), *cells) == 0
    capsys.readouterr()
    question = ["pool", "--product", "UC-MSC", "--population", "T2D", "--endpoint", "HbA1c", "--json"]
    assert run(monkeypatch, *question, "--overlay", str(mine)) == 0
    assert json.loads(capsys.readouterr().out)["k"] == 2
    other = ["arm=again" if cell.startswith("arm=") else cell for cell in cells[:-1]]
    assert run(monkeypatch, "add", str(mine), *other, "tag=guess") == 2
    assert "unknown-tag" in capsys.readouterr().err
    # Of two values for one cell the last was taken without a word.
    assert run(monkeypatch, "add", str(mine), *cells, "arm=again") == 2
    assert "given-twice" in capsys.readouterr().err
    assert run(monkeypatch, "check", str(mine), str(tmp_path / "none.csv")) == 2


def test_options_that_have_no_effect_are_refused_all_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    question = ["--product", "UC-MSC", "--population", "T2D", "--endpoint", "HbA1c"]
    wrong = ["--method", "FE", "--interval", "z", "--contrast", "before", "--measure", "beta", "--across", "endpoint"]
    assert run(monkeypatch, "pool", *question, *wrong) == 2
    told = capsys.readouterr().err
    assert all(f"unknown-{name}" in told for name in ("method", "interval", "contrast", "measure", "class"))
    assert run(monkeypatch, "pool", "--contrast", "between", "--across", "population") == 2
    assert capsys.readouterr().err.count("needs a question") == 2
    assert run(monkeypatch, "pool", "--method", "FE") == 2
    assert run(monkeypatch, "plot", str(tmp_path / "none" / "forest.gif"), *question) == 2
    told = capsys.readouterr().err
    assert "unknown-format" in told and "there is no folder" in told


def test_rows_can_be_read_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = Console(width=80, file=StringIO())
    monkeypatch.setattr("betapod.cli.shared.out", lambda: narrow)
    for verb in (["show", "PACKHAM2016"], ["list", "--rows", "--study", "PACKHAM2016"]):
        narrow.file = StringIO()
        monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
        assert run(monkeypatch, *verb) == 0
        lines = narrow.file.getvalue().splitlines()
        row = next(number for number, line in enumerate(lines) if line.split()[:1] == ["PACKHAM2016#19"])
        # A cell of a word or two takes a line or two, not one for each letter; what fits no table is a card.
        assert len(lines) - row <= 5 and len(lines) < 19 * 6


def test_every_question_says_how_its_studies_were_pooled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "pool") == 0
    printed = capsys.readouterr().out
    assert "two studies: their average; they disagree" in printed and "all people together" in printed
    assert "0.00122" not in printed
