"""Sets of parameters in trials: a set belongs to a replicate with all its arms and people, and chance is told from parameters."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import small_trials as small

from betapod.base.errors import ConfigError
from betapod.patients.library import default
from betapod.physiology import whole_body
from betapod.physiology.installed_fits import list_fits
from betapod.therapies.standard_care import therapy
from betapod.trials import run_folder
from betapod.trials.conduct import pool_build, replicate_parameters
from betapod.trials.conduct.conduct import adapted, conduct_trial
from betapod.trials.conduct.patient_pool import Pool, pools_under_draws
from betapod.trials.conduct.replicate_parameters import (
    AS_IN_THE_TABLES,
    ParameterDraw,
    draws_of,
    equal_draws,
    people_of_draws,
    start_of_trial,
)
from betapod.trials.operating.variance_parts import variance_parts
from betapod.trials.protocol.protocol_files import parse_protocol

TEXT = """\
name: drawn
title: A trial under two sets of parameters
population: {size: 24}
eligibility: {UACR: {min: 30 mg/g}}
patients: 12
arms:
  drug: {therapies: [SGLT2 inhibitor]}
  placebo: {placebo: true}
designs:
  randomised: {arms: {drug: 1, placebo: 1}}
visits:
  - {name: screening, day: -7 day}
  - {name: enrolment, day: 0 day}
  - {name: week 4, day: 28 day}
measurements: {UACR: {}, eGFR: {}}
endpoints:
  primary: {quantity: UACR, summary: ratio, at: week 4}
scenarios: [none]
seed: 3
replicates: 6
"""
#: Blood pressure that leaves the kidney, and a class of drugs that does less.
CHANGED = ParameterDraw({"k_MAP_volume": 0.5}, {"SGLT2 inhibitor e_S": 0.5})


@pytest.fixture(scope="module")
def protocol() -> Any:
    return parse_protocol(TEXT)


@pytest.fixture(scope="module")
def plain(protocol: Any) -> Pool:
    return pool_build.pool_of(protocol, threads=1, cache=False)


@pytest.fixture(scope="module")
def drawn(protocol: Any) -> Pool:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool_build, "draws_of", lambda _: (AS_IN_THE_TABLES, CHANGED))
        return pool_build.pool_of(protocol.model_copy(update={"fit_draws": 2}), threads=1, cache=False)


def test_the_first_set_is_the_trial_without_sets(protocol: Any, plain: Pool, drawn: Pool) -> None:
    """Replicates of the set that changes nothing equal those of the plain trial, bit for bit."""
    ours = conduct_trial(protocol, pool=drawn)["randomised", "none"]
    usual = conduct_trial(protocol, pool=plain)["randomised", "none"]
    for code in ("UACR", "EGFR"):
        np.testing.assert_array_equal(ours.observed[code][::2], usual.observed[code][::2])
        assert not np.array_equal(ours.observed[code][1::2], usual.observed[code][1::2])


def test_a_set_belongs_to_a_replicate_and_never_to_a_person(protocol: Any, drawn: Pool) -> None:
    data = conduct_trial(protocol, pool=drawn)["randomised", "none"]
    sets = np.where(data.member >= 0, data.member // drawn.people_of_draw, -1)
    for replicate, of_people in enumerate(sets):
        assert set(of_people[of_people >= 0]) == {replicate % 2}
    assert set(data.arm[0]) == {0, 1}


def test_both_sets_have_the_same_people(plain: Pool, drawn: Pool) -> None:
    assert drawn.draws == 2 and len(drawn) == 2 * len(plain)
    half = len(plain)
    for name, values in drawn.people.items():
        np.testing.assert_array_equal(values[:half], plain.people[name])
    for name in ("AGE", "FEMALE", "TYPE1"):
        np.testing.assert_allclose(drawn.people[name][half:], plain.people[name], rtol=1e-6)
    np.testing.assert_allclose(drawn.weights[:half], plain.weights / 2.0)
    # Those whose kidneys fail before enrolment under the set are no candidates under it; nobody else weighs more or less for that.
    here = drawn.weights[half:] > 0.0
    assert int(np.sum(~here)) == drawn.facts["failed"] < half / 2
    np.testing.assert_allclose(drawn.weights[half:][here], plain.weights[here] / plain.weights[here].sum() / 2.0)


def test_people_live_again_under_a_set(drawn: Pool) -> None:
    """Bodies grew up with the set's own values: on the first day they are other ones, and nothing begins to drift on it."""
    half = drawn.people_of_draw
    natural = drawn.values[drawn.keys["", "run-in", ""]][:, :, drawn.codes.index("EGFR")]
    assert not np.allclose(natural[:half, 0], natural[half:, 0], rtol=1e-3)
    drift = np.log(natural[:, -1] / natural[:, 0])
    assert abs(np.nanmedian(drift[half:]) - np.nanmedian(drift[:half])) < 0.01


