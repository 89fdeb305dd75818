"""Bias by design: found again in invented misses, held back where little is known, and told apart by the words of a design."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from invented_objectives import invented_rows

from betapod.base.constants import Z90
from betapod.calibration.design_bias import DesignBias, MeanMiss, bias_sentences, design_of_row, mean_miss
from betapod.evidence.records.registry import load_registry


def test_a_bias_is_found_again_in_nine_of_ten_invented_data_sets() -> None:
    rng = np.random.default_rng(5)
    count, families, tau_family, tau_row, inside, means = 24, 8, 0.3, 0.2, [], []
    rows = invented_rows(np.zeros(count), se=0.1, families=families)
    for _ in range(1500):
        # From its prior, for which the interval is made.
        truth = 0.5 * np.hypot(tau_family, tau_row) * rng.standard_normal()
        effects = tau_family * rng.standard_normal(families)
        miss = truth + np.repeat(effects, count // families) + np.hypot(0.1, tau_row) * rng.standard_normal(count)
        estimate = mean_miss(rows, miss, np.zeros(count), np.full(count, tau_family), np.full(count, tau_row))
        assert estimate is not None
        inside.append(estimate.low < truth < estimate.high)
        means.append(estimate.mean - truth)
    assert np.mean(inside) == pytest.approx(0.9, abs=0.03)
    assert abs(np.mean(means)) < 0.02


def test_rows_of_one_family_say_little_more_than_one() -> None:
    miss, none, tau = np.full(6, 1.0), np.zeros(6), np.full(6, 1.0)
    one = mean_miss(invented_rows(np.zeros(6), se=0.01, families=1), miss, none, tau, np.full(6, 0.01))
    six = mean_miss(invented_rows(np.zeros(6), se=0.01), miss, none, tau, np.full(6, 0.01))
    assert one is not None and six is not None
    assert one.families == 1 and six.families == 6 and one.mean < 0.25 < 0.55 < six.mean
    # Half of what is shared is the prior: one family leaves most of it.
    assert (one.high - one.low) / (2 * Z90) == pytest.approx((1.0 + 4.0) ** -0.5, rel=0.01)
    assert (
        mean_miss(invented_rows(np.zeros(6)).take(np.zeros(0, dtype=int)), none[:0], none[:0], none[:0], none[:0])
        is None
    )


def test_words_of_designs_tell_open_groups_from_blinded_contrasts() -> None:
    registry = load_registry()
    blinded = next(record for record in registry if record.study == "ZANG2022" and record.contrast == "between")
    opened = next(
        record for record in registry if record.study == "LIAN2022" and record.endpoint == "HbA1c" and record.weeks
    )
    assert design_of_row(blinded) == "blinded" and design_of_row(opened) == "open"
    assert design_of_row(replace(blinded, design_text="RCT", contrast="change")) == ""
    assert design_of_row(replace(opened, weeks=0.0)) == design_of_row(replace(opened, arm="somebody else")) == ""
    assert design_of_row(replace(opened, endpoint="adverse_event:fever")) == ""


def test_sentences_name_the_classes_that_lie_apart() -> None:
    near, far = MeanMiss(3, 2, 0.1, -0.2, 0.4), MeanMiss(9, 5, 0.6, 0.2, 1.0)
    assert "cannot be told" in bias_sentences([])[0]
    assert "In no class" in bias_sentences([DesignBias("ratio", "log", near, None)])[0]
    (text,) = bias_sentences([DesignBias("ratio", "log", near, None), DesignBias("level % HbA1c", "linear", far, near)])
    assert (
        text.startswith("12 rows") and "level % HbA1c (better than predicted, 9 rows)" in text and "ratio" not in text
    )
    assert "No prediction subtracts it." in text
