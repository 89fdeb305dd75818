"""The people in whom claims are simulated."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ..person.older import OLDER as OLDER

if TYPE_CHECKING:
    from ..person.coupled_person import Patient


@cache
def ledger_patient(name: str) -> Patient:
    """Return a person of the ledger with every state today.

    Raises
    ------
    ConfigError
        No such person.
    """
    from ..person import coupled_person

    return coupled_person.typical_patient(name)


def describe_person(name: str) -> str:
    """Return who a person is, in words."""
    from ..person.coupled_person import person_label

    return person_label(name)
