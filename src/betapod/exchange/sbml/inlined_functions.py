"""Functions that MathML lacks, written out in those that it has: without branches, so that no tool looks for the moment of a jump."""

from __future__ import annotations

import math
from collections.abc import Callable

from ...model.algebra.expression import (
    ONE,
    TWO,
    ZERO,
    Expr,
    add,
    binary,
    const,
    div,
    exp,
    log,
    mul,
    neg,
    pow_,
    select,
    sub,
    unary,
)

#: Below this size a cube root is 0: a power of 0 has no derivative, which some tools need.
_TINY = const(1e-300)
_THIRD = const(1.0 / 3.0)


def _softplus(x: Expr) -> Expr:
    """Return ``max(x, 0) + log(1 + exp(-abs(x)))``; what ``1 + u`` rounds off is added again, so that small values are exact."""
    u = exp(neg(unary("abs", x)))
    above = add(ONE, u)
    return add(add(binary("max", x, ZERO), log(above)), div(sub(u, sub(above, ONE)), above))


def _logistic(x: Expr) -> Expr:
    return div(exp(binary("min", x, ZERO)), add(ONE, exp(neg(unary("abs", x)))))


def _cube_root(x: Expr) -> Expr:
    return sub(pow_(binary("max", x, _TINY), _THIRD), pow_(binary("max", neg(x), _TINY), _THIRD))


def _angle(y: Expr, x: Expr) -> Expr:
    pi = const(math.pi)
    slope = unary("atan", div(y, x))
    left = select(binary("ge", y, ZERO), add(slope, pi), sub(slope, pi))
    axis = select(binary("gt", y, ZERO), div(pi, TWO), select(binary("lt", y, ZERO), neg(div(pi, TWO)), ZERO))
    return select(binary("gt", x, ZERO), slope, select(binary("lt", x, ZERO), left, axis))


def wright_omega_formula(x: Expr) -> Expr:
    """Return Wright's omega function of x, that is w with ``w + log(w) = x``, by three steps of fourth order from a start within 15 per cent.

    ``w = share*scale``, where the scale is exp(x) below 0 and 1 above, so that no digits are lost where w is tiny.
    """
    above, scale = binary("max", x, ZERO), exp(binary("min", x, ZERO))
    # 1/1.763 is omega(0); 0.64 takes the slope there from 1 to the right 0.36.
    share = add(div(ONE, add(ONE, mul(const(0.763), scale))), sub(above, log(add(ONE, mul(const(0.64), above)))))
    for _ in range(3):
        share = _omega_step(share, scale, above)
    return mul(share, scale)


def _omega_step(share: Expr, scale: Expr, above: Expr) -> Expr:
    """Return one step of Fritsch, Shafer and Crowley (1973), which multiplies the number of right digits by four."""
    w = mul(share, scale)
    r = sub(sub(above, w), log(share))
    beyond = add(ONE, w)
    q = mul(mul(TWO, beyond), add(beyond, mul(const(2.0 / 3.0), r)))
    return mul(share, add(ONE, mul(div(r, beyond), div(sub(q, r), sub(q, mul(TWO, r))))))


#: How each is written, by the operation of betapod.
INLINED: dict[str, Callable[..., Expr]] = {
    "softplus": _softplus,
    "logistic": _logistic,
    "cbrt": _cube_root,
    "atan2": _angle,
}


def recognised(node: Expr) -> Expr:
    """Return the operation that a formula was written for, if betapod wrote it; else the formula.

    Examples
    --------
    >>> from betapod.exchange.sbml.inlined_functions import INLINED, recognised
    >>> from betapod.model.algebra.expression import symbol
    >>> recognised(INLINED["softplus"](symbol("x"))).op
    'softplus'
    """
    for op, argument in _candidates(node):
        if INLINED[op](argument) is node:
            return unary(op, argument)
    return node


def _candidates(node: Expr) -> list[tuple[str, Expr]]:
    """Return what a formula may stand for, by its outermost operations."""
    if node.op == "add" and node.args[0].op == "add" and node.args[0].args[0].op == "max":
        return [("softplus", node.args[0].args[0].args[0])]
    if node.op == "div" and node.args[0].op == "exp" and node.args[0].args[0].op == "min":
        return [("logistic", node.args[0].args[0].args[0])]
    if node.op == "sub" and node.args[0].op == "pow" and node.args[0].args[0].op == "max":
        return [("cbrt", node.args[0].args[0].args[0])]
    return []
