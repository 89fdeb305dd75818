"""Which equations of a model a file has."""

from __future__ import annotations

from collections.abc import Sequence

from ...base.errors import ExchangeError, Location, Problem, did_you_mean
from ...model.algebra.expression import Expr, free_symbols
from ...model.assembly.model import Model


def kept_equations(model: Model, nested: bool, outputs: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of the equations that a file has: those asked for, and, unless formulas are nested, those that formulas name.

    Raises
    ------
    ExchangeError
        Outputs that are neither states nor equations; all of them.
    """
    if outputs is None:
        return tuple(model.assignments)
    reported = {*model.assignments, *model.state_names}
    problems = [
        Problem(
            "unknown-name", "no state or equation", Location("outputs"), name, hint=did_you_mean(name, sorted(reported))
        )
        for name in outputs
        if name not in reported
    ]
    if problems:
        raise ExchangeError(problems)
    kept = {*outputs} if nested else _named_by(model, outputs)
    return tuple(name for name in model.assignments if name in kept)


def _named_by(model: Model, outputs: Sequence[str]) -> set[str]:
    """Return the equations that some outputs and what moves states need, each by the formulas that name it."""
    roots: list[Expr] = [root for state in model.states for root in (state.local_rate, state.local_initial)]
    roots += [root for delayed in model.delays for root in (delayed.of, delayed.by)]
    for event in model.events:
        roots += [event.trigger, *(value for _, value in event.assignments), *(value for _, value in event.factors)]
        roots += [root for root in (event.delay, event.priority) if root is not None]
    waiting = [*outputs, *free_symbols(roots)]
    kept: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in model.assignments and name not in kept:
            kept.add(name)
            assignment = model.assignments[name]
            # What an implicit relation is written as names no other equation but where the writer finds one as a whole.
            waiting += free_symbols([assignment.local if isinstance(assignment.local, Expr) else assignment.expr])
    return kept
