"""The people in whom claims are simulated."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ..person.older import OLDER as OLDER
from ..therapies.effect_factors import scaled_effects
from .claim_parameters import AS_IN_TABLES, ClaimParameters

#: Orders to which several claims speak at once, since they say no more than "stem cells": products, doses and routes of trials, beside
#: the order of the claim itself.
_INFUSED = (
    "UC-MSC 1e6/kg iv x3 q28d",
    "BM-MSC 2e6/kg iv",
    "AD-MSC 1e6/kg iv x3 q28d",
    "BM-MNC 4e6/kg iv",
    "MPC 300e6 iv",
)
COURSE_SETS = {
    "infused cells": _INFUSED,
    "cells once": ("BM-MSC 2e6/kg iv", "AD-MSC 1e6/kg iv", "BM-MNC 4e6/kg iv", "MPC 300e6 iv"),
    "cells for kidneys": (*_INFUSED, "UC-MSC 1e6/kg ra bilateral"),
    "cells for islets": (*_INFUSED, "BM-MNC 4e6/kg pa"),
    "cells and islets": (*_INFUSED, "BM-MNC 4e6/kg pa", "SC-islets 0.8e9 pv"),
}

if TYPE_CHECKING:
    from ..person.coupled_person import Patient


@cache
def ledger_patient(name: str, parameters: ClaimParameters = AS_IN_TABLES) -> Patient:
    """Return a person of the ledger with every state today, after a life under a set of parameters.

    Raises
    ------
    ConfigError
        No such person, or one whom these parameters never let come to be.
    """
    from ..person import coupled_person

    with scaled_effects(parameters.drugs):
        return coupled_person.typical_patient(name, changes=parameters.of_person(name))


def describe_person(name: str) -> str:
    """Return who a person is, in words."""
    from ..person.coupled_person import person_label

    return person_label(name)
