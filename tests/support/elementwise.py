"""Compile one elementary function as a kernel over arrays, for tests."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from betapod.engine.compiled.machine import compile_object, load_object, processor
from betapod.engine.compiled.simd import VectorCode


def kernel(
    write: Callable[..., object], arguments: int, width: int, fused: bool | None = None, scales: bool | None = None
) -> Callable[..., NDArray[np.float64]]:
    """Return a NumPy function that applies `write` to `arguments` arrays, `width` numbers at a time."""
    this = processor()
    code = VectorCode(width, this.fused if fused is None else fused, this.scales if scales is None else scales)
    with code.function("apply", ["p"] * (arguments + 1) + ["i"], exported=True) as (*pointers, count):
        with code.loop(count) as i:
            result = write(code, *(code.load(pointer, "v", i) for pointer in pointers[:-1]))
            code.store(pointers[-1], i, result)
        code.give()
    loaded = load_object(compile_object(code.text()))
    function = loaded.function("apply", None, *[ctypes.c_void_p] * (arguments + 1), ctypes.c_int64)

    def run(*arrays: NDArray[np.float64]) -> NDArray[np.float64]:
        n = -(-len(arrays[0]) // width)
        buffers = [aligned(n * width) for _ in range(arguments + 1)]
        for buffer, array in zip(buffers, arrays, strict=False):
            buffer[: len(array)] = array
            buffer[len(array) :] = 1.0
        function(*(buffer.ctypes.data for buffer in buffers), n)
        assert loaded is not None
        return buffers[-1][: len(arrays[0])].copy()

    return run


def aligned(count: int) -> NDArray[np.float64]:
    """Return an array at an address that suits every register."""
    raw = np.zeros(count + 16)
    start = (-raw.ctypes.data // 8) % 16
    return raw[start : start + count]
