"""Expressions that nest too deep or are too long are refused with their place; long chains of names are no matter."""

from __future__ import annotations

import pytest

from betapod import simulate
from betapod.base.errors import Location, ModelError, Problem
from betapod.model import ParameterTable, Part, assemble

BASE = "dx/dt = 0*x [1/day] steady\nx(0) = 1 [1] start\n"


def made(text: str):
    return assemble("m", [Part.from_text("m", text)], ParameterTable(()))


@pytest.mark.parametrize("count", [150, 3000])
@pytest.mark.parametrize(
    "written",
    [
        lambda n: "(" * n + "x" + ")" * n,
        lambda n: "-" * n + "x",
        lambda n: "^".join(["x"] * n),
        lambda n: "exp(" * n + "x" + ")" * n,
        lambda n: "x*(-x^(" * (n // 3) + "x" + "))" * (n // 3),
        lambda n: " + ".join(["x"] * (2 * n)),
        lambda n: "*".join(["x"] * (2 * n)),
        lambda n: " - ".join(["(x + x)"] * (2 * n)),
    ],
)
def test_what_goes_too_deep_is_refused_with_its_place(written, count: int) -> None:
    with pytest.raises(ModelError) as raised:
        made(f"{BASE}y = {written(count)} [1] deep\n")
    (problem,) = raised.value.problems
    assert problem.kind == "too-deep" and problem.location.line == 3 and problem.location.column > 4
    assert all(len(line) < 200 for line in str(problem).splitlines())


def test_what_stands_within_the_limits_is_read() -> None:
    text = BASE + f"y = {' + '.join(['x'] * 249)} [1] sum\nz = {'(' * 90}x{')' * 90} [1] brackets\n"
    assert simulate(made(text), [0.0, 1.0]).table["y"].iloc[-1] == pytest.approx(249.0)


def test_a_chain_of_thousands_of_names_or_initial_values_is_read() -> None:
    count = 2000
    names = BASE + "\n".join(f"y{i} = y{i + 1} + x [1] s" for i in range(count)) + f"\ny{count} = x [1] s\n"
    assert simulate(made(names), [0.0, 1.0]).table["y0"].iloc[-1] == pytest.approx(count + 1)
    starts = "\n".join(f"dx{i}/dt = 0*x{i} [1/day] s\nx{i}(0) = x{i + 1} [1] s" for i in range(count))
    model = made(f"{starts}\ndx{count}/dt = 0*x{count} [1/day] s\nx{count}(0) = 2 [1] s")
    assert simulate(model, [0.0]).table["x0"].iloc[0] == 2.0


def test_every_loop_of_initial_values_is_told() -> None:
    text = "\n".join(
        f"d{a}/dt = 0*{a} [1/day] s\n{a}(0) = {b} [1] s" for a, b in (("x", "y"), ("y", "z"), ("z", "x"), ("w", "w"))
    )
    with pytest.raises(ModelError) as raised:
        made(text)
    assert sorted(problem.message for problem in raised.value.problems) == [
        "the initial value of 'w' needs itself: w -> w",
        "the initial value of 'x' needs itself: x -> y -> z -> x",
    ]


@pytest.mark.parametrize("column", [1, 80, 81, 5000, 9921, 10_000])
def test_the_caret_stands_under_its_column_of_a_long_line(column: int) -> None:
    line = "".join("!" if place == column else "x" for place in range(1, 10_001))
    _, quoted, caret = str(Problem("kind", "message", Location("f", 1, column), context=line)).splitlines()
    assert quoted[caret.index("^")] == "!" and len(quoted) < 170
