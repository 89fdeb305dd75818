"""How large a parameter would have to be for a claimed outcome, against the largest value that evidence allows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..therapies.scenarios import AS_CLAIMED, CURRENT_EVIDENCE, FACE_VALUE, NONE
from .claim_lives import Effect, effect, live_through, whole_body_model
from .claim_outcome import Outcome

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


def lever_range(outcome: Outcome) -> LeverRange:
    """Return the range of an outcome's lever.

    The largest is the upper end of the interval under current evidence or, if greater, the point estimate of positive trials.
    """
    from ..model.parameters.possible_values import possible_bounds
    from ..therapies import cell_parameters

    model = whole_body_model()
    tables = [model.parameters, *(cell_parameters.cell_parameter_table(name) for name in TABLES)]
    rows = [table[outcome.lever] for table in tables if outcome.lever in table]
    now = rows[1].value if len(rows) > 1 else rows[0].value
    highs = [row.high for row in rows if row.high is not None and math.isfinite(row.high)]
    limit = max([*(row.value for row in rows), *highs])
    ceiling = outcome.ceiling if outcome.ceiling is not None else max(limit, 1e-3) * FAR
    return LeverRange(now, limit, min([ceiling, *(possible_bounds(row)[1] for row in rows)]))


def find_levers(outcomes: Mapping[str, Outcome], allowed: Mapping[str, float]) -> dict[str, LeverFound]:
    """Find, for all outcomes at once, the least value of the lever that gives the claimed outcome.

    Parameters
    ----------
    outcomes
        Those with a lever.
    allowed
        The effect of each with the lever as it is.
    """
    ranges = {name: lever_range(outcome) for name, outcome in outcomes.items()}
    at_limit = _at_limits(outcomes, ranges)
    needed: dict[str, float | None] = {}
    far = effects_at(outcomes, {name: [item.ceiling] for name, item in ranges.items()})
    tried = {name: [allowed[name], *at_limit[name].values(), *far[name]] for name in outcomes}
    brackets: dict[str, tuple[float, float]] = {}
    for name, outcome in outcomes.items():
        needed[name] = ranges[name].now if outcome.reached_by(allowed[name]) else None
        if needed[name] is None:
            brackets[name] = (ranges[name].now, ranges[name].ceiling)
    for turn in range(ROUNDS):
        points = {name: _points(low, high, spread=turn == 0) for name, (low, high) in brackets.items()}
        for name, effects in effects_at(outcomes, points).items():
            tried[name] += effects
            hits = [i for i, item in enumerate(effects) if outcomes[name].reached_by(item)]
            if not hits:
                if turn == 0:
                    del brackets[name]
                continue
            first = hits[0]
            needed[name] = points[name][first]
            brackets[name] = (points[name][first - 1] if first else brackets[name][0], points[name][first])
    claimed = _claimed_with_and_without(outcomes, ranges)
    return {
        name: LeverFound(needed[name], at_limit[name], max(_span(tried[name]), _span(claimed[name])))
        for name in outcomes
    }


def _claimed_with_and_without(
    outcomes: Mapping[str, Outcome], ranges: Mapping[str, LeverRange]
) -> dict[str, list[float]]:
    """Return effects with the parameters of the claims, and the same with the lever as evidence has it now."""
    effects = {
        name: [effect(outcome, AS_CLAIMED), effect(outcome, AS_CLAIMED, {outcome.lever: ranges[name].now})]
        for name, outcome in outcomes.items()
        if outcome.course
    }
    values = live_through(item for pair in effects.values() for item in pair)
    return {name: [item.of(values) for item in effects.get(name, [])] for name in outcomes}


def _span(effects: Sequence[float]) -> float:
    finite = [item for item in effects if math.isfinite(item)]
    return max(finite) - min(finite) if finite else 0.0


def _at_limits(outcomes: Mapping[str, Outcome], ranges: Mapping[str, LeverRange]) -> dict[str, dict[str, float]]:
    """Return effects with each lever at its limit, with the other rows of each table."""
    effects = {
        (name, table): effect(outcome, table, {outcome.lever: ranges[name].limit})
        for name, outcome in outcomes.items()
        for table in (TABLES if outcome.course else (NONE,))
    }
    values = live_through(effects.values())
    limits: dict[str, dict[str, float]] = {name: {} for name in outcomes}
    for (name, table), item in effects.items():
        limits[name][table] = item.of(values)
    return limits


def effects_at(outcomes: Mapping[str, Outcome], points: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """Return the effects with each lever at several values, under current evidence.

    A life that does not come to its end gives no number and reaches nothing.
    """
    effects: dict[str, list[Effect]] = {}
    for name, levels in points.items():
        outcome = outcomes[name]
        scenario = CURRENT_EVIDENCE if outcome.course else NONE
        effects[name] = [effect(outcome, scenario, {**outcome.granted, outcome.lever: level}) for level in levels]
    values = live_through(item for several in effects.values() for item in several)
    return {name: [item.of(values) for item in several] for name, several in effects.items()}


def _points(low: float, high: float, spread: bool) -> list[float]:
    """Return values to try between two ends: logarithmic over a wide range, else even; the lower end is known to be too small."""
    if not spread or high < 20 * max(low, 1e-12):
        if low > 0 and high / low > 2:
            return [low * (high / low) ** (i / TRIES) for i in range(1, TRIES + 1)]
        return [low + (high - low) * i / TRIES for i in range(1, TRIES + 1)]
    start = max(low, high * 1e-6)
    return [start * (high / start) ** (i / TRIES) for i in range(1, TRIES + 1)]
