"""Outcomes that are yes or no: free of insulin, in partial remission, with a graft that works; by what is seen on visits."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from .table import Numbers

Flags = NDArray[np.bool_]

#: Injected insulin below which a person counts as free of it, U/day, and HbA1c that must go with it, %.
INSULIN_FREE, INSULIN_FREE_HBA1C = 2.0, 7.0
#: HbA1c of remission, %, and how long it must last, days.
REMISSION_HBA1C, REMISSION_DAYS = 6.5, 91.3125
#: HbA1c below which control is good, %.
GOOD_HBA1C = 7.0
#: C-peptide from which a graft counts as working, nmol/L: 0.3 ng/mL, the definition of the islet registries.
C_PEPTIDE_POSITIVE = 0.1
#: Stimulated C-peptide that can be detected, nmol/L: HAO2016, abstract.
C_PEPTIDE_DETECTABLE = 0.017
#: Insulin-dose-adjusted HbA1c (% + 4 times U/kg/day) up to which type 1 diabetes counts as in partial remission.
PARTIAL_REMISSION, PER_DOSE = 9.0, 4.0

#: An observable of everybody on a visit, by its id and week.
Readings = Callable[[str, float], Numbers]
Condition = Callable[[Readings, float], Flags]


def insulin_free(dose: Numbers, hba1c: Numbers) -> Flags:
    """Return who is free of insulin: less than 2 U/day are injected with HbA1c below 7 %."""
    return np.asarray((dose < INSULIN_FREE) & (hba1c < INSULIN_FREE_HBA1C), dtype=bool)


def dose_adjusted_hba1c(hba1c: Numbers, dose: Numbers, weight: Numbers) -> Numbers:
    """Return insulin-dose-adjusted HbA1c (%): HbA1c and four times the dose in U/kg/day; dose in U/day, weight in kg."""
    return hba1c + PER_DOSE * dose / weight


def _controlled(measured: Readings, week: float) -> Flags:
    return np.asarray(measured("HbA1c", week) < GOOD_HBA1C)


def _independent(measured: Readings, week: float) -> Flags:
    return insulin_free(measured("insulin_dose", week), measured("HbA1c", week))


def _half_dose(measured: Readings, week: float) -> Flags:
    dose, start = measured("insulin_dose", week), measured("insulin_dose", 0.0)
    return np.asarray((start > 0) & (dose <= 0.5 * start))


def _reduced_and_controlled(measured: Readings, week: float) -> Flags:
    return _controlled(measured, week) & _half_dose(measured, week)


def _partial_remission(measured: Readings, week: float) -> Flags:
    adjusted = dose_adjusted_hba1c(
        measured("HbA1c", week), measured("insulin_dose", week), measured("body_weight", week)
    )
    return np.asarray(adjusted <= PARTIAL_REMISSION, dtype=bool)


def _working(measured: Readings, week: float) -> Flags:
    return np.asarray(measured("fasting_C_peptide", week) >= C_PEPTIDE_POSITIVE, dtype=bool)


def _maintained(measured: Readings, week: float) -> Flags:
    return np.asarray(measured("stimulated_C_peptide", week) >= measured("stimulated_C_peptide", 0.0), dtype=bool)


def _more_secretion(measured: Readings, week: float) -> Flags:
    """A tenth more of the fasting or of the postprandial C-peptide, as the endpoint of LU2021 has it."""
    grown = [
        measured(name, week) >= 1.1 * measured(name, 0.0) for name in ("fasting_C_peptide", "stimulated_C_peptide")
    ]
    return np.asarray(grown[0] | grown[1], dtype=bool)


def _stimulated(measured: Readings, week: float) -> Flags:
    return np.asarray(measured("stimulated_C_peptide", week) >= C_PEPTIDE_POSITIVE, dtype=bool)


def _detectable(measured: Readings, week: float) -> Flags:
    return np.asarray(measured("stimulated_C_peptide", week) >= C_PEPTIDE_DETECTABLE, dtype=bool)


#: Endpoints of the registry of evidence that are shares of people with an outcome.
SHARES: Mapping[str, Condition] = {
    "HbA1c_lt7": _controlled,
    "insulin_independence": _independent,
    "insulin_reduction_ge50": _half_dose,
    "HbA1c_lt7_and_insulin_reduction_ge50": _reduced_and_controlled,
    "insulin_reduction_ge50_with_HbA1c_lt7": _reduced_and_controlled,
    "C_peptide_positive": _working,
    "graft_survival": _stimulated,
    "engraftment": _stimulated,
    "partial_remission": _partial_remission,
    "C_peptide_baseline_maintained": _maintained,
    "C_peptide_detectable": _detectable,
    "C_peptide_increase_ge10pct": _more_secretion,
}
