"""The writer of LLVM assembly for a grid of threads, each of which integrates one patient at a time.

It writes what `betapod.engine.compiled.simd` writes for one lane. What differs is memory: the vectors of 32 threads that run in
step stand side by side, so that they read and write neighbouring places at once, and addresses are those of a card's main memory,
or, for some vectors if asked, of the memory that the threads of a block share.
The text knows nothing of a card: it is compiled for the processor as well, where tests run it as a grid of ordinary calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ..compiled.blocks import STAGES
from ..compiled.code import Operand, Value
from ..compiled.driver import write_functions
from ..compiled.llvm_text import SCALARS, VECTORS
from ..compiled.program import Program
from ..compiled.simd import VectorCode
from ..compiled.workspace import Workspace

#: Threads whose vectors stand side by side: those that a card runs in step.
TILE = 32
#: A card's main memory, as LLVM calls it; a processor has one memory and makes no difference.
MAIN = "ptr addrspace(1)"
#: The memory that the threads of a block share; it is no other either for a processor.
SHARED = "ptr addrspace(3)"
#: Vectors that can be kept there: which arguments of which functions they are. They are the matrix and the stage values.
_SHAREABLE = {
    "rates": {4: "k"},
    "linear": {4: "k", 5: "m"},
    "factor": {2: "m"},
    "solve": {0: "m", 1: "k"},
}
#: Functions of the C library that are needed only for arguments that no shipped model has; a card gives no number there.
_FAR_AWAY = frozenset({"sin", "cos"})


class GridCode(VectorCode):
    """A module of LLVM assembly for a grid of threads under construction (a `betapod.engine.compiled.code.Code`).

    Besides the kinds of values of others it has ``s``, an address among the vectors of a thread that stand in shared memory.

    Parameters
    ----------
    shared
        Vectors that stand in shared memory: name -> where they begin in the workspace, and where among the shared ones.

    Examples
    --------
    >>> from betapod.engine.gpu.grid_code import GridCode
    >>> GridCode().width
    1
    """

    def __init__(self, shared: Mapping[str, tuple[int, int]] | None = None) -> None:
        super().__init__(1, fused=True)
        self._shared = shared or {}
        self._shared_places = dict(self._shared.values())
        self._workspace = ""
        self.mixes = False  # other threads work while one waits, and what waits takes registers
        self._types |= {"p": MAIN, "w": MAIN, "s": SHARED}
        #: Functions of the C library that the program needs and a card does not have.
        self.missing: set[str] = set()

    def address(self, base: Value, kind: str, index: Operand) -> Value:
        """Return the place of an element: of a thread's own vectors, which stand `TILE` places apart, or of an array."""
        if base.text == self._workspace and isinstance(index, int) and index in self._shared_places:
            base, index = self.emit("s", f"call {SHARED} @own_shared()"), self._shared_places[index]
        where = index.text if isinstance(index, Value) else str(index)
        element = SCALARS[kind] if kind in SCALARS and kind not in "pw" else VECTORS.get(kind, "i64")
        step = f"[{TILE} x {element}]" if base.kind in "ws" else element
        return self.emit(base.kind, f"getelementptr inbounds {step}, {self.type(base.kind)} {base.text}, i64 {where}")

    def load(self, base: Value, kind: str, index: Operand = 0) -> Value:
        """Return one element of an array."""
        where = base if isinstance(index, int) and index == 0 else self.address(base, kind, index)
        return self.emit(kind, f"load {self.type(kind)}, {self.type(where.kind)} {where.text}, align 8")

    def store(self, base: Value, index: Operand, value: Value) -> None:
        """Write one element of an array."""
        where = base if isinstance(index, int) and index == 0 else self.address(base, value.kind, index)
        self.line(f"store {self.type(value.kind)} {value.text}, {self.type(where.kind)} {where.text}, align 8")

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
        places = {number: "s" for number, vector in _SHAREABLE.get(name, {}).items() if vector in self._shared}
        kinds = [places.get(number, kind) for number, kind in enumerate(kinds)]
        outer = self._workspace
        with super().function(name, kinds, returns, False, inline or exported) as arguments:
            # Functions of the worker begin with a job and its workspace.
            self._workspace = arguments[1].text if kinds[:2] == ["p", "w"] else ""
            yield arguments
        self._workspace = outer
        head, begin, body = self._finished[-1].partition("{\n")
        self._finished[-1] = head.replace(f"{SHARED} %a", f"{SHARED} noalias %a") + begin + body

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
    shared
        Numbers of shared memory that each thread needs besides; 0 where it has no vectors there.
    """

    text: str
    workspace: int
    missing: tuple[str, ...]
    shared: int = 0


def write_grid(program: Program, quickly: bool = False, sharing: bool = False) -> GridText:
    """Return a program as the text that each thread of a grid runs.

    Parameters
    ----------
    program
        As `betapod.engine.compiled.lower` made it of a model.
    quickly
        Whether rates and Jacobian take the elementary functions of `betapod.engine.compiled.quick`.
    sharing
        Whether matrix and stage values stand in the memory that the threads of a block share. The numbers are the same.

    Returns
    -------
    GridText
        The text, and the memory that each thread needs.
    """
    offsets, shared, size = Workspace(program, width=1).offsets, {}, 0
    for vector, numbers in shareable(program).items() if sharing else ():
        shared[vector] = offsets[vector], size
        size += numbers
    code = GridCode(shared)
    module = write_functions(code, program, quickly)
    return GridText(code.text(), module.workspace.size, tuple(sorted(code.missing)), size)


def shareable(program: Program) -> dict[str, int]:
    """Return the vectors that can stand in shared memory, and how many numbers they have: the matrix and the stage values."""
    return {"m": len(program.factorisation.slots), "k": program.unknowns * STAGES}


def _place_of_thread(workspace: int) -> str:
    """Return assembly that finds a thread's vectors and calls its work: tile after tile, threads of a tile side by side."""
    return f"""  %tile = lshr i64 %thread, {TILE.bit_length() - 1}
  %lane = and i64 %thread, {TILE - 1}
  %first = mul i64 %tile, {workspace * TILE}
  %own = add i64 %first, %lane
  %memory = getelementptr inbounds double, {MAIN} %room, i64 %own
  %steps = call i64 @worker({MAIN} %job, {MAIN} %memory)
"""


