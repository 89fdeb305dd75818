"""The verb design: what it prints fits 80 columns, what it writes as JSON is what Python gives, what it cannot do it says at once."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest
from terminals import on_terminal

from betapod import designs
from betapod.cli.main import main

SURVIVAL = "size survival --hazard-ratio 0.7 --control-share 0.3 --by 36 --accrual 24 --follow-up 24"


def carried_out(line: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", shlex.split(f"betapod design {line}"))
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def document(line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    assert carried_out(f"{line} --json", monkeypatch) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_json_has_the_numbers_of_python(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    got = document("boundaries --futility asOF", monkeypatch, capsys)
    design = designs.group_sequential("asOF", 3, futility="asOF")
    assert [look["efficacy"] for look in got["looks"]] == pytest.approx(design.efficacy)  # type: ignore[attr-defined]
    assert got["inflation"] == pytest.approx(designs.design_characteristics(design).inflation)
    size = document(SURVIVAL, monkeypatch, capsys)
    assert size["patients"] == pytest.approx(1289.728243) and size["treated"] == size["control"] == 645
    power = document("power means --effect 0,0.3 --sd 1 --size 400", monkeypatch, capsys)
    assert [row["power"] for row in power["powers"]] == pytest.approx((0.025, 0.8448022395))  # type: ignore[attr-defined]
    stopped = document("inference --family P --look 2 --estimate 0.5 --se 0.2 --looks 2", monkeypatch, capsys)
    expected = designs.final_inference(designs.group_sequential("P", 2), 2, 0.5, 0.2)
    assert (stopped["p"], stopped["low"]) == pytest.approx((expected.p[0], expected.low[0]))
    assert stopped["rejects"] is True and "conditional_power" not in stopped
    going = document("inference --look 1 --estimate 0.1 --se 0.2", monkeypatch, capsys)
    assert going["rejects"] is False and 0 < going["predictive_power"] < 1  # type: ignore[operator]


@pytest.mark.parametrize(
    "line",
    [
        "boundaries --futility asOF",
        "families",
        SURVIVAL,
        "power rates --treated 0.2,0.25 --control 0.4 --size 400",
        "inference --look 1 --estimate 0.1 --se 0.2",
    ],
)
def test_it_fits_80_columns(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = on_terminal(monkeypatch, 80, "design", *shlex.split(line)).text
    assert text and max(map(len, text.splitlines())) <= 80, text


def test_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert carried_out(f"boundaries --family P --sides 2 --alpha 0.05 --plot {tmp_path / 'p.svg'}", monkeypatch) == 0
    assert "Pocock" in (tmp_path / "p.svg").read_text(encoding="utf-8")
    assert (tmp_path / "p.plot.csv").read_text(encoding="utf-8").count("\n") == 4


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("boundaries --family asOP --alpha 0.7", ["no family of boundaries", "Did you mean", "alpha is a chance"]),
        ("boundaries --information 0.5,x", ["no list of numbers"]),
        ("boundaries --plot p.gif", ["png or svg"]),
        ("size means --effect 0.3 --control 0.1", ["means need --sd", "--control is not for means"]),
        ("size mean --effect 0.3", ["cannot be compared by 'mean'", "means"]),
        ("size rates --treated 0.2,0.3 --control 0.4", ["a size is for one effect"]),
        ("inference --look 4 --estimate 1 --se 0.1", ["counted from 1"]),
    ],
)
def test_what_it_cannot_do_is_said(
    line: str, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert carried_out(line, monkeypatch) == 2
    said = capsys.readouterr().err
    assert all(word in said for word in words), said
