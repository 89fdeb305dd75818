"""Given cases of evidence: each with the right number or the right refusal."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

from betapod.base.errors import EvidenceError
from betapod.base.exports import printable, safe_cell
from betapod.cli.main import main
from betapod.evidence.records import registry
from betapod.evidence.synthesis import pool as synthesis

pytest.importorskip("pymare")
FILES = Path(__file__).parent / "files" / "evidence"

#: Table, contrast, measure, pooled estimate, its 95 % interval, people.
RIGHT = [
    # An arm of 10 at 70, one of 190 at 60, control of 200 at 60: was 5.0 (1.2 to 8.8).
    ("two_arms.csv", "between", "difference", 0.5, (-1.46, 2.46), 400),
    # Changes of -0.8 and -0.3, SD 1, 40 people each: was -0.8 (SE 0.158), before and after.
    ("changes.csv", "between", "difference", -0.5, (-0.938, -0.062), 80),
    # Changes of -30 and -5 %, SD 20, 30 people each: was -30 %, before and after.
    ("percent.csv", "between", "percent_points", -25.0, (-35.12, -14.88), 60),
    # Creatinine in umol/L with the Greek letter: was an unknown unit.
    ("greek_mu.csv", "between", "difference", -8.0, (-15.84, -0.16), 50),
]

#: Table, kind of the problem, line, column of its place (0: the line alone).
REFUSED = [
    ("blank_unit.csv", "missing-unit", 2, 105),
    ("blank_unit_second.csv", "missing-unit", 3, 105),
    ("header_return.csv", "unknown-column", 1, None),
    ("header_quote.csv", "unknown-column", 1, None),
]


@pytest.mark.parametrize(("name", "contrast", "measure", "estimate", "ci", "people"), RIGHT)
def test_the_right_number(
    name: str, contrast: str, measure: str, estimate: float, ci: tuple[float, float], people: int
) -> None:
    pooled = synthesis.pool(registry.check_table(FILES / name))
    assert (pooled.contrast, pooled.measure, pooled.n) == (contrast, measure, people)
    assert pooled.estimate == pytest.approx(estimate) and pooled.ci == pytest.approx(ci, abs=0.005)


@pytest.mark.parametrize(("name", "kind", "line", "column"), REFUSED)
def test_the_right_refusal(name: str, kind: str, line: int, column: int | None) -> None:
    with pytest.raises(EvidenceError) as caught:
        registry.check_table(FILES / name)
    problem = next(one for one in caught.value.problems if one.kind == kind)
    assert problem.location.line >= line and problem.location.column > 0
    if column is not None:
        assert (problem.location.line, problem.location.column) == (line, column)


def command(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["betapod", *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def test_no_cell_of_an_export_is_a_formula(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = tmp_path / "rows.csv"
    assert command(monkeypatch, "evidence", "list", "--overlay", str(FILES / "formula.csv"), "--csv", str(written)) == 0
    with written.open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert "'=1+1" in cells and "'@SUM(1)" in cells and "'=HYPERLINK(1)" in cells
    assert all(safe_cell(cell) == cell for cell in cells)


def test_no_escape_sequence_reaches_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (("list",), ("list", "--rows"), ("list", "--json"), ("check",)):
        table = [str(FILES / "escape.csv")] if words == ("check",) else ["--overlay", str(FILES / "escape.csv")]
        command(monkeypatch, "evidence", *words, *table)
    said = capsys.readouterr()
    assert printable(said.out) == said.out and printable(said.err) == said.err
    assert r"\x1b]0;pwned\x07" in said.out + said.err


def test_a_confrontation_takes_a_difference_in_percent_for_a_ratio(tmp_path: Path) -> None:
    """A difference of UACR of -31 % was compared with -347 mg/g."""
    import math

    from betapod.validation.predictions.published_value import published_value
    from betapod.validation.predictions.study_readouts import readout_of

    head = "study_id,citation,population,design,arm,product,n,endpoint,timepoint_weeks,statistic,value,dispersion,dispersion_type,unit,quote,tag"
    row = "CREDENCE_Oshima2020,x,DKD; x,RCT; x,canagliflozin vs placebo,SGLT2 inhibitor,4401,UACR,26,diff_vs_control,-31,-36;-27,CI95,%,q,seen"
    path = tmp_path / "mine.csv"
    path.write_text(f"{head}\n{row}\n", encoding="utf-8")
    (record,) = registry.check_table(path)
    readout = readout_of(record)
    assert readout is not None and (readout.form, readout.scale) == ("ratio", "log")
    assert published_value(record, readout, None) == pytest.approx(math.log(0.69))
    assert any("read as a relative one" in remark for remark in record.remarks)


@pytest.mark.parametrize(
    ("endpoint", "statistic", "value", "unit", "good"),
    [
        ("HbA1c", "mean", "72", "%", False),
        ("HbA1c", "mean", "72", "mmol/mol", True),
        ("HbA1c", "diff_vs_control", "-40", "%", False),
        ("HbA1c", "change_percent", "-40", "%", True),
        ("serum_creatinine", "mean", "1.4", "umol/L", False),
        ("serum_creatinine", "mean", "124", "mg/dL", False),
        ("serum_creatinine", "mean", "1.4", "mg/dL", True),
        ("FPG", "mean", "145", "mmol/L", False),
        ("SBP", "mean", "18", "mmHg", False),
        ("SBP", "diff_vs_control", "-18", "mmHg", True),
    ],
)
def test_means_that_no_group_has_are_refused(
    endpoint: str, statistic: str, value: str, unit: str, good: bool, tmp_path: Path
) -> None:
    with (FILES / "changes.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))[:1]
    rows[0] |= {"endpoint": endpoint, "statistic": statistic, "value": value, "unit": unit}
    rows[0] |= {"dispersion": "", "dispersion_type": ""}
    path = tmp_path / "own.csv"
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    if good:
        assert len(registry.check_table(path)) == 1
        return
    with pytest.raises(EvidenceError) as caught:
        registry.check_table(path)
    assert [problem.kind for problem in caught.value.problems] == ["impossible"]
