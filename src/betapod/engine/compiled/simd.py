"""The writer of LLVM assembly for vectors of patients: operations, masks, lanes, memory.

One lane of a vector is one patient. Every operation acts on each lane alone and rounds as IEEE 754 says, and products are
joined to sums (fused multiply-add) only where the generator says so; a patient's numbers therefore do not depend on the
number of lanes, on the lane, or on the neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from . import scaling
from .code import Operand, Value
from .llvm_text import SCALAR_OF, VECTORS, LlvmText

_FLOAT_COMPARE = {"<": "olt", "<=": "ole", ">": "ogt", ">=": "oge", "==": "oeq", "!=": "une"}
_INT_COMPARE = {"<": "slt", "<=": "sle", ">": "sgt", ">=": "sge", "==": "eq", "!=": "ne"}

#: Functions that are called lane by lane.
C_LIBRARY = (
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "tgamma", "atan2", "fmod",
)  # fmt: skip


class VectorCode(LlvmText):
    """A module of LLVM assembly under construction (a `betapod.engine.compiled.code.Code`).

    Parameters
    ----------
    width
        Lanes of a vector.
    fused
        Whether the processor multiplies and adds in one instruction.
    scales
        Whether it multiplies by powers of two in one instruction (AVX-512).
    flushes
        Whether it can be told to take numbers below the normal range as 0 (x86).
    """

    def __init__(self, width: int, fused: bool = True, scales: bool = False, flushes: bool = False) -> None:
        super().__init__(width)
        self.fused, self.scales, self.flushes = fused, scales, flushes
        self.mixes = True

    # -- operations ------------------------------------------------------------------------------------------------------

    def arithmetic(self, op: str, a: Value, b: Operand) -> Value:
        """Return a sum, difference, product or quotient."""
        other = self.like(a, b)
        name = f"f{op}" if a.kind in ("v", "d") else {"div": "sdiv"}.get(op, op)
        return self.emit(a.kind, f"{name} {self.type(a.kind)} {a.text}, {other.text}")

    def negative(self, a: Value) -> Value:
        """Return a number with the other sign."""
        return self.emit(a.kind, f"fneg {self.type(a.kind)} {a.text}")

    def bits(self, op: str, a: Value, b: Operand) -> Value:
        """Return a bitwise combination."""
        return self.emit(a.kind, f"{op} {self.type(a.kind)} {a.text}, {self.like(a, b).text}")

    def compare(self, op: str, a: Value, b: Operand) -> Value:
        """Return where a comparison holds."""
        real = a.kind in ("v", "d")
        how = f"fcmp {_FLOAT_COMPARE[op]}" if real else f"icmp {_INT_COMPARE[op]}"
        return self.emit(
            "m" if a.kind in VECTORS else "b", f"{how} {self.type(a.kind)} {a.text}, {self.like(a, b).text}"
        )

    def select(self, mask: Value, then: Operand, otherwise: Operand) -> Value:
        """Return `then` in the lanes where the mask holds, else `otherwise`; at least one of them is a value."""
        model = then if isinstance(then, Value) else otherwise
        assert isinstance(model, Value)
        a, b = self.like(model, then), self.like(model, otherwise)
        kind = self.type(model.kind)
        return self.emit(model.kind, f"select {self.type(mask.kind)} {mask.text}, {kind} {a.text}, {kind} {b.text}")

    def fma(self, a: Value, b: Operand, c: Operand) -> Value:
        """Return ``a*b + c``, rounded once where the processor can."""
        if not self.fused:
            return a * b + c
        return self.exact_fma(a, b, c)

    def exact_fma(self, a: Value, b: Operand, c: Operand) -> Value:
        """Return ``a*b + c`` rounded once, however long it takes."""
        return self.intrinsic("fma", a, self.like(a, b), self.like(a, c))

    def scaled(self, a: Value, n: Value) -> Value:
        """Return ``a 2^n`` for vectors of whole numbers n, rounded once; only where `scales` holds."""
        return scaling.scaled(self, a, n)

    def taken_apart(self, x: Value) -> tuple[Value, Value]:
        """Return k and m with ``x = m 2^k`` and m from 3/4 to below 3/2; only where `scales` holds."""
        return scaling.taken_apart(self, x)

    def intrinsic(self, name: str, *args: Value) -> Value:
        """Return an LLVM intrinsic of values of one kind."""
        kind = args[0].kind
        suffix = f"v{self.width}f64" if kind == "v" else "f64"
        types = [self.type(kind)] * len(args)
        self.declare(f"llvm.{name}.{suffix}", types, self.type(kind))
        return self.call(f"llvm.{name}.{suffix}", args, kind)

    def absolute(self, a: Value) -> Value:
        """Return the absolute value."""
        return self.intrinsic("fabs", a)

    def maximum(self, a: Value, b: Operand) -> Value:
        """Return the larger value; b where a is NaN."""
        other = self.like(a, b)
        return self.select(a > other, a, other)

    def minimum(self, a: Value, b: Operand) -> Value:
        """Return the smaller value; b where a is NaN."""
        other = self.like(a, b)
        return self.select(a < other, a, other)

    def as_bits(self, a: Value) -> Value:
        """Return the bits of numbers as integers."""
        kind = "k" if a.kind == "v" else "i"
        return self.emit(kind, f"bitcast {self.type(a.kind)} {a.text} to {self.type(kind)}")

    def as_number(self, a: Value) -> Value:
        """Return integers read as the bits of numbers."""
        kind = "v" if a.kind == "k" else "d"
        return self.emit(kind, f"bitcast {self.type(a.kind)} {a.text} to {self.type(kind)}")

    def to_integer(self, a: Value) -> Value:
        """Return a scalar number, rounded towards 0, as an integer."""
        return self.emit("i", f"fptosi double {a.text} to i64")

    def remainder(self, a: Value, divisor: int) -> Value:
        """Return the remainder of a scalar integer from 0 on."""
        return self.emit("i", f"srem i64 {a.text}, {divisor}")

    def any(self, mask: Value) -> Value:
        """Return whether a mask holds in any lane."""
        return self.emit("b", f"icmp ne i{self.width} {self._packed(mask).text}, 0")

    def _packed(self, mask: Value) -> Value:
        return self.emit("i", f"bitcast {self.type('m')} {mask.text} to i{self.width}")

    @contextmanager
    def each(self, mask: Value) -> Iterator[Value]:
        """Do what follows for each lane in which a mask holds, the first one first."""
        if self.width == 1:
            with self.when(self.any(mask)):
                yield self.integer(0)
            return
        packed = self._packed(mask)
        left = self.variable("i", self.emit("i", f"zext i{self.width} {packed.text} to i64"))
        self.declare("llvm.cttz.i64", ["i64", "i1"], "i64")
        with self.repeat() as done:
            bits = left.get()
            self.go_on_while(bits.differs(0), done)
            yield self.emit("i", f"call i64 @llvm.cttz.i64(i64 {bits.text}, i1 true)")
            left.set(bits & (bits - 1))

    def extract(self, a: Value, lane: int | Value) -> Value:
        """Return one lane."""
        index = lane.text if isinstance(lane, Value) else str(lane)
        return self.emit(SCALAR_OF[a.kind], f"extractelement {self.type(a.kind)} {a.text}, i64 {index}")

    def insert(self, a: Value, lane: int | Value, value: Value) -> Value:
        """Return a vector with one lane replaced."""
        index = lane.text if isinstance(lane, Value) else str(lane)
        scalar = self.type(SCALAR_OF[a.kind])
        return self.emit(a.kind, f"insertelement {self.type(a.kind)} {a.text}, {scalar} {value.text}, i64 {index}")

    def broadcast(self, value: Value) -> Value:
        """Return a scalar in every lane."""
        kind = {"d": "v", "i": "k", "b": "m"}[value.kind]
        first = self.emit(kind, f"insertelement {self.type(kind)} poison, {self.type(value.kind)} {value.text}, i64 0")
        return self.emit(
            kind,
            f"shufflevector {self.type(kind)} {first.text}, {self.type(kind)} poison, "
            f"<{self.width} x i32> zeroinitializer",
        )

    # -- memory ------------------------------------------------------------------------------------------------------

    def address(self, base: Value, kind: str, index: Operand) -> Value:
        """Return the place of the element `index` of an array of one kind."""
        where = index.text if isinstance(index, Value) else str(index)
        return self.emit(base.kind, f"getelementptr inbounds {self.type(kind)}, ptr {base.text}, i64 {where}")

    def load(self, base: Value, kind: str, index: Operand = 0) -> Value:
        """Return one element of an array."""
        address = base if isinstance(index, int) and index == 0 else self.address(base, kind, index)
        return self.emit(kind, f"load {self.type(kind)}, ptr {address.text}, align {self._align(kind)}")

    def store(self, base: Value, index: Operand, value: Value) -> None:
        """Write one element of an array."""
        address = base if isinstance(index, int) and index == 0 else self.address(base, value.kind, index)
        self.line(f"store {self.type(value.kind)} {value.text}, ptr {address.text}, align {self._align(value.kind)}")

    def gather(self, base: Value, indices: Value) -> Value:
        """Return numbers of an array: in each lane the one at its index."""
        result = self.vector(0.0)
        for lane in range(self.width):
            result = self.insert(result, lane, self.load(base, "d", self.extract(indices, lane)))
        return result

    def forget(self) -> None:
        """Keep nothing that memory holds in a register from here on."""
        self.line('call void asm sideeffect "", "~{memory}"()')

    def fetch_add(self, counter: Value, amount: int) -> Value:
        """Add to a shared counter and return what it was."""
        return self.emit("i", f"atomicrmw add ptr {counter.text}, i64 {amount} monotonic")

    def numbers(self, name: str, values: Sequence[int]) -> Value:
        """Return a table of integers that belongs to the module."""
        items = ", ".join(f"i64 {value}" for value in values) or "i64 0"
        self._globals.append(f"@{name} = internal constant [{max(len(values), 1)} x i64] [{items}]")
        return Value(self, "p", f"@{name}")

    # -- what the processor and the C library do -------------------------------------------------------------------------

    def scalar_call(self, name: str, *args: Value) -> Value:
        """Call a function of the C library lane by lane."""
        function = self.load(Value(self, "p", "@library"), "p", C_LIBRARY.index(name))
        result = args[0]
        for lane in range(self.width):
            text = ", ".join(f"double {self.extract(arg, lane).text}" for arg in args)
            result = self.insert(result, lane, self.emit("d", f"call double {function.text}({text})"))
        return result

    @contextmanager
    def flushing(self) -> Iterator[None]:
        """Do what follows with numbers below 2e-308 as 0: a state that has faded away would slow every operation a hundredfold."""
        if not self.flushes:
            yield
            return
        before, during = self.variable("i", 0), self.variable("i", 0)
        for name in ("stmxcsr", "ldmxcsr"):
            self.declare(f"llvm.x86.sse.{name}", ["ptr"], "void")
        self.line(f"call void @llvm.x86.sse.stmxcsr(ptr {before.slot})")
        during.set(before.get() | 0x8040)
        self.line(f"call void @llvm.x86.sse.ldmxcsr(ptr {during.slot})")
        yield
        self.line(f"call void @llvm.x86.sse.ldmxcsr(ptr {before.slot})")

    def text(self) -> str:
        """Return the module, with the function ``link`` that is told where the C library's functions are."""
        count = len(C_LIBRARY)
        with self.function("link", ["p"], exported=True) as (addresses,):
            with self.loop(count) as i:
                self.store(Value(self, "p", "@library"), i, self.load(addresses, "p", i))
            self.give()
        self._globals.append(f"@library = internal global [{count} x ptr] zeroinitializer")
        return "\n".join([*self._globals, *self._declared.values(), "", *self._finished])
