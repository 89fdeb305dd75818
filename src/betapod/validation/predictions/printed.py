"""What a source prints of a number and its error, on the scale on which it is compared with the model."""

from __future__ import annotations

import math
import re

from ...evidence.records.study import Record
from ...evidence.synthesis.effects import Z975
from .readouts import Readout

#: IQR of a normal distribution in SDs; SD of a median over that of a mean.
_IQR_PER_SD, _MEDIAN_EFFICIENCY = 1.3489795003921634, 1.2533141373155001
#: Efficiency of the IQR as an estimate of the SD of a normal distribution: how many fewer people it is worth.
_IQR_EFFICIENCY = 0.37
#: Smallest ratio that is taken for a logarithm.
_LEAST = 1e-3


def observed(record: Record, readout: Readout, base: float | None) -> float:
    """Return the published number on the scale of comparison; as a change where the own baseline anchors a level."""
    value = record.value
    assert value is not None
    if readout.scale == "log":
        return math.log(_ratio(value, record, base))
    return value - base if base is not None else value


def _ratio(value: float, record: Record, base: float | None = None) -> float:
    if record.kind == "percent":
        return max(_LEAST, 1.0 + value / 100.0)
    return value / base if base else value


def printed_error(record: Record, readout: Readout) -> float | None:
    """Return the standard error that the source allows to compute, on the scale of comparison."""
    spread, n, value = record.dispersion, record.n, record.value
    log = readout.scale == "log"
    if value is None:
        return None
    if spread is not None and spread.type == "tolerance_factor" and readout.geometric and n and spread.low > 1.0:
        # What the SD of the logarithms is the logarithm of.
        return math.log(spread.low) / math.sqrt(n)
    if spread is None or spread.type not in ("CI95", "SE", "SD", "IQR"):
        return _from_p(record, math.log(_ratio(value, record)) if log else value)
    if spread.type == "CI95":
        if log and record.kind != "percent" and spread.low <= 0.0:
            return None
        low, high = (math.log(_ratio(b, record)) if log else b for b in (spread.low, spread.high))
        return (high - low) / (2.0 * Z975)
    error: float | None = None
    if spread.type == "SE":
        error = spread.low
    elif spread.type == "SD" and n:
        error = spread.low / math.sqrt(n)
    elif spread.type == "IQR" and n:
        scale = _MEDIAN_EFFICIENCY / _IQR_PER_SD / math.sqrt(n)
        if log and record.kind != "percent" and spread.low > 0:
            return math.log(spread.high / spread.low) * scale
        error = spread.width * scale
    if error is not None and log:
        error /= abs(value) if record.kind != "percent" else 100.0 + value
    return error


def freedom(record: Record, people: int | None, groups: int) -> float:
    """Return the degrees of freedom behind a printed error of so many people in each of so many groups.

    Unlimited for intervals, which are wider in small studies already, and for p values, which have been through Student's
    distribution; and where the source does not say how many people there were.
    """
    spread = record.dispersion
    if spread is None or people is None or spread.type not in ("SE", "SD", "IQR", "tolerance_factor"):
        return math.inf
    left = max(groups * (people - 1.0), 1.0)
    return left * _IQR_EFFICIENCY if spread.type == "IQR" else left


def exact_p(record: Record) -> float | None:
    """Return the two-sided p value of a comparison of two groups, where the source prints it exactly."""
    match = re.fullmatch(r"(?:p\s*=\s*)?(0?\.\d+)", record.p_value.strip(), re.IGNORECASE)
    if record.contrast not in ("between", "association") or match is None or not 0.0 < float(match[1]) < 1.0:
        return None
    return float(match[1])


def _from_p(record: Record, effect: float) -> float | None:
    """Return the standard error of a contrast that an exact two-sided p value implies."""
    from statistics import NormalDist

    p = exact_p(record)
    return None if p is None else abs(effect) / NormalDist().inv_cdf(1.0 - p / 2.0)


def error_of_change(last: float, first: float | None, moved: float) -> float:
    """Return the standard error of a change, given those of both ends.

    Errors of the ends are mostly of who was chosen, which a change is free of. It has what virtual trials say that people move by,
    and the difference of the two spreads, but no more than if the ends were of different people.

    Parameters
    ----------
    first
        Taken to be that of the last where it is not known.
    moved
        Error of a change in virtual trials of the study's size; with nan the ends have a correlation of a half.
    """
    first = last if first is None else first
    if math.isnan(moved):
        return math.sqrt(last**2 + first**2 - last * first)
    return min(math.hypot(last - first, moved), math.hypot(last, first))
