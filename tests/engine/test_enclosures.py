"""Bounds hold: whatever the expression and wherever the names are between their ends, the value is between its bounds."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betapod.engine.enclosures import enclosures, turning_once
from betapod.model.algebra.expression import Expr, binary, const, evaluate, powi, select, symbol, unary
from betapod.model.algebra.operations import BINARY, COMPARISONS, LOGIC, UNARY

NAMES = ("x", "y")
ENDS = {symbol(n): (symbol(f"?low {n}"), symbol(f"?high {n}")) for n in NAMES}

leaves = st.one_of(st.sampled_from([symbol(n) for n in (*NAMES, "p")]), st.floats(-4, 4).map(const))
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(unary, st.sampled_from(sorted(UNARY)), inner),
        st.builds(binary, st.sampled_from(sorted(BINARY)), inner, inner),
        st.builds(powi, inner, st.integers(-3, 5)),
        st.builds(select, inner, inner, inner),
    ),
    max_leaves=8,
)
ends = st.tuples(st.floats(-8, 8), st.floats(0, 6))


def check(expr: Expr, x: tuple[float, float], y: tuple[float, float], shares: list[float], p: float) -> None:
    low, high = enclosures([expr], ENDS)[0]
    spans = dict(zip(NAMES, (x, y), strict=True))
    at = {f"?low {n}": a for n, (a, _) in spans.items()} | {f"?high {n}": a + w for n, (a, w) in spans.items()}
    bottom, top = evaluate([low, high], {**at, "p": p})
    for share in shares:
        values = {n: min(a + share * w, a + w) for n, (a, w) in spans.items()}
        value = evaluate([expr], {**values, "p": p})[0]
        if math.isnan(value) or math.isnan(bottom) or math.isnan(top):
            continue  # bounds that are not numbers decide nothing
        slack = 1e-9 * (1.0 + abs(value)) if math.isfinite(value) and expr.op not in COMPARISONS | LOGIC else 0.0
        assert bottom - slack <= value <= top + slack, (expr.op, bottom, value, top)


@settings(max_examples=400, deadline=None)
@given(expressions, ends, ends, st.lists(st.floats(0, 1), min_size=3, max_size=3), st.floats(-3, 3))
def test_values_are_between_bounds(
    expr: Expr, x: tuple[float, float], y: tuple[float, float], shares: list[float], p: float
) -> None:
    check(expr, x, y, [0.0, *shares, 1.0], p)


@pytest.mark.parametrize("op", [*sorted(UNARY), *sorted(BINARY)])
def test_every_operation_is_bounded(op: str) -> None:
    """Over many stretches, also about 0 and about whole periods."""
    x, y = symbol("x"), symbol("y")
    expr = unary(op, x) if op in UNARY else binary(op, x, y)
    for a in (-7.3, -3.0, -1.0, -0.5, 0.0, 0.2, 1.0, 2.5, 6.1):
        for w in (0.0, 1e-3, 0.4, 1.0, 3.2, 7.0):
            check(expr, (a, w), (0.7 * a + 0.4, 0.5 * w), [k / 16 for k in range(17)], 1.0)


@pytest.mark.parametrize(
    ("expr", "span", "expected"),
    [
        (unary("sin", symbol("x")), (0.1, 0.2), (math.sin(0.1), math.sin(0.3))),
        (unary("cos", symbol("x")), (3.0, 0.5), (-1.0, math.cos(3.5))),
        (powi(symbol("x"), 2), (-1.0, 3.0), (0.0, 4.0)),
        (binary("mod", symbol("x"), const(5.0)), (11.0, 2.0), (1.0, 3.0)),
        (binary("div", const(1.0), symbol("x")), (2.0, 2.0), (0.25, 0.5)),
        (binary("lt", symbol("x"), const(5.0)), (2.0, 2.0), (1.0, 1.0)),
        (binary("lt", symbol("x"), const(3.0)), (2.0, 2.0), (0.0, 1.0)),
        (binary("pow", symbol("x"), const(0.5)), (4.0, 5.0), (2.0, 3.0)),
        # At -2 the arc sine is no number, which is not below 0.
        (binary("le", unary("asin", symbol("x")), const(0.0)), (-2.0, 1.0), (0.0, 1.0)),
        (binary("ge", const(0.0), unary("asin", symbol("x"))), (-2.0, 1.0), (0.0, 1.0)),
    ],
)
def test_bounds_are_close(expr: Expr, span: tuple[float, float], expected: tuple[float, float]) -> None:
    low, high = enclosures([expr], ENDS)[0]
    at = {"?low x": span[0], "?high x": span[0] + span[1]}
    assert evaluate([low, high], at) == pytest.approx(expected, rel=1e-14)


CLOCK = symbol("x")
CLOCK_ENDS = {CLOCK: ENDS[CLOCK]}


def changes_once(condition: Expr, a: float, w: float, p: float) -> bool:
    """Return whether a condition of time is said to change once at most from a to a + w, and check that it does."""
    (told,) = turning_once([(condition, symbol("held"))], CLOCK_ENDS, CLOCK)
    start = evaluate([condition], {"x": a, "y": 0.3, "p": p})[0]
    once = evaluate([told], {"?low x": a, "?high x": a + w, "y": 0.3, "p": p, "held": start})[0] != 0.0
    found = [evaluate([condition], {"x": a + w * k / 64, "y": 0.3, "p": p})[0] for k in range(65)]
    assert not once or sum(one != other for one, other in itertools.pairwise(found)) <= 1
    return once


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(["lt", "le", "gt", "ge", "eq"]), expressions, expressions, ends, st.floats(-3, 3))
def test_what_is_said_to_change_once_does(
    op: str, left: Expr, right: Expr, span: tuple[float, float], p: float
) -> None:
    changes_once(binary(op, left, right), *span, p)


@pytest.mark.parametrize("op", sorted(UNARY))
def test_every_function_that_is_said_to_change_once_does(op: str) -> None:
    for level in (-0.7, 0.0, 0.4, 1.3):
        condition = binary("ge", unary(op, CLOCK), const(level))
        for a in (-7.3, -3.0, -1.0, -0.5, 0.0, 0.2, 1.0, 2.5, 6.1):
            for w in (1e-3, 0.4, 1.0, 3.2, 7.0):
                changes_once(condition, a, w, 1.0)


def test_a_wave_changes_once_from_one_top_to_the_next_bottom() -> None:
    wave = binary("ge", unary("sin", CLOCK), const(0.5))
    assert changes_once(wave, 0.1, 1.3, 1.0) and changes_once(wave, 1.7, 2.9, 1.0)
    assert not changes_once(wave, 0.1, 3.0, 1.0)
    assert changes_once(binary("lt", CLOCK, symbol("p")), 0.0, 1e6, 5.0)
    assert not changes_once(binary("ge", unary("floor", CLOCK), const(2.0)), 0.0, 3.0, 1.0)
