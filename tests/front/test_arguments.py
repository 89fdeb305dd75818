"""Careless arguments of the front door: one name where several are taken, wrong kinds, names that no file can have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import betapod
from betapod.base.errors import BetapodError, ConfigError


@pytest.fixture(scope="module")
def run() -> betapod.TrialRun:
    return betapod.run_trial("dn61", designs="single arm", scenarios="none", replicates=2)


def test_one_name_alone_is_a_list_of_it(run: betapod.TrialRun, tmp_path: Path) -> None:
    assert list(run) == [("single arm", "none")]
    with pytest.raises(BetapodError) as refused:
        betapod.load_evidence(tmp_path / "absent.csv")
    assert len(refused.value.problems) == 1 and "absent.csv" in str(refused.value)
    kidney = betapod.load_model("kidney")
    assert betapod.load_model("kidney", overlays=kidney.parameters).parameters.keys() == kidney.parameters.keys()
    reference = betapod.load_model("reference")
    assert betapod.plan(reference, drugs="metformin 2 g").understood == ["metformin 2 g/day from day 0"]


def test_data_that_a_run_does_not_hold_are_refused_with_the_nearest(run: betapod.TrialRun) -> None:
    with pytest.raises(ConfigError, match="expected 'single arm', 'none'"):
        run["single arm", "nonne"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"threads": 0}, "whole number from 1"),
        ({"threads": -3}, "whole number from 1"),
        ({"replicates": float("nan")}, "whole number from 1"),
        ({"replicates": "3"}, "whole number from 1"),
        ({"seed": 1.5}, "whole number from 0"),
        ({"designs": 5}, "names"),
    ],
)
def test_numbers_of_a_run_are_whole(change: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        betapod.run_trial("dn61", **{"designs": ["single arm"], "replicates": 2, **change})


@pytest.mark.parametrize(
    ("arguments", "options", "expected"),
    [
        ((-11.0, "HbA1c", "mmol/mol"), {"kind": "Difference"}, "Did you mean 'difference'"),
        (("53", "HbA1c", "mmol/mol"), {}, "one number"),
        (([53, 60], "HbA1c", "mmol/mol"), {}, "one number"),
        ((53, None, "mmol/mol"), {}, "a text"),
        ((53, "HbA1c", None), {}, "a text"),
        ((53, "HbA1c", "mmol/mol", 5), {}, "a text"),
    ],
)
def test_conversions_take_a_number_two_names_and_a_known_kind(
    arguments: tuple[Any, ...], options: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ConfigError, match=expected):
        betapod.convert(*arguments, **options)


def test_wrong_kinds_are_refused_in_words(run: betapod.TrialRun, tmp_path: Path) -> None:
    anything: Any = betapod
    for call, expected in (
        (lambda: anything.write_report(str(tmp_path), tmp_path), "open_trial"),
        (lambda: anything.pool("HbA1c"), "load_evidence"),
        (lambda: anything.pool(None), "records"),
        (lambda: anything.plan(betapod.load_model("reference"), drugs=[5]), "metformin"),
        (lambda: anything.load_protocol(5), "name of a file"),
        (lambda: anything.draw_patients(betapod.load_model("kidney"), 10**15), "10,000,000"),
    ):
        with pytest.raises(BetapodError, match=expected):
            call()


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"])
def test_names_that_no_file_can_have_are_refused(run: betapod.TrialRun, name: str) -> None:
    with pytest.raises(ConfigError, match="unknown-protocol"):
        betapod.load_protocol(name)
    for write in (run.to_csv, run.to_parquet):
        with pytest.raises(ConfigError, match="cannot-write"):
            write(name)
