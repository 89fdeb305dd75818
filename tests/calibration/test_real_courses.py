"""Variation within people, C-peptide after diagnosis and deaths: numbers of real people against those of the model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from betapod.base.errors import ConfigError
from betapod.calibration.real_data import deaths_of_people, model_people, new_type_1, visit_variation
from betapod.calibration.real_data.deaths_of_people import DeathsOfPeople, of_register, of_survey
from betapod.calibration.real_data.model_people import ModelPeople
from betapod.calibration.real_data.new_type_1 import c_peptide_after_diagnosis
from betapod.calibration.real_data.real_sources import REAL_SOURCES, real_sources
from betapod.calibration.real_data.target_rows import read_target_rows
from betapod.calibration.real_data.visit_variation import VisitVariation, mean_correlation, own_movement, visit_unknowns
from betapod.observables.formulas import MEAL_PER_FASTING
from betapod.observables.table import observables
from betapod.patients import library as libraries
from betapod.validation.predictions.condition import Condition


def people_of(table: pd.DataFrame) -> ModelPeople:
    """People of whom only a table is known."""
    n = len(table)
    return ModelPeople(libraries.Library(table, {}, np.zeros((n, 0)), (), {"seed": 1}), np.ones(n))


def index_of(visits: VisitVariation, record: str) -> int:
    return visits.rows.record.index(record)


def test_two_examinations_stray_by_the_error_and_some_life() -> None:
    visits = VisitVariation(lives=0)
    usual, exact, restless = visits.predict(
        [Condition(), Condition(visits={"UACR measurement": 0.3}), Condition(visits={"UACR life": 0.9})]
    )
    row = index_of(visits, "nhanes-repeat-UACR-from-30")
    item = observables()["UACR"]
    years = visits.targets[row].among["years"]
    assert item.life is not None
    size = float(np.asarray(item.life.share_at(np.array([visits.targets[row].among["level"]])))[0])
    expected = math.sqrt(item.relative_error**2 + size**2 * (1 - math.exp(-years / item.life.lasts)))
    assert math.exp(usual[row]) == pytest.approx(expected, rel=1e-9)
    assert math.exp(exact[row]) == pytest.approx(math.sqrt(expected**2 - item.relative_error**2 + 0.09), rel=1e-9)
    # Weeks know little of what years move, years much.
    assert restless[row] - usual[row] < 0.05 < restless[index_of(visits, "leong2017-AER-micro")] - usual[row]
    # What is derived from the pairs is found again.
    for name in ("creatinine", "eGFR", "BUN"):
        row = index_of(visits, f"nhanes-repeat-{name}")
        assert math.exp(usual[row]) == pytest.approx(visits.targets[row].observed, rel=0.02)


def test_mean_correlation_of_collections() -> None:
    assert mean_correlation(2.5, 2, 2.5) == pytest.approx(math.exp(-1))
    # Many collections: the mean over all pairs of times, 2/a - 2/a^2 (1 - exp(-a)).
    a = 7.9 / 2.5
    assert mean_correlation(7.9, 400, 2.5) == pytest.approx(2 / a - 2 / a**2 * (1 - math.exp(-a)), abs=0.005)


def test_own_albuminuria_moves_as_it_grows() -> None:
    ages = np.arange(50.0, 60.0)
    table = pd.DataFrame({"person": 1, "age": ages, "T1D": 0, "true_uacr": 10.0 * np.exp(0.1 * (ages - 50))})
    expected = 0.1 * np.std(np.arange(8), ddof=1)
    assert own_movement(people_of(table), 0.0, 30.0, 7.9) == pytest.approx(expected)
    assert np.isnan(own_movement(people_of(table), 100.0, 300.0, 7.9))


def test_unknowns_of_visits_can_be_asked() -> None:
    unknowns = {unknown.name: unknown for unknown in visit_unknowns()}
    assert {"UACR measurement", "UACR life", "HbA1c life"} <= set(unknowns)
    # What was measured is known better than what is assumed.
    assert unknowns["creatinine measurement"].sd < unknowns["creatinine life"].sd
    Condition(visits={name: float(unknown.value(1.0)) for name, unknown in unknowns.items()})


def test_c_peptide_between_visits_is_on_a_straight_line_of_logarithms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new_type_1.Stream, "normal", lambda self, numbers: np.zeros(len(numbers)))
    persons, rate = np.repeat(np.arange(40), 5), 0.8
    year = np.tile(np.arange(5.0), 40)
    table = pd.DataFrame({"person": persons, "T1D": 1, "years_ill": year, "age": 14.0 + year})
    table["true_c_peptide"] = 0.4 * np.exp(-rate * year)
    rows = [row for row in read_target_rows("type_1_rows") if row.level == 0.5]
    found = c_peptide_after_diagnosis(rows, people_of(table), np.ones(len(table)))
    for row, value in zip(rows, found, strict=True):
        if row.among["from"] == 12:
            expected = MEAL_PER_FASTING * 0.4 * math.exp(-rate * row.among["months"] / 12)
            assert value == pytest.approx(expected, rel=1e-9)
        else:
            assert np.isnan(value)


def lives_that_go_on(rate: float, monkeypatch: pytest.MonkeyPatch) -> ModelPeople:
    monkeypatch.setattr(deaths_of_people, "yearly_death_rates", lambda people: np.full(len(people.library), rate))
    rng = np.random.default_rng(1)
    count, visits = 300, 18
    begins = rng.uniform(45, 75, count)
    step = np.tile(np.arange(visits), count)
    table = pd.DataFrame({"person": np.repeat(np.arange(count), visits), "age": np.repeat(begins, visits) + step})
    table["year"] = 2000.0 + step
    table["duration"], table["diagnosed"], table["insulin"] = step * 1.0, 1, (step >= 5) * 1
    table["female"] = np.repeat(rng.integers(0, 2, count), visits)
    return people_of(table)


def test_equal_hazards_give_their_own_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    people = lives_that_go_on(0.03, monkeypatch)
    table = people.library.table
    values = {name: table[name].to_numpy(dtype=float) for name in ("age", "female", "year")}
    values |= {"egfr": np.full(len(table), 80.0), "uacr": np.full(len(table), 5.0)}
    rates, weights = deaths_of_people.yearly_death_rates(people), np.ones(len(table))
    rows = {row.group: row for row in read_target_rows("survey_deaths") if row.fitted}
    assert of_survey(rows["eGFR from 60, A1"], people, rates, values, weights) == pytest.approx(30.0)
    assert np.isnan(of_survey(rows["eGFR from 60, A3"], people, rates, values, weights))
    register = {row.record: row for row in read_target_rows("register_rows")}
    for years in (1, 5):
        share = of_register(register[f"denmark-death-50-{years}"], people, rates, weights)
        assert share == pytest.approx(1 - math.exp(-0.03 * years))
    # Everybody injects after five years, nobody before.
    assert of_register(register["denmark-insulin-50-5"], people, rates, weights) == 1.0
    assert of_register(register["denmark-insulin-50-1"], people, rates, weights) == 0.0
    assert np.isnan(of_register(register["denmark-insulin-50-5"], people, rates, weights, fewest=10_000))


def test_later_years_are_more_dangerous(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rate from the examination to the end is the mean over the years that follow, not that of the day."""
    people = lives_that_go_on(0.0, monkeypatch)
    table = people.library.table
    rates = 0.001 * (table["year"].to_numpy() - 2000.0)
    hazards, years = deaths_of_people._followed(people, rates)
    first = (table["year"] == 2000.0).to_numpy()
    np.testing.assert_allclose(hazards[first], 0.001 * np.arange(18).sum())
    np.testing.assert_allclose(years[first], 18.0)
    last = (table["year"] == 2017.0).to_numpy()
    np.testing.assert_allclose(hazards[last], 0.017)
    np.testing.assert_allclose(years[last], 1.0)


