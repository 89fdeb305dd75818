"""Operations of expressions on arrays of numbers.

`scipy.special` takes a tenth of a second to import, longer than a patient's whole life takes to simulate. So it computes only what is
large, or rare; a few numbers go through `operations` one by one, which gives the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import operations

#: From so many numbers on SciPy computes them: one by one they would take longer than its import (0.2 to 1 us each).
_MANY = 10_000


def array_functions() -> dict[str, Any]:
    """Return the functions that a program of arrays calls, by the names that it has for them."""
    return {
        "exp": np.exp,
        "log": np.log,
        "sqrt": np.sqrt,
        "cbrt": np.cbrt,
        "tanh": np.tanh,
        "softplus": lambda x: np.logaddexp(0.0, x),
        "logistic": _logistic,
        "wright_omega": _wright_omega,
        "pow": np.power,
        "abs_": np.abs,
        "min_": np.minimum,
        "max_": np.maximum,
        "and_": lambda a, b: 1.0 * ((a != 0) & (b != 0)),
        "or_": lambda a, b: 1.0 * ((a != 0) | (b != 0)),
        "xor": lambda a, b: 1.0 * ((a != 0) != (b != 0)),
        "not_": lambda a: 1.0 * (a == 0),
        "atan2": np.arctan2,
        "mod": np.fmod,
        "asin": np.arcsin,
        "acos": np.arccos,
        "atan": np.arctan,
        "asinh": np.arcsinh,
        "acosh": np.arccosh,
        "atanh": np.arctanh,
        "factorial": _factorial,
        **{
            name: getattr(np, name)
            for name in ("sin", "cos", "tan", "sinh", "cosh", "floor", "ceil", "where", "nan", "inf")
        },
    }


def _logistic(x: Any) -> Any:
    if np.size(x) < _MANY:
        return _one_by_one(_one_logistic, x)
    from scipy.special import expit

    return expit(x)


def _wright_omega(x: Any) -> Any:
    if np.size(x) < _MANY:
        return _one_by_one(operations.wright_omega, x)
    from scipy.special import wrightomega

    return wrightomega(x)


def _factorial(x: Any) -> Any:
    from scipy.special import gamma

    return gamma(x + 1.0)


def _one_logistic(x: float) -> float:
    try:
        return 1.0 / (1.0 + math.exp(-x))
    except OverflowError:
        return 0.0


def _one_by_one(function: Callable[[float], float], x: Any) -> NDArray[np.float64] | np.float64:
    """Return a function of each number of an array, or of one number."""
    numbers = np.asarray(x, dtype=np.float64)
    if not numbers.ndim:
        return np.float64(function(float(numbers)))
    return np.array([function(number) for number in numbers.ravel().tolist()]).reshape(numbers.shape)
