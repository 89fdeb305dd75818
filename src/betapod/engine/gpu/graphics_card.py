"""A graphics card in use: its memory, programs translated for it and kept, grids that it runs."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import re
import threading
import time
from collections.abc import Iterator
from ctypes import c_size_t, c_uint64, c_void_p
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConfigError, Problem, did_you_mean
from ..compiled import program_cache
from .cuda_driver import (
    CAPABILITY_MAJOR,
    CAPABILITY_MINOR,
    LOCAL_BYTES,
    NOT_READY,
    OUT_OF_MEMORY,
    PROCESSORS,
    REGISTERS,
    SHARED_OF_BLOCK,
    SHARED_OF_PROCESSOR,
    CudaDriver,
    cuda_driver,
    no_card,
)
from .ptx import ARCHITECTURES, architecture

#: How often a running grid is asked whether it is done, seconds.
_LOOK = 0.001
_NAME = re.compile(r"cuda(?::(\d{1,3}))?")


@dataclass(frozen=True)
class CardProgram:
    """A program on a card.

    Attributes
    ----------
    function
        The driver's handle of its entry.
    registers, stack
        Registers, and bytes of memory of its own, that each thread takes.
    blocks
        Blocks of threads that the card runs at once.
    origin
        ``disk``, or ``translated`` by the driver.
    shared
        Bytes that the threads of a block share.
    """

    function: Any
    registers: int
    stack: int
    blocks: int
    origin: str
    shared: int = 0


class GraphicsCard:
    """One graphics card.

    Parameters
    ----------
    driver
        The driver's functions.
    number
        Which card, from 0.

    Attributes
    ----------
    name
        As the driver says it.
    capability
        Compute capability, such as (9, 0).
    target
        The one that code is made for (see `betapod.engine.gpu.ptx.architecture`).
    busy
        Held by the thread that computes on the card; others wait.
    shared_memory
        Bytes that the blocks of each of its processors share.
    most_blocks
        Blocks that a grid may have; None: as many as the card runs at once. Results do not depend on it.
    sharing
        Whether programs keep matrix and stage values in shared memory; None: where that is expected to be faster (see
        `betapod.engine.gpu.placement`). Results do not depend on it.

    Raises
    ------
    ConfigError
        There is no such card, or it is too old.
    """

    def __init__(self, driver: CudaDriver, number: int) -> None:
        self.driver = driver
        count = driver.number("cuDeviceGetCount")
        if number >= count:
            raise no_card(f"{count} cards" if count != 1 else "one card, which is cuda:0")
        device = driver.number("cuDeviceGet", number)
        name = ctypes.create_string_buffer(256)
        driver.call("cuDeviceGetName", name, len(name), device)
        self.name = name.value.decode(errors="replace")
        major, minor, self.processors, self.shared_memory = (
            driver.number("cuDeviceGetAttribute", fact, device)
            for fact in (CAPABILITY_MAJOR, CAPABILITY_MINOR, PROCESSORS, SHARED_OF_PROCESSOR)
        )
        self.capability = major, minor
        target = architecture(self.capability)
        if target is None:
            first = min(ARCHITECTURES)
            raise ConfigError(
                Problem(
                    "no-device",
                    f"the graphics card {self.name} is too old",
                    found=f"compute capability {major}.{minor}",
                    expected=f"at least {first[0]}.{first[1]}",
                )
            )
        self.target = target
        self.most_blocks: int | None = None
        self.sharing: bool | None = None
        self.busy = threading.Lock()
        self._programs: dict[str, CardProgram] = {}
        self._context = driver.handle("cuDevicePrimaryCtxRetain", device)
        with self.in_use():
            # A grid begins when what was copied before has arrived; a word reaches a grid that runs.
            self._work, self._word = (driver.handle("cuStreamCreate", waits_for_none) for waits_for_none in (0, 1))

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Let this thread alone use the card."""
        with self.busy:
            self.driver.call("cuCtxSetCurrent", self._context)
            yield

    def free_memory(self) -> int:
        """Return how many bytes are free."""
        free, total = c_size_t(), c_size_t()
        self.driver.call("cuMemGetInfo_v2", ctypes.byref(free), ctypes.byref(total))
        return free.value

    @contextlib.contextmanager
    def memory(self) -> Iterator[CardMemory]:
        """Give memory that is free again at the end, whatever happens."""
        memory = CardMemory(self.driver)
        try:
            yield memory
        finally:
            memory.release()

    def program(self, ptx: str, threads: int, use_cache: bool = True, shared: int = 0) -> CardProgram:
        """Return a program on the card, from memory, from disk or newly translated.

        Parameters
        ----------
        ptx
            The program.
        threads
            Threads of a block that it will run in.
        use_cache
            Whether to keep machine code on disk.
        shared
            Bytes that the threads of a block share.
        """
        version = self.driver.number("cuDriverGetVersion")
        key = hashlib.sha256(repr((ptx, self.capability, version, threads)).encode()).hexdigest()
        if key not in self._programs:
            code = program_cache.read_object(key) if use_cache else None
            origin = "disk" if code else "translated"
            code = code or self.driver.translated(ptx)
            if use_cache and origin != "disk":
                program_cache.write_object(key, code)
            self._programs[key] = self._loaded(code, threads, origin, shared)
        return self._programs[key]

    def _loaded(self, code: bytes, threads: int, origin: str, shared: int) -> CardProgram:
        driver = self.driver
        module = driver.handle("cuModuleLoadData", ctypes.cast(ctypes.create_string_buffer(code), c_void_p))
        function = driver.handle("cuModuleGetFunction", module, b"betapod")
        registers, stack = (driver.number("cuFuncGetAttribute", fact, function) for fact in (REGISTERS, LOCAL_BYTES))
        if shared:
            driver.call("cuFuncSetAttribute", function, SHARED_OF_BLOCK, shared)
        resident = driver.number("cuOccupancyMaxActiveBlocksPerMultiprocessor", function, threads, shared)
        return CardProgram(function, registers, stack, max(1, resident) * self.processors, origin, shared)

    def start(self, program: CardProgram, blocks: int, threads: int, *places: int) -> None:
        """Start a grid; `places` are its arguments, places in the card's memory."""
        values = [c_uint64(address) for address in places]
        arguments = (c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        sizes = (blocks, 1, 1, threads, 1, 1, program.shared)
        self.driver.call("cuLaunchKernel", program.function, *sizes, self._work, arguments, None)

    def wait(self) -> None:
        """Wait until the grid is done; Python hears of an interrupt meanwhile."""
        while (code := self.driver.answer("cuStreamQuery", self._work)) == NOT_READY:
            time.sleep(_LOOK)
        if code:
            raise self.driver.failure("a run of the program", code)

    def tell(self, address: int, number: int) -> None:
        """Write a number to the card's memory while a grid runs."""
        word = np.array([number], dtype=np.int64)
        self.driver.call("cuMemcpyHtoDAsync_v2", address, word.ctypes.data, word.nbytes, self._word)
        while self.driver.answer("cuStreamQuery", self._word) == NOT_READY:
            time.sleep(_LOOK)


class CardMemory:
    """Memory of a card that is taken for a while."""

    def __init__(self, driver: CudaDriver) -> None:
        self._driver = driver
        self._places: list[int] = []

    def take(self, size: int) -> int:
        """Return the address of so many bytes.

        Raises
        ------
        ConfigError
            There is not enough left.
        """
        address = c_uint64()
        code = self._driver.answer("cuMemAlloc_v2", ctypes.byref(address), max(size, 8))
        if code == OUT_OF_MEMORY:
            raise ConfigError(
                Problem(
                    "too-large",
                    "the graphics card has no memory left",
                    expected=f"{size / 1e9:,.2f} GB more",
                    hint="End what else uses the card, or leave device out.",
                )
            )
        if code:
            raise self._driver.failure("cuMemAlloc_v2", code)
        self._places.append(address.value)
        return address.value

    def write(self, address: int, array: NDArray[Any]) -> None:
        """Copy an array to an address."""
        if array.nbytes:
            self._driver.call("cuMemcpyHtoD_v2", address, array.ctypes.data, array.nbytes)

    def read(self, address: int, array: NDArray[Any]) -> None:
        """Copy from an address to an array that is in one piece."""
        if array.nbytes:
            self._driver.call("cuMemcpyDtoH_v2", array.ctypes.data, address, array.nbytes)

    def release(self) -> None:
        """Give it back."""
        while self._places:
            self._driver.answer("cuMemFree_v2", self._places.pop())


def device_number(device: str) -> int | None:
    """Return the number of the card that a device is, or None for the processor.

    Parameters
    ----------
    device
        ``cpu``, ``cuda``, or ``cuda:1`` for the second card.

    Raises
    ------
    ConfigError
        It is none of them.

    Examples
    --------
    >>> from betapod.engine.gpu.graphics_card import device_number
    >>> device_number("cpu"), device_number("cuda"), device_number("cuda:1")
    (None, 0, 1)
    """
    if device == "cpu":
        return None
    match = _NAME.fullmatch(device) if isinstance(device, str) else None
    if match is None:
        hint = did_you_mean(str(device), ("cpu", "cuda"))
        raise ConfigError(
            Problem("bad-device", "no such device", found=repr(device), expected="cpu, cuda or cuda:1", hint=hint)
        )
    return int(match[1] or 0)


@functools.cache
def graphics_card(number: int) -> GraphicsCard:
    """Return a card of this machine.

    Parameters
    ----------
    number
        Which, from 0.

    Raises
    ------
    ConfigError
        There is none that can be used.
    """
    return GraphicsCard(cuda_driver(), number)
