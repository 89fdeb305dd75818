"""Measurement error model: true value, within-person variation and assay error."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ...observables.quantities import Numbers, visit_observables

if TYPE_CHECKING:
    from ..protocol.protocol import Protocol


def measurement_sd(protocol: Protocol, code: str) -> tuple[float, str]:
    """Return the SD of what is measured at one visit, and its scale: ``log`` or ``linear``.

    Several samples at one visit count as their mean; on the logarithmic scale as the geometric one. The variation between days and
    that of the assay are one number, since repeated examinations contain both.
    """
    quantity, how = visit_observables()[code], protocol.measurement(code)
    error = quantity.error
    assert error is not None, code
    sd, scale = error.sd, error.scale
    if how.cv is not None:
        sd, scale = math.sqrt(math.log1p(how.cv**2)), "log"
    return sd / math.sqrt(how.samples), scale


def measure_at_visit(protocol: Protocol, code: str, true: Numbers, draws: Numbers) -> Numbers:
    """Return measurements.

    Parameters
    ----------
    true
        The person's own values, in the quantity's unit.
    draws
        Standard normal numbers of the same shape.
    """
    sd, scale = measurement_sd(protocol, code)
    floor = visit_observables()[code].floor
    measured = true * np.exp(sd * draws) if scale == "log" else true + sd * draws
    return np.where(np.isnan(true), np.nan, np.maximum(measured, floor))
