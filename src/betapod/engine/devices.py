"""Where patients are integrated: on the processor, or on a graphics card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..base.errors import ConfigError, Problem
from ..model.assembly.model import Model
from .compiled.compiled_run import CompiledRun, RunArrays
from .compiled.kernel import Kernel, kernel_for
from .compiled.machine import processor
from .gpu.graphics_card import GraphicsCard, device_number, graphics_card
from .gpu.grid_kernel import GridKernel, grid_kernel
from .gpu.grid_reduction import reduce_here
from .gpu.grid_run import GridRun
from .reduction import Reduction

AnyKernel = Kernel | GridKernel


@dataclass(frozen=True)
class Device:
    """A processor or a graphics card.

    Attributes
    ----------
    card
        None for the processor.
    """

    card: GraphicsCard | None

    @property
    def name(self) -> str:
        """What it is called."""
        return processor().name if self.card is None else self.card.name

    def kernel(
        self, model: Model, outputs: Sequence[str], ramps: Sequence[str], width: int | None, cache: bool, quickly: bool
    ) -> AnyKernel:
        """Return the program of a model: see `betapod.engine.compiled.kernel.kernel_for`."""
        if self.card is None:
            return kernel_for(model, outputs, ramps, width, cache, quickly)
        shared = self.card.shared_memory, self.card.sharing
        return grid_kernel(model, outputs, ramps, self.card.target, cache, quickly, *shared)

    def integrate(
        self, kernel: AnyKernel, arrays: RunArrays, threads: int, cache: bool, reduction: Reduction | None = None
    ) -> int:
        """Run the compiled loop; return the steps of all lanes together.

        Where there is a `reduction`, results are added there; a card then leaves those of single patients behind, and the steps are 0.
        """
        run: CompiledRun | GridRun
        if isinstance(kernel, Kernel):
            run = CompiledRun(kernel, arrays, threads)
        else:
            assert self.card is not None
            run = GridRun(kernel, arrays, self.card, cache, reduction)
        run.go()
        if reduction is not None and self.card is None:
            reduce_here(reduction, arrays.fields, threads)
        return run.vector_steps


def device_of(name: str) -> Device:
    """Return a device by its name: ``cpu``, ``cuda`` or ``cuda:1``.

    Parameters
    ----------
    name
        Its name.

    Raises
    ------
    ConfigError
        There is no such device on this machine.
    """
    number = device_number(name)
    return Device(None if number is None else graphics_card(number))


def device_problems(name: str, width: int | None) -> list[Problem]:
    """Return what is wrong with the name of a device, and with the width that is asked of it.

    Parameters
    ----------
    name
        Of the device.
    width
        Patients in one vector, or None.
    """
    try:
        number = device_number(name)
    except ConfigError as error:
        return list(error.problems)
    if number is not None and width not in (None, 1):
        return [Problem("bad-option", "a thread of a graphics card has one patient: leave width out", found=str(width))]
    return []