def _own_shared(numbers: int, first: str, thread: str) -> str:
    """Return assembly of the function that says where a thread's shared vectors are: side by side, for a block is one tile.

    Parameters
    ----------
    numbers
        That each thread needs.
    first, thread
        Assembly that gives ``%memory``, where the block's memory is, and ``%thread``, its number within the block.
    """
    if not numbers:
        return ""
    return f"""define internal {SHARED} @own_shared() alwaysinline nounwind {{
entry:
{first}{thread}  %vectors = getelementptr inbounds double, {SHARED} %memory, i64 %thread
  ret {SHARED} %vectors
}}
"""


def with_card_entry(text: GridText, threads: int) -> str:
    """Return a module whose entry ``betapod`` a card runs in each thread of a grid.

    Parameters
    ----------
    threads
        Threads of a block at most.
    """
    memory = "@shared = external addrspace(3) global [0 x double], align 8\n" if text.shared else ""
    first = f"  %memory = getelementptr inbounds double, {SHARED} @shared, i64 0\n"
    thread = """  %place = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %thread = zext i32 %place to i64
"""
    return f"""{memory}{text.text}
{_own_shared(text.shared, first, thread)}{number_of_thread(threads)}{_place_of_thread(text.workspace)}  ret void
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
    """Return a module whose entry ``betapod`` a processor calls for one thread of a grid; ``link`` has nothing to link.

    It is told where the memory is that the threads of a block share, and the number of its thread within the block.
    """
    first = f"  %memory = load {SHARED}, ptr @block_memory, align 8\n"
    thread = "  %thread = load i64, ptr @block_thread, align 8\n"
    return f"""@block_memory = internal global {SHARED} null
@block_thread = internal global i64 0
{text.text}
{_own_shared(text.shared, first, thread)}
define i64 @betapod({MAIN} %job, {MAIN} %room, i64 %thread, {SHARED} %shared, i64 %place) {{
entry:
  store {SHARED} %shared, ptr @block_memory, align 8
  store i64 %place, ptr @block_thread, align 8
{_place_of_thread(text.workspace)}  ret i64 %steps
}}
define void @link({MAIN} %addresses) {{
entry:
  ret void
}}
"""
