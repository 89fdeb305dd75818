"""Built-in functions of the equation language: unit rules and expansion into the expression graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .expression import ONE, TWO, Expr, add, binary, div, exp, log, mul, powi, sub, unary


@dataclass(frozen=True)
class Function:
    """A function of the language.

    Attributes
    ----------
    arguments
        Names of the arguments, for messages.
    units
        ``plain``: takes and gives plain numbers. ``like-first``: the arguments named in `alike` share one unit, which is the
        result's. ``ratio``: they share one unit, the result is a plain number. ``root``: the unit is raised to `power`.
    expand
        Builds the graph.
    """

    arguments: tuple[str, ...]
    units: str
    expand: Callable[..., Expr]
    summary: str
    alike: tuple[int, ...] = ()
    power: tuple[int, int] = (1, 1)
    smooth: bool = True


def _softplus(x: Expr, k: Expr) -> Expr:
    return mul(k, unary("softplus", div(x, k)))


def _softplus0(x: Expr, x0: Expr, k: Expr, xr: Expr) -> Expr:
    return sub(_softplus(sub(x, x0), k), _softplus(sub(xr, x0), k))


def _hill(x: Expr, h: Expr, m: Expr) -> Expr:
    # The same as x^m/(x^m + h^m), without overflow for large m.
    return unary("logistic", mul(m, log(div(x, h))))


def _smooth_min(a: Expr, b: Expr, theta: Expr) -> Expr:
    total = add(a, b)
    root = unary("sqrt", sub(powi(total, 2), mul(mul(mul(TWO, TWO), theta), mul(a, b))))
    # (total - root)/(2 theta) written without cancellation where one argument is far below the other.
    return div(mul(TWO, mul(a, b)), add(total, root))


def _lambert_w(x: Expr) -> Expr:
    return unary("wright_omega", log(x))


def _plain(op: str) -> Callable[[Expr], Expr]:
    return lambda x: unary(op, x)


def _logit(p: Expr) -> Expr:
    return log(div(p, sub(ONE, p)))


FUNCTIONS: dict[str, Function] = {
    "exp": Function(("x",), "plain", exp, "exponential"),
    "log": Function(("x",), "plain", log, "natural logarithm"),
    "sqrt": Function(("x",), "root", _plain("sqrt"), "square root", power=(1, 2)),
    "cbrt": Function(("x",), "root", _plain("cbrt"), "cube root", power=(1, 3)),
    "tanh": Function(("x",), "plain", _plain("tanh"), "hyperbolic tangent"),
    "logistic": Function(("x",), "plain", _plain("logistic"), "1/(1 + exp(-x))"),
    "logit": Function(("p",), "plain", _logit, "ln(p/(1 - p))"),
    "softplus": Function(
        ("x", "k"), "like-first", _softplus, "k ln(1 + exp(x/k)): smooth positive part of width k", (0, 1)
    ),
    "softplus0": Function(
        ("x", "x0", "k", "xr"),
        "like-first",
        _softplus0,
        "softplus(x - x0, k) - softplus(xr - x0, k): smooth excess above x0, exactly 0 at the reference xr",
        (0, 1, 2, 3),
    ),
    "hill": Function(("x", "h", "m"), "ratio", _hill, "x^m/(x^m + h^m), for x > 0", (0, 1)),
    "smooth_min": Function(
        ("a", "b", "theta"),
        "like-first",
        _smooth_min,
        "(a + b - sqrt((a + b)^2 - 4 theta a b))/(2 theta): smooth minimum of two positive quantities, sharp at theta = 1",
        (0, 1),
    ),
    "lambert_w": Function(("x",), "plain", _lambert_w, "principal Lambert W, for x > 0"),
    "wright_omega": Function(
        ("x",), "plain", _plain("wright_omega"), "Lambert W of exp(x): the v with v + ln v = x, never overflows"
    ),
    "sin": Function(("x",), "plain", _plain("sin"), "sine"),
    "cos": Function(("x",), "plain", _plain("cos"), "cosine"),
    "min": Function(
        ("a", "b"), "like-first", lambda a, b: binary("min", a, b), "the smaller; outputs only", (0, 1), smooth=False
    ),
    "max": Function(
        ("a", "b"), "like-first", lambda a, b: binary("max", a, b), "the larger; outputs only", (0, 1), smooth=False
    ),
    "abs": Function(
        ("x",), "like-first", lambda a: unary("abs", a), "absolute value; outputs only", (0,), smooth=False
    ),
}


def expand_call(name: str, args: Sequence[Expr]) -> Expr:
    """Return the graph of a function call."""
    return FUNCTIONS[name].expand(*args)
