"""Hold jumps and kinks still while integrating: between two switches the rates are smooth, whatever the solver tries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..model.derivative import gradient
from ..model.expression import (
    TIME,
    ZERO,
    Expr,
    add,
    binary,
    const,
    div,
    free_symbols,
    mul,
    neg,
    rebuild,
    select,
    solved,
    sub,
    symbol,
    topological,
    unary,
)
from ..model.operations import COMPARISONS


@dataclass(frozen=True)
class Frozen:
    """Expressions with their switches taken out.

    Attributes
    ----------
    roots
        The expressions, in which every switch is a name.
    names, conditions
        That name, and the expression (in the original terms) whose value it stands for while it does not change.
    """

    roots: list[Expr]
    names: list[str]
    conditions: list[Expr]


def depends(order: Sequence[Expr], moving: Iterable[str]) -> dict[Expr, bool]:
    """Return which nodes change when a moving name does."""
    names = frozenset(moving)
    found: dict[Expr, bool] = {}
    for node in order:
        found[node] = node.value in names if node.op == "sym" else any(found[arg] for arg in node.args)
    return found


def freeze(roots: Sequence[Expr], moving: Iterable[str]) -> Frozen:
    """Replace every comparison and every rounding that depends on moving names by a name of its own.

    Minimum, maximum, absolute value and remainder become selections and roundings first, so that they are smooth between switches.
    """
    order = topological(roots)
    moves = depends(order, moving)
    done: dict[Expr, Expr] = {}
    names: dict[Expr, str] = {}

    def switch(condition: Expr) -> Expr:
        return symbol(names.setdefault(condition, f"?s{len(names)}"))

    for node in order:
        args = tuple(done[arg] for arg in node.args)
        if not moves[node]:
            done[node] = node
        elif node.op in COMPARISONS or node.op in ("floor", "ceil"):
            done[node] = switch(node)
        elif node.op in ("min", "max"):
            keep = binary("le" if node.op == "min" else "ge", *node.args)
            done[node] = select(switch(keep), *args)
        elif node.op == "abs":
            done[node] = select(switch(binary("ge", node.args[0], ZERO)), args[0], neg(args[0]))
        elif node.op == "mod":
            # The whole number of divisors that the remainder itself left out: the rounded quotient can be one off.
            whole = unary("floor", add(div(sub(node.args[0], node), node.args[1]), const(0.5)))
            done[node] = sub(args[0], mul(args[1], switch(whole)))
        elif node.op == "solve":
            done[node] = solved(args[0], *node.value)
        else:
            done[node] = rebuild(node, args)
    return Frozen([done[root] for root in roots], list(names.values()), list(names))


def crossings(conditions: Sequence[Expr], moving: Iterable[str]) -> list[tuple[Expr, Expr]]:
    """Return comparisons whose sides differ by something linear in time: that difference and its slope.

    They switch at times that can be computed, so that no switch of this kind can be stepped over.
    """
    order = topological(conditions)
    moves = depends(order, set(moving) - {"t"})
    found: dict[Expr, Expr] = {}
    for node in order:
        if node.op not in COMPARISONS or moves[node]:
            continue
        difference = sub(*node.args)
        if any(below.op in ("floor", "ceil", "mod", "factorial", "select") for below in topological([difference])):
            continue
        slope = gradient(difference, [TIME]).get(TIME)
        if slope is not None and "t" not in free_symbols([slope]):
            found[difference] = slope
    return list(found.items())
