"""Outcomes and levers simulated under draws: what does not move has no part, and what moves goes the right way."""

from __future__ import annotations

from pathlib import Path

import pytest
from claims_fit import UNKNOWNS, install_claims_record

from betapod.claims import claim_levers, claim_parameters, claim_simulation
from betapod.claims.claim_comparisons import compared_effects
from betapod.claims.claim_outcome import Outcome
from betapod.claims.claim_parameters import FitChoice
from betapod.claims.claim_uncertainty import effect_interval
from betapod.physiology import whole_body
from betapod.therapies import cell_parameters

#: An outcome that nobody else simulates: short, in somebody without a history.
SHORT = Outcome("HbA1c", "t1d_new", 0.1, "difference", -1.6, "UC-MSC 1e6/kg iv", ("all",), lever="Emax_SI")


def test_draws_move_outcome_and_lever_and_what_does_not_move_has_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Draws that are all the fit itself, and no draws of cells: every number is the same to the bit, and so is the lever."""
    still = [
        (name, kind, scale, start, at, (at,) * 2) for name, kind, scale, start, at, _ in UNKNOWNS if name != "h_N0"
    ]
    now = cell_parameters.scenario_values(whole_body.named_model("reference"), "current-evidence")["Emax_SI"]
    still = [(*row[:3], now, now, (now,) * 2) if row[0] == "Emax_SI" else row for row in still]
    record = install_claims_record(monkeypatch, tmp_path, still)
    monkeypatch.setattr(claim_parameters, "drawn_rows", lambda *_: {})
    # A coarse search for the lever says as much here.
    monkeypatch.setattr(claim_levers, "TRIES", 3)
    monkeypatch.setattr(claim_levers, "ROUNDS", 2)
    two = FitChoice(record.name, 2)
    found = claim_simulation.compute_outcomes({"made": SHORT}, two)["made"]
    of_draws = found.uncertainty
    assert of_draws is not None and of_draws.lost == 0
    for name in ("off", "allowed", "face", "claimed", "largest"):
        assert of_draws.effects[name] == pytest.approx((getattr(found, name),) * 2, rel=1e-5, abs=1e-12)
    assert of_draws.needed == (found.needed and pytest.approx(found.needed, rel=1e-5),) * 2
    interval = effect_interval(SHORT, found, "allowed")
    assert interval is not None and interval.sds["parameters"] == pytest.approx(0.0, abs=1e-6)
    assert interval.sds["studies"] == 0.5
    # The lever of the fit is drawn where it is no longer still.
    moving = [(*row[:5], (0.5, 2.0)) if row[0] == "Emax_SI" else row for row in still]
    install_claims_record(monkeypatch, tmp_path, moving)
    weak, strong = (effects["made"] for effects in compared_effects({"made": SHORT}, two.sets))
    assert weak["allowed"] > found.allowed > strong["allowed"]
    assert weak["claimed"] == pytest.approx(found.claimed, rel=1e-5), "the claims are not fitted"
