"""Every shipped model: machine code has the bits of the operations as they are written, however it is optimised and laid out."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
from elementwise import aligned
from numpy.typing import NDArray
from numpy_code import NumpyCode

from betapod.engine.compiled.blocks import STAGES, BlockWriter, write_factor, write_library, write_solve
from betapod.engine.compiled.code import Code
from betapod.engine.compiled.lower import lower
from betapod.engine.compiled.machine import compile_object, load_object
from betapod.engine.compiled.program import Program
from betapod.engine.compiled.simd import VectorCode
from betapod.physiology import whole_body

Array = NDArray[np.float64]
WIDTH = 2
MODELS = pytest.mark.parametrize("name", whole_body.NAMES)


@functools.cache
def lowered(name: str) -> Program:
    return lower(whole_body.named_model(name))


def compiled(write: Callable[[VectorCode], None], name: str, arguments: int) -> Callable[..., None]:
    """Return a function of machine code that takes arrays of vectors by their addresses."""
    code = VectorCode(WIDTH, fused=False, scales=False)
    write(code)
    with code.function("apply", ["p"] * arguments, exported=True) as given:
        first = [code.load(given[0], "v")] if name == "factor" else []
        code.call(name, [*first, *given[len(first) :]], None)
        code.give()
    loaded = load_object(compile_object(code.text()))
    function = loaded.function("apply", None, *[ctypes.c_void_p] * arguments)

    def apply(*arrays: Array) -> None:
        assert loaded is not None
        function(*(array.ctypes.data for array in arrays))

    return apply


def vectors(rows: Array) -> Array:
    """Return rows of a number for each patient at an address that suits registers."""
    place = aligned(max(rows.size, WIDTH))[: rows.size].reshape(rows.shape)
    place[...] = rows
    return place


@MODELS
def test_rates_and_jacobian(name: str) -> None:
    program, model = lowered(name), whole_body.named_model(name)
    known = {**model.values(), **model.initial_values()}
    random = np.random.default_rng(3)
    states = np.array([known[state] for state in program.states])[:, None] * random.uniform(0.9, 1.1, WIDTH)
    parameters = np.array([known.get(parameter, 0.0) for parameter in program.parameters])[:, None] * np.ones(WIDTH)
    code: Any = NumpyCode(WIDTH)
    p = code.rows(parameters)
    constants = np.array([code.array(v) for v in BlockWriter(code, None, None, p, None).write(program.constants)])
    constants = constants.reshape(-1, WIDTH)
    written = BlockWriter(code, code.vector(0.0), code.rows(states), p, code.rows(constants)).write(program.linear)
    right = np.array([code.array(value) for value in written])

    def write(c: VectorCode) -> None:
        write_library(cast(Code, c), [program.linear])
        with c.function("linear", ["p"] * 4) as (y, parameters, constants, out):
            values = BlockWriter(cast(Code, c), c.vector(0.0), y, parameters, constants).write(program.linear)
            for i, value in enumerate(values):
                c.store(out, i, value)
            c.give()

    found = vectors(np.zeros_like(right))
    compiled(write, "linear", 4)(*map(vectors, (states, parameters, constants)), found)
    assert np.isfinite(right).mean() > 0.9
    np.testing.assert_array_equal(found, right)


@MODELS
def test_factors_row_by_row_are_those_pivot_by_pivot(name: str) -> None:
    program = lowered(name)
    plan, random = program.factorisation, np.random.default_rng(4)
    d = random.uniform(50.0, 60.0, (1, WIDTH))
    slots = random.normal(size=(len(plan.slots), WIDTH))
    constants = random.normal(size=(len(program.constants.results) + 1, WIDTH))
    values = {
        (row, column): slots[plan.slots[row, column]] if kind == "linear" else constants[index]
        for row, column, kind, index in program.entries
    }
    for i in range(plan.size):
        values[i, i] = values.get((i, i), 0.0) - (d[0] if i < len(program.states) else 1.0)
    for pivot, low, up in plan.steps:
        values[pivot, pivot] = -1.0 / values[pivot, pivot]
        for i in low:
            values[i, pivot] = values[i, pivot] * values[pivot, pivot]
            for j in up:
                product = values[i, pivot] * values[pivot, j]
                values[i, j] = product + values[i, j] if (i, j) in values else product
    found = vectors(slots)
    compiled(lambda c: write_factor(cast(Code, c), program), "factor", 3)(vectors(d), vectors(constants), found)
    for place, slot in plan.slots.items():
        np.testing.assert_array_equal(found[slot], values[place])


@MODELS
def test_factors_and_sums_solve_the_linear_systems(name: str) -> None:
    program = lowered(name)
    plan, random, n = program.factorisation, np.random.default_rng(5), len(program.states)
    slots, constants = (
        random.normal(size=(len(plan.slots), WIDTH)),
        np.zeros((len(program.constants.results) + 1, WIDTH)),
    )
    d = np.full((1, WIDTH), 80.0)
    right = np.zeros((plan.size * STAGES, WIDTH))
    given = [*range(n), *(row for row in program.moving if row >= n)]
    right[np.array(given) * STAGES] = random.normal(size=(len(given), WIDTH))
    matrix = np.zeros((WIDTH, plan.size, plan.size))
    for row, column, kind, index in program.entries:
        matrix[:, row, column] = -(slots[plan.slots[row, column]] if kind == "linear" else constants[index])
    matrix[:, range(plan.size), range(plan.size)] += np.r_[np.full(n, d[0, 0]), np.ones(plan.size - n)]
    exact = np.stack([np.linalg.solve(matrix[k], right[::STAGES, k]) for k in range(WIDTH)], axis=-1)
    factors, found = vectors(slots), vectors(right)
    compiled(lambda c: write_factor(cast(Code, c), program), "factor", 3)(vectors(d), vectors(constants), factors)
    compiled(lambda c: write_solve(cast(Code, c), program), "solve", 2)(factors, found)
    # Unknowns beside the states stand before them among the pivots or behind: no pivot is exchanged, so digits may be lost.
    np.testing.assert_allclose(found[::STAGES][:n], exact[:n], rtol=1e-9, atol=1e-9 * np.abs(exact).max())
