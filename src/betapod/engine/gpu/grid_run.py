"""One call of the compiled loop on a graphics card: chunks of patients that its memory holds, one patient in each thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiled.compiled_run import RunArrays, packed
from ..compiled.workspace import ENDED, JOB
from ..reduction import BLOCK_OF_PATIENTS, Reduction
from .graphics_card import CardMemory, CardProgram, GraphicsCard
from .grid_kernel import GridKernel
from .grid_reduction import CardReduction
from .memory_plan import MemoryPlan, memory_plan

#: What is given of each patient, and what comes back.
GIVEN = ("values", "starts", "schedule")
RESULTS = ("status", "ended_at", "event", "steps", "rejected")
#: Results that are large: outputs always come back, the last states only where somebody failed.
_LARGE = ("out", "last")
_EACH = {*GIVEN, *RESULTS, *_LARGE}
#: More patients than any queue has: written to the counter of those taken, it ends a grid early.
_NOBODY_LEFT = 2**62
#: Blocks of threads for each processor of a card that add moments: enough that some work while others wait for memory.
_BLOCKS_OF_PROCESSOR = 8


class GridRun:
    """One call of the compiled loop on a graphics card.

    Parameters
    ----------
    kernel
        The model's program.
    arrays
        What it reads and writes.
    card
        Where it runs.
    use_cache
        Whether to keep machine code on disk.
    reduction
        Where all that comes home are moments: where they are added. Results of single patients then stay behind.
    """

    def __init__(
        self,
        kernel: GridKernel,
        arrays: RunArrays,
        card: GraphicsCard,
        use_cache: bool = True,
        reduction: Reduction | None = None,
    ) -> None:
        self.kernel, self.arrays, self.card, self.use_cache = kernel, arrays, card, use_cache
        self.reduction = reduction
        #: How the patients were computed, and by what; known when they are.
        self.plan: MemoryPlan | None = None
        self.program: CardProgram | None = None

    def go(self) -> None:
        """Integrate all patients; an interrupt ends the grid after the patients that it has begun.

        Raises
        ------
        ConfigError
            The card has too little memory.
        SolverError
            The card failed.
        """
        card, fields = self.card, self.arrays.fields
        count = int(fields["count"])
        if not count:
            return
        shared = {name: value for name, value in fields.items() if name not in _EACH and isinstance(value, np.ndarray)}
        by_patient = {name: fields[name] for name in JOB if name in _EACH}
        kept = 0 if self.reduction is None else sum(array.nbytes for array in self.reduction.kept().values())
        pieces = 0 if self.reduction is None else self.reduction.bytes_of_patient()
        with card.in_use(), card.memory() as memory:
            kernel = self.kernel
            program = card.program(kernel.ptx, kernel.threads, self.use_cache, kernel.shared_bytes)
            plan = memory_plan(
                count,
                card.free_memory(),
                sum(array.nbytes for array in shared.values()) + 8 * len(JOB) + kept,
                sum(array.nbytes // count for array in by_patient.values()) + pieces,
                kernel.workspace,
                min(program.blocks, card.most_blocks or program.blocks),
                kernel.threads,
                1 if self.reduction is None else BLOCK_OF_PATIENTS,
            )
            self.plan, self.program = plan, program
            places = {name: memory.take(array.nbytes) for name, array in shared.items()}
            for name, array in shared.items():
                memory.write(places[name], array)
            most = max(last - first for first, last in plan.chunks)
            places |= {name: memory.take(most * (array.nbytes // count)) for name, array in by_patient.items()}
            room, job = memory.take(plan.room), memory.take(8 * len(JOB))
            reduced = self._reduced(memory, most)
            for first, last in plan.chunks:
                parts = {name: array[first:last] for name, array in by_patient.items()}
                self._integrate(memory, places, parts, last - first, room, job)
                if reduced is None:
                    self._bring_home(memory, places, parts)
                else:
                    reduced.add(places, first, last)
            if reduced is not None:
                reduced.bring_home()

    def _reduced(self, memory: CardMemory, most: int) -> CardReduction | None:
        """Return where results are added on the card, if they are."""
        if self.reduction is None:
            return None
        blocks = self.card.most_blocks or _BLOCKS_OF_PROCESSOR * self.card.processors
        return CardReduction(self.reduction, self.card, memory, most, blocks, self.use_cache)

    def _integrate(
        self,
        memory: CardMemory,
        places: Mapping[str, int],
        parts: Mapping[str, NDArray[Any]],
        count: int,
        room: int,
        job: int,
    ) -> None:
        """Integrate one chunk of patients, whose numbers begin at 0 for the program."""
        assert self.plan is not None and self.program is not None
        for name in (*GIVEN, *RESULTS):
            memory.write(places[name], parts[name])
        memory.write(places["next"], np.zeros(1, dtype=np.int64))
        memory.write(job, packed({**self.arrays.fields, **places, "count": count}))
        self.card.start(self.program, self.plan.blocks, self.plan.threads, job, room)
        try:
            self.card.wait()
        except KeyboardInterrupt:
            self.card.tell(places["next"], _NOBODY_LEFT)
            self.card.wait()
            raise

    def _bring_home(self, memory: CardMemory, places: Mapping[str, int], parts: Mapping[str, NDArray[Any]]) -> None:
        """Copy the results of a chunk from the card."""
        for name in (*RESULTS, "out"):
            memory.read(places[name], parts[name])
        if np.any(parts["status"] > ENDED):
            memory.read(places["last"], parts["last"])

    @property
    def vector_steps(self) -> int:
        """Steps of all patients together."""
        return int(np.sum(self.arrays.steps) + np.sum(self.arrays.rejected))
