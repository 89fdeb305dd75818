"""The pool on the real model: stages build on each other, cells that do no good change nothing, drugs are given to those they fit."""

import numpy as np
import pytest
import small_trials as small

from betapod.base.errors import ConfigError
from betapod.observables.ckd_epi import ckd_epi_2021
from betapod.patients import library
from betapod.physiology import whole_body
from betapod.trials.conduct import candidates, patient_pool
from betapod.trials.conduct import pool_build as pool_making
from betapod.trials.conduct.arm_schedules import Planner
from betapod.trials.protocol import protocol_files

TEXT = """\
name: tiny
title: Few people
population: {size: 12, confirmed: {UACR: {min: 30 mg/g}}}
eligibility: {UACR: {min: 30 mg/g, max: 3000 mg/g}, eGFR: {min: 40 mL/min/1.73m2}}
patients: 8
run_in: {therapies: [ACE inhibitor], duration: 4 week}
arms:
  cells: {cells: UC-MSC 1e6/kg iv x3 q28d}
  both: {cells: UC-MSC 1e6/kg iv x3 q28d, therapies: [SGLT2 inhibitor]}
designs: {randomised: {arms: {cells: 1, both: 1}}}
visits:
  - {name: screening, day: -14 day}
  - {name: enrolment, day: 0 day}
  - {name: month 6, day: 183 day, window: 10 day}
measurements: {UACR: {}, eGFR: {}, HbA1c: {}, SBP: {}}
conduct:
  co_medication: [{therapy: semaglutide 1 mg, share: 50 %, begins: [0 day, 60 day]}]
  rescue: [{quantity: HbA1c, above: 9 %, therapy: basal insulin 20 U}]
endpoints: {primary: {quantity: UACR, summary: ratio}}
scenarios: [none, seed-claims]
"""


@pytest.fixture(scope="module")
def trial():
    return protocol_files.parse_protocol(TEXT)


@pytest.fixture(scope="module")
def people():
    return library.default()


@pytest.fixture(scope="module")
def made(trial, people):
    return pool_making.pool_of(trial, people, threads=2, cache=False)


def course(made, arm, stage, scenario, code):
    return made.scaled(made.key(arm, stage, scenario), code)


def test_cells_that_do_nothing_change_nothing(made):
    for arm in ("cells", "both"):
        for code in ("UACR", "EGFR", "HBA1C", "SBP"):
            with_cells, without = (course(made, arm, stage, "none", code) for stage in ("cells", "co-medication"))
            assert with_cells == pytest.approx(without, rel=1e-4, abs=1e-4), code


def test_claimed_cells_lower_albuminuria(made):
    difference = course(made, "cells", "cells", "seed-claims", "UACR") - course(
        made, "cells", "co-medication", "none", "UACR"
    )
    before = made.times <= 0
    # Claimed secretion outside the islets acts on the few such cells that people have of their own, before any are given.
    assert np.abs(difference[:, before]).max() < 0.01
    # Claimed cells raise filtration by a third, which lets more albumin through where little leaks: single people have more.
    severe = course(made, "cells", "co-medication", "none", "UACR")[:, 0] > np.log(300.0)
    assert severe.any() and np.all(difference[severe, -1] < -0.1)
    assert difference[:, -1].mean() < -0.2


def test_stages_begin_when_they_should(made, trial):
    natural, run_in = course(made, "", "run-in", "", "UACR"), course(made, "cells", "natural", "none", "UACR")
    assert made.key("cells", "care", "none") == made.key("cells", "run-in", "none")
    assert made.key("both", "care", "none") != made.key("both", "run-in", "none")
    assert not np.allclose(natural, run_in)
    care = course(made, "both", "care", "none", "UACR")
    before = made.times <= 0
    assert care[:, before] == pytest.approx(natural[:, before], abs=1e-4)
    assert care[:, -1].mean() < natural[:, -1].mean()
    assert trial.lead == 28


def test_half_of_the_people_begin_the_co_medication(trial, people):
    chosen = candidates.choose(
        trial.model_copy(update={"population": trial.population.model_copy(update={"size": 300})}), people, 1
    )
    planner = Planner(trial, chosen.library, whole_body.named_model("reference"), 1)
    item = trial.conduct.co_medication[0]
    day = planner.begins(0, item)
    assert np.isfinite(day).mean() == pytest.approx(0.5, abs=0.1)
    assert day[np.isfinite(day)].min() >= 0 and day[np.isfinite(day)].max() <= 60


