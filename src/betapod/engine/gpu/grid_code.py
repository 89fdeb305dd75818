"""The writer of LLVM assembly for a grid of threads, each of which integrates one patient at a time.

It writes what `betapod.engine.compiled.simd` writes for one lane. What differs is memory: the vectors of 32 threads that run in
step stand side by side, so that they read and write neighbouring places at once, and addresses are those of a card's main memory.
The text knows nothing of a card: it is compiled for the processor as well, where tests run it as a grid of ordinary calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ..compiled.code import Operand, Value
from ..compiled.driver import write_functions
from ..compiled.llvm_text import SCALARS, VECTORS
from ..compiled.program import Program
from ..compiled.simd import VectorCode

#: Threads whose vectors stand side by side: those that a card runs in step.
TILE = 32
#: A card's main memory, as LLVM calls it; a processor has one memory and makes no difference.
MAIN = "ptr addrspace(1)"
#: Functions of the C library that are needed only for arguments that no shipped model has; a card gives no number there.
_FAR_AWAY = frozenset({"sin", "cos"})


class GridCode(VectorCode):
    """A module of LLVM assembly for a grid of threads under construction (a `betapod.engine.compiled.code.Code`).

    Examples
    --------
    >>> from betapod.engine.gpu.grid_code import GridCode
    >>> GridCode().width
    1
    """

    def __init__(self) -> None:
        super().__init__(1, fused=True)
        self.mixes = False  # other threads work while one waits, and what waits takes registers
        self._types |= {"p": MAIN, "w": MAIN}
        #: Functions of the C library that the program needs and a card does not have.
        self.missing: set[str] = set()

    def address(self, base: Value, kind: str, index: Operand) -> Value:
        """Return the place of an element: of a thread's own vectors, which stand `TILE` places apart, or of an array."""
        where = index.text if isinstance(index, Value) else str(index)
        element = SCALARS[kind] if kind in SCALARS and kind not in "pw" else VECTORS.get(kind, "i64")
        step = f"[{TILE} x {element}]" if base.kind == "w" else element
        return self.emit(base.kind, f"getelementptr inbounds {step}, {MAIN} {base.text}, i64 {where}")

    def load(self, base: Value, kind: str, index: Operand = 0) -> Value:
        """Return one element of an array."""
        where = base if isinstance(index, int) and index == 0 else self.address(base, kind, index)
        return self.emit(kind, f"load {self.type(kind)}, {MAIN} {where.text}, align 8")

    def store(self, base: Value, index: Operand, value: Value) -> None:
        """Write one element of an array."""
        where = base if isinstance(index, int) and index == 0 else self.address(base, value.kind, index)
        self.line(f"store {self.type(value.kind)} {value.text}, {MAIN} {where.text}, align 8")

    def fetch_add(self, counter: Value, amount: int) -> Value:
        """Add to a counter that all threads of a card share, and return what it was."""
        return self.emit("i", f'atomicrmw add {MAIN} {counter.text}, i64 {amount} syncscope("device") monotonic')

    def add_together(self, counter: Value, amount: Value) -> None:
        """Add a whole number to a counter that all threads of a card share."""
        self.emit("i", f'atomicrmw add {MAIN} {counter.text}, i64 {amount.text} syncscope("device") monotonic')

    def numbers(self, name: str, values: Sequence[int]) -> Value:
        """Return a table of integers that belongs to the module."""
        items = ", ".join(f"i64 {value}" for value in values) or "i64 0"
        self._globals.append(f"@{name} = internal addrspace(1) constant [{max(len(values), 1)} x i64] [{items}]")
        return Value(self, "p", f"@{name}")

    def scalar_call(self, name: str, *args: Value) -> Value:
        """Return no number: a card has no C library. That the program needs it is kept in `missing`."""
        if name not in _FAR_AWAY:
            self.missing.add(name)
        return self.vector(float("nan"))

    @contextmanager
    def function(
        self, name: str, kinds: Sequence[str], returns: str | None = None, exported: bool = False, inline: bool = False
    ) -> Iterator[list[Value]]:
        """Write a function; what others call from outside becomes a part of the entry of the grid."""
        with super().function(name, kinds, returns, False, inline or exported) as arguments:
            yield arguments

    @contextmanager
    def flushing(self) -> Iterator[None]:
        """Do what follows as it is: a card computes with numbers below 2e-308 as fast as with others."""
        yield

    def text(self) -> str:
        """Return the module without an entry."""
        return "\n".join([*self._globals, *self._declared.values(), "", *self._finished])


@dataclass(frozen=True)
class GridText:
    """A model's program for a grid of threads.

    Attributes
    ----------
    text
        LLVM assembly without an entry.
    workspace
        Numbers of memory that each thread needs.
    missing
        Functions of the C library that the program needs and a card does not have.
    """

    text: str
    workspace: int
    missing: tuple[str, ...]


def write_grid(program: Program, quickly: bool = False) -> GridText:
    """Return a program as the text that each thread of a grid runs.

    Parameters
    ----------
    program
        As `betapod.engine.compiled.lower` made it of a model.
    quickly
        Whether rates and Jacobian take the elementary functions of `betapod.engine.compiled.quick`.

    Returns
    -------
    GridText
        The text, and the memory that each thread needs.
    """
    code = GridCode()
    module = write_functions(code, program, quickly)
    return GridText(code.text(), module.workspace.size, tuple(sorted(code.missing)))


def _place_of_thread(workspace: int) -> str:
    """Return assembly that finds a thread's vectors and calls its work: tile after tile, threads of a tile side by side."""
    return f"""  %tile = lshr i64 %thread, {TILE.bit_length() - 1}
  %lane = and i64 %thread, {TILE - 1}
  %first = mul i64 %tile, {workspace * TILE}
  %own = add i64 %first, %lane
  %memory = getelementptr inbounds double, {MAIN} %room, i64 %own
  %steps = call i64 @worker({MAIN} %job, {MAIN} %memory)
"""


def with_card_entry(text: GridText, threads: int) -> str:
    """Return a module whose entry ``betapod`` a card runs in each thread of a grid.

    Parameters
    ----------
    threads
        Threads of a block at most.
    """
    return f"""{text.text}
{number_of_thread(threads)}{_place_of_thread(text.workspace)}  ret void
}}
"""


def number_of_thread(threads: int) -> str:
    """Return the beginning of the entry ``betapod(job, room)`` of a card, which finds the number of its thread in the grid.

    Parameters
    ----------
    threads
        Threads of a block at most.
    """
    sources = ("tid", "ctaid", "ntid")
    declared = "\n".join(f"declare i32 @llvm.nvvm.read.ptx.sreg.{name}.x()" for name in sources)
    return f"""{declared}
define ptx_kernel void @betapod({MAIN} %job, {MAIN} %room) "nvvm.maxntid"="{threads}" {{
entry:
  %place = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %block = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %size = call i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
  %before = mul i32 %block, %size
  %number = add i32 %before, %place
  %thread = zext i32 %number to i64
"""


def with_processor_entry(text: GridText) -> str:
    """Return a module whose entry ``betapod`` a processor calls for one thread of a grid; ``link`` has nothing to link."""
    return f"""{text.text}
define i64 @betapod({MAIN} %job, {MAIN} %room, i64 %thread) {{
entry:
{_place_of_thread(text.workspace)}  ret i64 %steps
}}
define void @link({MAIN} %addresses) {{
entry:
  ret void
}}
"""
