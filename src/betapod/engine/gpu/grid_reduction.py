"""Values reduced where they are: on a card, of which only moments come home, or in a processor's memory, by the same program."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiled.machine import compile_object, load_object
from ..reduction import MOMENTS, Pieces, Reduction, pieces_of
from .graphics_card import CardMemory, GraphicsCard
from .ptx import BLOCK, ptx_of_module
from .reduction_code import PASSES, REDUCTION, reduction_for_cards, reduction_for_processor

#: What is read of each patient.
READ = ("out", "status", "event", "steps", "rejected")
_PIECES = ("order", "offsets", "owner", "by_group", "group_offsets")


@functools.cache
def reduction_ptx(target: tuple[int, int]) -> str:
    """Return the program as PTX for a kind of card."""
    return ptx_of_module(reduction_for_cards(BLOCK), target)


@functools.cache
def _on_processor() -> tuple[Any, Any]:
    """Return the program as machine code of this processor, and its entry."""
    loaded = load_object(compile_object(reduction_for_processor()))
    return loaded, loaded.function("betapod", ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)


def reduce_here(reduction: Reduction, results: Mapping[str, NDArray[Any]], threads: int) -> None:
    """Add the results of patients, the first of whom begins a block, to what is kept.

    Parameters
    ----------
    results
        What `READ` names, of each patient; impossible values are replaced by NaN.
    threads
        Threads that share the work.
    """
    count = len(results["status"])
    if not count:
        return
    pieces = pieces_of(reduction.group, reduction.groups)
    partial = np.empty((len(pieces), reduction.columns, len(MOMENTS)))
    arrays = {name: results[name] for name in READ} | {name: getattr(pieces, name) for name in _PIECES}
    arrays |= {"group": reduction.group, "partial": partial, **reduction.kept()}
    fields = {name: array.ctypes.data for name, array in arrays.items()}
    fields |= reduction.numbers(count, len(pieces)) | {"threads": threads}
    entry = _on_processor()[1]
    with ThreadPoolExecutor(threads) as pool:
        for number in range(PASSES):
            job = packed_reduction({**fields, "pass": number})
            list(pool.map(functools.partial(entry, job.ctypes.data, None), range(threads)))


def packed_reduction(fields: Mapping[str, int]) -> NDArray[np.int64]:
    """Return what the program is handed, in the order of `REDUCTION`."""
    return np.array([fields[name] for name in REDUCTION], dtype=np.int64)


class CardReduction:
    """What is kept of patients on a card while it computes chunk after chunk.

    Parameters
    ----------
    card, memory
        Where.
    most
        Patients of a chunk at most.
    blocks
        Blocks of threads that share the work.
    """

    def __init__(
        self, reduction: Reduction, card: GraphicsCard, memory: CardMemory, most: int, blocks: int, use_cache: bool
    ) -> None:
        self.reduction, self.card, self.memory, self.blocks = reduction, card, memory, blocks
        self.program = card.program(reduction_ptx(card.target), BLOCK, use_cache)
        self._places = {name: memory.take(array.nbytes) for name, array in reduction.kept().items()}
        for name, array in reduction.kept().items():
            memory.write(self._places[name], array)
        self._places["group"] = memory.take(8 * most)
        self._jobs = [memory.take(8 * len(REDUCTION)) for _ in range(PASSES)]

    def add(self, places: Mapping[str, int], first: int, last: int) -> None:
        """Add the results of a chunk, which are on the card.

        Parameters
        ----------
        places
            Where what `READ` names is.
        first, last
            Which patients the chunk has: the first, and the one behind the last.
        """
        group = self.reduction.group[first:last]
        pieces = pieces_of(group, self.reduction.groups)
        with self.card.memory() as memory:
            chunk_places = self._written(memory, pieces)
            self.memory.write(self._places["group"], group)
            fields = {name: places[name] for name in READ} | self._places | chunk_places
            fields |= self.reduction.numbers(last - first, len(pieces)) | {"threads": self.blocks * BLOCK}
            for number, job in enumerate(self._jobs):
                memory.write(job, packed_reduction({**fields, "pass": number}))
                self.card.start(self.program, self.blocks, BLOCK, job, job)
                self.card.wait()

    def _written(self, memory: CardMemory, pieces: Pieces) -> dict[str, int]:
        """Copy the pieces of a chunk to the card, and take memory for their moments."""
        chunk_places = {}
        for name in _PIECES:
            array = getattr(pieces, name)
            chunk_places[name] = memory.take(array.nbytes)
            memory.write(chunk_places[name], array)
        return chunk_places | {"partial": memory.take(8 * len(MOMENTS) * len(pieces) * self.reduction.columns)}

    def bring_home(self) -> None:
        """Copy what is kept from the card."""
        for name in ("totals", "tallies", "bins"):
            self.memory.read(self._places[name], getattr(self.reduction, name))
