"""Moments of a run: its patients are drawn, integrated and added some after others, and nobody's values are kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..ensemble import Ensemble
from ..ensemble_summary import EnsembleSummary, Summing
from ..reduction import BLOCK_OF_PATIENTS
from .run_plan import RunPlan

#: Blocks that a processor integrates at a time, so that one sees how far it is; a card takes more at a time.
_BLOCKS = 32


def run_moments(
    plan: RunPlan,
    threads: int | None = None,
    device: str = "cpu",
    quantiles: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> EnsembleSummary:
    """Return the moments of all patients of a plan; memory does not grow with their number.

    Parameters
    ----------
    threads, device
        Where patients are integrated, as `betapod.Ensemble` knows it. The moments do not depend on `threads`.
    quantiles
        Whether to count values in bins too.
    progress
        Is told what is done, how much of it is done, and of how much.

    Raises
    ------
    ConfigError
        There is no such device, or these are more numbers than one call can hold.
    """
    ensemble = Ensemble(plan.model, plan.names, plan.rtol, plan.atol, threads=threads, device=device)
    summing = Summing(ensemble, ("",), np.array(plan.times), quantiles)
    at_a_time = summing.at_a_time if device != "cpu" else min(summing.at_a_time, _BLOCKS * BLOCK_OF_PATIENTS)
    for first in range(0, plan.patients, at_a_time):
        members = range(first, min(first + at_a_time, plan.patients))
        drawn = dict(plan.cohort.values(members)) if plan.cohort is not None else {}
        prepared = ensemble._prepared(drawn or len(members), plan.times, plan.schedule, None)
        summing.add(*prepared, np.zeros(len(members), dtype=np.int64))
        if progress is not None:
            progress("patients", members.stop, plan.patients)
    return summing.summary()
