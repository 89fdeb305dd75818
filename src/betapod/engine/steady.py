"""The steady state of an endless train of doses: what a dose with ``ss`` starts from.

The state just before a dose is a fixed point of one interval. It is found by Anderson's extrapolation (J ACM 12:547, 1965) of one
interval after the other: for linear kinetics after about as many intervals as there are states, however slow they are.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConfigError, Location, Problem, SolverError
from ..model.algebra.expression import TIME, topological
from ..model.assembly.model import Model
from .calendar import exact_time
from .schedule import Dose, Schedule

States = NDArray[np.float64]

#: Tolerance of the integration of an interval, and change over an interval, relative to the state, that counts as none.
RTOL = 1e-11
_CHANGE = 1e-9
_INTERVALS = 400
#: States that would hold what so many intervals bring do not settle: what leaves is lost in the rounding.
_MOST = 1e7
_DEPTH = 8


def is_steady(schedule: Schedule) -> bool:
    """Return whether a schedule starts from a steady state."""
    return any(dose.ss for dose in schedule.doses)


def check_steady(model: Model, schedule: Schedule) -> None:
    """Check that there can be a steady state.

    Raises
    ------
    ConfigError
        Doses with different intervals, rates that change with time, or events.
    """
    doses = [dose for dose in schedule.doses if dose.ss]
    problems = []
    if len({exact_time(dose.ii) for dose in doses}) > 1:
        intervals = ", ".join(f"{dose.state} every {dose.ii:g}" for dose in doses)
        problems.append(Problem("bad-dose", "doses in a steady state need one interval", found=intervals))
    if TIME in topological([state.rate for state in model.states]):
        problems.append(Problem("unsupported", "rates that change with time by themselves have no steady state"))
    if model.events:
        problems.append(Problem("unsupported", "a steady state of a model with events is not supported"))
    if problems:
        raise ConfigError([replace(problem, location=Location("steady state")) for problem in problems])


def dosing_interval(schedule: Schedule) -> tuple[Schedule, float]:
    """Return what is done within one interval of the train, and how long that is."""
    doses: list[Dose] = []
    [every, *_] = [dose.ii for dose in schedule.doses if dose.ss]
    period = exact_time(every)
    for dose in schedule.doses:
        if not dose.ss:
            continue
        if not dose.length:
            doses.append(Dose(dose.state, dose.amount))
            continue
        rate, full_periods = _rate(dose), dose.length // period
        remainder = dose.length - full_periods * period
        doses += [Dose(dose.state, float(rate * period), duration=float(period)) for _ in range(int(full_periods))]
        if remainder:
            doses.append(Dose(dose.state, float(rate * remainder), duration=float(remainder)))
    return Schedule(doses), float(period)


def continued(schedule: Schedule) -> Schedule:
    """Return the schedule from the steady state on: infusions that began before the start go on after it."""
    doses = []
    for dose in schedule.doses:
        doses.append(replace(dose, ss=False))
        if dose.ss and dose.length > exact_time(dose.ii):
            left = dose.length - exact_time(dose.ii)
            while left > 0:
                doses.append(Dose(dose.state, float(_rate(dose) * left), duration=float(left)))
                left -= exact_time(dose.ii)
    return Schedule(tuple(doses), schedule.switches)


def _rate(dose: Dose) -> Fraction:
    return exact_time(dose.amount) / dose.length


def settled(model: Model, start: States, one_interval: Callable[[States], States]) -> States:
    """Return the states just before a dose once the train has gone on for ever.

    Parameters
    ----------
    start
        (patients, states) where to begin to look.
    one
        States at the end of an interval from those at its start, just before the dose.

    Raises
    ------
    SolverError
        The states do not settle: more is given than leaves.
    """
    # What nothing depends on, such as an area under a curve, only adds up; it keeps its start.
    used = {column for _, column in model.jacobian}
    accumulates = np.array([k not in used for k in range(len(model.states))])
    x, change, most = start.copy(), np.zeros_like(start), np.zeros_like(start)
    points: list[States] = []
    changes: list[States] = []
    for _ in range(_INTERVALS):
        reached = one_interval(x)
        change = np.where(accumulates, 0.0, reached - x)
        most = np.maximum(most, np.abs(change))
        # Beside the state alone, every change is small once a heap that only grows is high enough.
        small = np.minimum(_CHANGE * np.maximum(np.abs(x), np.abs(reached)), 1e-6 * most + 1e-10 * np.abs(start))
        if np.all(np.abs(change) <= small):
            return x
        points, changes = [*points[-_DEPTH:], x], [*changes[-_DEPTH:], change]
        x = _next(points, changes)
        if np.any(np.abs(x) > _MOST * (most + np.abs(start))):
            break
    share = np.abs(change) / np.maximum(np.abs(x), 1e-300)
    worst = model.state_names[int(np.argmax(np.max(np.nan_to_num(share, nan=np.inf), axis=0)))]
    raise SolverError(
        Problem(
            "no-steady-state",
            f"the doses lead to no steady state: {worst} does not settle",
            hint="More may be given than can leave; give the doses one by one instead.",
        )
    )


def _next(points: list[States], changes: list[States]) -> States:
    """Return where the course of changes would end, were it linear."""
    x, change = points[-1], changes[-1]
    plain = x + change
    if len(points) == 1:
        return plain
    scale = 1.0 / np.maximum(np.max(np.abs(points), axis=0), 1e-300)
    dx = np.stack([b - a for a, b in itertools.pairwise(points)], axis=-1)
    df = np.stack([b - a for a, b in itertools.pairwise(changes)], axis=-1)
    weights = np.linalg.pinv(df * scale[..., None], rcond=1e-10) @ (change * scale)[..., None]
    extrapolated = plain - ((dx + df) @ weights)[..., 0]
    # A step too far makes amounts negative or endless; then the next interval is taken as it comes.
    good = np.all(np.isfinite(extrapolated) & ((extrapolated >= 0.0) | (plain < 0.0)), axis=1, keepdims=True)
    return np.where(good, extrapolated, plain)
