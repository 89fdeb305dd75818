"""Lives on the page of the answer: results of today's model, each number traced."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.report.answer import lifetime_numbers
from betapod.report.answer.lifetime_numbers import enter_lifetime, lifetime_key, lifetime_results, summarised
from betapod.report.answer.traced_numbers import NumberBook
from betapod.value.value_result import ValueResult


def test_results_that_come_with_the_package_are_those_of_today() -> None:
    assert lifetime_results()["key"] == lifetime_key(), "python benchmarks/ship_lifetime.py"


def test_every_strategy_has_numbers_under_both_sets_of_events() -> None:
    book = NumberBook()
    rows = enter_lifetime(book)
    assert len(rows) == 8
    assert [row.strategy for row in rows[:4]] == [row.strategy for row in rows[4:]]
    for row in rows:
        for key in (*row.cells.values(), *([row.gain] if row.gain else []), *(row.prices or {}).values()):
            assert book.numbers[key].command == "betapod value dn61"
        assert bool(row.prices) == ("cells," in row.strategy)


def test_other_results_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifetime_numbers, "lifetime_key", lambda: "another model")
    assert enter_lifetime(NumberBook()) == ()


def test_what_is_kept_of_a_comparison() -> None:
    of = {"own": np.array([[8.0, 8.2, 8.1], [8.4, 8.5, 8.6]])}
    free = {"own": {"dialysis_free": of["own"], "healthy": 0.0 * of["own"]}}
    result = ValueResult(
        {"willingness to pay": [1000]},
        ("care", "cells"),
        "care",
        ("own",),
        of,
        of,
        of,
        free_years=free,
        person_qalys=of,
        cell_courses=np.array([0.0, 2.0]),
    )
    first, second = summarised(result)["rows"]
    assert "gain" not in first and "prices" not in first
    assert second["gain"][0] == pytest.approx(0.4)
    assert second["prices"]["1000"][0] == pytest.approx(200.0)
