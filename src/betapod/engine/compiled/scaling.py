"""Multiply vectors by powers of two in one instruction (AVX-512), whatever their width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .code import Value

#: By lanes of a register: the instruction, and whether it is told how to round.
_INSTRUCTIONS = {
    8: ("llvm.x86.avx512.mask.scalef.pd.512", True),
    4: ("llvm.x86.avx512.mask.scalef.pd.256", False),
    2: ("llvm.x86.avx512.mask.scalef.pd.128", False),
}


class AssemblyText(Protocol):
    """A module of LLVM assembly, in which instructions can be written as text."""

    width: int

    def type(self, kind: str) -> str:
        """Return how LLVM writes a kind."""

    def emit(self, kind: str, text: str) -> Value:
        """Write one instruction and return its result."""

    def declare(self, name: str, arguments: Sequence[str], result: str) -> None:
        """Declare a function that lives elsewhere."""


def scaled(code: AssemblyText, a: Value, n: Value) -> Value:
    """Return ``a 2^n`` for vectors of numbers a and whole numbers n, rounded once."""
    if code.width == 1:  # no instruction of its own: through a register half used
        kind = "<2 x double>"
        wide = [
            code.emit("v", f"shufflevector <1 x double> {v.text}, <1 x double> poison, <2 x i32> zeroinitializer").text
            for v in (a, n)
        ]
        both = code.emit("v", _call(code, wide[0], wide[1], 2)).text
        return code.emit("v", f"shufflevector {kind} {both}, {kind} poison, <1 x i32> zeroinitializer")
    if code.width not in _INSTRUCTIONS:
        parts = [
            code.emit("v", _call(code, _part(code, a, k), _part(code, n, k), 8)).text for k in range(code.width // 8)
        ]
        return _join(code, parts)
    return code.emit("v", _call(code, a.text, n.text, code.width))


def _part(code: AssemblyText, a: Value, k: int) -> str:
    """Return lanes 8k to 8k + 7."""
    lanes = ", ".join(f"i32 {8 * k + q}" for q in range(8))
    kind = code.type("v")
    return code.emit("v", f"shufflevector {kind} {a.text}, {kind} poison, <8 x i32> <{lanes}>").text


def _join(code: AssemblyText, parts: list[str]) -> Value:
    """Return two registers of eight lanes as one vector."""
    lanes = ", ".join(f"i32 {q}" for q in range(code.width))
    first, second = parts
    return code.emit("v", f"shufflevector <8 x double> {first}, <8 x double> {second}, <{code.width} x i32> <{lanes}>")


def _call(code: AssemblyText, a: str, n: str, width: int) -> str:
    name, rounds = _INSTRUCTIONS[width]
    kind = f"<{width} x double>"
    types = [kind, kind, kind, "i8", *(["i32"] if rounds else [])]
    code.declare(name, types, kind)
    rounding = ", i32 4" if rounds else ""
    return f"call {kind} @{name}({kind} {a}, {kind} {n}, {kind} zeroinitializer, i8 -1{rounding})"
