"""Histories that are kept are those that would be simulated."""

from __future__ import annotations

from pathlib import Path

import pytest

from betapod.base.errors import ConfigError
from betapod.person import coupled_person
from betapod.person.coupled_person import typical_patient


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BETAPOD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_kept_history_is_the_history_to_the_last_digit(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = typical_patient("t1d_dkd")
    monkeypatch.setattr(coupled_person, "simulate_one", None)
    again = typical_patient("t1d_dkd")
    assert (again.state, again.history, again.label) == (first.state, first.history, first.label)
    assert list(again.state) == list(first.model.state_names) and again.model.values() == first.model.values()


def test_whoever_differs_lives_a_life_of_their_own(cache: Path) -> None:
    usual, heavier = typical_patient("t1d_new"), typical_patient("t1d_new", changes={"dMAP": 10.0})
    assert heavier.state != usual.state
    # What begins today changes nothing of the past.
    assert typical_patient("t1d_new", changes={"insulin_target": 7.0}).state == usual.state
    assert len(list((cache / "people").iterdir())) == 2


def test_nothing_is_kept_of_a_history_that_ends_nowhere(cache: Path) -> None:
    for _ in range(2):
        with pytest.raises(ConfigError, match="HbA1c does not reach"):
            typical_patient("t2d", changes={"xE": 0.2})
    assert not (cache / "people").exists()
