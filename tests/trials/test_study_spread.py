"""What trials like one differ by: the kind of published numbers that an endpoint is like, and the part of an interval that the fit gives."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_trials as small
from made_up_fit import write_made_up_fit

from betapod.physiology import installed_fits
from betapod.physiology.installed_fits import load_fit
from betapod.physiology.study_differences import study_differences
from betapod.trials.conduct import conduct
from betapod.trials.conduct.patient_pool import pools_under_draws
from betapod.trials.operating.result_tables import assess
from betapod.trials.operating.run_summary import run_summary
from betapod.trials.operating.study_spread import endpoint_differences, kind_of_endpoint, sd_of_studies
from betapod.trials.protocol.endpoint_keys import Endpoint


@pytest.mark.parametrize(
    ("keys", "controlled", "kind"),
    [
        ({"quantity": "eGFR"}, True, "level mL/min/1.73m2"),
        ({"quantity": "eGFR", "summary": "slope"}, True, "slope mL/min/1.73m2/year"),
        ({"quantity": "insulin dose"}, True, "level IU/day"),
        ({"quantity": "HbA1c"}, False, "level % HbA1c"),
        ({"quantity": "UACR", "summary": "change"}, True, "ratio"),
        ({"quantity": "UACR", "summary": "responders", "percent": -30}, True, ""),
        ({"quantity": "UACR", "summary": "responders", "percent": -30}, False, "share"),
        ({"quantity": "kidney_failure", "summary": "time to event"}, True, "event ratio"),
        ({"quantity": "quality of life", "summary": "total"}, True, ""),
    ],
)
def test_an_endpoint_is_like_published_numbers_of_its_kind(keys: dict[str, Any], controlled: bool, kind: str) -> None:
    assert kind_of_endpoint(Endpoint(**keys), controlled) == kind


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(installed_fits, "FITS", tmp_path)
    write_made_up_fit(tmp_path / "2099.1")
    return "2099.1"


def test_the_newest_fit_says_what_studies_differ_by(made_up: str) -> None:
    protocol = small.protocol()
    found = endpoint_differences(protocol, protocol.endpoints.primary, True)
    # What the made-up fit gives ratios.
    assert found is not None and (found.family, found.row) == (0.15, 0.08)
    assert found == study_differences(load_fit(made_up), "ratio")
    none = protocol.model_copy(update={"fit": "none"})
    assert endpoint_differences(none, protocol.endpoints.primary, True) is None
    assert endpoint_differences(protocol, Endpoint(quantity="insulin dose"), True) is None
    share = study_differences(load_fit(made_up), "share")
    assert sd_of_studies(share, 0.5) == pytest.approx(math.hypot(0.16, 0.10) / 2.0)
    assert math.isnan(sd_of_studies(None, 0.5))


def test_results_hold_the_three_parts_apart(made_up: str) -> None:
    protocol = small.protocol(replicates=40)
    both = [small.pool(protocol, people=400, effect=effect) for effect in (0.45, 0.55)]
    pools = pools_under_draws(
        [replace(pool, facts=dict.fromkeys(("integrations", "lost", "failed", "seconds"), 0)) for pool in both]
    )
    run = conduct.conduct_trial(protocol, pool=pools)
    document = run_summary(protocol, run, {})
    assert document["interval"] == {
        "sets": 2, "parameters_of": "", "studies_of": made_up, "kind": "ratio",
        "numbers": study_differences(load_fit(made_up), "ratio").rows,
    }  # fmt: skip
    (row,) = [row for row in document["comparisons"] if row["scenario"] == "seed-claims"]
    assert row["sd_studies"] == pytest.approx(0.17) and row["sd_chance"] > 0.0 and row["parameter_sets"] == 2
    assert row["low_of_all"] < row["low"] and row["high"] < row["high_of_all"]
    table = assess(run).results
    shown = table[
        (table["role"] == "primary") & (table["design"] == "randomised") & (table["scenario"] == "seed-claims")
    ]
    assert np.allclose(shown["sd_studies"], 0.17) and {"sd_chance", "sd_parameters", "low_of_all"} <= set(table)


def test_without_a_fit_there_is_chance_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed_fits, "FITS", tmp_path)
    protocol = small.protocol(replicates=10)
    document = run_summary(protocol, conduct.conduct_trial(protocol, pool=small.pool(protocol, people=300)), {})
    row = document["comparisons"][0]
    assert row["sd_chance"] > 0.0 and row["sd_parameters"] is None and row["sd_studies"] is None
    assert "parameter_sets" not in row and document["interval"]["studies_of"] == ""
