"""A second writer of code, for tests: it computes every operation at once with NumPy, one number for each patient."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from betapod.engine.compiled.code import Operand, Value, Variable

_TYPES = {"v": np.float64, "k": np.int64, "m": np.bool_, "d": np.float64, "i": np.int64, "b": np.bool_}
_ARITHMETIC = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}
_COMPARE = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}
_INTRINSIC = {"sqrt": np.sqrt, "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc, "copysign": np.copysign}


class NumpyCode:
    """The part of `Code` that straight-line code needs; `text` of a value is its number among those computed."""

    def __init__(self, width: int) -> None:
        self.width, self.fused, self.scales, self.mixes = width, False, False, False
        self.library: set[str] = set()
        self._values: list[NDArray[Any]] = []

    def value(self, kind: str, array: Any) -> Value:
        """Return an array as a value."""
        self._values.append(np.broadcast_to(np.asarray(array, dtype=_TYPES[kind]), (self.width,)))
        return Value(self, kind, str(len(self._values) - 1))  # type: ignore[arg-type]

    def array(self, value: Value) -> NDArray[Any]:
        """Return what a value is."""
        return self._values[int(value.text)]

    def constant(self, kind: str, value: float | bool) -> Value:
        return self.value(kind, value)

    def vector(self, value: float) -> Value:
        return self.value("v", value)

    def like(self, model: Value, value: Operand) -> Value:
        return value if isinstance(value, Value) else self.constant(model.kind, value)

    def arithmetic(self, op: str, a: Value, b: Operand) -> Value:
        with np.errstate(all="ignore"):
            return self.value(a.kind, _ARITHMETIC[op](self.array(a), self.array(self.like(a, b))))

    def negative(self, a: Value) -> Value:
        return self.value(a.kind, -self.array(a))

    def bits(self, op: str, a: Value, b: Operand) -> Value:
        left, right = self.array(a), self.array(self.like(a, b))
        if op == "lshr":
            return self.value(a.kind, (left.view(np.uint64) >> right.view(np.uint64)).view(np.int64))
        act = {"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor, "shl": np.left_shift}[op]
        return self.value(a.kind, act(left, right))

    def compare(self, op: str, a: Value, b: Operand) -> Value:
        return self.value("m", _COMPARE[op](self.array(a), self.array(self.like(a, b))))

    def select(self, mask: Value, then: Operand, otherwise: Operand) -> Value:
        model = then if isinstance(then, Value) else otherwise
        assert isinstance(model, Value)
        a, b = self.like(model, then), self.like(model, otherwise)
        return self.value(model.kind, np.where(self.array(mask), self.array(a), self.array(b)))

    def fma(self, a: Value, b: Operand, c: Operand) -> Value:
        return a * b + c

    def exact_fma(self, a: Value, b: Operand, c: Operand) -> Value:
        rows = zip(*(self.array(x).tolist() for x in (a, self.like(a, b), self.like(a, c))), strict=True)
        return self.value("v", [_rounded_once(*row) for row in rows])

    def intrinsic(self, name: str, *args: Value) -> Value:
        with np.errstate(all="ignore"):
            return self.value("v", _INTRINSIC[name](*(self.array(arg) for arg in args)))

    def scalar_call(self, name: str, *args: Value) -> Value:
        rows = zip(*(self.array(arg).tolist() for arg in args), strict=True)
        return self.value(
            "v", [getattr(math, name)(*row) if all(map(math.isfinite, row)) else math.nan for row in rows]
        )

    def absolute(self, a: Value) -> Value:
        return self.value("v", np.abs(self.array(a)))

    def maximum(self, a: Value, b: Operand) -> Value:
        return self.select(a > b, a, b)

    def minimum(self, a: Value, b: Operand) -> Value:
        return self.select(a < b, a, b)

    def as_bits(self, a: Value) -> Value:
        return self.value("k", np.ascontiguousarray(self.array(a)).view(np.int64))

    def as_number(self, a: Value) -> Value:
        return self.value("v", np.ascontiguousarray(self.array(a)).view(np.float64))

    def any(self, mask: Value) -> Value:
        return self.value("b", bool(np.any(self.array(mask))))

    def load(self, base: Value, kind: str, index: Operand = 0) -> Value:
        """Return a row of an array that was handed over by `rows`."""
        assert isinstance(index, int)
        return self.value(kind, self._values[int(base.text) + index])

    def rows(self, rows: Sequence[Any]) -> Value:
        """Return the place of rows, one after another."""
        first = len(self._values)
        for row in rows:
            self.value("v", row)
        return Value(self, "p", str(first))  # type: ignore[arg-type]

    def variable(self, kind: str, initial: Operand | None = None) -> Variable:
        start = initial if isinstance(initial, Value) else self.constant(kind, initial or 0.0)
        self._values.append(self.array(start))
        return Variable(self, kind, str(len(self._values) - 1))  # type: ignore[arg-type]

    def read(self, variable: Variable) -> Value:
        return self.value(variable.kind, self._values[int(variable.slot)])

    def assign(self, variable: Variable, value: Value) -> None:
        self._values[int(variable.slot)] = self.array(value)

    @contextlib.contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        """Do what follows in any case: what is written so chooses between the results by itself."""
        yield


def _rounded_once(a: float, b: float, c: float) -> float:
    if not all(map(math.isfinite, (a, b, c))):
        return a * b + c
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    try:
        return float(exact) if exact else a * b + c
    except OverflowError:
        return math.copysign(math.inf, exact)
