"""Laws of clearance: creatinine is muscle over filtration as measured; meat, few nephrons and acute injury show in it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from betapod.engine.schedule import Schedule, Switch
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.physiology import whole_body

YEAR = 365.25
MODEL = whole_body.named_model("kidney")


def run(times, schedule=None, **values) -> pd.DataFrame:
    return simulate(MODEL.with_values(values), times, schedule).table


@pytest.mark.parametrize("change", [{}, {"u_nx": 0.5}, {"N_in": 60.0}, {"e_ARB": 0.6}])
def test_creatinine_mirrors_filtration(change):
    row = run([0, 3 * YEAR], **change).iloc[-1]
    assert row["S_cr"] * row["GFR"] == pytest.approx(0.85 * 105 * np.exp(-0.0066 * 3), rel=5e-4)


def test_few_nephrons_from_birth_show_as_high_creatinine():
    rows = run([0, YEAR], GFR0=80.0, creatinine_fall=0.0, h_N0=0.0, h_vessel=0.0)
    assert rows["S_cr"].iloc[0] == pytest.approx(0.85 * 105 / 80, rel=1e-12)
    assert rows["S_cr"].iloc[-1] == pytest.approx(0.85 * 105 / 80, rel=1e-3)
    assert rows["eGFR"].iloc[0] == pytest.approx(80, rel=0.05)


def test_meat_raises_creatinine_and_soy_does_not():
    meat, soy, reference = (
        run([0, 90], **diet)["creatinine_generation"].iloc[-1]
        for diet in ({"protein_animal": 1.15}, {"protein_vegetable": 0.85}, {})
    )
    assert meat / reference == pytest.approx(1.10, rel=1e-12)
    assert soy == reference


def test_acute_injury_moves_measured_filtration_alone():
    held = Schedule(switches=(Switch("aki_m", 0.5, 10), Switch("aki_m", 1.0, 24)))
    rows, calm = (run([0, 10, 23.9, 60], schedule) for schedule in (held, None))
    assert rows["GFR_measured"].loc[23.9] == pytest.approx(0.5 * rows["GFR"].loc[23.9], rel=1e-12)
    assert rows["S_cr"].loc[23.9] > 1.8 * rows["S_cr"].loc[10]
    pd.testing.assert_series_equal(rows["GFR"], calm["GFR"], rtol=1e-9)
    assert rows["S_cr"].loc[60] == pytest.approx(calm["S_cr"].loc[60], rel=1e-6)


def test_an_episode_of_acute_injury_can_cost_nephrons_for_good():
    lost = Schedule(switches=(Switch("aki_loss", -np.log(0.94) / 14, 10), Switch("aki_loss", 0.0, 24)))
    rows, calm = (run([0, 10, 24, 400], schedule) for schedule in (lost, None))
    assert rows["nephrons"].loc[10] == pytest.approx(calm["nephrons"].loc[10], rel=1e-9)
    assert rows["nephrons"].loc[24] / calm["nephrons"].loc[24] == pytest.approx(0.94, rel=1e-6)
    assert rows["nephrons"].loc[400] / calm["nephrons"].loc[400] == pytest.approx(0.94, rel=1e-3)
    # Those left take over a part.
    assert 0.94 < rows["GFR"].loc[400] / calm["GFR"].loc[400] < 0.98
