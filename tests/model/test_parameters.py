"""Parameter tables: loading with located errors, overlays with conversion, comparison, provenance rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from betapod.base.errors import ParameterError
from betapod.model import ParameterTable, compare

HEADER = "id,label,value,unit,low,high,distribution,role,source,locator,grade,note\n"
GOOD = HEADER + (
    "W0,membrane width,325,nm,300,350,normal,literature,nyberg1996,abstract,A,\n"
    'kW,growth,13,nm/year,6,26,lognormal,calibrated,,,C,"hand-tuned, start value"\n'
    "G,mean glucose,5.2,mmol/L,2,30,fixed,input,,,D,\n"
)


@pytest.fixture
def table(tmp_path: Path) -> ParameterTable:
    path = tmp_path / "kidney.csv"
    path.write_text(GOOD, encoding="utf-8")
    return ParameterTable.read(path, sources=["nyberg1996"])


def test_reads_rows_in_order(table: ParameterTable) -> None:
    assert list(table) == ["W0", "kW", "G"]
    assert table["kW"].note == "hand-tuned, start value"
    assert table["W0"].shape == ("normal", 325.0, pytest.approx(50 / (2 * 1.95996), rel=1e-4))
    assert table["G"].shape is None


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ("a,x,1,,0,2,fixed,assumed,,,D,", "missing-unit"),
        ("a,x,1,mmHgg,0,2,fixed,assumed,,,D,", "unknown-unit"),
        ("a,x,one,1,0,2,fixed,assumed,,,D,", "bad-number"),
        ("a,x,,1,0,2,fixed,assumed,,,D,", "bad-number"),
        ("a,x,1,1,few,2,fixed,assumed,,,D,", "bad-number"),
        ("a,x,1,1,0,many,fixed,assumed,,,D,", "bad-number"),
        ("a,x,1,1,0,2,fixed,literature,,,A,", "missing-source"),
        ("a,x,1,1,0,2,fixed,literature,nobody2000,,A,", "unknown-source"),
        ("a,x,1,1,0,2,fixed,memory,nyberg1996,,D,", "false-source"),
        ("a,x,1,1,0,2,fixed,assumed,nyberg1996,,D,", "false-source"),
        ("a,x,1,1,0,2,fixed,guessed,,,D,", "bad-role"),
        ("a,x,1,1,0,2,fixed,assumed,,,E,", "bad-grade"),
        ("a,x,1,1,0,2,gaussian,assumed,,,D,", "bad-distribution"),
        ("a,x,1,1,0,2,bernoulli,assumed,,,D,", "bad-distribution"),
        ('a,x,1,1,0,2,"bernoulli(0.5, 1)",assumed,,,D,', "bad-distribution"),
        ("a,x,1,1,0,2,normal(1),assumed,,,D,", "bad-distribution"),
        ("a,x,1,1,3,2,fixed,assumed,,,D,", "bad-range"),
        ("2a,x,1,1,0,2,fixed,assumed,,,D,", "bad-id"),
        ("a,x,1,1,0,2,fixed,assumed,,,D", "bad-row"),
        ("W0,x,1,nm,0,2,fixed,assumed,,,D,", "two-rows"),
    ],
)
def test_bad_row_gets_its_error_at_its_line(tmp_path: Path, row: str, kind: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(GOOD + row + "\n", encoding="utf-8")
    with pytest.raises(ParameterError) as caught:
        ParameterTable.read(path, sources=["nyberg1996"])
    assert kind in caught.value.kinds
    assert caught.value.problems[0].location.line == 5


def test_all_bad_rows_of_all_files_at_once(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.csv").write_text(
            HEADER + "a,x,1,,0,2,fixed,odd,,,D,\nb,x,z,1,0,2,fixed,assumed,,,D,\n", encoding="utf-8"
        )
    with pytest.raises(ParameterError) as caught:
        ParameterTable.read(tmp_path / "one.csv", tmp_path / "two.csv")
    assert sorted(caught.value.kinds) == ["bad-number"] * 2 + ["bad-role"] * 2 + ["missing-unit"] * 2


def test_missing_and_unknown_columns(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("id,value,units\na,1,1\n", encoding="utf-8")
    with pytest.raises(ParameterError) as caught:
        ParameterTable.read(path)
    assert {"missing-column", "unknown-column"} <= set(caught.value.kinds)
    assert "'unit'" in str(caught.value)


def test_set_converts_units_and_keeps_the_rest(table: ParameterTable) -> None:
    changed = table.with_values({"kW": "0.1 nm/day", "W0": 0.33e3, "G": "7.5"})
    assert changed["kW"].value == pytest.approx(36.525)
    assert changed["W0"].value == 330.0
    assert changed["G"].value == 7.5
    assert table["kW"].value == 13.0


def test_set_reports_every_bad_value(table: ParameterTable) -> None:
    with pytest.raises(ParameterError) as caught:
        table.with_values({"kWW": 1, "W0": "3 mmHg", "G": "high", "kW": "nan"})
    assert caught.value.kinds == ("unknown-parameter", "wrong-unit", "bad-number", "bad-number")
    assert "'kW'" in str(caught.value)


def test_overlay_converts_and_refuses_unknown_ids(table: ParameterTable, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(HEADER + "W0,,0.4,um,0.3,0.5,fixed,assumed,,,D,\n", encoding="utf-8")
    merged = table.overlay(ParameterTable.read(path))
    assert merged["W0"].value == pytest.approx(400.0)
    assert (merged["W0"].unit, merged["W0"].label, merged["W0"].role) == ("nm", "membrane width", "assumed")
    assert [d.id for d in compare(table, merged)] == ["W0"]
    path.write_text(HEADER + "w0,,0.4,um,0.3,0.5,fixed,assumed,,,D,\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="'W0'"):
        table.overlay(ParameterTable.read(path))


def test_a_unit_alone_is_no_difference(table: ParameterTable, tmp_path: Path) -> None:
    path = tmp_path / "same.csv"
    path.write_text(
        GOOD.replace("W0,membrane width,325,nm,300,350", "W0,membrane width,0.325,um,0.3,0.35"), encoding="utf-8"
    )
    assert compare(table, ParameterTable.read(path)) == []


def test_implausible_values_are_named(table: ParameterTable) -> None:
    assert table.implausible() == []
    [sentence] = table.with_values({"G": "1000 mmol/L"}).implausible()
    assert sentence.startswith("G = 1000 mmol/L is outside")
