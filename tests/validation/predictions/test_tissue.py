"""Distribution and persistence of cells: what evidence says, and what the claims under test would need."""

from __future__ import annotations

import pytest

from betapod.validation.predictions.tissue_predictions import tissue
from betapod.validation.scorecard.cells_kinetics import label, persistence


@pytest.fixture(scope="module")
def verdicts() -> dict[str, dict[str, tuple[float, str]]]:
    return {
        name: {each.what: (each.predicted, each.verdict) for each in tissue(name)}
        for name in ("none", "current-evidence", "seed-claims")
    }


def test_evidence_agrees_with_scans_and_autopsies(verdicts) -> None:
    for name in ("none", "current-evidence"):
        assert {verdict for _, verdict in verdicts[name].values()} == {"inside"}


def test_the_claims_lose_on_distribution_persistence_and_beta_cells(verdicts) -> None:
    claimed = verdicts["seed-claims"]
    assert claimed["label in the lung, minutes after infusion"][1] == "miss"
    assert claimed["label in the spleen, day 10"][1] == "miss"
    # Half of the dose after a year, where autopsies find next to nothing.
    assert claimed["product cells in the kidneys, day 365"][0] > 0.5
    assert claimed["beta cells of the donor, day 365"][0] > 50.0


def test_without_benefit_cells_settle_as_they_do_and_replace_nothing(verdicts) -> None:
    kidneys = "product cells in the kidneys, day 30"
    assert verdicts["none"]["beta cells of the donor, day 365"][0] == 0.0
    assert verdicts["none"][kidneys][0] == pytest.approx(verdicts["current-evidence"][kidneys][0], rel=0.02)


def test_numbers_are_those_of_the_scorecard(verdicts) -> None:
    ours, scans = verdicts["current-evidence"], label()
    assert ours["label in the lung, minutes after infusion"][0] == pytest.approx(scans["lung_0"], rel=1e-5)
    assert ours["label in the spleen, day 10"][0] == pytest.approx(scans["spleen_10"], rel=1e-5)
    assert ours["product cells in the kidneys, day 30"][0] == pytest.approx(persistence()["kidney_30d"], rel=1e-3)
