"""Lives by UKPDS Outcomes Model 2: a Markov model of the same chances, common random numbers, laws, and what counts as history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from betapod.base.constants import DAYS_PER_YEAR
from betapod.hazards.risk import RiskProfile
from betapod.hazards.risk_course import RiskCourse
from betapod.hazards.ukpds.risk_factors import UkpdsRiskFactors
from betapod.hazards.ukpds.ukpds_equations import UKPDS_EQUATIONS, ukpds_chance
from betapod.health.accrue import UtilityWeights, accrue
from betapod.health.event_table import own_events
from betapod.health.lives import Lives
from betapod.health.ukpds_course import prepare_ukpds
from betapod.health.ukpds_lives import UKPDS_EVENTS, live_on_ukpds

PEOPLE, YEARS = 4000, 30


def course_of(people: int = PEOPLE, years: int = YEARS, **changes: Any) -> RiskCourse:
    """Return people of 55 who stay as they are but for age and duration, on a grid of half years."""
    days = np.arange(2 * years + 1) * DAYS_PER_YEAR / 2.0
    histories: Mapping[str, Any] = changes.pop("histories", {})
    failed = changes.pop("failed", None)
    profile: dict[str, Any] = {
        "age": 55.0 + days / DAYS_PER_YEAR,
        "duration": 8.0 + days / DAYS_PER_YEAR,
        "female": 0.0,
        "egfr": 70.0,
        "uacr": 10.0,
        "hba1c": 7.5,
        "sbp": 145.0,
        "hdl": 1.3,
        "ldl": 3.0,
        "bmi": 28.0,
        "haemoglobin": 14.0,
    }
    numbers = np.arange(people)
    on = {name: np.broadcast_to(np.asarray(share, dtype=float), people) for name, share in histories.items()}
    return RiskCourse(days, RiskProfile(**{**profile, **changes}), numbers, on, failed)


@pytest.fixture(scope="module")
def lives() -> Lives:
    return live_on_ukpds(prepare_ukpds(course_of()))


#: Everything but infarctions is out of the way.
ONLY_MI = {
    f"om2_{name}_constant": -60.0
    for name in UKPDS_EQUATIONS
    if not name.startswith("death") and name not in ("mi_man", "mi_second")
}


def test_a_markov_model_of_the_same_chances() -> None:
    pd = pytest.importorskip("pandas")
    markov = pytest.importorskip("heormodel.models.markov")
    matrices, lost = _infarctions()

    def transitions(params: Any, intervention: str) -> Any:
        alive = np.tile([1.0, 1.0, 1.0, 0.0], (YEARS + 1, 1))
        alive[-1] = 0.0
        return markov.CohortSpec(matrices, np.zeros(4), alive, transition_effect=-lost)

    engine = markov.MarkovModel(
        states=("none", "one", "two", "dead"),
        interventions=("care",),
        transitions_and_rewards=transitions,
        n_cycles=YEARS,
        discount_rate=0.0,
        cycle_correction="none",
    )
    trace = engine.trace(pd.Series(dtype=float), "care")
    draws = pd.DataFrame({"nothing": [0.0]}, index=pd.RangeIndex(1, name="iteration"))
    expected = float(engine.evaluate(draws).effects_wide().iloc[0, 0])
    ours = live_on_ukpds(prepare_ukpds(course_of()), ONLY_MI, seed=5)
    years = ours.life_years()
    assert years.mean() == pytest.approx(expected, abs=4.0 * years.std() / np.sqrt(PEOPLE))
    for year in (5, 10, 20, 30):
        dead = float(trace["dead"][year])
        error = 4.0 * np.sqrt(dead * (1.0 - dead) / PEOPLE)
        assert np.mean(ours.died <= year * DAYS_PER_YEAR) == pytest.approx(dead, abs=error)
    two = float(trace["two"][YEARS])
    seen = np.mean((ours.counts("mi") == 2) & np.isinf(ours.died))
    assert seen == pytest.approx(two, abs=4.0 * np.sqrt(two * (1.0 - two) / PEOPLE))


def _infarctions() -> tuple[np.ndarray, np.ndarray]:
    """Return (years, 4, 4) chances of none, one, two infarctions and death, and by how much a death shortens its year on average."""
    chances, lost, year = np.zeros((YEARS, 4, 4)), np.zeros((YEARS, 4, 4)), np.arange(YEARS)
    person = UkpdsRiskFactors(age=55.0 + year, duration=8.0 + year, female=0.0)
    mi, again = (ukpds_chance(name, person) for name in ("mi_man", "mi_second"))
    plain, first = ukpds_chance("death", person), ukpds_chance("death_event", person, now=("mi",))
    after = ukpds_chance("death_history", person, before=("mi",))
    second = ukpds_chance("death_again", person, before=("mi",), now=("mi",))
    # Death comes between the event, which is at random in the year, and its end: a quarter of the year is lost, else a half.
    for row, event, die, quick in ((0, mi, plain, first), (1, again, after, second), (2, 0.0 * mi, after, 0.0 * mi)):
        calm, bad = (1.0 - event) * die, event * quick
        chances[:, row, row] = (1.0 - event) * (1.0 - die)
        if row < 2:
            chances[:, row, row + 1] = event * (1.0 - quick)
        chances[:, row, 3] = calm + bad
        lost[:, row, 3] = (0.5 * calm + 0.25 * bad) / (calm + bad)
    chances[:, 3, 3] = 1.0
    return chances, lost


def test_lives_are_those_of_the_package_in_shape(lives: Lives) -> None:
    assert set(own_events().events) <= set(lives.events)
    assert set(own_events().states) <= set(lives.states)
    assert lives.in_state.shape == (len(lives.states), 2 * YEARS, PEOPLE)
    assert np.all(lives.in_state <= lives.alive + 1e-6)
    assert np.all(lives.in_state >= 0.0)
    total = accrue(lives, UtilityWeights(0.785, {"mi": 0.055, "dialysis": 0.2})).qalys
    assert np.all(total <= 0.785 * lives.life_years() + 1e-4)


def test_nothing_comes_after_death_and_death_after_its_event(lives: Lives) -> None:
    assert np.all((lives.first_day <= lives.died) | np.isinf(lives.first_day))
    dead = np.isfinite(lives.died)
    assert np.array_equal(lives.counts("death") == 1, dead)
    assert np.all(lives.cause[dead] == lives.events.index("death"))
    assert lives.life_years() == pytest.approx(np.minimum(lives.died, lives.days[-1]) / DAYS_PER_YEAR, abs=1e-3)


def test_each_comes_as_often_as_it_may(lives: Lives) -> None:
    most = {"mi": 2, "stroke": 2, "amputation": 1, "amputation_again": 1}
    for name in UKPDS_EVENTS.values():
        assert lives.counts(name).max(initial=0) <= most.get(name, 1)
        assert lives.counts(name).sum() > 0 or name == "amputation_again"
    assert not lives.counts("cancer").any()


def test_better_is_better_for_the_same_people(lives: Lives) -> None:
    same = live_on_ukpds(prepare_ukpds(course_of()))
    assert np.array_equal(same.died, lives.died)
    lower = live_on_ukpds(prepare_ukpds(course_of(sbp=125.0, hba1c=6.5, ldl=2.0)))
    gained = lower.life_years() - lives.life_years()
    assert gained.mean() > 0.3
    # The numbers that decide are shared, so that most people live through the same.
    assert np.mean(gained == 0.0) > 0.5
    assert not np.array_equal(live_on_ukpds(prepare_ukpds(course_of()), seed=2).died, lives.died)


def test_a_past_event_counts_from_the_start() -> None:
    few = 1500
    healthy = live_on_ukpds(prepare_ukpds(course_of(few)))
    past = live_on_ukpds(prepare_ukpds(course_of(few, histories={"mi": 1.0})))
    assert past.life_years().mean() < healthy.life_years().mean() - 0.5
    assert np.all(past.state("mi")[0] >= past.alive[0] - 1e-6)
    unknown = live_on_ukpds(prepare_ukpds(course_of(few, histories={"cvd": 1.0})))
    assert np.all(unknown.state("ischaemic_heart_disease")[0] == unknown.alive[0])
    arteries = live_on_ukpds(prepare_ukpds(course_of(few, histories={"peripheral_artery_disease": 1.0})))
    assert arteries.counts("amputation").mean() > 1.5 * healthy.counts("amputation").mean()


def test_kidneys_fail_by_the_equation_or_by_the_course() -> None:
    few, day = 300, np.full(300, 3.3 * DAYS_PER_YEAR)
    prepared = prepare_ukpds(course_of(few, failed=day))
    lives = live_on_ukpds(prepared)
    there = lives.died > day[0]
    assert np.all(lives.first_day[lives.events.index("dialysis"), there] == day[0])
    by_equation = live_on_ukpds(prepared, kidneys="equation")
    begun = by_equation.first_day[by_equation.events.index("dialysis")]
    assert not np.any(begun == day[0])
    # With the eGFR of failed kidneys the equation follows, but slowly: a quarter is without dialysis after six years.
    later = by_equation.died > day[0] + 6 * DAYS_PER_YEAR
    assert np.mean(begun[later] < day[0] + 6 * DAYS_PER_YEAR) > 0.65


def test_a_last_year_that_is_short_counts_its_part() -> None:
    whole = live_on_ukpds(prepare_ukpds(course_of(PEOPLE, 1)))
    days = np.array([0.0, DAYS_PER_YEAR / 2.0])
    short = course_of(PEOPLE, 1)
    half = RiskCourse(
        days, RiskProfile(age=55.0, female=0.0, egfr=70.0, uacr=10.0, duration=8.0, sbp=145.0), short.numbers
    )
    died = np.mean(np.isfinite(live_on_ukpds(prepare_ukpds(half)).died))
    assert 0.3 < died / np.mean(np.isfinite(whole.died)) < 0.8


def test_what_the_course_itself_has_counts_on_its_day() -> None:
    few = 200
    never, day = np.full(few, np.inf), np.full(few, 2.5 * DAYS_PER_YEAR)
    course = replace(
        course_of(few, 5), besides={"cv_death": np.where(np.arange(few) < 50, day, never), "thromboembolism": day}
    )
    lives, plain = live_on_ukpds(prepare_ukpds(course)), live_on_ukpds(prepare_ukpds(course_of(few, 5)))
    assert np.all(lives.died[:50] <= day[:50])
    assert np.mean(lives.died[:50] == day[:50]) > 0.8
    assert np.array_equal(lives.died[50:], plain.died[50:])
    assert np.array_equal(lives.counts("thromboembolism") == 1, lives.died > day)
