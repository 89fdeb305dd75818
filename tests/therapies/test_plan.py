"""One door to treatment: who is given what, when, under which scenario; one person and many agree."""

from __future__ import annotations

import math

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.physiology import whole_body
from betapod.therapies import cell_parameters, scenarios
from betapod.therapies.plan import Recipients, plan
from betapod.therapies.standard_care import therapy

MODEL = whole_body.named_model("reference")
ORDER = "UC-MSC 1e6/kg iv x3 q28d"


def people(count: int = 3, **takes: list[bool]) -> Recipients:
    states = {name: np.full(count, value) for name, value in MODEL.initial_values().items()}
    states["BW"] = np.array([60.0, 80.0, 110.0])[:count]
    drugs = {name.replace("_", " "): np.array(takers) for name, takers in takes.items()}
    return Recipients({}, states, drugs, np.array([100.0, 50.0, 25.0])[:count])


def drugs_of(treatment) -> list[list[str]]:
    return [[drug.name for drug in person] for person in treatment.drugs]


def test_many_with_the_same_values_are_given_what_one_is() -> None:
    group = people()
    alone = plan(MODEL, {**MODEL.initial_values(), "BW": 80.0}, ["ARB"], ORDER, scenarios.AS_CLAIMED)
    together = plan(MODEL, group, ["ARB"], ORDER, scenarios.AS_CLAIMED)
    assert together.schedules[1].switches == alone.schedule.switches
    amounts = {dose.state: dose.amount for dose in together.schedules[1].doses}
    assert amounts == pytest.approx({dose.state: dose.amount for dose in alone.schedule.doses}, rel=1e-12)
    assert together.model.values() == alone.model.values()
    assert together.understood[0] == "ARB from day 0: 3 of 3 people" and alone.understood[0] == "ARB from day 0"


def test_everybody_is_dosed_by_their_own_weight() -> None:
    treatment = plan(MODEL, people(), cells=ORDER)
    lungs = [sum(d.amount for d in s.doses if d.state == "N_L") for s in treatment.schedules]
    assert np.array(lungs) / lungs[0] == pytest.approx(np.array([60.0, 80.0, 110.0]) / 60.0)
    assert treatment.understood == ["3 infusions of 60 million UC-MSC, iv, on days 0, 28, 56"]


def test_cells_and_held_inputs_count_from_the_start_and_drugs_do_not() -> None:
    treatment = plan(MODEL, people(1), [therapy("ARB", start=10.0)], ORDER, start=28.0, held={"N_in": 100.0})
    schedule = treatment.schedule
    assert {dose.time for dose in schedule.doses} == {28.0}
    assert [(s.value, s.time) for s in schedule.switches if s.input == "N_in"] == [(100.0, 28.0)]
    assert min(s.time for s in schedule.switches if s.input == "e_ARB") == 10.0


def test_nobody_is_given_what_does_not_fit() -> None:
    group = people(ARB=[True, False, False], metformin=[False, True, False])
    treatment = plan(MODEL, group, ["ACE inhibitor", "metformin 2 g", "ACE inhibitor", "ARB"])
    # The first takes an ARB, the second metformin; the third filters 25 mL/min/1.73 m2, too little for metformin. The columns do not say
    # who takes an ACE inhibitor; an ARB comes beside one that is only begun now.
    assert drugs_of(treatment) == [["metformin"], ["ACE inhibitor", "ARB"], ["ACE inhibitor", "ARB"]]


def test_a_study_is_followed_as_it_ordered() -> None:
    group = people(ARB=[True, False, False])
    ordered = plan(MODEL, group, ["ACE inhibitor", "metformin 2 g", "ARB"], as_ordered=True)
    assert drugs_of(ordered) == [
        ["ACE inhibitor", "metformin"],
        ["ACE inhibitor", "metformin", "ARB"],
        ["ACE inhibitor", "ARB"],
    ]


def test_people_who_are_given_the_same_share_a_schedule() -> None:
    treatment = plan(MODEL, people(metformin=[False, True, False]), ["SGLT2 inhibitor", "metformin 2 g"])
    first, second, third = treatment.schedules
    assert first is not second and second is third


def test_one_person_is_refused_what_is_contraindicated() -> None:
    healthy = MODEL.initial_values()
    few = {**healthy, "ln_nephrons": healthy["ln_nephrons"] + math.log(0.15)}
    assert MODEL.evaluate(["GFR"], few)["GFR"] < 30.0 < MODEL.evaluate(["GFR"], healthy)["GFR"]
    with pytest.raises(ConfigError, match="contraindicated"):
        plan(MODEL, few, ["metformin 2 g"])
    assert plan(MODEL, healthy, ["metformin 2 g"]).schedule.switches


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        plan(MODEL, None, ["metfornin 2 g"], ["UC-MSCX 1e6 iv", "UC-MSC -5e6 iv"])
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize("name", scenarios.SCENARIOS)
def test_the_model_of_a_plan_is_that_of_its_scenario(name: str) -> None:
    treatment = plan(MODEL, people(), cells=ORDER, scenario=name)
    assert treatment.scenario == name
    assert treatment.model.values() == cell_parameters.parameterise(MODEL, name).values()
    changes = cell_parameters.scenario_values(MODEL, name)
    assert changes == {key: treatment.model.parameters[key].value for key in changes}


def test_a_model_without_cells_takes_none() -> None:
    kidney = whole_body.named_model("kidney")
    assert plan(kidney, drugs=["ARB"]).scenario == ""
    with pytest.raises(ConfigError, match="no cell therapy"):
        plan(kidney, cells=ORDER)
