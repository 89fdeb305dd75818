"""Mechanism switches: what is said of each follows from equations and tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from switches_page import PAGE, page

from betapod.base.errors import ConfigError
from betapod.physiology import whole_body
from betapod.therapies import cell_parameters
from betapod.therapies.mechanism_switches import mechanism_switch, mechanism_switches
from betapod.therapies.scenarios import SCENARIOS

PHYSIOLOGY = Path(whole_body.__file__).parent


def test_every_switch_of_every_model_is_listed() -> None:
    inputs = {key for name in whole_body.NAMES for key in whole_body.named_model(name).inputs if key.startswith("sw_")}
    assert set(mechanism_switches()) == inputs
    assert {"sw_GLUT4", "sw_become_pod", "sw_conditions", "sw_ectopic_repair", "sw_HbA1c"} <= inputs


#: On the way to the one harm that a rate of the organs shows: cells in the kidney that turn into scar.
TO_SCAR = ["sw_homing", "sw_engraftment", "sw_maldifferentiation", "sw_sensitisation"]


def test_where_cells_do_no_good_only_switches_of_harm_matter() -> None:
    """The law of the scenario none: every gain is exactly 0, and harm is that of current evidence. Glycation is the body's own."""
    acting = {each.name for each in mechanism_switches().values() if "none" in each.scenarios}
    assert acting == {*TO_SCAR, "sw_AGE"}


def test_where_everything_is_claimed_what_the_claims_need_matters() -> None:
    acting = {each.name for each in mechanism_switches().values() if "seed-claims" in each.scenarios}
    assert {"sw_engraftment", "sw_differentiation", "sw_neogenesis", "sw_ectopic", "sw_recovery"} <= acting
    evidence = {each.name for each in mechanism_switches().values() if "current-evidence" in each.scenarios}
    rebuilding = {"sw_rebuild_nephrons", "sw_rebuild_interstitium", "sw_rebuild_glomeruli", "sw_perfusion"}
    claimed = rebuilding | {"sw_oxygen_repair", "sw_insulin_vessel", "sw_stage"}
    assert claimed <= acting
    assert not claimed & evidence
    # Controlled trials support no self-renewal, no neogenesis and no insulin from outside of islets.
    assert not {"sw_renewal", "sw_neogenesis", "sw_ectopic", "sw_recovery"} & evidence
    assert {"sw_filtration", "sw_sensitivity"} <= evidence


def test_reduced_forms_move_nobody() -> None:
    """They stand for what the whole person simulates: to read both would count an effect twice."""
    for name in ("sw_HbA1c", "sw_slope"):
        assert mechanism_switch(name).scenarios == ()
        assert "reference" not in mechanism_switch(name).defaults


@pytest.mark.parametrize("name", list(mechanism_switches()))
def test_each_equation_stands_where_it_is_said_to(name: str) -> None:
    switch = mechanism_switch(name)
    assert switch.equations
    for each in switch.equations:
        file, _, line = each.place.rpartition(":")
        text = (PHYSIOLOGY / file).read_text(encoding="utf-8").splitlines()[int(line) - 1]
        assert text.replace(" ", "").startswith(each.text.partition(" = ")[0].replace(" ", ""))
        assert name in each.text


def test_values_by_scenario_are_those_of_the_tables() -> None:
    gain = mechanism_switch("sw_filtration").parameters["g_GFR"]
    assert gain["values"] == {name: cell_parameters.cell_parameter_table(name)["g_GFR"].value for name in SCENARIOS}
    assert gain["values"]["none"] == 0.0 < gain["values"]["current-evidence"] < gain["values"]["face-value"]


def test_a_default_is_that_of_each_model() -> None:
    assert mechanism_switch("sw_deficit_gate").defaults == {"cells": 0.0, "cells_tracer": 0.0, "reference": 1.0}
    assert set(mechanism_switch("sw_indirect").defaults.values()) == {0.0}


def test_the_nearest_is_named() -> None:
    with pytest.raises(ConfigError, match="sw_podocyte"):
        mechanism_switch("sw_podocytes")


def test_what_moves_nobody_where_everything_is_claimed_says_why() -> None:
    silent = [each for each in mechanism_switches().values() if "seed-claims" not in each.scenarios]
    assert not [each.name for each in silent if not each.note]


def test_the_page_is_that_of_the_equations() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python tests/support/switches_page.py"
