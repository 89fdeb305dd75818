"""The reference integrator: SciPy on the printed model. It is the yardstick for the fast engine: right, not fast."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.arguments import as_names, by_name, floats, instance, wrong
from ...base.errors import ConfigError, Location, Problem, did_you_mean
from ...model.assembly.model import Model
from ...model.assembly.possible_states import impossible_start
from .. import steady
from ..infusions import as_switches, infused_states, with_infusions
from ..limits import MOST_VALUES, SHORTEST, check_size
from ..schedule import Schedule
from ..tolerance import absolute, check_tolerances
from .reference_run import ReferenceRun
from .simulation_result import Result, Trajectory, courses_of, lost_states, no_numbers

METHODS = ("LSODA", "BDF", "Radau")


class ModelIntegration(Protocol):
    """One model, ready to be integrated."""

    @property
    def atol(self) -> NDArray[np.float64]:
        """Absolute tolerance of each state."""

    @property
    def evaluations(self) -> int:
        """Evaluations of the rates so far."""

    def integrate(self, visits: NDArray[np.float64], schedule: Schedule, initial: Mapping[str, float]) -> Trajectory:
        """Go through a schedule."""


#: Makes an integration of a model, by a method, with relative and absolute tolerances.
Integrator = Callable[[Model, str, float, ArrayLike], ModelIntegration]


def simulate_by_reference(
    model: Model,
    times: ArrayLike,
    schedule: Schedule | None = None,
    initial: Mapping[str, float] | None = None,
    method: str = "LSODA",
    rtol: float = 1e-6,
    atol: ArrayLike | None = None,
    outputs: Sequence[str] | None = None,
) -> Result:
    """Integrate a model and report it at the given times.

    Parameters
    ----------
    model
        Model, such as ``load_model("kidney")``.
    times
        Days, increasing, from 0 on; the integration starts at 0.
    schedule
        Doses and switches of inputs; nothing by default.
    initial
        States that do not start from their initial value, in the states' units.
    method
        ``LSODA``, ``BDF`` or ``Radau``.
    rtol, atol
        Relative and absolute error tolerated in one step; `atol` in the states' units, one number or one per state. By default it
        is 1e-9, and finer for states that stay small (see `betapod.engine.tolerance`).
    outputs
        Names of states, equations and inputs to report; all by default.

    Returns
    -------
    Result
        One row per time and one column per quantity, with units, events and warnings.

    Raises
    ------
    ConfigError
        Unknown names, a bad schedule, bad tolerances, or times that do not increase.
    SolverError
        SciPy could not go on; says where.

    Examples
    --------
    The reference kidney loses filtration over ten years:

    >>> from betapod import load_model
    >>> from betapod.engine.scipy.reference import simulate_by_reference
    >>> table = simulate_by_reference(load_model("kidney"), [0.0, 3652.5], outputs=["GFR"]).table
    >>> table["GFR"].round(0).tolist()
    [105.0, 100.0]
    """
    return simulate_by(ReferenceRun, METHODS, model, times, schedule, initial, method, rtol, atol, outputs)


def simulate_by(
    integrator: Integrator,
    methods: Sequence[str],
    model: Model,
    times: ArrayLike,
    schedule: Schedule | None,
    initial: Mapping[str, float] | None,
    method: str,
    rtol: float,
    atol: ArrayLike | None,
    outputs: Sequence[str] | None,
) -> Result:
    """Integrate a model by an integrator that knows some methods, see `simulate`.

    Raises
    ------
    ConfigError, SolverError
        As of `simulate`.
    """
    instance("model", model, Model, "a model, such as load_model('kidney')")
    visits = floats("times", times)
    initial = by_name("initial", {} if initial is None else initial)
    outputs = None if outputs is None else as_names("outputs", outputs)
    _check(model, visits, initial, method, methods, outputs)
    check_tolerances(rtol, atol, model.state_names)
    schedule = Schedule() if schedule is None else schedule
    instance("schedule", schedule, Schedule, "a Schedule of doses and switches")
    schedule.check(model)
    initial = {name: float(value) for name, value in initial.items()}
    # Where nobody chose a tolerance, only what was asked for is worth a warning.
    watched = frozenset(model.state_names if atol is not None else outputs or ())
    if atol is None:
        atol = absolute(model, schedule, float(visits[-1]), initial)
    if outputs is None:
        outputs = [*model.state_names, *model.assignments, *model.inputs]
    if steady.is_steady(schedule):
        initial = _steady_start(integrator, model, schedule, initial, method)
        schedule = steady.continued(schedule)
    if infused := infused_states([schedule]):
        schedule = as_switches(model, schedule, float(visits[-1]))
        model = with_infusions(model, infused)
    return _simulated(integrator, model, method, rtol, atol, visits, schedule, initial, outputs, watched)


def _simulated(
    integrator: Integrator,
    model: Model,
    method: str,
    rtol: float,
    atol: ArrayLike,
    visits: NDArray[np.float64],
    schedule: Schedule,
    initial: Mapping[str, float],
    outputs: Sequence[str],
    watched: frozenset[str] = frozenset(),
) -> Result:
    run = integrator(model, method, rtol, atol)
    trajectory = run.integrate(visits, schedule, initial)
    courses = courses_of(model, trajectory, visits, outputs)
    warnings = model.parameters.implausible() + model.inputs.implausible()
    warnings += lost_states(model, trajectory, run.atol, watched)
    warnings += no_numbers({name: course[: len(trajectory.times)] for name, course in courses.values.items()})
    return Result(
        courses,
        warnings,
        trajectory.happened,
        trajectory.ended,
        method,
        rtol,
        run.atol,
        run.evaluations,
        model.time_unit,
    )


def _steady_start(
    integrator: Integrator, model: Model, schedule: Schedule, initial: Mapping[str, float], method: str
) -> dict[str, float]:
    """Return the states just before a dose of an endless train."""
    steady.check_steady(model, schedule)
    train, length = steady.dosing_interval(schedule)
    names = list(model.state_names)
    train, model_of_train = as_switches(model, train, length), with_infusions(model, infused_states([train]))

    def states_at(visits: NDArray[np.float64], doses: Schedule, start: Mapping[str, float]) -> NDArray[np.float64]:
        result = _simulated(integrator, model_of_train, method, steady.RTOL, 1e-15, visits, doses, start, names)
        return np.column_stack(list(result.courses.values.values()))

    def one_interval(states: NDArray[np.float64]) -> NDArray[np.float64]:
        start = dict(zip(names, states[0].tolist(), strict=True))
        return states_at(np.array([0.0, length]), train, start)[-1:]

    begin = states_at(np.array([0.0]), Schedule(), initial)
    return dict(zip(names, steady.settled(model, begin, one_interval)[0].tolist(), strict=True))


def _check(
    model: Model,
    times: NDArray[np.float64],
    initial: Mapping[str, float],
    method: str,
    methods: Sequence[str],
    outputs: Sequence[str] | None,
) -> None:
    problems = []
    if (
        times.ndim != 1
        or not times.size
        or not np.all(np.isfinite(times))
        or times[0] < 0
        or np.any(np.diff(times) <= 0)
        or 0.0 < times[-1] < SHORTEST
    ):
        problems.append(Problem("bad-times", "the times must be increasing days from 0 on"))
    if not isinstance(method, str) or method not in methods:
        problems.append(Problem("unknown-method", f"there is no method {method!r}", expected=", ".join(methods)))
    for name, value in initial.items():
        where = f"initial {name}"
        if name in model.state_names:
            number = floats(where, value)
            if number.ndim or not np.isfinite(number):
                problems.append(wrong(where, value, "one finite number", "bad-value"))
            elif bad := impossible_start(model, name, float(number), Location(where)):
                problems.append(bad)
        if name not in model.state_names:
            problems.append(
                Problem("unknown-state", f"{name!r} is not a state", hint=did_you_mean(name, model.state_names))
            )
    for name in outputs or ():
        if name not in model.names:
            problems.append(
                Problem("unknown-name", f"{model.name} has no quantity {name!r}", hint=did_you_mean(name, model.names))
            )
    if problems:
        raise ConfigError(problems)
    columns = len(outputs) if outputs is not None else len(model.names)
    check_size(times.size, max(columns, len(model.states)), MOST_VALUES, "times", "Ask for fewer times or outputs.")
