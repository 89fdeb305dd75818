"""Rates of outcomes: published hazard ratios, causes that add up, and directions."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.hazards.outcome_rates import (
    CAUSES,
    OUTCOMES,
    cause_rates,
    causes_of,
    cv_death_share,
    death_rate,
    outcome_of,
)
from betapod.hazards.outcome_rates import severe_hypoglycaemia_rate as severe_rate
from betapod.hazards.risk import RiskProfile, cvd_chance, egfr_factor, era_factor, hazard_parameters, uacr_factor


@pytest.mark.parametrize(("egfr", "factor"), [(95, 1.0), (60, 1.16), (45, 1.50), (15, 2.9)])
def test_filtration_raises_the_rate_of_death_as_published(egfr: float, factor: float) -> None:
    assert float(egfr_factor(egfr)) == pytest.approx(factor, rel=0.02)


@pytest.mark.parametrize(("uacr", "factor"), [(5, 1.0), (10, 1.27), (30, 1.65), (300, 2.2), (1000, 2.35)])
def test_albuminuria_raises_the_rate_of_death_as_published(uacr: float, factor: float) -> None:
    assert float(uacr_factor(uacr)) == pytest.approx(factor, rel=0.01)
    assert float(uacr_factor(0.0)) == float(uacr_factor(3.0)) < 1.0


@pytest.mark.parametrize(
    ("hba1c", "dose", "c_peptide", "rate"),
    [(7.2, 40, 0, 0.612), (9.1, 40, 0, 0.187), (7.2, 40, 0.2, 0.217), (6.5, 0, 0, 0.0)],
)
def test_severe_hypoglycaemia_comes_as_in_the_dcct(hba1c: float, dose: float, c_peptide: float, rate: float) -> None:
    person = RiskProfile(40, 0, 100, 5, type_1=1.0, hba1c=hba1c, insulin_dose=dose, c_peptide=c_peptide)
    assert float(severe_rate(person)) == pytest.approx(rate, abs=5e-4)


def test_type_2_diabetes_has_a_tenth_of_it() -> None:
    people = RiskProfile(60, 0, 90, 5, type_1=np.array([0.0, 1.0]), insulin_dose=40.0)
    second, first = severe_rate(people)
    assert second == pytest.approx(0.1 * first)


def test_both_deaths_make_death_and_causes_make_outcomes() -> None:
    people = RiskProfile(np.array([55.0, 70.0]), np.array([1.0, 0.0]), np.array([90.0, 30.0]), 300.0, cvd=0.5, hf=0.2)
    rates = cause_rates(people)
    total = death_rate(people.age, people.female, people.egfr, people.uacr, people.cvd, people.hf)
    assert rates["cv_death"] + rates["other_death"] == pytest.approx(total)
    assert set(causes_of(OUTCOMES)) == set(CAUSES) == set(rates)
    assert OUTCOMES["mace"] == ("cv_death", "mi", "stroke")


def test_directions() -> None:
    usual = float(death_rate(65, 0, 90, 10))
    for worse in ((75, 0, 90, 10), (65, 0, 40, 10), (65, 0, 90, 300)):
        assert float(death_rate(*worse)) > usual
    assert float(death_rate(65, 1, 90, 10)) < usual
    assert float(death_rate(65, 0, 90, 10, cvd=1.0)) > usual
    assert float(death_rate(65, 0, 90, 10, hf=1.0)) > usual
    assert float(death_rate(65, 0, 90, 10, diabetes=0.0)) == pytest.approx(usual / 1.8, rel=0.01)
    assert float(death_rate(65, 0, 90, 10, year=1990)) > usual > float(death_rate(65, 0, 90, 10, year=2020))
    assert float(era_factor(2003.0) / era_factor(2013.0)) > 1.0
    assert float(era_factor(0.0)) == 1.0
    assert float(cv_death_share(30, 1000, 1.0)) > float(cv_death_share(90, 5, 0.0))
    assert float(cvd_chance(75, 0)) > float(cvd_chance(65, 0)) > float(cvd_chance(65, 1))


def test_a_drug_scales_its_causes_alone() -> None:
    people = RiskProfile(65, 0, 60, 100)
    plain, treated = cause_rates(people), cause_rates(people, {"hf_hospitalisation": 0.7})
    assert treated["hf_hospitalisation"] == pytest.approx(0.7 * plain["hf_hospitalisation"])
    assert all(treated[name] == plain[name] for name in CAUSES if name != "hf_hospitalisation")


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("death", "death"),
        ("All-cause death", "death"),
        ("HHF", "hf_hospitalisation"),
        ("CV death", "cv_death"),
        ("eGFR", None),
    ],
)
def test_outcomes_have_other_spellings(name: str, outcome: str | None) -> None:
    assert outcome_of(name) == outcome


def test_every_number_has_unit_role_and_grade() -> None:
    for row in hazard_parameters().values():
        assert row.unit and row.role and row.grade and row.label and row.plausible, row.id
        assert row.role not in ("assumed", "memory") or (row.grade == "D" and not row.source), row.id
        assert row.role != "derived" or row.note or row.source, row.id
