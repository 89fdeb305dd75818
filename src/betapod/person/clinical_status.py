"""Clinical status of a simulated person: independence from insulin, remission, category of kidney disease."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..observables import kdigo as categories
from ..observables.outcomes import (
    INSULIN_FREE,
    INSULIN_FREE_HBA1C,
    REMISSION_DAYS,
    REMISSION_HBA1C,
)
from ..physiology import whole_body
from ..therapies import standard_care

if TYPE_CHECKING:
    import pandas as pd


def insulin_independent(table: pd.DataFrame) -> pd.Series[bool]:
    """Return at each time whether less than 2 U/day are injected with HbA1c below 7 %.

    Parameters
    ----------
    table
        Of a simulation of the day layer, with ``insulin_dose`` and ``HbA1c``.
    """
    return (table["insulin_dose"] < INSULIN_FREE) & (table["HbA1c"] < INSULIN_FREE_HBA1C)


def without_drugs(table: pd.DataFrame) -> pd.Series[bool]:
    """Return at each time whether no glucose-lowering drug acts; diet and weight loss are not drugs."""
    free = table["insulin_dose"] < INSULIN_FREE
    for quantity, value in glucose_drug_inputs().items():
        free &= np.isclose(table[quantity], value, atol=1e-6) | (quantity == "insulin_prescribed")
    return free


def glucose_drug_inputs() -> dict[str, float]:
    """Return every input by which glucose-lowering drugs act, with its value without any; diet and weight loss are not drugs."""
    inputs = whole_body.model_parameters("metabolism")
    diet = {"lifestyle", "total diet replacement"}
    quantities = {
        effect.quantity
        for name, doses in standard_care.catalogue().items()
        if name not in diet
        for effect in standard_care.therapy(_example(name, doses)).effects
        if effect.acts == "metabolic" and effect.rule != "policy" and effect.quantity != "dWt"
    }
    return {quantity: inputs[quantity].value for quantity in sorted(quantities & set(inputs))}


def _example(name: str, doses: tuple[str, ...]) -> str:
    return f"{name} {doses[0].replace('any', '1')}"


def diabetes_remission(table: pd.DataFrame) -> pd.Series[bool]:
    """Return at each time whether HbA1c has been below 6.5 % for three months without glucose-lowering drugs.

    Times before three months of follow-up cannot be judged and count as no remission.
    """
    good = ((table["HbA1c"] < REMISSION_HBA1C) & without_drugs(table)).to_numpy()
    times = table.index.to_numpy(dtype=float)
    remitted = table["HbA1c"] < 0.0
    for k, time in enumerate(times):
        window = (times >= time - REMISSION_DAYS) & (times <= time)
        # The sample at or before the window's start decides about its first stretch.
        before = np.flatnonzero(times <= time - REMISSION_DAYS)
        if before.size:
            window[before[-1]] = True
            remitted.iloc[k] = bool(good[window].all())
    return remitted


def kdigo(table: pd.DataFrame) -> pd.DataFrame:
    """Return the KDIGO category of GFR and of albuminuria and the risk at each time.

    One value stands for the persistence of three months that KDIGO asks for, which a simulated true value has.

    Parameters
    ----------
    table
        With ``eGFR`` (mL/min/1.73 m2) and ``UACR`` (mg/g).

    Returns
    -------
    DataFrame
        Columns ``G``, ``A`` and ``risk``; None where there is no value, such as after the patient's course has ended.
    """
    import pandas as pd

    egfr, uacr = table["eGFR"].to_numpy(dtype=float), table["UACR"].to_numpy(dtype=float)
    columns = {"G": categories.g_category(egfr), "A": categories.a_category(uacr), "risk": categories.risk(egfr, uacr)}
    return pd.DataFrame(columns, index=table.index, dtype=object)
