"""Operators of content MathML as operations on expressions."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable

from ...model.algebra.expression import (
    ONE,
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

_NAN = const(math.nan)


class Unsupported(Exception):
    """A mathematical construct that cannot be expressed; carries its name."""


def _truncate(x: Expr) -> Expr:
    return select(binary("lt", x, ZERO), unary("ceil", x), unary("floor", x))


def _root(degree: Expr, x: Expr) -> Expr:
    if degree.op == "const" and degree.value in (2.0, 3.0):
        return unary("sqrt" if degree.value == 2.0 else "cbrt", x)
    return pow_(x, div(ONE, degree))


def _reciprocal(op: str) -> Callable[[Expr], Expr]:
    return lambda x: div(ONE, unary(op, x))


def _of_reciprocal(op: str) -> Callable[[Expr], Expr]:
    return lambda x: unary(op, div(ONE, x))


def _one(op: str) -> Callable[[Expr], Expr]:
    return lambda x: unary(op, x)


def _chain(op: str) -> Callable[..., Expr]:
    """Relations of several arguments hold when each neighbouring pair does."""

    def made(*args: Expr) -> Expr:
        pairs = [binary(op, a, b) for a, b in itertools.pairwise(args)]
        return functools.reduce(lambda a, b: binary("and", a, b), pairs) if pairs else ONE

    return made


def _fold(op: str, empty: Expr) -> Callable[..., Expr]:
    def made(*args: Expr) -> Expr:
        if not args:
            return empty
        if len(args) == 1:
            # One operand of a logical operator is its truth value, not its number.
            return binary("ne", args[0], ZERO) if op in ("and", "or", "xor") else args[0]
        return functools.reduce(lambda a, b: binary(op, a, b), args)

    return made


def _sum(*args: Expr) -> Expr:
    return functools.reduce(add, args) if args else ZERO


def _product(*args: Expr) -> Expr:
    return functools.reduce(mul, args) if args else ONE


def _minus(*args: Expr) -> Expr:
    return neg(args[0]) if len(args) == 1 else sub(*args)


def _logarithm(*args: Expr) -> Expr:
    return div(log(args[1]), log(args[0])) if len(args) == 2 else div(log(args[0]), log(const(10.0)))


def _piecewise(*args: Expr) -> Expr:
    value = args[-1] if len(args) % 2 else _NAN
    for k in range(len(args) // 2 - 1, -1, -1):
        value = select(args[2 * k + 1], args[2 * k], value)
    return value


#: Operators by the name of their element; each takes its arguments in the order of MathML, a degree or base before the rest.
OPERATORS: dict[str, Callable[..., Expr]] = {
    "plus": _sum,
    "minus": _minus,
    "times": _product,
    "divide": div,
    "power": pow_,
    "root": lambda *a: _root(*a) if len(a) == 2 else unary("sqrt", a[0]),
    "abs": _one("abs"),
    "exp": exp,
    "ln": log,
    "log": _logarithm,
    "floor": _one("floor"),
    "ceiling": _one("ceil"),
    "factorial": _one("factorial"),
    "sin": _one("sin"),
    "cos": _one("cos"),
    "tan": _one("tan"),
    "sec": _reciprocal("cos"),
    "csc": _reciprocal("sin"),
    "cot": _reciprocal("tan"),
    "sinh": _one("sinh"),
    "cosh": _one("cosh"),
    "tanh": _one("tanh"),
    "sech": _reciprocal("cosh"),
    "csch": _reciprocal("sinh"),
    "coth": _reciprocal("tanh"),
    "arcsin": _one("asin"),
    "arccos": _one("acos"),
    "arctan": _one("atan"),
    "arcsec": _of_reciprocal("acos"),
    "arccsc": _of_reciprocal("asin"),
    "arccot": _of_reciprocal("atan"),
    "arcsinh": _one("asinh"),
    "arccosh": _one("acosh"),
    "arctanh": _one("atanh"),
    "arcsech": _of_reciprocal("acosh"),
    "arccsch": _of_reciprocal("asinh"),
    "arccoth": _of_reciprocal("atanh"),
    "piecewise": _piecewise,
    "min": _fold("min", _NAN),
    "max": _fold("max", _NAN),
    "rem": lambda a, b: binary("mod", a, b),
    "quotient": lambda a, b: _truncate(div(a, b)),
    "lt": _chain("lt"),
    "leq": _chain("le"),
    "gt": _chain("gt"),
    "geq": _chain("ge"),
    "eq": _chain("eq"),
    "neq": lambda a, b: binary("ne", a, b),
    "and": _fold("and", ONE),
    "or": _fold("or", ZERO),
    "xor": _fold("xor", ZERO),
    "not": _one("not"),
    "implies": lambda a, b: binary("or", unary("not", a), b),
}
