"""Complications and the return to health as endpoints of trials."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import small_trials as small

from betapod.base.errors import ConfigError
from betapod.report.trial.estimates import Scale
from betapod.trials import run_folder
from betapod.trials.analysis.controlled import analyse
from betapod.trials.analysis.endpoints import Comparison, better, outcome, times
from betapod.trials.conduct import conduct
from betapod.trials.conduct.health_events import asked_health, dated_health, healthy_days
from betapod.trials.conduct.patient_pool import Pool
from betapod.trials.operating.result_tables import assess
from betapod.trials.operating.sizing import title
from betapod.trials.protocol.endpoint_keys import Endpoint, trial_outcome
from betapod.trials.protocol.health_outcomes import HEALTHY_AGAIN, QUALITY_OF_LIFE
from betapod.trials.protocol.protocol_files import parse_protocol

PRIMARY = "primary: {quantity: UACR, summary: ratio, at: month 6}"
ASKED = """primary: {quantity: neuropathy, summary: time to event}
  secondary:
    - {quantity: foot ulcer, summary: time to event, also: [amputation]}
    - {quantity: hyperkalaemia, summary: time to event}
    - {quantity: healthy again, summary: responders}
    - {quantity: quality of life, summary: total}"""


def asked(**keys: Any) -> Endpoint:
    return Endpoint.model_validate({"summary": "time to event", **keys})


@pytest.fixture(scope="module")
def protocol() -> Any:
    return parse_protocol(small.TEXT.replace(PRIMARY, ASKED))


@pytest.fixture(scope="module")
def run(protocol: Any) -> Any:
    return conduct.conduct_trial(protocol, pool=small.pool(protocol), replicates=40, threads=2)


def test_only_what_is_asked_for_is_drawn(run: Any, protocol: Any) -> None:
    assert asked_health(protocol) == (
        "neuropathy",
        "foot_ulcer",
        "amputation",
        "hyperkalaemia",
        HEALTHY_AGAIN,
        QUALITY_OF_LIFE,
    )
    days = run["randomised", "none"].outcome_days
    assert set(dated_health(protocol)) < set(days) and "retinopathy" not in days
    plain = parse_protocol(small.TEXT)
    assert asked_health(plain) == ()
    without = conduct.conduct_trial(plain, pool=small.pool(plain), replicates=40, threads=2)["randomised", "none"]
    # Nothing else changes by asking.
    for name, day in without.outcome_days.items():
        assert np.array_equal(day, days[name], equal_nan=True), name


def test_complications_come_while_patients_are_in_the_trial(run: Any) -> None:
    data = run["randomised", "none"]
    day = data.outcome_day("neuropathy")
    some = np.isfinite(day)
    gone = np.where(np.isnan(data.disposition_day), np.inf, data.disposition_day)
    # Two in a hundred a year in the reference person, and not in those who have it already.
    assert 0.006 < some.mean() < 0.04 and np.all(day[some] <= gone[some]) and np.all(day[some] > 0)
    time, event = times(data, asked(quantity="neuropathy"))
    assert np.array_equal(event, day <= 365) and np.array_equal(time[event], np.ceil(day[event]))


def test_arms_and_scenarios_share_their_numbers(run: Any) -> None:
    # Under `none` cells change nothing, so that a patient has the same ulcer in either design and arm.
    one, other = run["single arm", "none"], run["single arm", "seed-claims"]
    same = one.outcome_day("foot_ulcer"), other.outcome_day("foot_ulcer")
    assert np.isfinite(same[0]).any() and np.mean(np.isfinite(same[0]) == np.isfinite(same[1])) > 0.99


def test_a_return_to_health_needs_no_drugs_and_three_months(run: Any, protocol: Any) -> None:
    pool = small.pool(protocol)
    codes = pool.codes
    values = {name: table.copy() for name, table in pool.values.items()}
    after = pool.times > 0
    for code, value in (("UACR", 10.0), ("HBA1C", 5.5), ("INSDOSE", 0.0), ("EGFR", 90.0)):
        values["cells"][:, after, codes.index(code)] = value
    days = healthy_days(replace(pool, values=values), "cells")
    start = {code: values["cells"][:, pool.times == 0, codes.index(code)][:, 0] for code in ("UACR", "HBA1C", "EGFR")}
    ill = (start["UACR"] >= 30) | (start["HBA1C"] >= 6.5) | (start["EGFR"] < 60)
    returns = ill & (np.arange(len(pool)) % 2 == 0)
    assert np.array_equal(np.isfinite(days), returns) and ill.mean() > 0.8
    assert np.all(np.isinf(healthy_days(replace(pool, values=values), "natural")))
    healed = conduct.conduct_trial(protocol, pool=replace(pool, values=values), replicates=8, threads=1)
    data, item = healed["single arm", "seed-claims"], protocol.endpoints.secondary[2]
    response = outcome(data, item)
    seen = np.isfinite(response)
    back = returns[data.member]
    assert np.array_equal(response[seen] > 0, back[seen]) and seen.mean() > 0.7
    left = data.disposition_day < 173
    assert np.all(np.isnan(response[left & ~back]))
    share = analyse(data, item, Comparison("cells", None))
    assert np.allclose(share.effect, np.nanmean(response, axis=1))
    assert (
        better(item) == 1
        and better(asked(quantity="healthy again")) == 1
        and better(asked(quantity="amputation")) == -1
    )
    _, event = times(data, asked(quantity="healthy again", intercurrent={"drop_out": "composite"}))
    assert np.all(event[back & ~np.isfinite(data.disposition_day)])


def test_quality_of_life_adds_up_and_ends_with_death(run: Any, protocol: Any) -> None:
    data, item = run["randomised", "none"], protocol.endpoints.secondary[3]
    assert data.qalys is not None and data.qalys.shape == data.day.shape
    assert np.all(data.qalys[:, :, data.days <= 0] == 0.0)
    # What several complications take adds up, to somewhat less than nothing in the illest.
    gained = np.diff(data.qalys, axis=2)
    assert np.all(gained >= -0.02) and np.mean(gained < 0.0) < 1e-3
    total = outcome(data, item)
    # A year of people with diabetes of about 60 is worth 0.6 to 0.85, less of those who die.
    died, stayed = data.disposition == 2, data.disposition == 0
    assert 0.6 < total[stayed].mean() < 0.85 and np.all(total[stayed] < 1.0)
    early = died & (data.disposition_day < 150)
    assert early.any() and np.all(total[early] < data.disposition_day[early] / 365.25)
    assert np.all(np.isnan(total[(data.disposition == 1) & (data.disposition_day < 365)]))
    found = analyse(data, item, Comparison("cells", "control"))
    assert np.abs(np.nanmean(found.effect)) < 0.02 and better(item) == 1 and item.better == "higher"
    assert title(item, protocol) == "quality-adjusted life-years by month 12"
    with pytest.raises(ConfigError, match="not counted"):
        outcome(replace(data, qalys=None), item)


def test_tables_and_report_words_know_a_total(protocol: Any) -> None:
    first = ASKED.replace("neuropathy, summary: time to event", "quality of life, summary: total")
    first = first.replace(
        "    - {quantity: quality of life, summary: total}", "    - {quantity: neuropathy, summary: time to event}"
    )
    other = parse_protocol(small.TEXT.replace(PRIMARY, first))
    run = conduct.conduct_trial(other, pool=small.pool(other), replicates=20, threads=1)
    assert run.summary["endpoint"]["scale"] == "linear" and run.summary["endpoint"]["quantity"] == QUALITY_OF_LIFE
    assessment = assess(run)
    assert set(assessment.power["quantity"]) >= {QUALITY_OF_LIFE}
    scale = Scale("total", QUALITY_OF_LIFE)
    assert scale.text(0.0123) == "+0.012\u00a0QALY" and scale.what == "quality-adjusted life-years"


def test_a_run_folder_keeps_them(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_folder, "pool_of", lambda trial, *_, **__: small.pool(trial, people=300))
    path = tmp_path / "small.yaml"
    path.write_text(small.TEXT.replace(PRIMARY, ASKED))
    made = run_folder.run_into(tmp_path / "a", run_folder.trial_plan(path, replicates=4), threads=1)
    again = run_folder.open_trial_run(tmp_path / "a")
    for key, data in made.items():
        assert np.array_equal(data.qalys, again[key].qalys, equal_nan=True)
        for name in dated_health(data.protocol):
            assert np.array_equal(data.outcome_day(name), again[key].outcome_day(name), equal_nan=True), name
    told = {line.split(",")[0] for line in (tmp_path / "a" / "dictionary.csv").read_text().splitlines()}
    assert {"QALY", "day_foot_ulcer", "day_healthy_again"} <= told and "day_retinopathy" not in told
    data = made["randomised", "none"]
    assert data.select([1, 3]).qalys.shape[0] == 2 and data.at("month 6").qalys.shape[2] == 1


def test_names(protocol: Any) -> None:
    assert trial_outcome("Foot ulcer") == "foot_ulcer" and trial_outcome("healthy-again") == HEALTHY_AGAIN
    assert trial_outcome("dialysis death") is None and trial_outcome("UACR") is None
    assert title(protocol.endpoints.secondary[2], protocol) == "return to health by month 12"
    assert "ulcer" in title(protocol.endpoints.secondary[0], protocol)


def test_pools_keep_what_complications_read(protocol: Any) -> None:
    pool = small.pool(protocol, people=5)
    again = Pool.from_bytes(pool.to_bytes())
    assert again.to_bytes() == pool.to_bytes() and set(again.traits) == set(pool.traits)
    assert np.array_equal(again.intake["cells"]["biguanide"], pool.intake["cells"]["biguanide"])
    short = {name: {"biguanide": shares["biguanide"][:, :-1]} for name, shares in pool.intake.items()}
    with pytest.raises(ValueError, match="do not fit"):
        Pool.from_bytes(replace(pool, intake=short).to_bytes())


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("primary: {quantity: foot ulser, summary: time to event}", "foot_ulcer"),
        ("primary: {quantity: amputation}", "amputation is an event, not a change"),
        ("primary: {quantity: amputation, summary: responders}", "amputation is an event, not a response"),
        ("primary: {quantity: healthy again}", "healthy_again has no change"),
        ("primary: {quantity: quality of life, summary: responders}", "quality_of_life has no responders"),
        ("primary: {quantity: UACR, summary: total}", "UACR has no total"),
        ("primary: {quantity: amputation, summary: total}", "amputation is an event, not a total"),
        (
            "primary: {quantity: quality of life, summary: total, analysis: ANCOVA}",
            "ANCOVA is not an analysis of a total",
        ),
        ("primary: {quantity: healthy again, summary: time to event, better: lower}", "less of healthy_again is no"),
        ("primary: {quantity: death, summary: time to event, also: [healthy again]}", "is an improvement, and no part"),
        ("primary: {quantity: healthy again, summary: responders, also: [death]}", "is an improvement, and no part"),
    ],
)
def test_what_cannot_be_is_refused(endpoint: str, words: str) -> None:
    with pytest.raises(ConfigError, match="(?s)" + words):
        parse_protocol(small.TEXT.replace(PRIMARY, endpoint))
