"""The Jacobian by elimination equals the one by forward differentiation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from betapod.engine.compiled.accumulate import accumulated_jacobian
from betapod.model.algebra.derivative import jacobian, newton
from betapod.model.algebra.expression import (
    ZERO,
    Expr,
    add,
    binary,
    const,
    div,
    evaluate,
    mul,
    powi,
    sub,
    symbol,
    unary,
)

VARIABLES = [symbol(name) for name in "abc"]
OPERATIONS: list[Callable[[Expr, Expr], Expr]] = [
    add,
    sub,
    mul,
    lambda a, b: div(a, add(const(2.0), mul(b, b))),
    lambda a, b: unary("tanh", a),
    lambda a, b: unary("logistic", a),
    lambda a, b: unary("softplus", sub(a, b)),
    lambda a, b: powi(unary("tanh", a), 3),
]
POINT = {"a": 0.7, "b": 1.3, "c": 2.1, "p": 0.4}


def check(roots: list[Expr]) -> None:
    mine, right = accumulated_jacobian(roots, VARIABLES), jacobian(roots, VARIABLES)
    assert mine is not None
    places = sorted(set(mine) | set(right))
    found = evaluate([mine.get(place, ZERO) for place in places], POINT)
    expected = evaluate([right.get(place, ZERO) for place in places], POINT)
    scale = max((abs(value) for value in expected), default=0.0)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11 * (1.0 + scale))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=25))
def test_random_graphs(steps: list[tuple[int, int, int]]) -> None:
    nodes: list[Expr] = [*VARIABLES, symbol("p")]
    for kind, i, j in steps:
        a, b = nodes[i % len(nodes)], nodes[j % len(nodes)]
        nodes.append(OPERATIONS[kind](a, b))
    check(nodes[-3:])


def test_a_solved_relation_is_differentiated_as_its_root() -> None:
    x = symbol("?x")
    inner = mul(VARIABLES[0], VARIABLES[1])
    relation = sub(add(mul(x, x), mul(inner, x)), add(VARIABLES[2], inner))
    root = newton(x, relation, const(1.0), 8)
    check([mul(root, VARIABLES[0]), unary("exp", root), inner])


def test_a_root_may_be_used_by_another_root() -> None:
    first = mul(VARIABLES[0], VARIABLES[1])
    check([first, unary("exp", first), first, VARIABLES[2]])


def test_branches_are_left_to_forward_differentiation() -> None:
    assert accumulated_jacobian([binary("min", VARIABLES[0], VARIABLES[1])], VARIABLES) is None
    parameters_only = binary("min", symbol("p"), const(1.0))
    check([mul(parameters_only, VARIABLES[0])])
