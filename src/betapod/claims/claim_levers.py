"""How large a parameter would have to be for a claimed outcome, against the largest value that evidence allows."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from ..therapies.scenarios import AS_CLAIMED, CURRENT_EVIDENCE, FACE_VALUE, NONE
from .claim_lives import Effect, effect, live_through, whole_body_model
from .claim_outcome import Outcome
from .claim_parameters import AS_IN_TABLES, ClaimParameters

K = TypeVar("K", bound=Hashable)
#: Values of the parameter tried at once, and how often the bracket is narrowed: about 0.03 % of it in the end.
TRIES, ROUNDS = 9, 4
#: Largest multiple of what evidence allows that is tried where nature sets no limit.
FAR = 1000.0
#: Tables of what evidence allows: the lever at its limit is tried with the other rows of each.
TABLES = (CURRENT_EVIDENCE, FACE_VALUE)


@dataclass(frozen=True)
class LeverRange:
    """Range of a lever: now, the largest that evidence allows, the end of the search."""

    now: float
    limit: float
    ceiling: float


@dataclass(frozen=True)
class LeverFound:
    """What was found of a lever.

    Attributes
    ----------
    needed
        Least value that gives the outcome; None if none does.
    at_limit
        Effect with the lever at its limit, by the table whose other rows hold.
    moves
        Largest difference of the effects that were tried under current evidence, or of what is claimed with and without the lever.
    """

    needed: float | None
    at_limit: Mapping[str, float]
    moves: float


@dataclass(frozen=True)
class LeverTask:
    """A lever to be looked for: of which outcome, under which set of parameters, and the effect with the lever as it is."""

    outcome: Outcome
    allowed: float
    parameters: ClaimParameters = AS_IN_TABLES


def lever_range(outcome: Outcome, parameters: ClaimParameters = AS_IN_TABLES) -> LeverRange:
    """Return the range of an outcome's lever.

    The largest is the upper end of the interval under current evidence or, if greater, the point estimate of positive trials; a set of
    parameters moves where the lever is now, and not how large evidence allows it to be.
    """
    from ..model.parameters.possible_values import possible_bounds
    from ..therapies import cell_parameters

    model = whole_body_model()
    tables = [model.parameters, *(cell_parameters.cell_parameter_table(name) for name in TABLES)]
    rows = [table[outcome.lever] for table in tables if outcome.lever in table]
    now = rows[1].value if len(rows) > 1 else rows[0].value
    moved = parameters.value(outcome.lever, CURRENT_EVIDENCE if outcome.course else NONE)
    highs = [row.high for row in rows if row.high is not None and math.isfinite(row.high)]
    limit = max([*(row.value for row in rows), *highs])
    ceiling = outcome.ceiling if outcome.ceiling is not None else max(limit, 1e-3) * FAR
    ceiling = min([ceiling, *(possible_bounds(row)[1] for row in rows)])
    return LeverRange(now if moved is None else moved, limit, ceiling)


def find_levers(tasks: Mapping[K, LeverTask], with_moves: bool = True) -> dict[K, LeverFound]:
    """Find, for all tasks at once, the least value of the lever that gives the claimed outcome.

    Parameters
    ----------
    tasks
        Of outcomes with a lever.
    with_moves
        Whether it is found out too by how much the lever moves the outcome with the parameters that the claims need.
    """
    ranges = {key: lever_range(task.outcome, task.parameters) for key, task in tasks.items()}
    at_limit = _at_limits(tasks, ranges)
    outcomes = {key: task.outcome for key, task in tasks.items()}
    under = {key: task.parameters for key, task in tasks.items()}
    needed: dict[K, float | None] = {}
    far = effects_at(outcomes, {key: [item.ceiling] for key, item in ranges.items()}, under)
    tried = {key: [task.allowed, *at_limit[key].values(), *far[key]] for key, task in tasks.items()}
    brackets: dict[K, tuple[float, float]] = {}
    for key, task in tasks.items():
        needed[key] = ranges[key].now if task.outcome.reached_by(task.allowed) else None
        if needed[key] is None:
            brackets[key] = (ranges[key].now, ranges[key].ceiling)
    for turn in range(ROUNDS):
        points = {key: _points(low, high, spread=turn == 0) for key, (low, high) in brackets.items()}
        for key, effects in effects_at(outcomes, points, under).items():
            tried[key] += effects
            hits = [i for i, item in enumerate(effects) if outcomes[key].reached_by(item)]
            if not hits:
                if turn == 0:
                    del brackets[key]
                continue
            first = hits[0]
            needed[key] = points[key][first]
            brackets[key] = (points[key][first - 1] if first else brackets[key][0], points[key][first])
    claimed = _claimed_with_and_without(tasks if with_moves else {}, ranges)
    return {
        key: LeverFound(needed[key], at_limit[key], max(_span(tried[key]), _span(claimed.get(key, []))))
        for key in tasks
    }


def _claimed_with_and_without(tasks: Mapping[K, LeverTask], ranges: Mapping[K, LeverRange]) -> dict[K, list[float]]:
    """Return effects with the parameters of the claims, and the same with the lever as evidence has it now."""
    effects = {
        key: [
            effect(task.outcome, AS_CLAIMED, values).under(task.parameters)
            for values in (None, {task.outcome.lever: ranges[key].now})
        ]
        for key, task in tasks.items()
        if task.outcome.course
    }
    values = live_through(item for pair in effects.values() for item in pair)
    return {key: [item.of(values) for item in pair] for key, pair in effects.items()}


def _span(effects: Sequence[float]) -> float:
    finite = [item for item in effects if math.isfinite(item)]
    return max(finite) - min(finite) if finite else 0.0


def _at_limits(tasks: Mapping[K, LeverTask], ranges: Mapping[K, LeverRange]) -> dict[K, dict[str, float]]:
    """Return effects with each lever at its limit, with the other rows of each table."""
    effects = {
        (key, table): effect(task.outcome, table, {task.outcome.lever: ranges[key].limit}).under(task.parameters)
        for key, task in tasks.items()
        for table in (TABLES if task.outcome.course else (NONE,))
    }
    values = live_through(effects.values())
    limits: dict[K, dict[str, float]] = {key: {} for key in tasks}
    for (key, table), item in effects.items():
        limits[key][table] = item.of(values)
    return limits


def effects_at(
    outcomes: Mapping[K, Outcome],
    points: Mapping[K, Sequence[float]],
    under: Mapping[K, ClaimParameters] = MappingProxyType({}),
) -> dict[K, list[float]]:
    """Return the effects with each lever at several values, under current evidence.

    A life that does not come to its end gives no number and reaches nothing.

    Parameters
    ----------
    under
        Sets of parameters; those of the tables where nothing is said.
    """
    effects: dict[K, list[Effect]] = {}
    for key, levels in points.items():
        outcome, parameters = outcomes[key], under.get(key, AS_IN_TABLES)
        scenario = CURRENT_EVIDENCE if outcome.course else NONE
        effects[key] = [
            effect(outcome, scenario, {**outcome.granted, outcome.lever: level}).under(parameters) for level in levels
        ]
    values = live_through(item for several in effects.values() for item in several)
    return {key: [item.of(values) for item in several] for key, several in effects.items()}


def _points(low: float, high: float, spread: bool) -> list[float]:
    """Return values to try between two ends: logarithmic over a wide range, else even; the lower end is known to be too small."""
    if not spread or high < 20 * max(low, 1e-12):
        if low > 0 and high / low > 2:
            return [low * (high / low) ** (i / TRIES) for i in range(1, TRIES + 1)]
        return [low + (high - low) * i / TRIES for i in range(1, TRIES + 1)]
    start = max(low, high * 1e-6)
    return [start * (high / start) ** (i / TRIES) for i in range(1, TRIES + 1)]