def test_nobody_gets_a_drug_twice_or_against_its_limits(trial, people):
    chosen = candidates.choose(
        trial.model_copy(update={"population": trial.population.model_copy(update={"size": 300})}), people, 1
    )
    planner = Planner(trial, chosen.library, whole_body.named_model("reference"), 1)
    table = chosen.library.table
    given = planner.therapies(trial.arms["both"], True)
    for person, mine in enumerate(given):
        names = [each.name for each in mine]
        assert len(set(names)) == len(names)
        row = table.iloc[person]
        assert ("ACE inhibitor" in names) == (not row["acei"] and not row["arb"])
        if row["sglt2i"]:
            assert "SGLT2 inhibitor" not in names


def test_the_measured_filtration_is_that_of_the_model(made):
    """EGFR from creatinine, age and sex as the trial computes it agrees with the model's own."""
    creatinine = np.exp(course(made, "", "run-in", "", "CREAT"))
    age = made.people["AGE"][:, None] + made.times / 365.25
    again = ckd_epi_2021(creatinine, age, made.people["FEMALE"][:, None])
    assert again == pytest.approx(course(made, "", "run-in", "", "EGFR"), rel=2e-3)


def test_a_pool_survives_the_disk(made):
    again = patient_pool.Pool.from_bytes(made.to_bytes())
    assert made.to_bytes() == again.to_bytes()
    assert again.keys == made.keys
    assert all(np.array_equal(made.values[k], again.values[k], equal_nan=True) for k in made.values)


def test_another_number_of_threads_gives_the_same_bytes(trial, people, made):
    assert pool_making.pool_of(trial, people, threads=1, cache=False).to_bytes() == made.to_bytes()


def test_the_cache_is_used_and_told_apart(trial, people, made, monkeypatch, tmp_path):
    monkeypatch.setenv("BETAPOD_CACHE", str(tmp_path))
    monkeypatch.setattr(pool_making, "_simulate", lambda *_: made)
    assert pool_making.pool_of(trial, people) is made
    monkeypatch.setattr(pool_making, "_simulate", lambda *_: pytest.fail("simulated again"))
    assert pool_making.pool_of(trial, people).to_bytes() == made.to_bytes()
    same = {"replicates": 7, "title": "Another title", "patients": 9}
    assert pool_making.identity(trial.model_copy(update=same), people) == pool_making.identity(trial, people)
    assert pool_making.identity(trial.model_copy(update={"seed": 2}), people) != pool_making.identity(trial, people)
    changed = protocol_files.parse_protocol(TEXT.replace("1e6/kg", "2e6/kg"))
    assert pool_making.identity(changed, people) != pool_making.identity(trial, people)


def test_courses_are_linear_between_their_days():
    small_trial = small.protocol()
    known = small.pool(small_trial, people=5)
    known.values["cells"][:, :, 0] = np.exp(known.times / 100.0)
    member = np.array([0, 3])
    day = np.array([[0.0, 1.0], [200.0, 1000.0]])
    found = known.at("cells", "UACR", member, day)
    assert found == pytest.approx(np.array([[0.0, 0.01], [2.0, 3.79]]))


def test_nobody_eligible_is_an_error(people):
    text = TEXT.replace("UACR: {min: 30 mg/g, max: 3000 mg/g}", "AGE: {min: 119 year}")
    with pytest.raises(ConfigError) as caught:
        candidates.choose(protocol_files.parse_protocol(text), people, 1)
    assert caught.value.kinds == ("nobody-eligible",)


def test_weights_are_mixed_until_they_rest_on_enough_people():
    weights = np.array([1.0] + [1e-6] * 99)
    share, mixed = candidates._mixed(weights, 25.0)
    assert 0 < share < 1
    assert 1 / np.sum(mixed**2) == pytest.approx(25.0)
    assert candidates._mixed(np.ones(100), 25.0)[0] == 1.0


def test_inclusion_chances_sum_to_the_size():
    weights = np.random.default_rng(1).exponential(size=200) ** 3
    chance = candidates._inclusion(weights / weights.sum(), 80)
    assert chance.sum() == pytest.approx(80)
    assert chance.max() <= 1.0
