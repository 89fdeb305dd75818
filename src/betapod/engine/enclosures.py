"""Bounds of an expression while names move within bounds: interval arithmetic, written in expressions themselves.

A comparison whose two bounds agree does not change anywhere between, so a step that is checked with them passes no jump,
however short. Rounding may move a bound by its last digit; then the change is found that much later, never lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from ..model.algebra.derivative import gradient
from ..model.algebra.expression import (
    ONE,
    ZERO,
    Expr,
    add,
    binary,
    const,
    div,
    mul,
    neg,
    powi,
    rebuild,
    select,
    sub,
    topological,
    unary,
)
from ..model.algebra.operations import COMPARISONS, LOGIC

#: The smallest and the largest value.
Bounds = tuple[Expr, Expr]

_EVERYTHING: Bounds = (const(-math.inf), const(math.inf))
_UNDECIDED: Bounds = (ZERO, ONE)
_RISING = frozenset(
    (
        *("exp", "log", "sqrt", "cbrt", "tanh", "softplus", "logistic", "wright_omega", "floor", "ceil"),
        *("asin", "atan", "sinh", "asinh", "acosh", "atanh"),
    )
)
#: From here on the gamma function of x + 1 rises.
_FACTORIAL_RISES = 0.5


def enclosures(roots: Sequence[Expr], ends: Mapping[Expr, Bounds]) -> list[Bounds]:
    """Return bounds of expressions.

    Parameters
    ----------
    ends
        Names that move, each with the two names of its bounds. All other names stand still.

    Returns
    -------
    list of (Expr, Expr)
        Truth values have the bounds 0 and 1 where they are not decided; bounds that are not numbers decide nothing.
    """
    bounds: dict[Expr, Bounds] = dict(ends)
    for node in topological(roots):
        if node in bounds:
            continue
        args = [bounds[arg] for arg in node.args]
        if all(low is high for low, high in args):
            point = rebuild(node, tuple(low for low, _ in args)) if args and node.op != "solve" else node
            bounds[node] = (point, point)
        else:
            bounds[node] = _bounds(node, args)
    return [bounds[root] for root in roots]


def decided(bounds: Bounds, value: Expr) -> Expr:
    """Return an expression that is true where both bounds are a value."""
    return binary("and", binary("eq", bounds[0], value), binary("eq", bounds[1], value))


def is_truth(node: Expr) -> bool:
    """Return whether a node is a truth value."""
    return node.op in COMPARISONS or node.op in LOGIC


def _all(parts: Sequence[Expr]) -> list[Expr]:
    """Return the one truth value that all parts are true; nothing where there are none."""
    total = parts[:1]
    for part in parts[1:]:
        total = [binary("and", total[0], part)]
    return list(total)


def same(held: Sequence[tuple[Expr, Expr]]) -> list[Expr]:
    """Return whether conditions have the values that are held; what is not a number stays so."""
    return _all(
        [
            binary("eq", condition, value)
            if is_truth(condition)
            else binary("or", binary("eq", condition, value), binary("and", _nan(condition), _nan(value)))
            for condition, value in held
        ]
    )


def _nan(a: Expr) -> Expr:
    return binary("ne", a, a)


def quiet(held: Sequence[tuple[Expr, Expr]], ends: Mapping[Expr, Bounds]) -> list[Expr]:
    """Return whether conditions surely keep the values that are held, between bounds."""
    bounds = enclosures([condition for condition, _ in held], ends)
    return _all([decided(pair, value) for pair, (_, value) in zip(bounds, held, strict=True)])


#: Functions that may jump or bend: what the slope is beside a jump tells nothing of it. (A quotient's slope is boundless at its pole.)
_BROKEN = frozenset(("floor", "ceil", "mod", "select", "min", "max", "abs", "solve", "atan2", "factorial", "tan"))


def turning_once(held: Sequence[tuple[Expr, Expr]], ends: Mapping[Expr, Bounds], clock: Expr) -> list[Expr]:
    """Return whether each condition surely keeps the value that is held or changes once at most, as the clock goes from bound to bound.

    It changes once at most where it compares what surely rises, or surely falls.
    """
    parts = []
    for condition, value in held:
        part = decided(enclosures([condition], ends)[0], value)
        if condition.op in ("lt", "le", "gt", "ge"):
            between = sub(*condition.args)
            slope = gradient(between, [clock]).get(clock)
            if slope is not None and not any(node.op in _BROKEN or is_truth(node) for node in topological([between])):
                low, high = enclosures([slope], ends)[0]
                moves = binary("or", binary("gt", low, ZERO), binary("lt", high, ZERO))
                part = binary("or", part, moves)
        parts.append(part)
    return _all(parts)


def _bounds(node: Expr, args: Sequence[Bounds]) -> Bounds:
    if node.op in COMPARISONS:
        return _comparison(node.op, args[0], args[1])
    if node.op in LOGIC:
        return _logic(node.op, [_truth(arg, bounds) for arg, bounds in zip(node.args, args, strict=True)])
    if node.op == "select":
        return _select(_truth(node.args[0], args[0]), args[1], args[2])
    if node.op in _RISING:
        return unary(node.op, args[0][0]), unary(node.op, args[0][1])
    if node.op == "powi":
        return _powi(args[0], int(node.value))
    if node.op == "mul" and node.args[0] is node.args[1]:
        return _powi(args[0], 2)
    other = _OTHERS.get(node.op)
    return _EVERYTHING if other is None else other(*args)


def _least(values: Sequence[Expr]) -> Expr:
    total = values[0]
    for value in values[1:]:
        total = binary("min", total, value)
    return total


def _largest(values: Sequence[Expr]) -> Expr:
    total = values[0]
    for value in values[1:]:
        total = binary("max", total, value)
    return total


def _corners(function: Callable[[Expr, Expr], Expr], a: Bounds, b: Bounds) -> Bounds:
    """Return bounds of a function that rises or falls in each argument while the other stands still."""
    values = list(dict.fromkeys(function(x, y) for x in a for y in b))
    return _least(values), _largest(values)


def _where(condition: Expr, then: Bounds, otherwise: Bounds) -> Bounds:
    return select(condition, then[0], otherwise[0]), select(condition, then[1], otherwise[1])


def _div(a: Bounds, b: Bounds) -> Bounds:
    apart = binary("or", binary("gt", b[0], ZERO), binary("lt", b[1], ZERO))
    return _where(apart, _corners(div, a, b), _EVERYTHING)


def _pow(a: Bounds, b: Bounds) -> Bounds:
    return _where(binary("gt", a[0], ZERO), _corners(lambda x, y: binary("pow", x, y), a, b), _EVERYTHING)


def _even(a: Bounds, function: Callable[[Expr], Expr], bottom: float) -> Bounds:
    """Return bounds of a function that falls below 0 and rises above it."""
    low, high = function(a[0]), function(a[1])
    least = select(binary("gt", a[0], ZERO), low, select(binary("lt", a[1], ZERO), high, const(bottom)))
    return least, binary("max", low, high)


def _powi(a: Bounds, exponent: int) -> Bounds:
    if exponent < 0:
        return _div((ONE, ONE), _powi(a, -exponent))
    if exponent % 2:
        return powi(a[0], exponent), powi(a[1], exponent)
    return _even(a, lambda x: powi(x, exponent), 0.0)


def _holds_point(a: Bounds, first: float, period: float) -> Expr:
    """Return whether one of the points ``first + k period`` lies between the bounds."""
    periods = unary("floor", div(sub(a[1], const(first)), const(period)))
    return binary("ge", add(mul(periods, const(period)), const(first)), a[0])


def _wave(op: str, top: float) -> Callable[[Bounds], Bounds]:
    def bounds(a: Bounds) -> Bounds:
        low, high = unary(op, a[0]), unary(op, a[1])
        return (
            select(_holds_point(a, top - math.pi, 2.0 * math.pi), const(-1.0), binary("min", low, high)),
            select(_holds_point(a, top, 2.0 * math.pi), ONE, binary("max", low, high)),
        )

    return bounds


def _tan(a: Bounds) -> Bounds:
    broken = _holds_point(a, 0.5 * math.pi, math.pi)
    return _where(broken, _EVERYTHING, (unary("tan", a[0]), unary("tan", a[1])))


def _factorial(a: Bounds) -> Bounds:
    rises = binary("ge", a[0], const(_FACTORIAL_RISES))
    return _where(rises, (unary("factorial", a[0]), unary("factorial", a[1])), _EVERYTHING)


def _atan2(a: Bounds, b: Bounds) -> Bounds:
    low, high = _div(a, b)
    around = (const(-math.pi), const(math.pi))
    return _where(binary("gt", b[0], ZERO), (unary("atan", low), unary("atan", high)), around)


def _mod(a: Bounds, b: Bounds) -> Bounds:
    """Return bounds of the remainder, which rises as long as the whole number of divisors stays."""
    low, high = binary("mod", a[0], b[0]), binary("mod", a[1], b[0])
    first, last = _truncated(div(a[0], b[0])), _truncated(div(a[1], b[0]))
    same = binary("and", binary("eq", b[0], b[1]), binary("eq", first, last))
    size = binary("max", unary("abs", b[0]), unary("abs", b[1]))
    anything = (
        select(binary("ge", a[0], ZERO), ZERO, neg(size)),
        select(binary("le", a[1], ZERO), ZERO, size),
    )
    return _where(same, (binary("min", low, high), binary("max", low, high)), anything)


def _truncated(a: Expr) -> Expr:
    return select(binary("lt", a, ZERO), unary("ceil", a), unary("floor", a))


def _comparison(op: str, a: Bounds, b: Bounds) -> Bounds:
    if op in ("gt", "ge"):
        return _comparison("lt" if op == "gt" else "le", b, a)
    if op in ("lt", "le"):
        # The outer bounds say the same again where they are numbers; where one is none, so may be what is compared.
        surely = binary("and", binary(op, a[1], b[0]), binary(op, a[0], b[1]))
        never = binary("ge" if op == "lt" else "gt", a[0], b[1])
        return surely, unary("not", never)
    equal = binary("and", binary("eq", a[0], b[1]), binary("eq", a[1], b[0]))
    apart = binary("or", binary("lt", a[1], b[0]), binary("gt", a[0], b[1]))
    return (equal, unary("not", apart)) if op == "eq" else (apart, unary("not", equal))


def _truth(node: Expr, bounds: Bounds) -> Bounds:
    """Return the bounds of what an expression is as a truth value: any number but 0 is true."""
    if is_truth(node):
        return bounds
    low, high = bounds
    if low is high:
        true = binary("ne", low, ZERO)
        return true, true
    surely = binary("or", binary("gt", low, ZERO), binary("lt", high, ZERO))
    never = binary("and", binary("eq", low, ZERO), binary("eq", high, ZERO))
    return surely, unary("not", never)


def _logic(op: str, args: Sequence[Bounds]) -> Bounds:
    if op == "not":
        return unary("not", args[0][1]), unary("not", args[0][0])
    a, b = args
    if op in ("and", "or"):
        return binary(op, a[0], b[0]), binary(op, a[1], b[1])
    both_decided = binary("and", binary("eq", a[0], a[1]), binary("eq", b[0], b[1]))
    value = binary("xor", a[0], b[0])
    return _where(both_decided, (value, value), _UNDECIDED)


def _select(condition: Bounds, then: Bounds, otherwise: Bounds) -> Bounds:
    either = binary("min", then[0], otherwise[0]), binary("max", then[1], otherwise[1])
    return _where(condition[0], then, _where(condition[1], either, otherwise))


_OTHERS: dict[str, Callable[..., Bounds]] = {
    "add": lambda a, b: (add(a[0], b[0]), add(a[1], b[1])),
    "sub": lambda a, b: (sub(a[0], b[1]), sub(a[1], b[0])),
    "neg": lambda a: (neg(a[1]), neg(a[0])),
    "mul": lambda a, b: _corners(mul, a, b),
    "div": _div,
    "pow": _pow,
    "min": lambda a, b: (binary("min", a[0], b[0]), binary("min", a[1], b[1])),
    "max": lambda a, b: (binary("max", a[0], b[0]), binary("max", a[1], b[1])),
    "mod": _mod,
    "atan2": _atan2,
    "abs": lambda a: _even(a, lambda x: unary("abs", x), 0.0),
    "cosh": lambda a: _even(a, lambda x: unary("cosh", x), 1.0),
    "acos": lambda a: (unary("acos", a[1]), unary("acos", a[0])),
    "sin": _wave("sin", 0.5 * math.pi),
    "cos": _wave("cos", 0.0),
    "tan": _tan,
    "factorial": _factorial,
    "solve": lambda a: a,
}
