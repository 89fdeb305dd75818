"""Eyes, nerves and feet: states follow each other, ulcers heal and leave a past, and rates are those that were published."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.hazards.complications.complication import complications
from betapod.hazards.risk import RiskProfile
from betapod.hazards.risk_course import RiskCourse
from betapod.health.event_table import own_events
from betapod.health.lives import Lives, live_on
from betapod.health.prepared_course import prepare

PEOPLE, YEARS = 1500, 20


@pytest.fixture(scope="module")
def lives() -> Lives:
    days = np.linspace(0.0, YEARS * 365.25, 2 * YEARS + 1)
    profile = RiskProfile(
        age=60 + days / 365.25, female=0.4, egfr=60.0, uacr=300.0, hba1c=9.0, sbp=145.0, duration=15.0
    )
    return live_on(prepare(RiskCourse(days, profile, np.arange(PEOPLE)), own_events()))


@pytest.mark.parametrize(
    ("later", "sooner"),
    [
        ("severe_retinopathy", "retinopathy"),
        ("macular_oedema", "retinopathy"),
        ("vision_loss", "retinopathy"),
        ("amputation", "foot_ulcer"),
        ("amputation_again", "amputation"),
        ("amputation_death", "amputation"),
    ],
)
def test_what_needs_a_state_comes_after_it(lives: Lives, later: str, sooner: str) -> None:
    first, second = (lives.first_day[lives.events.index(name)] for name in (sooner, later))
    came = np.isfinite(second)
    assert came.sum() > 5
    assert (first[came] < second[came]).all()


def test_an_ulcer_heals_and_its_past_stays(lives: Lives) -> None:
    alive = lives.alive >= 1.0
    begun = lives.first_day[lives.events.index("foot_ulcer")]
    before = lives.days[:-1, None] > begun
    assert np.allclose(lives.state("past_ulcer")[alive & before], 1.0)
    healed = lives.state("foot_ulcer")[alive & before]
    assert 0.05 < healed.mean() < 0.6
    assert lives.counts("foot_ulcer").max() > 2


def test_an_amputation_ends_the_ulcer(lives: Lives) -> None:
    assert complications()["amputation"].clears == ("foot_ulcer",)
    assert lives.counts("amputation").max() == 1


def test_arteries_of_the_legs_are_cardiovascular_disease(lives: Lives) -> None:
    legs, any_disease = lives.state("peripheral_artery_disease"), lives.state("cvd")
    assert (any_disease >= legs - 1e-6).all()