def test_drugs_and_rows_of_the_set_act(drawn: Pool) -> None:
    day = int(np.argmax(drawn.times))
    half = drawn.people_of_draw
    egfr = [
        drawn.values[drawn.key(arm, "care", "none")][:, day, drawn.codes.index("EGFR")] for arm in ("drug", "placebo")
    ]
    dip = egfr[0] - egfr[1]
    assert np.nanmean(dip[:half]) < 0.0
    assert 0.2 < np.nanmean(dip[half:]) / np.nanmean(dip[:half]) < 0.8
    # Outside, drugs are as they were.
    assert therapy("SGLT2 inhibitor").effects == therapy("SGLT2 inhibitor").effects


def test_a_pool_of_sets_is_kept_and_read(drawn: Pool) -> None:
    again = Pool.from_bytes(drawn.to_bytes())
    assert again.draws == 2 and again.to_bytes() == drawn.to_bytes()


def test_who_is_lost_under_a_set_is_no_candidate_under_it(protocol: Any, plain: Pool) -> None:
    weights = plain.weights.copy()
    members = conduct_trial(protocol, pool=plain)["randomised", "none"].member
    often = int(np.argmax(np.bincount(members.ravel())))
    weights[often] = 0.0
    joined = pools_under_draws([plain, replace(plain, weights=weights)])
    assert joined.weights[often] > 0.0 == joined.weights[len(plain) + often]
    assert np.isclose(joined.weights.sum(), 1.0)
    assert pools_under_draws([plain]) is plain
    data = conduct_trial(protocol, pool=joined)["randomised", "none"]
    assert np.any(data.member[::2] == often) and not np.any(data.member[1::2] == len(plain) + often)


def test_who_does_not_live_until_enrolment_stands_aside() -> None:
    """Lives under which kidneys fail early: people keep their places, and those who are lost are marked."""
    everybody = default()
    table = everybody.table
    chosen = everybody.take(
        np.flatnonzero((table["true_egfr"] < 22.0).to_numpy() & (table["age"] > 60.0).to_numpy())[:12]
    )
    faster = ParameterDraw({"h_N0": 0.03}, care={"dMAP": -4.0})
    as_chosen, met = people_of_draws(chosen, AS_IN_THE_TABLES, [AS_IN_THE_TABLES, faster])
    assert as_chosen.patients is chosen and as_chosen.reached.all()
    assert 0 < met.reached.sum() < len(chosen) or not met.reached.any()
    assert met.patients.table["person"].tolist() == chosen.table["person"].tolist()
    lost = ~met.reached
    np.testing.assert_array_equal(met.patients.table["true_egfr"][lost], chosen.table["true_egfr"][lost])
    moved = met.patients.parameters["dMAP"][lost] - chosen.parameters["dMAP"][lost]
    np.testing.assert_allclose(moved, -4.0)


