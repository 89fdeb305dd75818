"""Draws of a fit in one person: whose rows move, what the interval is, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import carry_out
from made_up_fit import write_made_up_fit

from betapod.base.errors import ConfigError, Problem
from betapod.cli.drawn_treatment import (
    DrawnParameters,
    draws_wanted,
    implausible_before_fit,
    spread_of,
    treated_under,
)
from betapod.cli.treatment import Given
from betapod.physiology import installed_fits, whole_body
from betapod.physiology.fit_changes import FitChanges


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(installed_fits, "FITS", tmp_path)
    write_made_up_fit(tmp_path / "2099.1")
    return "2099.1"


def test_draws_are_those_of_the_newest_fit(made_up: str) -> None:
    model, problems = whole_body.named_model("kidney"), []
    draws, before = draws_wanted(DrawnParameters(fit_draws=4), model, problems)
    assert len(draws) == 4 and before is None and not problems
    assert len({draw.values["h_N0"] for draw in draws}) > 1 and all(draw.drugs for draw in draws)
    assert DrawnParameters(fit_draws=4).named() == made_up
    assert draws_wanted(DrawnParameters(), model, problems) == ([], None)


def test_a_fit_that_would_change_nothing_is_not_passed_over(made_up: str) -> None:
    model = whole_body.named_model("kidney")
    for asked, kind in ((made_up, "useless-option"), ("2000.1", "unknown-fit")):
        problems: list[Problem] = []
        assert draws_wanted(DrawnParameters(fit=asked), model, problems) == ([], None)
        assert [problem.kind for problem in problems] == [kind]
    beside = carry_out("simulate", "kidney", "--scan", "G=5:6:2", "--days", "1", "--fit", "none")
    assert beside.returncode == 2 and "--fit is of one run" in beside.stderr


def test_who_asks_for_no_interval_is_told_how_to_get_one(
    made_up: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = whole_body.named_model("kidney")
    line = DrawnParameters().how_to_draw(model)
    assert line.startswith("--fit-draws 16 adds 95 % intervals") and made_up in line
    assert DrawnParameters(fit_draws=4).how_to_draw(model) == DrawnParameters(fit="none").how_to_draw(model) == ""
    monkeypatch.setattr(installed_fits, "FITS", tmp_path / "empty")
    assert DrawnParameters().how_to_draw(model) == ""


def test_a_draw_moves_rows_but_not_what_the_user_says() -> None:
    model = whole_body.named_model("kidney")
    changes = FitChanges(values={"h_N0": 0.05, "a_H_A": 2.0, "no_such_row": 1.0})
    both = FitChanges(values={"beta_decline": 0.9, "h_N0": 0.05})
    whole = whole_body.named_model("reference")
    # The row of the table of people is meant, which has the same name.
    assert (
        treated_under(whole, Given(), [], both).model.parameters["beta_decline"].value
        == whole.parameters["beta_decline"].value
    )
    moved = treated_under(model, Given(), ["a_H_A"], changes).model
    assert moved.parameters["h_N0"].value == 0.05
    assert moved.parameters["a_H_A"].value == model.parameters["a_H_A"].value


def test_the_interval_is_that_of_draws_around_the_most_probable_course() -> None:
    rng = np.random.default_rng(7)
    course = pd.DataFrame({"UACR": [100.0, 80.0], "HbA1c_change": [0.0, -0.5]}, index=[0.0, 365.0])
    factors, shifts = np.exp(0.2 * rng.standard_normal(16)), 0.3 * rng.standard_normal(16)
    drawn = [
        course.assign(UACR=course["UACR"] * f, HbA1c_change=course["HbA1c_change"] + s)
        for f, s in zip(factors, shifts, strict=True)
    ]
    spread = spread_of("2099.1", course, drawn)
    half = 2.131 * np.std(np.log(factors), ddof=1)
    assert spread.high["UACR"][1] == pytest.approx(80.0 * math.exp(half), rel=0.01)
    assert spread.low["UACR"][1] == pytest.approx(80.0 * math.exp(-half), rel=0.01)
    assert spread.high["HbA1c_change"][1] == pytest.approx(-0.5 + 2.131 * np.std(shifts, ddof=1), rel=0.01)
    document = spread.as_dict()
    assert (document["fit"], document["sets"], document["holds"]) == ("2099.1", 16, ["parameters"])


def test_a_draw_that_ended_early_counts_up_to_there() -> None:
    course = pd.DataFrame({"GFR": [60.0, 50.0, 40.0]}, index=[0.0, 1.0, 2.0])
    spread = spread_of("x", course, [course, course.iloc[:2] + 1.0])
    assert np.isfinite(spread.high["GFR"][1]) and math.isnan(spread.high["GFR"][2])


def test_nothing_to_draw_from_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_up: str) -> None:
    with pytest.raises(ConfigError, match="nothing to draw from"):
        DrawnParameters(fit="none", fit_draws=4).draws()
    problems: list = []
    other = whole_body.named_model("kidney").with_values({})
    draws_wanted(DrawnParameters(fit="2098.1", fit_draws=4), other, problems)
    monkeypatch.setattr(installed_fits, "FITS", tmp_path / "empty")
    draws_wanted(DrawnParameters(fit_draws=4), other, problems)
    assert [problem.kind for problem in problems] == ["unknown-fit", "unknown-fit"]


def test_values_before_the_fit_lie_in_the_ranges_that_they_had_then() -> None:
    """Tables of today have the ranges of the posterior, in which what was tuned by hand need not lie."""
    model, problems = whole_body.named_model("reference"), []
    _, before = draws_wanted(DrawnParameters(fit="none"), model, problems)
    assert before is not None and not problems
    tuned = treated_under(model, Given(), [], before).model
    assert tuned.parameters.implausible() != [] and implausible_before_fit(tuned) == []
    assert "range 0.003 to 0.008" in implausible_before_fit(tuned.with_values({"h_N0": 1.0}))[0]
