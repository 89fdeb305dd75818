"""Coefficients of published risk equations: the reader of ``kidney_coefficients.csv``."""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RiskCoefficient:
    """One number of an equation.

    Attributes
    ----------
    value
        Change of the linear predictor per `per` of the term above its centre; for ``constant`` and ``survival ...`` the number itself.
    centre, per
        In `unit`.
    source, locator, grade, note
        Where it comes from, and where it was read.
    """

    term: str
    value: float
    centre: float
    per: float
    unit: str
    source: str
    locator: str
    grade: str
    note: str


@functools.cache
def risk_coefficients() -> dict[str, dict[str, RiskCoefficient]]:
    """Return the coefficients by equation and term.

    Examples
    --------
    >>> from betapod.hazards.risk_equations.kidney_coefficients import risk_coefficients
    >>> risk_coefficients()["kfre4"]["egfr"].value
    -0.5567
    """
    path = Path(__file__).with_name("kidney_coefficients.csv")
    equations: dict[str, dict[str, RiskCoefficient]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            equations.setdefault(row["equation"], {})[row["term"]] = RiskCoefficient(
                row["term"],
                float(row["value"]),
                float(row["centre"] or 0.0),
                float(row["per"] or 1.0),
                row["unit"],
                row["source"],
                row["locator"],
                row["grade"],
                row["note"],
            )
    return equations
