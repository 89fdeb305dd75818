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
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary


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
    found = _nodes.get(identity)
    if found is None:
        found = Expr()
        found.op, found.args, found.value = op, args, value
        _nodes[identity] = found
    return found


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


def newton(unknown: Expr, residual: Expr, start: Expr, steps: int) -> Expr:
    """Return the unknown that makes the residual 0, by `steps` unrolled Newton steps from `start`.

    The derivative of the result is that of the exact root (implicit function theorem), not of the iteration.
    """
    from .derivative import gradient

    slope = gradient(residual, [unknown]).get(unknown)
    if slope is None:
        raise ValueError("the residual does not depend on the unknown")
    value = start
    for _ in range(steps):
        at = substitute([residual, slope], {unknown: value})
        value = value - at[0] / at[1]
    return solved(value, unknown, residual)


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


def topological(roots: Iterable[Expr]) -> list[Expr]:
    """Return every node below the roots, arguments before the nodes that use them; order depends on structure only."""
    seen: set[Expr] = set()
    order: list[Expr] = []
    for root in roots:
        stack: list[tuple[Expr, bool]] = [(root, False)]
        while stack:
            node, expanded = stack.pop()
            if expanded:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((arg, False) for arg in reversed(node.args) if arg not in seen)
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
