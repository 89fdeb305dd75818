"""Every operation of the language in a rate of the ensemble engine: the right value, and the same as the reference engine's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from betapod.engine.ensemble import Ensemble
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.model import Model, ParameterTable, Part, assemble
from betapod.model.algebra.derivative import newton
from betapod.model.algebra.expression import (
    ONE,
    Expr,
    add,
    binary,
    const,
    div,
    evaluate,
    mul,
    neg,
    pow_,
    powi,
    select,
    sub,
    symbol,
    unary,
)
from betapod.model.algebra.operations import BINARY, LOGIC, UNARY
from betapod.model.assembly.model import State
from betapod.model.parameters.table import Parameter

U, V, P = symbol("u"), symbol("v"), symbol("p")


def _whole(number: float, of: Expr) -> Expr:
    return unary("floor", mul(const(number), of))


def _argument(op: str) -> Expr:
    """Return an argument in the domain of a function, that passes where it jumps."""
    if op == "acosh":
        return add(ONE, U)
    if op in ("floor", "ceil"):
        return mul(const(5.0), U)
    if op == "not":
        return _whole(3.0, U)
    return sub(U, const(0.45)) if op in ("abs", "cbrt", "cosh", "atan", "sinh") else U


def _pair(op: str) -> tuple[Expr, Expr]:
    if op in LOGIC:
        return _whole(3.0, U), _whole(2.5, V)
    return (mul(const(5.0), U), const(0.7)) if op == "mod" else (U, V)


def _root() -> Expr:
    unknown = symbol("?w")
    return newton(unknown, sub(add(mul(unknown, unknown), mul(U, unknown)), add(ONE, V)), const(1.0), 8)


OPERATIONS: dict[str, Expr] = {
    **{op: unary(op, _argument(op)) for op in UNARY},
    **{op: binary(op, *_pair(op)) for op in BINARY},
    **{f"power {e:g}": pow_(U, const(e)) for e in (-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 0.3)},
    **{f"whole power {e}": powi(U, e) for e in (-3, -2, -1, 2, 3, 5, 8)},
    "power of the patient": pow_(U, P),
    "select": select(binary("lt", U, V), mul(U, V), neg(div(U, V))),
    "solve": _root(),
}
MOVING = {"u": (mul(const(0.3), U), 0.3), "v": (mul(const(-0.2), V), 0.5)}
ROWS = ParameterTable(
    [
        Parameter("p", "exponent", 1.5, "1", -1e9, 1e9, "fixed", "assumed", "", "", "D", ""),
        Parameter("tau", "time", 1.0, "day", -1e9, 1e9, "fixed", "assumed", "", "", "D", ""),
    ]
)


def model_with(rates: dict[str, Expr]) -> Model:
    """Return a model of u, v and, for each expression, a state with it as the rate."""
    part = Part.from_text("base", "du/dt = p*u/tau [1/day] u\nu(0) = 1 [1] u")
    base = assemble("operations", [part], ROWS)
    states = [State(n, "1", "", r, const(s), r, const(s)) for n, (r, s) in MOVING.items()]
    states += [State(name, "1", "", rate, const(0.0), rate, const(0.0)) for name, rate in rates.items()]
    return replace(base, states=tuple(states))


def integral(expr: Expr, end: float, count: int = 2000) -> float:
    """Integrate by midpoints."""
    times = (np.arange(count) + 0.5) * end / count
    points = [{"u": 0.3 * np.exp(0.3 * t), "v": 0.5 * np.exp(-0.2 * t), "p": 1.5} for t in times]
    return float(np.mean([evaluate([expr], {k: float(x) for k, x in point.items()})[0] for point in points])) * end


def test_every_operation_is_here() -> None:
    seen = {node.op for node in OPERATIONS.values()}
    assert seen >= set(UNARY) | set(BINARY) - {"pow"} | {"pow", "powi", "select", "solve"}


@pytest.mark.parametrize("chunk", range(4))
def test_every_operation_is_integrated(chunk: int) -> None:
    names = sorted(OPERATIONS)[chunk::4]
    rates = {f"s{k}": OPERATIONS[name] for k, name in enumerate(names)}
    model = model_with(rates)
    times = [0.0, 1.0, 2.0]
    result = Ensemble(model, list(rates), rtol=1e-9, atol=1e-12, width=1, threads=1, cache=False).run(1, times)
    assert result.summary() == "1 patient: 1 ok"
    right = simulate(model, times, rtol=1e-10, atol=1e-13, outputs=list(rates)).table.to_numpy()
    np.testing.assert_allclose(result.values[0], right, rtol=1e-7, atol=1e-9, err_msg=str(names))
    rough = [integral(expr, 2.0) for expr in rates.values()]
    np.testing.assert_allclose(result.values[0, -1], rough, rtol=3e-3, atol=1e-3, err_msg=str(names))


@pytest.mark.parametrize("exponent", [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5, -3.0, -1.0, 2.0, 7.0])
def test_powers_of_numbers_that_are_known(exponent: float) -> None:
    """As a start from the patient's own value, where half-integer powers become roots and products."""
    base = model_with({})
    start = pow_(P, const(exponent))
    model = replace(base, states=(*base.states, State("q", "1", "", neg(U), start, neg(U), start)))
    at = np.array([0.25, 1.0, 1.7, 9.0])
    result = Ensemble(model, ["q"], width=4, threads=1, cache=False).run({"p": at}, [0.0])
    np.testing.assert_allclose(result.values[:, 0, 0], at**exponent, rtol=1e-14)
