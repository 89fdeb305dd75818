"""Codes of what trials measure and judge: PARAMCD of CDISC, and what people write instead."""

from __future__ import annotations

from .table import (
    Characteristic,
    Numbers,
    Observable,
    fixed,
    names_for,
    observables_and_characteristics,
    trial_observables,
)

__all__ = [
    "CHARACTERISTICS",
    "Characteristic",
    "Numbers",
    "Observable",
    "code_of",
    "known_codes",
    "label_of",
    "observable_unit",
    "visit_observables",
]

#: Characteristics by the name that protocols use.
CHARACTERISTICS = fixed()


def visit_observables() -> dict[str, Observable]:
    """Return what can be measured at visits, by PARAMCD."""
    return trial_observables()


def code_of(name: str) -> str:
    """Return the PARAMCD or characteristic that a name means, or the name in capitals where it means none."""
    upper = " ".join(str(name).upper().split())
    meant = names_for("protocol").get(upper)
    return observables_and_characteristics()[meant.means].paramcd if meant is not None else upper


def known_codes() -> list[str]:
    """Return every PARAMCD and characteristic."""
    return [*trial_observables(), *CHARACTERISTICS]


def observable_unit(code: str) -> str:
    """Return the unit of a PARAMCD or characteristic."""
    return _row(code).unit


def label_of(code: str) -> str:
    """Return its label."""
    return _row(code).label


def _row(code: str) -> Observable | Characteristic:
    return trial_observables().get(code) or CHARACTERISTICS[code]
