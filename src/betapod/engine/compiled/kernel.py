"""The compiled program of a model: made once, kept on disk and in memory."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ...base.cache import alone
from ...base.cache import program as program_of
from ...model.assembly.model import Model
from . import program_cache as cache
from .lower import check_compilable, lower
from .machine import Loaded, compile_object, load_object, object_name, processor
from .program import Program, waits


@dataclass(frozen=True)
class Kernel:
    """Machine code that integrates patients of one model.

    Attributes
    ----------
    parameters
        Order of the values of a patient (see `betapod.engine.compiled.program.Program`).
    ramps
        Inputs that may change linearly.
    workspace
        Vectors of memory that one worker needs.
    operations
        How often each operation occurs in each block, and multiplications and additions of the linear algebra.
    origin
        ``memory``, ``disk`` or ``compiled``.
    seconds
        Time it took to get it.
    """

    parameters: tuple[str, ...]
    ramps: tuple[str, ...]
    workspace: int
    width: int
    operations: dict[str, Any]
    origin: str
    seconds: float
    worker: Any = field(repr=False)
    loaded: Loaded = field(repr=False)


#: Above this share of waiting (see `betapod.engine.compiled.program.waits`) a vector of two registers is faster than one.
CHAIN = 0.6
_in_memory: dict[str, Kernel] = {}


def _versions() -> dict[str, str]:
    # Everything that is imported here, so that no file can be forgotten.
    return {"program": program_of(__name__)}


def kernel_for(
    model: Model,
    outputs: Sequence[str],
    ramps: Sequence[str] = (),
    width: int | None = None,
    use_cache: bool = True,
    quickly: bool = False,
) -> Kernel:
    """Return the compiled program of a model, from memory, from disk, or new.

    Parameters
    ----------
    outputs
        Quantities to report.
    ramps
        Inputs that some schedule changes linearly.
    width
        Patients in one vector; by default what a register of the processor holds, or twice that for models made of long chains of
        elementary functions.
    quickly
        Whether rates and Jacobian take elementary functions that are right to 1.2e-12 (`betapod.engine.compiled.quick`), not to 2 ulp.

    Raises
    ------
    ConfigError
        The model needs its own past, or has reactions that take no time.
    """
    start = time.perf_counter()
    check_compilable(model)
    this = processor()
    key = cache.key_of(
        {
            "model": model.fingerprint,
            "parameters": [*model.parameters, *model.inputs],
            "outputs": list(outputs),
            "ramps": sorted(ramps),
            "width": width or 0,
            "quickly": quickly,
            "processor": [this.name, this.features, this.fused],
            "versions": _versions(),
        }
    )
    if key in _in_memory:
        return _in_memory[key]
    kernel = _from_disk(key, start) if use_cache else None
    if kernel is None and use_cache:
        # Where another process makes this very program, waiting for it is sooner done than making it again.
        with alone(f"compiling/{key[:2]}"):
            kernel = _from_disk(key, start) or _compiled(key, model, outputs, ramps, width, start, use_cache, quickly)
    _in_memory[key] = kernel or _compiled(key, model, outputs, ramps, width, start, use_cache, quickly)
    return _in_memory[key]


def _from_disk(key: str, start: float) -> Kernel | None:
    entry = cache.read_program(key)
    if entry is None:
        return None
    description, code = entry
    try:
        return _kernel(description, load_object(code), "disk", start)
    except (RuntimeError, KeyError, TypeError):
        return None


def _compiled(
    key: str,
    model: Model,
    outputs: Sequence[str],
    ramps: Sequence[str],
    width: int | None,
    start: float,
    use_cache: bool,
    quickly: bool,
) -> Kernel:
    from .driver import write_module

    program = lower(model, outputs, ramps)
    if width is None:
        width = processor().width * (2 if waits(program.rates) > CHAIN else 1)
    text, workspace = write_module(program, width, processor(), quickly)
    description = {
        "parameters": list(program.parameters),
        "ramps": list(program.ramps),
        "workspace": workspace,
        "width": width,
        "operations": operations(program),
    }
    name = object_name(text)
    code = cache.read_object(name) if use_cache else None
    origin = "disk" if code else "compiled"
    code = code or compile_object(text)
    try:
        loaded = load_object(code)
    except RuntimeError:
        origin, code = "compiled", compile_object(text)
        loaded = load_object(code)
    if use_cache:
        cache.write_program(key, description, name, code)
    return _kernel(description, loaded, origin, start)


def _kernel(description: dict[str, Any], loaded: Loaded, origin: str, start: float) -> Kernel:
    worker = loaded.function("worker", ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)
    return Kernel(
        tuple(description["parameters"]),
        tuple(description["ramps"]),
        int(description["workspace"]),
        int(description["width"]),
        dict(description["operations"]),
        origin,
        time.perf_counter() - start,
        worker,
        loaded,
    )


def operations(program: Program) -> dict[str, Any]:
    """Return how often each operation occurs in each block, and the work of the linear algebra."""
    factor, solve = program.factorisation.operations
    return {
        "states": len(program.states),
        "entries": len(program.entries),
        "filled": len(program.factorisation.slots),
        "factor": factor,
        "solve": solve,
        **{
            name: getattr(program, name).count()
            for name in ("constants", "initial", "rates", "linear", "output", "triggers")
        },
    }
