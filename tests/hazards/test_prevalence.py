"""Complications at the start: shares that were counted, states in their order, errors with their place."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.hazards.complications.complication import all_states, complications
from betapod.hazards.complications.prevalence import (
    carried_states,
    prevalence_parameters,
    prevalent_states,
    read_prevalence,
)
from betapod.hazards.risk import RiskProfile

NUMBERS = np.arange(20000)


def test_every_row_is_read_and_every_state_is_known() -> None:
    assert {row for state in carried_states() for row in state.rows()} == set(prevalence_parameters())
    assert {state.name for state in carried_states()} <= set(all_states(complications().values()))


def test_shares_of_people_with_diabetes() -> None:
    rng = np.random.default_rng(1)
    duration = np.maximum(rng.exponential(8.0, NUMBERS.size), 0.0)
    profile = RiskProfile(
        age=61.0, female=0.5, egfr=80.0, uacr=np.exp(rng.normal(2.7, 1.5, NUMBERS.size)), duration=duration
    )
    shares = {name: float(share.mean()) for name, share in prevalent_states(profile, NUMBERS).items()}
    assert 0.2 < shares["retinopathy"] < 0.34
    assert 0.02 < shares["macular_oedema"] < 0.06
    assert 0.2 < shares["neuropathy"] < 0.32
    assert 0.055 < shares["peripheral_artery_disease"] < 0.134
    assert 0.031 < shares["past_ulcer"] < 0.118
    assert 0.008 < shares["amputation"] < 0.03


def test_longer_and_worse_diabetes_has_more() -> None:
    mild = prevalent_states(RiskProfile(age=55, female=0, egfr=90, uacr=8, hba1c=6.5, duration=1), NUMBERS)
    worse = prevalent_states(RiskProfile(age=55, female=0, egfr=60, uacr=500, hba1c=10, duration=25), NUMBERS)
    assert all(worse[name].mean() > mild[name].mean() for name in ("retinopathy", "severe_retinopathy", "past_ulcer"))
    assert (worse["retinopathy"] >= mild["retinopathy"]).all()


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("a: {}", ["missing-key"]),
        (
            "a:\n  odds: had_pad\n  term: {}\n  terms: {ages: had_pad_age}\n  needs: [b]\nb:\n  odds: nothing",
            ["unknown-key", "unknown-term", "unknown-state", "unknown-parameter"],
        ),
    ],
)
def test_everything_that_is_wrong_is_said(text: str, kinds: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        read_prevalence(text, prevalence_parameters())
    assert [problem.kind for problem in caught.value.problems] == kinds
