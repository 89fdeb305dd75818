"""The expression graph: hash-consed nodes, light simplification, substitution.

Equal expressions are the same object, so a shared subexpression is stored, differentiated and computed once.
A node is never changed after it is made.

Operations
----------
``const`` (value: float), ``sym`` (value: name), ``add sub mul div pow min max atan2 mod`` (two arguments), ``powi`` (value: integer
exponent), ``neg`` and the unary functions of `UNARY`, comparisons ``lt le gt ge eq ne``, logic ``and or xor not``,
``select`` (condition, then, otherwise), and ``solve``: a value found by unrolled Newton steps. A ``solve`` node computes its single
argument; its `value` holds the unknown and the residual, from which the derivative follows by the implicit function theorem.
Truth values are 1.0 and 0.0.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

from .operations import BINARY, UNARY, power


class Expr:
    """One node of the graph. Make nodes with the functions of this module, never directly."""

    __slots__ = ("__weakref__", "args", "op", "value")

    op: str
    args: tuple[Expr, ...]
    value: Any

    def __add__(self, other: Expr | float) -> Expr:
        return add(self, as_expr(other))

    def __radd__(self, other: float) -> Expr:
        return add(as_expr(other), self)

    def __sub__(self, other: Expr | float) -> Expr:
        return sub(self, as_expr(other))

    def __rsub__(self, other: float) -> Expr:
        return sub(as_expr(other), self)

    def __mul__(self, other: Expr | float) -> Expr:
        return mul(self, as_expr(other))

    def __rmul__(self, other: float) -> Expr:
        return mul(as_expr(other), self)

    def __truediv__(self, other: Expr | float) -> Expr:
        return div(self, as_expr(other))

    def __rtruediv__(self, other: float) -> Expr:
        return div(as_expr(other), self)

    def __neg__(self) -> Expr:
        return neg(self)

    def __repr__(self) -> str:
        if self.op in ("const", "sym"):
            return str(self.value)
        return f"<{self.op} of {len(self.args)}>"


_nodes: WeakValueDictionary[tuple[Any, ...], Expr] = WeakValueDictionary()


def _node(op: str, args: tuple[Expr, ...] = (), value: Any = None, key: Any = None) -> Expr:
    identity = (op, args, value if key is None else key)
    node = _nodes.get(identity)
    if node is None:
        node = Expr()
        node.op, node.args, node.value = op, args, value
        _nodes[identity] = node
    return node


def const(value: float) -> Expr:
    """Return the node of a number."""
    value = float(value)
    return _node("const", (), value, struct.pack("<d", value))


def symbol(name: str) -> Expr:
    """Return the node of a name."""
    return _node("sym", (), name)


ZERO, ONE, TWO = const(0.0), const(1.0), const(2.0)
TIME = symbol("t")


def as_expr(value: Expr | float) -> Expr:
    """Return `value` as a node."""
    return value if isinstance(value, Expr) else const(value)


def is_const(node: Expr, value: float | None = None) -> bool:
    """Return whether the node is a number (that number, if given)."""
    return node.op == "const" and (value is None or node.value == value)


def unary(op: str, a: Expr) -> Expr:
    """Return the node of a unary function."""
    if a.op == "const":
        return const(UNARY[op](a.value))
    return _node(op, (a,))


def binary(op: str, a: Expr, b: Expr) -> Expr:
    """Return the node of a binary function, without algebraic simplification but folding numbers."""
    if a.op == "const" and b.op == "const":
        return const(BINARY[op](a.value, b.value))
    return _node(op, (a, b))


def neg(a: Expr) -> Expr:
    """Return ``-a``."""
    return a.args[0] if a.op == "neg" else unary("neg", a)


def add(a: Expr, b: Expr) -> Expr:
    """Return ``a + b``."""
    if is_const(a, 0.0):
        return b
    if is_const(b, 0.0):
        return a
    if b.op == "neg":
        return sub(a, b.args[0])
    return binary("add", a, b)


def sub(a: Expr, b: Expr) -> Expr:
    """Return ``a - b``."""
    if is_const(b, 0.0):
        return a
    if is_const(a, 0.0):
        return neg(b)
    if b.op == "neg":
        return add(a, b.args[0])
    return binary("sub", a, b)


def mul(a: Expr, b: Expr) -> Expr:
    """Return ``a * b``; a factor 0 is kept, since 0 times infinity is not 0."""
    if is_const(a, 1.0):
        return b
    if is_const(b, 1.0):
        return a
    if is_const(a, -1.0):
        return neg(b)
    if is_const(b, -1.0):
        return neg(a)
    return binary("mul", a, b)


def div(a: Expr, b: Expr) -> Expr:
    """Return ``a / b``."""
    return a if is_const(b, 1.0) else binary("div", a, b)


def powi(a: Expr, exponent: int) -> Expr:
    """Return ``a`` to an integer power."""
    if exponent == 0:
        return ONE
    if exponent == 1:
        return a
    if a.op == "const":
        return const(power(a.value, float(exponent)))
    return _node("powi", (a,), int(exponent))


def pow_(a: Expr, b: Expr) -> Expr:
    """Return ``a**b``."""
    if b.op == "const" and b.value == int(b.value if math.isfinite(b.value) else 0.5) and abs(b.value) <= 64:
        return powi(a, int(b.value))
    return binary("pow", a, b)


def select(condition: Expr, then: Expr, otherwise: Expr) -> Expr:
    """Return ``then`` where the condition holds, else ``otherwise``."""
    if condition.op == "const":
        return then if condition.value != 0.0 else otherwise
    if then is otherwise:
        return then
    return _node("select", (condition, then, otherwise))


def exp(a: Expr) -> Expr:
    """Return the exponential."""
    return unary("exp", a)


def log(a: Expr) -> Expr:
    """Return the natural logarithm."""
    return a.args[0] if a.op == "exp" else unary("log", a)


def solved(value: Expr, unknown: Expr, residual: Expr) -> Expr:
    """Return a ``solve`` node: computed as `value`, differentiated as the root of `residual`."""
    return _node("solve", (value,), (unknown, residual))


_MAKERS: dict[str, Callable[..., Expr]] = {
    "add": add,
    "sub": sub,
    "mul": mul,
    "div": div,
    "pow": pow_,
    "neg": neg,
    "log": log,
    "select": select,
}


def rebuild(node: Expr, args: tuple[Expr, ...]) -> Expr:
    """Return the node with other arguments."""
    if args == node.args:
        return node
    if node.op in _MAKERS:
        return _MAKERS[node.op](*args)
    if node.op == "powi":
        return powi(args[0], node.value)
    if node.op in UNARY:
        return unary(node.op, args[0])
    return binary(node.op, *args)


def topological(roots: Iterable[Expr], done: Container[Expr] = ()) -> list[Expr]:
    """Return every node below the roots, arguments before the nodes that use them; order depends on structure only.

    Nodes that are `done` are left out, and nothing below them is visited.
    """
    visited: set[Expr] = set()
    order: list[Expr] = []
    for root in roots:
        stack: list[tuple[Expr, bool]] = [(root, False)]
        while stack:
            node, expanded = stack.pop()
            if expanded:
                order.append(node)
            elif node not in visited and node not in done:
                visited.add(node)
                stack.append((node, True))
                stack.extend((arg, False) for arg in reversed(node.args) if arg not in visited)
    return order


def free_symbols(roots: Iterable[Expr]) -> list[str]:
    """Return the names that the roots depend on, in order of first use."""
    return [node.value for node in topological(roots) if node.op == "sym"]


def substitute(roots: Sequence[Expr], replacements: Mapping[Expr, Expr]) -> list[Expr]:
    """Return the roots with nodes replaced (all at once, replacements are not searched again)."""
    done: dict[Expr, Expr] = dict(replacements)
    for root in roots:
        stack = [root]
        while stack:
            node = stack[-1]
            if node in done:
                stack.pop()
                continue
            below = node.args
            if node.op == "solve":
                below = (*node.args, node.value[1])
                done.setdefault(node.value[0], node.value[0])
            missing = [arg for arg in below if arg not in done]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            if node.op == "solve":
                done[node] = solved(done[node.args[0]], node.value[0], done[node.value[1]])
            else:
                done[node] = rebuild(node, tuple(done[arg] for arg in node.args))
    return [done[root] for root in roots]


def evaluate(roots: Sequence[Expr], values: Mapping[str, float]) -> list[float]:
    """Compute the roots once with IEEE arithmetic; slow and simple, the yardstick of every printer.

    Raises
    ------
    KeyError
        A name has no value.
    """
    done: dict[Expr, float] = {}
    for node in topological(roots):
        args = [done[arg] for arg in node.args]
        if node.op == "const":
            done[node] = node.value
        elif node.op == "sym":
            done[node] = float(values[node.value])
        elif node.op == "powi":
            done[node] = power(args[0], float(node.value))
        elif node.op == "select":
            done[node] = args[1] if args[0] != 0.0 else args[2]
        elif node.op == "solve":
            done[node] = args[0]
        elif node.op in UNARY:
            done[node] = UNARY[node.op](args[0])
        else:
            done[node] = BINARY[node.op](args[0], args[1])
    return [done[root] for root in roots]
