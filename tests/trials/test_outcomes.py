"""Endpoints that are outcomes: death and others by name, composites, competing deaths, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import small_trials as small

from betapod.base.errors import ConfigError
from betapod.hazards.outcome_rates import DEATHS
from betapod.trials.analysis import survival
from betapod.trials.analysis.controlled import analyse
from betapod.trials.analysis.endpoints import Comparison, better, death_times, endpoint_code, times
from betapod.trials.conduct import conduct
from betapod.trials.operating.result_tables import assess
from betapod.trials.operating.sizing import title
from betapod.trials.protocol.endpoint_keys import Endpoint
from betapod.trials.protocol.protocol_files import parse_protocol

DEATH = "primary: {quantity: death, summary: time to event}"
PRIMARY = "primary: {quantity: UACR, summary: ratio, at: month 6}"


def asked(**keys: Any) -> Endpoint:
    return Endpoint.model_validate({"summary": "time to event", **keys})


@pytest.fixture(scope="module")
def run() -> Any:
    protocol = parse_protocol(small.TEXT.replace(PRIMARY, DEATH))
    return conduct.conduct_trial(protocol, pool=small.pool(protocol), replicates=40, threads=2)


@pytest.fixture(scope="module")
def data(run: Any) -> Any:
    return run["randomised", "none"]


def test_death_is_dated_by_day_and_the_living_are_watched_until_they_leave(data: Any) -> None:
    time, event = times(data, asked(quantity="death"))
    died = np.isfinite(data.outcome_day("death")) & (data.outcome_day("death") <= 365)
    assert np.array_equal(event, died) and died.any()
    assert np.array_equal(time[died], np.ceil(data.outcome_day("death")[died]))
    left = np.isfinite(data.disposition_day) & (data.disposition_day <= 365) & ~died
    assert np.array_equal(time[left], np.ceil(data.disposition_day[left]))
    assert (time[~died & ~left] == 365).all()


def test_a_composite_is_the_first_of_its_parts(data: Any) -> None:
    death, hf = (times(data, asked(quantity=name)) for name in ("death", "hf_hospitalisation"))
    both = times(data, asked(quantity="HHF", also=["death"]))
    assert np.array_equal(both[1], death[1] | hf[1])
    assert np.array_equal(both[0], np.minimum(death[0], hf[0]))
    kidney = times(data, asked(quantity="eGFR", percent=-20))
    wider = times(data, asked(quantity="eGFR", percent=-20, also=["cv_death"]))
    assert wider[1].sum() > kidney[1].sum() and wider[1][kidney[1]].all()


def test_mace_is_made_of_its_three_causes(data: Any) -> None:
    day = np.fmin.reduce([data.outcome_days[name] for name in ("cv_death", "mi", "stroke")])
    assert np.array_equal(data.outcome_day("mace"), day.astype(float), equal_nan=True)


def test_names_and_directions() -> None:
    assert endpoint_code(asked(quantity="all-cause death")) == "death"
    assert asked(quantity="MACE").composite == ("mace",)
    assert better(asked(quantity="death")) == -1
    assert asked(quantity="eGFR", percent=-50, also=["kidney failure", "CV death"]).composite == (
        "kidney_failure",
        "cv_death",
    )


def test_deaths_compete_unless_they_are_the_event(data: Any) -> None:
    died = np.isfinite(data.outcome_day("death"))
    assert np.array_equal(np.isfinite(death_times(data, asked(quantity="hf_hospitalisation"))), died)
    assert not np.isfinite(death_times(data, asked(quantity="death"))).any()
    other = np.isfinite(data.outcome_days["other_death"])
    assert np.array_equal(np.isfinite(death_times(data, asked(quantity="cv_death"))), other)
    rules = {"death": "composite"}
    assert not np.isfinite(death_times(data, asked(quantity="eGFR", percent=-20, intercurrent=rules))).any()


def test_the_cumulative_incidence_of_causes_adds_up_to_death(data: Any) -> None:
    group = data.enrolled.reshape(-1)
    day = {cause: data.outcome_days[cause].reshape(-1) for cause in DEATHS}
    last = np.where(np.isfinite(data.disposition_day), data.disposition_day, 379.0).reshape(-1)
    shares = [
        survival.cumulative_incidence(last, np.isfinite(day[own]), np.isfinite(day[other]), group).share[-1]
        for own, other in (DEATHS, DEATHS[::-1])
    ]
    free = survival.kaplan_meier(last, np.isfinite(day[DEATHS[0]]) | np.isfinite(day[DEATHS[1]]), group).free[-1]
    assert sum(shares) == pytest.approx(1 - free)
    assert all(share > 0 for share in shares)


def test_one_group_has_the_share_of_the_event_with_death_as_a_rival(run: Any) -> None:
    alone = run["single arm", "none"]
    estimate = analyse(alone, asked(quantity="aki"), Comparison("cells", None))
    assert np.all((estimate.low <= estimate.effect) & (estimate.effect <= estimate.high))
    assert 0 < np.nanmean(estimate.effect) < 0.1


def test_a_trial_with_death_as_its_primary_endpoint_is_assessed(run: Any) -> None:
    result = assess(run)
    row = result.results[(result.results["role"] == "primary") & (result.results["design"] == "randomised")].iloc[0]
    assert row["quantity"] == "death" and row["summary"] == "time to event"
    assert result.code == "UACR"
    assert run.summary["endpoint"]["quantity"] == "death"


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ({"quantity": "cv_death", "also": ["HHF"]}, "death from cardiovascular causes or hospitalisation for heart failure by month 12"),
        ({"quantity": "kidney_failure"}, "kidney failure by month 12"),
        ({"quantity": "death", "name": "mortality"}, "mortality"),
    ],
)  # fmt: skip
def test_outcomes_without_a_name_are_called_what_they_are(run: Any, keys: dict[str, Any], name: str) -> None:
    last = run.protocol.visits[-1].name
    assert title(asked(**keys), run.protocol) == name.replace("month 12", last)


def test_deaths_are_no_endpoint_where_nobody_dies() -> None:
    without = small.TEXT.replace("conduct:", "conduct:\n  deaths: false", 1)
    assert "deaths: false" in without
    for endpoint in (
        DEATH,
        DEATH.replace("death", "mace"),
        "primary: {quantity: aki, summary: time to event, also: [death]}",
    ):
        with pytest.raises(ConfigError, match="deaths are switched off"):
            parse_protocol(without.replace(PRIMARY, endpoint))
    parse_protocol(without.replace(PRIMARY, "primary: {quantity: aki, summary: time to event}"))


def test_an_unknown_outcome_is_one_problem() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_protocol(small.TEXT.replace(PRIMARY, "primary: {quantity: cvdeath, summary: time to event}"))
    assert [problem.kind for problem in caught.value.problems] == ["unknown-quantity"]


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("primary: {quantity: deth, summary: time to event, percent: 5}", "Did you mean 'death'"),
        ("primary: {quantity: death}", "death is an event, not a change"),
        ("primary: {quantity: death, summary: time to event, percent: -5}", "death has no percent"),
        ("primary: {quantity: eGFR, summary: time to event, percent: -40, also: [hhff]}", "there is no outcome 'hhff'"),
        ("primary: {quantity: UACR, summary: ratio, also: [death]}", "an outcome beside the quantity is an event"),
        ("primary: {quantity: death, summary: time to event, better: higher}", "more of death is no improvement"),
        ("primary: {quantity: death, summary: responders}", "death is an event, not a response"),
    ],
)
def test_what_cannot_be_is_refused(endpoint: str, words: str) -> None:
    with pytest.raises(ConfigError, match="(?s)" + words):
        parse_protocol(small.TEXT.replace(PRIMARY, endpoint))