def test_visits_err_as_the_set_of_the_replicate_has_it(protocol: Any, plain: Pool) -> None:
    """Two sets with the same people, one of which measures without error: its visits show what is true."""
    exact = {"UACR measurement": 0.0, "creatinine measurement": 0.0}
    joined = pools_under_draws([plain, replace(plain, visits=(exact,))])
    assert Pool.from_bytes(joined.to_bytes()).visits == ({}, exact)
    ours = conduct_trial(protocol, pool=joined)["randomised", "none"]
    usual = conduct_trial(protocol, pool=plain)["randomised", "none"]
    np.testing.assert_array_equal(ours.observed["UACR"][::2], usual.observed["UACR"][::2])
    # On screening nobody has begun anything: what is measured is the course itself.
    course = joined.values[joined.keys["", "run-in", ""]][:, :, joined.codes.index("UACR")]
    enrolled = ours.member[1::2] >= 0
    screened = ours.observed["UACR"][1::2][..., 0][enrolled]
    true = course[ours.member[1::2][enrolled], int(np.argmin(joined.times))]
    np.testing.assert_allclose(screened, true, rtol=1e-6)


def test_draws_of_a_fit_act_where_they_belong(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {
        "h_N0": "row",
        "xi median": "median",
        "SGLT2 inhibitor e_S": "drug",
        "potency_UC": "cells",
        "UACR life": "visit",
    }
    values = [{name: float(10 * draw + k) for k, name in enumerate(names)} for draw in range(3)]
    fit = SimpleNamespace(
        name="2026.1", kinds=names, weights=np.array([0.5, 0.5, 0.0]), relative=lambda draw: values[draw]
    )
    monkeypatch.setattr(replicate_parameters, "list_fits", lambda: ["2026.1"])
    monkeypatch.setattr(replicate_parameters, "load_fit", lambda name: fit)
    trial = small.protocol(scenarios="[none, current-evidence, seed-claims]").model_copy(update={"fit_draws": 4})
    draws = draws_of(trial)
    assert [draw.values["h_N0"] for draw in draws] == [0.0, 0.0, 10.0, 10.0]
    assert [draw.drugs["SGLT2 inhibitor e_S"] for draw in draws] == [2.0, 2.0, 12.0, 12.0]
    assert draws[2].of("current-evidence")["potency_UC"] == 13.0
    # What is claimed for cells is not what published trials say; cells that do no good are not drawn.
    assert draws[2].of("seed-claims").get("potency_UC") != 13.0
    assert draws[2].of("none") == {"h_N0": 10.0}
    assert draws[0].people == {"xi median": 1.0} and draws[0].visits == {"UACR life": 4.0}
    assert draws[0].life_change.traits == {"xi median": 1.0} and draws[0].life_change.visits == {"UACR life": 4.0}
    assert draws_of(trial.model_copy(update={"fit_draws": 0})) == (AS_IN_THE_TABLES,)


def test_without_a_fit_parameters_are_those_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {"h_N0": "row", "potency_UC": "cells", "care dMAP": "care"}
    before = {"h_N0": 0.007, "potency_UC": 2.0, "care dMAP": 3.0}
    fit = SimpleNamespace(kinds=kinds, at_start=lambda: before)
    monkeypatch.setattr(replicate_parameters, "fit_in_tables", lambda: fit)
    trial = small.protocol(scenarios="[none, current-evidence]").model_copy(update={"fit": "none"})
    (start,) = draws_of(trial)
    assert start == start_of_trial(trial) and start.values == {"h_N0": 0.007} and start.care == {"dMAP": 3.0}
    assert start.of("current-evidence") == {"h_N0": 0.007, "potency_UC": 2.0} and start.of("none") == {"h_N0": 0.007}
    drawn = draws_of(trial.model_copy(update={"fit_draws": 2}))
    assert all(draw.values == start.values and draw.of("current-evidence")["potency_UC"] == 2.0 for draw in drawn)
    assert drawn[0].of("current-evidence") != drawn[1].of("current-evidence"), "what cells do is drawn besides"
    monkeypatch.setattr(replicate_parameters, "fit_in_tables", lambda: None)
    assert draws_of(trial) == (AS_IN_THE_TABLES,), "without a fit the tables are as they were"
    # A run under these values is told from one under the tables.
    assert start_of_trial(small.protocol()) is AS_IN_THE_TABLES


def test_a_trial_without_a_fit_has_the_people_of_before_it(protocol: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fit that moved a row, and a start that is what the table has: everybody lives again, and the trial is the usual one."""
    row = whole_body.model_parameters("reference")["h_N0"].value
    fit = SimpleNamespace(name="2026.1", kinds={"h_N0": "row"}, at_start=lambda: {"h_N0": row})
    monkeypatch.setattr(replicate_parameters, "fit_in_tables", lambda: fit)
    everybody = default()
    leaking = np.flatnonzero(everybody.table["true_uacr"].to_numpy() > 100.0)
    some = everybody.take(leaking[:: len(leaking) // 24][:24])
    undone, usual = (
        pool_build.pool_of(trial, some, threads=1, cache=False)
        for trial in (protocol.model_copy(update={"fit": "none"}), protocol)
    )
    assert undone.facts["values before fit"] == "2026.1" and "values before fit" not in usual.facts
    assert undone.facts["failed"] == 0
    np.testing.assert_array_equal(undone.weights, usual.weights)
    for name, values in usual.values.items():
        np.testing.assert_allclose(undone.values[name], values, rtol=1e-3)


def test_equal_draws_stand_for_their_weights() -> None:
    weights = np.array([0.1, 0.2, 0.3, 0.4])
    counts = np.bincount(equal_draws(weights, 64), minlength=4) / 64
    assert np.all(np.abs(counts - weights) <= 1 / 64)


def test_what_cannot_be_drawn_is_refused_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        adapted(small.protocol(), 3, None, 4, "1999.1")
    assert [problem.kind for problem in caught.value.problems] == ["too-many-draws", "unknown-fit"]
    with pytest.raises(ConfigError) as caught:  # before anybody is simulated, though nothing would be drawn of it
        adapted(small.protocol(), None, None, None, "1999.1")
    assert [problem.kind for problem in caught.value.problems] == ["unknown-fit"]


def test_chance_and_parameters_are_told_apart() -> None:
    generator = np.random.default_rng(5)
    sets, per_set = 40, 50
    shift = 0.3 * generator.standard_normal(sets)
    effect = (shift[None, :] + 0.7 * generator.standard_normal((per_set, sets))).reshape(-1)
    parts = variance_parts(effect, sets)
    assert math.isclose(parts.chance, 0.7, rel_tol=0.05)
    assert math.isclose(parts.parameters, float(np.std(shift, ddof=1)), rel_tol=0.1)
    assert parts.sets == sets and parts.lowest < shift.mean() < parts.highest


def test_luck_alone_gives_no_parameters() -> None:
    effect = np.random.default_rng(1).standard_normal(4000)
    assert variance_parts(effect, 8).parameters < 0.08
    same = variance_parts(np.tile([1.0, 2.0], 5), 2)
    assert same.chance == 0.0 and math.isclose(same.parameters, math.sqrt(0.5))


@pytest.mark.parametrize("effect", [[np.nan] * 4, [1.0, 2.0], [np.nan, 2.0, np.nan, 4.0]])
def test_few_replicates_say_little(effect: list[float]) -> None:
    parts = variance_parts(np.array(effect), 2)
    assert math.isnan(parts.parameters)


def test_a_run_in_a_folder_keeps_its_sets(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "drawn.yaml"
    path.write_text(TEXT, encoding="utf-8")
    plan = run_folder.trial_plan(path, fit_draws=2)
    assert plan.identity["fit_draws"] == 2 and "fit_draws" not in run_folder.trial_plan(path).identity
    monkeypatch.setattr(pool_build, "draws_of", lambda _: (AS_IN_THE_TABLES, CHANGED))
    run = run_folder.run_into(tmp_path / "run", plan, threads=1)
    (row,) = run.summary["comparisons"]
    assert (
        row["parameter_sets"] == 2
        and row["sd_chance"] > 0.0
        and run.summary["parameters"] == {"sets": 2, "fit": (list_fits() or [""])[-1]}
    )
    again = run_folder.open_trial_run(tmp_path / "run")
    assert again.summary == run.summary and again.pool.draws == 2
