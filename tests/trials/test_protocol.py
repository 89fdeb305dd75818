"""Protocols: every mistake at once and in its place, the library, the schema."""

import json
import re

import pytest

from betapod.base.errors import ConfigError
from betapod.trials.protocol import group_keys, protocol, protocol_files

TEN_MISTAKES = """\
name: wrong
title: Ten mistakes
population: {diabetes: type 3}
eligibility:
  UACR: {min: 30 mmol/L}
  eGRF: {min: 30 mL/min/1.73m2}
patients: 20
arms:
  cells: {cells: UC-MSK 1e6/kg iv}
  control: {therapies: [metfromin 2 g]}
designs:
  randomised: {arms: {cells: 1, contorl: 1, control: 1}, blindin: open}
visits:
  - {name: enrolment, day: 0 day}
  - {name: month 6, day: 183}
measurements: {UACR: {}}
conduct: {drop_out: 8 %}
endpoints:
  primary: {quantity: UACR, at: month 7}
replicates: 0
"""


def test_ten_mistakes_are_ten_located_problems():
    with pytest.raises(ConfigError) as caught:
        protocol_files.parse_protocol(TEN_MISTAKES, "wrong.yaml")
    found = {(p.location.line, p.location.column): p for p in caught.value.problems}
    expected = {
        (3, 24): ("unknown-choice", "type 1"),
        (5, 15): ("wrong-unit", "mg/g"),
        (6, 3): ("unknown-quantity", "EGFR"),
        (9, 18): ("unknown-product", "UC-MSC"),
        (10, 25): ("unknown-therapy", "metformin"),
        (12, 33): ("unknown-arm", "control"),
        (12, 58): ("unknown-key", "blinding"),
        (15, 26): ("missing-unit", "183 day"),
        (17, 21): ("wrong-unit", "1/year"),
        (19, 33): ("unknown-visit", "month 6"),
        (20, 13): ("out-of-range", "1"),
    }
    assert {place: p.kind for place, p in found.items()} == {place: kind for place, (kind, _) in expected.items()}
    assert len(caught.value.problems) == len(expected) >= 10
    for place, (_, right) in expected.items():
        told = str(found[place])
        assert right in told, told
        assert told.startswith(f"wrong.yaml:{place[0]}:{place[1]}: ")


@pytest.mark.parametrize("name", protocol_files.protocol_catalogue())
def test_the_library_is_good(name):
    trial = protocol_files.find_protocol(name)
    assert trial.name == name
    assert trial.sources and trial.assumptions
    for design in trial.designs:
        assert sum(trial.quotas(design)) in (0, trial.size(design))
        assert trial.baseline_visits(design)


def test_the_library_has_what_users_ask_for():
    wanted = {
        "dn61", "packham2016", "nephstrom", "skyler2015", "zang2022", "zimislecel", "sglt2", "low_protein",
        "pancreas_transplant",
    }  # fmt: skip
    assert wanted <= set(protocol_files.protocol_catalogue())
    assert protocol_files.find_protocol("dn61").size("single arm") == 61


@pytest.mark.parametrize(
    ("old", "new", "kind", "place"),
    [
        ("day: 0 day", "day: 1 day", "missing-visit", (13, 1)),
        ("patients: 20", "patients: 20\npatients: 30", "duplicate-key", (7, 1)),
        ("min: 30 mg/g", "min: 30 mg/g, max: 20 mg/g", "empty-range", (5, 3)),
        ("{quantity: UACR", "{quantity: HbA1c", "not-measured", (18, 23)),
        ("arms: {cells: 1, control: 1}", "arms: {cells: 1}", "unused-arm", (9, 3)),
        ("day: 183 day}", "day: 183 day, window: 100 day}", "wrong-window", (15, 43)),
        ("{cells: 1, control: 1}", "{cells: 1, control: 1}, randomisation: {block: 3}", "wrong-block", (11, 69)),
        ("{cells: UC-MSC 1e6/kg iv}", "{inputs: {glucose_hel: 5 mmol/L}}", "unknown-input", (8, 20)),
        ("title: Good", "title: [", "bad-yaml", None),
        ("name: good", "name: 'not a name'", "bad-text", (1, 7)),
    ],
)
def test_one_mistake_is_one_problem(old, new, kind, place):
    good = """\
name: good
title: Good
population: {}
eligibility:
  UACR: {min: 30 mg/g}
patients: 20
arms:
  cells: {cells: UC-MSC 1e6/kg iv}
  control: {}
designs:
  randomised: {arms: {cells: 1, control: 1}}

visits:
  - {name: enrolment, day: 0 day}
  - {name: month 6, day: 183 day}
measurements: {UACR: {}}
endpoints:
  primary: {quantity: UACR, at: month 6}
"""
    assert protocol_files.parse_protocol(good).patients == 20
    assert good.count(old) == 1
    with pytest.raises(ConfigError) as caught:
        protocol_files.parse_protocol(good.replace(old, new), "f.yaml")
    assert [p.kind for p in caught.value.problems] == [kind]
    location = caught.value.problems[0].location
    assert location.line
    if place:
        assert (location.line, location.column) == place


def test_unknown_protocols_name_the_nearest():
    with pytest.raises(ConfigError, match="dn61"):
        protocol_files.find_protocol("dn16")
    with pytest.raises(ConfigError) as caught:
        protocol_files.find_protocol("nowhere/none.yaml")
    assert caught.value.kinds == ("unreadable-file",)


def test_the_schema_knows_every_key():
    schema = protocol.json_schema()
    json.dumps(schema)
    assert set(schema["properties"]) == set(protocol.Protocol.model_fields)
    assert schema["additionalProperties"] is False
    assert "designs" in schema["required"]


def test_quotas_keep_their_ratio_in_other_sizes():
    trial = protocol_files.find_protocol("dn61")
    design = trial.designs["single arm"].model_copy(update={"patients": 200})
    larger = trial.model_copy(update={"designs": {"single arm": design}})
    assert larger.quotas("single arm") == [102, 98]
    assert trial.quotas("single arm") == [31, 30]


def test_no_key_is_accepted_and_then_ignored() -> None:
    from pathlib import Path

    from pydantic import BaseModel

    package = Path(protocol.__file__).parents[2]
    rooms = [package / "trials", package / "report"]
    code = "\n".join(path.read_text(encoding="utf-8") for room in rooms for path in sorted(room.rglob("*.py")))
    modules = {module.__name__: module for module in (protocol, group_keys)}
    settings = [
        c
        for module in modules.values()
        for c in vars(module).values()
        if isinstance(c, type) and issubclass(c, BaseModel) and c.__module__ == module.__name__
    ]
    unread = {
        f"{each.__name__}.{name}"
        for each in settings
        for name in each.model_fields
        if not re.search(rf"\.{name}\b", code)
    }
    # For the record alone, as the description says; the version is checked by its type.
    assert unread == {"Design.blinding", "Protocol.schema_version"}
