"""Days as spans of time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_NANOSECONDS_PER_DAY = 86_400_000_000_000


def day_spans(days: ArrayLike) -> NDArray[np.timedelta64]:
    """Return days (n,) as spans of time; NaT for NaN.

    pandas computes with what happens to be in memory where a day is missing, and may warn of it.

    Examples
    --------
    >>> from betapod.exchange.cdisc.day_spans import day_spans
    >>> day_spans([1.0, float("nan")]).astype("timedelta64[D]").tolist()
    [datetime.timedelta(days=1), None]
    """
    numbers = np.asarray(days, dtype=np.float64)
    there = np.isfinite(numbers)
    result: NDArray[Any] = np.full(numbers.shape, "NaT", dtype="timedelta64[ns]")
    result[there] = np.rint(numbers[there] * _NANOSECONDS_PER_DAY).astype(np.int64).astype("timedelta64[ns]")
    return result
