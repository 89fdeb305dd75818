"""Measurement error model: true value, within-person variation and assay error."""

from __future__ import annotations

import csv
import functools
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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


@functools.cache
def _mortality() -> list[tuple[float, float, float, float, float]]:
    with (Path(__file__).parent / "mortality.csv").open(encoding="utf-8", newline="") as file:
        columns = ("egfr_from", "egfr_to", "uacr_from", "uacr_to", "rate")
        return [tuple(float(row[name]) for name in columns) for row in csv.DictReader(file)]  # type: ignore[misc]


def death_rate(egfr: Numbers, uacr: Numbers) -> NDArray[np.float64]:
    """Return deaths per year of adults with diabetes by eGFR (mL/min/1.73m2) and UACR (mg/g); not adjusted for age."""
    rate = np.zeros(np.shape(egfr))
    for low, high, least, most, value in _mortality():
        rate = np.where((egfr >= low) & (egfr < high) & (uacr >= least) & (uacr < most), value, rate)
    return rate
