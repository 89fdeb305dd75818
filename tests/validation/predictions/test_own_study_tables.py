"""Tables of a user's own that say how studies are simulated: read as the package's are, with every mistake at its place."""

from __future__ import annotations

import csv
import pickle
from pathlib import Path

import pytest

from betapod.base.errors import ConfigError
from betapod.evidence.records import registry
from betapod.validation.predictions import campaign, studies, study_events
from betapod.validation.predictions.own_study_tables import read_study_tables, told_of_tables, unmapped
from betapod.validation.predictions.study_tables import own_tables, using_tables

PACKAGED = Path(studies.__file__).parent
EVIDENCE = """\
study_id,citation,population,design,arm,product,n,endpoint,timepoint_weeks,statistic,value,dispersion,dispersion_type,unit,quote,tag
NEW2026,A trial,DKD; adults,RCT; double-blind,UC-MSC vs placebo,UC-MSC,200,eGFR,52,diff_vs_control,2,1.5,SE,mL/min/1.73m2,q,seen
NEW2026,A trial,DKD; adults,RCT; double-blind,UC-MSC,UC-MSC,100,halved albuminuria,52,proportion,0.3,,,fraction,q,seen
NEW2026,A trial,DKD; adults,RCT; double-blind,other,UC-MSC,100,eGFR,52,diff_vs_control,1,1.5,SE,mL/min/1.73m2,q,seen
"""
ARMS = """\
# who gets what
study,arm,cohort,cells,care_rule
NEW2026,UC-MSC vs placebo,Clinic,UC-MSC 1e6/kg iv x3 q28d,
NEW2026,UC-MSC,Clinic,UC-MSC 1e6/kg iv x3 q28d,frozen
"""
COHORTS = """\
Clinic:
  origin: an audit
  eligibility: {T1D: {high: 0}, diagnosed: {low: 1}, egfr: {low: 25, high: 75, unit: mL/min/1.73m2}}
  baseline: {age: {mean: 62, sd: 9, unit: year}, uacr: {median: 300, unit: mg/g}}
"""
EVENTS = "- {study: NEW2026, endpoint: halved albuminuria, event: UACR x 0.5, every: 13, confirmed: true, samples: 1}\n"


def write(folder: Path, **texts: str) -> dict[str, Path]:
    paths = {}
    for name, text in texts.items():
        paths[name] = folder / f"{name}.{'csv' if ',' in text.splitlines()[-1] and ':' not in text[:12] else 'yaml'}"
        paths[name].write_text(text, encoding="utf-8")
    return paths


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    return write(tmp_path, evidence=EVIDENCE, arms=ARMS, cohorts=COHORTS, events=EVENTS)


def test_the_packages_own_tables_are_read_as_they_are() -> None:
    tables = read_study_tables(arms=sorted((PACKAGED / "arms").glob("*.csv")), events=[PACKAGED / "events.csv"])
    assert repr(tables.arms) == repr(dict(studies.arms())) and tables.events == study_events._table()
    assert all(
        line.startswith("your table of arms maps anew") for line in told_of_tables(tables, registry.load_registry())
    )


def test_a_study_of_ones_own_is_simulated_under_its_tables_alone(files: dict[str, Path], tmp_path: Path) -> None:
    known = registry.load_registry([files["evidence"]])
    rows = known.select(study="NEW2026")
    assert not studies.sort(rows)[0]
    tables = read_study_tables([files["arms"]], [files["cohorts"]], [files["events"]])
    found = campaign.confront_records(rows, ["none"], 8, 1, 1, tmp_path / "cache", draws=0, tables=tables)
    assert [p.record for p in found.predictions["none"]] == ["NEW2026#1", "NEW2026#2"]
    assert found.predictions["none"][0].predicted == pytest.approx(0.0, abs=1e-4), "cells that do nothing move nobody"
    assert 0.0 < found.predictions["none"][1].predicted < 0.5
    assert [record.id for record, _ in found.refused] == ["NEW2026#3"]
    assert own_tables().empty and ("NEW2026", "UC-MSC") not in studies.arms()
    assert told_of_tables(tables, known) == []
    (line,) = unmapped(rows, [files["evidence"]], tables)
    assert "'other'" in line and "UC-MSC" not in line


def test_what_was_computed_under_other_tables_is_computed_anew(files: dict[str, Path]) -> None:
    first = read_study_tables([files["arms"]], [files["cohorts"]])
    files["cohorts"].write_text(COHORTS.replace("62", "50"), encoding="utf-8")
    second = read_study_tables([files["arms"]], [files["cohorts"]])
    assert first.digest_for("NEW2026") != second.digest_for("NEW2026") and first.digest_for("FLOW") == ""


