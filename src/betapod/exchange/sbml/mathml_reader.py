"""Convert content MathML to expressions."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

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
from .inlined_functions import recognised

#: The value that SBML fixes for its symbol ``avogadro``.
AVOGADRO = 6.02214179e23
NAN, INFINITY = const(math.nan), const(math.inf)


class Unsupported(Exception):
    """A mathematical construct that cannot be expressed; carries its name."""


@dataclass(frozen=True)
class SbmlFunction:
    """A function definition: argument names, the body's syntax tree (None: no mathematics given)."""

    arguments: tuple[str, ...]
    body: Any


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
    value = args[-1] if len(args) % 2 else NAN
    for k in range(len(args) // 2 - 1, -1, -1):
        value = select(args[2 * k + 1], args[2 * k], value)
    return value


@functools.cache
def _operators() -> dict[int, Callable[..., Expr]]:
    import libsbml as s

    return {
        s.AST_PLUS: _sum,
        s.AST_MINUS: _minus,
        s.AST_TIMES: _product,
        s.AST_DIVIDE: div,
        s.AST_POWER: pow_,
        s.AST_FUNCTION_POWER: pow_,
        s.AST_FUNCTION_ROOT: lambda *a: _root(*a) if len(a) == 2 else unary("sqrt", a[0]),
        s.AST_FUNCTION_ABS: _one("abs"),
        s.AST_FUNCTION_EXP: exp,
        s.AST_FUNCTION_LN: log,
        s.AST_FUNCTION_LOG: _logarithm,
        s.AST_FUNCTION_FLOOR: _one("floor"),
        s.AST_FUNCTION_CEILING: _one("ceil"),
        s.AST_FUNCTION_FACTORIAL: _one("factorial"),
        s.AST_FUNCTION_SIN: _one("sin"),
        s.AST_FUNCTION_COS: _one("cos"),
        s.AST_FUNCTION_TAN: _one("tan"),
        s.AST_FUNCTION_SEC: _reciprocal("cos"),
        s.AST_FUNCTION_CSC: _reciprocal("sin"),
        s.AST_FUNCTION_COT: _reciprocal("tan"),
        s.AST_FUNCTION_SINH: _one("sinh"),
        s.AST_FUNCTION_COSH: _one("cosh"),
        s.AST_FUNCTION_TANH: _one("tanh"),
        s.AST_FUNCTION_SECH: _reciprocal("cosh"),
        s.AST_FUNCTION_CSCH: _reciprocal("sinh"),
        s.AST_FUNCTION_COTH: _reciprocal("tanh"),
        s.AST_FUNCTION_ARCSIN: _one("asin"),
        s.AST_FUNCTION_ARCCOS: _one("acos"),
        s.AST_FUNCTION_ARCTAN: _one("atan"),
        s.AST_FUNCTION_ARCSEC: _of_reciprocal("acos"),
        s.AST_FUNCTION_ARCCSC: _of_reciprocal("asin"),
        s.AST_FUNCTION_ARCCOT: _of_reciprocal("atan"),
        s.AST_FUNCTION_ARCSINH: _one("asinh"),
        s.AST_FUNCTION_ARCCOSH: _one("acosh"),
        s.AST_FUNCTION_ARCTANH: _one("atanh"),
        s.AST_FUNCTION_ARCSECH: _of_reciprocal("acosh"),
        s.AST_FUNCTION_ARCCSCH: _of_reciprocal("asinh"),
        s.AST_FUNCTION_ARCCOTH: _of_reciprocal("atanh"),
        s.AST_FUNCTION_PIECEWISE: _piecewise,
        s.AST_FUNCTION_MIN: _fold("min", NAN),
        s.AST_FUNCTION_MAX: _fold("max", NAN),
        s.AST_FUNCTION_REM: lambda a, b: binary("mod", a, b),
        s.AST_FUNCTION_QUOTIENT: lambda a, b: _truncate(div(a, b)),
        s.AST_RELATIONAL_LT: _chain("lt"),
        s.AST_RELATIONAL_LEQ: _chain("le"),
        s.AST_RELATIONAL_GT: _chain("gt"),
        s.AST_RELATIONAL_GEQ: _chain("ge"),
        s.AST_RELATIONAL_EQ: _chain("eq"),
        s.AST_RELATIONAL_NEQ: lambda a, b: binary("ne", a, b),
        s.AST_LOGICAL_AND: _fold("and", ONE),
        s.AST_LOGICAL_OR: _fold("or", ZERO),
        s.AST_LOGICAL_XOR: _fold("xor", ZERO),
        s.AST_LOGICAL_NOT: _one("not"),
        s.AST_LOGICAL_IMPLIES: lambda a, b: binary("or", unary("not", a), b),
    }


@functools.cache
def _constants() -> dict[int, Expr]:
    import libsbml as s

    return {
        s.AST_CONSTANT_E: const(math.e),
        s.AST_CONSTANT_PI: const(math.pi),
        s.AST_CONSTANT_TRUE: ONE,
        s.AST_CONSTANT_FALSE: ZERO,
        s.AST_NAME_AVOGADRO: const(AVOGADRO),
    }


class MathReader:
    """Turns MathML into graph.

    Parameters
    ----------
    functions
        The model's function definitions by id; filled before any other mathematics is read.
    name
        Gives the node of an identifier of the model.
    rate_of
        Gives the node of an identifier's rate of change.
    time
        The node of SBML's time.
    delayed
        Gives the node of what an expression was so long ago.
    """

    def __init__(
        self,
        functions: Mapping[str, SbmlFunction],
        name: Callable[[str], Expr],
        rate_of: Callable[[str], Expr],
        time: Expr,
        delayed: Callable[[Expr, Expr], Expr],
    ) -> None:
        self.functions, self.name, self.rate_of, self.time = functions, name, rate_of, time
        self.delayed = delayed

    def expr(self, node: Any, local: Mapping[str, Expr] | None = None) -> Expr:
        """Return the graph of a syntax tree.

        Parameters
        ----------
        local
            Names that hide the model's: local parameters, or the arguments of a function.

        Raises
        ------
        Unsupported
            A construct that betapod cannot compute.
        """
        import libsbml as s

        kind = node.getType()
        operator = _operators().get(kind)
        if operator is not None:
            args = [self.expr(node.getChild(k), local) for k in range(node.getNumChildren())]
            try:
                return recognised(operator(*args))
            except (TypeError, IndexError):
                raise Unsupported(f"{node.getOperatorName() or node.getName()} of {len(args)} arguments") from None
        if kind in (s.AST_INTEGER, s.AST_REAL):
            return const(node.getValue())
        if kind == s.AST_REAL_E:
            # Read as one decimal number: mantissa times a power of ten would round twice.
            return const(float(f"{node.getMantissa()!r}e{node.getExponent()}"))
        if kind == s.AST_RATIONAL:
            return const(node.getNumerator() / node.getDenominator())
        if kind == s.AST_NAME:
            name = node.getName()
            return local[name] if local is not None and name in local else self.name(name)
        if kind == s.AST_NAME_TIME:
            return self.time
        if kind in _constants():
            return _constants()[kind]
        if kind == s.AST_FUNCTION:
            return self._call(node, local)
        if kind == s.AST_FUNCTION_RATE_OF:
            name = node.getChild(0).getName()
            return ZERO if local is not None and name in local else self.rate_of(name)
        if kind == s.AST_FUNCTION_DELAY:
            args = [self.expr(node.getChild(k), local) for k in range(node.getNumChildren())]
            if len(args) != 2:
                raise Unsupported(f"the csymbol delay of {len(args)} arguments")
            return self.delayed(*args)
        raise Unsupported(f"the MathML construct {node.getName() or kind}")

    def _call(self, node: Any, local: Mapping[str, Expr] | None) -> Expr:
        name = node.getName()
        function = self.functions.get(name)
        if function is None:
            raise Unsupported(f"the function {name}, which is not defined")
        if function.body is None:
            raise Unsupported(f"the function {name}, which is defined without mathematics")
        args = [self.expr(node.getChild(k), local) for k in range(node.getNumChildren())]
        if len(args) != len(function.arguments):
            raise Unsupported(f"the function {name} of {len(args)} arguments")
        return self.expr(function.body, dict(zip(function.arguments, args, strict=True)))
