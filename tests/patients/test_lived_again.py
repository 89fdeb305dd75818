"""People who live again under other parameters."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.patients import library
from betapod.patients.library import Library
from betapod.patients.lived_again import LifeChange, PeopleAgain, live_again
from betapod.physiology import whole_body


@pytest.fixture(scope="module")
def some() -> Library:
    everybody = library.default()
    old = np.flatnonzero(everybody.table["age"].to_numpy() > 70.0)
    return everybody.take(old[:: len(old) // 24][:24])


@pytest.fixture(scope="module")
def again(some: Library) -> list[PeopleAgain]:
    nephrons = whole_body.model_parameters("reference")["h_N0"].value
    return live_again(some, [LifeChange(), LifeChange({"h_N0": 1.5 * nephrons})])


def test_who_lives_again_as_before_is_the_same(some: Library, again: list[PeopleAgain]) -> None:
    same = again[0]
    assert same.rows.tolist() == list(range(len(some)))
    # Libraries are kept in single precision.
    np.testing.assert_allclose(same.patients.states, some.states, rtol=2e-7, atol=1e-12)
    for name in ("person", "age", "uacr", "true_egfr", "hba1c"):
        np.testing.assert_allclose(same.patients.table[name], some.table[name], rtol=2e-7)
    assert same.patients.parameters.keys() == some.parameters.keys()


def test_faster_ageing_costs_filtration(some: Library, again: list[PeopleAgain]) -> None:
    before, after = (each.patients.table["true_gfr"].to_numpy() for each in again)
    assert np.mean(after / before) < 0.99


def test_a_row_in_which_people_differ_is_refused(some: Library) -> None:
    with pytest.raises(ConfigError, match="xi"):
        live_again(some, [LifeChange({"xi": 1.0})])


def test_traits_move_in_everybody(some: Library) -> None:
    (moved,) = live_again(some, [LifeChange(traits={"xi median": 1.3, "dMAP_60 shift": 5.0})])
    rows = moved.rows
    assert np.all(moved.patients.parameters["xi"] >= 1.29 * some.parameters["xi"][rows] * (1.0 - 1e-6))
    assert np.mean(moved.patients.table["true_MAP"]) > np.mean(some.table["true_MAP"].to_numpy()[rows])


def test_doctors_see_what_a_visit_shows(some: Library) -> None:
    """Without errors of visits, what was measured is what is true; only what doctors see is part of a life."""
    exact = {"UACR measurement": 0.0, "UACR life": 0.0}
    change = LifeChange.among({}, {}, {"xi with xi_theta": 0.2}, {**exact, "HbA1c life": 0.3})
    assert change.visits == exact and not change.traits
    (precise,) = live_again(some.take(range(6)), [change])
    measured, true = (precise.patients.table[name].to_numpy() for name in ("uacr", "true_uacr"))
    np.testing.assert_allclose(measured, true, rtol=1e-12)
    assert not np.allclose(precise.patients.table["hba1c"], precise.patients.table["true_hba1c"])


def test_a_change_is_told_by_its_key() -> None:
    change = LifeChange.among({"h_N0": 0.01, "potency_UC": 2.0, "beta_decline": 0.1}, {"ARB e_ARB": 0.9}, {}, {})
    assert change.values == {"h_N0": 0.01, "beta_decline": 0.1}, "rows of cells act in no life without them"
    assert LifeChange.of_key(change.key) == change and change.key != LifeChange().key
    assert change and not LifeChange()
