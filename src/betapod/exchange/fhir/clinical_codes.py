"""Codes of conditions and procedures that matter for a forecast: the reader of ``clinical_codes.csv``.

Codes of grade B were read in public files, those of grade D were recalled.
"""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from pathlib import Path

#: What ends the reading: the model and the equations do not hold for these people.
REFUSED_STATES = ("dialysis", "transplant", "pregnancy")


@dataclass(frozen=True)
class ClinicalCode:
    """A code: whether longer ones that start with it count too, and what it means."""

    system: str
    code: str
    starts: bool
    means: str
    label: str


@functools.cache
def clinical_codes() -> tuple[ClinicalCode, ...]:
    """Return the codes."""
    path = Path(__file__).with_name("clinical_codes.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            ClinicalCode(row["system"], row["code"], row["starts"] == "1", row["means"], row["label"])
            for row in csv.DictReader(file)
        )


def code_meaning(system: str, code: str) -> ClinicalCode | None:
    """Return what a coding means here; None where it means nothing.

    Parameters
    ----------
    system
        Address of the code system; ICD-10 and its national forms, and SNOMED CT are read.

    Examples
    --------
    >>> from betapod.exchange.fhir.clinical_codes import code_meaning
    >>> code_meaning("http://hl7.org/fhir/sid/icd-10-cm", "N18.32").means
    'G3b'
    """
    kind = "icd10" if "icd-10" in system.lower() else "snomed" if "snomed" in system.lower() else ""
    plain = code.upper().replace(".", "")
    for item in clinical_codes():
        short = item.code.replace(".", "")
        if item.system == kind and (plain == short or (item.starts and plain.startswith(short))):
            return item
    return None
