"""Tables of one's own that are wrong: each problem with its line and column, none an internal error."""

from __future__ import annotations

from pathlib import Path

import pytest

from betapod.base.errors import EvidenceError, Problem
from betapod.evidence.records import registry
from betapod.evidence.records.csv_places import cell_starts
from betapod.evidence.records.overlay import told

HEAD = "study_id,citation,population,design,arm,product,n,endpoint,timepoint_weeks,statistic,value,dispersion,dispersion_type,unit,quote,tag"
ROW = "NEW2026,A trial,T2D; adults,RCT; double-blind,UC-MSC,UC-MSC,200,HbA1c,52,diff_vs_control,-0.5,0.15,SE,%,q,seen"


def problems(path: Path, content: str | bytes) -> tuple[Problem, ...]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(EvidenceError) as caught:
        registry.check_table(path)
    return caught.value.problems


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mine.csv"


def test_the_sound_table_is_read(path: Path) -> None:
    for text in (f"{HEAD}\n{ROW}\n", f"{HEAD}\r\n{ROW}\r\n", f"\ufeff{HEAD}\n{ROW}"):
        path.write_bytes(text.encode())
        assert len(registry.check_table(path)) == 1


@pytest.mark.parametrize("mark", [";", "\t"])
def test_another_separator_is_one_problem(path: Path, mark: str) -> None:
    (found,) = problems(path, f"{HEAD}\n{ROW}\n".replace(",", mark))
    assert found.kind == "wrong-separator" and found.found == repr(mark) and found.location.line == 1


def test_a_letter_that_is_no_utf8_has_a_place(path: Path) -> None:
    (found,) = problems(path, f"{HEAD}\n{ROW}\n".replace("A trial", "Prüfung").encode("latin-1"))
    assert (found.kind, found.location.line, found.location.column) == ("unreadable-file", 2, len("NEW2026,Pr") + 1)
    assert "0xfc" in found.found and "UTF-8" in found.hint
    (found,) = problems(path, f"{HEAD}\n{ROW}\n".encode("utf-16"))
    assert found.kind == "unreadable-file" and found.location.line == 1
    (found,) = problems(path, f"{HEAD}\n{ROW}\n".replace("A trial", "A\0trial"))
    assert (found.kind, found.location.line, found.location.column) == ("unreadable-file", 2, len("NEW2026,A") + 1)


def test_a_cell_without_end_is_a_problem_of_its_row(path: Path) -> None:
    (found,) = problems(path, f"{HEAD}\n{ROW}\n".replace("A trial", "A" * 200_000))
    assert found.kind == "bad-table" and found.location.line == 2
    (found,) = problems(path, f"{HEAD}\n{ROW}\n{ROW}\n".replace("A trial", '"A trial', 1))
    assert found.kind == "wrong-length" and "quotation mark" in found.hint
    (found,) = problems(path, f"{HEAD}\n{ROW},more\n")
    assert found.kind == "wrong-length" and "comma" in found.hint
    assert problems(path, "")[0].kind == "empty-table"
    assert "betapod evidence add" in problems(path, HEAD)[0].hint


def test_every_cell_has_its_column(path: Path) -> None:
    row = ROW.replace("A trial", '"A, ""trial"""').replace("-0.5", '"-0,5"').replace("%", "furlong")
    found = {p.kind: p for p in problems(path, f"{HEAD}\n{row}\n")}
    assert found["unknown-unit"].location.column == row.index("furlong") + 1
    found = {p.kind: p for p in problems(path, f"{HEAD}\n{row}\n".replace("furlong", "%"))}
    assert found["bad-number"].location.column == row.index('"-0,5"') + 1
    assert "decimal point" in found["bad-number"].hint
    over = problems(path, f"{HEAD}\n{ROW}\n".replace("A trial", '"A\ntrial"').replace("seen", "read"))
    assert (over[0].location.line, over[0].location.column) == (
        3,
        f'trial"{ROW.partition("trial")[2]}'.index("seen") + 1,
    )
    head = HEAD.replace("endpoint", "endpont")
    unknown = next(p for p in problems(path, f"{head}\n{ROW}\n") if p.kind == "unknown-column")
    assert unknown.location.column == head.index("endpont") + 1


def test_cells_begin_where_they_begin() -> None:
    assert cell_starts('a,"b,c",d"e,f') == [0, 2, 8, 12]
    assert cell_starts('"a""b",c') == [0, 7]


def test_all_that_is_wrong_with_a_row_is_said_at_once(path: Path) -> None:
    row = ROW
    for right, wrong in (
        ("T2D; adults", "sick people"), ("RCT; double-blind", "chance"), ("diff_vs_control", "diff_vs_controls"), ("200", "many"),
        ("-0.5", "nan"), ("seen", "read"),
    ):  # fmt: skip
        row = row.replace(right, wrong)
    kinds = [problem.kind for problem in problems(path, f"{HEAD}\n{row}\n")]
    expected = ["bad-number", "bad-number", "unknown-design", "unknown-population", "unknown-statistic", "unknown-tag"]
    assert sorted(kinds) == expected


def test_two_numbers_for_one_thing_are_not_one_after_the_other_silently(path: Path) -> None:
    (found,) = problems(path, f"{HEAD}\n{ROW}\n{ROW.replace('-0.5', '-0.7')}\n")
    assert found.kind == "duplicate-row" and found.location.line == 3 and "line 2" in found.message


def test_what_a_table_replaces_and_adds_is_said(path: Path) -> None:
    known = registry.load_registry()["PACKHAM2016#1"]
    own = {
        "study_id": known.study, "arm": known.arm, "endpoint": known.endpoint_text, "timepoint_weeks": "12",
        "population": known.population_text, "unit": known.unit,
    }  # fmt: skip
    cells = dict(zip(HEAD.split(","), ROW.split(","), strict=True)) | {k: f'"{v}"' for k, v in own.items()}
    path.write_text(f"{HEAD}\n{ROW}\n{','.join(cells.values())}\n", encoding="utf-8")
    assert told(registry.load_registry([path]), [path]) == [f"{path}: replaces PACKHAM2016#1; adds NEW2026#1"]
