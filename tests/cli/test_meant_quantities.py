"""Words of plain English where the name of a quantity is asked for: the answer names what is measured under them."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import carry_out

from betapod import load_model
from betapod.cli.meant_quantities import meant_quantities


@pytest.mark.parametrize(
    ("model", "word", "names"),
    [
        ("kidney", "albuminuria", ["UACR", "UAER"]),
        ("kidney", "weight", ["BW"]),
        ("reference", "weight", ["BW"]),
        ("reference", "glucose", ["FPG"]),
        ("kidney", "blood pressure", ["MAP"]),
        ("kidney", "creatinine", ["S_cr"]),
        ("kidney", "urea nitrogen", ["BUN"]),
        ("reference", "beta cells", ["missing_beta"]),
        # A slip of the pen is a slip of the pen, whatever labels say.
        ("kidney", "eGRF", ["eGFR"]),
        ("reference", "HBA1C", ["HbA1c"]),
        ("metabolism", "insuline", ["insulin"]),
    ],
)
def test_a_word_names_what_is_measured_under_it(model: str, word: str, names: list[str]) -> None:
    hint = meant_quantities(load_model(model), word)
    assert all(f"'{name}'" in hint for name in names), hint


def test_what_nobody_can_have_meant_gets_no_guess() -> None:
    assert meant_quantities(load_model("kidney"), "xyzzy") == ""


def test_a_model_of_ones_own_is_counted_and_asked_by_its_labels(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("dA/dt = -k*A [mg/day] loss\nA(0) = dose [mg] drug in the body\n")
    (tmp_path / "own.csv").write_text("id,value,unit\nk,1,1/day\ndose,5,mg\n")
    checked = carry_out("model", "check", tmp_path / "own.txt")
    assert checked.stdout.endswith("own.txt: 1 state, 0 equations, 2 parameters, 0 inputs, 0 events\n")
    done = carry_out("simulate", tmp_path / "own.txt", "--days", "1", "--outputs", "drug")
    assert done.returncode == 2
    assert "Did you mean 'A' (drug in the body)?" in done.stderr
