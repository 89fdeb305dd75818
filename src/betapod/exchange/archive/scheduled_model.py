"""A model with a schedule inside: doses, infusions and switches as events, so that a file of the model alone holds what is done."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

from ...base.errors import ExchangeError, Location, Problem
from ...engine.infusions import as_switches, infused_states, with_infusions
from ...engine.schedule import Schedule, Segment
from ...engine.scipy.reference import simulate_by_reference as simulate
from ...engine.steady import continued, is_steady
from ...model import Event, Model, ParameterTable, State
from ...model.algebra.expression import TIME, ZERO, Expr, add, binary, const, symbol

#: Moments at which something may change; more make files that other tools cannot load.
MOST_MOMENTS = 2_000


def scheduled_model(model: Model, schedule: Schedule, end: float, initial: Mapping[str, float] | None = None) -> Model:
    """Return a model that does by itself what a schedule does to another one.

    What is done at time 0 is in its start; later changes come right after their time, so that a row at that time shows the value before. An input that changes
    is a state.

    Parameters
    ----------
    end
        Time until which the schedule is wanted, in the model's unit of time.
    initial
        States that start elsewhere.

    Raises
    ------
    ExchangeError
        More than `MOST_MOMENTS` changes.

    Examples
    --------
    >>> import betapod
    >>> from betapod.exchange.archive.scheduled_model import scheduled_model
    >>> schedule = betapod.Schedule([betapod.Dose("glucose", 50.0, 1.0)])
    >>> made = scheduled_model(betapod.load_model("topp2000"), schedule, 5.0)
    >>> [event.name for event in made.events]
    ['change_1']
    """
    start = dict(initial or {})
    if is_steady(schedule):
        row = simulate(model, [0.0], schedule, start, outputs=model.state_names).table.iloc[0]
        start = {name: float(row[name]) for name in model.state_names}
        schedule = continued(schedule)
    infused = infused_states([schedule])
    schedule = as_switches(model, schedule, end)
    model = with_infusions(model, infused)
    inputs = {name: row.value for name, row in model.inputs.items()}
    segments = schedule.segments(inputs, end)
    if len(segments) > MOST_MOMENTS:
        message = "that many doses and changes make a file that other tools cannot load"
        raise ExchangeError(
            Problem("too-large", message, Location("schedule"), str(len(segments)), f"at most {MOST_MOMENTS}")
        )
    return _with_events(_started(model, start), segments)


def _started(model: Model, start: Mapping[str, float]) -> Model:
    states = tuple(
        replace(state, local_initial=const(start[state.name]), initial=const(start[state.name]))
        if state.name in start
        else state
        for state in model.states
    )
    return replace(model, states=states)


def _with_events(model: Model, segments: list[Segment]) -> Model:
    """Return the model whose changing inputs are states, with an event for each moment."""
    first = segments[0]
    sloped = [name for name in model.inputs if any(segment.slopes[name] for segment in segments)]
    changed = [
        name for name in model.inputs if name in sloped or any(s.values[name] != first.values[name] for s in segments)
    ]
    slopes = {name: _new(model, f"slope_{name}") for name in sloped}
    values = model.with_values({name: first.values[name] for name in model.inputs if name not in changed})
    states = [_dosed(state, first) for state in model.states]
    for name in changed:
        row = model.inputs[name]
        rate = symbol(slopes[name]) if name in slopes else ZERO
        states.append(_state(name, row.unit, row.label, rate, first.values[name]))
    states += [
        _state(slope, f"{model.inputs[name].unit}/{model.time_unit}", f"change of {name}", ZERO, first.slopes[name])
        for name, slope in slopes.items()
    ]
    inputs = ParameterTable(row for row in values.inputs.values() if row.id not in changed)
    events = [
        _event(number, before, segment, changed, slopes)
        for number, (before, segment) in enumerate(itertools.pairwise(segments), start=1)
    ]
    return replace(values, states=tuple(states), inputs=inputs, events=(*model.events, *(e for e in events if e)))


def _new(model: Model, name: str) -> str:
    while name in model.names:
        name += "_"
    return name


def _state(name: str, unit: str, label: str, rate: Expr, value: float) -> State:
    return State(name, unit, label, rate, const(value), rate, const(value))


def _dosed(state: State, first: Segment) -> State:
    """Return a state that starts with what is given at the start."""
    amount = sum(amount for name, amount in first.doses if name == state.name)
    if not amount:
        return state
    return replace(
        state, local_initial=add(state.local_initial, const(amount)), initial=add(state.initial, const(amount))
    )


def _event(
    number: int, before: Segment, segment: Segment, changed: list[str], slopes: Mapping[str, str]
) -> Event | None:
    """Return what happens where a segment begins."""
    amounts: dict[str, float] = {}
    for name, amount in segment.doses:
        amounts[name] = amounts.get(name, 0.0) + amount
    assignments: list[tuple[str, Expr]] = [(name, add(symbol(name), const(x))) for name, x in amounts.items()]
    for name in changed:
        reached = before.values[name] + before.slopes[name] * (segment.start - before.start)
        if segment.values[name] != before.values[name] or reached != segment.values[name]:
            assignments.append((name, const(segment.values[name])))
        if name in slopes and segment.slopes[name] != before.slopes[name]:
            assignments.append((slopes[name], const(segment.slopes[name])))
    if not assignments:
        return None
    return Event(f"change_{number}", "", binary("gt", TIME, const(segment.start)), tuple(assignments))
