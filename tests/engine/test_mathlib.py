"""Elementary functions: within 2 units in the last place of extended precision, whatever the width, infinities and NaN included."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from elementary_cases import CASES, LONG, SPECIAL, Array, bits, needs_extended, spread

from betapod.engine.compiled import mathlib
from betapod.engine.compiled.machine import processor
from betapod.model.algebra.operations import BINARY, UNARY


def units_in_last_place(found: Array, right: Any) -> Array:
    with np.errstate(all="ignore"):
        rounded = right.astype(np.float64)
        spacing = np.where(np.isfinite(rounded), np.spacing(np.abs(rounded)), 1.0)
        error = np.abs((found.astype(LONG) - right) / spacing).astype(np.float64)
        same = (found == rounded) | (np.isnan(found) & np.isnan(rounded))
    return np.where(same, np.where(np.isfinite(error), error, 0.0), np.where(np.isnan(error), np.inf, error))


@needs_extended
@pytest.mark.parametrize("name", CASES)
def test_two_units_in_the_last_place(name: str, elementwise: ModuleType) -> None:
    reference, samples = CASES[name]
    x = np.concatenate([*samples, bits(20_000), SPECIAL])
    with np.errstate(all="ignore"):
        right = reference(x.astype(LONG))
    found = {width: elementwise.kernel(mathlib.UNARY[name], 1, width)(x) for width in (1, 4, processor().width)}
    error = units_in_last_place(found[1], right)
    worst = int(np.argmax(error))
    assert error[worst] <= 2.0, (x[worst], found[1][worst], right[worst])
    for other in found.values():
        np.testing.assert_array_equal(found[1].view(np.int64), other.view(np.int64))


@needs_extended
def test_power(elementwise: ModuleType) -> None:
    special = np.array(SPECIAL)
    a = np.concatenate([np.exp(spread(-700, 700)), spread(0.5, 2), spread(0.9, 1.1), np.repeat(special, len(special))])
    b = np.concatenate([spread(-3, 3), spread(-800, 800), spread(-5000, 5000), np.tile(special, len(special))])
    with np.errstate(all="ignore"):
        right = np.power(a.astype(LONG), b.astype(LONG))
    found = elementwise.kernel(mathlib.power, 2, processor().width)(a, b)
    error = units_in_last_place(found, right)
    worst = int(np.argmax(error))
    assert error[worst] <= 2.0, (a[worst], b[worst], found[worst], right[worst])


@needs_extended
def test_wright_omega_solves_its_equation(elementwise: ModuleType) -> None:
    x = np.concatenate([spread(-745, 50), spread(-3, 5), np.exp(spread(0, 700, 5_000))])
    found = elementwise.kernel(mathlib.wright_omega, 1, processor().width)(x)
    right, wide = found.astype(LONG), x.astype(LONG)
    for _ in range(3):
        below = right - (right - np.exp(wide - right)) / (1 + right)
        above = right * (1 + (wide - right - np.log(right)) / (1 + right))
        right = np.where(x < -1, below, np.where(x < 1e20, above, wide))
    assert units_in_last_place(found, right).max() <= 2.0
    edge = np.array([math.inf, -math.inf, math.nan, 1e308, -800.0])
    expected = [math.inf, 0.0, math.nan, 1e308, 0.0]
    np.testing.assert_array_equal(elementwise.kernel(mathlib.wright_omega, 1, 4)(edge), expected)


def test_processors_without_scaling_or_fused_multiplication(elementwise: ModuleType) -> None:
    """Scaling by its own instruction gives the same bits; without fused multiplication the last digits may differ, no more."""
    x = np.concatenate([spread(-746, 710, 2_000), SPECIAL])
    usual = elementwise.kernel(mathlib.exp, 1, 4)(x)
    plain = elementwise.kernel(mathlib.exp, 1, 4, scales=False)(x)
    np.testing.assert_array_equal(usual.view(np.int64), plain.view(np.int64))
    unfused = elementwise.kernel(mathlib.exp, 1, 4, fused=False, scales=False)(x)
    np.testing.assert_allclose(unfused, usual, rtol=4e-16, atol=5e-324)


OTHERS = sorted((set(UNARY) - set(CASES)) & set(mathlib.UNARY) - {"wright_omega"})


@pytest.mark.parametrize("name", OTHERS)
def test_functions_of_the_library(name: str, elementwise: ModuleType) -> None:
    x = np.array([-2.5, -1.0, -0.3, 0.0, 0.4, 1.0, 1.7, 20.5, math.nan])
    found = elementwise.kernel(mathlib.UNARY[name], 1, 4)(x)
    for value, result in zip(x, found, strict=True):
        right = UNARY[name](float(value))
        if not (math.isinf(right) or math.isinf(result)):  # Python reports poles in its own way
            np.testing.assert_allclose(result, right, rtol=1e-14)


def test_every_operation_of_the_language_is_known() -> None:
    written_elsewhere = {"neg", "not", "add", "sub", "mul", "div", "min", "max", "lt", "le", "gt", "ge", "eq", "ne"}
    written_elsewhere |= {"and", "or", "xor"}
    assert set(UNARY) | set(BINARY) == set(mathlib.UNARY) | set(mathlib.BINARY) | written_elsewhere
