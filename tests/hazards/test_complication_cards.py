"""Complications as people read them."""

from __future__ import annotations

import math

import pytest

from betapod.base.errors import ConfigError
from betapod.hazards.complications.complication import complication_parameters, complications
from betapod.hazards.complications.complication_cards import complication_card, complication_list


def test_each_has_a_row_with_its_rate_per_1000_and_year() -> None:
    rows = {row["name"]: row for row in complication_list()}
    assert set(rows) == set(complications())
    for name, item in complications().items():
        assert rows[name]["rate"] == pytest.approx(1000 * complication_parameters()[item.rate].value)


@pytest.mark.parametrize("name", list(complications()))
def test_a_card_has_every_number_that_the_event_reads(name: str) -> None:
    item, card = complications()[name], complication_card(name)
    assert sorted(row["parameter"] for row in card["numbers"]) == sorted(item.rows())
    for row in card["numbers"]:
        value = complication_parameters()[row["parameter"]].value
        assert row["value"] == pytest.approx(math.exp(value) if row["kind"] == "term" else value)
        assert row["low"] <= row["value"] <= row["high"]
        assert row["source"] or row["role"] in ("assumed", "memory", "tuned", "derived")
    assert all(row in card["equation"] for row in item.terms.values())


def test_the_nearest_name_is_offered() -> None:
    with pytest.raises(ConfigError, match="foot_ulcer"):
        complication_card("foot_ulcers")
