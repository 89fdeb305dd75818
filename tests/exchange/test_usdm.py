"""Schedules of activities in USDM 4: what goes out comes in again, foreign timings are followed, what is wrong is said."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import betapod
from betapod.base.errors import ConfigError
from betapod.cli import main as cli
from betapod.exchange.usdm.read_usdm import read_usdm
from betapod.exchange.usdm.usdm_terms import duration_days, duration_text
from betapod.exchange.usdm.write_usdm import usdm_document
from betapod.trials.protocol.protocol_files import find_protocol, parse_protocol, protocol_catalogue


@pytest.mark.parametrize("name", sorted(protocol_catalogue()))
def test_a_protocol_comes_back(name: str, tmp_path: Path) -> None:
    protocol = find_protocol(name)
    path = tmp_path / "study.json"
    path.write_text(json.dumps(usdm_document(protocol)))
    schedule = read_usdm(path)
    planned = sorted((visit.name, visit.day, visit.window) for visit in protocol.visits)
    assert sorted(schedule.visits) == planned
    again = parse_protocol(schedule.protocol_text("again"))
    assert set(again.codes) == set(protocol.codes)
    assert list(again.arms) == list(next(iter(protocol.designs.values())).arms)
    assert again.patients == protocol.size(next(iter(protocol.designs)))
    assert schedule.not_measured == ()


def references(item: Any) -> Any:
    """Yield every identifier that an element has, and those that it points to."""
    if isinstance(item, dict):
        for key, value in item.items():
            if key.endswith("Id") and isinstance(value, str):
                yield "to", value
            elif key.endswith("Ids"):
                yield from (("to", one) for one in value)
            elif key == "id" and value is not None:
                yield "of", value
            yield from references(value)
    elif isinstance(item, list):
        for one in item:
            yield from references(one)


def test_every_reference_leads_to_an_element_and_identifiers_are_unique() -> None:
    pairs = list(references(usdm_document(betapod.load_protocol("sglt2"))))
    named = [identifier for kind, identifier in pairs if kind == "of"]
    assert len(named) == len(set(named)) > 50
    assert {identifier for kind, identifier in pairs if kind == "to"} <= set(named)


#: What each class of USDM 4 must have, as the Python package usdm4 0.29 has it; documents passed its checks when they were written.
REQUIRED = {
    "Study": "name",
    "StudyVersion": "id versionIdentifier rationale studyIdentifiers titles",
    "InterventionalStudyDesign": "id name arms studyCells rationale epochs population model",
    "StudyArm": "id name type dataOriginDescription dataOriginType",
    "StudyEpoch": "id name type",
    "StudyCell": "id armId epochId elementIds",
    "StudyElement": "id name",
    "Encounter": "id name type",
    "Activity": "id name",
    "ScheduleTimeline": "id name mainTimeline entryCondition entryId",
    "ScheduledActivityInstance": "id name",
    "Timing": "id name type value valueLabel relativeToFrom relativeFromScheduledInstanceId",
    "StudyTitle": "id text type",
    "StudyIdentifier": "id text scopeId",
    "Organization": "id name type identifierScheme identifier",
    "StudyDesignPopulation": "id name includesHealthySubjects",
    "Code": "id code codeSystem codeSystemVersion decode",
    "Objective": "id name text level",
    "Endpoint": "id name text purpose level",
    "Quantity": "id value",
    "ScheduleTimelineExit": "id",
}


def elements(item: Any) -> Any:
    if isinstance(item, dict):
        if "instanceType" in item:
            yield item
        for value in item.values():
            yield from elements(value)
    elif isinstance(item, list):
        for value in item:
            yield from elements(value)


@pytest.mark.parametrize("name", sorted(protocol_catalogue()))
def test_every_element_has_what_its_class_must_have(name: str) -> None:
    document = usdm_document(betapod.load_protocol(name))
    written_kinds = set()
    for element in elements(document):
        written_kinds.add(element["instanceType"])
        missing = [key for key in REQUIRED[element["instanceType"]].split() if element.get(key) is None]
        assert not missing, f"{element['instanceType']} {element.get('id')}: {missing}"
    assert written_kinds == set(REQUIRED)
    # A scheduled activity leads to the next one, or out, and not both.
    for element in elements(document):
        if element["instanceType"] == "ScheduledActivityInstance":
            assert (element["defaultConditionId"] is None) != (element["timelineExitId"] is None)


def foreign() -> dict[str, Any]:
    """A schedule as another tool may write it: weeks, timings from visit to visit, activities that betapod does not have."""

    def code(name: str) -> dict[str, str]:
        return {"code": name, "decode": name}

    def timing(of: str, to: str, kind: str, value: str, **window: str) -> dict[str, Any]:
        return {
            "relativeFromScheduledInstanceId": of,
            "relativeToScheduledInstanceId": to,
            "type": code(kind),
            "value": value,
            **window,
        }

    encounters = [
        {"id": f"E{k}", "name": f"E{k}", "label": label}
        for k, label in enumerate(("Screening", "Baseline", "Week 4", "Week 12"))
    ]
    instances = [
        {"id": f"I{k}", "encounterId": f"E{k}", "activityIds": ["A1", "A2"] if k else ["A1", "A3"]} for k in range(4)
    ]
    timings = [
        timing("I1", "I1", "C201358", "P0D"),
        timing("I0", "I1", "C201357", "P2W"),
        timing("I2", "I1", "C201356", "P4W", windowLower="P3D", windowUpper="P5D"),
        timing("I3", "I2", "C201356", "P8W"),
    ]
    design = {
        "encounters": encounters,
        "activities": [{"id": "A1", "name": "Lab", "label": "HbA1c"}, {"id": "A2", "name": "eGFR"}, {"id": "A3", "name": "ECG"}],
        "arms": [{"name": "Drug", "description": "empagliflozin 10 mg/day, on top of care", "type": code("C174266")}, {"name": "Placebo", "type": code("C174268")}],
        "scheduleTimelines": [{"mainTimeline": True, "instances": instances, "timings": timings}],
        "population": {"plannedEnrollmentNumber": {"maxValue": {"value": 80}}},
    }  # fmt: skip
    return {"study": {"name": "X", "versions": [{"titles": [{"text": "A study"}], "studyDesigns": [design]}]}}


def written(document: Any, tmp_path: Path) -> Path:
    path = tmp_path / "foreign.json"
    path.write_text(json.dumps(document))
    return path


def test_a_foreign_schedule_is_followed_to_its_anchor(tmp_path: Path) -> None:
    schedule = read_usdm(written(foreign(), tmp_path))
    assert schedule.visits == (
        ("Screening", -14.0, 0.0),
        ("Baseline", 0.0, 0.0),
        ("Week 4", 28.0, 5.0),
        ("Week 12", 84.0, 0.0),
    )
    assert schedule.not_measured == ("ECG",) and schedule.patients == 80
    assert schedule.arms == {"Drug": ("empagliflozin 10 mg/day",), "Placebo": None}
    protocol = parse_protocol(schedule.protocol_text("planned"))
    assert set(protocol.codes) >= {"HBA1C", "EGFR"} and "# Not measured by betapod: ECG" in schedule.protocol_text(
        "planned"
    )


def without_timing(document: dict[str, Any]) -> None:
    document["study"]["versions"][0]["studyDesigns"][0]["scheduleTimelines"][0]["timings"].pop()


def in_a_circle(document: dict[str, Any]) -> None:
    timings = document["study"]["versions"][0]["studyDesigns"][0]["scheduleTimelines"][0]["timings"]
    timings[2]["relativeToScheduledInstanceId"], timings[3]["relativeToScheduledInstanceId"] = "I3", "I2"


def nothing_measured(document: dict[str, Any]) -> None:
    document["study"]["versions"][0]["studyDesigns"][0]["activities"] = [{"id": "A1", "name": "ECG"}]


def no_timeline(document: dict[str, Any]) -> None:
    document["study"]["versions"][0]["studyDesigns"] = []


@pytest.mark.parametrize(
    ("damage", "kinds"),
    [
        (without_timing, ("no-day",)),
        (in_a_circle, ("no-day", "no-day")),
        (nothing_measured, ("nothing-measured",)),
        (no_timeline, ("no-schedule",)),
    ],
)
def test_what_is_no_schedule_is_said(damage: Any, kinds: tuple[str, ...], tmp_path: Path) -> None:
    document = copy.deepcopy(foreign())
    damage(document)
    with pytest.raises(ConfigError) as caught:
        read_usdm(written(document, tmp_path))
    assert caught.value.kinds == kinds


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    for name, kind in (("none.json", "no-file"), ("bad.json", "bad-json")):
        with pytest.raises(ConfigError) as caught:
            read_usdm(tmp_path / name)
        assert caught.value.kinds == (kind,)


def test_durations() -> None:
    assert [duration_days(text) for text in ("P2W", "P1Y", "PT36H", "-P3D", "P", "two")] == [
        14.0,
        365.25,
        1.5,
        3.0,
        None,
        None,
    ]
    assert duration_days(duration_text(-12.5)) == 12.5


def test_verbs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cli._register(["trial"])
    assert CliRunner().invoke(cli.app, ["trial", "usdm", "dn61", "-o", "study.json"]).exit_code == 0
    made = CliRunner().invoke(cli.app, ["trial", "new", "planned", "--usdm", "study.json"])
    assert made.exit_code == 0, made.output
    assert parse_protocol((tmp_path / "planned.yaml").read_text()).name == "planned"
