"""What is supposed of cells, and what may go wrong with them."""

from __future__ import annotations

import functools

from ..physiology import whole_body
from . import cell_parameters
from .cell_dosing import regimen
from .cell_risks import Risk, risks

#: Adverse events by their names in the model.
EVENTS = {
    "p_fever": "fever",
    "p_reaction": "infusion reaction",
    "p_thrombosis": "thrombosis",
    "p_antibody": "antibodies against the donor",
    "p_artery": "injury of an artery",
    "p_lesion": "kidney lesion by injection",
    "p_bleeding": "bleeding",
    "p_portal_clot": "portal vein thrombosis",
    "p_growth": "unwanted growth",
}

_TYPICAL_WEIGHT = 80.0


@functools.cache
def adverse(order: str, scenario: str) -> tuple[Risk, ...]:
    """Return the chances of adverse events of a course of cells."""
    model = cell_parameters.parameterise(whole_body.model("cells"), scenario)
    return tuple(risks(regimen(order, _TYPICAL_WEIGHT, model, scenario), model))
