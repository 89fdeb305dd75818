"""Eyes, nerves and feet: states follow each other, ulcers heal and leave a past, and rates are those that were published."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from betapod.hazards.complications.complication import complications
from betapod.hazards.risk import RiskProfile
from betapod.hazards.risk_course import RiskCourse
from betapod.health.event_table import own_events
from betapod.health.lives import Lives, live_on
from betapod.health.prepared_course import prepare

PEOPLE, YEARS = 1500, 20
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


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


@pytest.fixture(scope="module")
def benchmark() -> Any:
    spec = importlib.util.spec_from_file_location("complications_benchmark", BENCHMARKS / "complications.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("cohort", "low", "high"),
    [("UKPDS 50", 19.0, 26.0), ("ACCORD Eye", 0.51, 0.87), ("one clinic, neuropathic", 8.0, 15.0)],
)
def test_cohorts_are_met(benchmark: Any, cohort: str, low: float, high: float) -> None:
    (row,) = [row for row in benchmark.cohorts() if row["cohort"].startswith(cohort)]
    assert low < benchmark.predicted(row, 1500) < high


def test_the_page_has_every_comparison(benchmark: Any) -> None:
    page = (BENCHMARKS.parent / "docs" / "background" / "complications.md").read_text(encoding="utf-8")
    with (BENCHMARKS.parent / "docs" / "figures" / "complications.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["cohort"] for row in rows] == [row["cohort"] for row in benchmark.cohorts()]
    for row in rows:
        start, value = f"| {row['group']} | {row['cohort']} | ", f"| {float(row['predicted']):.3g} |"
        assert any(line.startswith(start) and value in line for line in page.splitlines()), row["cohort"]
