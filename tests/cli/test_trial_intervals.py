"""What the terminal says of the intervals of a trial: each part where it is there, and why another is not."""

from __future__ import annotations

import pytest

from betapod.cli.trial_comparisons import bias_text
from betapod.cli.trial_intervals import tell_interval_parts
from betapod.cli.verbs import trials
from betapod.report.trial.estimates import Scale

ROW = {"design": "randomised", "treated": "cells", "control": "placebo", "estimate": -0.2}


def test_all_parts_stand_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    row = {**ROW, "sd_chance": 0.1, "sd_parameters": 0.05, "sd_studies": 0.2, "parameter_sets": 16}
    about = {"sets": 16, "parameters_of": "2099.1", "studies_of": "2099.1", "kind": "ratio", "numbers": 25}
    tell_interval_parts(about, [row], Scale("ratio", "UACR"), False, [])
    printed = " ".join(capsys.readouterr().out.split())
    assert "by chance alone" in printed and "between studies alone" in printed and "all together" in printed
    assert "cells against placebo" in printed and "16 sets, drawn from the fit 2099.1" in printed
    assert "not in it" not in printed


def test_chance_alone_is_said_with_the_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    row = {**ROW, "sd_chance": 0.1, "sd_parameters": None, "sd_studies": None}
    about = {"sets": 1, "parameters_of": "", "studies_of": "", "kind": "ratio", "numbers": 0}
    tell_interval_parts(about, [row], Scale("ratio", "UACR"), False, [])
    printed = " ".join(capsys.readouterr().out.split())
    assert "The interval holds chance alone." in printed and "by chance alone" not in printed
    assert "All have the same parameters" in printed and "no fit says how much" in printed


def test_numbers_below_0_have_one_kind_of_minus() -> None:
    plain = Scale("points", "HBA1C")
    assert bias_text(plain, -0.0226) == "\u22120.0226" and bias_text(plain, None) == "-"
    assert trials._shown(-0.54, False) == "\u22120.54" and trials._shown(-1e-9, False) == "+0.00"
