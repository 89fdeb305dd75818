"""Patients of an ensemble integrated again by the reference integrator: an independent check that shares no step and no search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...base.errors import BetapodError
from ...model.assembly.model import Model
from ..compiled.workspace import ENDED, OK
from ..schedule import Schedule
from .reference import simulate_by_reference as simulate

#: Finer than this the reference integrator's own rounding shows.
_FINEST = 1e-12


@dataclass(frozen=True)
class SecondPath:
    """What an ensemble was asked to integrate.

    Attributes
    ----------
    columns, starts
        Parameters and states that differ between patients: name -> (patients,).
    schedules, which
        All schedules, and the number of each patient's.
    """

    model: Model
    outputs: Sequence[str]
    visits: NDArray[np.float64]
    columns: Mapping[str, NDArray[np.float64]]
    starts: Mapping[str, NDArray[np.float64]]
    schedules: Sequence[Schedule]
    which: NDArray[np.int64]

    def __call__(self, patient: int, rtol: float, atol: NDArray[np.float64]) -> tuple[NDArray[np.float64], int] | None:
        """Return the (visits, outputs) and the status of one patient, or None where the reference integrator cannot go on."""
        model = self.model.with_values({name: float(column[patient]) for name, column in self.columns.items()})
        start = {name: float(column[patient]) for name, column in self.starts.items()}
        schedule = self.schedules[self.which[patient]]
        try:
            result = simulate(
                model, self.visits, schedule, start, "LSODA", max(rtol, _FINEST), atol, tuple(self.outputs)
            )
        except BetapodError:
            return None
        return result.table[list(self.outputs)].to_numpy(), OK if result.ended is None else ENDED
