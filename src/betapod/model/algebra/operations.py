"""Operations of expressions on numbers, with IEEE 754 results where Python raises."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

#: Below the first `wright_omega` is an exponential, above the second its argument, as SciPy has it.
_WRIGHT_LEAST, _WRIGHT_GREATEST = -50.0, 1e20


def _log(x: float) -> float:
    if x > 0.0:
        return math.log(x)
    return -math.inf if x == 0.0 else math.nan


def _quiet(function: Callable[..., float]) -> Callable[..., float]:
    """Give IEEE results where Python raises: folding must not depend on where a value is computed."""

    def wrapped(*args: float) -> float:
        try:
            return function(*args)
        except OverflowError:
            return math.inf
        except (ValueError, ZeroDivisionError):
            return math.nan

    return wrapped


def _divide(a: float, b: float) -> float:
    if b == 0.0:
        return math.nan if a == 0.0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1.0, b)
    return a / b


def power(a: float, b: float) -> float:
    """Return ``a**b`` with IEEE 754 conventions (never a complex number, never an exception)."""
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and b % 2 == 1 else math.inf
    except ValueError:
        if a == 0.0:
            return math.inf if b % 2 != 1 else math.copysign(math.inf, a)
        return math.nan


def softplus(x: float) -> float:
    """Return ``log(1 + exp(x))`` without overflow or loss."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x))) if not math.isnan(x) else x


def logistic(x: float) -> float:
    """Return ``1/(1 + exp(-x))`` without overflow."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e) if not math.isnan(x) else x


def wright_omega(x: float) -> float:
    """Return the real solution v of ``v + ln v = x``: the Lambert W of ``exp(x)``, which cannot overflow.

    One or two steps of the iteration of Fritsch, Shafer and Crowley (doi:10.1145/361952.361970), of fourth order, from the starting values of
    Lawrence, Corless and Jeffrey (doi:10.1145/2168773.2168779): the bits of SciPy's `wrightomega`, without its import.
    """
    if not _WRIGHT_LEAST <= x <= _WRIGHT_GREATEST:
        # The solution is exp(x), or x itself, to the last bit.
        return math.exp(x) if x < 0.0 else x
    if x < -2.0:
        v = math.exp(x)
    elif x < 1.0:
        v = math.exp(2.0 * (x - 1.0) / 3.0)
    else:
        log_x = math.log(x)
        v = x - log_x + log_x / x
    v, error = _wright_step(x, v)
    return v if error < sys.float_info.epsilon else _wright_step(x, v)[0]


def _wright_step(x: float, v: float) -> tuple[float, float]:
    """Return a better solution of ``v + ln v = x``, and a bound of its relative error."""
    residual = x - v - math.log(v)
    one_more = v + 1.0
    scale = 2.0 * one_more * (one_more + 2.0 / 3.0 * residual)
    v *= 1.0 + residual / one_more * (scale - residual) / (scale - 2.0 * residual)
    return v, abs((2.0 * v * v - 8.0 * v - 1.0) * residual**4.0) / (72.0 * one_more**6.0)


def _integral(function: Callable[[float], int]) -> Callable[[float], float]:
    return lambda x: float(function(x)) if math.isfinite(x) else x


#: Unary functions: how to compute one value of each.
UNARY: dict[str, Callable[[float], float]] = {
    "neg": lambda x: -x,
    "exp": _quiet(math.exp),
    "log": _log,
    "sqrt": _quiet(math.sqrt),
    "cbrt": math.cbrt,
    "tanh": math.tanh,
    "softplus": softplus,
    "logistic": logistic,
    "wright_omega": wright_omega,
    "abs": abs,
    "sin": _quiet(math.sin),
    "cos": _quiet(math.cos),
    "tan": _quiet(math.tan),
    "asin": _quiet(math.asin),
    "acos": _quiet(math.acos),
    "atan": math.atan,
    "sinh": _quiet(math.sinh),
    "cosh": _quiet(math.cosh),
    "asinh": math.asinh,
    "acosh": _quiet(math.acosh),
    "atanh": _quiet(math.atanh),
    "floor": _integral(math.floor),
    "ceil": _integral(math.ceil),
    "factorial": _quiet(lambda x: math.gamma(x + 1.0)),
    "not": lambda x: float(x == 0.0),
}
#: Binary functions: how to compute one value of each.
BINARY: dict[str, Callable[[float, float], float]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": _divide,
    "pow": power,
    "min": lambda a, b: a if a <= b or math.isnan(a) else b,
    "max": lambda a, b: a if a >= b or math.isnan(a) else b,
    "atan2": math.atan2,
    "mod": _quiet(math.fmod),
    "lt": lambda a, b: float(a < b),
    "le": lambda a, b: float(a <= b),
    "gt": lambda a, b: float(a > b),
    "ge": lambda a, b: float(a >= b),
    "eq": lambda a, b: float(a == b),
    "ne": lambda a, b: float(a != b),
    "and": lambda a, b: float(a != 0.0 and b != 0.0),
    "or": lambda a, b: float(a != 0.0 or b != 0.0),
    "xor": lambda a, b: float((a != 0.0) != (b != 0.0)),
}
COMPARISONS = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
LOGIC = frozenset({"and", "or", "xor", "not"})
#: Operations that have a kink or a jump: fine in outputs and triggers, not in a rate of the model language.
NOT_SMOOTH = COMPARISONS | LOGIC | {"select", "min", "max", "abs", "floor", "ceil", "mod", "factorial"}
