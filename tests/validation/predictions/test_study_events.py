"""Events of people: the grammar, who is at risk, first passages, and what a group reports of them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from betapod.base.errors import ConfigError
from betapod.evidence.records import registry
from betapod.validation.predictions import event_counts, studies
from betapod.validation.predictions.event_terms import clauses_of
from betapod.validation.predictions.row_predictions import predict
from betapod.validation.predictions.study_courses import Condition, Courses
from betapod.validation.predictions.study_events import CountedEvent, event_of

YEAR = 52.0
WEEKS = np.arange(0.0, 6.0) * YEAR


def courses(**columns: list[list[float]]) -> Courses:
    values = {name: np.array(rows, dtype=float) for name, rows in columns.items()}
    people = len(next(iter(values.values())))
    failed = np.full(people, np.inf)
    for table in values.values():
        lost = ~np.isfinite(table)
        failed = np.where(lost.any(axis=1), np.minimum(failed, WEEKS[lost.argmax(axis=1)]), failed)
    return Courses(WEEKS, values, np.arange(people), failed)


UACR = [
    [10, 10, 50, 60, 70, 80],  # passes in year 2
    [10, 50, 10, 10, 10, 10],  # once, not confirmed
    [100, 100, 100, 100, 100, 100],  # not at risk
    [10, 10, 10, 10, 10, 10],  # never
]


def passages(event: CountedEvent, group: Courses, last: float = 4 * YEAR) -> tuple[list[bool], list[bool], list[float]]:
    """Return who is at risk, who has the event, and the years that each is watched."""
    counts = event_counts.counts_of(group, event, last, [1])
    for chance in (counts.risk, counts.events):
        assert np.all((chance < 1e-9) | (chance > 1.0 - 1e-9))
    return list(counts.risk > 0.5), list(counts.events > 0.5), list(np.round(counts.years, 2))


@pytest.mark.usefixtures("precise")
def test_a_transition_is_confirmed_and_belongs_to_those_at_risk() -> None:
    confirmed = CountedEvent("UACR >= 30", "UACR < 30", every=YEAR)
    risk, happened, years = passages(confirmed, courses(UACR=UACR))
    assert risk == [True, True, False, True]
    assert happened == [True, False, False, False]
    assert years == pytest.approx([1.99, 3.99, 0.0, 3.99], abs=0.01)
    once = CountedEvent("UACR >= 30", "UACR < 30", every=YEAR, confirmed=False)
    assert passages(once, courses(UACR=UACR))[1] == [True, True, False, False]


@pytest.mark.usefixtures("precise")
def test_falls_doublings_and_failure() -> None:
    nan = math.nan
    group = courses(
        eGFR=[[80, 78, 60, 45, 45, 45], [80, 79, 78, 77, 76, 75], [40, 30, nan, nan, nan, nan]],
        creatinine=[[1, 1, 1.3, 2.1, 2.1, 2.1], [1, 1, 1, 1, 1, 1], [2, 3, nan, nan, nan, nan]],
    )
    found = lambda text: passages(CountedEvent(text, every=YEAR), group)[1]  # noqa: E731
    assert found("eGFR -40 %") == [True, False, True]
    assert found("creatinine x 2") == [True, False, True]
    assert found("kidney failure") == [False, False, True]
    assert found("eGFR < 50 and creatinine x 2 or kidney failure") == [True, False, True]
    # 104 weeks are 1.99 years.
    assert passages(CountedEvent("kidney failure", every=YEAR), group)[2][2] == pytest.approx(1.99, abs=0.01)


@pytest.mark.usefixtures("precise")
def test_nobody_has_an_event_after_kidney_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    nan = math.nan
    group = courses(
        UACR=[[10, 10, nan, nan, nan, nan], [10, 10, 10, 10, 50, 50]], eGFR=[[20, 10] + 4 * [nan], [80] * 6]
    )
    filled = group.filled()
    values = {**filled.values, "UACR": filled.values["UACR"].copy()}
    values["UACR"][0, 4:] = 90.0
    late = replace(filled, values=values)
    event = CountedEvent("UACR >= 30", "UACR < 30", every=YEAR, confirmed=False)
    assert passages(event, group)[1] == [False, True]
    assert passages(CountedEvent("kidney failure", every=YEAR, confirmed=False), group)[1] == [True, False]
    # What cannot be after the last value is no event of somebody who is not watched any more.
    monkeypatch.setattr(Courses, "filled", lambda courses: late)
    assert passages(event, group)[1] == [False, True]


@pytest.mark.usefixtures("precise")
def test_slopes_are_laid_through_all_visits() -> None:
    lines = [[100 - 1.2 * k for k in range(6)], [100 - 6.0 * k for k in range(6)], [50 - 3.0 * k for k in range(6)]]
    yearly = WEEKS * 7.0 / 365.25
    group = courses(eGFR=[[row[0] + (row[1] - row[0]) * year for year in yearly] for row in lines])
    group = Courses(WEEKS, {"eGFR": group.values["eGFR"]}, group.member, group.failed)
    found = lambda text: passages(CountedEvent(text), group, 5 * YEAR)[1]  # noqa: E731
    assert found("eGFR slope < -5") == [False, True, False]
    assert found("eGFR slope < -5 %") == [False, True, True]
    assert found("eGFR slope > -2") == [True, False, False]


@pytest.mark.parametrize(
    ("text", "words"),
    [("UACRR > 30", "UACR"), ("UACR is high", "cannot read"), ("kidney failur", "cannot read"), ("", "cannot read")],
)
def test_what_cannot_be_read_is_an_error(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        clauses_of(text)


def counts(events: list[float], years: list[float]) -> event_counts.Counts:
    return event_counts.Counts(np.ones(len(events)), np.array(events), np.array(years))


@pytest.mark.usefixtures("precise")
def test_counting_may_begin_after_treatment() -> None:
    event = CountedEvent("UACR >= 30", "UACR < 30", YEAR, begins=2 * YEAR)
    assert event.weeks(4 * YEAR) == pytest.approx([2 * YEAR, 3 * YEAR, 4 * YEAR, 5 * YEAR])
    late = [[50, 50, 10, 10, 70, 80], [10, 10, 50, 60, 70, 80], [10, 50, 10, 10, 10, 10]]
    risk, happened, years = passages(event, courses(UACR=late))
    assert risk == [True, False, True]
    assert happened == [True, False, False]
    assert years == pytest.approx([1.99, 0.0, 1.99], abs=0.01)


def test_ratios_of_groups() -> None:
    treated, control = counts([1, 0, 0, 0] * 50, [1, 2, 2, 2] * 50), counts([1, 1, 0, 0] * 50, [1, 1, 2, 2] * 50)
    number = lambda form: float(event_counts.statistic(form, [treated.sums(), control.sums()]))  # noqa: E731
    assert number("hazard ratio") == pytest.approx(math.log((1 / 7) / (2 / 6)))
    assert number("risk ratio") == pytest.approx(math.log(0.5))
    assert number("odds ratio") == pytest.approx(math.log((1 / 3) / (2 / 2)))
    assert number("difference") == pytest.approx(-0.25)
    assert float(event_counts.statistic("rate", [treated.sums()])) == pytest.approx(math.log(1 / 7))
    # 400 people in each group: 100 and 200 events expected.
    assert event_counts.scatter_of_study("hazard ratio", [treated, control], 400) == pytest.approx(
        math.sqrt(1 / 100 + 1 / 200)
    )


def test_paired_people_have_less_error() -> None:
    generator = np.random.default_rng(1)
    chance = (generator.uniform(size=300) < 0.2).astype(float)
    control = counts(list(chance), [2.0] * 300)
    treated = counts(list(np.where(generator.uniform(size=300) < 0.9, chance, 0.0)), [2.0] * 300)
    spread = lambda paired: event_counts.scatter_of_cohort(  # noqa: E731
        "hazard ratio", [treated, control], paired, np.random.default_rng(2)
    )
    assert spread(True) < 0.5 * spread(False)


def test_groups_without_events_are_not_known_to_be_equal() -> None:
    nobody = counts([0.0] * 50, [2.0] * 50)
    spread = event_counts.scatter_of_cohort("hazard ratio", [nobody, nobody], True, np.random.default_rng(2))
    assert spread == pytest.approx(2.0)


def test_small_chances_of_many_people_give_their_ratio() -> None:
    # Together a tenth of an event and a twentieth: known from everybody's chance, not one half event for both.
    many, few = counts([0.001] * 100, [2.0] * 100), counts([0.0005] * 100, [2.0] * 100)
    assert float(event_counts.statistic("hazard ratio", [few.sums(), many.sums()])) == pytest.approx(math.log(0.5))


@given(st.floats(0.0, 1.0), st.integers(1, 12))
def test_a_ratio_does_not_jump_where_a_person_comes_to_have_a_chance(chance: float, others: int) -> None:
    number = lambda p: float(event_counts.statistic("rate", [counts([p] + [0.2] * others, [1.0] * 13).sums()]))  # noqa: E731
    assert abs(number(min(chance + 1e-4, 1.0)) - number(chance)) < 5e-3


def test_every_event_of_the_table_can_be_read() -> None:
    found = [event_of(record) for record in registry.load_registry()]
    assert sum(event is not None for event in found) > 150


def test_a_kidney_drug_raises_the_odds_of_less_albuminuria() -> None:
    record = studies.as_counted(registry.load_registry()["CREDENCE_Oshima2020#3"])
    assert not studies.reason(record)
    (found,) = predict([record], Condition("none"), 10)
    assert found.form == "odds ratio" and found.scale == "log"
    assert found.low < found.predicted < found.high
    assert found.predicted > 1.0
    assert found.printed and found.se_study == pytest.approx(math.log(3.07 / 2.35) / 3.919928, rel=1e-4)
