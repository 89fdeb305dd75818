"""Text on its way out: no cell is a formula, no line is a command, and what was written is read again."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from betapod.base.exports import original_cell, printable, printable_json, rows_as_csv, safe_cell, table_as_csv
from betapod.cli.main import main

HEAD = "study_id,citation,population,design,arm,product,n,endpoint,timepoint_weeks,statistic,value,dispersion,dispersion_type,unit,quote,tag"


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@SUM(1)", "\t=1", "\r=1", " =1", "\uff1d1", "=", "-", "--1"])
def test_what_a_spreadsheet_would_compute_is_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}" and original_cell(safe_cell(text)) == text


@pytest.mark.parametrize(
    "value", ["-0.5", "+3", "-1e-9", "-inf", "-nan", "eGFR", "", "'quoted'", -0.5, 3, None, np.nan]
)
def test_numbers_and_plain_text_are_untouched(value: object) -> None:
    assert safe_cell(value) is value


@given(st.text(max_size=20))
def test_every_cell_comes_back(text: str) -> None:
    assert original_cell(safe_cell(text)) == text or text.startswith("'")
    once = safe_cell(text)
    assert safe_cell(once) == once


def test_tables_have_safe_cells_heads_and_names_of_rows() -> None:
    table = pd.DataFrame(
        {"@arm": ["=1+1", "placebo", None], "value": [-0.5, 2.0, np.nan], "n": [1, 2, 3], "mixed": [-1.5, "-x", True]},
        index=pd.Index(["-a", "b", "c"], name="=id"),
    )
    before = table.copy()
    rows = list(csv.reader(io.StringIO(table_as_csv(table, index=True))))
    assert rows[0] == ["'=id", "'@arm", "value", "n", "mixed"]
    assert rows[1:] == [
        ["'-a", "'=1+1", "-0.5", "1", "-1.5"], ["b", "placebo", "2.0", "2", "'-x"], ["c", "", "", "3", "True"],
    ]  # fmt: skip
    pd.testing.assert_frame_equal(table, before)
    assert rows_as_csv(["a"], [["=1"], [-1]]) == "a\n'=1\n-1\n" == rows_as_csv(["a"], [{"a": "=1"}, {"a": -1}])


def test_control_characters_are_shown_and_never_sent() -> None:
    assert printable("A\x1b]0;pwned\x07\x9b31mB\r\x7f\u202e\ud800") == r"A\x1b]0;pwned\x07\x9b31mB\x0d\x7f\u202e\ud800"
    assert printable("two\nlines\tand µ, −, é, 中") == "two\nlines\tand µ, −, é, 中"
    document = {"text": "\x1b\x9b\u202e\x7f é"}
    shown = printable_json(json.dumps(document, ensure_ascii=False))
    assert json.loads(shown) == document and shown == printable(shown)


@pytest.mark.parametrize(
    "words",
    [
        ["evidence", "list", "--overlay", "TABLE"],
        ["evidence", "list", "--overlay", "TABLE", "--rows"],
        ["evidence", "show", "A\x1b]0;pwned\x07\x1b[31mB", "--overlay", "TABLE"],
        ["evidence", "show", "A\x1b]0;pwned\x07\x1b[31mB", "--overlay", "TABLE", "--json"],
        ["evidence", "show", "\x1b[31mnobody"],
        ["evidence", "list", "--overlay", "TABLE", "--study", "\x9b31m"],
        ["evidence", "check", "BROKEN"],
    ],
)
def test_the_terminal_gets_no_escape_sequence_of_a_table(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table, broken = tmp_path / "mine.csv", tmp_path / "broken.csv"
    row = "A\x1b]0;pwned\x07\x1b[31mB,x\x1b[2J,T2D; adults,RCT; x,UC-MSC,UC-MSC,200,HbA1c,52,diff_vs_control,-0.5,0.15,SE,%,q,seen"
    table.write_text(f"{HEAD}\n{row}\n", encoding="utf-8")
    bad = f"{HEAD}\n{row}\n".replace("HbA1c,52", "HbA1c,\x1b[31m").replace("unit", "\x1b[31munit")
    broken.write_text(bad, encoding="utf-8")
    named = {"TABLE": str(table), "BROKEN": str(broken)}
    monkeypatch.setattr(sys, "argv", ["betapod", *(named.get(word, word) for word in words)])
    with pytest.raises(SystemExit):
        main()
    said = capsys.readouterr()
    for text in (said.out, said.err):
        assert printable(text) == text
    assert "1b" in said.out + said.err or "9b" in said.out + said.err


def test_exported_evidence_has_no_formula(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table, written = tmp_path / "mine.csv", tmp_path / "out.csv"
    row = "=1+1,@SUM(1),T2D; adults,RCT; x,UC-MSC,UC-MSC,200,HbA1c,52,diff_vs_control,-0.5,0.15,SE,%,=HYPERLINK(1),seen"
    table.write_text(f"{HEAD}\n{row}\n", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["betapod", "evidence", "list", "--overlay", str(table), "--csv", str(written)])
    with pytest.raises(SystemExit):
        main()
    with written.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[-1]["study"] == "'=1+1" and rows[-1]["citation"] == "'@SUM(1)" and rows[-1]["value"] == "-0.5"
    for one in rows:
        for cell in one.values():
            assert safe_cell(cell) == cell


def test_a_table_of_ones_own_keeps_its_names(tmp_path: Path) -> None:
    from betapod.evidence.records import registry
    from betapod.evidence.records.overlay import append

    names = HEAD.split(",")
    cells = [
        "=NEW",
        "A trial",
        "T2D; adults",
        "RCT; x",
        "-arm",
        "UC-MSC",
        "200",
        "HbA1c",
        "52",
        "diff_vs_control",
        "-0.5",
        "0.15",
        "SE",
        "%",
        "-0.5 (q)",
        "seen",
    ]
    table = tmp_path / "mine.csv"
    append(table, [dict(zip(names, cells, strict=True))])
    append(table, [dict(zip(names, ["B", *cells[1:]], strict=True))])
    assert "'=NEW" in table.read_text(encoding="utf-8")
    assert [(r.study, r.arm, r.value, r.quote) for r in registry.check_table(table)] == [
        ("=NEW", "-arm", -0.5, "-0.5 (q)"), ("B", "-arm", -0.5, "-0.5 (q)"),
    ]  # fmt: skip
