"""The expression graph: sharing, exact derivatives, and printers that agree with plain evaluation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betapod.model.algebra import expression as ex
from betapod.model.algebra import operations
from betapod.model.algebra.derivative import SLOPES, gradient, jacobian, newton
from betapod.model.algebra.evaluate import compile_function, split_constants
from betapod.model.algebra.functions import FUNCTIONS, expand_call

NAMES = ("x", "y", "k")
X, Y, K = (ex.symbol(name) for name in NAMES)

smooth_unary = st.sampled_from(
    ["exp", "tanh", "logistic", "softplus", "wright_omega", "sin", "cos", "neg", "atan", "asinh"]
)
binary_ops = st.sampled_from([ex.add, ex.sub, ex.mul])
leaves = st.one_of(st.sampled_from([X, Y, K]), st.floats(-2, 2).map(ex.const))
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(ex.unary, smooth_unary, inner),
        st.builds(lambda f, a, b: f(a, b), binary_ops, inner, inner),
        st.builds(lambda a, b: ex.div(a, ex.add(ex.unary("softplus", b), ex.ONE)), inner, inner),
        st.builds(ex.powi, inner, st.sampled_from([2, 3])),
    ),
    max_leaves=12,
)
points = st.tuples(*[st.floats(-1.5, 1.5) for _ in NAMES])


def test_equal_expressions_are_one_node() -> None:
    assert X * Y + 1.0 is X * Y + 1.0
    assert ex.const(0.0) is not ex.const(-0.0)
    assert ex.const(math.nan) is ex.const(math.nan)


@given(expressions, points)
@settings(max_examples=150, deadline=None)
def test_gradient_is_the_limit_of_differences(expr: ex.Expr, point: tuple[float, ...]) -> None:
    values = dict(zip(NAMES, point, strict=True))
    slopes = gradient(expr, [X, Y, K])
    at = dict(zip(slopes, ex.evaluate(list(slopes.values()), values), strict=True))
    for variable in (X, Y, K):
        found = at.get(variable, 0.0)
        h = 1e-5
        up, down = (ex.evaluate([expr], {**values, variable.value: values[variable.value] + s * h})[0] for s in (1, -1))
        size = max(abs(up), abs(down), abs(found), 1.0)
        if math.isfinite(up) and math.isfinite(down) and size < 1e4:
            assert found == pytest.approx((up - down) / (2 * h), rel=1e-4, abs=1e-5 * size)


@given(expressions, points)
@settings(max_examples=100, deadline=None)
def test_printed_functions_agree_with_evaluation(expr: ex.Expr, point: tuple[float, ...]) -> None:
    values = dict(zip(NAMES, point, strict=True))
    expected = ex.evaluate([expr], values)[0]
    scalar = compile_function([expr], [list(NAMES)])(point)[0]
    with np.errstate(all="ignore"):
        array = compile_function([expr], [list(NAMES)], array=True)(np.array(point)[:, None] * np.ones(3))[0]
    assert scalar == pytest.approx(expected, rel=1e-12, abs=1e-300, nan_ok=True)
    np.testing.assert_allclose(np.broadcast_to(array, 3), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("op", sorted(SLOPES))
def test_every_slope_at_a_point_of_its_domain(op: str) -> None:
    at = 1.7 if op == "acosh" else 0.4
    slope = gradient(ex.unary(op, X), [X])[X]
    h = 1e-6
    expected = (operations.UNARY[op](at + h) - operations.UNARY[op](at - h)) / (2 * h)
    assert ex.evaluate([slope], {"x": at})[0] == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("softplus", (0.3, 0.1), 0.1 * math.log(1 + math.exp(3.0))),
        (
            "softplus0",
            (9.3, 6.0, 0.35, 5.2),
            0.35 * (math.log1p(math.exp(3.3 / 0.35)) - math.log1p(math.exp(-0.8 / 0.35))),
        ),
        ("hill", (2.0, 3.0, 4.0), 2.0**4 / (2.0**4 + 3.0**4)),
        ("smooth_min", (2.0, 3.0, 0.9), (5 - math.sqrt(25 - 4 * 0.9 * 6)) / 1.8),
        ("logit", (0.2,), math.log(0.25)),
        ("lambert_w", (1.0,), 0.5671432904097838),
        ("logistic", (-1000.0,), 0.0),
    ],
)
def test_functions_of_the_language(name: str, args: tuple[float, ...], expected: float) -> None:
    symbols = [ex.symbol(f"a{i}") for i in range(len(args))]
    found = ex.evaluate([expand_call(name, symbols)], {s.value: a for s, a in zip(symbols, args, strict=True)})[0]
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-300)
    assert len(FUNCTIONS[name].arguments) == len(args)


@pytest.mark.parametrize("x", [-700.0, -30.0, -1.0, 0.0, 1.0, 50.0, 1e6])
def test_wright_omega_solves_its_equation(x: float) -> None:
    log_v = math.log(operations.wright_omega(x))
    assert math.exp(log_v) + log_v == pytest.approx(x, rel=1e-14, abs=1e-14)


def test_zero_referenced_softplus_is_exactly_zero_at_its_reference() -> None:
    assert ex.evaluate([expand_call("softplus0", [X, Y, K, X])], {"x": 5.2, "y": 6.0, "k": 0.35})[0] == 0.0


@given(st.floats(0.1, 5.0), st.floats(0.1, 5.0))
def test_newton_root_and_its_derivative(a: float, b: float) -> None:
    """The v with v^2 + a*v = b has a closed form, and so has its slope."""
    v = ex.symbol("?v")
    root = newton(v, v * v + X * v - Y, ex.const(1.0), 12)
    values = {"x": a, "y": b}
    exact = (-a + math.sqrt(a * a + 4 * b)) / 2
    assert ex.evaluate([root], values)[0] == pytest.approx(exact, rel=1e-12)
    slopes = gradient(root, [X, Y])
    found = ex.evaluate([slopes[X], slopes[Y]], values)
    assert found == pytest.approx([-exact / (2 * exact + a), 1 / (2 * exact + a)], rel=1e-10)


def test_jacobian_leaves_out_zeros() -> None:
    entries = jacobian([X * Y, ex.exp(K), ex.const(1.0)], [X, Y, K])
    assert set(entries) == {(0, 0), (0, 1), (1, 2)}


def test_constants_are_cut_out_and_nothing_changes() -> None:
    expr = ex.exp(X * K) * Y + K / (X + 1.0)
    constants, names, [rest] = split_constants([expr], ["x", "k"])
    values = {"x": 0.3, "y": 2.0, "k": -1.1}
    values |= dict(zip(names, ex.evaluate(constants, values), strict=True))
    assert ex.evaluate([rest], values) == ex.evaluate([expr], values)
    assert set(ex.free_symbols([rest])) == {"y", *names}


def test_floating_point_exceptions_give_ieee_values() -> None:
    compute = compile_function([X / Y, ex.exp(X), ex.log(Y), ex.unary("sqrt", -X), ex.pow_(X, Y)], [["x", "y"]])
    found = compute([800.0, 0.0])
    assert found[:3] == [math.inf, math.inf, -math.inf]
    assert math.isnan(found[3])
    assert found[4] == 1.0


def test_deep_graphs_need_no_recursion() -> None:
    expr = X
    for _ in range(20_000):
        expr = ex.unary("sin", expr + Y)
    assert len(ex.topological([expr])) == 40_002
    assert ex.substitute([expr], {X: K})[0] is not expr


@pytest.mark.parametrize(
    ("op", "x", "y", "expected"),
    [
        ("min", 1.0, 2.0, (1.0, 0.0)),
        ("min", 2.0, 1.0, (0.0, 1.0)),
        ("max", 1.0, 2.0, (0.0, 1.0)),
        ("max", 2.0, 1.0, (1.0, 0.0)),
        # At the kink, the derivative of the branch whose value is taken: the first.
        ("min", 1.0, 1.0, (1.0, 0.0)),
        ("max", 1.0, 1.0, (1.0, 0.0)),
        ("mod", 7.5, 2.0, (1.0, -3.0)),
        ("mod", -7.5, 2.0, (1.0, 3.0)),
        ("atan2", 1.0, 2.0, (0.4, -0.2)),
        ("pow", 2.0, 3.0, (12.0, 8.0 * math.log(2.0))),
    ],
)
def test_slopes_of_two_arguments(op: str, x: float, y: float, expected: tuple[float, float]) -> None:
    slopes = gradient(ex.binary(op, X, Y), [X, Y])
    found = [ex.evaluate([slopes.get(v, ex.ZERO)], {"x": x, "y": y})[0] for v in (X, Y)]
    assert found == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(("x", "expected"), [(-2.0, -1.0), (0.0, 1.0), (3.0, 1.0)])
def test_slope_of_the_absolute_value(x: float, expected: float) -> None:
    assert ex.evaluate([gradient(ex.unary("abs", X), [X])[X]], {"x": x})[0] == expected
