"""A card that is none: the driver's functions, called as those of a library, with a processor behind them that runs each thread of a grid.

What betapod writes for a card is compiled for the processor instead, so that all but the card itself is tried: text, layout of
memory, queue, chunks, calls of the driver, errors. A thread takes its share of patients, as if others took the rest at the same time.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from betapod.engine.compiled import program_cache
from betapod.engine.compiled.machine import compile_object, load_object
from betapod.engine.compiled.workspace import JOB
from betapod.engine.gpu import cuda_driver, graphics_card, grid_kernel, grid_reduction
from betapod.engine.gpu.grid_code import GridText, with_processor_entry
from betapod.engine.gpu.ptx import ptx_of

_COUNT, _NEXT = JOB.index("count"), JOB.index("next")
_WORK, _WORD, _CONTEXT, _STATE, _MODULE, _FUNCTION = 11, 12, 21, 31, 41, 51
#: What the stand-in was asked to translate: PTX -> text it was made of, none for the reduction; and compiled text.
_texts: dict[str, GridText | None] = {}
_compiled: dict[str, Any] = {}
_programs: dict[str, tuple[dict[str, Any], bytes]] = {}


def on_processor(text: GridText) -> Callable[[int, int, int, int, int], int]:
    """Return the entry of a program as a function of job, room, thread, shared memory, and the thread's number in its block."""
    key = hashlib.sha256(text.text.encode()).hexdigest()
    if key not in _compiled:
        loaded = load_object(compile_object(with_processor_entry(text)))
        kinds = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64]
        entry = loaded.function("betapod", ctypes.c_int64, *kinds)
        _compiled[key] = loaded, entry
    entry = _compiled[key][1]
    return entry  # type: ignore[no-any-return]


