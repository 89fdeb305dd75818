"""Carry a model to another process or machine: its graph as a flat list, since nodes are unique within a process."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

from ...model import Model
from ...model.algebra.expression import Expr, _node, const
from ...model.assembly.model import Implicit


def pack(model: Model) -> bytes:
    """Return everything that is needed to simulate a model, without the syntax that it was assembled from."""
    bare = replace(model, parts=())
    roots = _roots(bare)
    order = _closed(roots)
    number = {node: index for index, node in enumerate(order)}
    nodes = [(node.op, tuple(number[arg] for arg in node.args), _value(node, number)) for node in order]
    skeleton = _map_expressions(bare, lambda node: _Reference(number[node]))
    return pickle.dumps((nodes, skeleton, model.fingerprint), protocol=5)


def unpack(data: bytes) -> Model:
    """Return the model that `pack` took.

    Raises
    ------
    ValueError
        The model does not compute what it computed before it was packed.
    """
    nodes, skeleton, fingerprint = pickle.loads(data)
    nodes_read: list[Expr] = []
    for op, args, value in nodes:
        if op == "const":
            nodes_read.append(const(value))
        else:
            if op == "solve":
                value = tuple(nodes_read[index] for index in value)
            nodes_read.append(_node(op, tuple(nodes_read[index] for index in args), value))
    model: Model = _map_expressions(skeleton, lambda reference: nodes_read[reference.number])
    if model.fingerprint != fingerprint:
        raise ValueError("the model changed on its way")
    return model


class _Reference:
    """Stands for a node."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


def _value(node: Expr, number: dict[Expr, int]) -> object:
    return tuple(number[part] for part in node.value) if node.op == "solve" else node.value


def _closed(roots: list[Expr]) -> list[Expr]:
    """Return every node below the roots, each after what it needs; the relation of a ``solve`` node belongs to what it needs."""
    done: dict[Expr, None] = {}
    stack = list(reversed(roots))
    while stack:
        node = stack[-1]
        below = (*node.args, *node.value) if node.op == "solve" else node.args
        missing = [part for part in below if part not in done]
        if missing and node not in done:
            stack.extend(reversed(missing))
        else:
            stack.pop()
            done[node] = None
    return list(done)


def _map_expressions(model: Any, change: Any) -> Any:
    """Return the model with every expression (or its stand-in) replaced by what `change` makes of it."""

    def walk(value: Any) -> Any:
        if isinstance(value, Expr | _Reference):
            return change(value)
        if isinstance(value, Implicit):
            return Implicit(walk(value.left), walk(value.right), walk(value.start), value.steps)
        return value

    states = tuple(
        replace(
            s,
            local_rate=walk(s.local_rate),
            local_initial=walk(s.local_initial),
            rate=walk(s.rate),
            initial=walk(s.initial),
        )
        for s in model.states
    )
    assignments = {n: replace(a, local=walk(a.local), expr=walk(a.expr)) for n, a in model.assignments.items()}
    events = tuple(
        replace(
            e,
            trigger=walk(e.trigger),
            assignments=tuple((target, walk(value)) for target, value in e.assignments),
            delay=walk(e.delay),
            priority=walk(e.priority),
            factors=tuple((target, walk(value)) for target, value in e.factors),
        )
        for e in model.events
    )
    return replace(model, states=states, assignments=assignments, events=events)


def _roots(model: Model) -> list[Expr]:
    roots: list[Expr] = []

    def visit(node: Expr) -> Expr:
        roots.append(node)
        return node

    _map_expressions(model, visit)
    return roots
