"""Chances of outcomes in predictions: rates that are known, competing deaths, composites, time in a state, and spread between studies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from betapod.base.constants import DAYS_PER_YEAR
from betapod.evidence.records.registry import load_registry
from betapod.hazards.outcome_rates import DEATHS, death_rate
from betapod.hazards.risk import hazard_values
from betapod.validation.predictions import studies
from betapod.validation.predictions.event_counts import counts_of
from betapod.validation.predictions.study_courses import Courses
from betapod.validation.predictions.study_events import CountedEvent, event_of

YEAR = DAYS_PER_YEAR / 7.0
WEEKS = np.arange(0.0, 5.01, 0.25) * YEAR
PEOPLE = 40


def group(egfr: float = 60.0, uacr: float = 100.0, factor: float = 1.0, **columns: float) -> Courses:
    """People of 65 who stay as they are, whose rates of all causes have a factor."""
    values = {
        "eGFR": egfr,
        "UACR": uacr,
        "HbA1c": 7.2,
        "insulin_dose": 0.0,
        "stimulated_C_peptide": 0.5,
        "creatinine": 90.0,
    }
    shape = (PEOPLE, len(WEEKS))
    risks = {"age": 65.0, "female": 0.0, "cvd": 0.0, "hf": 0.0, "diabetes": 1.0, "type_1": 1.0, "year": 0.0}
    risks |= {f"x {cause}": factor for cause in DEATHS}
    return Courses(
        WEEKS,
        {name: np.full(shape, value) for name, value in {**values, **columns}.items()},
        np.arange(PEOPLE),
        np.full(PEOPLE, np.inf),
        {name: np.full(shape, value) for name, value in risks.items()},
    )


def counted(
    event: CountedEvent, people: Courses, last: float = 4 * YEAR, study: float = 1.0
) -> tuple[float, float, float]:
    risk, events, years, _ = counts_of(people, event, last, [1], study).sums()
    return float(risk), float(events), float(years)


RATE = float(death_rate(65, 0, 60, 100))


def test_deaths_are_those_of_the_rate() -> None:
    risk, events, years = counted(CountedEvent("death", confirmed=False), group())
    assert risk == PEOPLE
    assert events / risk == pytest.approx(1.0 - np.exp(-4 * RATE), rel=1e-3)
    assert events / years == pytest.approx(RATE, rel=1e-3)


def test_a_drug_and_a_study_scale_rates() -> None:
    event = CountedEvent("death", confirmed=False)
    _, plain, years = counted(event, group())
    _, treated, more = counted(event, group(factor=0.5))
    assert treated / more == pytest.approx(0.5 * plain / years, rel=1e-3)
    assert counted(event, group(), study=0.5)[1] == pytest.approx(treated, rel=1e-6)


def test_death_competes_with_an_event_of_a_visit() -> None:
    people = group()
    people.values["eGFR"][:, WEEKS >= 2 * YEAR] = 20.0
    event = CountedEvent("eGFR < 30", every=26.0, confirmed=False)
    risk, events, _ = counted(event, people)
    assert 0.9 < events / risk < 1.0
    nobody_dies = replace(people, risks={})
    assert counted(event, nobody_dies)[1] == pytest.approx(risk)
    composite = replace(event, event="eGFR < 30 or death")
    assert counted(composite, people)[1] == pytest.approx(risk)


def test_a_composite_has_events_of_both_kinds() -> None:
    people = group()
    people.values["eGFR"][: PEOPLE // 2, WEEKS >= 2 * YEAR] = 20.0
    both = counted(CountedEvent("eGFR < 30 or cv_death", confirmed=False), people)[1]
    kidney = counted(CountedEvent("eGFR < 30", confirmed=False), people)[1]
    assert kidney < both < PEOPLE


def test_prevalence_is_counted_among_the_living() -> None:
    event = CountedEvent("eGFR > 30", every=520.0, confirmed=False)
    risk, events, _ = counted(event, group())
    assert events == pytest.approx(risk) and risk == pytest.approx(PEOPLE * np.exp(-4 * RATE), rel=1e-3)


@pytest.mark.usefixtures("precise")
def test_only_time_in_a_state_is_watched() -> None:
    people = group()
    people.values["UACR"][:, WEEKS >= 2 * YEAR] = 500.0
    event = CountedEvent("death", confirmed=False, within="UACR < 300")
    _, events, years = counted(event, people)
    assert years / PEOPLE == pytest.approx((1 - np.exp(-2 * RATE)) / RATE, rel=0.02)
    assert events / years == pytest.approx(RATE, rel=0.02)
    never = counted(replace(event, within="UACR > 1000"), people)
    assert never[1] == never[2] == 0.0


def test_free_of_severe_hypoglycaemia_is_a_chance() -> None:
    event = CountedEvent("HbA1c < 20", every=520.0, confirmed=False, free_of="severe_hypoglycaemia")
    assert counted(event, group())[1] == pytest.approx(counted(event, group())[0])
    treated = group(insulin_dose=40.0, stimulated_C_peptide=0.0)
    risk, events, _ = counted(event, treated)
    assert events / risk == pytest.approx(np.exp(-4 * 0.612), rel=1e-3)


def test_earlier_years_have_higher_rates() -> None:
    event = CountedEvent("death", confirmed=False)
    old = counted(replace(event, year=1985.0), group())
    new = counted(event, group())
    assert old[1] / old[2] == pytest.approx(new[1] / new[2] * np.exp(hazard_values()["era_decline"] * 26), rel=0.02)


def test_rows_with_deaths_can_be_simulated() -> None:
    can, cannot = studies.sort(load_registry())
    endpoints = {
        record.endpoint_text for record in can if (event := event_of(record)) and (event.outcomes or event.free)
    }
    assert {"death_HR", "CV_death_HR", "HHF_HR", "MACE_HR", "composite_CV_HR", "AKI_HR"} <= endpoints
    assert not [why for _, why in cannot if "are not simulated" in why]
