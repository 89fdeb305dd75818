"""What elementary functions are tried with: arguments over the whole range, and what is right in extended precision."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Array = np.ndarray[Any, np.dtype[np.float64]]
LONG = np.longdouble
SPECIAL = [
    0.0,
    -0.0,
    math.inf,
    -math.inf,
    math.nan,
    1.0,
    -1.0,
    5e-324,
    -5e-324,
    2.3e-308,
    1.79e308,
    -1.79e308,
    0.5,
    -0.5,
]
SPECIAL += [709.78, 710.0, -745.1, -746.0, 1e-300, 1e300, 2.0, 3.0, -2.0, -3.0, 27.0]

needs_extended = pytest.mark.skipif(
    np.finfo(LONG).nmant < 63, reason="no extended precision on this platform to compare with"
)


def logistic(x: Any) -> Any:
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def softplus(x: Any) -> Any:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def bits(count: int) -> Array:
    return np.random.default_rng(1).integers(0, 2**64, count, dtype=np.uint64).view(np.float64)


def spread(low: float, high: float, count: int = 60_000) -> Array:
    return np.random.default_rng(2).uniform(low, high, count)


CASES: dict[str, tuple[Callable[[Any], Any], list[Array]]] = {
    "exp": (np.exp, [spread(-746, 710), spread(-2, 2)]),
    "log": (np.log, [np.exp(spread(-740, 709)), spread(0.5, 2)]),
    "tanh": (np.tanh, [spread(-25, 25), spread(-1, 1)]),
    "logistic": (logistic, [spread(-745, 50), spread(-5, 5)]),
    "softplus": (softplus, [spread(-745, 50), spread(-5, 5)]),
    "cbrt": (np.cbrt, [spread(-9, 9)]),
    "sqrt": (np.sqrt, [spread(0, 9)]),
    "sin": (np.sin, [spread(-100, 100), spread(-1e6, 1e6), np.arange(9_999) * math.pi / 2]),
    "cos": (np.cos, [spread(-100, 100), spread(-1e6, 1e6), np.arange(9_999) * math.pi / 2]),
}
