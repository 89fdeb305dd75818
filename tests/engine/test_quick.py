"""Quick elementary functions: within their bound of extended precision over the whole range, on every kind of processor."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from types import ModuleType
from typing import Any, cast

import llvmlite.binding as llvm
import numpy as np
import pytest
from elementary_cases import CASES, LONG, SPECIAL, Array, bits, needs_extended, spread
from numpy_code import NumpyCode

from betapod.engine.compiled import mathlib, quick
from betapod.engine.compiled.code import Code
from betapod.engine.compiled.machine import load_object, processor
from betapod.engine.compiled.simd import VectorCode
from betapod.engine.ensemble import QUICK, Ensemble
from betapod.model import Model

#: Of the value; from the largest errors of the two polynomials, 1.14e-12 and 1.7e-15, and rounding, above all of an argument of 700.
BOUND = 1.25e-12
POWER_BOUND = 1.25e-12 + 709.8 * 1.7e-15
SMALLEST = 2.2250738585072014e-308
NAMES = ["exp", "log", "softplus", "logistic", "tanh", "cbrt"]
#: Widths and kinds of text: AVX-512 where this processor has it, fused without it (AVX2, ARM), and neither.
FORMS: list[dict[str, Any]] = [
    {"width": 1},
    {"width": 4},
    {"width": processor().width},
    {"width": 16},
    {"width": 4, "scales": False},
    {"width": 2, "fused": False, "scales": False},
]


def relative_error(found: Array, right: Any) -> Array:
    """Return errors relative to values; what is below all digits on both sides, NaN on both or infinite on both, is right."""
    with np.errstate(all="ignore"):
        rounded = right.astype(np.float64)
        error = np.abs((found.astype(LONG) - right) / np.maximum(np.abs(right), LONG(SMALLEST))).astype(np.float64)
        faded = (np.abs(rounded) < 1.0001 * SMALLEST) & (np.abs(found) < 1.0001 * SMALLEST)
    same = (found == rounded) | (np.isnan(found) & np.isnan(rounded)) | faded
    return np.where(same, 0.0, np.where(np.isnan(error), np.inf, error))


def right_values(name: str, x: Array) -> list[Any]:
    """Return what is right: arguments without all their digits count as they are, or as 0."""
    with np.errstate(all="ignore"):
        zeroed = np.where(np.abs(x) < SMALLEST, np.copysign(0.0, x), x)
        return [CASES[name][0](values.astype(LONG)) for values in (x, zeroed)]


@needs_extended
@pytest.mark.parametrize("name", NAMES)
def test_within_the_bound(name: str, elementwise: ModuleType) -> None:
    x = np.concatenate([*CASES[name][1], bits(20_000), SPECIAL])
    rights = right_values(name, x)
    found = [elementwise.kernel(quick.FUNCTIONS[name], 1, **form)(x) for form in FORMS]
    for values in found:
        error = np.minimum(*(relative_error(values, right) for right in rights))
        worst = int(np.argmax(error))
        assert error[worst] <= BOUND, (x[worst], values[worst], rights[0][worst])
    for values in found[1:4]:
        np.testing.assert_array_equal(found[0].view(np.int64), values.view(np.int64))


@needs_extended
def test_powers_within_the_bound(elementwise: ModuleType) -> None:
    special = np.array(SPECIAL)
    integers = np.round(spread(-9, 9, 2_000))
    a = [np.exp(spread(-700, 700)), spread(0.5, 2), spread(0.9, 1.1), np.repeat(special, len(special))]
    b = [spread(-3, 3), spread(-800, 800), spread(-5000, 5000), np.tile(special, len(special))]
    a, b = np.concatenate([*a, -np.exp(spread(-3, 3, 2_000))]), np.concatenate([*b, integers])
    with np.errstate(all="ignore"):
        right = np.power(a.astype(LONG), b.astype(LONG))
    found = [elementwise.kernel(quick.power, 2, **form)(a, b) for form in FORMS]
    for values in found:
        error = relative_error(values, right)
        worst = int(np.argmax(error))
        assert error[worst] <= POWER_BOUND, (a[worst], b[worst], values[worst], right[worst])
    for values in found[1:4]:
        np.testing.assert_array_equal(found[0].view(np.int64), values.view(np.int64))


@needs_extended
def test_wright_omega_solves_its_equation(elementwise: ModuleType) -> None:
    x = np.concatenate([spread(-700, 50), spread(-3, 5), np.exp(spread(0, 700, 5_000))])
    found = elementwise.kernel(quick.FUNCTIONS["wright_omega"], 1, processor().width)(x)
    exact = elementwise.kernel(mathlib.wright_omega, 1, processor().width)(x)
    np.testing.assert_allclose(found, exact, rtol=4 * BOUND, atol=SMALLEST)


@pytest.mark.parametrize("name", [*NAMES, "pow"])
def test_any_writer_gives_the_same_bits(name: str, elementwise: ModuleType) -> None:
    x = np.array(
        [-720.0, -20.5, -1.0, -0.3, -0.0, 0.0, 1e-9, 0.2, 0.99, 1.0, 1.5, 7.25, 40.0, 710.5, 1e300, np.inf, np.nan]
    )
    args = [x, *([np.full_like(x, 2.5)] if name == "pow" else [])]
    code = NumpyCode(len(x))
    by_numpy = code.array(quick.FUNCTIONS[name](cast(Code, code), *(code.value("v", a) for a in args)))
    by_llvm = elementwise.kernel(quick.FUNCTIONS[name], len(args), 4, fused=False, scales=False)(*args)
    np.testing.assert_array_equal(by_numpy, by_llvm)


def text_of(width: int, fused: bool, scales: bool) -> str:
    """Return the assembly of a function that applies every quick function but those with rare loops to the number at an address."""
    code = VectorCode(width, fused, scales)
    with code.function("apply", ["p", "p"], exported=True) as (given, out):
        x = code.load(given, "v")
        for i, name in enumerate(NAMES):
            code.store(out, i, quick.FUNCTIONS[name](cast(Code, code), x))
        code.give()
    return code.text()


def translated(text: str, triple: str, cpu: str) -> tuple[str, bytes]:
    """Return instructions and machine code for a processor."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(triple).create_target_machine(cpu=cpu, opt=1, reloc="pic", jit=True)
    module = llvm.parse_assembly(text)
    module.triple = triple
    module.data_layout = str(machine.target_data)
    module.verify()
    return machine.emit_assembly(module), machine.emit_object(module)


