"""Whatever a verdict or a claim cites can be shown, and a table of one's own says what it moved."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from betapod.claims import claims, ledger, seed_comparison
from betapod.cli.main import main
from betapod.evidence.records import registry

pytest.importorskip("pymare")

HEAD = "study_id,citation,population,design,arm,product,n,endpoint,timepoint_weeks,statistic,value,dispersion,dispersion_type,unit,quote,tag"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["betapod", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def test_every_citation_of_every_claim_is_listed_and_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cited: set[str] = set()
    for entry in ledger.judge_ledger(run=False):
        for reply in entry.replies:
            cited |= {*reply.studies, *reply.records}
    for claim in claims.load_claims():
        for question in claim.questions:
            cited |= set(question.studies)
    assert len(cited) > 150
    assert run(monkeypatch, "evidence", "list", "--json") == 0
    known = json.loads(capsys.readouterr().out)["records"]
    names = {str(row[key]) for row in known for key in ("id", "study", "family")}
    assert cited <= names
    for name in ("HSC_BETA2007", "VONBAHR2012", "VONBAHR2012#1"):
        assert run(monkeypatch, "evidence", "show", name) == 0
    shown = capsys.readouterr().out
    assert "asked by    B07" in shown and "HSC not a source of beta cells" in shown
    assert run(monkeypatch, "evidence", "show", "HSC_BETA2008") == 2
    assert "Did you mean 'HSC_BETA2007'" in capsys.readouterr().err
    assert run(monkeypatch, "evidence", "pool", "--study", "HSC_BETA2007") == 0
    assert "HSC_BETA2007" in capsys.readouterr().out


def test_the_contest_cites_what_can_be_shown() -> None:
    known = registry.load_with_mechanisms()
    names = {name for record in known for name in (record.id, record.study)}
    import inspect

    text = inspect.getsource(seed_comparison.contests)
    for name in ("MA_PLOSONE2021_RCT", "KASHBOUR2025", "VONBAHR2012#1", "GHOLAMREZANEZHAD2011#1"):
        assert name in text and name in names


def test_the_findings_are_no_rows_of_a_confrontation() -> None:
    assert len(registry.load_registry()) == 1246 and len(registry.load_with_mechanisms()) == 1376


MINE = """\
NEW2026,A trial,T2D; adults,RCT; double-blind,UC-MSC,UC-MSC,200,HbA1c,52,diff_vs_control,-1.5,0.15,SE,%,q,seen,
NOASK2026,A trial,T2D; adults,RCT; double-blind,UC-MSC,UC-MSC,200,SBP,52,diff_vs_control,-1.5,0.15,SE,mmHg,q,seen,
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.csv"
    path.write_text(f"{HEAD},replaces\n{MINE}", encoding="utf-8")
    return path


def test_a_table_of_ones_own_says_what_it_moved(
    mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "claims", "show", "A11", "A12", "--overlay", str(mine), "--no-model", "--json") == 0
    said = capsys.readouterr()
    assert "NEW2026#1 is asked by A11, A12" in said.err and "no verdict changed" in said.err
    assert "A12 question 1: against -> open, -0.468 (-1.26 to 0.274) percentage points -> -0.829 (" in said.err
    assert "no claim asks NOASK2026#1: no question is about SBP" in said.err
    document = json.loads(said.out)
    (first, second) = document["moved"]
    assert (first["claim"], second["claim"]) == ("A11", "A12") and second["records"] == second["used"] == ["NEW2026#1"]
    assert second["estimate"]["before"] == pytest.approx(-0.4681, abs=1e-4)
    assert second["estimate"]["after"] == pytest.approx(-0.829, abs=1e-3)
    assert document["verdicts_changed"] == [] and document["unasked"] == {"NOASK2026#1": "no question is about SBP"}
    assert run(monkeypatch, "claims", "show", "A11", "--no-model", "--json") == 0
    assert json.loads(capsys.readouterr().out)["moved"] == []


def test_a_verdict_that_changes_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.csv"
    row = "HSC_BETA2007,x,mixed,cohort,x,HSCT,3100,pancreas_with_donor_beta_cells,,proportion,0.9,,,fraction,q,seen,HSC_BETA2007#1"
    path.write_text(f"{HEAD},replaces\n{row}\n", encoding="utf-8")
    assert run(monkeypatch, "claims", "show", "B25", "--overlay", str(path), "--no-model", "--json") == 0
    said = capsys.readouterr()
    assert "replaces HSC_BETA2007#1" in said.err
    (changed,) = json.loads(said.out)["verdicts_changed"]
    assert changed["claim"] == "B25" and changed["before"] == "contradicted" and changed["after"] in said.err


def test_pooling_says_what_it_would_be_without_the_table(
    mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    question = ("--product", "UC-MSC", "--population", "T2D", "--endpoint", "HbA1c", "--overlay", str(mine))
    assert run(monkeypatch, "evidence", "pool", *question, "--json") == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["k"] == 2 and document["without_overlay"]["k"] == 1
    assert document["without_overlay"]["estimate"] == pytest.approx(-0.67)


def test_a_corrected_arm_replaces_the_old_row_when_it_says_so(tmp_path: Path) -> None:
    from betapod.base.errors import EvidenceError
    from betapod.evidence.records.overlay import told

    path = tmp_path / "mine.csv"
    known = registry.load_registry()["PACKHAM2016#1"]
    row = (
        "PACKHAM2016,x,DKD; x,RCT; x,MPC 150 million,BM-MSC,10,eGFR,12,diff_vs_control,4.4,2.16,SE,mL/min/1.73m2,q,seen"
    )
    path.write_text(f"{HEAD},replaces\n{row},\n", encoding="utf-8")
    beside = registry.load_registry([path])
    assert len(beside) == 1247
    (line,) = told(beside, [path])
    assert "PACKHAM2016#1" in line and "differs in arm" in line and "column 'replaces'" in line
    path.write_text(f"{HEAD},replaces\n{row},PACKHAM2016#1\n", encoding="utf-8")
    instead = registry.load_registry([path])
    assert len(instead) == 1246 and instead["PACKHAM2016#1"].arm == "MPC 150 million" != known.arm
    assert told(instead, [path]) == [f"{path}: replaces PACKHAM2016#1"]
    path.write_text(f"{HEAD},replaces\n{row},PACKHAM2016#99\n", encoding="utf-8")
    with pytest.raises(EvidenceError) as caught:
        registry.load_registry([path])
    assert caught.value.kinds == ("unknown-record",) and caught.value.problems[0].location.line == 2


def test_ones_own_study_is_marked_in_the_picture(mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    question = ("--product", "UC-MSC", "--population", "T2D", "--endpoint", "HbA1c", "--overlay", str(mine))
    assert run(monkeypatch, "evidence", "plot", str(tmp_path / "forest.svg"), *question) == 0
    heads = (tmp_path / "forest.plot.csv").read_text(encoding="utf-8").splitlines()[0]
    assert heads.startswith("study,family,arm")
    assert "from a table of your own" in (tmp_path / "forest.svg").read_text(encoding="utf-8")
