"""The program of a model as PTX: made once for each kind of card, kept on disk and in memory."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ...base.cache import program as program_of
from ...base.errors import ConfigError, Location, Problem
from ...model.assembly.model import Model
from ..compiled import program_cache as cache
from ..compiled.lower import check_compilable, lower
from ..compiled.program import Program
from .grid_code import GridText
from .placement import placed_text
from .ptx import block_size, ptx_of


@dataclass(frozen=True)
class GridKernel:
    """A program that integrates patients of one model on a graphics card, one in each thread.

    Attributes
    ----------
    parameters
        Order of the values of a patient (see `betapod.engine.compiled.program.Program`).
    ramps
        Inputs that may change linearly.
    workspace, shared
        Numbers of memory that each thread needs, and of the memory that a block shares.
    ptx
        The program as drivers read it.
    origin
        ``memory``, ``disk`` or ``compiled``.
    seconds
        Time it took to get it.
    """

    parameters: tuple[str, ...]
    ramps: tuple[str, ...]
    workspace: int
    shared: int
    origin: str
    seconds: float
    ptx: str = field(repr=False)

    #: Patients that a thread integrates together.
    width = 1

    @property
    def threads(self) -> int:
        """Threads of a block."""
        return block_size(self.shared)

    @property
    def shared_bytes(self) -> int:
        """Bytes that the threads of a block share."""
        return 8 * self.threads * self.shared


_in_memory: dict[str, GridKernel] = {}


def grid_kernel(
    model: Model,
    outputs: Sequence[str],
    ramps: Sequence[str],
    target: tuple[int, int],
    use_cache: bool = True,
    quickly: bool = False,
    shared_memory: int = 0,
    sharing: bool | None = None,
) -> GridKernel:
    """Return the program of a model for a kind of card, from memory, from disk, or new.

    Parameters
    ----------
    outputs
        Quantities to report.
    ramps
        Inputs that some schedule changes linearly.
    target
        Compute capability, one of `betapod.engine.gpu.ptx.ARCHITECTURES`.
    use_cache
        Whether to keep it on disk.
    quickly
        Whether rates and Jacobian take the elementary functions of `betapod.engine.compiled.quick`.
    shared_memory, sharing
        Bytes that the blocks of a card's processor share, and whether to use them; None: where that is expected to be faster.

    Raises
    ------
    ConfigError
        The model has something that only the reference integrator does, or functions that cards do not have; or it is to share
        memory and is too large.
    """
    began = time.perf_counter()
    check_compilable(model)
    key = cache.key_of(
        {
            "model": model.fingerprint,
            "parameters": [*model.parameters, *model.inputs],
            "outputs": list(outputs),
            "ramps": sorted(ramps),
            "target": list(target),
            "quickly": quickly,
            "sharing": [shared_memory, sharing],
            "versions": {"program": program_of(__name__)},
        }
    )
    if key not in _in_memory:
        kept = cache.read_program(key) if use_cache else None
        if kept is not None:
            _in_memory[key] = _kernel(kept[0], kept[1], "disk", began)
        else:
            program = lower(model, outputs, ramps)
            text = placed_text(program, quickly, shared_memory, sharing)
            _in_memory[key] = _compiled(key, model, program, text, target, use_cache, began)
    return _in_memory[key]


def _compiled(
    key: str,
    model: Model,
    program: Program,
    text: GridText,
    target: tuple[int, int],
    use_cache: bool,
    began: float,
) -> GridKernel:
    refuse_missing(model.name, text)
    ptx = ptx_of(text, target).encode()
    description = {
        "parameters": list(program.parameters),
        "ramps": list(program.ramps),
        "workspace": text.workspace,
        "shared": text.shared,
    }
    if use_cache:
        cache.write_program(key, description, hashlib.sha256(ptx).hexdigest(), ptx)
    return _kernel(description, ptx, "compiled", began)


def refuse_missing(name: str, text: GridText) -> None:
    """Check that a card has all functions of a program.

    Parameters
    ----------
    name
        Of the model.

    Raises
    ------
    ConfigError
        It lacks some; they are named.
    """
    if text.missing:
        raise ConfigError(
            Problem(
                "unsupported-function",
                f"{name} uses {', '.join(text.missing)}, which a graphics card does not have",
                Location(name),
                hint="Leave device out: then the processor computes.",
            )
        )


def _kernel(description: dict[str, Any], ptx: bytes, origin: str, began: float) -> GridKernel:
    return GridKernel(
        tuple(description["parameters"]),
        tuple(description["ramps"]),
        int(description["workspace"]),
        int(description["shared"]),
        origin,
        time.perf_counter() - began,
        ptx.decode(),
    )
