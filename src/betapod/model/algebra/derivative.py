"""Exact symbolic derivatives of the expression graph (forward mode, sparse)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from .expression import (
    ONE,
    TWO,
    ZERO,
    Expr,
    add,
    binary,
    const,
    div,
    is_const,
    log,
    mul,
    neg,
    pow_,
    powi,
    select,
    solved,
    sub,
    substitute,
    topological,
    unary,
)

#: Coefficients B_2k/2k of the asymptotic series of the digamma function (Abramowitz & Stegun 1964, 6.3.18).
_BERNOULLI = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760)


def digamma(x: Expr) -> Expr:
    """Return the logarithmic derivative of the gamma function: the asymptotic series at ``x + 8``, and the recurrence back to x.

    Accurate to 1e-13 for x above 0; right but for rounding down to -8, where the series itself ends.
    """
    far = add(x, const(8.0))
    inverse = div(ONE, mul(far, far))
    series: Expr = ZERO
    for coefficient in reversed(_BERNOULLI):
        series = mul(inverse, add(const(coefficient), series))
    total = sub(sub(log(far), div(const(0.5), far)), series)
    for k in range(8):
        total = sub(total, div(ONE, add(x, const(float(k)))))
    return total


#: Derivative of each smooth unary function from its argument and its own node.
SLOPES: dict[str, Callable[[Expr, Expr], Expr]] = {
    "exp": lambda a, f: f,
    "log": lambda a, f: div(ONE, a),
    "sqrt": lambda a, f: div(ONE, mul(TWO, f)),
    "cbrt": lambda a, f: div(ONE, mul(const(3.0), mul(f, f))),
    "tanh": lambda a, f: sub(ONE, mul(f, f)),
    "softplus": lambda a, f: unary("logistic", a),
    "logistic": lambda a, f: mul(f, sub(ONE, f)),
    "wright_omega": lambda a, f: div(f, add(ONE, f)),
    "sin": lambda a, f: unary("cos", a),
    "cos": lambda a, f: neg(unary("sin", a)),
    "tan": lambda a, f: add(ONE, mul(f, f)),
    "asin": lambda a, f: div(ONE, unary("sqrt", sub(ONE, mul(a, a)))),
    "acos": lambda a, f: neg(div(ONE, unary("sqrt", sub(ONE, mul(a, a))))),
    "atan": lambda a, f: div(ONE, add(ONE, mul(a, a))),
    "sinh": lambda a, f: unary("cosh", a),
    "cosh": lambda a, f: unary("sinh", a),
    "asinh": lambda a, f: div(ONE, unary("sqrt", add(ONE, mul(a, a)))),
    "acosh": lambda a, f: div(ONE, unary("sqrt", sub(mul(a, a), ONE))),
    "atanh": lambda a, f: div(ONE, sub(ONE, mul(a, a))),
    "factorial": lambda a, f: mul(f, digamma(add(a, ONE))),
    "abs": lambda a, f: select(binary("lt", a, ZERO), const(-1.0), ONE),
}

#: Piecewise constant: derivative 0 wherever it exists.
FLAT = frozenset({"floor", "ceil", "lt", "le", "gt", "ge", "eq", "ne", "and", "or", "xor", "not", "const", "sym"})


def _sum(a: Expr | None, b: Expr | None) -> Expr | None:
    if a is None or b is None:
        return a if b is None else b
    return add(a, b)


def _partials(node: Expr) -> list[Expr | None]:
    """Return the derivative of a node by each of its arguments; None for zero."""
    a = node.args[0]
    if node.op in SLOPES:
        return [SLOPES[node.op](a, node)]
    if node.op == "neg":
        return [const(-1.0)]
    if node.op == "powi":
        return [mul(const(float(node.value)), powi(a, node.value - 1))]
    if node.op == "select":
        return [None, select(a, ONE, ZERO), select(a, ZERO, ONE)]
    b = node.args[1] if len(node.args) > 1 else ZERO
    if node.op == "add":
        return [ONE, ONE]
    if node.op == "sub":
        return [ONE, const(-1.0)]
    if node.op == "mul":
        return [b, a]
    if node.op == "div":
        return [div(ONE, b), neg(div(node, b))]
    if node.op == "pow":
        return [mul(b, pow_(a, sub(b, ONE))), mul(node, log(a))]
    if node.op == "min":
        smaller = binary("le", a, b)
        return [select(smaller, ONE, ZERO), select(smaller, ZERO, ONE)]
    if node.op == "max":
        larger = binary("ge", a, b)
        return [select(larger, ONE, ZERO), select(larger, ZERO, ONE)]
    if node.op == "atan2":
        radius = add(mul(a, a), mul(b, b))
        return [div(b, radius), neg(div(a, radius))]
    if node.op == "mod":
        return [ONE, neg(div(sub(a, node), b))]
    raise ValueError(f"no derivative of {node.op!r}")


def local_derivatives(node: Expr) -> list[Expr | None]:
    """Return the derivative of a node by each of its arguments, the others held; None for zero."""
    return _partials(node)


def tangents(roots: Sequence[Expr], variables: Sequence[Expr]) -> dict[Expr, dict[Expr, Expr]]:
    """Return, for every node below the roots, its non-zero derivatives by each variable."""
    wanted = set(variables)
    by_node: dict[Expr, dict[Expr, Expr]] = {}
    for node in topological(roots):
        if node in wanted:
            by_node[node] = {node: ONE}
        elif node.op in FLAT:
            by_node[node] = {}
        elif node.op == "solve":
            by_node[node] = _implicit(node, variables)
        elif not any(by_node[arg] for arg in node.args):
            by_node[node] = {}
        else:
            by_node[node] = _chain(node, by_node)
    return by_node


def _chain(node: Expr, by_node: dict[Expr, dict[Expr, Expr]]) -> dict[Expr, Expr]:
    result: dict[Expr, Expr] = {}
    if node.op == "select":  # keeps the branches apart, so that a branch not taken cannot spoil the other
        condition, then, otherwise = node.args
        for variable in dict.fromkeys((*by_node[then], *by_node[otherwise])):
            result[variable] = select(
                condition, by_node[then].get(variable, ZERO), by_node[otherwise].get(variable, ZERO)
            )
        return result
    if node.op == "div" and not by_node[node.args[1]]:
        return {variable: div(tangent, node.args[1]) for variable, tangent in by_node[node.args[0]].items()}
    if node.op == "pow" and not by_node[node.args[1]]:
        partials: list[Expr | None] = [_partials(node)[0], None]
    else:
        partials = _partials(node)
    for arg, partial in zip(node.args, partials, strict=True):
        if partial is None:
            continue
        for variable, tangent in by_node[arg].items():
            term = neg(tangent) if is_const(partial, -1.0) else mul(partial, tangent)
            total = _sum(result.get(variable), term)
            assert total is not None
            result[variable] = total
    return result


def _implicit(node: Expr, variables: Sequence[Expr]) -> dict[Expr, Expr]:
    """Differentiate a root: dv/dx = -(dR/dx)/(dR/dv), the partials taken with the unknown held as a name."""
    unknown, residual = node.value
    slopes = tangents([residual], [*variables, unknown])[residual]
    names = [name for name in slopes if name is not unknown]
    if not names:
        return {}
    at_root = substitute([slopes[unknown], *(slopes[name] for name in names)], {unknown: node})
    return {name: neg(div(top, at_root[0])) for name, top in zip(names, at_root[1:], strict=True)}


def gradient(root: Expr, variables: Sequence[Expr]) -> dict[Expr, Expr]:
    """Return the non-zero derivatives of one expression."""
    return tangents([root], variables)[root]


def jacobian(roots: Sequence[Expr], variables: Sequence[Expr]) -> dict[tuple[int, int], Expr]:
    """Return the non-zero entries of the Jacobian as ``{(row, column): expression}``, row by row."""
    return dict(_jacobian(tuple(roots), tuple(variables)))


# Nodes are unique, so the same model with other values asks for the same derivatives again.
@functools.lru_cache(maxsize=32)
def _jacobian(roots: tuple[Expr, ...], variables: tuple[Expr, ...]) -> dict[tuple[int, int], Expr]:
    by_node = tangents(roots, variables)
    column = {variable: j for j, variable in enumerate(variables)}
    entries: dict[tuple[int, int], Expr] = {}
    for i, root in enumerate(roots):
        for variable in sorted(by_node[root], key=column.__getitem__):
            entries[i, column[variable]] = by_node[root][variable]
    return entries


def newton(unknown: Expr, residual: Expr, start: Expr, steps: int) -> Expr:
    """Return the unknown that makes the residual 0, by `steps` unrolled Newton steps from `start`.

    The derivative of the result is that of the exact root (implicit function theorem), not of the iteration.

    Raises
    ------
    ValueError
        The residual does not depend on the unknown.
    """
    slope = gradient(residual, [unknown]).get(unknown)
    if slope is None:
        raise ValueError("the residual does not depend on the unknown")
    value = start
    for _ in range(steps):
        at = substitute([residual, slope], {unknown: value})
        value = value - at[0] / at[1]
    return solved(value, unknown, residual)
