"""Comparisons under draws of a fit: a set of parameters belongs to a draw, with all its people and strategies; the fits are made up."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.health.course_people import CoursePeople
from betapod.health.courses import CourseSettings, simulate_courses
from betapod.health.simulated_courses import SimulatedCourses
from betapod.health.strategy import Strategy
from betapod.patients.library import default
from betapod.therapies.standard_care import therapy
from betapod.trials.conduct import replicate_parameters
from betapod.trials.conduct.replicate_parameters import DrawsAsked
from betapod.value import fitted_courses
from betapod.value.comparison_checks import read_value_text
from betapod.value.fitted_courses import courses_under_draws, draws_asked
from betapod.value.missing_numbers import _listed, drawn_of_courses
from betapod.value.value_part import ComparedPeople, ValuePart
from betapod.value.value_run import adapted_settings

STRATEGIES = ("care", "SGLT2 inhibitor", "cells")
FOLLOWING = CourseSettings(years=1.0, step=0.5)
ASKED = DrawsAsked("", 3, ("current-evidence", "none"), 1)
#: Under each draw: a row of the kidney, all and half of what the drug does, and what cells do.
DRAWS = (
    {"h_N0": 0.012, "SGLT2 inhibitor e_S": 1.0, "Emax_SI": 0.8},
    {"h_N0": 0.003, "SGLT2 inhibitor e_S": 1.0, "Emax_SI": 0.8},
    {"h_N0": 0.003, "SGLT2 inhibitor e_S": 0.5, "Emax_SI": 0.8},
)
KINDS = {"h_N0": "row", "SGLT2 inhibitor e_S": "drug", "Emax_SI": "cells"}
RUN = """\
title: made up
people: {library: type 2 and UACR > 300 mg/g, size: 20}
comparator: care
strategies: {care: {}, drug: {therapies: [SGLT2 inhibitor]}}
horizon: 2
draws: 8
"""


def strategies() -> dict[str, Strategy]:
    """Return what is compared, with drugs as strong as they are now."""
    given = (Strategy(), Strategy(therapies=(therapy("SGLT2 inhibitor"),)), Strategy("UC-MSC 1e6/kg iv", "current-evidence"))  # fmt: skip
    return dict(zip(STRATEGIES, given, strict=True))


def install(monkeypatch: pytest.MonkeyPatch, draws: tuple[dict[str, float], ...], kinds: dict[str, str]) -> None:
    """Let a fit with these draws be the newest that is installed."""
    weights = np.full(len(draws), 1.0 / len(draws))
    fit = SimpleNamespace(name="2000.1", kinds=kinds, weights=weights, relative=lambda draw: draws[draw])
    monkeypatch.setattr(replicate_parameters, "list_fits", lambda: ["2000.1"])
    monkeypatch.setattr(replicate_parameters, "load_fit", lambda name: fit)


@pytest.fixture(scope="module")
def people() -> CoursePeople:
    table = default().table
    rows = np.flatnonzero((table["true_uacr"] > 300.0) & (table["T1D"] < 0.5) & (table["age"] < 75.0))
    return CoursePeople.drawn(default().take(rows[:: len(rows) // 6][:6]), 9)


@pytest.fixture(scope="module")
def drawn(people: CoursePeople) -> SimulatedCourses:
    with pytest.MonkeyPatch.context() as patch:
        install(patch, DRAWS, KINDS)
        return courses_under_draws(people, strategies, FOLLOWING, ASKED, threads=1)


def change(courses: SimulatedCourses, strategy: str, draw: int) -> float:
    """Return how much lower albuminuria is after half a year than without treatment, logarithm."""
    ends = [courses.courses[courses.keys[name, draw]].values["UACR"][:, 1] for name in ("care", strategy)]
    return float(np.nanmean(np.log(ends[0] / ends[1])))


def test_the_middle_is_the_comparison_without_draws(people: CoursePeople, drawn: SimulatedCourses) -> None:
    plain = simulate_courses(people, strategies(), FOLLOWING, threads=1, cache=False)
    assert drawn.draws == 3 and drawn.strategies == plain.strategies == STRATEGIES
    for name in STRATEGIES:
        for code, values in plain.courses[plain.keys[name, 0]].values.items():
            np.testing.assert_array_equal(drawn.courses[drawn.keys[name, 0]].values[code], values)
    np.testing.assert_array_equal(drawn.people.numbers, plain.people.numbers)


def test_everybody_has_the_same_set_in_all_strategies_and_lived_under_it(drawn: SimulatedCourses) -> None:
    for draw in range(4):
        starts = [drawn.courses[drawn.keys[name, draw]].values["EGFR"][:, 0] for name in STRATEGIES]
        np.testing.assert_array_equal(starts[0], starts[1])
        np.testing.assert_array_equal(starts[0], starts[2])
    start = [drawn.courses[drawn.keys["care", draw]].values["EGFR"][:, 0] for draw in (0, 1, 2)]
    assert not np.allclose(start[1], start[2], rtol=1e-3) and not np.allclose(start[0], start[1], rtol=1e-3)
    assert len(drawn.patients) == 4 and drawn.facts["failed"] <= 6
    # The same people at the same ages, otherwise than they were.
    first, again = (drawn.patients[draw].table for draw in (0, 1))
    np.testing.assert_allclose(again["age"], first["age"], rtol=1e-6)
    risk = drawn.risk("care", 1)
    assert risk.people == len(drawn.people) and not np.array_equal(risk.profile.egfr, drawn.risk("care").profile.egfr)


def test_drugs_and_cells_are_those_of_the_set(drawn: SimulatedCourses) -> None:
    usual, half = change(drawn, "SGLT2 inhibitor", 2), change(drawn, "SGLT2 inhibitor", 3)
    assert usual > half > 0.0


def test_a_draw_of_the_comparison_takes_one_set(drawn: SimulatedCourses, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, DRAWS, KINDS)
    settings, _ = read_value_text(RUN)
    asked = settings.model_copy(update={"fit_draws": 3})
    compared = ComparedPeople(asked, drawn, {"": None}, SimpleNamespace(structures={}))  # type: ignore[arg-type]
    part = ValuePart(compared, slice(0, 5))
    assert [part.course_draw(draw) for draw in (None, 0, 1, 2, 3)] == [0, 1, 2, 3, 1]
    monkeypatch.setattr("betapod.value.missing_numbers.list_fits", lambda: ["2000.1"])
    assert "3 times from the fit 2000.1: a set belongs to a draw" in drawn_of_courses(compared)


def test_a_set_that_changes_nothing_gives_the_same_courses_to_the_bit(
    people: CoursePeople, drawn: SimulatedCourses, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, ({},), {})
    monkeypatch.setattr(replicate_parameters, "drawn_rows", lambda *_: {})
    still = courses_under_draws(people, strategies, FOLLOWING, DrawsAsked("", 1, ASKED.scenarios, 1), threads=1)
    for name in STRATEGIES:
        for code, values in still.courses[still.keys[name, 1]].values.items():
            np.testing.assert_array_equal(drawn.courses[drawn.keys[name, 0]].values[code], values)


def test_what_cannot_be_drawn_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    settings, document = read_value_text(RUN)
    assert draws_asked(settings) is None
    monkeypatch.setattr(replicate_parameters, "list_fits", lambda: [])
    for fit, count, kind in ((None, 4, "no-fit"), ("none", 4, "useless-key"), ("2000.9", 4, "unknown-fit")):
        with pytest.raises(ConfigError) as caught:
            adapted_settings(settings, document, fit=fit, fit_draws=count)
        assert caught.value.kinds == (kind,), fit
    install(monkeypatch, DRAWS, KINDS)
    adapted, _ = adapted_settings(settings, document, fit_draws=2)
    assert fitted_courses.draws_asked(adapted) == DrawsAsked("", 2, ("none",), 1)
    with pytest.raises(ConfigError, match="none of its draws"):
        adapted_settings(settings, document, fit="2000.1")


def test_abbreviations_come_with_what_they_stand_for() -> None:
    assert _listed(["anaemia", "aki", "serious_infection"]) == "anaemia, acute kidney injury (aki), serious infection"
