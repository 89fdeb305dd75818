"""What is not known of parameters, as the page draws it: sets of the posterior of the installed fit, and of what cells do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..physiology import whole_body
from ..therapies.scenarios import SCENARIOS
from ..trials.conduct.replicate_parameters import DrawsAsked, draws_of, fit_of
from ..validation.predictions.fit_conditions import FIT_DRAWS
from .explorer_people import MODEL

#: Seed of the draws of cells, and digits that are kept of a number.
_SEED, _DIGITS = 1, 6


def explorer_draws() -> dict[str, Any]:
    """Return as many sets of parameters as intervals elsewhere stand on, of equal weight.

    Each has values of the model's rows, factors on effects of drugs (by class and input), and by scenario the rows of cells. The rows of bodies are those of
    the newest installed fit; without one bodies are not drawn.
    """
    asked = DrawsAsked("", FIT_DRAWS, tuple(SCENARIOS), _SEED)
    rows = whole_body.named_model(MODEL).parameters
    sets = [
        {
            "values": _kept({name: value for name, value in drawn.of("").items() if name in rows}),
            "drugs": _kept(drawn.drugs),
            "cells": {
                scenario: _kept({name: value for name, value in of.items() if name in rows})
                for scenario, of in drawn.cells.items()
            },
        }
        for drawn in draws_of(asked)
    ]
    return {"fit": fit_of(asked), "sets": sets}


def _kept(values: Mapping[str, float]) -> dict[str, float]:
    return {name: float(f"{value:.{_DIGITS}g}") for name, value in values.items()}