class StandIn:
    """A driver's library with one card.

    Attributes
    ----------
    free
        Bytes of the card's memory that are free.
    order
        Order in which the threads of a grid run, from their number.
    answers
        Functions that are to fail, and with what.
    calls
        Names of the functions that were called.
    grids
        Blocks and threads of the grids that were started.
    shared
        Bytes that the threads of a block of each of these grids share.
    home
        Bytes that were copied from the card.
    """

    capability, processors, resident, shared_memory = (9, 0), 2, 1, 0

    def __init__(self) -> None:
        self.free = 1 << 30
        self.order: Callable[[int], NDArray[np.int64]] = np.arange
        self.answers: dict[str, int] = {}
        self.calls: list[str] = []
        self.grids: list[tuple[int, int]] = []
        self.home = 0
        self.shared: list[int] = []
        self._may_share: dict[int, int] = {}
        self._memory: dict[int, Any] = {}
        self._running: Iterator[None] | None = None
        self._code: Any = None
        self._ptx = ""
        self._loaded: list[str] = []
        for name, arguments in cuda_driver.SIGNATURES.items():
            setattr(self, name, ctypes.CFUNCTYPE(ctypes.c_int, *arguments)(self._guarded(name)))

    @property
    def taken(self) -> int:
        """Bytes that are taken."""
        return sum(len(memory) for memory in self._memory.values())

    def _guarded(self, name: str) -> Callable[..., int]:
        body = getattr(self, f"_{name}", lambda *_: 0)

        def function(*arguments: Any) -> int:
            self.calls.append(name)
            if name in self.answers:
                return self.answers[name]
            answer = body(*arguments)
            return 0 if answer is None else int(answer)

        return function

    # -- what the functions do ---------------------------------------------------------------------------------------

    def _cuGetErrorName(self, code: int, out: Any) -> None:
        out[0] = {2: b"CUDA_ERROR_OUT_OF_MEMORY", 100: b"CUDA_ERROR_NO_DEVICE"}.get(code, b"CUDA_ERROR_UNKNOWN")

    def _cuGetErrorString(self, code: int, out: Any) -> None:
        out[0] = b"an error of the stand-in"

    def _cuDriverGetVersion(self, out: Any) -> None:
        out[0] = 12080

    def _cuDeviceGetCount(self, out: Any) -> None:
        out[0] = 1

    def _cuDeviceGet(self, out: Any, number: int) -> int:
        out[0] = number
        return 0 if number == 0 else 101

    def _cuDeviceGetName(self, text: int, size: int, device: int) -> None:
        ctypes.memmove(text, b"Stand-in card\0", 14)

    def _cuDeviceGetAttribute(self, out: Any, fact: int, device: int) -> None:
        facts = {16: self.processors, 75: self.capability[0], 76: self.capability[1], 81: self.shared_memory}
        out[0] = facts[fact]

    def _cuDevicePrimaryCtxRetain(self, out: Any, device: int) -> None:
        out[0] = _CONTEXT

    def _cuCtxSetCurrent(self, context: int) -> int:
        return 0 if context == _CONTEXT else 201

    def _cuMemGetInfo_v2(self, free: Any, total: Any) -> None:
        free[0], total[0] = self.free - self.taken, self.free

    def _cuMemAlloc_v2(self, out: Any, size: int) -> int:
        if self.taken + size > self.free:
            return 2
        # Filled with what nobody would take for a result.
        memory = (ctypes.c_char * (size + 8)).from_buffer_copy(b"\xa5" * (size + 8))
        place = -(-ctypes.addressof(memory) // 8) * 8
        self._memory[place], out[0] = memory, place
        return 0

    def _cuMemFree_v2(self, place: int) -> int:
        return 1 if self._memory.pop(place, None) is None else 0

    def _holds(self, place: int, size: int) -> bool:
        return any(start <= place and place + size <= start + len(memory) for start, memory in self._memory.items())

    def _cuMemcpyHtoD_v2(self, place: int, source: int, size: int) -> int:
        if not self._holds(place, size):
            return 700
        ctypes.memmove(place, source, size)
        return 0

    def _cuMemcpyHtoDAsync_v2(self, place: int, source: int, size: int, stream: int) -> int:
        return self._cuMemcpyHtoD_v2(place, source, size) if stream == _WORD else 400

    def _cuMemcpyDtoH_v2(self, target: int, place: int, size: int) -> int:
        if not self._holds(place, size):
            return 700
        ctypes.memmove(target, place, size)
        self.home += size
        return 0

    def _cuLinkCreate_v2(self, count: int, options: Any, values: Any, out: Any) -> None:
        assert [options[k] for k in range(count)] == [5, 6]
        self._said, self._room = values[0], values[1]
        out[0] = _STATE

    def _cuLinkAddData_v2(self, state: int, kind: int, data: int, size: int, *_: Any) -> int:
        text = ctypes.string_at(data, size)
        assert (state, kind) == (_STATE, 1) and text.endswith(b"\0")
        self._ptx = text[:-1].decode()
        if self._ptx not in _texts:
            ctypes.memmove(self._said, b"ptxas fatal: not known\0", 23)
            return 218
        return 0

    def _cuLinkComplete(self, state: int, out: Any, size: Any) -> None:
        name = hashlib.sha256(self._ptx.encode()).hexdigest().encode()
        self._code = ctypes.create_string_buffer(name)
        out[0], size[0] = ctypes.addressof(self._code), len(name)

    def _cuLinkDestroy(self, state: int) -> int:
        if self._code is not None:  # what was not copied is gone
            ctypes.memset(self._code, 0, len(self._code))
        return 0 if state == _STATE else 1

    def _cuModuleLoadData(self, out: Any, image: int) -> int:
        name = ctypes.string_at(image).decode()
        known = {hashlib.sha256(ptx.encode()).hexdigest(): ptx for ptx in _texts}
        if name not in known:
            return 209
        self._loaded.append(known[name])
        out[0] = _MODULE + 100 * (len(self._loaded) - 1)
        return 0

    def _cuModuleGetFunction(self, out: Any, module: int, name: bytes) -> int:
        out[0] = module - _MODULE + _FUNCTION
        return 0 if name == b"betapod" else 500

    def _cuFuncGetAttribute(self, out: Any, fact: int, function: int) -> None:
        out[0] = {3: 2984, 4: 255}[fact]

    def _cuFuncSetAttribute(self, function: int, fact: int, size: int) -> int:
        self._may_share[function] = size
        return 0 if fact == 8 and size <= self.shared_memory - 1024 else 1

    def _cuOccupancyMaxActiveBlocksPerMultiprocessor(self, out: Any, function: int, threads: int, size: int) -> None:
        out[0] = self.resident

    def _cuStreamCreate(self, out: Any, flags: int) -> None:
        out[0] = _WORD if flags else _WORK

    def _cuLaunchKernel(self, function: int, *rest: Any) -> int:
        grid, block, (shared, stream, arguments, _) = rest[:3], rest[3:6], rest[6:]
        assert grid[1:] == block[1:] == (1, 1) and stream == _WORK
        if shared > self._may_share.get(function, 48 * 1024):
            return 1
        job, room = (ctypes.c_uint64.from_address(arguments[k]).value for k in range(2))
        text, threads = _texts[self._loaded[(function - _FUNCTION) // 100]], grid[0] * block[0]
        if text is None:
            self._running = self._reduce(job, threads)
            return 0
        self.grids.append((grid[0], block[0]))
        self.shared.append(shared)
        self._running = self._run(self._sharing(on_processor(text), shared, block[0]), job, room, threads)
        return 0

    def _sharing(
        self, entry: Callable[[int, int, int, int, int], int], size: int, block: int
    ) -> Callable[[int, int, int], int]:
        """Return the entry with the memory that the threads of a block share, in which nobody writes beside what is his."""
        memory = np.full(size // 8 + 2, 1e300)
        used = np.zeros(len(memory), dtype=bool)

        def run_thread(job: int, room: int, thread: int) -> int:
            memory[:] = 1e300
            steps = entry(job, room, thread, memory[1:].ctypes.data, thread % block)
            if thread < block:
                written = memory != 1e300
                assert not np.any(written & used) and not written[0] and not written[-1]
                used[written] = True
            return steps

        return run_thread

    def _reduce(self, job: int, threads: int) -> Iterator[None]:
        """Run thread after thread of one pass of the reduction."""
        entry = grid_reduction._on_processor()[1]
        for thread in self.order(threads):
            entry(job, None, int(thread))
        yield

    def _run(self, entry: Callable[[int, int, int], int], job: int, room: int, threads: int) -> Iterator[None]:
        """Run thread after thread, each until as many patients are taken as are its share and that of those before it."""
        fields = np.frombuffer((ctypes.c_int64 * len(JOB)).from_address(job), dtype=np.int64)
        count = int(fields[_COUNT])
        taken = ctypes.c_int64.from_address(int(fields[_NEXT]))
        for turn, thread in enumerate(self.order(threads)):
            fields[_COUNT] = -(-count * (turn + 1) // threads)
            entry(job, room, int(thread))
            # The patient that was one too many goes to the next thread.
            taken.value -= taken.value == fields[_COUNT] + 1
            yield
        fields[_COUNT] = count

    def _cuStreamQuery(self, stream: int) -> int:
        if stream == _WORK and self._running is not None:
            if next(self._running, self) is not self:
                return 600
            self._running = None
        return 0


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A card that is none, as the only one of this machine."""
    library = StandIn()

    def recorded(text: GridText, target: tuple[int, int]) -> str:
        ptx = ptx_of(text, target)
        _texts[ptx] = text
        return ptx

    def reduction(target: tuple[int, int], made: Callable[..., str] = grid_reduction.reduction_ptx) -> str:
        ptx = made(target)
        _texts[ptx] = None
        return ptx

    # Programs on disk may be of another process, whose texts nobody here knows.
    kept = SimpleNamespace(
        key_of=program_cache.key_of,
        read_program=_programs.get,
        write_program=lambda key, description, name, code: _programs.update({key: (description, code)}),
    )
    monkeypatch.setattr(grid_kernel, "cache", kept)
    monkeypatch.setattr(grid_kernel, "ptx_of", recorded)
    monkeypatch.setattr(grid_reduction, "reduction_ptx", reduction)
    monkeypatch.setattr(cuda_driver, "_library", lambda name: library)
    monkeypatch.setattr(cuda_driver, "LIBRARIES", {"linux": "libcuda.so.1", "win32": "nvcuda.dll", "darwin": "none"})
    monkeypatch.setattr(graphics_card, "_LOOK", 0.0)
    for function in (cuda_driver.cuda_driver, graphics_card.graphics_card):
        function.cache_clear()
    grid_kernel._in_memory.clear()
    yield library
    for function in (cuda_driver.cuda_driver, graphics_card.graphics_card):
        function.cache_clear()
