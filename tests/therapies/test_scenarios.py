"""The scenarios of what cells do stand in one table, and nobody else types their names."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import betapod
from betapod.physiology import whole_body
from betapod.report.common import drawing, words
from betapod.therapies import scenarios
from betapod.trials.protocol.protocol import Protocol

PACKAGE = Path(betapod.__file__).parent
#: Left out is "none", which means many things.
NAMES = set(scenarios.SCENARIOS) - {scenarios.NONE}


def typed(text: str) -> set[str]:
    """Return the scenarios that a source names as a text of its own."""
    return {node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant) and node.value in NAMES}


def test_one_module_types_the_names() -> None:
    modules = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if typed(path.read_text(encoding="utf-8"))
    }
    assert modules == {"therapies/scenarios.py"}


def test_the_scan_sees_a_typed_name() -> None:
    assert typed('def f(x="face-value"): "Docstrings may say seed-claims."') == {"face-value"}


def test_type_and_table_have_the_same_names() -> None:
    assert get_args(scenarios.ScenarioName) == tuple(scenarios.SCENARIOS)
    assert set(scenarios.COMPARED) < set(scenarios.SCENARIOS) and scenarios.DEFAULT in scenarios.SCENARIOS


def test_every_scenario_has_a_table_words_and_a_look() -> None:
    for name, scenario in scenarios.SCENARIOS.items():
        assert (whole_body.PARAMETERS / f"{scenario.overlay}.csv").is_file()
        assert words.scenario(name) == scenario.label and words.scenario_short(name) == scenario.short
        assert len(scenario.short.split()) <= 2 and scenario.description.endswith(".")
    for look in (drawing.COLOURS, drawing.MARKS, drawing.STYLES):
        assert set(look) == set(scenarios.SCENARIOS)
        assert len({str(value) for value in look.values()}) == len(look)


def test_protocols_compare_three_scenarios_unless_they_say_otherwise() -> None:
    field = Protocol.model_fields["scenarios"]
    assert field.default == list(scenarios.COMPARED)