def test_sources_predict_under_conditions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deaths of the package's people: weights move them, and impossible weights give nothing."""
    whole = libraries.default()
    ill = np.flatnonzero(((whole.table["diabetes"] == 1) & (whole.table["segment"] == 0)).to_numpy())[::8]
    order = np.lexsort((whole.table["age"].to_numpy()[ill], whole.table["person"].to_numpy()[ill]))
    people = model_people._slim(whole.take(ill[order]))

    def of_conditions(conditions: Sequence[Any], lives: int = 0, new_type_1: bool = False) -> list[ModelPeople]:
        return [people] * len(conditions)

    for module in (deaths_of_people, visit_variation):
        monkeypatch.setattr(module, "model_people", of_conditions)
    deaths = DeathsOfPeople()
    usual, frail, nobody = deaths.predict(
        [Condition(), Condition(people={"xi median": 1.5}), Condition(people={"xi_h median": 3.0})]
    )
    assert np.isnan(nobody).all()
    assert np.isfinite(usual[deaths.rows.fitted]).mean() > 0.7
    assert (deaths.rows.se >= [row.se for row in deaths.targets]).all()
    moved = frail - usual
    assert np.abs(moved[np.isfinite(moved)]).max() > 0.001
    visits = VisitVariation()
    short = [i for i, row in enumerate(visits.targets) if row.among["years"] < 1]
    assert np.isfinite(visits.predict([Condition()])[0][short]).all()
    assert replace(visits.targets[0], among={}).among == {}


def test_data_are_called_by_name() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'deaths'") as error:
        real_sources(["death", "weather"])
    assert len(error.value.problems) == 2
    assert set(REAL_SOURCES) == {"NHANES", "visits", "new type 1 diabetes", "deaths", "tolerance tests"}
