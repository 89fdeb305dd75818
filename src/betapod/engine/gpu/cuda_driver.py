"""The driver of NVIDIA cards, called as the library that comes with every such card: no package is needed for it."""

from __future__ import annotations

import ctypes
import functools
import sys
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_uint, c_uint64, c_void_p
from typing import Any

from ...base.errors import ConfigError, Problem, SolverError

#: What the driver's library is called on systems that have one.
LIBRARIES = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}
_HANDLE = POINTER(c_void_p)
_PLACE = c_uint64
#: Functions of the driver by the names of its library (those that were changed once end in _v2), and what they are given.
SIGNATURES: dict[str, tuple[Any, ...]] = {
    "cuInit": (c_uint,),
    "cuGetErrorName": (c_int, POINTER(c_char_p)),
    "cuGetErrorString": (c_int, POINTER(c_char_p)),
    "cuDriverGetVersion": (POINTER(c_int),),
    "cuDeviceGetCount": (POINTER(c_int),),
    "cuDeviceGet": (POINTER(c_int), c_int),
    "cuDeviceGetName": (c_void_p, c_int, c_int),
    "cuDeviceGetAttribute": (POINTER(c_int), c_int, c_int),
    "cuDevicePrimaryCtxRetain": (_HANDLE, c_int),
    "cuCtxSetCurrent": (c_void_p,),
    "cuMemGetInfo_v2": (POINTER(c_size_t), POINTER(c_size_t)),
    "cuMemAlloc_v2": (POINTER(_PLACE), c_size_t),
    "cuMemFree_v2": (_PLACE,),
    "cuMemcpyHtoD_v2": (_PLACE, c_void_p, c_size_t),
    "cuMemcpyHtoDAsync_v2": (_PLACE, c_void_p, c_size_t, c_void_p),
    "cuMemcpyDtoH_v2": (c_void_p, _PLACE, c_size_t),
    "cuLinkCreate_v2": (c_uint, POINTER(c_int), POINTER(c_void_p), _HANDLE),
    "cuLinkAddData_v2": (c_void_p, c_int, c_void_p, c_size_t, c_char_p, c_uint, POINTER(c_int), POINTER(c_void_p)),
    "cuLinkComplete": (c_void_p, _HANDLE, POINTER(c_size_t)),
    "cuLinkDestroy": (c_void_p,),
    "cuModuleLoadData": (_HANDLE, c_void_p),
    "cuModuleGetFunction": (_HANDLE, c_void_p, c_char_p),
    "cuFuncGetAttribute": (POINTER(c_int), c_int, c_void_p),
    "cuFuncSetAttribute": (c_void_p, c_int, c_int),
    "cuOccupancyMaxActiveBlocksPerMultiprocessor": (POINTER(c_int), c_void_p, c_int, c_size_t),
    "cuStreamCreate": (_HANDLE, c_uint),
    "cuStreamQuery": (c_void_p,),
    "cuLaunchKernel": (c_void_p, *[c_uint] * 7, c_void_p, POINTER(c_void_p), POINTER(c_void_p)),
}
SUCCESS, OUT_OF_MEMORY, NO_DEVICE, NOT_READY = 0, 2, 100, 600
#: Facts of a card and of a program, as the driver numbers them.
PROCESSORS, CAPABILITY_MAJOR, CAPABILITY_MINOR, SHARED_OF_PROCESSOR = 16, 75, 76, 81
LOCAL_BYTES, REGISTERS, SHARED_OF_BLOCK = 3, 4, 8
_ERROR_TEXT, _ERROR_TEXT_SIZE, _PTX = 5, 6, 1
#: Room for what the driver says about a program that it cannot translate, bytes.
_SAID = 8192


