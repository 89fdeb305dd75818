"""Chances of events: closed forms, agreement with what is counted by luck, smoothness, and laws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from betapod.evidence.records.registry import load_registry
from betapod.observables.outcomes import SHARES
from betapod.observables.variation import varied_by
from betapod.validation.predictions.condition import Condition
from betapod.validation.predictions.event_chances import chance_on_visit
from betapod.validation.predictions.event_counts import Counts, counts_of, statistic
from betapod.validation.predictions.event_terms import CONDITIONS
from betapod.validation.predictions.studies import arms
from betapod.validation.predictions.study_courses import Courses
from betapod.validation.predictions.study_events import CountedEvent
from betapod.validation.predictions.study_groups import StudyPlan, groups_of, readout_for
from betapod.validation.predictions.visits import compared
from tests.support.counted_events import counted_by_luck

WEEKS = np.arange(0.0, 261.0, 26.0)
LAST = 208.0
PEOPLE = 24


def group(shift: float = 0.0, seed: int = 3, people: int = PEOPLE) -> Courses:
    """People who drift; `shift` makes all of it worse."""
    generator = np.random.default_rng(seed)
    years = WEEKS / 52.0

    def drifting(level: float, spread: float, pace: float) -> np.ndarray:
        start = level * np.exp(spread * generator.standard_normal((people, 1)))
        return start * np.exp((pace * (1.0 + generator.standard_normal((people, 1))) + shift) * years)

    values = {
        "UACR": drifting(80.0, 1.2, 0.1),
        "eGFR": drifting(50.0, 0.3, -0.06),
        "HbA1c": drifting(7.3, 0.1, 0.01),
        "insulin_dose": drifting(3.0, 1.0, -0.1),
        "body_weight": drifting(80.0, 0.1, 0.0),
        "fasting_C_peptide": drifting(0.2, 0.7, -0.1),
        "stimulated_C_peptide": drifting(0.1, 1.2, -0.1),
        "life_uacr": np.repeat(generator.standard_normal((people, 1)), len(WEEKS), axis=1),
    }
    values["UAER"] = 0.96 * values["UACR"]
    values["creatinine"] = 4000.0 / values["eGFR"]
    failed = np.where(np.arange(people) < 3, 100.0, np.inf)
    shape = (people, len(WEEKS))
    risks = {"age": 65.0, "female": 0.0, "cvd": 0.0, "hf": 0.0, "diabetes": 1.0, "type_1": 0.0, "year": 0.0}
    return Courses(WEEKS, values, np.arange(people), failed, {name: np.full(shape, x) for name, x in risks.items()})


GROUP = group()


def event(text: str, at_risk: str = "", confirmed: bool = True, every: float = 52.0, **rest: object) -> CountedEvent:
    return CountedEvent(text, at_risk, every, confirmed, **rest)  # type: ignore[arg-type]


#: Events of every form.
EVENTS = [
    event("UACR >= 300", "UACR 30 to 300"),
    event("UAER > 288 and UAER +30 %", "UAER 28.8 to 288", every=26.0),
    event("UACR >= 300 or creatinine x 2 and eGFR <= 45 or kidney failure", "UACR < 300", every=26.0, samples=1),
    event("eGFR -40 % or eGFR < 15 or kidney failure or cv_death", every=26.0),
    event("UACR class worse"),
    event("eGFR class worse", "eGFR >= 15", confirmed=False),
    event("HbA1c <= 6.5 or HbA1c change <= -0.5", confirmed=False, every=520.0, begins=4.0),
    event("UACR >= 300", "UACR < 300", begins=104.0),
    event("eGFR slope < -4 %", "eGFR >= 45", confirmed=False),
    event("eGFR slope >= -2", confirmed=False),
    event("insulin_independence", confirmed=False, every=26.0),
    event("partial_remission", "HbA1c >= 7", confirmed=False),
    event("death", confirmed=False, within="UACR 30 to 300 and creatinine < 100"),
    event(
        "eGFR < 30 or eGFR < 45 and UACR >= 30 or eGFR < 60 and UACR >= 300",
        "eGFR >= 60 or eGFR >= 45 and UACR < 300 or eGFR >= 30 and UACR < 30",
    ),
]


def names(events: list[CountedEvent]) -> list[str]:
    return [" at risk: ".join(filter(None, (x.event, x.at_risk))) for x in events]


def agree(people: Courses, counted: CountedEvent) -> None:
    lucky = [counted_by_luck(people, counted, LAST, [seed], 250).sums() for seed in range(8)]
    chances = [counts_of(people, counted, LAST, [seed]).sums() for seed in range(8)]
    one, two = np.array(lucky), np.array(chances)
    error = np.sqrt((one.var(axis=0, ddof=1) + two.var(axis=0, ddof=1)) / 8.0)
    assert one.mean(axis=0)[1] > 0.3, "an event that nobody has shows nothing"
    assert np.all(np.abs(one.mean(axis=0) - two.mean(axis=0)) < 4.5 * error + 1e-4 * PEOPLE)


@pytest.mark.parametrize("counted", EVENTS, ids=names(EVENTS))
def test_chances_are_those_of_counting_by_luck(counted: CountedEvent) -> None:
    agree(GROUP, counted)


def test_people_may_begin_anywhere_and_vary_otherwise() -> None:
    unknown = {name: table for name, table in GROUP.values.items() if name != "life_uacr"}
    with varied_by({"UACR life": 0.8, "UACR measurement": 0.3}):
        agree(replace(GROUP, values=unknown), EVENTS[0])
        agree(GROUP, EVENTS[0])


def test_one_visit_is_a_closed_form() -> None:
    found = chance_on_visit(GROUP, "HbA1c < 7", LAST, [1])
    sd = np.hypot(compared()["HbA1c"].relative_error, compared()["HbA1c"].life.share)  # type: ignore[union-attr]
    np.testing.assert_allclose(found, norm.cdf((7.0 / GROUP.values["HbA1c"][:, 8] - 1.0) / sd), rtol=1e-12)
    # No random number has a part in it.
    np.testing.assert_array_equal(found, chance_on_visit(GROUP, "HbA1c < 7", LAST, [2]))


def test_two_independent_visits_confirm_by_the_square() -> None:
    still = Courses(WEEKS, {"GBM_thickness": np.full((1, len(WEEKS)), 400.0)}, np.array([0]), np.array([np.inf]))
    once = chance_on_visit(still, "GBM_thickness > 410", 52.0, [1])[0]
    assert compared()["GBM_thickness"].life is None
    found = counts_of(still, event("GBM_thickness > 410"), 52.0, [1]).events
    assert found == pytest.approx(once**2)
    twice = counts_of(still, event("GBM_thickness > 410"), 104.0, [1]).events
    assert twice == pytest.approx(once**2 + (1.0 - once) * once**2)


@pytest.mark.parametrize("counted", EVENTS, ids=names(EVENTS))
def test_chances_are_smooth(counted: CountedEvent) -> None:
    def events(shift: float) -> float:
        return float(counts_of(group(shift), counted, LAST, [1]).events.sum())

    fine, coarse = ((events(h) - events(-h)) / (2.0 * h) for h in (1e-5, 2e-3))
    assert fine == pytest.approx(coarse, rel=0.02, abs=0.02 * PEOPLE)


def test_a_condition_has_one_meaning(precise: None) -> None:
    assert set(CONDITIONS) == set(SHARES)
    people = group(seed=5, people=300)
    people.values["insulin_dose"][:40] = 0.0
    for name, condition in SHARES.items():
        flags = condition(lambda what, week: people.values[what][:, int(week / 26.0)], LAST)
        assert 10 < flags.sum() < 300, name
        np.testing.assert_allclose(chance_on_visit(people, name, LAST, [1]), flags.astype(float), err_msg=name)


def test_numbers_belong_to_people() -> None:
    some = np.array([2, 5, 11])
    for counted in EVENTS[:4]:
        everybody = counts_of(GROUP, counted, LAST, [1])
        of_some = counts_of(GROUP.members(some), counted, LAST, [1])
        np.testing.assert_allclose(of_some.events, everybody.events[some], rtol=1e-12)


def counted_in(people: Courses, counted: CountedEvent, last: float = LAST) -> Counts:
    return counts_of(people, counted, last, [1])


@settings(max_examples=20)
@given(st.sampled_from(EVENTS), st.integers(0, 1000))
def test_chances_are_chances(counted: CountedEvent, seed: int) -> None:
    counts = counted_in(group(seed=seed, people=6), counted)
    assert np.all((counts.risk >= 0) & (counts.risk <= 1 + 1e-12))
    assert np.all((counts.events >= 0) & (counts.events <= counts.risk + 1e-12))
    assert np.all((counts.years >= 0) & (counts.years <= LAST * 7.0 / 365.25 + 1e-9))


@settings(max_examples=20)
@given(st.floats(0.5, 3.0), st.integers(0, 1000))
def test_more_albuminuria_gives_more_of_it(factor: float, seed: int) -> None:
    people = group(seed=seed, people=6)
    raised = {**people.values, "UACR": people.values["UACR"].copy()}
    raised["UACR"][:, 1:] *= factor
    more = Courses(people.weeks, raised, people.member, people.failed)
    less = Courses(people.weeks, people.values, people.member, people.failed)
    once = event("UACR >= 300", "UACR < 300", confirmed=False)
    for counted in (once, event("UACR >= 300", "UACR < 300")):
        grown = counted_in(more, counted).events - counted_in(less, counted).events
        assert np.all(grown * (factor - 1.0) >= -1e-9)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1000))
def test_what_is_confirmed_is_found_less_often(seed: int) -> None:
    # Paths of life are sixteen for each person, and others where there is a visit more: many people even that out.
    people = group(seed=seed, people=300)
    confirmed, once = (
        counted_in(people, event("UACR >= 300", "UACR < 300", confirmed=each)).events.mean() for each in (True, False)
    )
    assert confirmed <= once + 0.005


@settings(max_examples=20)
@given(st.floats(30.0, 300.0), st.floats(1.0, 3.0))
def test_a_stricter_bound_is_met_less_often(bound: float, factor: float) -> None:
    loose, strict = (chance_on_visit(GROUP, f"UACR > {b:.6f}", LAST, [1]) for b in (bound, factor * bound))
    assert np.all(strict <= loose + 1e-12)
    both = chance_on_visit(GROUP, f"UACR > {bound:.6f} and eGFR < 60", LAST, [1])
    either = chance_on_visit(GROUP, f"UACR > {bound:.6f} or eGFR < 60", LAST, [1])
    alone = chance_on_visit(GROUP, "eGFR < 60", LAST, [1])
    np.testing.assert_allclose(both + either, loose + alone, atol=1e-12)


@pytest.mark.parametrize("name", ["CREDENCE_Oshima2020#3", "CREDENCE_abs#1"])
def test_chances_of_published_rows_are_those_of_counting_by_luck(name: str) -> None:
    record = load_registry()[name]
    readout, arm = readout_for(record), arms()[record.study, record.arm]
    counted, last, form = readout.event, record.weeks or 0.0, readout.form
    assert counted is not None
    groups = groups_of(record, arm, StudyPlan([record], {record.id: readout}, 50).courses(Condition("none"), 1, 1))

    def numbers(count: Callable[[Courses, int], Counts]) -> list[float]:
        return [float(statistic(form, [count(people, seed).sums() for people in groups])) for seed in range(4)]

    lucky = numbers(lambda people, seed: counted_by_luck(people, counted, last, [seed], 500))
    chances = numbers(lambda people, seed: counts_of(people, counted, last, [seed]))
    error = np.sqrt((np.var(lucky, ddof=1) + np.var(chances, ddof=1)) / 4.0)
    assert np.mean(chances) == pytest.approx(np.mean(lucky), abs=5.0 * error)
