"""People under strategies become courses that events read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.hazards.risk import RiskProfile
from betapod.hazards.risk_course import RiskCourse
from betapod.health.cell_harms import HARM_DAYS, dated_harms
from betapod.health.course_people import CoursePeople
from betapod.health.courses import CourseSettings, drawn_rows, simulate_courses
from betapod.health.event_table import own_events
from betapod.health.lives import live_on
from betapod.health.prepared_course import prepare
from betapod.health.risk_profiles import glucose_drug_shares
from betapod.health.simulated_courses import SimulatedCourses
from betapod.health.strategy import Strategy
from betapod.patients import library
from betapod.therapies.standard_care import therapy
from betapod.trials.conduct.trial_people import protocol_people
from betapod.trials.protocol.protocol_files import find_protocol

CELLS = "UC-MSC 1e6/kg iv x3 q28d"
STRATEGIES = {
    "care": Strategy(),
    "the same": Strategy(),
    "cells": Strategy(CELLS, "seed-claims"),
    "drug": Strategy(therapies=(therapy("SGLT2 inhibitor"),)),
}


@pytest.fixture(scope="module")
def people() -> CoursePeople:
    return albuminuric(every=400)


def albuminuric(every: int, unblocked: bool = False) -> CoursePeople:
    """Return nine people with albuminuria who take no SGLT2 inhibitor, six different ones; without a blocker of the renin system if wanted."""
    table = library.default().table
    able = (table["true_uacr"] > 100) & (table["T1D"] == 0) & (table["sglt2i"] == 0) & (table["true_egfr"] > 40)
    able &= (table["diabetes"] > 0) & (table["age"] < 90)
    if unblocked:
        able &= table[["acei", "arb"]].sum(axis=1) == 0
    return CoursePeople.drawn(library.default().take(np.flatnonzero(able)[::every][:6]), size=9)


@pytest.fixture(scope="module")
def courses(people: CoursePeople) -> SimulatedCourses:
    return simulate_courses(people, STRATEGIES, CourseSettings(years=3, draws=2), threads=1, cache=False)


def test_everybody_comes_as_often_as_their_weight_says() -> None:
    some = library.default().take(range(0, 200, 10))
    weights = np.arange(20.0)
    people = CoursePeople.drawn(some, 500, weights, seed=3)
    copies = np.bincount(people.rows, minlength=len(people.library))
    assert len(people) == 500 and len(people.library) == 19
    assert np.all(np.abs(copies - 500 * weights[1:] / weights.sum()) < 1.0)
    assert len(np.unique(people.numbers)) == 500
    # A person has the same number whoever else there is.
    alone = CoursePeople.drawn(people.library.take([4]), 3)
    assert set(alone.numbers) < set(people.numbers)
    with pytest.raises(ConfigError, match="out of range"):
        CoursePeople.drawn(some, 0)
    with pytest.raises(ConfigError, match="not negative"):
        CoursePeople.drawn(some, 5, -weights)


def test_a_course_begins_where_the_patient_is(people: CoursePeople, courses: SimulatedCourses) -> None:
    table = people.library.table.iloc[people.rows]
    for name in courses.strategies:
        profile = courses.risk(name).profile
        for found, column in ((profile.egfr, "true_egfr"), (profile.uacr, "true_uacr"), (profile.hba1c, "true_hba1c")):
            assert np.allclose(np.asarray(found)[:, 0], table[column], rtol=2e-3), (name, column)
        assert np.allclose(np.asarray(profile.age)[:, -1], table["age"] + 3)
        assert np.all(np.abs(np.asarray(profile.bmi)[:, 0] / table["bmi"] - 1) < 0.05)


def test_equal_strategies_share_a_course_and_draws_belong_to_cells(courses: SimulatedCourses) -> None:
    assert courses.keys["care", 0] == courses.keys["the same", 0] == courses.keys["care", 2]
    assert len({courses.keys["cells", draw] for draw in range(3)}) == 3 and courses.draws == 2
    care, cells, drug = (np.asarray(courses.risk(name).profile.uacr)[:, -1] for name in ("care", "cells", "drug"))
    assert np.all(cells < care) and np.all(drug < care)
    other = np.asarray(courses.risk("cells", 1).profile.uacr)[:, -1]
    assert np.all(other != cells) and np.all(drawn_rows("seed-claims", 2, 1)["RR_infection"] > 0)
    # Nothing acts on day 0.
    assert np.array_equal(courses.risk("cells", 1).profile.uacr[:, 0], courses.risk("care").profile.uacr[:, 0])


def test_what_is_taken_is_told(people: CoursePeople, courses: SimulatedCourses) -> None:
    drug = courses.risk("drug").intake["SGLT2 inhibitor"]
    assert drug.shape == (len(people), len(courses.days)) and np.all(drug == 1.0)
    assert "SGLT2 inhibitor" not in courses.risk("care").intake
    metformin = people.library.table["metformin"].to_numpy()[people.rows]
    assert np.array_equal(courses.risk("care").intake["biguanide"][:, 3], metformin)


def test_parts_are_the_whole_and_bytes_are_the_courses(people: CoursePeople, courses: SimulatedCourses) -> None:
    whole = courses.risk("cells")
    parts = [part for _, part in courses.parts("cells", 4)]
    assert [part.people for part in parts] == [4, 4, 1]
    assert np.array_equal(np.concatenate([part.profile.uacr for part in parts]), whole.profile.uacr)
    assert np.array_equal(np.concatenate([part.numbers for part in parts]), whole.numbers)
    again = SimulatedCourses.from_bytes(courses.to_bytes(), people)
    assert again.keys == courses.keys and again.to_bytes() == courses.to_bytes()
    assert np.array_equal(again.risk("drug", 1).profile.egfr, courses.risk("drug", 1).profile.egfr)
    with pytest.raises(ValueError, match="no courses"):
        SimulatedCourses.from_bytes(library.default().take([0]).to_bytes(), people)
    with pytest.raises(ConfigError, match="no strategy"):
        courses.risk("car")


def test_people_have_a_history_and_habits_of_their_own(courses: SimulatedCourses) -> None:
    care, drug = courses.risk("care"), courses.risk("drug")
    assert {"cvd", "hf", "retinopathy", "neuropathy"} <= set(care.histories)
    for state, values in care.histories.items():
        assert values.shape == (care.people,) and np.array_equal(values, drug.histories[state]), state
    assert np.all(care.histories["cvd"] >= care.histories["peripheral_artery_disease"])
    profile = care.profile
    assert np.array_equal(profile.smoker, drug.profile.smoker) and np.ptp(np.asarray(profile.ldl)[:, 0]) > 0.1
    assert np.array_equal(glucose_drug_shares(drug), np.ones((drug.people, len(drug.days))))
    metformin = care.intake["biguanide"] > 0
    assert np.all(glucose_drug_shares(care)[metformin] == 1.0)
    # The same people on their own are the same people.
    part = courses.risk("care", rows=slice(2, 5))
    assert np.array_equal(part.profile.haemoglobin, np.asarray(profile.haemoglobin)[2:5])


def test_lives_go_on_these_courses(courses: SimulatedCourses) -> None:
    lives = live_on(prepare(courses.risk("care"), own_events()), seed=1)
    assert np.all(lives.life_years() <= 3.0) and lives.life_years().mean() > 2.0


def test_care_that_goes_on_tells_what_it_prescribes() -> None:
    people = albuminuric(every=50, unblocked=True)
    settings = CourseSettings(years=3, care="clinic", step=1.0)
    followed = simulate_courses(people, {"drug": STRATEGIES["drug"], "cells": STRATEGIES["cells"]}, settings, 1, False)
    intake = followed.risk("cells").intake
    blocked = sum(np.asarray(intake.get(name, 0.0)) for name in ("ACE inhibitor", "ARB"))
    # Who leaks albumin is given a blocker of the renin system sooner or later.
    assert blocked[:, -1].sum() > 0
    assert np.all(followed.risk("drug").intake["SGLT2 inhibitor"] == 1.0)


def test_values_are_held_beyond_the_last_age(people: CoursePeople) -> None:
    young = people.library.table["age"].min()
    settings = CourseSettings(until_age=float(young) + 12.0, step=1.0)
    held = simulate_courses(people, {"care": Strategy()}, settings, 1, cache=False).risk("care")
    oldest = int(np.argmax(np.asarray(held.profile.age)[:, 0]))
    assert len(held.days) == 13
    if np.asarray(held.profile.age)[oldest, 0] > young + 10.0:
        assert np.asarray(held.profile.hba1c)[oldest, -1] == np.asarray(held.profile.hba1c)[oldest, -2]
    assert np.all(np.isfinite(held.profile.uacr))


def test_harms_of_cells_are_dated_and_end() -> None:
    table = library.default().table.iloc[:2000]
    days = np.array([0.0, 100.0, 56.0 + HARM_DAYS, 1000.0])
    harms = dated_harms(Strategy(CELLS, "current-evidence"), table, days, 1)
    assert harms.ratios["thromboembolism"].tolist() == pytest.approx([1.14, 1.14, 1.14, 1.0])
    assert np.isinf(harms.removed).all() and np.isinf(harms.failed).all()
    injected = dated_harms(Strategy("UC-MSC 1e6/kg ir", "current-evidence"), table, days, 1)
    assert 0 < np.isfinite(injected.removed).sum() < 100
    grafted = dated_harms(Strategy("SC-islets 10e6/kg portal", "current-evidence"), table, days, 1)
    assert grafted.ratios == {} and np.median(grafted.besides["other_death"]) > 0.0
    assert dated_harms(Strategy(), table, days, 1).besides == {}


def test_what_cells_bring_comes_besides_what_comes_anyway() -> None:
    days = np.arange(0.0, 20.0) * 365.25
    profile = RiskProfile(age=70 + days / 365.25, female=0, egfr=60, uacr=300)
    never = np.full(500, np.inf)
    clot = np.where(np.arange(500) < 100, 28.0, np.inf)
    plain = RiskCourse(days, profile, np.arange(500))
    without = live_on(prepare(plain, own_events()), seed=3)
    cells = replace(plain, besides={"thromboembolism": clot, "cv_death": np.where(np.arange(500) < 10, 38.0, np.inf)})
    lives = live_on(prepare(cells, own_events()), seed=3)
    # Ten die of it, a hundred have it, and all else stays.
    assert np.allclose(lives.died[:10], 38.0, atol=0.01)
    # Steps of an adaptive integrator differ where others of the group live on.
    np.testing.assert_allclose(lives.died[100:], without.died[100:], rtol=1e-6)
    more = lives.counts("thromboembolism") - without.counts("thromboembolism")
    alive = without.died[10:100] > 28.0
    assert np.all(more[10:100][alive] == 1) and np.all(more[100:] == 0)
    none = live_on(prepare(replace(plain, besides={"cv_death": never}), own_events()), seed=3)
    assert np.array_equal(none.died, without.died)


def test_settings_say_all_that_is_wrong() -> None:
    with pytest.raises(ConfigError) as caught:
        CourseSettings(years=0.0, step=3.0, care="usal", draws=-1)
    assert len(caught.value.problems) == 4 and "usual" in str(caught.value)
    with pytest.raises(ConfigError, match="no strategy"):
        simulate_courses(CoursePeople.drawn(library.default().take([0])), {})
    with pytest.raises(ConfigError, match="UC-MCS"):
        simulate_courses(
            CoursePeople.drawn(library.default().take([0])),
            {"x": replace(STRATEGIES["cells"], cells="UC-MCS 1e6/kg iv")},
        )


def test_courses_are_read_from_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    from betapod.health import courses as making

    monkeypatch.setenv("BETAPOD_CACHE", str(tmp_path))
    people = CoursePeople.drawn(library.default().take([0]))
    first = simulate_courses(people, {"care": Strategy()}, CourseSettings(years=1), 1)
    monkeypatch.setattr(making, "_simulate", None)
    assert simulate_courses(people, {"care": Strategy()}, CourseSettings(years=1), 1).to_bytes() == first.to_bytes()


def test_the_people_of_a_protocol_come_by_their_weights() -> None:
    protocol = find_protocol("dn61")
    people = protocol_people(protocol, 300)
    table = people.library.table.iloc[people.rows]
    assert len(people) == 300 and table["age"].between(30, 80).all() and (table["T1D"] == 0).all()
    # 31 of 61 have early nephropathy, by measurement; true values are a little more scattered.
    early = (table["true_uacr"] < 300) & (table["true_egfr"] >= 60)
    assert early.mean() == pytest.approx(31 / 61, abs=0.06) and (table["true_uacr"] > 300).mean() > 0.4
