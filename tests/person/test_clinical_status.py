"""Clinical read-outs at their bounds: independence from insulin and remission."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from betapod.person import clinical_status
from betapod.physiology import whole_body


def course(hba1c: list[float], days: list[float], **columns: object) -> pd.DataFrame:
    """Return a course of the day layer without any drug."""
    table = pd.DataFrame(
        {name: row.value for name, row in whole_body.model_parameters("metabolism").items()}, index=days
    )
    table["insulin_dose"] = 0.0
    table["HbA1c"] = hba1c
    for name, value in columns.items():
        table[name] = value
    return table


@pytest.mark.parametrize(
    ("dose", "hba1c", "free"),
    [(0.0, 6.9, True), (1.999, 6.999, True), (2.0, 6.9, False), (0.0, 7.0, False), (0.0, np.nan, False)],
)
def test_independence_from_insulin(dose: float, hba1c: float, free: bool) -> None:
    table = pd.DataFrame({"insulin_dose": [dose], "HbA1c": [hba1c]})
    assert clinical_status.insulin_independent(table).tolist() == [free]


@pytest.mark.parametrize(
    ("hba1c", "remits"), [(6.499, True), (6.5, False), (6.9, False), (7.0, False), (np.nan, False)]
)
def test_remission_is_below_6_5(hba1c: float, remits: bool) -> None:
    """HbA1c below 6.5 % (48 mmol/mol) for three months without drugs: Riddle et al. 2021, doi:10.2337/dci21-0034."""
    found = clinical_status.diabetes_remission(course([hba1c] * 3, [0.0, 60.0, 120.0]))
    assert found.tolist() == [False, False, remits]


@pytest.mark.parametrize(("last", "remits"), [(91.0, False), (91.3125, True), (92.0, True)])
def test_remission_lasts_three_months(last: float, remits: bool) -> None:
    assert clinical_status.diabetes_remission(course([6.0, 6.0, 6.0], [0.0, 50.0, last])).iloc[-1] == remits


def test_remission_ends_with_one_value_at_the_bound() -> None:
    days = [0.0, 60.0, 120.0, 180.0, 240.0, 300.0]
    found = clinical_status.diabetes_remission(course([6.0, 6.0, 6.0, 6.5, 6.0, 6.0], days))
    # Day 300 less three months is day 209, about which day 180 decides.
    assert found.tolist() == [False, False, True, False, False, False]


@pytest.mark.parametrize("name", ["met", "insulin_dose"])
def test_no_remission_on_a_drug(name: str) -> None:
    table = course([6.0] * 3, [0.0, 60.0, 120.0], **{name: 0.3 if name == "met" else 5.0})
    assert not clinical_status.diabetes_remission(table).any()
