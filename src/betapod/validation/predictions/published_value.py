"""A published number on the scale on which it is compared with the model, and the degrees of freedom behind its error."""

from __future__ import annotations

import math

from ...evidence.records.study import Record
from ...evidence.synthesis.reported_error import compared_ratio
from .study_readouts import Readout

#: Efficiency of the IQR as an estimate of the SD of a normal distribution: how many fewer people it is worth.
_IQR_EFFICIENCY = 0.37


def published_value(record: Record, readout: Readout, base: float | None) -> float:
    """Return the published number on the scale of comparison; as a change where the own baseline anchors a level."""
    value = record.value
    assert value is not None
    if readout.scale == "log":
        return math.log(value / base if base and record.kind != "percent" else compared_ratio(record, value))
    return value - base if base is not None else value


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
