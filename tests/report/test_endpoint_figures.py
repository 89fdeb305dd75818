"""Figures of endpoints: what they draw is what the typical trial has, and where a benefit tips over."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import small_trials as small

from betapod.report.trial.endpoint_figures import (
    draw_event_free,
    draw_hierarchy,
    draw_operating,
    draw_tipping,
    tipping_shift,
)
from betapod.trials.analysis.reference_imputation import reference_based
from betapod.trials.conduct import conduct
from betapod.trials.operating.result_tables import Assessment, assess
from betapod.trials.protocol.protocol_files import parse_protocol

PRIMARY = "primary: {quantity: UACR, summary: ratio, at: month 6}"
TEXT = small.TEXT.replace("  single arm: {arms: {cells: 1}, baseline: screening}\n", "").replace("patients: 40", "patients: 120")  # fmt: skip


def assessed(primary: str, sick: bool = False) -> Assessment:
    protocol = parse_protocol(TEXT.replace(PRIMARY, f"primary: {primary}").replace("replicates: 60", "replicates: 12"))
    pool = small.sick_pool(protocol) if sick else small.pool(protocol, people=400)
    return assess(conduct.conduct_trial(protocol, pool=pool, threads=1))


@pytest.fixture(scope="module")
def ratio() -> Assessment:
    return assessed("{quantity: UACR, summary: ratio}")


def test_the_effect_tips_over_where_its_interval_reaches_nothing(ratio: Assessment) -> None:
    rows = ratio.tipping[ratio.tipping["scenario"] == "seed-claims"].sort_values("shift", key=abs)
    assert len(rows) == 9 and rows["shown"].iloc[0] == 1 and rows["left"].iloc[0] > 3
    # Albuminuria that is worse is higher, and the effect rises with the shift by the share of those who left.
    assert (rows["shift"] >= 0).all() and (np.diff(rows["effect_shifted"]) > 0).all()
    slope = np.diff(rows["effect_shifted"]) / np.diff(rows["shift"])
    np.testing.assert_allclose(slope, slope[0], rtol=1e-6)
    tip = tipping_shift(rows)
    before, after = (rows[rows["shift"] <= tip], rows[rows["shift"] > tip])
    assert (before["effect_high"] < 0).all() and (after["effect_high"] > 0).all()
    drawn = draw_tipping(ratio, "randomised", "seed-claims")
    assert drawn is not None and "tips over at" in drawn.caption
    assert ratio.tipping[ratio.tipping["scenario"] == "none"].empty


def test_a_shift_of_those_who_left_moves_the_effect_alone() -> None:
    random, treated = np.random.default_rng(2), np.arange(120) % 2.0
    course = random.normal(size=(120, 1)) + random.normal(0, 0.5, (120, 2)) + treated[:, None]
    base = random.normal(size=120)
    course[random.random(120) < 0.25, 1] = np.nan
    plain, worse = (reference_based(course, base, treated, "missing at random", shift=shift) for shift in (0.0, -1.0))
    share = np.isnan(course[treated > 0, 1]).mean()
    assert float((worse.effect - plain.effect)[0]) == pytest.approx(-share, abs=0.05)


def test_operating_characteristics_are_drawn_for_every_scenario(ratio: Assessment) -> None:
    drawn = draw_operating(ratio, "randomised", ["none", "seed-claims"], True)
    assert drawn is not None and "power" in drawn.alt and "coverage" in drawn.alt and "false positives" in drawn.alt


def test_times_and_hierarchies_are_those_of_the_typical_trial() -> None:
    timed = assessed("{quantity: HHF, summary: time to event}", sick=True)
    table = timed.survival
    start = table[table["day"] == 0].groupby("scenario")["at_risk"].sum()
    assert (start == 120).all() and table["free_share"].between(0, 1).all()
    assert draw_event_free(timed, "randomised", "seed-claims") is not None and draw_hierarchy(timed, "randomised", "none") is None  # fmt: skip
    ranked = assessed("{quantity: eGFR, summary: hierarchy}")
    counts = ranked.hierarchy.groupby("scenario").size()
    assert (counts <= 120).all() and (counts > 80).all()
    assert draw_hierarchy(ranked, "randomised", "seed-claims") is not None
    assert ranked.survival.empty and ranked.tipping.empty


def test_what_always_shows_the_effect_has_no_tipping_point() -> None:
    rows = pd.DataFrame({"shift": [0.0, 1.0], "shown": [1.0, 1.0], "effect_low": [1.0, 0.5], "effect_high": [3.0, 2.0]})
    assert np.isnan(tipping_shift(rows))
