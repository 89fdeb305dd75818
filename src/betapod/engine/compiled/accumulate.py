"""Accumulate the Jacobian with few products: the chain rule as an elimination of intermediate quantities.

Forward differentiation multiplies every intermediate's derivatives by every state through each operation. Here the local derivatives
make a graph, and intermediates are removed one after another, the one with the fewest paths through it first (Markowitz's rule;
Griewank & Walther, Evaluating Derivatives, 2nd ed. 2008, chapter 9).
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from ...model.algebra.derivative import FLAT, local_derivatives, tangents
from ...model.algebra.expression import ONE, ZERO, Expr, add, div, is_const, mul, neg, substitute, topological

#: Operations whose local derivatives do not tell everything: a branch not taken may hold a derivative that is not a number.
_BRANCHES = frozenset({"select", "min", "max", "abs"})


#: A quantity stays an unknown of the linear systems where taking it out would leave so many entries more.
WORTH_KEEPING = 5


def accumulated_jacobian(
    roots: Sequence[Expr], variables: Sequence[Expr], keeping: bool = False
) -> dict[tuple[int, int], Expr] | None:
    """Return the non-zero derivatives of expressions by variables, row by row.

    Parameters
    ----------
    keeping
        Whether quantities through which many variables (the last is time) act on many expressions may stay: rows after the expressions are their
        derivatives, and columns after the variables the derivatives by them. They are those that the entries have, in order.

    Returns
    -------
    dict or None
        None where an operation needs more than local derivatives; forward differentiation is right there.
    """
    before, after = _local_graph(roots, variables)
    if before is None:
        return None
    inner = [v for v in after if v >= len(variables)]
    kept = _worth_keeping(inner, before, after, len(variables) - 1) if keeping else []
    fixed = {*range(len(variables)), *kept}
    waiting = [(len(before[v]) * len(after[v]), v) for v in inner if v not in fixed]
    heapq.heapify(waiting)
    gone: set[int] = set()
    while waiting:
        cost, v = heapq.heappop(waiting)
        if v in gone:
            continue
        present_cost = len(before[v]) * len(after[v])
        if present_cost > cost:
            heapq.heappush(waiting, (present_cost, v))
            continue
        gone.add(v)
        touched = _eliminate(v, before, after)
        for w in touched:
            if w >= 0 and w not in fixed and w not in gone:
                heapq.heappush(waiting, (len(before[w]) * len(after[w]), w))
    column_of = {**{j: j for j in range(len(variables))}, **{v: len(variables) + q for q, v in enumerate(kept)}}
    entries = {}
    for i, v in enumerate([*range(-1, -1 - len(roots), -1), *kept]):
        for w in sorted(before[v]):
            if not is_const(before[v][w], 0.0):
                entries[i, column_of[w]] = before[v][w]
    return entries


def _worth_keeping(inner: Sequence[int], before: _Edges, after: Mapping[int, set[int]], clock: int) -> list[int]:
    """Return the quantities through which so many paths go that fewer entries are left where they stay.

    The others are taken out one after another, the one first that leaves fewest entries more. What depends on time does not count,
    so that the choice is the same whatever inputs are ramped.
    """
    sources = {v: set(edges) - {clock} for v, edges in before.items()}
    targets = {v: set(users) for v, users in after.items()}

    def more(v: int) -> int:
        return sum(len(sources[v] - sources[w]) - 1 for w in targets[v]) - len(sources[v])

    waiting = [(more(v), v) for v in inner]
    heapq.heapify(waiting)
    left = set(inner)
    while waiting:
        told, v = heapq.heappop(waiting)
        if v not in left:
            continue
        present = more(v)
        if present > told and waiting and present > waiting[0][0]:
            heapq.heappush(waiting, (present, v))
            continue
        if present > WORTH_KEEPING:
            continue
        left.remove(v)
        above, below = sources.pop(v), targets.pop(v)
        for w in below:
            sources[w] = (sources[w] | above) - {v}
        for w in above:
            targets[w] = (targets[w] | below) - {v}
        for w in left & (above | below):
            heapq.heappush(waiting, (more(w), w))
    return sorted(left)


_Edges = dict[int, dict[int, Expr]]


def _local_graph(roots: Sequence[Expr], variables: Sequence[Expr]) -> tuple[_Edges | None, dict[int, set[int]]]:
    """Return, for each quantity that moves, its local derivatives by what it is computed from, and who uses it.

    Quantities are numbered: variables from 0, intermediates after them, roots -1, -2 ...
    """
    number: dict[Expr, int] = {variable: j for j, variable in enumerate(variables)}
    before: _Edges = {j: {} for j in range(len(variables))}
    after: dict[int, set[int]] = {j: set() for j in range(len(variables))}
    slopes: dict[Expr, list[tuple[Expr, Expr]]] = {}
    for node in _in_order(roots, set(number), slopes):
        moving = [(arg, slope) for arg, slope in slopes[node] if arg in number]
        if not moving:
            continue
        if node.op in _BRANCHES:
            return None, {}
        v = number[node] = len(number)
        before[v], after[v] = {}, set()
        for arg, slope in moving:
            _connect(number[arg], v, slope, before, after)
    for i, root in enumerate(roots):
        before[-1 - i] = {}
        after[-1 - i] = set()
        if root in number:
            _connect(number[root], -1 - i, ONE, before, after)
    return before, after


def _in_order(roots: Sequence[Expr], variables: set[Expr], slopes: dict[Expr, list[tuple[Expr, Expr]]]) -> list[Expr]:
    """Return what the roots are computed from, each after what it needs, and note the local derivatives of each."""
    order: list[Expr] = []
    stack = [(root, False) for root in reversed(roots)]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in slopes and node not in variables:
            slopes[node] = _local(node)
            stack.append((node, True))
            stack.extend((arg, False) for arg, _ in slopes[node] if arg not in slopes)
    return order


def _local(node: Expr) -> list[tuple[Expr, Expr]]:
    """Return what a node is computed from, with its derivative by each."""
    if node.op in FLAT:
        return []
    if node.op == "solve":
        return _implicit(node)
    if node.op in _BRANCHES:
        return [(arg, ONE) for arg in node.args]  # only to see whether anything below it moves
    return [(arg, slope) for arg, slope in zip(node.args, local_derivatives(node), strict=True) if slope is not None]


def _implicit(node: Expr) -> list[tuple[Expr, Expr]]:
    """Return what the relation of a solved node contains besides the unknown, with the root's derivative by each."""
    unknown, residual = node.value
    inside: dict[Expr, bool] = {}
    needed: dict[Expr, None] = {}
    for below in topological([residual]):
        inside[below] = below is unknown or any(inside[arg] for arg in below.args)
        if inside[below]:
            needed.update(dict.fromkeys(arg for arg in below.args if not inside[arg] and arg.op != "const"))
    derivatives = tangents([residual], [unknown, *needed])[residual]
    names = [name for name in needed if name in derivatives]
    at_root = substitute([derivatives[unknown], *(derivatives[name] for name in names)], {unknown: node})
    return [(name, neg(div(top, at_root[0]))) for name, top in zip(names, at_root[1:], strict=True)]


def _connect(source: int, target: int, weight: Expr, before: _Edges, after: Mapping[int, set[int]]) -> None:
    edges = before[target]
    edges[source] = add(edges[source], weight) if source in edges else weight
    after[source].add(target)


def _eliminate(v: int, before: _Edges, after: dict[int, set[int]]) -> set[int]:
    """Replace every path through a quantity by a direct one; return the neighbours."""
    sources = before.pop(v)
    targets = after.pop(v)
    for target in targets:
        outer = before[target].pop(v)
        for source, inner in sources.items():
            _connect(source, target, _product(outer, inner), before, after)
    for source in sources:
        after[source].discard(v)
    return set(sources) | targets


def _product(a: Expr, b: Expr) -> Expr:
    if is_const(a, 0.0) or is_const(b, 0.0):
        return ZERO
    if a.op == "neg" and b.op == "neg":
        return mul(a.args[0], b.args[0])
    if a.op == "neg":
        return neg(mul(a.args[0], b))
    if b.op == "neg":
        return neg(mul(a, b.args[0]))
    return mul(a, b)
