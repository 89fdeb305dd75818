"""One patient by the compiled engine, with the checks and the tables of the reference integrator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.errors import ConfigError
from ..model.assembly.model import Model
from .compiled.lower import check_compilable
from .compiled.workspace import ENDED
from .ensemble import Ensemble
from .schedule import Schedule
from .scipy.reference import METHODS as REFERENCE_METHODS
from .scipy.reference import simulate_by
from .scipy.reference_run import ReferenceRun
from .scipy.simulation_result import Result, Trajectory
from .segments import inputs_at_visits

#: The method of the compiled engine.
COMPILED = "Rodas5P"
METHODS = (COMPILED, *REFERENCE_METHODS)
#: Evaluations of the rates in one attempted step.
_STAGES = 8


def simulate_one(
    model: Model,
    times: ArrayLike,
    schedule: Schedule | None = None,
    initial: Mapping[str, float] | None = None,
    method: str = COMPILED,
    rtol: float = 1e-6,
    atol: ArrayLike | None = None,
    outputs: Sequence[str] | None = None,
) -> Result:
    """Integrate a model for one patient, see `betapod.simulate`.

    What the compiled engine cannot do, or could not get through, is integrated by the reference integrator: the ``method`` of the result says so.
    """
    patient = (model, times, schedule, initial)
    compiled = isinstance(method, str) and method == COMPILED
    if compiled and _compilable(model):
        try:
            return simulate_by(CompiledPatient, METHODS, *patient, method, rtol, atol, outputs)
        except _LostError:
            # The reference integrator says what is wrong, or gets through.
            pass
    if compiled:
        method = REFERENCE_METHODS[0]
    return simulate_by(ReferenceRun, METHODS, *patient, method, rtol, atol, outputs)


class _LostError(Exception):
    """The compiled engine did not reach the end."""


class CompiledPatient:
    """One model, compiled for one patient at a time; an `ModelIntegration`.

    The program reports every state, so that one program serves all outputs.
    """

    def __init__(self, model: Model, method: str, rtol: float, atol: ArrayLike) -> None:
        self.model = model
        self.atol = np.broadcast_to(np.asarray(atol, dtype=np.float64), (len(model.states),)).copy()
        self.evaluations = 0
        self._ensemble = Ensemble(model, None, rtol, self.atol, threads=1)

    def integrate(self, visits: NDArray[np.float64], schedule: Schedule, initial: Mapping[str, float]) -> Trajectory:
        """Go through a schedule; a state that starts from no number, or a step that fails, is left to the reference integrator."""
        result = self._ensemble.run(1, visits, schedule, initial)
        if result.status[0] > ENDED:
            raise _LostError
        self.evaluations += _STAGES * int(result.steps[0] + result.rejected[0])
        states = result.values[0]
        ended = None
        if result.event[0] >= 0:
            ended = result.event_names[result.event[0]], float(result.ended_at[0])
        reached = len(visits) if ended is None else int(np.searchsorted(visits, ended[1], side="right"))
        reached = min(reached, int(np.isfinite(states).all(axis=1).sum()))
        trajectory = Trajectory(np.abs(states[:reached]).max(axis=0, initial=0.0), ended=ended)
        trajectory.happened = [] if ended is None else [(ended[1], ended[0])]
        values = self.model.values()
        base = {name: values[name] for name in self.model.inputs}
        segments = schedule.segments(base, float(visits[-1]), visits=visits)
        inputs = inputs_at_visits(segments, visits[:reached], base)
        trajectory.collect(visits[:reached].tolist(), states[:reached].T, inputs)
        return trajectory


def _compilable(model: Model) -> bool:
    """Return whether the compiled engine does a model, and tells all that happens in it."""
    if not isinstance(model, Model) or not all(event.terminal for event in model.events):
        return False
    try:
        check_compilable(model)
    except ConfigError:
        return False
    return bool(model.states)
