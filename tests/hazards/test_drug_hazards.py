"""Factors of drugs: sources that exist, one of a class, two that must come together, and shares of an effect."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.hazards.drug_hazards import drug_factors, drug_hazards, hazard_class, taken_on
from betapod.therapies.standard_care import therapy


def _factor(drug: str, cause: str) -> float:
    return next(row.factor for row in drug_hazards() if (row.drug, row.cause) == (drug, cause))


def test_rows_have_sources_and_intervals() -> None:
    for row in drug_hazards():
        assert row.source and row.locator and row.grade == "A", row
        assert row.low < row.factor < row.high, row


def test_factors_multiply_over_classes_and_count_once_within_one() -> None:
    glp1, sglt2 = (_factor(name, "cv_death") for name in ("GLP-1 receptor agonist", "SGLT2 inhibitor"))
    both = drug_factors({"semaglutide": 1.0, "liraglutide": 1.0, "SGLT2 inhibitor": 1.0})
    assert float(both["cv_death"]) == pytest.approx(glp1 * sglt2)
    assert hazard_class("semaglutide") == hazard_class("liraglutide") == "GLP-1 receptor agonist"
    assert drug_factors({"metformin": 1.0}) == {}


def test_half_of_the_effect_is_half_of_the_logarithm() -> None:
    half = drug_factors({"SGLT2 inhibitor": np.array([0.0, 0.5, 1.0])})["hf_hospitalisation"]
    full = _factor("SGLT2 inhibitor", "hf_hospitalisation")
    assert half.tolist() == pytest.approx([1.0, full**0.5, full])


def test_two_blockers_count_together_alone() -> None:
    assert "aki" not in drug_factors({"ACE inhibitor": 1.0})
    assert float(drug_factors({"ACE inhibitor": 1.0, "ARB": 1.0})["aki"]) == pytest.approx(1.41)


def test_drugs_count_while_they_are_taken() -> None:
    days = np.array([0.0, 50.0, 100.0])
    added = [(therapy("SGLT2 inhibitor", start=40, stop=90, adherence=0.8),), ()]
    taken = taken_on(days, {"SGLT2 inhibitor": np.array([False, True]), "metformin": np.array([True, True])}, added)
    assert set(taken) == {"SGLT2 inhibitor"}
    assert taken["SGLT2 inhibitor"].tolist() == [[0.0, 0.8, 0.0], [1.0, 1.0, 1.0]]
