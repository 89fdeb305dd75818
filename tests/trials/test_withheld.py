"""What arms order and patients are not given: a check says to which share, and which drug blocks it; background is given in every arm."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.patients.library import default
from betapod.physiology import whole_body
from betapod.trials.conduct.arm_schedules import Planner
from betapod.trials.conduct.feasibility import feasible
from betapod.trials.protocol.protocol_files import parse_protocol

TEXT = """\
name: blocked
title: A gliflozin and an ARB beside what people take
population: {diabetes: type 2, size: 800}
eligibility: {HbA1c: {min: 6.5 %}}
background: [fixed-dose insulin]
patients: 20
arms:
  drug: {therapies: [dapagliflozin 10 mg, losartan 100 mg]}
  control: {placebo: true}
designs:
  randomised: {arms: {drug: 1, control: 1}}
visits:
  - {name: enrolment, day: 0 day}
  - {name: month 6, day: 183 day}
measurements: {HbA1c: {}}
endpoints: {primary: {quantity: HbA1c, summary: change, at: month 6}}
scenarios: [none]
replicates: 5
"""
PROTOCOL = parse_protocol(TEXT)


def test_a_check_says_what_is_withheld_from_whom_and_why() -> None:
    sentences = feasible(PROTOCOL, default()).withheld
    for label, blocker in (
        ("dapagliflozin 10 mg/day", "SGLT2 inhibitor is taken already."),
        ("losartan 100 mg/day", "ARB is taken already."),
        ("losartan 100 mg/day", "ACE inhibitor is taken already: avoid the combination of ACE inhibitor and ARB."),
    ):
        (sentence,) = (text for text in sentences if text.startswith(f"drug: {label}") and text.endswith(blocker))
        assert 1 <= float(sentence.split(" to ")[1].split(" %")[0]) < 100


def test_nobody_gets_two_of_a_class_and_everybody_the_background() -> None:
    library = default()
    some = library.take(np.arange(0, len(library), len(library) // 300))
    planner = Planner(PROTOCOL, some, whole_body.named_model("reference"), 1)
    given = planner.therapies(PROTOCOL.arms["drug"], False)
    takes = some.table["sglt2i"].to_numpy() > 0
    blocked = (some.table["arb"].to_numpy() > 0) | (some.table["acei"].to_numpy() > 0)
    names = [{drug.name for drug in person} for person in given]
    assert takes.any() and blocked.any()
    assert ["dapagliflozin" in person for person in names] == list(~takes)
    assert ["losartan" in person for person in names] == list(~blocked)
    for arm in PROTOCOL.arms.values():
        assert all("fixed-dose insulin" in {drug.name for drug in person} for person in planner.therapies(arm, False))


def test_with_a_fixed_dose_titration_is_off_from_enrolment_on() -> None:
    library = default()
    users = np.flatnonzero((library.table["insulin"].to_numpy() > 0) & (library.parameters["insulin_titration"] > 0))
    some = library.take(users[:5])
    planner = Planner(PROTOCOL, some, whole_body.named_model("reference"), 1)
    planned = planner.plan(planner.therapies(PROTOCOL.arms["control"], False), PROTOCOL.arms["control"])
    for schedule in planned.schedules:
        (switch,) = (each for each in schedule.switches if each.input == "insulin_titration")
        assert (switch.value, switch.time) == (0.0, pytest.approx(PROTOCOL.lead))
    assert all("stays fixed" in line for line in planned.insulin_lines)
