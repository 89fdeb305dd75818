"""Measurement error model: true value, within-person variation and assay error."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...observables.quantities import Numbers, visit_observables
from ...observables.variation import varied_by

if TYPE_CHECKING:
    from ..protocol.protocol import Protocol
    from .patient_pool import Pool


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


def measure_at_visit(
    protocol: Protocol, pool: Pool, code: str, true: Numbers, draws: Numbers, member: NDArray[np.integer]
) -> Numbers:
    """Return measurements.

    Parameters
    ----------
    true
        The person's own values, in the quantity's unit; visits last.
    draws
        Standard normal numbers of the same shape.
    member
        Whose they are: persons of the pool, of the same shape without visits. Visits err as the person's set of parameters has it.
    """
    sd, scale = measurement_sd(protocol, code)
    spread: Numbers | float = sd
    if pool.visits:
        spread = np.array(_by_set(protocol, pool, code))[pool.set_of(member)][..., None]
    floor = visit_observables()[code].floor
    measured = true * np.exp(spread * draws) if scale == "log" else true + spread * draws
    return np.where(np.isnan(true), np.nan, np.maximum(measured, floor))


def _by_set(protocol: Protocol, pool: Pool, code: str) -> list[float]:
    """Return the SD of what is measured at one visit under each set of parameters."""
    sds = []
    for visits in pool.visits:
        with varied_by(visits):
            sds.append(measurement_sd(protocol, code)[0])
    return sds