def test_tables_reach_other_processes_whole(files: dict[str, Path]) -> None:
    tables = read_study_tables([files["arms"]], [files["cohorts"]], [files["events"]])
    again = pickle.loads(pickle.dumps(tables))
    assert repr(again.arms) == repr(tables.arms) and again.events == tables.events and again.digest == tables.digest
    assert again.cohorts["Clinic"] == tables.cohorts["Clinic"]


def test_own_rows_count_before_the_packages(files: dict[str, Path], tmp_path: Path) -> None:
    anew = tmp_path / "flow.csv"
    anew.write_text("study,arm,cohort,control_care\nFLOW,semaglutide vs placebo,FLOW,ARB\n", encoding="utf-8")
    tables = read_study_tables([anew], events=[files["events"]])
    with using_tables(tables):
        assert studies.arms()["FLOW", "semaglutide vs placebo"].other.care == ("ARB",)
    with using_tables(read_study_tables()):
        assert studies.arms()["FLOW", "semaglutide vs placebo"].other.care == ()
    assert "maps anew: 'semaglutide vs placebo' of FLOW" in told_of_tables(tables, registry.load_registry())[0]


def test_a_cohort_may_be_a_file_beside_the_table_or_a_known_name(files: dict[str, Path], tmp_path: Path) -> None:
    clinic = "name: Ours\nbaseline: {age: {mean: 62, sd: 9, unit: year}}\n"
    (tmp_path / "clinic.yaml").write_text(clinic, encoding="utf-8")
    table = tmp_path / "more.csv"
    table.write_text("study,arm,cohort\nA,x,clinic.yaml\nA,y,NHANES\nA,z,CREDENCE\n", encoding="utf-8")
    assert list(read_study_tables([table]).cohorts) == ["clinic.yaml", "NHANES"]
    assert list(read_study_tables(cohorts=[tmp_path / "clinic.yaml"]).cohorts) == ["Ours"]


@pytest.mark.parametrize(
    ("part", "text", "kinds", "words"),
    [
        ("arms", "study,arm,cohort,cells,care,inputs,n,imposes,care_rule,year\nN,,Flow2,lots,metformn 2 g,hold_glucos=1; x,-3,eGRF,usul,1700\n", ("missing-value", "unknown-cohort", "missing-dose", "unknown-therapy", "unknown-input", "bad-input", "bad-number", "unknown-endpoint", "bad-care"), ":2:3: missing-value"),
        ("arms", "study,arm,cohrt\nN,x,FLOW\n", ("unknown-column", "missing-column"), "Did you mean 'cohort'"),
        ("arms", "study,arm,cohort\n# a remark\nN,x,FLOW\nN,x,FLOW\nN,x\n", ("twice", "wrong-length"), ":4:3: twice"),
        ("arms", "study;arm;cohort\nN;x;FLOW\n", ("wrong-separator",), "commas"),
        ("arms", "study,arm,cohort\nN,x,\n", ("missing-value",), "the reason in the column note"),
        ("arms", "study,arm,cohort\n", ("empty-table",), "study, arm, cohort"),
        ("events", "- {study: N, endpoint: e, event: eGRF < 60, at_risk: UACR >, every: often, confirmed: maybe}\n", ("unknown-quantity", "bad-event", "bad-number", "bad-value"), ":1:34: unknown-quantity"),
        ("events", "- {study: N, endpont: e, event: eGFR < 60}\n", ("unknown-key", "missing-key"), "Did you mean 'endpoint'"),
        ("events", "- {study: N, endpoint: e, event: death, free_of: deth}\n", ("unknown-outcome",), "death"),
        ("events", "- {study: N, endpoint: e, event: UACR x 0...}\n", ("bad-event",), "such as 'UACR > 300'"),
        ("events", "study: N\n", ("bad-table",), "a list of entries"),
        ("cohorts", "FLOW:\n  baseline: {age: {mean: 60, sd: 9, unit: year}}\n", ("twice",), "another name"),
        ("cohorts", "Mine:\n  baselin: {age: {mean: 60}}\nYours: 3\n", ("unknown-key", "bad-table"), ":2:3"),
    ],
)  # fmt: skip
def test_mistakes_are_named_all_at_once(
    tmp_path: Path, part: str, text: str, kinds: tuple[str, ...], words: str
) -> None:
    path = tmp_path / ("mine.csv" if part == "arms" else "mine.yaml")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_study_tables(**{part: [path]})
    assert set(kinds) <= set(caught.value.kinds) and words in str(caught.value)


def test_every_column_of_the_package_is_one_of_the_columns() -> None:
    from betapod.validation.predictions.own_study_tables import ARM_COLUMNS, EVENT_COLUMNS

    for path, columns in ((PACKAGED / "arms" / "cells.csv", ARM_COLUMNS), (PACKAGED / "events.csv", EVENT_COLUMNS)):
        with path.open(encoding="utf-8", newline="") as file:
            assert tuple(next(csv.reader(file))) == columns
