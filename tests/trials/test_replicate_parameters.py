"""Sets of parameters in trials: a set belongs to a replicate with all its arms and people, and chance is told from parameters."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import small_trials as small

from betapod.base.errors import ConfigError
from betapod.therapies.standard_care import therapy
from betapod.trials import run_folder
from betapod.trials.conduct import pool_build, replicate_parameters
from betapod.trials.conduct.conduct import adapted, conduct_trial
from betapod.trials.conduct.patient_pool import Pool, pools_under_draws
from betapod.trials.conduct.replicate_parameters import AS_IN_THE_TABLES, ParameterDraw, draws_of, equal_draws
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
    for name, values in drawn.people.items():
        np.testing.assert_array_equal(values, np.tile(plain.people[name], 2))
    np.testing.assert_allclose(drawn.weights, np.tile(plain.weights, 2) / 2.0)
    assert np.isclose(drawn.weights.sum(), 1.0)


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


def test_who_is_lost_under_one_set_is_a_candidate_under_none(plain: Pool) -> None:
    from dataclasses import replace

    weights = plain.weights.copy()
    weights[0] = 0.0
    joined = pools_under_draws([plain, replace(plain, weights=weights)])
    assert joined.weights[0] == joined.weights[len(plain)] == 0.0
    assert np.isclose(joined.weights.sum(), 1.0)
    assert pools_under_draws([plain]) is plain


def test_draws_of_a_fit_act_where_they_belong(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"h_N0": "row", "xi": "median", "SGLT2 inhibitor e_S": "drug", "potency_UC": "cells", "UACR life": "visit"}
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
    assert "UACR life" not in draws[0].values and "xi" not in draws[0].values
    alone = draws_of(trial.model_copy(update={"fit": "none"}))
    assert not alone[0].values and alone[0].of("current-evidence") != alone[1].of("current-evidence")
    assert draws_of(trial.model_copy(update={"fit_draws": 0})) == (AS_IN_THE_TABLES,)


def test_equal_draws_stand_for_their_weights() -> None:
    weights = np.array([0.1, 0.2, 0.3, 0.4])
    counts = np.bincount(equal_draws(weights, 64), minlength=4) / 64
    assert np.all(np.abs(counts - weights) <= 1 / 64)


def test_what_cannot_be_drawn_is_refused_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        adapted(small.protocol(), 3, None, 4, "1999.1")
    assert [problem.kind for problem in caught.value.problems] == ["too-many-draws", "unknown-fit"]


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
    assert row["parameter_sets"] == 2 and row["sd_chance"] > 0.0 and run.summary["parameters"] == {"sets": 2, "fit": ""}
    again = run_folder.open_trial_run(tmp_path / "run")
    assert again.summary == run.summary and again.pool.draws == 2
