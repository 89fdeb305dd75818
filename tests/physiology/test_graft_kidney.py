"""What a graft of beta cells does to the kidney over ten years: less albumin and thinner membranes, by glucose alone, at a dip of filtration."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pytest

from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.person.coupled_person import Patient, treat_patient, typical_patient

YEARS = [0.0, 365.25, 3652.5]
OUTPUTS = ["HbA1c", "UACR", "eGFR", "W_GBM", "Vv_mes", "nephrons_present"]


@pytest.fixture(scope="module")
def recipient() -> Patient:
    return typical_patient("t1d")


def course(
    who: Patient, cells: tuple[str, ...] = ("SC-islets 0.8e9 pv",), days: Sequence[float] = YEARS, **changes: float
) -> pd.DataFrame:
    given = treat_patient(who, cells=cells, scenario="current-evidence")
    return simulate(given.model.with_values(changes), days, given.schedule, who.state, outputs=OUTPUTS).table


def test_ten_years_with_a_graft(recipient: Patient) -> None:
    """Published: HbA1c 7.8 to 6.2 % at half a year (14 people); GFR falls with loss of hyperfiltration, as after pancreas transplants."""
    none, graft, lost = course(recipient, ()), course(recipient), course(recipient, del_on_factor=3.0)
    assert none["HbA1c"].loc[365.25] == pytest.approx(7.79, abs=0.02)
    assert graft["HbA1c"].loc[365.25] < 6.5 and graft["HbA1c"].loc[3652.5] < 7.4
    end = 3652.5
    for name in ("UACR", "W_GBM", "Vv_mes"):
        assert graft[name].loc[end] < lost[name].loc[end] < none[name].loc[end]
    assert graft["UACR"].loc[end] < 0.6 * none["UACR"].loc[end]
    # Hyperfiltration goes at once, nephrons are kept in the long run.
    assert graft["eGFR"].loc[365.25] < none["eGFR"].loc[365.25] - 1.0
    assert graft["eGFR"].loc[end] > none["eGFR"].loc[end]
    assert graft["nephrons_present"].loc[end] > none["nephrons_present"].loc[end]


def test_a_graft_reaches_the_kidney_by_glucose_alone(recipient: Patient) -> None:
    held = {"hold_glucose": 1.0, "glucose_held": 9.8}
    days = [0.0, 730.5]
    graft, none = course(recipient, days=days, **held), course(recipient, (), days, **held)
    # Insulin of the graft acts on no vessel under current evidence; what is left is an error of integration.
    assert list(graft.iloc[-1]) == pytest.approx(list(none.iloc[-1]), rel=1e-4)
