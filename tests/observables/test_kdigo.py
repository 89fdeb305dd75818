"""Categories of kidney disease at each of their bounds, as KDIGO prints them, and for whoever has no value."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.observables import kdigo


@pytest.mark.parametrize(
    ("egfr", "category"),
    [
        (90.0, "G1"),
        (89.999, "G2"),
        (89.0, "G2"),
        (60.0, "G2"),
        (59.999, "G3a"),
        (45.0, "G3a"),
        (44.999, "G3b"),
        (30.0, "G3b"),
        (29.999, "G4"),
        (15.0, "G4"),
        (14.999, "G5"),
        (0.0, "G5"),
        (np.nan, None),
        (np.inf, None),
    ],
)
def test_bounds_of_filtration(egfr: float, category: str | None) -> None:
    """KDIGO 2012: G1 >= 90, G2 60 to 89, G3a 45 to 59, G3b 30 to 44, G4 15 to 29, G5 < 15 mL/min/1.73 m2."""
    assert kdigo.g_category([egfr])[0] == category


@pytest.mark.parametrize(
    ("uacr", "category"),
    [(0.0, "A1"), (29.999, "A1"), (30.0, "A2"), (300.0, "A2"), (300.001, "A3"), (1e4, "A3"), (np.nan, None)],
)
def test_bounds_of_albuminuria(uacr: float, category: str | None) -> None:
    """KDIGO 2012: A1 < 30, A2 30 to 300, A3 > 300 mg/g."""
    assert kdigo.a_category([uacr])[0] == category


def test_the_grid_needs_both_values() -> None:
    egfr = [55.0, np.nan, 55.0, np.nan, 95.0]
    uacr = [300.0, 10.0, np.nan, np.nan, 29.9]
    assert kdigo.grid(egfr, uacr).tolist() == ["G3aA2", None, None, None, "G1A1"]
    assert kdigo.risk(egfr, uacr).tolist() == ["high", None, None, None, "low"]
    assert kdigo.grid([], []).tolist() == []


def test_risk_of_the_whole_grid() -> None:
    """Heat map of KDIGO 2012: green 2 cells, yellow 3, orange 4, red the rest."""
    g, a = np.meshgrid([95.0, 75.0, 50.0, 35.0, 20.0, 5.0], [5.0, 100.0, 1000.0], indexing="ij")
    names, counts = np.unique(kdigo.risk(g, a).astype(str), return_counts=True)
    assert dict(zip(names, counts, strict=True)) == {"low": 2, "moderate": 3, "high": 4, "very high": 9}


def test_every_door_uses_these_bounds() -> None:
    import pandas as pd

    from betapod.person import clinical_status
    from betapod.validation.predictions import event_terms

    table = pd.DataFrame({"eGFR": [55.0, np.nan], "UACR": [300.0, 10.0]})
    assert clinical_status.kdigo(table)["A"].tolist() == ["A2", "A1"]
    assert clinical_status.kdigo(table)["G"].tolist() == ["G3a", None]

    bounds = {"UACR": {kdigo.A2_FROM, kdigo.A3_ABOVE}, "eGFR": set(kdigo.G_BOUNDS)}
    for name, expected in bounds.items():
        clauses = event_terms.clauses_of(f"{name} class worse")
        found = {bound for clause in clauses for term in clause for bound in (term.low, term.high)}
        assert found - {-np.inf, np.inf} == expected
