"""Healthy again: limits, three months, death, and years free of complications."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.hazards.risk import RiskProfile
from betapod.hazards.risk_course import RiskCourse
from betapod.health.event_table import own_events
from betapod.health.healthy import FREE_OF, free_years, healthy_again, healthy_on, is_healthy, lowers_glucose
from betapod.health.lives import live_on
from betapod.health.prepared_course import prepare

#: Edges half a year apart.
DAYS = np.arange(9) * 182.625


@pytest.mark.parametrize(
    ("value", "healthy"),
    [
        ({}, True),
        ({"uacr": 30.0}, False),
        ({"egfr": 59.9}, False),
        ({"egfr": 60.0}, True),
        ({"hba1c": 6.5}, False),
        ({"insulin_dose": 2.0}, False),
        ({"drugs": True}, False),
        ({"hba1c": float("nan")}, False),
    ],
)
def test_every_part_of_health_is_needed(value: dict[str, float], healthy: bool) -> None:
    good = {"uacr": 29.9, "egfr": 80.0, "hba1c": 6.4, "insulin_dose": 0.0, "drugs": False}
    assert bool(is_healthy(**{**good, **value})) is healthy  # type: ignore[arg-type]


def test_only_who_was_ill_can_become_healthy_again_and_it_has_to_last() -> None:
    ill, well = False, True
    healthy = np.array(
        [
            [ill, ill, well, well, well, ill, ill, well, ill],
            [well, ill, ill, well, well, well, well, well, well],
            [ill] * 9,
            [ill, ill, ill, ill, ill, ill, ill, ill, well],
        ]
    )
    back = healthy_again(DAYS, healthy)
    assert back.ill_at_start.tolist() == [True, False, True, True]
    assert back.first_day.tolist() == [DAYS[2], np.inf, np.inf, np.inf]
    assert back.years == pytest.approx([1.0, 0.0, 0.0, 0.0])
    assert back.share == pytest.approx(1 / 3)
    assert np.isnan(healthy_again(DAYS, np.ones((2, 9), dtype=bool)).share)


def test_visits_closer_than_three_months_add_up_and_longer_is_not_needed() -> None:
    months = np.array([0.0, 30.0, 60.0, 90.0, 121.4, 150.0])
    assert healthy_again(months, np.array([[False, True, True, True, True, False]])).first_day[0] == 30.0
    assert np.isinf(healthy_again(months, np.array([[False, True, True, True, False, False]])).first_day[0])


def test_health_ends_with_death() -> None:
    healthy = np.array([[False, True, True, True, True, True, True, True, True]] * 2)
    back = healthy_again(DAYS, healthy, died=np.array([DAYS[1] + 60.0, DAYS[1] + 365.25]))
    assert back.ever.tolist() == [False, True]
    assert back.years == pytest.approx([0.0, 1.0])


def test_failed_kidneys_are_not_healthy_whatever_the_course_says() -> None:
    uacr = np.broadcast_to(np.where(DAYS > 0, 10.0, 400.0), (2, 9))
    profile = RiskProfile(age=60, female=0, egfr=80, uacr=uacr, hba1c=6.0)
    course = RiskCourse(DAYS, profile, np.arange(2), failed=np.array([np.inf, DAYS[1]]))
    assert healthy_on(course, False).ever.tolist() == [True, False]
    assert not healthy_on(course, True).ever.any()


def test_what_lowers_glucose_is_a_drug() -> None:
    assert all(
        map(lowers_glucose, ("metformin", "SGLT2 inhibitor", "semaglutide", "basal insulin", "titrated insulin"))
    )
    assert not any(map(lowers_glucose, ("ARB", "lifestyle", "total diet replacement", "statin", "nothing")))


def test_years_free_of_more_are_fewer() -> None:
    days = np.arange(21) * 365.25
    profile = RiskProfile(age=65 + days / 365.25, female=0, egfr=50, uacr=400, hba1c=8.5)
    lives = live_on(prepare(RiskCourse(days, profile, np.arange(200)), own_events()), seed=1)
    years = free_years(lives)
    assert set(years) == set(FREE_OF)
    for name, values in years.items():
        assert np.all(values <= lives.life_years() + 1e-4), name
        assert np.all(years["complication_free"] <= values + 1e-4), name
    assert years["complication_free"].mean() < years["heart_kept"].mean() < lives.life_years().mean()


def test_states_to_be_free_of_are_states() -> None:
    known = set(own_events().states)
    assert all(set(states) <= known for states in FREE_OF.values())