@pytest.mark.parametrize(
    ("triple", "cpu", "width", "scales", "has", "lacks"),
    [
        ("x86_64-unknown-linux-gnu", "haswell", 4, False, ("vfmadd", "%ymm"), ("%zmm", "callq\tfma")),
        (
            "x86_64-unknown-linux-gnu",
            "znver4",
            8,
            True,
            ("vscalefpd", "vgetexppd", "vgetmantpd", "%zmm"),
            ("callq\tfma",),
        ),
        ("aarch64-unknown-linux-gnu", "cortex-a76", 2, False, ("fmla\t", ".2d"), ("bl\tfma", "bl\texp")),
    ],
)
def test_instructions_of_processors(
    triple: str, cpu: str, width: int, scales: bool, has: tuple[str, ...], lacks: tuple[str, ...]
) -> None:
    instructions, _ = translated(text_of(width, True, scales), triple, cpu)
    assert all(part in instructions for part in has)
    assert not any(part in instructions for part in lacks)


@pytest.mark.skipif(not (processor().flushes and processor().width >= 4), reason="needs AVX2")
def test_code_for_an_older_processor_gives_the_same_bits(elementwise: ModuleType) -> None:
    """What is translated for AVX2 runs here too, with the numbers that one lane of the text for this processor gives."""
    _, code = translated(text_of(4, True, False), llvm.get_default_triple(), "haswell")
    loaded = load_object(code)
    apply = loaded.function("apply", None, ctypes.c_void_p, ctypes.c_void_p)
    given, out = elementwise.aligned(4), elementwise.aligned(4 * len(NAMES))
    given[:] = [-3.7, 0.41, 1.0, 25.0]
    apply(given.ctypes.data, out.ctypes.data)
    for i, name in enumerate(NAMES):
        one: Callable[..., Array] = elementwise.kernel(quick.FUNCTIONS[name], 1, 1, scales=False)
        np.testing.assert_array_equal(out[4 * i : 4 * i + 4], one(given))


def test_the_tolerance_chooses(monkeypatch: pytest.MonkeyPatch, reservoir: Model) -> None:
    """Programs for coarse and fine tolerances are two, and differ by what their functions differ by."""
    runs = {}
    for limit in (QUICK, math.inf):
        monkeypatch.setattr("betapod.engine.ensemble.QUICK", limit)
        runs[limit] = Ensemble(reservoir, rtol=1e-6, threads=1).run(4, np.linspace(0.0, 30.0, 4)).values
    quick_values, exact_values = runs.values()
    assert not np.array_equal(quick_values, exact_values)
    np.testing.assert_allclose(quick_values, exact_values, rtol=1e-9)
    fine = {}
    for limit in (QUICK, math.inf):
        monkeypatch.setattr("betapod.engine.ensemble.QUICK", limit)
        fine[limit] = Ensemble(reservoir, rtol=1e-9, threads=1).run(4, np.linspace(0.0, 30.0, 4)).values
    np.testing.assert_array_equal(*fine.values())
