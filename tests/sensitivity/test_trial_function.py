"""A trial as a function of numbers of the model: the trial that is run, at the values of its numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from commands import carry_out
from numpy.testing import assert_allclose

from betapod import run_trial
from betapod.base.errors import ConfigError
from betapod.sensitivity.global_sensitivity import global_sensitivities
from betapod.sensitivity.trial_function import TrialFunction
from betapod.trials.protocol.protocol_files import find_protocol

NUMBERS = ["Emax_end", "kon_A"]
SMALL = {"people": 40, "replicates": 40}


@pytest.fixture(scope="module")
def function() -> TrialFunction:
    return TrialFunction.of_protocol(find_protocol("nephstrom"), selection=(NUMBERS, (), ()), **SMALL)


def test_at_the_values_of_the_tables_it_is_the_trial_that_is_run(function: TrialFunction) -> None:
    assert list(function.outputs) == ["estimate", "truth", "power"]
    at_values = function.of_values({factor.name: factor.row.value for factor in function.factors})
    run = run_trial(function.protocol)
    row = run.summary["comparisons"][0]
    assert_allclose(at_values, [row["estimate"], row["estimand"], row["benefit"]], rtol=1e-9)
    assert function.unit("estimate") == "mL/min/1.73m2/year" and function.unit("power") == "1"


def test_a_number_of_the_cells_moves_the_truth_and_one_of_chance_does_not(function: TrialFunction) -> None:
    usual = {factor.name: factor.row.value for factor in function.factors}
    here = function.of_values(usual)
    more = function.of_values({**usual, "Emax_end": 2.0 * usual["Emax_end"]})
    # The same people, the same randomisation, the same errors: what both differ by is the number alone.
    assert more[1] != here[1] and abs((more[0] - here[0]) - (more[1] - here[1])) < 0.2 * abs(more[1] - here[1])


def test_indices_of_a_trial(function: TrialFunction) -> None:
    result = global_sensitivities(function, "prcc", runs=8)
    assert result.tables[0].values.shape == (2, 3) and result.lost == 0.0
    again = global_sensitivities(function, "prcc", runs=8)
    assert_allclose(again.tables[0].values, result.tables[0].values, rtol=0, atol=0)
    assert set(result.rows()[0]) >= {"output", "scale", "player", "PRCC"}


def test_quality_of_life_is_an_endpoint_of_any_protocol() -> None:
    function = TrialFunction.of_protocol(
        find_protocol("nephstrom"), endpoint="quality_of_life", selection=(["Emax_end"], (), ()), **SMALL
    )
    assert function.unit("estimate") == "year"
    values = function.of_values({"Emax_end": function.factors[0].row.value})
    assert np.isfinite(values).all() and abs(values[1]) < 0.5


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        TrialFunction.of_protocol(
            find_protocol("dn61"), design="randomized", scenario="face-valu", endpoint="eGFR slop",
            selection=(["Emax_en"], (), ()), people=1, replicates=1,
        )  # fmt: skip
    kinds = sorted(problem.kind for problem in caught.value.problems)
    assert kinds == [
        "out-of-range",
        "out-of-range",
        "unknown-design",
        "unknown-endpoint",
        "unknown-parameter",
        "unknown-scenario",
    ]
    with pytest.raises(ConfigError, match="no-control"):
        TrialFunction.of_protocol(find_protocol("dn61"), design="single arm")
    with pytest.raises(ConfigError, match="differs-between-people"):
        TrialFunction.of_protocol(find_protocol("nephstrom"), selection=(["GFR0"], (), ()))


def test_the_verb() -> None:
    words = ("sensitivity", "trial", "nephstrom", "--vary", "Emax_end,kon_A", "--method", "prcc", "--runs", "8")
    words = (*words, "--people", "40", "--replicates", "40")
    done = carry_out(*words, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["trial"] == "nephstrom" and result["compared"] == ["cells against placebo"]
    assert [output["name"] for output in result["outputs"]] == ["estimate", "truth", "power"]
    text = carry_out(*words, "--wide")
    assert "PRCC" in text.stdout and "replicates" in text.stderr
    assert carry_out("sensitivity", "trial", "nephstorm").returncode == 2
