"""PTX, the assembly that drivers of graphics cards translate, of a program: by the back end that LLVM has for it."""

from __future__ import annotations

import functools
from typing import Any

from .grid_code import TILE, GridText, with_card_entry

_TRIPLE = "nvptx64-nvidia-cuda"
#: Compute capabilities with a code generator of their own, and the oldest version of PTX that knows them. A later card runs the code
#: of the last one before it.
ARCHITECTURES: dict[tuple[int, int], str] = {
    (7, 0): "ptx60",
    (7, 5): "ptx63",
    (8, 0): "ptx70",
    (8, 6): "ptx71",
    (8, 9): "ptx78",
    (9, 0): "ptx78",
    (10, 0): "ptx86",
    (12, 0): "ptx87",
}
#: Threads of a block at most: four groups that run in step. At 255 registers a thread, two such blocks fill a processor of a card.
BLOCK = 128
#: Threads of a block where they keep vectors in shared memory: one tile, for the fewer they are, the finer it is dealt out.
BLOCK_SHARING = TILE
#: How much LLVM optimises before it writes PTX, which the driver optimises again.
_LEVEL = 2


def architecture(capability: tuple[int, int]) -> tuple[int, int] | None:
    """Return the compute capability that code is made for, or None where a card is older than all that are known.

    Parameters
    ----------
    capability
        Of the card, such as (9, 0).
    """
    return max((target for target in ARCHITECTURES if target <= capability), default=None)


def block_size(shared: int) -> int:
    """Return how many threads a block has at most.

    Parameters
    ----------
    shared
        Numbers of shared memory that each thread needs.
    """
    return BLOCK_SHARING if shared else BLOCK


def ptx_of(text: GridText, target: tuple[int, int]) -> str:
    """Return a program as PTX.

    Parameters
    ----------
    text
        Program for a grid of threads.
    target
        One of `ARCHITECTURES`.

    Returns
    -------
    str
        PTX with one entry, ``betapod(job, room)``. Each sum and product says how it is rounded, so that no driver joins them.
    """
    return ptx_of_module(with_card_entry(text, block_size(text.shared)), target)


def ptx_of_module(assembly: str, target: tuple[int, int]) -> str:
    """Return a module with an entry for cards as PTX.

    Parameters
    ----------
    assembly
        LLVM assembly.
    target
        One of `ARCHITECTURES`.
    """
    import llvmlite.binding as llvm

    machine = _machine(target)
    module = llvm.parse_assembly(assembly)
    module.triple = _TRIPLE
    module.data_layout = str(machine.target_data)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=_LEVEL)
    options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    ptx: str = machine.emit_assembly(module)
    return ptx


@functools.cache
def _machine(target: tuple[int, int]) -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    name = "sm_{}{}".format(*target)
    return llvm.Target.from_triple(_TRIPLE).create_target_machine(
        cpu=name, features=f"+{ARCHITECTURES[target]}", opt=_LEVEL
    )
