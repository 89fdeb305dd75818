"""What PEtab can hold of a fit of published rows: its unknowns with priors and what was found; and in words what it cannot hold."""

from __future__ import annotations

import math
import re
from typing import Any

from ..base.constants import Z90
from ..physiology.installed_fits import FitRecord, FittedUnknown
from .unknown import FARTHEST

#: Scales that PEtab 1 has.
_SCALES = {"log": "log", "linear": "lin"}


def petab_parameters(record: FitRecord) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the parameter table of a fit of published rows, and sentences on what PEtab cannot hold of it."""
    rows = [
        _row(unknown)
        for unknown in record.unknowns
        if unknown.kind in ("row", "cells") and unknown.transform in _SCALES
    ]
    named = {row["parameterName"] for row in rows}
    others = [unknown.name for unknown in record.unknowns if unknown.name not in named]
    sentences = [
        f"The {len(record.rows['record'])} rows of the fit: each is a statistic of a cohort of virtual people (a mean, a share, "
        "a contrast, a rate), chosen to have a baseline. PEtab has one simulated person per condition and no statistics of groups, so "
        "that there are no tables of conditions, observables and measurements.",
        "Errors that rows of a family share, and what the model lacks by class of rows.",
    ]
    if others:
        sentences.append(
            f"Unknowns that are no parameters of the model, or whose scale PEtab has not: {', '.join(others)}."
        )
    return rows, sentences


def _row(unknown: FittedUnknown) -> dict[str, Any]:
    scale = _SCALES[unknown.transform]
    ends = [math.log(x) if scale == "log" else x for x in (unknown.prior_low, unknown.prior_median, unknown.prior_high)]
    sd = (ends[2] - ends[0]) / (2.0 * Z90)
    low, high = ends[1] - FARTHEST * sd, ends[1] + FARTHEST * sd
    natural = (math.exp(low), math.exp(high)) if scale == "log" else (low, high)
    return {
        "parameterId": re.sub(r"[^A-Za-z0-9_]", "_", unknown.name),
        "parameterName": unknown.name,
        "parameterScale": scale,
        "lowerBound": natural[0],
        "upperBound": natural[1],
        "nominalValue": unknown.median,
        "estimate": 1,
        "objectivePriorType": "parameterScaleNormal",
        "objectivePriorParameters": f"{ends[1]!r};{sd!r}",
    }
