"""Episodes of acute kidney injury: how often, what a drug delays, what they take, and the switches that they are."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

import betapod
from betapod.engine.schedule import Schedule
from betapod.hazards.kidney_injury import KidneyInjuries, injuries_of, lost_share
from betapod.hazards.outcome_rates import aki_rate
from betapod.hazards.risk import RiskProfile
from betapod.therapies.standard_care import therapy

COUNT = 4000
TABLE = pd.DataFrame({"person": np.arange(COUNT), "age": 65.0, "female": 0.0, "true_egfr": 45.0, "true_uacr": 800.0})
NOBODY = [()] * COUNT


def test_episodes_come_at_the_rate() -> None:
    injuries = injuries_of(TABLE, {}, NOBODY, 1, 0.0, 3 * 365.25)
    rate = float(aki_rate(RiskProfile(66.5, 0, 45, 800)))
    assert np.mean(np.isfinite(injuries.day)) == pytest.approx(1 - math.exp(-3 * rate), abs=0.008)
    assert injuries.day.min() > 0


def test_a_drug_that_prevents_some_delays_the_others() -> None:
    plain = injuries_of(TABLE, {}, NOBODY, 1, 0.0, 1000.0)
    treated = injuries_of(TABLE, {}, [(therapy("SGLT2 inhibitor"),)] * COUNT, 1, 0.0, 1000.0)
    came = np.isfinite(treated.day)
    assert np.isfinite(plain.day).sum() > came.sum() > 0
    assert (treated.day[came] > plain.day[came]).all()
    assert np.array_equal(plain.share, treated.share)


def test_the_share_has_its_median_and_is_bounded() -> None:
    share = lost_share(1, range(5000))
    assert np.median(share) == pytest.approx(0.06, rel=0.05)
    assert share.min() > 0 and share.max() <= 0.8


def test_an_episode_halves_filtration_and_takes_nephrons_for_good() -> None:
    kidney = betapod.load_model("kidney")
    episode = KidneyInjuries(np.array([30.0, np.inf]), np.array([0.1, 0.1]))
    with_it, without = episode.added_to([Schedule(), Schedule()])
    days = [29.0, 40.0, 60.0]
    tables = [
        betapod.simulate(kidney, days, schedule, outputs=["GFR_measured", "ln_nephrons"]).table
        for schedule in (with_it, without)
    ]
    assert without == Schedule()
    filtration = tables[0]["GFR_measured"] / tables[1]["GFR_measured"]
    assert filtration[29.0] == pytest.approx(1.0)
    assert 0.4 < filtration[40.0] < 0.51
    lost = tables[0]["ln_nephrons"] - tables[1]["ln_nephrons"]
    assert lost[60.0] == pytest.approx(math.log(0.9), rel=0.02)
