"""The rule by which a simulated number agrees with a target: inside, near, or a miss."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...base.constants import Z95
from .targets import Target

#: Printed with every scorecard.
RULE = """inside  within the target's uncertainty: its 95 % interval; mean and 1.96 standard errors; one SD or the range where the source gives
        only those; 10 % around a number that stands alone; the right side of a bound
near    outside, in the same direction, within twice that distance from the target
miss    otherwise; size = (model - target) / half-width, the half-width on the model's side
Rows used to choose parameters (fit) are counted apart from rows kept for validation. Numbers recalled without a source (memory) and
givens of the model (input) are shown and never counted. A row is one person of stated set-up, not a population, unless it says so."""

#: Relative half-width of a number that stands alone.
ALONE = 0.10
#: Relative tolerance that keeps rounding from deciding at the very edge.
_EDGE = 1e-9

VERDICTS = ("inside", "near", "miss")


@dataclass(frozen=True)
class Interval:
    """What counts as inside: centre and ends; an end is infinite for a one-sided bound."""

    centre: float
    low: float
    high: float


@dataclass(frozen=True)
class Agreement:
    """How a number of the model compares.

    Attributes
    ----------
    name
        One of `VERDICTS`.
    size
        (model - target) / half-width; beyond a bound, 1 plus the excess over 10 % of the bound; NaN where no half-width exists.
    difference
        model - target, in the target's unit; from a bound only its excess.
    """

    name: str
    size: float
    difference: float


def interval(target: Target) -> Interval:
    """Return what counts as inside."""
    if target.bounds == "bound":
        if math.isnan(target.low):
            return Interval(target.high, -math.inf, target.high)
        return Interval(target.low, target.low, math.inf)
    centre = target.value
    if target.bounds in ("CI", "range", "IQR", "contrast"):
        low, high = target.low, target.high
        centre = 0.5 * (low + high) if math.isnan(centre) else centre
    else:
        half = {
            "SEM": Z95 * target.spread,
            "SD": target.spread,
            "number": ALONE * abs(centre),
        }.get(target.bounds, math.nan)
        low, high = centre - half, centre + half
    return Interval(centre, low, high)


def agreement_of(target: Target, model: float) -> Agreement:
    """Return the verdict on a number of the model; a number that is not finite is a miss without a size."""
    if not math.isfinite(model):
        return Agreement("miss", math.nan, math.nan)
    expected = interval(target)
    if target.bounds == "bound":
        return _beside_bound(expected, model)
    difference = model - expected.centre
    half = expected.high - expected.centre if difference > 0 else expected.centre - expected.low
    size = difference / half if half > 0 else (0.0 if difference == 0 else math.copysign(math.inf, difference))
    if abs(size) <= 1 + _EDGE:
        return Agreement("inside", size, difference)
    near = abs(size) <= 2 + _EDGE and same_direction(target, expected.centre, model)
    return Agreement("near" if near else "miss", size, difference)


def same_direction(target: Target, centre: float, model: float) -> bool:
    """Whether model and target lie on the same side of no effect; true of levels, which have none."""
    if target.statistic in ("mean", "prevalence"):
        return True
    nothing = 1.0 if target.statistic == "ratio" else 0.0
    return centre == nothing or (centre - nothing) * (model - nothing) > 0


def _beside_bound(bound: Interval, model: float) -> Agreement:
    excess = max(0.0, model - bound.high) + min(0.0, model - bound.low)
    half = ALONE * abs(bound.centre)
    if excess == 0:
        return Agreement("inside", 0.0, 0.0)
    if half == 0:
        return Agreement("miss", math.nan, excess)
    size = excess / half + math.copysign(1.0, excess)
    return Agreement("near" if abs(size) <= 2 + _EDGE else "miss", size, excess)
