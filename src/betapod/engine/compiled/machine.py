"""Turn LLVM assembly into machine code of this processor, and load machine code."""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import hashlib
import sys
from dataclasses import dataclass, field
from typing import Any

from .simd import C_LIBRARY


@dataclass(frozen=True)
class Processor:
    """What code is made for.

    Attributes
    ----------
    name, features
        As LLVM calls them.
    width
        Numbers that fit into one register.
    fused
        Whether it multiplies and adds in one instruction.
    scales
        Whether it multiplies by powers of two in one instruction.
    flushes
        Whether it can be told to take numbers below the normal range as 0.
    """

    name: str
    features: str
    width: int
    fused: bool
    scales: bool = False
    flushes: bool = False


@functools.cache
def processor() -> Processor:
    """Return the processor this runs on."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features()
    triple = llvm.get_default_triple()
    arm = triple.startswith(("aarch64", "arm64"))
    if features.get("avx512f") and features.get("avx512dq") and features.get("avx512vl"):
        width = 8
    elif features.get("avx2"):
        width = 4
    else:
        width = 2
    return Processor(
        llvm.get_host_cpu_name(),
        features.flatten(),
        width,
        fused=arm or bool(features.get("fma")),
        scales=not arm and width == 8,
        flushes=_is_x86(),
    )


def _is_x86() -> bool:
    import platform

    return platform.machine().lower() in ("x86_64", "amd64")


def _target_machine(level: int) -> Any:
    import llvmlite.binding as llvm

    this = processor()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(
        cpu=this.name,
        features=this.features,
        opt=level,
        reloc="pic",
        codemodel="small" if _compact() else "jitdefault",
        jit=True,
    )


def _compact() -> bool:
    """Return whether the sections of an object are loaded side by side and need nothing from outside, so addresses are near.

    Older processors take some elementary operations from a library, which may be far away.
    """
    return _is_x86() and processor().width >= 4 and processor().fused


def compile_object(text: str) -> bytes:
    """Return the object code of a module of LLVM assembly."""
    import llvmlite.binding as llvm

    machine = _target_machine(LEVEL)
    module = llvm.parse_assembly(text)
    module.triple = llvm.get_default_triple()
    module.data_layout = str(machine.target_data)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=LEVEL)
    options.loop_vectorization = False
    options.slp_vectorization = False
    options.loop_unrolling = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    code: bytes = machine.emit_object(module)
    return code


#: How much LLVM optimises: higher levels take twice the time and more, and give programs that run no faster.
LEVEL = 1


def object_name(text: str) -> str:
    """Return the name of the machine code of a module: a hash of its assembly and of everything else that makes the code."""
    import llvmlite
    import llvmlite.binding as llvm

    this = processor()
    parts = (llvmlite.__version__, llvm.llvm_version_info, this.name, this.features, _compact(), LEVEL, text)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@dataclass
class Loaded:
    """Machine code in memory; its functions live as long as this object."""

    engine: Any
    object: Any = field(repr=False)

    def function(self, name: str, result: Any, *arguments: Any) -> Any:
        """Return a function; a call releases Python's global lock."""
        address = self.engine.get_function_address(name)
        if not address:
            raise KeyError(name)
        return ctypes.CFUNCTYPE(result, *arguments)(address)


def load_object(code: bytes) -> Loaded:
    """Load object code.

    Raises
    ------
    RuntimeError
        It is not object code for this processor.
    """
    import llvmlite.binding as llvm

    processor()
    machine = _target_machine(1)
    module = llvm.parse_assembly("")
    module.triple = llvm.get_default_triple()
    engine = llvm.create_mcjit_compiler(module, machine, use_lmm=_compact())
    reference = llvm.ObjectFileRef.from_data(code)
    engine.add_object_file(reference)
    engine.finalize_object()
    loaded = Loaded(engine, reference)
    addresses = _library_addresses()
    loaded.function("link", None, ctypes.c_void_p)(ctypes.cast(addresses, ctypes.c_void_p))
    return loaded


@functools.cache
def _library_addresses() -> ctypes.Array[Any]:
    """Return where the functions of the C library are, wherever this system keeps them."""
    path = "ucrtbase.dll" if sys.platform == "win32" else ctypes.util.find_library("m")
    library = ctypes.CDLL(path)
    places = [ctypes.cast(getattr(library, name), ctypes.c_void_p).value for name in C_LIBRARY]
    return (ctypes.c_void_p * len(places))(*places)
