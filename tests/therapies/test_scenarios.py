"""The scenarios of what cells do stand in one table, and nobody else types their names."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import betapod
from betapod.physiology import whole_body
from betapod.report.common import drawing, words
from betapod.therapies import cell_parameters, scenarios
from betapod.therapies.cell_dosing import regimen
from betapod.therapies.cell_risks import course_risks
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


#: Rows of harm: the same under `none` as under current evidence.
HARMS = ("p_fever_active", "RR_fever", "RR_reaction", "p_DSA", "k_sens", "kO_harm", "xi_mal", "k_eng")


def test_the_null_is_no_benefit_and_the_same_harm() -> None:
    null, current = (
        cell_parameters.cell_parameter_table(name) for name in (scenarios.NONE, scenarios.CURRENT_EVIDENCE)
    )
    assert {name: null[name].value for name in HARMS} == {name: current[name].value for name in HARMS}
    gains = [
        name
        for name in null
        if name.startswith(("Emax_", "Imax_", "nu_neo", "g_GFR", "r_slope", "xi_")) and name != "xi_mal"
    ]
    assert len(gains) > 15 and all(null[name].value == 0.0 for name in gains if name != "Imax_auto_IS")
    # A risk ratio below 1 would be a benefit.
    assert null["RR_infection"].value == null["RR_malignancy"].value == 1.0


def test_the_null_obstructs_and_sensitises_and_moves_no_organ_otherwise() -> None:
    for order in ("UC-MSC 1e6/kg iv x3 q28d", "BM-MSC 300e6 ra"):
        courses = {}
        for name in (scenarios.NONE, scenarios.CURRENT_EVIDENCE):
            model = cell_parameters.parameterise(whole_body.named_model("cells"), name)
            course = regimen(order, 80.0, model, name)
            courses[name] = model, {risk.name: risk.chance for risk in course_risks(course, model)}, course
        null, current = courses[scenarios.NONE], courses[scenarios.CURRENT_EVIDENCE]
        assert null[1] == current[1] and null[1]["p_fever"] > 0 and null[1]["p_antibody"] > 0
        assert [d for d in null[2].doses if d.state == "plugged"] == [
            d for d in current[2].doses if d.state == "plugged"
        ]
    assert any(d.state == "plugged" for d in null[2].doses)
