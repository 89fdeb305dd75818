"""Code that is being written: typed values with operators, and what every writer of code offers.

The model's program and the integrator are written against `Code` alone, so each writer of it is a back end: `betapod.engine.compiled.simd`
prints LLVM assembly in which one lane of a vector is one patient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


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
        return self.code.negative(self)

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
    """A value that changes in the course of a function."""

    code: Code
    kind: str
    slot: str

    def get(self) -> Value:
        """Return the present value."""
        return self.code.read(self)

    def set(self, value: Operand) -> None:
        """Give it a new value."""
        self.code.assign(self, value if isinstance(value, Value) else self.code.constant(self.kind, value))


class Code(Protocol):
    """What a writer of code offers.

    Kinds of values: ``v``, ``k`` and ``m`` hold a number (64 bits), an integer and a truth value of each patient that is integrated
    together; ``d``, ``i`` and ``b`` are the same for one patient or for all; ``p`` is an address, ``w`` one among the worker's own vectors.

    Attributes
    ----------
    width
        Patients integrated together.
    fused
        Whether the processor multiplies and adds in one instruction.
    scales
        Whether it multiplies by powers of two in one instruction.
    mixes
        Whether operations that need nothing of each other are written in turns, for a processor that looks only some hundred ahead.
    library
        Elementary functions that were written as functions of their own, to be called.
    """

    width: int
    fused: bool
    scales: bool
    mixes: bool
    library: set[str]

    # -- constants -------------------------------------------------------------------------------------------------------

    def constant(self, kind: str, value: float | bool) -> Value:
        """Return a constant, the same for every patient."""

    def vector(self, value: float) -> Value:
        """Return a number for every patient."""

    def integer(self, value: int) -> Value:
        """Return a single integer."""

    def like(self, model: Value, value: Operand) -> Value:
        """Return `value` as a value of the same kind as `model`."""

    # -- operations ------------------------------------------------------------------------------------------------------

    def arithmetic(self, op: str, a: Value, b: Operand) -> Value:
        """Return a sum, difference, product or quotient (``add``, ``sub``, ``mul``, ``div``)."""

    def negative(self, a: Value) -> Value:
        """Return a number with the other sign."""

    def bits(self, op: str, a: Value, b: Operand) -> Value:
        """Return a bitwise combination (``and``, ``or``, ``xor``, ``shl``, ``lshr``)."""

    def compare(self, op: str, a: Value, b: Operand) -> Value:
        """Return where a comparison holds; NaN differs from everything."""

    def select(self, mask: Value, then: Operand, otherwise: Operand) -> Value:
        """Return `then` where the mask holds, else `otherwise`; at least one of them is a value."""

    def fma(self, a: Value, b: Operand, c: Operand) -> Value:
        """Return ``a*b + c``, rounded once where the processor can."""

    def exact_fma(self, a: Value, b: Operand, c: Operand) -> Value:
        """Return ``a*b + c`` rounded once, however long it takes."""

    def scaled(self, a: Value, n: Value) -> Value:
        """Return ``a 2^n`` for whole numbers n, rounded once; only where `scales` holds."""

    def taken_apart(self, x: Value) -> tuple[Value, Value]:
        """Return k and m with ``x = m 2^k`` and m from 3/4 to below 3/2; only where `scales` holds."""

    def intrinsic(self, name: str, *args: Value) -> Value:
        """Return ``sqrt``, ``floor``, ``ceil``, ``trunc`` or ``copysign``, as the processor computes them."""

    def scalar_call(self, name: str, *args: Value) -> Value:
        """Return a function of the C library, patient by patient."""

    def absolute(self, a: Value) -> Value:
        """Return the absolute value."""

    def maximum(self, a: Value, b: Operand) -> Value:
        """Return the larger value; b where a is NaN."""

    def minimum(self, a: Value, b: Operand) -> Value:
        """Return the smaller value; b where a is NaN."""

    def remainder(self, a: Value, divisor: int) -> Value:
        """Return the remainder of an integer from 0 on."""

    def as_bits(self, a: Value) -> Value:
        """Return the bits of numbers as integers."""

    def as_number(self, a: Value) -> Value:
        """Return integers read as the bits of numbers."""

    def to_integer(self, a: Value) -> Value:
        """Return a single number, rounded towards 0, as an integer."""

    def any(self, mask: Value) -> Value:
        """Return whether a mask holds for any patient."""

    def broadcast(self, value: Value) -> Value:
        """Return a single value for every patient."""

    # -- memory ----------------------------------------------------------------------------------------------------------

    def address(self, base: Value, kind: str, index: Operand) -> Value:
        """Return the place of the element `index` of an array of one kind."""

    def load(self, base: Value, kind: str, index: Operand = 0) -> Value:
        """Return one element of an array."""

    def store(self, base: Value, index: Operand, value: Value) -> None:
        """Write one element of an array."""

    def gather(self, base: Value, indices: Value) -> Value:
        """Return numbers of an array: for each patient the one at its index."""

    def forget(self) -> None:
        """Read what memory holds anew from here on, so that no value waits long for its use."""

    def fetch_add(self, counter: Value, amount: int) -> Value:
        """Add to a counter that workers share, and return what it was."""

    def numbers(self, name: str, values: Sequence[int]) -> Value:
        """Return a table of integers that belongs to the module."""

    # -- functions -------------------------------------------------------------------------------------------------------

    def function(
        self, name: str, kinds: Sequence[str], returns: str | None = None, exported: bool = False, inline: bool = False
    ) -> AbstractContextManager[list[Value]]:
        """Write a function; addresses never overlap. The caller writes the return."""

    def call(self, name: str, args: Sequence[Value], kind: str | None) -> Value:
        """Call a function; the result means nothing where it returns none."""

    def give(self, value: Value | None = None) -> None:
        """Return from the function."""

    def variable(self, kind: str, initial: Operand | None = None) -> Variable:
        """Return a new variable of the function."""

    def read(self, variable: Variable) -> Value:
        """Return the present value of a variable."""

    def assign(self, variable: Variable, value: Value) -> None:
        """Give a variable a new value."""

    def flushing(self) -> AbstractContextManager[None]:
        """Do what follows with numbers below 2e-308 as 0, where the processor can."""

    def text(self) -> str:
        """Return the module."""

    # -- control flow ----------------------------------------------------------------------------------------------------

    def when(self, condition: Value) -> AbstractContextManager[None]:
        """Do what follows only if a single condition holds."""

    def loop(self, count: Operand, start: Operand = 0) -> AbstractContextManager[Value]:
        """Do what follows for each index from `start` to below `count`."""

    def each(self, mask: Value) -> AbstractContextManager[Value]:
        """Do what follows for each patient for whom a mask holds; gives the number of the lane."""

    def either(self, condition: Value) -> AbstractContextManager[Callable[[], None]]:
        """Do what follows if a single condition holds; from the call of what is given on, what to do else."""

    def returning_unless(self, condition: Value) -> AbstractContextManager[None]:
        """Do what follows, which returns from the function, unless a single condition holds."""

    def repeat(self) -> AbstractContextManager[str]:
        """Do what follows again and again; gives the name of the end, to be left for."""

    def skippable(self) -> AbstractContextManager[str]:
        """Do what follows; gives the name of its end, to be left for."""

    def leave(self, end: str) -> None:
        """Go to the end of `repeat` or `skippable`."""

    def go_on_while(self, condition: Value, end: str) -> None:
        """Go to the end of `repeat` or `skippable` unless a single condition holds."""
