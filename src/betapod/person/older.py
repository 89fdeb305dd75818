"""Typical people who have lived on, untreated, until their kidneys are diseased."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Older:
    """A typical person some years later, untreated.

    Attributes
    ----------
    years
        Chosen so that `kidney` describes the end: a question about damaged kidneys needs a person who has them.
    """

    start: str
    years: float
    kidney: str


OLDER = {
    "t2d_micro": Older("t2d_late", 5.0, "type 2 diabetes, eGFR 105, UACR 90 mg/g: early nephropathy"),
    "t2d_ckd": Older("t2d_late", 14.0, "type 2 diabetes, eGFR 36, UACR 380 mg/g: advanced diabetic kidney disease"),
}
