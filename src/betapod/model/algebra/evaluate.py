"""Compile an expression graph to a Python function: scalars through `math`, arrays through NumPy."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from . import expression, operations
from .array_functions import array_functions
from .expression import Expr, topological

_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
_COMPARE = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}


def _number(value: float) -> str:
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "(-inf)"
    return repr(value) if value >= 0 else f"({value!r})"


def _line(node: Expr, name: dict[Expr, str], array: bool) -> str:
    args = [name[arg] for arg in node.args]
    if node.op in _INFIX:
        return f"{args[0]} {_INFIX[node.op]} {args[1]}"
    if node.op in _COMPARE:
        return f"1.0*({args[0]} {_COMPARE[node.op]} {args[1]})"
    if node.op == "neg":
        return f"-{args[0]}"
    if node.op == "solve":
        return args[0]
    if node.op == "powi":
        exponent = node.value
        return "*".join([args[0]] * exponent) if 2 <= exponent <= 3 else f"pow({args[0]}, {float(exponent)!r})"
    if node.op == "select":
        return (
            f"where({args[0]} != 0.0, {args[1]}, {args[2]})"
            if array
            else f"({args[1]} if {args[0]} != 0.0 else {args[2]})"
        )
    return (
        f"{node.op}_({', '.join(args)})"
        if node.op in ("and", "or", "not", "min", "max", "abs")
        else f"{node.op}({', '.join(args)})"
    )


def compile_function(
    outputs: Sequence[Expr], arguments: Sequence[Sequence[str]], array: bool = False
) -> Callable[..., list[Any]]:
    """Return a function that computes the outputs.

    Parameters
    ----------
    outputs
        What to compute, in order.
    arguments
        One group of names per positional argument of the function; each argument is a sequence of values in that order.
    array
        Whether values are NumPy arrays (all of one shape, or scalars).

    Returns
    -------
    callable
        Gives a list with one value per output. Floating-point exceptions give infinities and NaN, never a Python exception.
    """
    key = tuple(outputs), tuple(tuple(group) for group in arguments)
    fast = _compiled(*key, array)
    if array:
        return fast

    def run(*values: Any) -> list[Any]:
        try:
            return fast(*values)
        except (OverflowError, ZeroDivisionError, ValueError):
            careful = _compiled(*key, True)
            with np.errstate(all="ignore"):
                return [float(x) for x in careful(*(np.asarray(group, dtype=float) for group in values))]

    return run


def split_constants(outputs: Sequence[Expr], constant: Iterable[str]) -> tuple[list[Expr], list[str], list[Expr]]:
    """Cut out what depends on constant names only, so that it is computed once and not at every step.

    Returns
    -------
    tuple
        The constant expressions, a name for each, and the outputs with those names in their place.
    """
    fixed = frozenset(constant)
    still: dict[Expr, bool] = {}
    boundary: dict[Expr, None] = {}
    order = topological(outputs)
    for node in order:
        still[node] = node.value in fixed if node.op == "sym" else all(still[arg] for arg in node.args)
    for node in order:
        if not still[node]:
            # The unknown of a relation hides inside the node, so a solve is cut only as a whole.
            boundary.update((arg, None) for arg in node.args if still[arg] and arg.op != "const")
    boundary.update((node, None) for node in outputs if still[node] and node.op != "const")
    names = [f"?c{i}" for i in range(len(boundary))]
    replaced = expression.substitute(
        outputs, {node: expression.symbol(name) for node, name in zip(boundary, names, strict=True)}
    )
    return list(boundary), names, replaced


# Nodes are unique, so the same model with other values asks for the same functions again.
@functools.lru_cache(maxsize=256)
def _compiled(
    outputs: tuple[Expr, ...], arguments: tuple[tuple[str, ...], ...], array: bool
) -> Callable[..., list[Any]]:
    name: dict[Expr, str] = {}
    groups = {symbol: f"a{g}[{i}]" for g, group in enumerate(arguments) for i, symbol in enumerate(group)}
    lines = [f"def compute({', '.join(f'a{g}' for g in range(len(arguments)))}):"]
    for node in topological(outputs):
        if node.op == "const":
            name[node] = _number(node.value)
            continue
        name[node] = f"v{len(name)}"
        if node.op == "sym":
            if node.value not in groups:
                raise KeyError(node.value)
            lines.append(f"    {name[node]} = {groups[node.value]}")
        else:
            lines.append(f"    {name[node]} = {_line(node, name, array)}")
    lines.append(f"    return [{', '.join(name[output] for output in outputs)}]")
    namespace = array_functions() if array else dict(_SCALAR)
    exec(compile("\n".join(lines), "<betapod model>", "exec"), namespace)
    compute: Callable[..., list[Any]] = namespace["compute"]
    return compute


_SCALAR: dict[str, Any] = {
    **{
        name: function
        for name, function in operations.UNARY.items()
        if name not in ("not", "abs", "exp", "sqrt", "log", "neg")
    },
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "pow": math.pow,
    "abs_": abs,
    "not_": operations.UNARY["not"],
    "min_": operations.BINARY["min"],
    "max_": operations.BINARY["max"],
    "and_": operations.BINARY["and"],
    "or_": operations.BINARY["or"],
    "xor": operations.BINARY["xor"],
    "atan2": math.atan2,
    "mod": math.fmod,
    "nan": math.nan,
    "inf": math.inf,
}
