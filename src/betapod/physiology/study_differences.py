"""What studies of a kind differ by: how far published numbers lie from the fitted model beyond their own errors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .installed_fits import FitRecord

#: Units that say nothing of what is measured: 5 % of an insulin dose and 5 % of HbA1c are not alike.
_BARE_UNITS = ("%", "1")


@dataclass(frozen=True)
class StudyDifferences:
    """What studies of a kind differ by, as a fit has estimated it.

    Attributes
    ----------
    kind
        Class of published numbers, see `kind_of_numbers`.
    family
        SD of what all numbers of a family of studies share, on `scale`.
    row
        SD of what each number has of its own, on `scale`.
    scale
        ``linear``, ``log``, or ``angle``: 2*asin(sqrt p) of a share.
    rows
        Fitted numbers that it was estimated from.

    Examples
    --------
    >>> from betapod.physiology.study_differences import StudyDifferences
    >>> StudyDifferences("ratio", 0.3, 0.4, "log", 12).sd
    0.5
    """

    kind: str
    family: float
    row: float
    scale: str
    rows: int

    @property
    def sd(self) -> float:
        """SD of what a number of a new study has, family and number together."""
        return math.hypot(self.family, self.row)

    def sd_of_share(self, share: float) -> float:
        """Return the SD of a share itself, where `scale` is that of angles."""
        return self.sd * math.sqrt(max(share * (1.0 - share), 0.0))


def kind_of_numbers(row_class: str, scale: str, unit: str, endpoint: str) -> str:
    """Return the class within which what the model lacks is taken to be alike.

    Shares and ratios of whatever are alike; 5 mmHg and 5 mL/min are not, nor are 5 % of two quantities.

    Parameters
    ----------
    row_class
        ``share``, ``event ratio``, ``slope``, ``ratio`` or ``level``.
    scale
        Of comparison: with its unit stands what is ``linear``.

    Examples
    --------
    >>> from betapod.physiology.study_differences import kind_of_numbers
    >>> kind_of_numbers("slope", "linear", "mL/min/1.73m2/year", "eGFR_slope")
    'slope mL/min/1.73m2/year'
    >>> kind_of_numbers("level", "linear", "%", "HbA1c")
    'level % HbA1c'
    """
    if scale != "linear":
        return row_class
    return f"{row_class} {unit} {endpoint}" if unit in _BARE_UNITS else f"{row_class} {unit}"


def study_differences(fit: FitRecord, kind: str) -> StudyDifferences | None:
    """Return what a fit says studies of a kind differ by; None where it had no fitted number of the kind, so that nobody knows.

    Parameters
    ----------
    kind
        See `kind_of_numbers`.
    """
    table = fit.table("discrepancy.csv")
    for index, name in enumerate(table["class"]):
        if str(name) == kind:
            family, row = float(table["tau_family"][index]), float(table["tau_row"][index])
            return StudyDifferences(kind, family, row, str(table["scale"][index]), int(table["rows"][index]))
    return None
