"""Numbers of a model varied together: which, within what, and what is read of the courses."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from betapod import ParameterTable, Part, assemble, load_model
from betapod.base.errors import ConfigError
from betapod.model import Parameter
from betapod.sensitivity.factors import apart, grouped, select_factors
from betapod.sensitivity.model_function import KeptFunction, ModelFunction, summary_of_courses
from betapod.sensitivity.sequential_indices import sequential_indices
from betapod.sensitivity.sobol_schemes import SobolScheme

DECAY = """
A(0)  = A0        [mg]      amount
dA/dt = -k*A      [mg/day]  loss
double = 2*A      [mg]      twice the amount
"""


def decay():
    rows = [
        Parameter("A0", "amount at the start", 10.0, "mg", low=5.0, high=20.0, role="assumed", grade="D"),
        Parameter("k", "rate of loss", 0.1, "1/day", low=0.01, high=1.0, role="assumed", grade="C"),
        Parameter("fixed", "a number without a range", 1.0, "1", low=1.0, high=1.0, role="assumed", grade="D"),
    ]
    return assemble("decay", [Part.from_text("Decay", DECAY)], ParameterTable(rows[:2]))


def test_numbers_are_selected_by_word_grade_and_submodel() -> None:
    model = load_model("reference")
    drawn = select_factors(model)
    everything = select_factors(model, ["all"])
    assert len(everything) > 4 * len(drawn) > 400
    only_d = select_factors(model, ["all"], grades=["D"])
    assert {factor.row.grade for factor in only_d} == {"D"} and 200 < len(only_d) < len(everything)
    of_vessels = select_factors(model, ["all"], submodels=["VolumePressure"])
    assert "k_MAP_AT1" in [factor.name for factor in of_vessels] and len(of_vessels) < 40
    assert all("VolumePressure" in factor.submodels for factor in of_vessels)


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        select_factors(decay(), ["kk", "double"], grades=["E"], submodels=["Decoy"])
    kinds = [problem.kind for problem in caught.value.problems]
    assert sorted(kinds) == ["unknown-grade", "unknown-parameter", "unknown-parameter", "unknown-submodel"]
    assert "Decay" in str(caught.value) and "computed" in str(caught.value)
    with pytest.raises(ConfigError, match="nothing-to-vary"):
        select_factors(decay(), ["drawn"])


def test_values_have_the_distribution_of_their_row() -> None:
    model = load_model("reference")
    u = np.array([0.0125, 0.5, 0.9875])
    for factor in select_factors(model, ["all"]):
        low, high = factor.range
        values = factor.at(u)
        assert np.all((values >= low) & (values <= high)) and np.all(np.diff(values) >= 0), factor.name
    factors = {factor.name: factor for factor in select_factors(decay(), ["all"])}
    assert_allclose(factors["A0"].at(u), 5.0 + 15.0 * u)
    assert factors["k"].law == "even on the log scale"
    assert_allclose(factors["k"].at(u), 10.0 ** (-2.0 + 2.0 * u))


def test_outputs_are_those_of_the_equations() -> None:
    function = ModelFunction(decay(), select_factors(decay(), ["all"]), ["A", "double"], [0.0, 5.0, 10.0])
    u = np.random.default_rng(1).random((50, 2))
    values = function.values_at(u)
    exact = values["A0"] * np.exp(-10.0 * values["k"])
    assert_allclose(function(u), np.column_stack([exact, 2 * exact]), rtol=1e-4, atol=1e-6)
    assert function.failed == 0


def test_summaries_of_a_course() -> None:
    times = np.array([0.0, 1.0, 3.0])
    courses = np.array([[[1.0], [2.0], [4.0]], [[8.0], [6.0], [np.nan]]])
    expected = {
        "end": [4.0, 6.0],
        "change": [3.0, -2.0],
        "least": [1.0, 6.0],
        "most": [4.0, 8.0],
        "mean": [(1.5 + 2 * 3.0) / 3, (7.0 + 2 * 6.0) / 3],
        "slope": np.polyfit(times, [[1.0, 8.0], [2.0, 6.0], [4.0, 6.0]], 1)[0],
    }
    for summary, values in expected.items():
        assert_allclose(summary_of_courses(courses, times, summary)[:, 0], values, rtol=1e-12)
    with pytest.raises(ConfigError, match="Did you mean"):
        ModelFunction(decay(), select_factors(decay(), ["all"]), ["A"], [0.0, 1.0], "slop")


def test_indices_of_a_model_are_those_of_its_solution() -> None:
    model = decay()
    factors = select_factors(model, ["all"])
    function = ModelFunction(model, factors, ["A"], [0.0, 10.0])

    def solution(u):
        values = function.values_at(u)
        return (values["A0"] * np.exp(-10.0 * values["k"]))[:, None]

    scheme = SobolScheme([(0,), (1,)], 2)
    simulated = sequential_indices(function, scheme, most=2000, precision=0.0)
    exact = sequential_indices(solution, scheme, most=2000, precision=0.0)
    assert_allclose(simulated.leading.values, exact.leading.values, atol=1e-4)


def test_what_was_computed_is_kept(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BETAPOD_CACHE", str(tmp_path))
    function = ModelFunction(decay(), select_factors(decay(), ["all"]), ["A"], [0.0, 10.0])
    scheme = SobolScheme([(0,), (1,)], 2)

    class Stopped(Exception):
        pass

    calls = []

    def breaking(u):
        calls.append(len(u))
        if len(calls) == 5:
            raise Stopped
        return function(u)

    with pytest.raises(Stopped):
        sequential_indices(KeptFunction(breaking, function.identity), scheme, most=2000, precision=0.0)
    again = KeptFunction(function, function.identity)
    result = sequential_indices(again, scheme, most=2000, precision=0.0)
    assert again.kept == sum(calls[:4]) and again.kept + again.computed == result.runs
    third = KeptFunction(function, function.identity)
    assert_allclose(
        sequential_indices(third, scheme, most=2000, precision=0.0).leading.values, result.leading.values, rtol=0
    )
    assert third.computed == 0
    # Another question is not answered by it.
    other = ModelFunction(decay(), select_factors(decay(), ["all"]), ["A"], [0.0, 11.0])
    assert other.identity != function.identity


def test_groups_overlap_where_numbers_do_and_shares_do_not() -> None:
    factors = select_factors(load_model("reference"), ["all"])
    groups = grouped(factors, "submodel")
    assert sum(map(len, groups.values())) > len(factors)
    assert sorted(column for columns in apart(groups).values() for column in columns) == list(range(len(factors)))
    assert set(grouped(factors, "grade")) == {"A", "B", "C", "D"}
    by_claim = grouped(factors, "claim", {"X1": ["k_MAP_AT1"], "X2": ["k_MAP_AT1", "tau_MAP"]})
    assert len(by_claim["X1"]) == 1 and len(by_claim["X2"]) == 2 and len(by_claim["no claim"]) == len(factors) - 2
    with pytest.raises(ConfigError, match="unknown-grouping"):
        grouped(factors, "colour")