class CudaDriver:
    """The functions of a driver's library.

    Parameters
    ----------
    library
        The library, whose functions are its attributes.

    Raises
    ------
    ConfigError
        It lacks a function: the driver is too old.
    """

    def __init__(self, library: Any) -> None:
        self._functions: dict[str, Any] = {}
        for name, arguments in SIGNATURES.items():
            try:
                function = getattr(library, name)
            except AttributeError:
                raise ConfigError(
                    Problem(
                        "no-device",
                        "the driver of the graphics card is too old",
                        found=f"no function {name}",
                        hint="Update NVIDIA's driver, or leave device out: then the processor computes.",
                    )
                ) from None
            function.argtypes, function.restype = arguments, c_int
            self._functions[name] = function

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function.

        Raises
        ------
        SolverError
            It failed.
        """
        if code := self.answer(name, *arguments):
            raise self.failure(name, code)

    def answer(self, name: str, *arguments: Any) -> int:
        """Call a function and return its answer; 0 is success."""
        return int(self._functions[name](*arguments))

    def failure(self, name: str, code: int) -> SolverError:
        """Return what a failed call is told as."""
        words = []
        for source in ("cuGetErrorName", "cuGetErrorString"):
            text = c_char_p()
            if self._functions[source](code, ctypes.byref(text)) == SUCCESS and text.value:
                words.append(text.value.decode(errors="replace"))
        return SolverError(
            Problem(
                "device-failed",
                f"the graphics card failed in {name}",
                found=": ".join(words) or f"error {code}",
                hint="Leave device out: then the processor computes the same.",
            )
        )

    def number(self, name: str, *arguments: Any) -> int:
        """Return the integer that a function writes to its first argument."""
        value = c_int()
        self.call(name, ctypes.byref(value), *arguments)
        return value.value

    def handle(self, name: str, *arguments: Any) -> c_void_p:
        """Return the handle that a function writes to its first argument."""
        value = c_void_p()
        self.call(name, ctypes.byref(value), *arguments)
        return value

    def translated(self, ptx: str) -> bytes:
        """Return the machine code of PTX for the card that is in use.

        Raises
        ------
        SolverError
            The driver does not understand it.
        """
        said = ctypes.create_string_buffer(_SAID)
        options = (c_int * 2)(_ERROR_TEXT, _ERROR_TEXT_SIZE)
        values = (c_void_p * 2)(ctypes.addressof(said), _SAID)
        state, code, size = c_void_p(), c_void_p(), c_size_t()
        self.call("cuLinkCreate_v2", 2, options, values, ctypes.byref(state))
        try:
            text = ctypes.create_string_buffer(ptx.encode())
            text_address = ctypes.cast(text, c_void_p)
            failed = self.answer("cuLinkAddData_v2", state, _PTX, text_address, len(text), b"betapod", 0, None, None)
            failed = failed or self.answer("cuLinkComplete", state, ctypes.byref(code), ctypes.byref(size))
            if failed:
                problem = self.failure("cuLinkComplete", failed).problems[0]
                raise SolverError(
                    Problem(
                        problem.kind,
                        "the driver cannot translate the program",
                        found=said.value.decode(errors="replace").strip() or problem.found,
                        hint="Update NVIDIA's driver, or leave device out: then the processor computes the same.",
                    )
                )
            assert code.value is not None
            return ctypes.string_at(code.value, size.value)
        finally:
            self.answer("cuLinkDestroy", state)


@functools.cache
def cuda_driver() -> CudaDriver:
    """Return the driver of this machine's cards.

    Returns
    -------
    CudaDriver
        Ready for use.

    Raises
    ------
    ConfigError
        There is none, it is too old, or it finds no card.
    """
    name = LIBRARIES.get(sys.platform)
    library = _library(name) if name else None
    if library is None:
        raise no_card(f"no {name}" if name else f"no driver for {sys.platform}")
    driver = CudaDriver(library)
    if code := driver.answer("cuInit", 0):
        raise no_card(driver.failure("cuInit", code).problems[0].found)
    return driver


def _library(name: str) -> Any:
    """Return a library of the system, or None if there is no such."""
    try:
        return ctypes.CDLL(name)
    except OSError:
        return None


def no_card(instead: str) -> ConfigError:
    """Return the error of a machine without a card that can be used.

    Parameters
    ----------
    instead
        What there is.
    """
    return ConfigError(
        Problem(
            "no-device",
            "there is no graphics card that betapod can use",
            found=instead,
            expected="an NVIDIA card with its driver",
            hint="Leave device out: then the processor computes the same.",
        )
    )
