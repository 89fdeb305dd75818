"""Templates of a user's own tables: a comment for every column, an example that runs as it is, and a new study that reaches a verdict."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from betapod.base.errors import ConfigError
from betapod.claims import ledger
from betapod.cli.main import main
from betapod.evidence.records import registry
from betapod.evidence.records.overlay import COLUMNS, append
from betapod.validation.predictions import studies
from betapod.validation.predictions.own_study_tables import (
    ARM_COLUMNS,
    EVENT_COLUMNS,
    read_study_tables,
    told_of_tables,
    unmapped,
)
from betapod.validation.predictions.own_templates import TEMPLATES, write_templates
from betapod.validation.predictions.study_tables import using_tables


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, Path]:
    return {path.stem: path for path in write_templates(tmp_path / "new")}


@pytest.mark.parametrize(("name", "columns"), [("evidence", COLUMNS), ("arms", ARM_COLUMNS), ("events", EVENT_COLUMNS)])
def test_every_column_has_a_comment(tables: dict[str, Path], name: str, columns: tuple[str, ...]) -> None:
    text = tables[name].read_text(encoding="utf-8")
    described = re.findall(r"(?m)^# ([a-z_]+(?: [a-z_]+)?) {2,}", text)
    assert set(described) >= set(columns) and text.isascii()


def test_the_example_is_sound_and_says_that_it_is_invented(tables: dict[str, Path]) -> None:
    known = registry.load_registry([tables["evidence"]])
    rows = known.select(study="EXAMPLE2026")
    assert len(rows) == 3 and all("invented" in row.quote and "no study" in row.citation for row in rows)
    own = read_study_tables([tables["arms"]], [tables["cohorts"]], [tables["events"]])
    assert told_of_tables(own, known) == [] and unmapped(rows, [tables["evidence"]], own) == []
    with using_tables(own):
        assert [row.id for row in studies.sort(rows)[0]] == [row.id for row in rows]


def test_files_that_are_there_are_kept(tables: dict[str, Path]) -> None:
    tables["arms"].write_text("mine\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        write_templates(tables["arms"].parent)
    assert caught.value.kinds == ("file-exists",) * len(TEMPLATES) and tables["arms"].read_text() == "mine\n"
    write_templates(tables["arms"].parent, replace=True)
    assert tables["arms"].read_text(encoding="utf-8").startswith("# Who takes part")


def test_a_new_study_reaches_a_verdict_by_its_population_product_and_endpoint(tables: dict[str, Path]) -> None:
    pytest.importorskip("pymare")
    text = (
        tables["evidence"]
        .read_text(encoding="utf-8")
        .replace("120,UACR,52,geometric_ratio,0.85,0.70;1.03", "400,UACR,52,geometric_ratio,0.7,0.6;0.8")
    )
    tables["evidence"].write_text(text, encoding="utf-8")
    before, after = (ledger.judge_ledger(["A14"], overlays, run=False)[0] for overlays in ([], [tables["evidence"]]))
    assert (before.verdict.verdict, after.verdict.verdict) == ("not supported", "supported")
    assert after.replies[-1].records == ("EXAMPLE2026#2",) and after.replies[:-1] == before.replies


def test_rows_are_added_below_comments_and_rows_which_stay(tables: dict[str, Path]) -> None:
    path = tables["evidence"]
    text = path.read_text(encoding="utf-8")
    row = dict(zip(*[line.split(",") for line in (
        "study_id,population,design,arm,product,endpoint,statistic,value,unit,quote,tag", "MINE,T2D,RCT,a,UC-MSC,eGFR,mean,50,mL/min/1.73m2,q,seen"
    )], strict=True))  # fmt: skip
    append(path, [row])
    assert path.read_text(encoding="utf-8").startswith(text) and len(registry.check_table(path)) == 4
    append(path, [row | {"arm": "b", "grade": "B"}])
    now = path.read_text(encoding="utf-8")
    assert now.startswith(text[: text.index("study_id,")]) and len(registry.check_table(path)) == 5


def test_problems_are_placed_below_comments(tables: dict[str, Path]) -> None:
    path = tables["evidence"]
    text = path.read_text(encoding="utf-8")
    line = text.splitlines().index(next(x for x in text.splitlines() if x.startswith("study_id,"))) + 1
    column = text.splitlines()[line - 1].index("tag") + 1
    path.write_text(text.replace(",UACR,52,", ",UACR,soon,").replace("quote,tag", "quote,tagg"), encoding="utf-8")
    with pytest.raises(Exception, match=f":{line}:{column}: unknown-column"):
        registry.check_table(path)
    path.write_text(text.replace(",UACR,52,", ",UACR,soon,"), encoding="utf-8")
    with pytest.raises(Exception, match=f":{line + 2}:.*bad-number: timepoint_weeks"):
        registry.check_table(path)


def test_the_verb_writes_them_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["betapod", "evidence", "new", str(tmp_path / "mine"), "--json"])
    with pytest.raises(SystemExit) as stopped:
        main()
    document = json.loads(capsys.readouterr().out)
    assert not stopped.value.code and [Path(name).name for name in document["files"]] == list(TEMPLATES)
    assert any(text.startswith("betapod confront --study EXAMPLE2026 --overlay ") for text in document["commands"])


def test_all_tables_are_checked_at_once(
    tables: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["betapod", "evidence", "check", str(tables["evidence"]), "--arms", str(tables["arms"])]
    words += ["--cohorts", str(tables["cohorts"]), "--events", str(tables["events"])]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code and "read: 2 arms, 1 cohort, 1 event" in capsys.readouterr().err
    for name, right, wrong in (
        ("evidence", ",UACR,52,", ",UACR,soon,"),
        ("arms", "cells vs", "cell vs"),
        ("events", "x 0.5", "y 0.5"),
    ):
        tables[name].write_text(tables[name].read_text(encoding="utf-8").replace(right, wrong), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as stopped:
        main()
    said = capsys.readouterr().err
    assert stopped.value.code == 2 and "bad-number: timepoint_weeks" in said and "bad-event" in said
