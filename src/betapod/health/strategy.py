"""Strategies that are compared: cells under a scenario, drugs, and inputs of the model, on top of what people take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..therapies.scenarios import NONE
from ..therapies.standard_care import Therapy


@dataclass(frozen=True)
class Strategy:
    """What everybody is given from day 0 on.

    Attributes
    ----------
    cells
        An order such as ``UC-MSC 1e6/kg iv x3 q28d``; empty for none.
    scenario
        What cells do, one of `scenarios.SCENARIOS`.
    therapies
        Drugs and diets; who takes a drug of the class already, or has a contraindication, goes without.
    inputs
        Inputs of the coupled model that are set for everybody, in the rows' units.

    Examples
    --------
    >>> from betapod.health.strategy import Strategy
    >>> from betapod.therapies.standard_care import therapy
    >>> Strategy(therapies=(therapy("SGLT2 inhibitor"),)).cells
    ''
    """

    cells: str = ""
    scenario: str = NONE
    therapies: tuple[Therapy, ...] = ()
    inputs: Mapping[str, float] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """Return everything that shapes its courses, as plain values."""
        drugs = [{**asdict(item), "start": item.start, "stop": repr(item.stop)} for item in self.therapies]
        plain = [{name: repr(value) for name, value in drug.items()} for drug in drugs]
        scenario = self.scenario if self.cells else ""
        return {
            "cells": self.cells,
            "scenario": scenario,
            "therapies": plain,
            "inputs": dict(sorted(self.inputs.items())),
        }
