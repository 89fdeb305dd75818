"""The writer of LLVM assembly for WebAssembly: 32-bit addresses in 64-bit places, no fused multiply-add, functions from outside."""

from __future__ import annotations

from ...engine.compiled.code import Operand, Value
from ...engine.compiled.simd import VectorCode

#: Splits a number into two halves whose products are exact (Dekker 1971).
_SPLITTER = 2.0**27 + 1.0


class WasmCode(VectorCode):
    """A module of LLVM assembly for WebAssembly under construction (a `betapod.engine.compiled.code.Code`).

    The job and the workspace have places of 8 bytes, as on processors with 64 bits, so that a caller lays them out alike; an
    address fills the lower half of its place. Functions of the C library are imported by their names.

    Parameters
    ----------
    width
        Lanes of a vector.

    Examples
    --------
    >>> from betapod.exchange.wasm.wasm_code import WasmCode
    >>> WasmCode(1).fused
    False
    """

    def __init__(self, width: int) -> None:
        super().__init__(width, fused=False)
        self.mixes = False  # a browser's own compiler orders them, with fewer registers
        #: Functions that are imported when the module is loaded.
        self.imported: set[str] = set()

    def address(self, base: Value, kind: str, index: Operand) -> Value:
        """Return the place of an element of an array; addresses stand in places of 8 bytes."""
        return super().address(base, "i" if kind == "p" else kind, index)

    def exact_fma(self, a: Value, b: Operand, c: Operand) -> Value:
        """Return ``a*b + c``, the product without error and the sum rounded once but for a last bit in rare cases."""
        second, third = self.like(a, b), self.like(a, c)
        product = a * second
        a_high, a_low = self._halves(a)
        b_high, b_low = self._halves(second)
        lost = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
        total = product + third
        part = total - product
        rest = (product - (total - part)) + (third - part)
        exact = total + (rest + lost)
        # Halves of numbers near the largest overflow.
        return self.select((exact - exact).equals(0.0), exact, total)

    def _halves(self, a: Value) -> tuple[Value, Value]:
        scaled = a * _SPLITTER
        high = scaled - (scaled - a)
        return high, a - high

    def scalar_call(self, name: str, *args: Value) -> Value:
        """Call an imported function lane by lane."""
        self.imported.add(name)
        self.declare(name, ["double"] * len(args), "double")
        result = args[0]
        for lane in range(self.width):
            text = ", ".join(f"double {self.extract(arg, lane).text}" for arg in args)
            result = self.insert(result, lane, self.emit("d", f"call double @{name}({text})"))
        return result

    def text(self) -> str:
        """Return the module; nothing needs to be linked at run time."""
        return "\n".join([*self._globals, *self._declared.values(), "", *self._finished])
