"""The examples in the docstrings of the engine run and give what they say."""

from __future__ import annotations

import doctest
from types import ModuleType

import pytest

from betapod.engine import ensemble, schedule
from betapod.engine.scipy import reference, simulation_result


@pytest.mark.parametrize(
    ("module", "examples"),
    [
        (schedule, {"Dose", "Switch", "Schedule"}),
        (ensemble, {"Ensemble"}),
        (reference, {"simulate"}),
        (simulation_result, {"Result"}),
    ],
)
def test_examples(module: ModuleType, examples: set[str]) -> None:
    tests = [test for test in doctest.DocTestFinder().find(module) if test.examples]
    assert {test.name.rsplit(".", 1)[-1] for test in tests} >= examples
    runner = doctest.DocTestRunner(verbose=False)
    for test in tests:
        failures, _ = runner.run(test)
        assert not failures, test.name
