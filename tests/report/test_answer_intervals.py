"""Simulated effects of the answer carry the interval of what is not known, where it was drawn."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from betapod.claims.claim_outcome import Outcome, OutcomeUncertainty, SimulatedOutcome
from betapod.report.answer import simulated_effects
from betapod.report.answer.simulated_effects import simulate_effects
from betapod.report.answer.traced_numbers import NumberBook

COURSE = ("t1d", "UC-MSC 1e6/kg iv x3 q28d")


@pytest.mark.parametrize("drawn", [True, False])
def test_each_simulated_number_has_its_interval(drawn: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    effects = dict.fromkeys(("off", "allowed", "face", "claimed"), (-1.0, 1.0, -1.0, 1.0))
    of_draws = OutcomeUncertainty("2000.1", 4, 0, "linear", "", None, "no row is like it", effects)
    result = SimulatedOutcome("1", 0.0, 0.0, 0.0, None, face=0.0, uncertainty=of_draws if drawn else None)

    def simulated(outcomes: Mapping[str, Outcome]) -> dict[str, SimulatedOutcome]:
        return dict.fromkeys(outcomes, result)

    monkeypatch.setattr(simulated_effects, "simulate_outcomes", simulated)
    book = NumberBook()
    found = simulate_effects([COURSE], book)
    assert len(found) == 16 and all(bool(effect.ends) is drawn for effect in found)
    words = book.numbers[found[0].key].interval
    assert ("by parameters alone" in words and "studies" not in words) if drawn else not words
    assert bool(book.numbers["eGFR-t1d"].interval) is drawn
    assert all("interval" in row for row in book.as_rows())
