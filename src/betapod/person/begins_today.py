"""What a changed value means for somebody with a history: what a person is holds for the whole life, what is done to them begins today."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TypeVar

from ..physiology import coupling
from ..therapies.standard_care import changed_quantities

T = TypeVar("T")

#: Inputs of experiments and of episodes: nobody lives so for years.
_EXPERIMENTS = (
    "hold_glucose",
    "glucose_held",
    "glucose_infusion",
    "insulin_infusion",
    "aki_m",
    "aki_loss",
    "graft_equivalents",
    "adherence_IS",
    "graft_hidden",
)
#: Traits and habits that a therapy changes too: a set point of pressure, what is eaten.
_LIFELONG = ("dMAP", "N_in", "protein_animal", "protein_vegetable")


@functools.cache
def inputs_of_treatment() -> frozenset[str]:
    """Return the inputs that treatment or an experiment sets, so that a changed value of theirs begins today.

    Those of drugs and insulin are the quantities of the table of standard care, those of cells what the cell model hands over to
    kidney and metabolism.
    """
    handed_over = {name for part in coupling.CELLS for name in part.names}
    return frozenset({*_EXPERIMENTS, *changed_quantities(), *handed_over}.difference(_LIFELONG))


def lifelong_and_today(changes: Mapping[str, T]) -> tuple[dict[str, T], dict[str, T]]:
    """Split changed values into those of the whole life and those that begin today.

    Parameters
    ----------
    changes
        Parameters and inputs -> value.

    Returns
    -------
    tuple of dict
        The part for the whole life, and the part from today on.
    """
    treatment = inputs_of_treatment()
    today = {name: value for name, value in changes.items() if name in treatment}
    return {name: value for name, value in changes.items() if name not in today}, today
