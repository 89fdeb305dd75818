"""Operations of expressions on numbers, with IEEE 754 results where Python raises."""

from __future__ import annotations

import math
from collections.abc import Callable


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
    """Return the real solution v of ``v + ln v = x``: the Lambert W of ``exp(x)``, which cannot overflow."""
    from scipy.special import wrightomega

    return float(wrightomega(x))


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
