"""Writers of code: what is written against `Code` alone means the same to any of them."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from elementwise import kernel
from numpy_code import NumpyCode

import betapod.engine.compiled as compiled
from betapod.engine.compiled import mathlib
from betapod.engine.compiled.blocks import BlockWriter
from betapod.engine.compiled.code import Code
from betapod.engine.compiled.lower import lower
from betapod.model.algebra.expression import evaluate
from betapod.physiology import whole_body

#: Who knows which writer there is: the writer, what only it needs, what asks for it and what makes machine code of its text.
WRITER = {"simd", "llvm_text", "scaling", "driver", "machine", "kernel", "compiled_run"}
NUMBERS = [-750.0, -20.5, -3.0, -1.0, -0.3, -1e-9, -0.0, 0.0, 1e-300, 1e-9, 0.2, 0.99, 1.0, 1.5, 2.0, 7.25, 40.0, 710.5]
NUMBERS += [1e10, 1e300, np.inf, -np.inf, np.nan]


def test_program_and_integrator_know_no_writer() -> None:
    for file in sorted(Path(compiled.__path__[0]).glob("*.py")):
        if file.stem not in WRITER:
            imports = {
                node.module for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ImportFrom)
            }
            assert not imports & {"simd", "llvm_text", "scaling", "machine"}, file.name


@pytest.mark.parametrize(
    "name", ["exp", "log", "tanh", "softplus", "logistic", "cbrt", "wright_omega", "sqrt", "floor"]
)
def test_an_elementary_function_is_the_same_to_the_last_bit(name: str) -> None:
    numbers = np.array(NUMBERS)
    code = NumpyCode(len(numbers))
    by_numpy = code.array(mathlib.UNARY[name](cast(Code, code), code.value("v", numbers)))
    by_llvm = kernel(mathlib.UNARY[name], 1, 4, fused=False, scales=False)(numbers)
    np.testing.assert_array_equal(by_numpy, by_llvm)


def test_a_power_is_the_same_to_the_last_bit() -> None:
    x, y = (a.ravel() for a in np.meshgrid(np.array(NUMBERS), np.array([-2.5, -1.0, 0.0, 0.3, 1.5, 2.0, 3.0, np.inf])))
    code = NumpyCode(len(x))
    by_numpy = code.array(mathlib.power(cast(Code, code), code.value("v", x), code.value("v", y)))
    np.testing.assert_array_equal(by_numpy, kernel(mathlib.power, 2, 4, fused=False, scales=False)(x, y))


@pytest.mark.parametrize("name", ["kidney", "metabolism", "cells"])
def test_the_rates_of_a_model_are_those_of_its_equations(name: str) -> None:
    model = whole_body.named_model(name)
    program, known = lower(model), {**model.values(), "t": 0.0, **model.initial_values()}
    states = [np.array([1.0, 1.01]) * known[state] for state in program.states]
    code: Any = NumpyCode(2)
    parameters = code.rows([known.get(parameter, 0.0) for parameter in program.parameters])
    constants = BlockWriter(code, None, None, parameters, None).write(program.constants)
    rows = code.rows([code.array(value) for value in constants])
    rates = BlockWriter(code, code.vector(0.0), code.rows(states), parameters, rows).write(program.rates)
    for column in range(2):
        point = {**known, **{state: float(row[column]) for state, row in zip(program.states, states, strict=True)}}
        right = np.array(evaluate([state.rate for state in model.states], point))
        found = np.array([code.array(rate)[column] for rate in rates])
        np.testing.assert_allclose(found, right, rtol=1e-9, atol=1e-11 * np.max(np.abs(right)))
