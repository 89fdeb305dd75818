"""What an observed change is made of: differences between courses of one person in which one thing is added after the other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...observables.quantities import Numbers

#: Parts of an observed change, in the order in which they are added up.
PARTS = {
    "natural course": "disease progression under prior care",
    "run-in": "run-in treatment that is not yet at steady state",
    "conventional therapy": "protocol treatment other than cells",
    "co-medication": "treatment begun outside the protocol during the trial",
    "cells": "the cells",
    "trial effect": "trial (placebo, Hawthorne) effect: adherence, attention",
    "rescue": "rescue therapy",
    "regression to the mean": "error of the baseline measurement, reversed",
    "measurement": "error of the later measurement",
}


def parts_of_change(
    observed: Numbers,
    base: Numbers,
    missing: NDArray[np.bool_],
    stages: Mapping[str, Numbers],
    start: Mapping[str, Numbers],
    extra: Mapping[str, Numbers],
) -> dict[str, Numbers]:
    """Return the parts of the observed change, name of `PARTS` -> (R, n, V); their sum is the change exactly.

    Parameters
    ----------
    observed, base
        (R, n, V) measured values and (R, n) measured baseline, on the scale of changes.
    missing
        (R, n, V) whether nothing was measured; parts are NaN there.
    stages, start
        Stage -> true values (R, n, V), and true baseline (R, n), with one thing more than in the stage before.
    extra
        ``trial effect`` and ``rescue``, (R, n, V).
    """
    parts: dict[str, Numbers] = {}
    parts["natural course"] = stages["natural"] - start["natural"][:, :, None]
    before, ground = stages["natural"], start["natural"]
    for name, stage in (
        ("run-in", "run-in"),
        ("conventional therapy", "care"),
        ("co-medication", "co-medication"),
        ("cells", "cells"),
    ):
        shift = start[stage] - ground
        parts[name] = stages[stage] - before - shift[:, :, None]
        before, ground = stages[stage], start[stage]
    parts["trial effect"], parts["rescue"] = extra["trial effect"], extra["rescue"]
    true = stages["cells"] + extra["trial effect"] + extra["rescue"]
    parts["regression to the mean"] = np.broadcast_to((start["cells"] - base)[:, :, None], true.shape)
    parts["measurement"] = observed - true
    return {name: np.where(missing, np.nan, parts[name]) for name in PARTS}
