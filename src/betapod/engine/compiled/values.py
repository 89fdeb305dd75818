"""Values in code that is being written: typed, with operators that write the instruction they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .simd import Code


@dataclass(frozen=True, eq=False)
class Value:
    """A typed value inside a function that is being written."""

    code: Code
    kind: str
    text: str

    def __add__(self, other: Operand) -> Value:
        return self.code.arithmetic("add", self, other)

    def __radd__(self, other: Operand) -> Value:
        return self.code.arithmetic("add", self.code.like(self, other), self)

    def __sub__(self, other: Operand) -> Value:
        return self.code.arithmetic("sub", self, other)

    def __rsub__(self, other: Operand) -> Value:
        return self.code.arithmetic("sub", self.code.like(self, other), self)

    def __mul__(self, other: Operand) -> Value:
        return self.code.arithmetic("mul", self, other)

    def __rmul__(self, other: Operand) -> Value:
        return self.code.arithmetic("mul", self.code.like(self, other), self)

    def __truediv__(self, other: Operand) -> Value:
        return self.code.arithmetic("div", self, other)

    def __rtruediv__(self, other: Operand) -> Value:
        return self.code.arithmetic("div", self.code.like(self, other), self)

    def __neg__(self) -> Value:
        return self.code.emit(self.kind, f"fneg {self.code.type(self.kind)} {self.text}")

    def __and__(self, other: Operand) -> Value:
        return self.code.bits("and", self, other)

    def __or__(self, other: Operand) -> Value:
        return self.code.bits("or", self, other)

    def __xor__(self, other: Operand) -> Value:
        return self.code.bits("xor", self, other)

    def __lshift__(self, other: int) -> Value:
        return self.code.bits("shl", self, other)

    def __rshift__(self, other: int) -> Value:
        """Shift right, filling with zeros."""
        return self.code.bits("lshr", self, other)

    def __invert__(self) -> Value:
        return self.code.bits("xor", self, self.code.constant(self.kind, True))

    def __lt__(self, other: Operand) -> Value:
        return self.code.compare("<", self, other)

    def __le__(self, other: Operand) -> Value:
        return self.code.compare("<=", self, other)

    def __gt__(self, other: Operand) -> Value:
        return self.code.compare(">", self, other)

    def __ge__(self, other: Operand) -> Value:
        return self.code.compare(">=", self, other)

    def equals(self, other: Operand) -> Value:
        """Return where the values are equal."""
        return self.code.compare("==", self, other)

    def differs(self, other: Operand) -> Value:
        """Return where the values differ; NaN differs from everything."""
        return self.code.compare("!=", self, other)


Operand = Value | float | int


@dataclass(frozen=True)
class Variable:
    """A value that changes: a place on the stack that LLVM turns into registers."""

    code: Code
    kind: str
    place: str

    def get(self) -> Value:
        """Return the present value."""
        return self.code.emit(self.kind, f"load {self.code.type(self.kind)}, ptr {self.place}")

    def set(self, value: Operand) -> None:
        """Give it a new value."""
        made = value if isinstance(value, Value) else self.code.constant(self.kind, value)
        self.code.line(f"store {self.code.type(self.kind)} {made.text}, ptr {self.place}")
