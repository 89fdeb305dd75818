"""Columns of what looks do: shares with their Monte Carlo intervals, means of what is there."""

from __future__ import annotations

import math

import numpy as np

from ..analysis.estimators import Array
from .power_analysis import Rate, rate


def share_columns(name: str, share: Rate | None) -> dict[str, float]:
    """Return a share and the ends of its Monte Carlo interval as columns; NaN without one."""
    values = (math.nan,) * 3 if share is None else (share.value, share.low, share.high)
    return dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))


def finite_mean(values: Array) -> float:
    """Return the mean of what is finite; NaN where nothing is."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else math.nan


def share_holding(low: Array, high: Array, true: Array) -> Rate:
    """Return the share of intervals (R,) that hold the truth of their replicate, of those that there are."""
    return rate(np.where(np.isfinite(low) & np.isfinite(high), (low <= true) & (true <= high), np.nan))
