"""What published risk equations read of people."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..risk import Numbers


@dataclass(frozen=True)
class EquationPeople:
    """People as risk equations see them: numbers, or arrays that broadcast with each other; NaN where it is not known.

    Attributes
    ----------
    age
        Years.
    female, diabetes, hypertension, pressure_drugs, heart_failure, coronary_disease, atrial_fibrillation, smoker, ex_smoker, oral_drugs, insulin
        0 or 1; ``oral_drugs`` are drugs that lower glucose.
    egfr, uacr
        mL/min/1.73m2 (CKD-EPI 2021) and mg/g.
    sbp, bmi, hba1c
        mmHg, kg/m2, %.
    albumin, phosphate, bicarbonate, calcium
        g/dL, mg/dL (of phosphorus), mmol/L, mg/dL, in serum.

    Examples
    --------
    >>> from betapod.hazards.risk_equations.equation_people import EquationPeople
    >>> EquationPeople(age=61, female=0, egfr=52, uacr=380).column("male").tolist()
    1.0
    """

    age: ArrayLike
    female: ArrayLike
    egfr: ArrayLike
    uacr: ArrayLike
    diabetes: ArrayLike = np.nan
    hypertension: ArrayLike = np.nan
    sbp: ArrayLike = np.nan
    pressure_drugs: ArrayLike = np.nan
    heart_failure: ArrayLike = np.nan
    coronary_disease: ArrayLike = np.nan
    atrial_fibrillation: ArrayLike = np.nan
    smoker: ArrayLike = np.nan
    ex_smoker: ArrayLike = np.nan
    bmi: ArrayLike = np.nan
    hba1c: ArrayLike = np.nan
    oral_drugs: ArrayLike = np.nan
    insulin: ArrayLike = np.nan
    albumin: ArrayLike = np.nan
    phosphate: ArrayLike = np.nan
    bicarbonate: ArrayLike = np.nan
    calcium: ArrayLike = np.nan

    def column(self, term: str) -> Numbers:
        """Return a term of an equation: a field, ``male`` or ``log_uacr``."""
        if term == "male":
            return 1.0 - self.column("female")
        if term == "log_uacr":
            uacr = self.column("uacr")
            return np.log(np.where(uacr > 0.0, uacr, np.nan))
        return np.asarray(getattr(self, term), dtype=np.float64)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape to which everything broadcasts."""
        return np.broadcast_shapes(*(np.shape(getattr(self, item.name)) for item in fields(self)))


def lies_within(values: ArrayLike, low: float, high: float) -> NDArray[np.bool_]:
    """Return where values lie from `low` to `high`; not where they are NaN."""
    numbers = np.asarray(values, dtype=np.float64)
    return np.asarray((numbers >= low) & (numbers <= high))
