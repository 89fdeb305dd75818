"""Infusions into states: each is an input that is added to the state's rate, switched on and off by the schedule."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from ..model.algebra.expression import add, symbol
from ..model.assembly.model import Model
from ..model.parameters.table import Parameter, ParameterTable
from .calendar import exact_time
from .schedule import Dose, Schedule, Switch

#: An infusion shorter than this share of the time at which it ends is given at once: no step could resolve it.
_SHORTEST = Fraction(1, 10**10)


def infused_states(schedules: Iterable[Schedule]) -> tuple[str, ...]:
    """Return the states that some schedule infuses."""
    return tuple(sorted({dose.state for s in schedules for dose in s.doses if dose.length > 0}))


@functools.lru_cache(maxsize=32)
def with_infusions(model: Model, states: tuple[str, ...]) -> Model:
    """Return the model with an input for the infusions into each of some states, 0 by default."""
    rows = [
        Parameter(
            input_name(model, state),
            f"infusion into {state}",
            0.0,
            f"{model.units[state]}/{model.time_unit}" if model.time_unit != "1" else model.units[state],
            role="input",
        )
        for state in states
    ]
    changed = tuple(
        replace(
            state,
            rate=add(state.rate, symbol(input_name(model, state.name))),
            local_rate=add(state.local_rate, symbol(input_name(model, state.name))),
        )
        if state.name in states
        else state
        for state in model.states
    )
    return replace(model, states=changed, inputs=ParameterTable((*model.inputs.values(), *rows)))


def input_name(model: Model, state: str) -> str:
    """Return the name of the input for the infusions into a state."""
    name = f"infusion_{state}"
    while name in model.names:
        name += "_"
    return name


def as_switches(model: Model, schedule: Schedule, end: float) -> Schedule:
    """Return a schedule in which the infusions are switches of the inputs that `with_infusions` adds.

    Parameters
    ----------
    model
        The model without these inputs.
    end
        Infusions that begin later are left out.
    """
    boluses: list[Dose] = []
    switches = list(schedule.switches)
    running: dict[str, list[tuple[Fraction, Fraction, float]]] = {}
    for dose in schedule.doses:
        length = dose.length
        if not length:
            boluses.append(dose)
            continue
        rate = dose.rate or float(exact_time(dose.amount) / length)
        for begin in dose.until(end):
            if length < _SHORTEST * (begin + length):
                boluses.append(Dose(dose.state, dose.amount, float(begin)))
            else:
                running.setdefault(dose.state, []).append((begin, begin + length, rate))
    for state, infusions in running.items():
        switches += _steps(input_name(model, state), infusions)
    return Schedule(tuple(boluses), tuple(switches))


def _steps(name: str, infusions: list[tuple[Fraction, Fraction, float]]) -> list[Switch]:
    """Return the sum of infusions as switches; the last one is exactly 0."""
    changes: dict[Fraction, tuple[list[float], list[float]]] = {}
    for begin, end, rate in infusions:
        changes.setdefault(begin, ([], []))[0].append(rate)
        changes.setdefault(end, ([], []))[1].append(rate)
    # Sums of exact numbers: what was added is taken away to the last bit.
    total, steps = Fraction(0), []
    for time in sorted(changes):
        begun, ended = changes[time]
        total += sum(map(Fraction, begun)) - sum(map(Fraction, ended))
        steps.append(Switch(name, float(total), float(time)))
    return steps
