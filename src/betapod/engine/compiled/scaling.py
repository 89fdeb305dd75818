"""Instructions of AVX-512 that take numbers apart into exponent and mantissa and put them together, whatever the width of vectors."""

from __future__ import annotations

from collections.abc import Callable

from .code import Value
from .llvm_text import LlvmText

_BITS = {8: 512, 4: 256, 2: 128}
#: Told to `getmant`: mantissas from 3/4 to below 3/2, NaN for negative numbers.
_MANTISSA = 0b1011


def scaled(code: LlvmText, a: Value, n: Value) -> Value:
    """Return ``a 2^n`` for vectors of numbers a and whole numbers n, rounded once."""
    return _by_registers(
        code,
        [a, n],
        lambda texts, lanes: _call(code, "scalef", [(f"<{lanes} x double>", text) for text in texts], lanes),
    )


def taken_apart(code: LlvmText, x: Value) -> tuple[Value, Value]:
    """Return k and m with ``x = m 2^k`` and m from 3/4 to below 3/2; for 0 -inf and 1, for infinity infinity and 1, NaN below 0."""

    def mantissa(texts: list[str], lanes: int) -> str:
        return _call(code, "getmant", [(f"<{lanes} x double>", texts[0]), ("i32", str(_MANTISSA))], lanes)

    m = _by_registers(code, [x], mantissa)
    exponents = [
        _by_registers(code, [a], lambda texts, lanes: _call(code, "getexp", [(f"<{lanes} x double>", texts[0])], lanes))
        for a in (x, m)
    ]
    return exponents[0] - exponents[1], m


def _by_registers(code: LlvmText, args: list[Value], call: Callable[[list[str], int], str]) -> Value:
    """Return what an instruction makes of vectors: `call` writes it for the texts of its arguments, and so many lanes."""
    kind, width = code.type("v"), code.width
    if width in _BITS:
        return code.emit("v", call([a.text for a in args], width))
    if width == 1:  # no instruction of its own: through a register half used
        shape = "<2 x i32> zeroinitializer"
        wide = [code.emit("v", f"shufflevector {kind} {a.text}, {kind} poison, {shape}").text for a in args]
        both = code.emit("v", call(wide, 2)).text
        return code.emit("v", f"shufflevector <2 x double> {both}, <2 x double> poison, <1 x i32> zeroinitializer")
    first, second = (code.emit("v", call([_part(code, a, k) for a in args], 8)).text for k in range(2))
    lanes = ", ".join(f"i32 {q}" for q in range(width))
    return code.emit("v", f"shufflevector <8 x double> {first}, <8 x double> {second}, <{width} x i32> <{lanes}>")


def _part(code: LlvmText, a: Value, k: int) -> str:
    """Return lanes 8k to 8k + 7."""
    lanes = ", ".join(f"i32 {8 * k + q}" for q in range(8))
    kind = code.type("v")
    return code.emit("v", f"shufflevector {kind} {a.text}, {kind} poison, <8 x i32> <{lanes}>").text


def _call(code: LlvmText, instruction: str, args: list[tuple[str, str]], lanes: int) -> str:
    """Return the call of an instruction for one register: all lanes, and rounding as usual where it is told."""
    kind = f"<{lanes} x double>"
    name = f"llvm.x86.avx512.mask.{instruction}.pd.{_BITS[lanes]}"
    every = [*args, (kind, "zeroinitializer"), ("i8", "-1"), *([("i32", "4")] if lanes == 8 else [])]
    code.declare(name, [of for of, _ in every], kind)
    return f"call {kind} @{name}({', '.join(f'{of} {text}' for of, text in every)})"
