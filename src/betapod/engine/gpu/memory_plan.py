"""How many patients a card computes at a time, and by how many threads, so that its memory suffices."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from ...base.errors import ConfigError, Problem
from .grid_code import TILE

#: Share of a card's free memory that is used; drivers take some for stacks, and others may use the card too.
USABLE = 0.9
#: Share of what is used that the threads' own vectors may take at most; the rest is the patients'.
WORKING = 0.5


@dataclass(frozen=True)
class MemoryPlan:
    """How patients are computed on a card.

    Attributes
    ----------
    blocks, threads
        Blocks of a grid, and threads of a block.
    room
        Bytes of the threads' own vectors.
    chunks
        Patients computed at a time: first and behind the last.
    """

    blocks: int
    threads: int
    room: int
    chunks: tuple[tuple[int, int], ...]


def memory_plan(
    patients: int,
    free: int,
    shared: int,
    one_patient: int,
    workspace: int,
    most_blocks: int,
    threads: int,
    together: int = 1,
) -> MemoryPlan:
    """Return how patients are computed with the memory that is free.

    Parameters
    ----------
    patients
        How many.
    free
        Bytes free on the card.
    shared, one_patient
        Bytes of what all patients share, and of one patient's values and results.
    workspace
        Numbers of 8 bytes that each thread needs.
    most_blocks, threads
        Blocks that a card runs at once, and threads of a block, a multiple of `TILE`.
    together
        Patients that are not parted: each chunk begins at a multiple of it.

    Returns
    -------
    MemoryPlan
        Chunks are of nearly equal size and cover everybody once.

    Raises
    ------
    ConfigError
        Not even one block, or one patient, or those who are not parted, fit.

    Examples
    --------
    >>> from betapod.engine.gpu.memory_plan import memory_plan
    >>> plan = memory_plan(1000, free=2_000_000, shared=1000, one_patient=2000, workspace=100, most_blocks=8, threads=32)
    >>> plan.blocks, plan.room, plan.chunks
    (8, 204800, ((0, 500), (500, 1000)))
    """
    assert threads % TILE == 0
    usable = int(free * USABLE) - shared
    block = threads * workspace * 8
    # One block may have more than its share, where nothing less would do; no other takes the room of the first patients.
    least = min(patients, together)
    room = min(int(usable * WORKING), usable - least * one_patient)
    blocks = min(most_blocks, -(-patients // threads), max(1, room // block))
    fits = (usable - blocks * block) // max(one_patient, 1)
    if fits < least:
        raise ConfigError(
            Problem(
                "too-large",
                "the graphics card has too little free memory for this run",
                found=f"{free / 1e6:,.3f} MB free",
                expected=f"at least {(shared + block + least * one_patient) / USABLE / 1e6:,.3f} MB",
                hint="Keep fewer outputs or visits, end what else uses the card, or leave device out.",
            )
        )
    groups = -(-patients // together)
    count = -(-patients // fits) if fits >= patients else -(-groups // (fits // together))
    edges = [min(patients, groups * k // count * together) for k in range(count + 1)]
    chunks = tuple(itertools.pairwise(edges))
    most = max(last - first for first, last in chunks)
    blocks = min(blocks, -(-most // threads))
    return MemoryPlan(blocks, threads, blocks * block, chunks)
